/* db: LMDB as the store uses it: the environment, its two tables, readers. The only file that opens
 * LMDB besides the copy that a backup makes. */
#ifndef WEIR_STORE_DB_H
#define WEIR_STORE_DB_H

#include "store/schema.h"
#include "store/store.h"

#include <lmdb.h>
#include <stdatomic.h>

struct db {
    MDB_env *env;
    MDB_dbi state, meta;
    char *dir, *path, *log_dir; /* DATA, DATA/state.mdb, DATA/log */
    uint64_t salt;
    log_t *log;           /* of the same store; NULL when there is none */
    atomic_bool *doubted; /* damage was met: the file is to be walked at the next start */
};

/* From any thread: damage was met in the file. */
static inline void db_doubt(const struct db *self)
{
    atomic_store(self->doubted, true);
}

enum db_mode { DB_NODE, DB_COPY, DB_CHECK };

/* Opens DIR/state.mdb with a map of at least map_bytes. DB_NODE makes it (with a fresh salt) when
 * it is missing; DB_COPY does so too and leaves syncing to db_sync; DB_CHECK writes nothing, not
 * even LMDB's lock file (the caller has the lock). ERR_DAMAGED, ERR_NEWER_FORMAT, ERR_IO, … */
MUST_USE int db_open(const char *dir, enum db_mode mode, uint64_t map_bytes, struct db **db,
                     struct reason *why);
void db_close(struct db **self);
MUST_USE int db_sync(struct db *self, struct reason *why);

/* Sizes in bytes. db_map: of the map; db_high: of the file's part that was ever used. */
uint64_t db_map(const struct db *self);
uint64_t db_high(const struct db *self);
/* Pages that the tables use now. */
MUST_USE int db_used(const struct db *self, MDB_txn *txn, uint64_t *bytes, struct reason *why);

/* No transaction may be open. */
MUST_USE int db_grow(struct db *self, uint64_t map_bytes, struct reason *why);

/* Gives the pages of that mapped file that this process has looked at back to the system. */
void map_trim(const char *path);

MUST_USE int db_read_meta(const struct db *self, MDB_txn *txn, struct meta_record *meta,
                          struct reason *why);
MUST_USE int db_write_meta(const struct db *self, MDB_txn *txn, struct meta_record *meta,
                           struct reason *why);

/* Our code for LMDB's. */
MUST_USE int db_failure(const struct db *self, int code, const char *doing, struct reason *why);

static inline MDB_val val_of(struct slice s)
{
    MDB_val val = {.mv_size = s.size};
    memcpy(&val.mv_data, &s.data, sizeof val.mv_data);
    return val;
}

static inline struct slice val_slice(const MDB_val *val)
{
    return slice_of(val->mv_data, val->mv_size);
}

/* --- a snapshot, with a cursor on the table of states --- */
struct db_reader {
    const struct db *db;
    MDB_txn *txn;
    MDB_cursor *cursor;
    bool fresh; /* the transaction is open */
};

MUST_USE int reader_open(struct db_reader *self, const struct db *db, struct reason *why);
void reader_close(struct db_reader *self);

/* Lets the snapshot go; the next use takes the newest. */
void reader_release(struct db_reader *self);

/* The row at key, or (at_least) the first at or behind it; then the one behind. Slices live as long
 * as the snapshot. ERR_NOT_FOUND, ERR_IO, ERR_DAMAGED. */
MUST_USE int reader_row(struct db_reader *self, struct slice key, bool at_least, struct entry *row,
                        struct reason *why);
MUST_USE int reader_following(struct db_reader *self, struct entry *row, struct reason *why);

/* A contract's header, and one of its entries. ERR_DAMAGED names it. */
MUST_USE int reader_header(struct db_reader *self, const struct contract_key *key,
                           struct header_record *header, struct reason *why);
MUST_USE int reader_entry(struct db_reader *self, const struct contract_key *key,
                          struct slice entry_key, struct slice *value, struct reason *why);

/* Reads a row of a contract's entry: key and value of the entry. */
MUST_USE int reader_decode(const struct db_reader *self, const struct contract_key *key,
                           struct entry row, struct entry *entry, struct reason *why);
MUST_USE int reader_decode_header(const struct db_reader *self, struct entry row,
                                  struct header_record *header, struct reason *why);

#endif
