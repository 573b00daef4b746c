/* What LMDB has of a contract that was dropped goes, some rows a transaction. */
#include "store/fold_state.h"

/* Removes the contract's first entry, and takes it off the summary. ERR_NOT_FOUND: there is none.
 */
static int drop_first(struct folding *self, const struct contract_key *contract,
                      struct summary *summary, struct reason *why)
{
    struct state_key at = state_key_of(contract, ROW_ENTRY, slice_of(NULL, 0));
    struct entry_record record;
    MDB_val key = val_of(state_key_slice(&at)), value;
    int failed = mdb_cursor_get(self->cursor, &key, &value, MDB_SET_RANGE);
    if (failed == MDB_NOTFOUND || (!failed && !state_key_is_entry(val_slice(&key), contract)))
        return ERR_NOT_FOUND;
    if (failed)
        return db_failure(self->db, failed, "read", why);
    struct slice name = val_slice(&key);
    if (row_decode(&entry_record_layout, name, val_slice(&value), &record) == 0)
        summary_remove(summary, state_key_entry(name), record.value);
    failed = mdb_cursor_del(self->cursor, 0);
    if (failed)
        return db_failure(self->db, failed, "write", why);
    self->rows++;
    self->meta.entries--;
    return 0;
}

/* Says in the header what is left, so that a crash after this transaction leaves a smaller
 * contract, and a whole one. */
static int put_rest(struct folding *self, struct header_record *header, const struct summary *rest,
                    struct reason *why)
{
    struct fingerprint print = summary_fingerprint(rest);
    header_count(header, rest, &print);
    return folding_put_header(self, header, why);
}

int folding_drop_contract(struct folding *self, const struct contract_key *contract, bool *left,
                          struct reason *why)
{
    struct state_key at = state_key_of(contract, ROW_HEADER, slice_of(NULL, 0));
    struct header_record header;
    struct summary rest = {0};
    int rc = 0, known = folding_former_header(self, contract, &header, why);
    *left = false;
    if (known == ERR_NOT_FOUND)
        return 0;
    if (known && known != ERR_DAMAGED)
        return known;
    if (known == 0)
        rest = header_summary(&header);
    while (rc == 0 && !folding_is_full(self))
        rc = drop_first(self, contract, &rest, why);
    *left = rc == 0;
    if (rc == 0)
        return known ? 0 : put_rest(self, &header, &rest, why);
    if (rc != ERR_NOT_FOUND)
        return rc;
    self->rows++;
    self->meta.contracts--;
    return folding_drop_row(self, &at, why);
}
