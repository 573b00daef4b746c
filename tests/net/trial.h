/* trial: nodes in spaces of their own, contracts that all of them host, and what is measured of
 * them: how long they need to be equal after a fault under which all of them were written to; how
 * long an update needs to everybody who follows it. */
#ifndef NET_TRIAL_H
#define NET_TRIAL_H

#include "tests/net/far_network.h"

enum {
    TRIAL_NODES = 5,
    TRIAL_CONTRACTS = 20,
    TRIAL_DELAY_US = 20000, /* each way: a round trip of 40 ms */
    TRIAL_JITTER_US = 2000,
    TRIAL_SETTLE_MS = 60000, /* only a fault takes that long */
};

/* A node, or two, are cut off from the others for cut_ms; flapping: for all_ms whole for cut_ms and
 * cut for cut_ms, over and over, cut in the end. */
struct fault {
    const char *name;
    int cut_ms, all_ms;
    bool one_way; /* what they send is lost, what they are sent arrives */
    int equal_within_ms;
};

struct trial {
    struct far_network far;
    uint8_t keys[TRIAL_CONTRACTS][32];
    size_t contracts;
    /* writes to each contract: begun, acknowledged, and refused of all */
    size_t sent[TRIAL_CONTRACTS], refused, open;
};

/* Starts the nodes, waits for a full mesh, and puts so many maps that every node follows. */
void trial_start(struct trial *self, size_t contracts, uint64_t seed);
void trial_end(struct trial *self);

/* Returns after how many ms all are equal again: the same contracts with the same fingerprints at
 * all nodes; -1 when that takes more than limit_ms. Fails the test when the two sides were not
 * apart, or when something that was acknowledged is missing then. */
int64_t trial_fault(struct trial *self, const struct fault *fault, int limit_ms);

/* In µs; of how many. */
struct spread {
    uint64_t p50_us, p99_us, longest_us, round_trip_us;
    size_t count;
};
/* So many updates, one after the other at nodes in turn: from the call at one node's client to the
 * notification of each client that follows, the writer's own too. round_trip_us: the median of what
 * the nodes measured of each other. */
struct spread trial_spread(struct trial *self, size_t updates);

#endif
