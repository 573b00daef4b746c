/* table: a state's entries in memory, in key order. Not a state: it knows no contract and merges
 * nothing, it takes the changes that a merge found.
 *
 * A list of chunks of slots: an insertion moves the slots of one chunk, an append moves none. A
 * slot has the key's first 8 bytes beside the pointer, so that most comparisons touch no entry.
 *
 * Invariants: keys ascend over slots and chunks; there is a chunk, and only a sole one is empty. */
#ifndef WEIR_CONTRACTS_TABLE_H
#define WEIR_CONTRACTS_TABLE_H

#include "contracts/merge.h"

struct cell; /* one entry's bytes */

struct slot {
    uint64_t prefix;
    struct cell *cell;
};

struct chunk {
    struct slot *slots;
    size_t count, capacity;
};

struct table {
    struct chunk *chunks;
    size_t chunk_count, chunk_capacity;
    uint64_t count;
    struct cell **fresh; /* of table_apply: reused */
    size_t fresh_capacity;
};

/* Where an entry stands. */
struct place {
    size_t chunk, slot;
};

/* ERR_NO_MEMORY. */
MUST_USE int table_init(struct table *self);
void table_free(struct table *self);

/* The first place with key >= (past: >) the given one; it may be past the end. */
struct place table_from(const struct table *self, struct slice key, bool past);

/* The entry at a place; false past the end. Borrowed until the next table_apply. */
bool table_at(const struct table *self, struct place place, struct entry *entry);

/* Carries out changes, which are in key order and fit what the table holds. ERR_NO_MEMORY: nothing
 * is changed then. */
MUST_USE int table_apply(struct table *self, const struct change *changes, size_t count);

#endif
