/* life: one life of a node, from its start to its end, under a load of clients; strace may end it
 * at the entry of the n-th call of a kind that one of its threads makes. */
#ifndef LIFE_H
#define LIFE_H

#include "tests/crash/claims.h"

struct life {
    const char *data_dir;
    struct trace *trace;
    const char *call; /* as the kernel names it; NULL: nobody kills it */
    unsigned n;
    /* The load: fields of a map that are set, bytes of a value, how long; then it is stopped. */
    size_t fields, value_max;
    unsigned load_ms;
    /* So many backups besides, one after the other, at least: their thread makes files, folders and
     * names. Into folders beside the data's, which go again. */
    unsigned backups;
};

/* Lives it. *killed: strace ended it. ERR_INTERNAL when it refuses to start. */
MUST_USE int life_live(const struct life *self, bool *killed, struct reason *why);

#endif
