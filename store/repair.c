#include "store/repair.h"

#include "store/check.h"
#include "store/failure.h"
#include "store/files.h"
#include "store/marks.h"
#include "store/pages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REPAIR_DIR   "repair"
#define DAMAGED_FILE "state.mdb.damaged"
#define LOCK_SUFFIX  "-lock"

enum { REPAIR_TXN_BYTES = 16 << 20 };

struct repair {
    struct db *to;
    MDB_txn *txn;
    uint64_t txn_bytes;
    uint64_t counted; /* contracts, by the damaged file */
    struct meta_record meta;
    bool has_meta, old_meta; /* old: of a stray page */
    struct pages pages;
    struct marks marks;
    struct marks kept; /* of those, the ones that have a header */
    struct buffer row;
    struct reason *why;
};

static int begin(struct repair *self)
{
    self->txn_bytes = 0;
    int failed = mdb_txn_begin(self->to->env, NULL, 0, &self->txn);
    return failed ? db_failure(self->to, failed, "write", self->why) : 0;
}

static int commit(struct repair *self)
{
    int failed = mdb_txn_commit(self->txn);
    self->txn = NULL;
    return failed ? db_failure(self->to, failed, "write", self->why) : 0;
}

/* --- what is whole is copied --------------------------------------------------------------------
 */

/* One that is there already stays. */
static int put(struct repair *self, struct slice name, struct slice bytes, unsigned flags)
{
    MDB_val key = val_of(name), value = val_of(bytes);
    int failed = mdb_put(self->txn, self->to->state, &key, &value, flags);
    if (failed && failed != MDB_KEYEXIST)
        return db_failure(self->to, failed, "write", self->why);
    self->txn_bytes += name.size + bytes.size;
    if (self->txn_bytes < REPAIR_TXN_BYTES)
        return 0;
    int rc = commit(self);
    return rc ? rc : begin(self);
}

static int put_header(struct repair *self, struct slice name, const struct header_record *header,
                      unsigned flags)
{
    buffer_clear(&self->row);
    int rc = row_encode(&header_record_layout, header, name, &self->row);
    return rc ? fail(self->why, rc, "no row could be made for %s", self->to->path)
              : put(self, name, buffer_slice(&self->row), flags);
}

/* What a header says of itself is proven by the contract's key being its hash. So it is used when
 * only its figures, or its place in the table, are broken, or when it is an old one: as a header
 * that counts wrong, which marks it. */
static int put_identity(struct repair *self, struct entry row)
{
    struct header_record header;
    struct contract contract;
    if (row.key.size != STATE_PREFIX_BYTES + 1 ||
        codec_decode(&header_record_layout, row.value, &header, NULL) ||
        contract_init(&contract, header.kind, header.params, NULL) ||
        (memcmp(contract.key.bytes, row.key.data, STATE_PREFIX_BYTES) != 0 &&
         memcmp(contract.key.bytes, header.contract, CONTRACT_KEY_BYTES) != 0))
        return ERR_DAMAGED;
    struct state_key at = state_key_of(&contract.key, ROW_HEADER, slice_of(NULL, 0));
    memcpy(header.contract, contract.key.bytes, sizeof header.contract);
    header.count = UINT64_MAX;
    return put_header(self, state_key_slice(&at), &header, MDB_NOOVERWRITE);
}

static int mark_half(struct repair *self, struct slice key)
{
    struct contract_key half = {{0}};
    memcpy(half.bytes, key.data, STATE_PREFIX_BYTES);
    return marks_add(&self->marks, &half, self->why);
}

/* A header that does not prove its key may still tell it. */
static int mark_header(struct repair *self, struct entry row)
{
    struct header_record header;
    struct contract_key key;
    if (codec_decode(&header_record_layout, row.value, &header, NULL) ||
        memcmp(header.contract, row.key.data, STATE_PREFIX_BYTES) != 0)
        return mark_half(self, row.key);
    memcpy(key.bytes, header.contract, sizeof key.bytes);
    return marks_add(&self->marks, &key, self->why);
}

