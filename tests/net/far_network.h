/* far_network: weir processes that are a network, each in a space of its own, a relay between. */
#ifndef NET_FAR_NETWORK_H
#define NET_FAR_NETWORK_H

#include "tests/net/relay.h"
#include "tests/support/network.h"

struct far_network {
    struct spaces spaces;
    relay_t *relay;
    struct network network;
};

/* Starts so many, with the same rules for all ways, and waits for a full mesh. They log errors
 * only, unless $LOG_LEVEL says otherwise. seed: the relay's. */
void far_network_start(struct far_network *self, size_t count, const struct line_rules *rules,
                       uint64_t seed);
void far_network_end(struct far_network *self);

/* Starts one again. */
void far_network_node_start(struct far_network *self, size_t node);

#endif
