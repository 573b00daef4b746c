/* sync_pair: two states in memory that sync by ranges, each message held to what contracts/sync.h
 * promises. */
#ifndef SYNC_PAIR_H
#define SYNC_PAIR_H

#include "contracts/state.h"
#include "contracts/sync.h"

struct sync_pair {
    const struct contract *contract;
    state_t *sides[2];
    uint8_t salt[SYNC_SALT_BYTES];
    size_t budget, entries_bytes_max; /* of a step; 0: plenty */
    unsigned messages_max;            /* more fail the test; 0: 64 */
    bool valid;                       /* entries are the kind's, so check them */
    /* Called before each message of a side; NULL: nothing happens meanwhile. */
    void (*meanwhile)(struct sync_pair *self, int side);
    void *me;
    /* what it took, bodies and messages that had something to say */
    unsigned messages;
    size_t body_bytes, largest_body, entry_bytes;
    uint64_t entries, steps;
};

/* Side 0 begins. Ends when a side has nothing more to say. */
void sync_pair_run(struct sync_pair *self);

/* Are the states the same bytes? */
bool sync_pair_equal(const struct sync_pair *self);

/* Runs one walk of a side to its end and merges its entries into the other side. The body is the
 * walk's. */
struct slice sync_pair_message(struct sync_pair *self, int side, sync_walk_t *walk);

#endif
