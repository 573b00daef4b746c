/* Rows of the table of states, as a fold writes them. */
#include "store/fold_state.h"

static int put_row(struct folding *self, const struct state_key *at, const struct layout *layout,
                   const void *record, struct reason *why)
{
    struct slice name = state_key_slice(at);
    buffer_clear(&self->row);
    int rc = row_encode(layout, record, name, &self->row);
    if (rc)
        return fail(why, rc, "no row could be made for %s", self->db->path);
    self->rows++;
    self->bytes += name.size + self->row.size;
    MDB_val key = val_of(name), value = val_of(buffer_slice(&self->row));
    int failed = mdb_cursor_put(self->cursor, &key, &value, 0);
    return failed ? db_failure(self->db, failed, "write", why) : 0;
}

int folding_drop_row(struct folding *self, const struct state_key *at, struct reason *why)
{
    MDB_val key = val_of(state_key_slice(at)), value;
    int failed = mdb_cursor_get(self->cursor, &key, &value, MDB_SET);
    if (!failed)
        failed = mdb_cursor_del(self->cursor, 0);
    return failed && failed != MDB_NOTFOUND ? db_failure(self->db, failed, "write", why) : 0;
}

int folding_put_entry(struct folding *self, const struct overlay_entry *entry, struct reason *why)
{
    struct state_key at =
        state_key_of(&entry->owner->held.contract.key, ROW_ENTRY, overlay_key(entry));
    if (!entry->value)
        return folding_drop_row(self, &at, why);
    struct entry_record record = {.value = overlay_value(entry)};
    return put_row(self, &at, &entry_record_layout, &record, why);
}

static struct state_key header_key(const uint8_t contract[CONTRACT_KEY_BYTES])
{
    struct contract_key key;
    memcpy(key.bytes, contract, sizeof key.bytes);
    return state_key_of(&key, ROW_HEADER, slice_of(NULL, 0));
}

struct header_record folding_header(const struct held *held)
{
    struct header_record header = {.kind = slice_text(held->contract.kind->name),
                                   .params = held->contract.params};
    memcpy(header.contract, held->contract.key.bytes, CONTRACT_KEY_BYTES);
    header_count(&header, &held->summary, &held->fingerprint);
    return header;
}

int folding_put_header(struct folding *self, const struct header_record *header, struct reason *why)
{
    struct state_key at = header_key(header->contract);
    return put_row(self, &at, &header_record_layout, header, why);
}

int folding_former_header(struct folding *self, const struct contract_key *contract,
                          struct header_record *header, struct reason *why)
{
    struct state_key at = header_key(contract->bytes);
    struct slice name = state_key_slice(&at);
    MDB_val key = val_of(name), value;
    int failed = mdb_cursor_get(self->cursor, &key, &value, MDB_SET);
    if (failed)
        return failed == MDB_NOTFOUND ? ERR_NOT_FOUND : db_failure(self->db, failed, "read", why);
    buffer_clear(&self->former);
    buffer_append_slice(&self->former, val_slice(&value));
    if (buffer_failed(&self->former))
        return fail(why, ERR_NO_MEMORY, "out of memory");
    return row_decode(&header_record_layout, name, buffer_slice(&self->former), header);
}
