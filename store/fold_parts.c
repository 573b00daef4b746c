/* A contract with more changes than one transaction takes is written in parts, in key order.
 *
 * Each part leaves a whole contract: its header counts what is there, as some of the changes make
 * it. A start after a crash merges the log's records into that again. This gives what they give
 * without a crash where a state is the greatest value of each key and nothing else. A kind that
 * settles looks at its entries together, and one with some of the changes need not be a state of
 * it: its contracts, which a cap keeps small, are written whole. */
#include "store/fold_state.h"

bool folding_takes_parts(const struct overlay_contract *contract)
{
    struct folding all = {.rows = 0};
    const struct overlay_entry *at = overlay_seek(contract, slice_of(NULL, 0), false);
    if (contract->held.contract.kind->settle)
        return false;
    for (; at && !folding_is_full(&all); at = overlay_following(at)) {
        all.rows++;
        all.bytes += at->key_bytes + at->value_bytes;
    }
    return at != NULL;
}

/* Takes what LMDB has of an entry off the summary. */
static int take_former(struct folding *self, const struct overlay_entry *entry,
                       struct summary *summary, struct reason *why)
{
    struct state_key at =
        state_key_of(&entry->owner->held.contract.key, ROW_ENTRY, overlay_key(entry));
    struct entry_record record;
    MDB_val key = val_of(state_key_slice(&at)), value;
    int failed = mdb_cursor_get(self->cursor, &key, &value, MDB_SET);
    if (failed && failed != MDB_NOTFOUND)
        return db_failure(self->db, failed, "read", why);
    if (failed)
        self->meta.entries++;
    else if (row_decode(&entry_record_layout, val_slice(&key), val_slice(&value), &record) == 0)
        summary_remove(summary, overlay_key(entry), record.value);
    return 0;
}

static int put_entries(struct folding *self, const struct overlay_entry **entry,
                       struct summary *summary, struct reason *why)
{
    int rc = 0;
    for (; rc == 0 && *entry && !folding_is_full(self); *entry = overlay_following(*entry)) {
        rc = take_former(self, *entry, summary, why);
        if (rc == 0)
            rc = folding_put_entry(self, *entry, why);
        summary_add(summary, overlay_key(*entry), overlay_value(*entry));
    }
    return rc;
}

int folding_put_part(struct folding *self, const struct overlay_contract *contract,
                     const struct overlay_entry **entry, bool *left, struct reason *why)
{
    struct header_record header, last = folding_header(&contract->held);
    struct summary here = {0};
    int rc = folding_former_header(self, &contract->held.contract.key, &header, why);
    if (rc && rc != ERR_NOT_FOUND)
        return rc;
    if (rc == 0)
        here = header_summary(&header);
    self->meta.contracts += rc == ERR_NOT_FOUND;
    if (!*entry)
        *entry = overlay_seek(contract, slice_of(NULL, 0), false);
    rc = put_entries(self, entry, &here, why);
    *left = *entry != NULL;
    if (rc)
        return rc;
    if (*left) {
        struct fingerprint print = summary_fingerprint(&here);
        header_count(&last, &here, &print);
    }
    return folding_put_header(self, &last, why);
}
