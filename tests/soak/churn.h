/* churn: what goes wrong during a soak, drawn from a seed. At any time at most one node is in
 * trouble (killed, stopped with a goodbye, or paused) and the network in one (a cut of some nodes
 * from the others, both ways or one; or slow and lossy). Between troubles there are pauses.
 *
 * The first two nodes are never ended, so that there are two lives as long as the soak. */
#ifndef SOAK_CHURN_H
#define SOAK_CHURN_H

#include "tests/net/far_network.h"
#include "tests/sim/dice.h"

enum trouble {
    TROUBLE_NONE,
    TROUBLE_KILL,
    TROUBLE_STOP,
    TROUBLE_PAUSE,
    TROUBLE_CUT,
    TROUBLE_ONE_WAY,
    TROUBLE_SLOW,
    TROUBLES
};

struct churn_place {
    enum trouble now;
    int64_t until_ms; /* of the trouble, or of the pause */
    size_t node;
    unsigned set;
};

struct churn {
    struct far_network *far;
    struct dice dice;
    int64_t unit_ms; /* the shortest trouble */
    struct churn_place node, net;
    unsigned count[TROUBLES];
    int64_t up_since_ms[NETWORK_NODES_MAX]; /* of each process */
};

enum { CHURN_SPARED = 2 }; /* never ended */

/* The network without trouble. */
extern const struct line_rules CHURN_GOOD;

/* unit_ms: 1000, or less for a short soak; all troubles and pauses are multiples of it. Borrows
 * the network. */
void churn_start(struct churn *self, struct far_network *far, int64_t unit_ms, uint64_t seed);

/* Ends what is over, begins what is next. Fails the test when a node ended by itself, or did not
 * end well when it was told to. */
void churn_step(struct churn *self);

/* All nodes run, the network is whole. */
void churn_end(struct churn *self);

#endif