static int take_state(struct repair *self, struct entry row)
{
    struct header_record header;
    struct entry_record entry;
    if (row.key.size <= STATE_PREFIX_BYTES || row.key.size > STATE_KEY_BYTES_MAX)
        return 0;
    if (row.key.data[STATE_PREFIX_BYTES] == ROW_ENTRY) {
        bool whole = row_decode(&entry_record_layout, row.key, row.value, &entry) == 0;
        return whole ? put(self, row.key, row.value, MDB_NOOVERWRITE) : 0;
    }
    if (header_decode(row, &header) == 0)
        return put(self, row.key, row.value, MDB_NOOVERWRITE);
    int rc = put_identity(self, row);
    return rc == ERR_DAMAGED ? mark_header(self, row) : rc;
}

/* LMDB's position. An older one is as good: records are merged again. */
static void take_meta(struct repair *self, struct entry row)
{
    struct meta_record meta;
    if (!slice_is(row.key, meta_key) ||
        row_decode(&meta_record_layout, row.key, row.value, &meta) != 0)
        return;
    if (!self->has_meta || meta.folded_seq > self->meta.folded_seq)
        self->meta = meta;
    self->has_meta = true;
}

static int take_mark(struct repair *self, struct entry row)
{
    struct mark_record mark;
    struct contract_key key;
    if (!mark_key_is(row.key) || row_decode(&mark_record_layout, row.key, row.value, &mark) != 0)
        return 0;
    memcpy(key.bytes, mark.contract, sizeof key.bytes);
    return marks_add(&self->marks, &key, self->why);
}

static int on_row(void *me, enum page_table table, struct entry row)
{
    struct repair *self = (struct repair *)me;
    int rc;
    switch (table) {
    case TABLE_state:
        return take_state(self, row);
    case TABLE_meta:
        take_meta(self, row);
        return take_mark(self, row);
    case TABLE_stray:
        if (!self->has_meta || self->old_meta) {
            self->old_meta = true;
            take_meta(self, row);
        }
        rc = put_identity(self, row);
        return rc == ERR_DAMAGED ? 0 : rc;
    }
    return 0;
}

/* --- what the copy lacks is marked --------------------------------------------------------------
 */

/* A contract of the copy. */
struct group {
    struct state_key at;
    struct header_record header;
    struct buffer bytes; /* of the header */
    bool has_header;
    struct summary summary;
};

/* The header says what is there, from now on. */
static int put_rest(struct repair *self, struct group *group)
{
    struct fingerprint print = summary_fingerprint(&group->summary);
    group->header.count = group->summary.count;
    group->header.state_bytes = group->summary.state_bytes;
    summary_sum_write(&group->summary, group->header.sum);
    memcpy(group->header.fingerprint, print.bytes, FINGERPRINT_BYTES);
    return put_header(self, state_key_slice(&group->at), &group->header, 0);
}

