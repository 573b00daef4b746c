/* fake_peer: one end of a connection to a real node that shakes hands as a peer does and then says
 * nothing more: for what a process of ours would not do. */
#ifndef WEIR_TESTS_SUPPORT_FAKE_PEER_H
#define WEIR_TESTS_SUPPORT_FAKE_PEER_H

#include "base/base58.h"
#include "base/buffer.h"
#include "proto/handshake.h"
#include "proto/session.h"

struct fake_peer {
    uint8_t secret_key[32], public_key[32];
    char id[BASE58_TEXT_MAX];
};

/* Draws its keys. */
void fake_peer_init(struct fake_peer *self);

/* What a joiner says first to the node of this id; appended. Anyone could have recorded it. */
void fake_peer_first_words(const struct fake_peer *self, const char *node_id, struct buffer *out);

/* Connects to the node of this id (text) at HOST:PORT on the loopback, up to and with the first
 * record; fails the test when the node refuses. It tells no address. Returns the socket; session is
 * NULL or gets what to speak on with, the caller's. */
int fake_peer_join(const struct fake_peer *self, const char *node_id, const char *address,
                   session_t **session);

/* The last record, as a node that stops sends it; the socket stays open. */
void fake_peer_say_goodbye(int fd, session_t *session);

/* Closes it with a reset. */
void fake_peer_reset(int fd);

#endif
