/* load: contracts of several kinds that all nodes follow and write to while a soak lasts, and what
 * must be true of them in the end. States stay small: fields and elements are a few, logs keep
 * their newest. */
#ifndef SOAK_LOAD_H
#define SOAK_LOAD_H

#include "tests/sim/dice.h"
#include "tests/support/network.h"

enum { LOAD_CONTRACTS = 200, LOAD_NODES = 5 };

struct load;

/* A contract as one node's client sees it. */
struct follower {
    struct load *load;
    size_t contract, node;
    bool told;         /* `after` is set */
    uint8_t after[32]; /* the fingerprint that it was told last */
    bool ended;        /* its subscription is gone: to be made again */
};

struct load_contract {
    const char *kind;
    uint8_t key[32];
    /* maps: field "n<node>" is set to 1, 2, 3 … by that node alone; counters: 1 is added */
    uint64_t sent[LOAD_NODES], acked[LOAD_NODES];
    struct follower followers[LOAD_NODES];
};

struct load {
    struct network *network;
    struct dice dice;
    struct load_contract contracts[LOAD_CONTRACTS];
    size_t open;
    uint64_t sent, acked, refused, events, repairs, ended;
};

/* Puts the contracts, and has each node's client follow each. The network is borrowed. */
void load_start(struct load *self, struct network *network, uint64_t seed);

/* One write, at a node that runs. */
void load_write(struct load *self);

/* Subscribes again where a subscription ended; at nodes that run. */
void load_follow(struct load *self);

/* Do all nodes, and all that follow there, have the same? */
bool load_is_equal(struct load *self);

/* Tells, a line each, of some contracts that are not equal: what hosts and followers have. */
void load_tell_differences(struct load *self);

/* Fails the test when something that was acknowledged is not there. */
void load_check(struct load *self);

#endif
