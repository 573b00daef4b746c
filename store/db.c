#include "store/db.h"

#include "store/failure.h"
#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

enum { TABLES = 2, MAP_STEP_BYTES = 1 << 20 };
enum { LOCK_FILE_BYTES = 16 << 10 }; /* more than LMDB's 126 readers need, of 64 bytes each */

int db_failure(const struct db *self, int code, const char *doing, struct reason *why)
{
    int rc = store_failure(why, code, doing, self->path);
    if (rc == ERR_DAMAGED)
        db_doubt(self);
    return rc;
}

/* --- the meta record --------------------------------------------------------------------- */

int db_read_meta(const struct db *self, MDB_txn *txn, struct meta_record *meta, struct reason *why)
{
    struct slice name = slice_text(meta_key);
    MDB_val key = val_of(name), value;
    int failed = mdb_get(txn, self->meta, &key, &value);
    if (failed == MDB_NOTFOUND)
        return fail(why, ERR_DAMAGED, "%s has no meta record; restore it from a backup",
                    self->path);
    if (failed)
        return db_failure(self, failed, "read", why);
    if (row_decode(&meta_record_layout, name, val_slice(&value), meta))
        return fail(why, ERR_DAMAGED, "the meta record of %s is damaged; restore it from a backup",
                    self->path);
    if (meta->format > FORMAT_VERSION)
        return fail(why, ERR_NEWER_FORMAT,
                    "%s has data format %" PRIu32 ", this weir knows formats up to %d; use the "
                    "newer weir",
                    self->path, meta->format, FORMAT_VERSION);
    return 0;
}

int db_write_meta(const struct db *self, MDB_txn *txn, struct meta_record *meta, struct reason *why)
{
    struct slice name = slice_text(meta_key);
    struct buffer row = {0};
    meta->format = FORMAT_VERSION;
    meta->salt = self->salt;
    int rc = row_encode(&meta_record_layout, meta, name, &row);
    if (rc == 0) {
        MDB_val key = val_of(name), value = val_of(buffer_slice(&row));
        int failed = mdb_put(txn, self->meta, &key, &value, 0);
        rc = failed ? db_failure(self, failed, "write", why) : 0;
    }
    buffer_free(&row);
    return rc;
}

/* --- opening ----------------------------------------------------------------------------- */

static int open_tables(struct db *self, MDB_txn *txn, unsigned flags, struct reason *why)
{
    int failed = mdb_dbi_open(txn, "state", flags, &self->state);
    if (!failed)
        failed = mdb_dbi_open(txn, "meta", flags, &self->meta);
    if (failed == MDB_NOTFOUND)
        return fail(why, ERR_DAMAGED, "%s is not data of weir; restore it from a backup",
                    self->path);
    return failed ? db_failure(self, failed, "open", why) : 0;
}

/* A file that is shorter than what its pages say would end the process by a signal later. */
static int check_length(const struct db *self, struct reason *why)
{
    bool found;
    uint64_t size;
    int rc = file_size(self->path, &found, &size, why);
    if (rc == 0 && size < db_high(self))
        rc = fail(why, ERR_DAMAGED,
                  "%s is cut short (%" PRIu64 " of %" PRIu64 " bytes); restore "
                  "it from a backup",
                  self->path, size, db_high(self));
    return rc;
}

static int begin_data(struct db *self, MDB_txn *txn, struct reason *why)
{
    struct meta_record meta = {0};
    if (getrandom(&self->salt, sizeof self->salt, 0) != (ssize_t)sizeof self->salt)
        return fail(why, ERR_IO, "the system gives no random bytes");
    return db_write_meta(self, txn, &meta, why);
}

static int open_data(struct db *self, bool make, bool read_only, struct reason *why)
{
    MDB_txn *txn;
    struct meta_record meta = {0};
    int failed = mdb_txn_begin(self->env, NULL, read_only ? MDB_RDONLY : 0, &txn);
    if (failed)
        return db_failure(self, failed, "open", why);
    int rc = open_tables(self, txn, make ? MDB_CREATE : 0, why);
    if (rc == 0)
        rc = make ? begin_data(self, txn, why) : db_read_meta(self, txn, &meta, why);
    if (rc == 0 && !make)
        self->salt = meta.salt;
    if (rc) {
        mdb_txn_abort(txn);
        return rc;
    }
    failed = mdb_txn_commit(txn);
    return failed ? db_failure(self, failed, "open", why) : 0;
}

/* LMDB writes to its lock file through a map: where a full disk had no place for the page, that
 * would end the process by a signal. */
static int reserve_lock(const struct db *self, struct reason *why)
{
    char *path = path_join(self->dir, STATE_LOCK_FILE);
    if (!path)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int failed = fd < 0 ? errno : file_reserve(fd, LOCK_FILE_BYTES);
    int rc = failed ? store_failure(why, failed, fd < 0 ? "open" : "make room for", path) : 0;
    if (fd >= 0)
        (void)close(fd);
    free(path);
    return rc;
}

