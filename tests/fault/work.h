/* work: what a node does to its store, round by round, and what it told of it as durable. */
#ifndef WORK_H
#define WORK_H

#include "tests/unit/store_fixture.h"

enum { WORK_MAPS = 3, WORK_FIELDS = 5, WORK_ROUNDS = 14 };

struct work {
    struct rig rig;
    struct subject maps[WORK_MAPS];
    uint64_t stamps[WORK_MAPS][WORK_FIELDS];  /* the newest that was merged … */
    uint64_t durable[WORK_MAPS][WORK_FIELDS]; /* … and that was acknowledged */
    bool dead;                                /* log_append failed for good */
};

/* Opens a store in a new directory; end closes and removes it. */
int work_begin(struct work *self);
void work_end(struct work *self);

/* Merges, flushes and folds, until the log fails. */
void work_run(struct work *self, unsigned rounds);

void work_merge(struct work *self, unsigned map, unsigned field, uint64_t stamp);
/* Flushes what waits. A full disk is waited out by trying again later, as the journal does. */
void work_flush(struct work *self);

/* Has the store of this rig all that was told? Each field has at least the stamp that was
 * acknowledged. */
void work_assert_durable(struct work *self, struct rig *rig);

#endif
