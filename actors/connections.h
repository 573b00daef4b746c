/* connections: the only truth about who is live. One table of peers keyed by node id, whatever
 * ports they come from (lesson D6); transport knows connections by number and asks here who may
 * stay.
 *
 * It decides whom this node wants (gateways, pinned peers, ring neighbours, far links, everybody in
 * a small network), which side dials (docs/decisions/0014-who-dials.md), which of two connections
 * to one peer is kept, when one is dead, and when to dial again. It tells all others of the node
 * who is live (PEER_LIVE, PEER_GONE), and those who choose among them who of these says nothing
 * (PEER_SILENT); nobody else dials (lesson L1).
 *
 * A pure handler: the time comes with each message, random numbers from the seed. It is to be
 * hosted on the worker of transport, whose counters (struct peer_traffic) it reads. */
#ifndef WEIR_ACTORS_CONNECTIONS_H
#define WEIR_ACTORS_CONNECTIONS_H

#include "actors/actor.h"

struct connections_options {
    struct node_id id;
    /* What others are told to dial, HOST:PORT; NULL or "": this node cannot be dialled, so it
     * dials whatever its id is (lesson D4). Host 0.0.0.0 or [::]: the host that they see. */
    const char *address;
    uint8_t role; /* 0 peer, 1 gateway */
    bool alone;   /* there is no transport: nobody is dialled */
    const struct peer_node *gateways;
    size_t gateway_count;
    const struct peer_node *known; /* from a former run; tried as what other peers tell is */
    size_t known_count;
    size_t peers_max; /* besides gateways and pinned peers; 0: PEERS_MAX_DEFAULT */
    uint64_t seed;
    /* Called when the peers worth knowing after a restart have changed, at most each
     * REMEMBER_EVERY_MS and at connections_destroy; NULL: never. Nodes are borrowed. */
    void *remember_for;
    void (*remember)(void *remember_for, const struct peer_node *nodes, size_t count);
};

typedef struct connections connections_t;

/* Copies what it needs of the options. NULL without memory. */
connections_t *connections_new(const struct connections_options *options);
void connections_destroy(connections_t **self);

/* Does this node know of any other: a gateway, or a peer of a former run? (`networked`) */
bool connections_is_networked(const struct connections_options *options);

extern const struct actor_spec connections_spec;

#endif
