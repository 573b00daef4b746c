/* The checkpoint thread's side of a fold: the frozen overlay is written into LMDB.
 *
 * A fold is written in several transactions, since LMDB keeps the memory of the most pages that one
 * ever touched. Each leaves whole contracts with their counts; the position in the log moves with
 * the last. A crash between two of them leaves entries that the log's records are merged into
 * again, as always; and of a contract that was dropped, a rest that the log's drop hides again. */
#include "store/store_state.h"

#include "store/failure.h"
#include "store/files.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

enum { TXN_ROWS = 4096 };

static int by_key(const void *a, const void *b)
{
    const struct overlay_contract *x = *(struct overlay_contract *const *)a;
    const struct overlay_contract *y = *(struct overlay_contract *const *)b;
    return memcmp(x->held.contract.key.bytes, y->held.contract.key.bytes, CONTRACT_KEY_BYTES);
}

/* One transaction of a fold. */
struct folding {
    const struct db *db;
    MDB_txn *txn;
    MDB_cursor *cursor;
    struct meta_record meta;
    struct buffer row, former; /* reused */
    size_t rows;
};

static int put_row(struct folding *self, const struct state_key *at, const struct layout *layout,
                   const void *record, struct reason *why)
{
    struct slice name = state_key_slice(at);
    buffer_clear(&self->row);
    int rc = row_encode(layout, record, name, &self->row);
    if (rc)
        return fail(why, rc, "no row could be made for %s", self->db->path);
    self->rows++;
    MDB_val key = val_of(name), value = val_of(buffer_slice(&self->row));
    int failed = mdb_cursor_put(self->cursor, &key, &value, 0);
    return failed ? db_failure(self->db, failed, "write", why) : 0;
}

static int put_header(struct folding *self, const struct held *held, struct reason *why)
{
    struct state_key at = state_key_of(&held->contract.key, ROW_HEADER, slice_of(NULL, 0));
    struct header_record record = {.kind = slice_text(held->contract.kind->name),
                                   .params = held->contract.params,
                                   .count = held->summary.count,
                                   .state_bytes = held->summary.state_bytes};
    memcpy(record.contract, held->contract.key.bytes, CONTRACT_KEY_BYTES);
    summary_sum_write(&held->summary, record.sum);
    memcpy(record.fingerprint, held->fingerprint.bytes, FINGERPRINT_BYTES);
    return put_row(self, &at, &header_record_layout, &record, why);
}

static int drop_row(struct folding *self, const struct state_key *at, struct reason *why)
{
    MDB_val key = val_of(state_key_slice(at)), value;
    int failed = mdb_cursor_get(self->cursor, &key, &value, MDB_SET);
    if (!failed)
        failed = mdb_cursor_del(self->cursor, 0);
    return failed && failed != MDB_NOTFOUND ? db_failure(self->db, failed, "write", why) : 0;
}

/* --- what a drop leaves in LMDB --- */

/* The header of a contract that goes. It is copied, since rows move when others go. ERR_NOT_FOUND;
 * ERR_DAMAGED: it is there, and its entries cannot be counted. */
