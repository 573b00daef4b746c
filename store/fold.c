/* The checkpoint thread's side of a fold: the frozen overlay is written into LMDB.
 *
 * A fold is written in several transactions (folding_is_full). Each leaves whole contracts with
 * their counts; the position in the log moves with the last. A crash between two of them leaves
 * entries that the log's records are merged into again, as always; of a contract that was dropped,
 * a rest that the log's drop hides again; and of a large one, some of what changed. */
#include "store/fold_state.h"

#include "store/failure.h"
#include "store/files.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

enum { TXN_ROWS = 4096, TXN_BYTES = 1 << 20 };

bool folding_is_full(const struct folding *self)
{
    return self->rows >= TXN_ROWS || self->bytes >= TXN_BYTES;
}

static int by_key(const void *a, const void *b)
{
    const struct overlay_contract *x = *(struct overlay_contract *const *)a;
    const struct overlay_contract *y = *(struct overlay_contract *const *)b;
    return memcmp(x->held.contract.key.bytes, y->held.contract.key.bytes, CONTRACT_KEY_BYTES);
}

static int put_contract(struct folding *self, const struct overlay_contract *contract,
                        struct reason *why)
{
    struct header_record header = folding_header(&contract->held);
    int rc = folding_put_header(self, &header, why);
    const struct overlay_entry *at = overlay_seek(contract, slice_of(NULL, 0), false);
    for (; rc == 0 && at; at = overlay_following(at))
        rc = folding_put_entry(self, at, why);
    self->meta.contracts += contract->is_new;
    self->meta.entries += contract->held.summary.count - contract->base_count;
    return rc;
}

/* Writes a contract, or a part of it: *left. */
static int fold_contract(struct folding *self, const struct overlay_contract *contract,
                         const struct overlay_entry **entry, bool *left, struct reason *why)
{
    int rc = 0;
    *left = false;
    if (contract->over && !*entry)
        rc = folding_drop_contract(self, &contract->held.contract.key, left, why);
    if (rc || *left || contract->gone)
        return rc;
    if (*entry || folding_takes_parts(contract))
        rc = folding_put_part(self, contract, entry, left, why);
    else
        return put_contract(self, contract, why);
    return rc == ERR_DAMAGED && !*entry ? put_contract(self, contract, why) : rc;
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

/* Writes contracts from there on until the transaction is full; it is not committed yet. */
static int write_part(struct folding *self, const fold_t *fold, struct fold_place *next,
                      struct fold_result *result, struct reason *why)
{
    int failed = mdb_cursor_open(self->txn, self->db->state, &self->cursor);
    if (failed)
        return db_failure(self->db, failed, "write", why);
    int rc = db_read_meta(self->db, self->txn, &self->meta, why);
    bool left = false;
    while (rc == 0 && next->contract < fold->overlay->contracts.count && !folding_is_full(self)) {
        rc = fold_contract(self, fold->order[next->contract], &next->entry, &left, why);
        next->contract += !left;
    }
    mdb_cursor_close(self->cursor);
    if (next->contract == fold->overlay->contracts.count) {
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
    struct fold_place next = self->next;
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
    self->next = next;
    self->rows += folding.rows;
    return 0;
}

int fold_run(fold_t *self, struct fold_result *result, struct reason *why)
{
    struct fold_result done = {.seq = self->seq};
    int rc = sort_contracts(self, why);
    do
        rc = rc ? rc : commit_part(self, &done, why);
    while (rc == 0 && self->next.contract < self->overlay->contracts.count);
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
