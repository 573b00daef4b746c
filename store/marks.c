#include "store/marks.h"

#include <stdlib.h>

void marks_free(struct marks *self)
{
    free(self->keys);
    *self = (struct marks){0};
}

/* The first that is not before it; they lie in order. */
static size_t place_of(const struct marks *self, const struct contract_key *key)
{
    size_t from = 0, to = self->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (memcmp(self->keys[middle].bytes, key->bytes, STATE_PREFIX_BYTES) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

bool marks_have(const struct marks *self, const struct contract_key *key)
{
    size_t at = place_of(self, key);
    return at < self->count && memcmp(self->keys[at].bytes, key->bytes, STATE_PREFIX_BYTES) == 0;
}

bool mark_is_half(const struct contract_key *key)
{
    static const uint8_t none[CONTRACT_KEY_BYTES - STATE_PREFIX_BYTES];
    return memcmp(key->bytes + STATE_PREFIX_BYTES, none, sizeof none) == 0;
}

int marks_add(struct marks *self, const struct contract_key *key, struct reason *why)
{
    size_t at = place_of(self, key);
    if (marks_have(self, key)) {
        if (mark_is_half(&self->keys[at]) && !mark_is_half(key)) {
            self->keys[at] = *key;
            self->changed = true;
        }
        return 0;
    }
    if (self->count == self->capacity) {
        size_t capacity = self->capacity ? 2 * self->capacity : 16;
        struct contract_key *keys =
            (struct contract_key *)realloc(self->keys, capacity * sizeof *keys);
        if (!keys)
            return fail(why, ERR_NO_MEMORY, "out of memory");
        self->keys = keys;
        self->capacity = capacity;
    }
    memmove(self->keys + at + 1, self->keys + at, (self->count - at) * sizeof self->keys[0]);
    self->keys[at] = *key;
    self->count++;
    self->changed = true;
    return 0;
}

void marks_remove(struct marks *self, const struct contract_key *key)
{
    size_t at = place_of(self, key);
    if (!marks_have(self, key))
        return;
    self->count--;
    memmove(self->keys + at, self->keys + at + 1, (self->count - at) * sizeof self->keys[0]);
    self->changed = true;
}

int marks_copy(const struct marks *self, struct marks *copy, struct reason *why)
{
    int rc = 0;
    *copy = (struct marks){0};
    for (size_t i = 0; rc == 0 && i < self->count; i++)
        rc = marks_add(copy, &self->keys[i], why);
    if (rc)
        marks_free(copy);
    return rc;
}

int marks_each(const struct db *db, MDB_txn *txn, mark_fn *mark, void *self, struct reason *why)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int failed = mdb_cursor_open(txn, db->meta, &cursor);
    if (failed)
        return db_failure(db, failed, "read", why);
    while ((failed = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        struct mark_record record;
        struct contract_key contract;
        if (!mark_key_is(val_slice(&key)) ||
            row_decode(&mark_record_layout, val_slice(&key), val_slice(&value), &record))
            continue;
        memcpy(contract.bytes, record.contract, sizeof contract.bytes);
        mark(self, &contract);
    }
    mdb_cursor_close(cursor);
    return failed == MDB_NOTFOUND ? 0 : db_failure(db, failed, "read", why);
}

struct reading_marks {
    struct marks *marks;
    struct reason *why;
    int rc;
};

static void take(void *me, const struct contract_key *key)
{
    struct reading_marks *self = (struct reading_marks *)me;
    if (self->rc == 0)
        self->rc = marks_add(self->marks, key, self->why);
}

int marks_read(struct marks *self, const struct db *db, MDB_txn *txn, struct reason *why)
{
    struct reading_marks reading = {.marks = self, .why = why};
    int rc = marks_each(db, txn, take, &reading, why);
    self->changed = false;
    return rc ? rc : reading.rc;
}

static int remove_all(const struct db *db, MDB_txn *txn, struct reason *why)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int failed = mdb_cursor_open(txn, db->meta, &cursor);
    if (failed)
        return db_failure(db, failed, "write", why);
    failed = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (!failed) {
        if (mark_key_is(val_slice(&key)))
            failed = mdb_cursor_del(cursor, 0);
        if (!failed)
            failed = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return failed == MDB_NOTFOUND ? 0 : db_failure(db, failed, "write", why);
}

static int put(const struct db *db, MDB_txn *txn, const struct contract_key *contract,
               struct reason *why)
{
    struct mark_record record = {0};
    struct buffer row = {0};
    uint8_t key[MARK_KEY_BYTES];
    memcpy(record.contract, contract->bytes, sizeof record.contract);
    mark_key_of(contract, key);
    struct slice name = slice_of(key, sizeof key);
    int rc = row_encode(&mark_record_layout, &record, name, &row);
    if (rc == 0) {
        MDB_val at = val_of(name), value = val_of(buffer_slice(&row));
        int failed = mdb_put(txn, db->meta, &at, &value, 0);
        rc = failed ? db_failure(db, failed, "write", why) : 0;
    }
    buffer_free(&row);
    return rc;
}

int marks_write(const struct marks *self, const struct db *db, MDB_txn *txn, struct reason *why)
{
    int rc = remove_all(db, txn, why);
    for (size_t i = 0; rc == 0 && i < self->count; i++)
        rc = put(db, txn, &self->keys[i], why);
    return rc;
}
