/* What the copy lacks is marked. */
#include "store/repair_state.h"

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
    header_count(&group->header, &group->summary, &print);
    return repair_put_header(self, state_key_slice(&group->at), &group->header, 0);
}

/* Half of its key is all that tells the contract. */
static int mark_half(struct repair *self, const struct group *group)
{
    struct contract_key half = {{0}};
    memcpy(half.bytes, group->at.bytes, STATE_PREFIX_BYTES);
    return marks_add(&self->marks, &half, self->why);
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
    struct summary said = header_summary(&group->header);
    return summary_equal(&said, &group->summary);
}

static int end_group(struct repair *self, struct group *group)
{
    struct contract_key key;
    int rc;
    if (group->at.size == 0)
        return 0;
    if (!group->has_header) {
        rc = mark_half(self, group);
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

int repair_mark_damaged(struct repair *self)
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