static int former_header(struct folding *self, const struct state_key *at,
                         struct header_record *header, struct reason *why)
{
    struct slice name = state_key_slice(at);
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
static int put_rest(struct folding *self, const struct state_key *at, struct header_record *header,
                    const struct summary *rest, struct reason *why)
{
    struct fingerprint print = summary_fingerprint(rest);
    header->count = rest->count;
    header->state_bytes = rest->state_bytes;
    summary_sum_write(rest, header->sum);
    memcpy(header->fingerprint, print.bytes, FINGERPRINT_BYTES);
    return put_row(self, at, &header_record_layout, header, why);
}

/* Removes what LMDB has of a contract that was dropped: its entries, then its header. *left: the
 * transaction is large enough and there is more. */
static int drop_rows(struct folding *self, const struct contract_key *contract, bool *left,
                     struct reason *why)
{
    struct state_key at = state_key_of(contract, ROW_HEADER, slice_of(NULL, 0));
    struct header_record header;
    int rc = 0, known = former_header(self, &at, &header, why);
    *left = false;
    if (known == ERR_NOT_FOUND)
        return 0;
    if (known && known != ERR_DAMAGED)
        return known;
    struct summary rest = {.count = known ? 0 : header.count,
                           .state_bytes = known ? 0 : header.state_bytes};
    if (known == 0)
        summary_sum_read(&rest, header.sum);
    while (rc == 0 && self->rows < TXN_ROWS)
        rc = drop_first(self, contract, &rest, why);
    *left = rc == 0;
    if (rc == 0)
        return known ? 0 : put_rest(self, &at, &header, &rest, why);
    if (rc != ERR_NOT_FOUND)
        return rc;
    self->rows++;
    self->meta.contracts--;
    return drop_row(self, &at, why);
}

static int put_entry(struct folding *self, const struct overlay_entry *entry, struct reason *why)
{
    struct state_key at =
        state_key_of(&entry->owner->held.contract.key, ROW_ENTRY, overlay_key(entry));
    if (!entry->value)
        return drop_row(self, &at, why);
    struct entry_record record = {.value = overlay_value(entry)};
    return put_row(self, &at, &entry_record_layout, &record, why);
}

static int put_contract(struct folding *self, const struct overlay_contract *contract,
                        struct reason *why)
{
    int rc = put_header(self, &contract->held, why);
    const struct overlay_entry *at = overlay_seek(contract, slice_of(NULL, 0), false);
    for (; rc == 0 && at; at = overlay_following(at))
        rc = put_entry(self, at, why);
    self->meta.contracts += contract->is_new;
    self->meta.entries += contract->held.summary.count - contract->base_count;
    return rc;
}

/* Writes a contract, or begins to: *left. */
static int fold_contract(struct folding *self, const struct overlay_contract *contract, bool *left,
                         struct reason *why)
{
    int rc = 0;
    *left = false;
    if (contract->over)
        rc = drop_rows(self, &contract->held.contract.key, left, why);
    return rc || *left || contract->gone ? rc : put_contract(self, contract, why);
}

/* Puts the contracts in table order, so that pages are touched one after the other. */
static int sort_contracts(fold_t *self, struct reason *why)
{
    size_t count = self->overlay->contracts.count;
    if (self->order)
        return 0;
    self->order =
        (struct overlay_contract **)malloc((count + 1) * sizeof(struct overlay_contract *));
    if (!self->order)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    if (count)
        memcpy(self->order, self->overlay->list, count * sizeof(struct overlay_contract *));
    qsort(self->order, count, sizeof(struct overlay_contract *), by_key);
    return 0;
}

/* Writes contracts from *next on until the transaction is large enough; it is not committed yet. */
static int write_part(struct folding *self, const fold_t *fold, size_t *next,
                      struct fold_result *result, struct reason *why)
{
    int failed = mdb_cursor_open(self->txn, self->db->state, &self->cursor);
    if (failed)
        return db_failure(self->db, failed, "write", why);
    int rc = db_read_meta(self->db, self->txn, &self->meta, why);
    bool left = false;
    while (rc == 0 && *next < fold->overlay->contracts.count && self->rows < TXN_ROWS) {
        rc = fold_contract(self, fold->order[*next], &left, why);
        *next += !left;
    }
    mdb_cursor_close(self->cursor);
    if (*next == fold->overlay->contracts.count) {
        self->meta.folded_seq = fold->seq;
        if (rc == 0 && fold->marks.changed)
            rc = marks_write(&fold->marks, self->db, self->txn, why);
    }
    if (rc == 0)
        rc = db_write_meta(self->db, self->txn, &self->meta, why);
    return rc ? rc : db_used(self->db, self->txn, &result->used_bytes, why);
}

/* LMDB reports a write that the full disk cut short as EIO. */
static int commit_failure(const struct db *db, int code, struct reason *why)
{
    bool full = code == EIO && disk_free(db->dir) < DISK_RESERVE_BYTES;
    return db_failure(db, full ? ENOSPC : code, "write", why);
}

static int commit_part(fold_t *self, struct fold_result *result, struct reason *why)
{
    struct folding folding = {.db = self->db};
    size_t next = self->written;
    int failed = mdb_txn_begin(self->db->env, NULL, 0, &folding.txn);
    if (failed)
        return db_failure(self->db, failed, "write", why);
    int rc = write_part(&folding, self, &next, result, why);
    buffer_free(&folding.row);
    buffer_free(&folding.former);
    if (rc)
        mdb_txn_abort(folding.txn);
    else if ((failed = mdb_txn_commit(folding.txn)))
        rc = commit_failure(self->db, failed, why);
    if (rc)
        return rc;
    self->written = next;
    self->rows += folding.rows;
    return 0;
}

int fold_run(fold_t *self, struct fold_result *result, struct reason *why)
{
    struct fold_result done = {.seq = self->seq};
    int rc = sort_contracts(self, why);
    do
        rc = rc ? rc : commit_part(self, &done, why);
    while (rc == 0 && self->written < self->overlay->contracts.count);
    self->map_full = rc == ERR_AGAIN;
    if (rc)
        return rc;
    done.entries = self->rows;
    *result = done;
    return 0;
}

void fold_destroy(fold_t **self)
{
    struct fold *fold = *self;
    if (!fold)
        return;
    *self = NULL;
    overlay_destroy(&fold->overlay);
    if (fold->trim_path) {
        map_trim(fold->trim_path);
        (void)malloc_trim(0);
    }
    free(fold->trim_path);
    free(fold->order);
    marks_free(&fold->marks);
    free(fold);
}