/* Entries that nobody knows the kind of are of no use. */
static int remove_entries(struct repair *self, const struct group *group)
{
    MDB_cursor *cursor;
    MDB_val value;
    int failed = mdb_cursor_open(self->txn, self->to->state, &cursor);
    if (failed)
        return db_failure(self->to, failed, "write", self->why);
    MDB_val key = val_of(state_key_slice(&group->at));
    failed = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (!failed && key.mv_size > STATE_PREFIX_BYTES &&
           memcmp(key.mv_data, group->at.bytes, STATE_PREFIX_BYTES) == 0) {
        failed = mdb_cursor_del(cursor, 0);
        if (!failed)
            failed = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return failed && failed != MDB_NOTFOUND ? db_failure(self->to, failed, "write", self->why) : 0;
}

static bool is_whole(const struct group *group)
{
    struct summary said = {.count = group->header.count, .state_bytes = group->header.state_bytes};
    summary_sum_read(&said, group->header.sum);
    return summary_equal(&said, &group->summary);
}

static int end_group(struct repair *self, struct group *group)
{
    struct contract_key key;
    int rc;
    if (group->at.size == 0)
        return 0;
    if (!group->has_header) {
        rc = mark_half(self, state_key_slice(&group->at));
        return rc ? rc : remove_entries(self, group);
    }
    memcpy(key.bytes, group->header.contract, sizeof key.bytes);
    self->meta.contracts++;
    self->meta.entries += group->summary.count;
    bool whole = is_whole(group), marked = marks_have(&self->marks, &key) || self->pages.stale;
    rc = whole && !marked ? 0 : marks_add(&self->marks, &key, self->why);
    if (rc == 0 && !(whole && !marked))
        rc = marks_add(&self->kept, &key, self->why);
    return rc || whole ? rc : put_rest(self, group);
}

static int begin_group(struct repair *self, struct group *group, struct entry row)
{
    struct contract_key prefix = {{0}};
    memcpy(prefix.bytes, row.key.data, STATE_PREFIX_BYTES);
    group->at = state_key_of(&prefix, ROW_HEADER, slice_of(NULL, 0));
    group->summary = (struct summary){0};
    buffer_clear(&group->bytes);
    buffer_append_slice(&group->bytes, row.value);
    if (buffer_failed(&group->bytes))
        return fail(self->why, ERR_NO_MEMORY, "out of memory");
    struct entry copy = {row.key, buffer_slice(&group->bytes)};
    group->has_header = header_decode(copy, &group->header) == 0;
    return 0;
}

/* The first row at or behind key, of the transaction that writes. */
static int next_row(struct repair *self, const struct state_key *from, bool past,
                    struct state_key *at, struct entry *row)
{
    MDB_cursor *cursor;
    MDB_val key = val_of(state_key_slice(from)), value;
    int failed = mdb_cursor_open(self->txn, self->to->state, &cursor);
    if (failed)
        return db_failure(self->to, failed, "read", self->why);
    failed = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (!failed && past && slice_equal(val_slice(&key), state_key_slice(from)))
        failed = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    mdb_cursor_close(cursor);
    if (failed)
        return failed == MDB_NOTFOUND ? ERR_NOT_FOUND
                                      : db_failure(self->to, failed, "read", self->why);
    memcpy(at->bytes, key.mv_data, key.mv_size); /* take_state has seen to its size */
    at->size = key.mv_size;
    *row = (struct entry){state_key_slice(at), val_slice(&value)};
    return 0;
}

/* The row belongs to another contract than the one before. It is read again, since LMDB may have
 * moved it when that one's header was written. */
static int change_group(struct repair *self, struct group *group, struct state_key *at,
                        struct entry *row)
{
    int rc = end_group(self, group);
    if (rc == 0)
        rc = next_row(self, at, false, at, row);
    return rc ? rc : begin_group(self, group, *row);
}

static int take_group_row(struct repair *self, struct group *group, struct state_key *at,
                          struct entry row)
{
    struct entry_record entry;
    int rc = 0;
    if (group->at.size == 0 || memcmp(group->at.bytes, at->bytes, STATE_PREFIX_BYTES) != 0)
        rc = change_group(self, group, at, &row);
    if (rc == 0 && row.key.data[STATE_PREFIX_BYTES] == ROW_ENTRY &&
        row_decode(&entry_record_layout, row.key, row.value, &entry) == 0)
        summary_add(&group->summary, state_key_entry(row.key), entry.value);
    return rc;
}

static int mark_damaged(struct repair *self)
{
    struct group group = {.at = {.size = 0}};
    struct state_key at = {.bytes = {0}, .size = 1};
    struct entry row;
    self->counted = self->meta.contracts;
    self->meta.contracts = self->meta.entries = 0;
    int rc = next_row(self, &at, false, &at, &row);
    while (rc == 0) {
        rc = take_group_row(self, &group, &at, row);
        if (rc == 0)
            rc = next_row(self, &at, true, &at, &row);
    }
    if (rc == ERR_NOT_FOUND)
        rc = end_group(self, &group);
    buffer_free(&group.bytes);
    return rc;
}

/* --- files --------------------------------------------------------------------------------------
 */

static int write_copy(struct repair *self, const char *path)
{
    int rc = begin(self);
    if (rc == 0)
        rc = pages_walk(path, true, on_row, self, &self->pages, self->why);
    if (rc == 0 && !self->has_meta)
        rc = fail(self->why, ERR_DAMAGED, "%s has lost its meta record; restore it from a backup",
                  path);
    if (rc == 0)
        rc = mark_damaged(self);
    if (rc == 0) {
        self->to->salt = self->meta.salt;
        rc = db_write_meta(self->to, self->txn, &self->meta, self->why);
    }
    if (rc == 0)
        rc = marks_write(&self->marks, self->to, self->txn, self->why);
    if (rc == 0)
        rc = commit(self);
    if (self->txn)
        mdb_txn_abort(self->txn);
    return rc ? rc : db_sync(self->to, self->why);
}

static void remove_copy(const char *dir)
{
    static const char *const names[] = {STATE_FILE, STATE_FILE LOCK_SUFFIX};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = path_join(dir, names[i]);
        if (path)
            (void)unlink(path); /* what is left is removed by the next repair */
        free(path);
    }
    (void)rmdir(dir);
}

