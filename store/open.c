/* open: from a directory to a running store, and back. */
#include "store/store_state.h"

#include "store/failure.h"
#include "store/files.h"
#include "store/note.h"
#include "store/repair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* So many segments full of unfolded records are folded before the node starts: the log must have
 * room, however often a node was killed young. */
enum { SEGMENTS_TO_FOLD = LOG_SEGMENTS_MAX / 2 };

/* LMDB's file has fewer before anything is folded. */
enum { FIRST_START_PAGES = 16 };

static int read_counts(store_t *self, struct reason *why)
{
    struct meta_record meta;
    int rc = reader_open(&self->reader, self->db, why);
    if (rc == 0)
        rc = db_read_meta(self->db, self->reader.txn, &meta, why);
    if (rc == 0)
        rc = marks_read(&self->marks, self->db, self->reader.txn, why);
    if (rc == 0)
        rc = db_used(self->db, self->reader.txn, &self->used_bytes, why);
    if (rc)
        return rc;
    self->contracts = meta.contracts;
    self->entries = meta.entries;
    self->last_seq = self->folded_seq = meta.folded_seq;
    return 0;
}

int store_begin(struct db *db, const struct store_options *options, store_t **store,
                struct reason *why)
{
    store_t *self = (store_t *)calloc(1, sizeof *self);
    if (!self) {
        db_close(&db);
        return fail(why, ERR_NO_MEMORY, "out of memory");
    }
    self->options = *options;
    self->options.data_dir = NULL; /* the caller's; db->dir is ours */
    self->lock = -1;
    self->db = db;
    self->live = overlay_new(db->salt);
    int rc = self->live ? read_counts(self, why) : fail(why, ERR_NO_MEMORY, "out of memory");
    if (rc)
        store_close(&self);
    else
        *store = self;
    return rc;
}

/* What is left as it should be is noted, for the next start. */
static void close_file(store_t *self)
{
    bool doubted = atomic_load(self->db->doubted);
    char *dir = self->db->dir;
    self->db->dir = NULL;
    db_close(&self->db);
    if (doubted)
        note_forget(dir);
    else if (self->lock >= 0)
        note_write(dir);
    free(dir);
}

void store_close(store_t **self)
{
    store_t *store = *self;
    if (!store)
        return;
    *self = NULL;
    fold_destroy(&store->fold);
    overlay_destroy(&store->live);
    reader_close(&store->reader);
    log_close(&store->log);
    close_file(store);
    merge_free(&store->merge);
    buffer_free(&store->delta);
    buffer_free(&store->edit);
    free(store->list);
    marks_free(&store->marks);
    if (store->lock >= 0)
        (void)close(store->lock);
    free(store);
}

/* The contracts of acknowledged records that are broken, as far as those tell whose they were. */
static int mark_lost(store_t *self, const struct scan *scan, struct reason *why)
{
    const struct held *held;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < scan->broken_count; i++) {
        const struct broken_record *broken = &scan->broken[i];
        if (scan_is_lost(scan, scan->after, broken->seq) &&
            store_find(self, &broken->contract, &held, NULL) == 0)
            rc = marks_add(&self->marks, &broken->contract, why);
    }
    return rc;
}

/* What the log holds beyond LMDB. */
static int replay(store_t *self, const struct scan *scan, struct reason *why)
{
    int rc = store_replay(self, scan, why);
    if (rc == 0)
        rc = mark_lost(self, scan, why);
    self->damaged += scan_lost(scan, scan->after, UINT64_MAX);
    self->unnamed = self->damaged ? scan->broken_more : 0;
    if (scan->last > self->last_seq)
        self->last_seq = scan->last;
    return rc;
}

static int fold_log(store_t *self, struct reason *why)
{
    struct fold_result folded = {0};
    int rc = store_fold_now(self, &folded, why);
    if (rc == 0)
        log_recycle(self->log, folded.seq);
    return rc;
}

static int open_log(store_t *self, struct reason *why)
{
    struct scan scan = {
        .dir = self->db->log_dir, .salt = self->db->salt, .after = self->folded_seq, .keep = true};
    uint64_t segment_bytes =
        self->options.log_segment_bytes ? self->options.log_segment_bytes : LOG_SEGMENT_BYTES;
    size_t segments;
    int rc = log_open(&scan, segment_bytes, &self->log, why);
    if (rc == 0)
        rc = replay(self, &scan, why);
    scan_free(&scan);
    if (rc)
        return rc;
    self->db->log = self->log;
    log_start(self->log, self->last_seq + 1);
    (void)log_held(self->log, self->folded_seq, &segments);
    rc = segments >= SEGMENTS_TO_FOLD ? fold_log(self, why) : 0;
    if (rc == 0)
        rc = log_ready(self->log, why);
    return rc == ERR_STORE_FULL ? 0 : rc; /* what there is can still be read */
}