static int try_env(struct db *self, unsigned flags, uint64_t map_bytes)
{
    int failed = mdb_env_create(&self->env);
    if (!failed)
        failed = mdb_env_set_maxdbs(self->env, TABLES);
    if (!failed)
        failed = mdb_env_set_mapsize(self->env, map_bytes);
    if (!failed)
        failed = mdb_env_open(self->env, self->path,
                              flags | MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD, 0600);
    if (failed == EINTR) { /* of its first read, which it does not repeat */
        mdb_env_close(self->env);
        self->env = NULL;
    }
    return failed;
}

static int open_env(struct db *self, unsigned flags, uint64_t map_bytes, struct reason *why)
{
    int failed, rc = flags & MDB_NOLOCK ? 0 : reserve_lock(self, why);
    if (rc)
        return rc;
    do
        failed = try_env(self, flags, map_bytes);
    while (failed == EINTR);
    return failed ? db_failure(self, failed, "open", why) : check_length(self, why);
}

static int open_file(struct db *self, enum db_mode mode, uint64_t map_bytes, struct reason *why)
{
    bool found;
    uint64_t size;
    unsigned flags = mode == DB_CHECK ? MDB_RDONLY | MDB_NOLOCK : mode == DB_COPY ? MDB_NOSYNC : 0;
    int rc = file_size(self->path, &found, &size, why);
    if (rc)
        return rc;
    if (!found && mode == DB_CHECK)
        return fail(why, ERR_NOT_FOUND, "there is no %s", self->path);
    if (found && size == 0)
        return fail(why, ERR_DAMAGED, "%s is empty; restore it from a backup", self->path);
    while (map_bytes < size + MAP_STEP_BYTES)
        map_bytes *= 2;
    rc = open_env(self, flags, map_bytes, why);
    return rc ? rc : open_data(self, !found, mode == DB_CHECK, why);
}

int db_open(const char *dir, enum db_mode mode, uint64_t map_bytes, struct db **db,
            struct reason *why)
{
    struct db *self = (struct db *)calloc(1, sizeof *self);
    if (!self)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    self->dir = strdup(dir);
    self->path = path_join(dir, STATE_FILE);
    self->log_dir = path_join(dir, LOG_DIR);
    self->doubted = (atomic_bool *)calloc(1, sizeof *self->doubted);
    bool made = self->dir && self->path && self->log_dir && self->doubted;
    int rc =
        made ? open_file(self, mode, map_bytes, why) : fail(why, ERR_NO_MEMORY, "out of memory");
    if (rc) {
        db_close(&self);
        return rc;
    }
    *db = self;
    return 0;
}

void db_close(struct db **self)
{
    struct db *db = *self;
    if (!db)
        return;
    *self = NULL;
    if (db->env)
        mdb_env_close(db->env);
    free(db->dir);
    free(db->path);
    free(db->log_dir);
    free(db->doubted);
    free(db);
}

int db_sync(struct db *self, struct reason *why)
{
    int failed = mdb_env_sync(self->env, 1);
    return failed ? db_failure(self, failed, "sync", why) : 0;
}

/* --- sizes ------------------------------------------------------------------------------- */

uint64_t db_map(const struct db *self)
{
    MDB_envinfo info;
    return mdb_env_info(self->env, &info) ? 0 : info.me_mapsize;
}

uint64_t db_high(const struct db *self)
{
    MDB_envinfo info;
    MDB_stat stat;
    if (mdb_env_info(self->env, &info) || mdb_env_stat(self->env, &stat))
        return 0;
    return (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
}

int db_used(const struct db *self, MDB_txn *txn, uint64_t *bytes, struct reason *why)
{
    const MDB_dbi tables[] = {self->state, self->meta};
    *bytes = 0;
    for (size_t i = 0; i < TABLES; i++) {
        MDB_stat stat;
        int failed = mdb_stat(txn, tables[i], &stat);
        if (failed)
            return db_failure(self, failed, "read", why);
        *bytes += (uint64_t)(stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) *
                  stat.ms_psize;
    }
    return 0;
}

int db_grow(struct db *self, uint64_t map_bytes, struct reason *why)
{
    int failed = mdb_env_set_mapsize(self->env, map_bytes);
    return failed ? db_failure(self, failed, "map", why) : 0;
}

void map_trim(const char *path)
{
    char line[4352], *real = realpath(path, NULL);
    FILE *maps = real ? fopen("/proc/self/maps", "re") : NULL;
    while (maps && fgets(line, sizeof line, maps)) {
        char *name = strchr(line, '/'), *dash; /* from-to permissions … name */
        uintptr_t from = strtoull(line, &dash, 16), to = strtoull(dash + 1, NULL, 16);
        if (!name)
            continue;
        name[strcspn(name, "\n")] = 0;
        if (strcmp(name, real) == 0)
            (void)madvise((void *)from, to - from, MADV_DONTNEED); /* only a wish */
    }
    if (maps)
        (void)fclose(maps);
    free(real);
}
