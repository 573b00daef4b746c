/* The walk through LMDB's file, on one that damage changed. The input: changes to a sound file,
 * each a byte that says what, then a page (u8), an offset in it (u16):
 *
 *   0 a byte: bytes, so many, are written there   1 a u16 is written (in the machine's order)
 *   2 a page (u8) is copied over it   3 it is zeros   4 the file ends there   5 a u64 is written
 *
 * What the walk finds sound LMDB reads: the same rows, each of them found by its key; and writes,
 * and the walk finds that sound again. */
#include "store/pages.h"
#include "tests/fuzz/file.h"
#include "tests/fuzz/must.h"

#include <lmdb.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES_MAX = 64, ROWS = 120, MAP_BYTES = 1 << 20 };

static uint8_t whole[PAGES_MAX * PAGE], changed[PAGES_MAX * PAGE];
static size_t whole_bytes;

/* --- the sound file -------------------------------------------------------------------------- */

static MDB_env *open_env(const char *path, unsigned flags)
{
    MDB_env *env = NULL;
    MUST(mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, 4) == 0);
    MUST(mdb_env_set_mapsize(env, MAP_BYTES) == 0);
    if (mdb_env_open(env, path, flags | MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0600)) {
        mdb_env_close(env);
        return NULL;
    }
    return env;
}

static MDB_dbi table_of(MDB_txn *txn, enum page_table table, unsigned flags)
{
    MDB_dbi found;
    MUST(mdb_dbi_open(txn, table == TABLE_state ? "state" : "meta", flags, &found) == 0);
    return found;
}

static void put(MDB_txn *txn, MDB_dbi table, unsigned number, size_t bytes)
{
    static uint8_t data[3 * PAGE];
    char name[32];
    (void)snprintf(name, sizeof name, "row %u", number * 7919u % ROWS);
    memset(data, (int)number, sizeof data);
    MDB_val key = {strlen(name), name}, value = {bytes, data};
    MUST(mdb_put(txn, table, &key, &value, 0) == 0);
}

static void drop(MDB_txn *txn, MDB_dbi table, unsigned number)
{
    char name[32];
    (void)snprintf(name, sizeof name, "row %u", number % ROWS);
    MDB_val key = {strlen(name), name};
    int rc = mdb_del(txn, table, &key, NULL);
    MUST(rc == 0 || rc == MDB_NOTFOUND);
}

static MDB_txn *begin(MDB_env *env)
{
    MDB_txn *txn = NULL;
    MUST(mdb_txn_begin(env, NULL, 0, &txn) == 0);
    return txn;
}

/* Leaves, branches, values of several pages, and free pages. */
static void make_file(void)
{
    char path[320];
    (void)snprintf(path, sizeof path, "%s/state.mdb", file_folder());
    MDB_env *env = open_env(path, 0);
    MUST(env);
    for (unsigned round = 0; round < 3; round++) {
        MDB_txn *txn = begin(env);
        MDB_dbi state = table_of(txn, TABLE_state, MDB_CREATE),
                meta = table_of(txn, TABLE_meta, MDB_CREATE);
        for (unsigned i = 0; i < ROWS; i++)
            put(txn, state, i, i == 7 ? 2 * PAGE + 100 : 20 + i * (1 + round) % 170);
        put(txn, meta, round, 60);
        MUST(mdb_txn_commit(txn) == 0);
    }
    mdb_env_close(env);
    FILE *file = fopen(path, "rb");
    MUST(file);
    whole_bytes = fread(whole, 1, sizeof whole, file);
    MUST(whole_bytes > 10 * (size_t)PAGE && whole_bytes < sizeof whole);
    (void)fclose(file);
    (void)unlink(path);
}

/* --- changes --------------------------------------------------------------------------------- */

static uint64_t take(struct slice *rest, size_t size)
{
    uint64_t n = 0;
    for (size_t i = 0; i < size && i < rest->size; i++)
        n |= (uint64_t)rest->data[i] << 8 * i;
    *rest = slice_after(*rest, size < rest->size ? size : rest->size);
    return n;
}

static void set(size_t at, size_t size, uint64_t n)
{
    for (size_t i = 0; i < size && at + i < whole_bytes; i++)
        changed[at + i] = (uint8_t)(n >> 8 * i);
}

