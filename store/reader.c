/* reader: rows of one LMDB snapshot, each verified as it is read. */
#include "store/db.h"

int reader_open(struct db_reader *self, const struct db *db, struct reason *why)
{
    *self = (struct db_reader){.db = db};
    int failed = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &self->txn);
    if (!failed)
        failed = mdb_cursor_open(self->txn, db->state, &self->cursor);
    if (failed) {
        reader_close(self);
        return db_failure(db, failed, "read", why);
    }
    self->fresh = true;
    return 0;
}

void reader_close(struct db_reader *self)
{
    if (self->cursor)
        mdb_cursor_close(self->cursor);
    if (self->txn)
        mdb_txn_abort(self->txn);
    *self = (struct db_reader){.db = self->db};
}

void reader_release(struct db_reader *self)
{
    if (self->fresh)
        mdb_txn_reset(self->txn);
    self->fresh = false;
}

static int refresh(struct db_reader *self, struct reason *why)
{
    if (self->fresh)
        return 0;
    int failed = mdb_txn_renew(self->txn);
    if (!failed)
        failed = mdb_cursor_renew(self->txn, self->cursor);
    if (failed)
        return db_failure(self->db, failed, "read", why);
    self->fresh = true;
    return 0;
}

static int get(struct db_reader *self, MDB_val *key, MDB_cursor_op op, struct entry *row,
               struct reason *why)
{
    MDB_val value;
    int failed = mdb_cursor_get(self->cursor, key, &value, op);
    if (failed == MDB_NOTFOUND)
        return ERR_NOT_FOUND;
    if (failed)
        return db_failure(self->db, failed, "read", why);
    *row = (struct entry){val_slice(key), val_slice(&value)};
    return 0;
}

int reader_row(struct db_reader *self, struct slice key, bool at_least, struct entry *row,
               struct reason *why)
{
    MDB_val wanted = val_of(key);
    int rc = refresh(self, why);
    return rc ? rc : get(self, &wanted, at_least ? MDB_SET_RANGE : MDB_SET_KEY, row, why);
}

int reader_following(struct db_reader *self, struct entry *row, struct reason *why)
{
    MDB_val key;
    return get(self, &key, MDB_NEXT, row, why);
}

static int damaged(const struct db_reader *self, struct name name, struct reason *why)
{
    db_doubt(self->db);
    return fail(why, ERR_DAMAGED, "%s is damaged in %s; restore it from a backup or a peer",
                name.text, self->db->path);
}

int reader_decode_header(const struct db_reader *self, struct entry row,
                         struct header_record *header, struct reason *why)
{
    struct contract_key named = {{0}}; /* for the sentence: as much as the table key tells */
    memcpy(named.bytes, row.key.data,
           row.key.size < STATE_PREFIX_BYTES ? row.key.size : STATE_PREFIX_BYTES);
    if (row_decode(&header_record_layout, row.key, row.value, header) == 0)
        return 0;
    return damaged(self, name_contract(&named), why);
}

int reader_header(struct db_reader *self, const struct contract_key *key,
                  struct header_record *header, struct reason *why)
{
    struct state_key at = state_key_of(key, ROW_HEADER, slice_of(NULL, 0));
    struct entry row = {{0}, {0}};
    int rc = reader_row(self, state_key_slice(&at), false, &row, why);
    if (rc)
        return rc;
    if (row_decode(&header_record_layout, row.key, row.value, header))
        return damaged(self, name_contract(key), why);
    if (memcmp(header->contract, key->bytes, CONTRACT_KEY_BYTES) != 0)
        return fail(why, ERR_DENIED, "another contract's key begins like that of %s",
                    name_contract(key).text);
    return 0;
}

int reader_decode(const struct db_reader *self, const struct contract_key *key, struct entry row,
                  struct entry *entry, struct reason *why)
{
    struct entry_record record;
    entry->key = state_key_entry(row.key);
    if (row_decode(&entry_record_layout, row.key, row.value, &record))
        return damaged(self, name_entry(key, entry->key), why);
    entry->value = record.value;
    return 0;
}

int reader_entry(struct db_reader *self, const struct contract_key *key, struct slice entry_key,
                 struct slice *value, struct reason *why)
{
    struct state_key at = state_key_of(key, ROW_ENTRY, entry_key);
    struct entry row, entry;
    int rc = reader_row(self, state_key_slice(&at), false, &row, why);
    if (rc == 0)
        rc = reader_decode(self, key, row, &entry, why);
    if (rc == 0)
        *value = entry.value;
    return rc;
}
