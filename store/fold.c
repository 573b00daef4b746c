#include "store/store_state.h"

#include "store/failure.h"
#include "store/files.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

/* A fold copies the pages it touches: small entries all over the table cost a page each. */
enum { MAP_FOLD_FACTOR = 8, MAP_SPARE_BYTES = 64 << 20 };
enum { TXN_ROWS = 4096, QUIET_BYTES = 64 << 10 };

/* --- the storage thread's side ------------------------------------------------------------------
 */

bool store_foldable(const store_t *self)
{
    return !self->lent && (self->fold || self->live->contracts.count > 0);
}

/* Grows the map when the fold could run short of it. False: it must grow and cannot now. */
static bool grow_map(store_t *self, size_t fold_bytes, bool needed)
{
    uint64_t map = db_map(self->db), high = db_high(self->db);
    uint64_t wanted = (uint64_t)MAP_FOLD_FACTOR * fold_bytes + MAP_SPARE_BYTES;
    if (!needed && map - high >= wanted)
        return true;
    /* What the wish reserves is ample; only a map that proved too small must wait for readers. */
    if (self->jobs || self->map_held)
        return !needed;
    self->found_valid = false;
    reader_release(&self->reader);
    do
        map *= 2;
    while (map - high < wanted);
    return db_grow(self->db, map, NULL) == 0 || !needed;
}

static struct fold *new_fold(const store_t *self)
{
    struct fold *fold = (struct fold *)calloc(1, sizeof *fold);
    if (fold)
        *fold = (struct fold){.db = self->db, .overlay = self->live, .seq = self->last_seq};
    return fold;
}

fold_t *store_freeze(store_t *self)
{
    if (!store_foldable(self) ||
        !grow_map(self, store_unfolded_bytes(self), self->fold && self->fold->map_full))
        return NULL;
    if (!self->fold) {
        struct overlay *live = overlay_new(self->live->seed);
        struct fold *fold = live ? new_fold(self) : NULL;
        if (!fold) {
            overlay_destroy(&live);
            return NULL;
        }
        self->fold = fold;
        self->live = live;
        self->list_valid = false;
    }
    self->fold->map_full = false;
    self->lent = true;
    return self->fold;
}

void store_thaw(store_t *self, fold_t *fold, bool done, const struct fold_result *result)
{
    self->lent = false;
    if (!done)
        return;
    self->fold = NULL;
    /* Under load the next moment would need the memory again. */
    if (self->live->bytes < QUIET_BYTES)
        fold->trim_path = strdup(self->db->path); /* NULL: the next fold trims */
    self->folded_seq = result->seq;
    self->used_bytes = result->used_bytes;
    self->found_valid = false;
    self->list_valid = false;
    reader_release(&self->reader);
}

/* --- the checkpoint thread's side ---------------------------------------------------------------
 *
 * A fold is written in several transactions, since LMDB keeps the memory of the most pages that one
 * ever touched. Each leaves whole contracts with their counts; the position in the log moves with
 * the last. A crash between two of them leaves entries that the log's records are merged into
 * again, as always.
 */

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
    struct buffer row; /* reused */
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

static int drop_entry(struct folding *self, const struct state_key *at, struct reason *why)
{
    MDB_val key = val_of(state_key_slice(at)), value;
    int failed = mdb_cursor_get(self->cursor, &key, &value, MDB_SET);
    if (!failed)
        failed = mdb_cursor_del(self->cursor, 0);
    return failed && failed != MDB_NOTFOUND ? db_failure(self->db, failed, "write", why) : 0;
}

static int put_entry(struct folding *self, const struct overlay_entry *entry, struct reason *why)
{
    struct state_key at =
        state_key_of(&entry->owner->held.contract.key, ROW_ENTRY, overlay_key(entry));
    if (!entry->value)
        return drop_entry(self, &at, why);
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
    while (rc == 0 && *next < fold->overlay->contracts.count && self->rows < TXN_ROWS)
        rc = put_contract(self, fold->order[(*next)++], why);
    mdb_cursor_close(self->cursor);
    if (*next == fold->overlay->contracts.count)
        self->meta.folded_seq = fold->seq;
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
    free(fold);
}

int store_fold_now(store_t *self, struct fold_result *result, struct reason *why)
{
    int rc = 0;
    while (rc == 0 && store_foldable(self)) {
        fold_t *fold = store_freeze(self);
        if (!fold)
            return fail(why, ERR_NO_MEMORY, "the fold into %s could not start", self->db->path);
        rc = fold_run(fold, result, why);
        store_thaw(self, fold, rc == 0, result);
        if (rc == 0)
            fold_destroy(&fold);
        else if (rc == ERR_AGAIN)
            rc = 0;
    }
    return rc;
}
