/* probes: how long an update takes from one node to another by way of a third. */
#ifndef WEIR_TESTS_INTEGRATION_PROBES_H
#define WEIR_TESTS_INTEGRATION_PROBES_H

#include "tests/support/network.h"
#include "tests/support/measures.h"

struct probes {
    weir_t *ends[2]; /* clients of the two */
    uint8_t key[32];
    size_t told[2]; /* events at each of them */
    size_t taken;
    struct measures took_us; /* the caller's to free */
};

/* A contract at the third node's root, followed at both ends. */
void probes_begin(struct probes *self, struct network *network, size_t third, const size_t ends[2]);

/* An update at one end, until it is told at the other; by turns in both directions. */
void probes_take(struct probes *self);

#endif
