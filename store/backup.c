/* backup: a copy of a running store that a node can start on.
 *
 * The log's records are copied first, then LMDB's tables in one snapshot, then the records that the
 * snapshot does not have are merged into the copy. Whatever was folded and recycled meanwhile is in
 * the snapshot. The format file comes last: without it the copy is not taken for whole. */
#include "store/store_state.h"

#include "store/failure.h"
#include "store/files.h"

#include <unistd.h>

enum { COPY_TXN_BYTES = 16 << 20 };

struct backup {
    struct db_reader from;
    struct db *to;
    MDB_txn *txn; /* of the copy */
    MDB_cursor *cursor;
    uint64_t txn_bytes, bytes, all_bytes;
    progress_fn *progress;
    void *progress_self;
};

static int tell(const struct backup *self, struct reason *why)
{
    if (!self->progress || self->progress(self->progress_self, self->bytes, self->all_bytes))
        return 0;
    return fail(why, ERR_TIMEOUT, "the backup was stopped");
}

static int begin(struct backup *self, struct reason *why)
{
    self->txn_bytes = 0;
    int failed = mdb_txn_begin(self->to->env, NULL, 0, &self->txn);
    if (failed)
        return db_failure(self->to, failed, "write", why);
    failed = mdb_cursor_open(self->txn, self->to->state, &self->cursor);
    return failed ? db_failure(self->to, failed, "write", why) : 0;
}

static void drop(struct backup *self)
{
    if (self->cursor)
        mdb_cursor_close(self->cursor);
    if (self->txn)
        mdb_txn_abort(self->txn);
    self->cursor = NULL;
    self->txn = NULL;
}

static int commit(struct backup *self, struct reason *why)
{
    mdb_cursor_close(self->cursor);
    self->cursor = NULL;
    int failed = mdb_txn_commit(self->txn);
    self->txn = NULL;
    return failed ? db_failure(self->to, failed, "write", why) : 0;
}

/* Rows come in key order, so each goes behind the last: pages are filled, nothing is searched. */
static int copy_row(struct backup *self, struct entry row, struct reason *why)
{
    MDB_val key = val_of(row.key), value = val_of(row.value);
    int failed = mdb_cursor_put(self->cursor, &key, &value, MDB_APPEND);
    if (failed)
        return db_failure(self->to, failed, "write", why);
    self->bytes += row.key.size + row.value.size;
    self->txn_bytes += row.key.size + row.value.size;
    if (self->txn_bytes < COPY_TXN_BYTES)
        return 0;
    int rc = commit(self, why);
    if (rc == 0)
        rc = tell(self, why);
    return rc ? rc : begin(self, why);
}

static int copy_rows(struct backup *self, struct reason *why)
{
    const uint8_t first = 0;
    struct entry row;
    int rc = begin(self, why);
    if (rc == 0)
        rc = reader_row(&self->from, slice_of(&first, 1), true, &row, why);
    while (rc == 0) {
        rc = copy_row(self, row, why);
        if (rc == 0)
            rc = reader_following(&self->from, &row, why);
    }
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

static int copy_marks(struct backup *self, struct reason *why)
{
    struct marks marks = {0};
    int rc = marks_read(&marks, self->from.db, self->from.txn, why);
    if (rc == 0)
        rc = marks_write(&marks, self->to, self->txn, why);
    marks_free(&marks);
    return rc;
}

/* LMDB's part, with its position in the log. */
static int copy_tables(struct backup *self, struct reason *why)
{
    struct meta_record meta;
    int rc = db_read_meta(self->from.db, self->from.txn, &meta, why);
    if (rc == 0)
        rc = copy_rows(self, why);
    if (rc == 0)
        rc = db_write_meta(self->to, self->txn, &meta, why);
    if (rc == 0)
        rc = copy_marks(self, why);
    if (rc == 0)
        rc = commit(self, why);
    return rc;
}

/* Merges the log's part into the copy, which is closed by it. */
static int merge_log(struct db *to, const struct scan *scan, struct reason *why)
{
    struct store_options options = {.store_bytes_max = UINT64_MAX, .state_bytes_max = UINT64_MAX};
    struct fold_result folded = {0};
    store_t *store;
    int rc = store_begin(to, &options, &store, why);
    if (rc)
        return rc;
    rc = store_replay(store, scan, why); /* what is damaged is passed over, as at a start */
    if (rc == 0)
        rc = store_fold_now(store, &folded, why);
    if (rc == 0)
        rc = db_sync(to, why);
    store_close(&store);
    return rc;
}

static int copy_state(struct backup *self, const struct db *db, const char *to_dir,
                      struct reason *why)
{
    uint64_t used;
    int rc = reader_open(&self->from, db, why);
    if (rc == 0)
        rc = db_used(db, self->from.txn, &used, why);
    if (rc == 0) {
        self->all_bytes = used;
        rc = db_open(to_dir, DB_COPY, 2 * used + MAP_BYTES_FIRST, &self->to, why);
    }
    if (rc == 0) {
        self->to->salt = db->salt; /* the records to come are made with it */
        rc = copy_tables(self, why);
        drop(self);
    }
    reader_close(&self->from);
    return rc;
}

static int copy_all(struct backup *self, const struct db *db, const char *to_dir,
                    struct reason *why)
{
    struct scan scan = {.dir = db->log_dir, .salt = db->salt, .keep = true};
    struct meta_record meta;
    int rc = reader_open(&self->from, db, why);
    if (rc == 0)
        rc = db_read_meta(db, self->from.txn, &meta, why);
    reader_close(&self->from);
    scan.after = rc == 0 ? meta.folded_seq : 0;
    if (rc == 0)
        rc = scan_all(&scan, why);
    if (rc == 0)
        rc = copy_state(self, db, to_dir, why);
    if (rc == 0) {
        struct db *to = self->to;
        self->to = NULL;
        rc = merge_log(to, &scan, why);
    }
    db_close(&self->to);
    scan_free(&scan);
    return rc;
}

int db_backup(db_t *self, const char *to_dir, progress_fn *progress, void *progress_self,
              uint64_t *bytes, struct reason *why)
{
    struct backup backup = {.progress = progress, .progress_self = progress_self};
    int rc = dir_check_empty(to_dir, why);
    if (rc == 0)
        rc = dir_make(to_dir, why);
    if (rc == 0)
        rc = copy_all(&backup, self, to_dir, why);
    if (rc == 0)
        rc = format_write(to_dir, why);
    if (rc)
        return rc;
    backup.all_bytes = backup.bytes;
    *bytes = backup.bytes;
    return tell(&backup, why);
}
