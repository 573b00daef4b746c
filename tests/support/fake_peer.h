/* fake_peer: one end of a connection to a real node that shakes hands as a peer does and then says
 * nothing more: for what a process of ours would not do. */
#ifndef WEIR_TESTS_SUPPORT_FAKE_PEER_H
#define WEIR_TESTS_SUPPORT_FAKE_PEER_H

#include "base/base58.h"
#include "proto/handshake.h"

struct fake_peer {
    uint8_t secret_key[32], public_key[32];
    char id[BASE58_TEXT_MAX];
};

/* Draws its keys. */
void fake_peer_init(struct fake_peer *self);

/* Connects to the node of this id (text) at HOST:PORT on the loopback, up to and with the first
 * record; fails the test when the node refuses. It tells no address. Returns the socket. */
int fake_peer_join(const struct fake_peer *self, const char *node_id, const char *address);

/* Closes it with a reset. */
void fake_peer_reset(int fd);

#endif
