/* node_peers: what a node opens for its peers: the TCP sockets, who it says it is, whom it knows
 * from before. Between the options of a node and those of the actors `connections` and
 * `transport`. */
#ifndef WEIR_ACTORS_NODE_PEERS_H
#define WEIR_ACTORS_NODE_PEERS_H

#include "actors/cast.h"
#include "actors/identity.h"
#include "actors/known_peers.h"
#include "actors/node.h"
#include "actors/peer_tcp.h"

enum { GATEWAYS_MAX = 32 };

struct node_peers {
    peer_tcp_t *tcp;
    known_peers_t *known;
    struct peer_node gateways[GATEWAYS_MAX];
    size_t gateway_count;
    const char *bound; /* HOST:PORT, or "none" */
};

/* Can these options be? Opens nothing; keeps the gateways. Zero-initialise before. ERR_BAD_REQUEST
 * for an address or gateway that cannot be, ERR_TOO_LARGE for too many. */
MUST_USE int node_peers_check(struct node_peers *self, const struct node_peer_options *options,
                              struct reason *why);

/* Opens the sockets, reads the list of known peers; options were checked. ERR_IO when it cannot
 * listen; node_peers_close in every case. data_dir and options are borrowed until then. */
MUST_USE int node_peers_open(struct node_peers *self, const struct node_peer_options *options,
                             const char *data_dir, struct reason *why);

/* Fills in the parts of cast that are about peers. */
void node_peers_cast(struct node_peers *self, const struct node_peer_options *options,
                     const struct identity *identity, struct cast_options *cast);

/* The actors that use it are gone. */
void node_peers_close(struct node_peers *self);

#endif
