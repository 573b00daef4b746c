/* What is whole in the damaged file is copied. */
#include "store/repair_state.h"

enum { REPAIR_TXN_BYTES = 16 << 20 };

int repair_begin(struct repair *self)
{
    self->txn_bytes = 0;
    int failed = mdb_txn_begin(self->to->env, NULL, 0, &self->txn);
    return failed ? db_failure(self->to, failed, "write", self->why) : 0;
}

int repair_commit(struct repair *self)
{
    int failed = mdb_txn_commit(self->txn);
    self->txn = NULL;
    return failed ? db_failure(self->to, failed, "write", self->why) : 0;
}

/* One that is there already stays. */
static int put(struct repair *self, struct slice name, struct slice bytes, unsigned flags)
{
    MDB_val key = val_of(name), value = val_of(bytes);
    int failed = mdb_put(self->txn, self->to->state, &key, &value, flags);
    if (failed && failed != MDB_KEYEXIST)
        return db_failure(self->to, failed, "write", self->why);
    self->txn_bytes += name.size + bytes.size;
    if (self->txn_bytes < REPAIR_TXN_BYTES)
        return 0;
    int rc = repair_commit(self);
    return rc ? rc : repair_begin(self);
}

int repair_put_header(struct repair *self, struct slice name, const struct header_record *header,
                      unsigned flags)
{
    buffer_clear(&self->row);
    int rc = row_encode(&header_record_layout, header, name, &self->row);
    return rc ? fail(self->why, rc, "no row could be made for %s", self->to->path)
              : put(self, name, buffer_slice(&self->row), flags);
}

/* What a header says of itself is proven by the contract's key being its hash. So it is used when
 * only its figures, or its place in the table, are broken, or when it is an old one: as a header
 * that counts wrong, which marks it. */
static int put_identity(struct repair *self, struct entry row)
{
    struct header_record header;
    struct contract contract;
    if (row.key.size != STATE_PREFIX_BYTES + 1 ||
        codec_decode(&header_record_layout, row.value, &header, NULL) ||
        contract_init(&contract, header.kind, header.params, NULL) ||
        (memcmp(contract.key.bytes, row.key.data, STATE_PREFIX_BYTES) != 0 &&
         memcmp(contract.key.bytes, header.contract, CONTRACT_KEY_BYTES) != 0))
        return ERR_DAMAGED;
    struct state_key at = state_key_of(&contract.key, ROW_HEADER, slice_of(NULL, 0));
    memcpy(header.contract, contract.key.bytes, sizeof header.contract);
    header.count = UINT64_MAX;
    return repair_put_header(self, state_key_slice(&at), &header, MDB_NOOVERWRITE);
}

static int take_state(struct repair *self, struct entry row)
{
    struct header_record header;
    struct entry_record entry;
    if (row.key.size <= STATE_PREFIX_BYTES || row.key.size > STATE_KEY_BYTES_MAX)
        return 0;
    if (row.key.data[STATE_PREFIX_BYTES] == ROW_ENTRY) {
        bool whole = row_decode(&entry_record_layout, row.key, row.value, &entry) == 0;
        return whole ? put(self, row.key, row.value, MDB_NOOVERWRITE) : 0;
    }
    if (header_decode(row, &header) == 0)
        return put(self, row.key, row.value, MDB_NOOVERWRITE);
    int rc = put_identity(self, row);
    if (rc != ERR_DAMAGED)
        return rc;
    struct contract_key key = row_contract(row);
    return marks_add(&self->marks, &key, self->why);
}

/* LMDB's position. An older one is as good: records are merged again. */
static void take_meta(struct repair *self, struct entry row)
{
    struct meta_record meta;
    if (!slice_is(row.key, meta_key) ||
        row_decode(&meta_record_layout, row.key, row.value, &meta) != 0)
        return;
    if (!self->has_meta || meta.folded_seq > self->meta.folded_seq)
        self->meta = meta;
    self->has_meta = true;
}

/* A mark that is damaged marks more rather than less. */
static int take_mark(struct repair *self, struct entry row)
{
    struct contract_key keys[MARK_CONTRACTS_MAX];
    size_t count = mark_contracts(row, keys);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = marks_add(&self->marks, &keys[i], self->why);
    self->marks_found += count > 0;
    return rc;
}

int repair_take_row(void *me, enum page_table table, struct entry row)
{
    struct repair *self = (struct repair *)me;
    int rc;
    switch (table) {
    case TABLE_state:
        return take_state(self, row);
    case TABLE_meta:
        take_meta(self, row);
        return take_mark(self, row);
    case TABLE_stray:
        if (!self->has_meta || self->old_meta) {
            self->old_meta = true;
            take_meta(self, row);
        }
        if (self->pages.meta_faults && mark_key_is(row.key))
            return take_mark(self, row);
        rc = put_identity(self, row);
        return rc == ERR_DAMAGED ? 0 : rc;
    }
    return 0;
}
