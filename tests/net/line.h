/* line: one way through the relay, as a function of the time: when a packet that comes now arrives,
 * and whether it does. Chance comes from the line's own stream of a seed, one draw of each kind a
 * packet, so the n-th packet of a line meets the same in every run.
 *
 * Packets keep their order: jitter is that of a queue, not of two routes. Times are microseconds of
 * any clock that does not go back. */
#ifndef NET_LINE_H
#define NET_LINE_H

#include "tests/sim/dice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LINE_QUEUE_US = 500000, /* what waits for the rate longer than this is dropped, as routers do */
    LINE_SURE = 1000000,    /* chances are in millionths */
};

struct line_rules {
    uint32_t delay_us;
    uint32_t jitter_us;      /* on top of it, drawn evenly from 0 … jitter_us */
    uint32_t loss;           /* in millionths */
    uint32_t bytes_a_second; /* 0: no limit */
    bool cut;                /* nothing comes through, nor what was under way when it was cut */
};

struct line {
    struct line_rules rules;
    struct dice dice;
    uint64_t free_at_us, last_due_us;
    /* packets */
    uint64_t taken, lost, cut, overflowed;
};

void line_init(struct line *self, uint64_t seed, uint64_t stream);

/* A packet of so many bytes comes. True: it is due at *due_us, not before any that came earlier.
 * False: it does not arrive, and is counted as why. */
bool line_take(struct line *self, uint64_t now_us, size_t bytes, uint64_t *due_us);

/* One that is due: does the far end get it? (Not when the line was cut meanwhile; it is counted.)
 */
bool line_gives(struct line *self);

#endif