/* The damaged file gets another name; then the copy takes its own. */
static int swap(const char *dir, const char *path, const char *copy, struct reason *why)
{
    char *aside = path_join(dir, DAMAGED_FILE);
    int rc = aside ? 0 : fail(why, ERR_NO_MEMORY, "out of memory");
    if (rc == 0 && unlink(aside) && errno != ENOENT)
        rc = store_failure(why, errno, "remove", aside);
    if (rc == 0 && link(path, aside))
        rc = store_failure(why, errno, "make", aside);
    if (rc == 0 && rename(copy, path))
        rc = store_failure(why, errno, "rename to", path);
    free(aside);
    return rc ? rc : dir_sync(dir, why);
}

/* Contracts of which not even the key is left. */
static void tell_unnamed(const struct repair *self, struct reason *damage)
{
    struct reason found = *damage;
    uint64_t named = self->meta.contracts;
    for (size_t i = 0; i < self->marks.count; i++)
        named += !marks_have(&self->kept, &self->marks.keys[i]);
    if (named < self->counted)
        (void)fail(damage, ERR_DAMAGED, "%.160s (%llu contracts are lost and cannot be named)",
                   found.text, (unsigned long long)(self->counted - named));
}

static int repair(const char *dir, const char *path, uint64_t *marked, struct reason *damage,
                  struct reason *why)
{
    struct repair self = {.why = why};
    bool found;
    uint64_t size;
    char *aside = path_join(dir, REPAIR_DIR);
    char *copy = aside ? path_join(aside, STATE_FILE) : NULL;
    int rc = copy ? 0 : fail(why, ERR_NO_MEMORY, "out of memory");
    if (rc == 0)
        remove_copy(aside);
    if (rc == 0)
        rc = dir_make(aside, why);
    if (rc == 0)
        rc = file_size(path, &found, &size, why);
    if (rc == 0)
        rc = db_open(aside, DB_COPY, 2 * size + MAP_BYTES_FIRST, &self.to, why);
    if (rc == 0)
        rc = write_copy(&self, path);
    db_close(&self.to);
    if (rc == 0)
        rc = swap(dir, path, copy, why);
    *marked = self.marks.count;
    tell_unnamed(&self, damage);
    if (aside)
        remove_copy(aside);
    marks_free(&self.marks);
    marks_free(&self.kept);
    buffer_free(&self.row);
    free(copy);
    free(aside);
    return rc;
}

int repair_if_damaged(const char *dir, uint64_t *marked, struct reason *damage, struct reason *why)
{
    bool sound = false;
    char *path = path_join(dir, STATE_FILE);
    damage->text[0] = 0;
    *marked = 0;
    int rc = path ? check_file(path, &sound, damage) : fail(why, ERR_NO_MEMORY, "out of memory");
    if (path && rc)
        *why = *damage;
    if (rc == 0 && !sound)
        rc = repair(dir, path, marked, damage, why);
    free(path);
    return rc;
}
