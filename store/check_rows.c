/* The rows of LMDB's tables, as they come, each held against what others say of it. */
#include "store/check_state.h"

void check_name(struct check_report *report, const struct contract_key *key)
{
    for (size_t i = 0; i < report->named_count; i++)
        if (memcmp(&report->named[i], key, sizeof *key) == 0)
            return;
    if (report->named_count < CHECK_NAMED_MAX)
        report->named[report->named_count++] = *key;
}

static void damaged(struct check *self, struct name name, const char *what)
{
    if (self->report.damaged++ == 0)
        (void)fail(&self->report.first, ERR_DAMAGED, "%s: %s", name.text, what);
    check_name(&self->report, &self->key);
}

void check_close(struct check *self)
{
    if (!self->open)
        return;
    self->open = false;
    struct summary said = header_summary(&self->header);
    if (self->quick) {
        if (said.count != self->summary.count || said.state_bytes != self->summary.state_bytes)
            damaged(self, name_contract(&self->key), "its entries are not what its header says");
        return;
    }
    struct fingerprint print = summary_fingerprint(&said);
    if (!summary_equal(&said, &self->summary))
        damaged(self, name_contract(&self->key), "its entries are not what its header says");
    else if (memcmp(print.bytes, self->header.fingerprint, FINGERPRINT_BYTES) != 0)
        damaged(self, name_contract(&self->key), "its fingerprint is wrong");
}

static void open_contract(struct check *self, struct entry row)
{
    check_close(self);
    self->key = row_contract(row);
    self->summary = (struct summary){0};
    self->open = header_decode(row, &self->header) == 0;
    if (!self->open) {
        damaged(self, name_contract(&self->key), "its header is damaged");
        return;
    }
    memcpy(self->key.bytes, self->header.contract, sizeof self->key.bytes);
    check_is_there(self, self->key.bytes);
    self->report.contracts++;
    self->report.bytes += row.value.size;
    if (self->whole_count < CHECK_NAMED_MAX)
        self->whole[self->whole_count++] = self->key;
}

static void check_entry(struct check *self, struct entry row)
{
    struct entry_record record;
    struct slice key = state_key_entry(row.key);
    if (!state_key_is_entry(row.key, &self->key)) {
        check_close(self);
        self->key = row_contract(row);
        damaged(self, name_entry(&self->key, key), "it has no header");
    }
    if (row_decode(&entry_record_layout, row.key, row.value, &record)) {
        damaged(self, name_entry(&self->key, key), "it does not match its checksum");
        return;
    }
    self->report.entries++;
    self->report.bytes += row.value.size;
    if (!self->quick) {
        summary_add(&self->summary, key, record.value);
        return;
    }
    self->summary.count++;
    self->summary.state_bytes += entry_size(key, record.value);
}

void check_take_row(struct check *self, struct entry row)
{
    struct contract_key nobody = {{0}};
    if (row.key.size > STATE_PREFIX_BYTES && row.key.data[STATE_PREFIX_BYTES] == ROW_HEADER)
        open_contract(self, row);
    else if (row.key.size > STATE_PREFIX_BYTES && row.key.data[STATE_PREFIX_BYTES] == ROW_ENTRY &&
             row.key.size <= STATE_KEY_BYTES_MAX)
        check_entry(self, row);
    else
        damaged(self, name_entry(&nobody, row.key), "it is no row of the table");
}

void check_take_mark(struct check *self)
{
    self->marks++;
    damaged(self, name_contract(&self->key),
            "damage took a part of it; it waits for a peer that has it");
}

/* A row of the table meta: LMDB's position, or a contract that waits for what damage took. */
void check_take_meta(struct check *self, struct entry row)
{
    struct contract_key keys[MARK_CONTRACTS_MAX];
    struct mark_record mark;
    if (slice_is(row.key, meta_key)) {
        self->has_meta = row_decode(&meta_record_layout, row.key, row.value, &self->meta) == 0;
        return;
    }
    size_t count = mark_contracts(row, keys);
    bool whole = row_decode(&mark_record_layout, row.key, row.value, &mark) == 0;
    self->marks_found += count > 0;
    for (size_t i = 0; i < count; i++) {
        self->key = keys[i];
        if (whole)
            check_take_mark(self);
        else
            damaged(self, name_contract(&self->key), "its mark of damage is damaged");
    }
    self->report.damaged += count == 0;
}

static void take_stray_key(struct check *self, const struct contract_key *key)
{
    if (self->strays_count < CHECK_NAMED_MAX)
        self->strays[self->strays_count++] = *key;
}

void check_take_stray(struct check *self, struct entry row)
{
    struct contract_key keys[MARK_CONTRACTS_MAX];
    struct header_record header;
    size_t count = self->pages.meta_faults ? mark_contracts(row, keys) : 0;
    self->marks_found += count > 0;
    for (size_t i = 0; i < count; i++)
        take_stray_key(self, &keys[i]);
    if (header_decode(row, &header) == 0) {
        memcpy(keys[0].bytes, header.contract, sizeof keys[0].bytes);
        take_stray_key(self, &keys[0]);
    }
}