/* The size of what it makes. */
static size_t change(struct slice rest)
{
    size_t size = whole_bytes;
    memcpy(changed, whole, whole_bytes);
    while (rest.size) {
        uint64_t what = take(&rest, 1) % 6;
        size_t page = take(&rest, 1) % (whole_bytes / PAGE) * PAGE;
        size_t at = page + take(&rest, 2) % PAGE;
        if (what == 0)
            for (uint64_t n = take(&rest, 1); n && rest.size; n--)
                set(at++, 1, take(&rest, 1));
        else if (what == 1)
            set(at, 2, take(&rest, 2));
        else if (what == 2)
            memmove(changed + page, changed + take(&rest, 1) % (whole_bytes / PAGE) * PAGE, PAGE);
        else if (what == 3)
            memset(changed + page, 0, PAGE);
        else if (what == 4)
            size = at;
        else
            set(at, 8, take(&rest, 8));
    }
    return size;
}

/* --- claims ---------------------------------------------------------------------------------- */

/* A sum of rows that does not ask for their order. */
struct sum {
    uint64_t rows, sum;
};

static void add(struct sum *self, enum page_table table, struct slice key, struct slice value)
{
    uint64_t hash = 0xcbf29ce484222325u + table; /* FNV-1a */
    for (size_t i = 0; i < key.size; i++)
        hash = (hash ^ key.data[i]) * 0x100000001b3u;
    for (size_t i = 0; i < value.size; i++)
        hash = (hash ^ value.data[i]) * 0x100000001b3u;
    self->rows++;
    self->sum += hash;
}

static int add_row(void *self, enum page_table table, struct entry row)
{
    add((struct sum *)self, table, row.key, row.value);
    return 0;
}

static void read_table(MDB_txn *txn, enum page_table table, struct sum *sum)
{
    MDB_dbi dbi = table_of(txn, table, 0);
    MDB_cursor *cursor = NULL;
    MDB_val key, value, found;
    int rc;
    MUST(mdb_cursor_open(txn, dbi, &cursor) == 0);
    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        add(sum, table, slice_of(key.mv_data, key.mv_size), slice_of(value.mv_data, value.mv_size));
        MUST(mdb_get(txn, dbi, &key, &found) == 0 && found.mv_data == value.mv_data);
    }
    MUST(rc == MDB_NOTFOUND);
    mdb_cursor_close(cursor);
}

/* LMDB's view of a file that is said to be sound. */
static void check_sound(const char *path, const struct sum *walked)
{
    struct sum read = {0};
    MDB_txn *txn = NULL;
    MDB_env *env = open_env(path, MDB_RDONLY);
    MUST(env && mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0);
    read_table(txn, TABLE_state, &read);
    read_table(txn, TABLE_meta, &read);
    MUST(read.rows == walked->rows && read.sum == walked->sum);
    mdb_txn_abort(txn);
    mdb_env_close(env);
}

/* So many rows that free pages are used, and some become free. */
static void write_more(const char *path)
{
    MDB_env *env = open_env(path, 0);
    MUST(env);
    for (unsigned round = 0; round < 2; round++) {
        MDB_txn *txn = begin(env);
        MDB_dbi state = table_of(txn, TABLE_state, 0);
        for (unsigned i = 0; i < ROWS / 4; i++)
            put(txn, state, i * 4, i == 3 ? PAGE : 100 + round);
        for (unsigned i = 1; i < ROWS; i += 3)
            drop(txn, state, i);
        MUST(mdb_txn_commit(txn) == 0);
    }
    mdb_env_close(env);
}

static bool walk(const char *path, bool strays, struct sum *sum)
{
    struct pages found = {0};
    struct reason why = {""};
    int rc = pages_walk(path, strays, add_row, sum, &found, &why);
    MUST(rc == 0 || (rc == ERR_DAMAGED && why.text[0]));
    MUST(found.faults == 0 || found.first.text[0]);
    return rc == 0 && found.faults == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sum sum = {0}, again = {0};
    char path[64];
    if (!whole_bytes)
        make_file();
    int fd = file_of(slice_of(changed, change(slice_of(data, size))), path);
    (void)walk(path, true, &again);
    if (walk(path, false, &sum)) {
        check_sound(path, &sum);
        write_more(path);
        again = (struct sum){0};
        MUST(walk(path, false, &again));
        check_sound(path, &again);
    }
    (void)close(fd);
    return 0;
}
