/* marks: the contracts that damage took something from, and that no peer has given back yet. What
 * is left of them is a state like any other, only that acknowledged entries may be missing: it is
 * merged into, synced with peers, folded; it is not read out. A mark is known by the first half of
 * the key, as LMDB's rows are.
 *
 * They lie in LMDB's table meta, written with the last transaction of a fold, so that a node which
 * ends before a contract is healed knows of it at its next start. */
#ifndef WEIR_STORE_MARKS_H
#define WEIR_STORE_MARKS_H

#include "store/db.h"
#include "store/pages.h"

struct marks {
    struct contract_key *keys; /* ascending */
    size_t count, capacity;
    bool changed; /* since they were last written */
};

void marks_free(struct marks *self);

bool marks_have(const struct marks *self, const struct contract_key *key);

/* Is it no more than the half? */
bool mark_is_half(const struct contract_key *key);

/* Adds one, unless it is there. A key that is known whole takes the place of its half. */
MUST_USE int marks_add(struct marks *self, const struct contract_key *key, struct reason *why);
void marks_remove(struct marks *self, const struct contract_key *key);

/* Of a file that is damaged: were there more marks than were found? Then each contract may have had
 * one. */
static inline bool marks_are_lost(const struct pages *pages, uint64_t found)
{
    return found + 1 < pages->meta_rows; /* one row is no mark */
}

/* A copy. */
MUST_USE int marks_copy(const struct marks *self, struct marks *copy, struct reason *why);

/* Calls mark for each that LMDB has. */
typedef void(mark_fn)(void *self, const struct contract_key *key);
MUST_USE int marks_each(const struct db *db, MDB_txn *txn, mark_fn *mark, void *self,
                        struct reason *why);

MUST_USE int marks_read(struct marks *self, const struct db *db, MDB_txn *txn, struct reason *why);

/* Makes LMDB's the same as these. */
MUST_USE int marks_write(const struct marks *self, const struct db *db, MDB_txn *txn,
                         struct reason *why);

#endif
