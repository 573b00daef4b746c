/* peer_tcp: the node's peer_wire: non-blocking TCP over IPv4 and IPv6, in one epoll set whose
 * descriptor the worker polls.
 *
 * Events are edge-triggered: each is told once, and the connection is read until it returns 0. A
 * close is told when all bytes before it have been read, a reset at once. When descriptors run out,
 * accepting pauses (ACCEPT_PAUSE_MS), it does not spin. Names are resolved by one thread of its
 * own. */
#ifndef WEIR_ACTORS_PEER_TCP_H
#define WEIR_ACTORS_PEER_TCP_H

#include "actors/peer_wire.h"
#include "base/errors.h"

typedef struct peer_tcp peer_tcp_t;

/* listen: HOST:PORT, an address or a name of this machine; IPv6 in brackets; port 0 takes a free
 * one; NULL: dials only. [::] takes IPv4 too. ERR_BAD_REQUEST for a text that is none, ERR_IO when
 * it cannot be bound. */
MUST_USE int peer_tcp_new(const char *listen, peer_tcp_t **tcp, struct reason *why);
void peer_tcp_destroy(peer_tcp_t **self);

/* Borrowed, as long as self lives. */
const struct peer_wire *peer_tcp_wire(const peer_tcp_t *self);

/* HOST:PORT as bound, the port known; "" without a listener. Borrowed. */
const char *peer_tcp_bound(const peer_tcp_t *self);

/* Is there such an address to listen on? Looks it up, binds nothing. ERR_BAD_REQUEST. */
MUST_USE int peer_tcp_check_listen(const char *listen, struct reason *why);

#endif