/* Has the log a segment? Then LMDB's file was made, and synced, before it. */
static int find_segments(const char *dir, bool *found, struct reason *why)
{
    uint64_t size;
    struct segment_list list = {.count = 0};
    char *path = path_join(dir, LOG_DIR);
    if (!path)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    int rc = file_size(path, found, &size, why);
    if (rc == 0 && *found)
        rc = segment_list(path, &list, why);
    *found = list.count > 0;
    free(path);
    return rc;
}

/* A damaged file is repaired before LMDB maps it. One that is as the last clean stop left it is not
 * looked at. */
static int examine(const char *dir, struct reason *damage, struct reason *why)
{
    bool found;
    uint64_t size, marked;
    char *path = path_join(dir, STATE_FILE);
    if (!path)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    int rc = file_size(path, &found, &size, why);
    bool as_left = note_fits(dir);
    note_forget(dir); /* it is good for one start: should that end badly, the next one looks */
    if (rc == 0 && found && size > 0 && !as_left)
        rc = repair_if_damaged(dir, &marked, damage, why);
    free(path);
    return rc;
}

static int set_aside(const char *dir, const char *path, struct reason *why)
{
    char *aside = path_join(dir, STATE_ASIDE_FILE);
    int rc = aside ? 0 : fail(why, ERR_NO_MEMORY, "out of memory");
    if (rc == 0 && rename(path, aside))
        rc = store_failure(why, errno, "set aside", path);
    free(aside);
    return rc;
}

/* A first start that was cut short leaves a small file that may be anything, without a format file
 * and without a segment of the log: nothing was told to anyone, it is set aside and made anew. A
 * larger one is no first start's: a backup that was not finished, say. Behind a format file, a file
 * that is missing or empty is what damage leaves. */
static int check_state_file(const char *dir, bool formatted, struct reason *why)
{
    bool found, segments;
    uint64_t size;
    char *path = path_join(dir, STATE_FILE);
    if (!path)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    int rc = file_size(path, &found, &size, why);
    if (rc == 0 && formatted && !found)
        rc = fail(why, ERR_DAMAGED, "%s is missing; restore it from a backup", path);
    bool small = size <= FIRST_START_PAGES * (uint64_t)sysconf(_SC_PAGESIZE);
    if (rc == 0 && !formatted && found)
        rc = find_segments(dir, &segments, why);
    if (rc == 0 && !formatted && found && !segments)
        rc = small ? set_aside(dir, path, why)
                   : fail(why, ERR_DAMAGED,
                          "%s stands alone, without what else a node's data has: a backup that was "
                          "not finished? Choose another folder, or a whole backup",
                          path);
    free(path);
    return rc;
}

static int open_locked(const struct store_options *options, uint64_t map_bytes, int lock,
                       store_t **store, struct reason *why)
{
    struct db *db;
    unsigned format;
    struct reason damage = {{0}};
    int rc = format_read(options->data_dir, &format, why);
    if (rc == 0)
        rc = check_state_file(options->data_dir, format > 0, why);
    if (rc == 0)
        rc = examine(options->data_dir, &damage, why);
    if (rc == 0)
        rc = db_open(options->data_dir, DB_NODE, map_bytes, &db, why);
    if (rc == 0)
        rc = store_begin(db, options, store, why);
    if (rc)
        return rc;
    (*store)->repaired = damage;
    rc = open_log(*store, why);
    if (rc == 0 && format < FORMAT_VERSION) /* new, or older and not so any more */
        rc = format_write(options->data_dir, why);
    if (rc)
        store_close(store);
    else
        (*store)->lock = lock;
    return rc;
}

int store_open_mapped(const struct store_options *options, uint64_t map_bytes, store_t **store,
                      struct reason *why)
{
    store_t *opened = NULL;
    unsigned format;
    int lock, rc = format_read(options->data_dir, &format, why); /* before all else */
    if (rc == 0)
        rc = dir_make(options->data_dir, why);
    if (rc == 0)
        rc = lock_take(options->data_dir, true, &lock, why);
    if (rc)
        return rc;
    rc = open_locked(options, map_bytes, lock, &opened, why);
    if (rc)
        (void)close(lock);
    else
        *store = opened;
    return rc;
}

int store_open(const struct store_options *options, store_t **store, struct reason *why)
{
    return store_open_mapped(options, MAP_BYTES_FIRST, store, why);
}
