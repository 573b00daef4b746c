/* connections_net: many connections actors on one virtual clock, over a transport that the test is:
 * it opens, carries and closes as transport.h says, with a latency, and can lose nodes in all the
 * ways that nodes go. */
#ifndef WEIR_TESTS_CONNECTIONS_NET_H
#define WEIR_TESTS_CONNECTIONS_NET_H

#include "actors/connections_state.h"

enum { NET_NODES_MAX = 256, NET_LATENCY_MS = 5 };

struct net_node_options {
    bool gateway_role;
    bool no_address;  /* it tells no address: it cannot be dialled */
    bool unreachable; /* it tells one, and dials to it fail */
    size_t peers_max;
    const size_t *gateways; /* indices */
    size_t gateway_count;
    const size_t *known;
    size_t known_count;
};

typedef struct net net_t;

net_t *net_new(uint64_t seed);
void net_destroy(net_t **self);

/* A node, not started. Its id is drawn from the seed. */
size_t net_add(net_t *self, const struct net_node_options *options);
/* Before net_start: makes the ids of these nodes stand in ascending order. */
void net_order_ids(net_t *self, const size_t *nodes, size_t count);
void net_start(net_t *self, size_t node); /* also again, after it went */

/* It goes: its process dies (the others' sockets are reset), says goodbye first, or the machine is
 * gone without a word. */
void net_kill(net_t *self, size_t node);
void net_leave(net_t *self, size_t node);
void net_vanish(net_t *self, size_t node);
void net_freeze(net_t *self, size_t node, bool frozen);  /* SIGSTOP, SIGCONT */
void net_cut(net_t *self, size_t a, size_t b, bool cut); /* dials fail; open connections reset */
/* Records to the node are not read, since its window is full. */
void net_pause_reading(net_t *self, size_t node, bool paused);

void net_run(net_t *self, uint64_t ms);
uint64_t net_now(const net_t *self);

const struct connections *net_node(const net_t *self, size_t node); /* NULL: not running */
struct node_id net_id(const net_t *self, size_t node);
const char *net_address(const net_t *self, size_t node);

/* Connections between two nodes that both ends hold for live. */
size_t net_live(const net_t *self, size_t a, size_t b);
/* Which of them dialled the live one. */
size_t net_dialler(const net_t *self, size_t a, size_t b);
size_t net_live_count(const net_t *self, size_t node);

/* Sums over all runs of all nodes. */
uint64_t net_dials(const net_t *self);
uint64_t net_failed(const net_t *self);
uint64_t net_closed(const net_t *self, enum close_reason reason);

/* An operator's request; the reply is kept until the next for this node. NULL: none yet. */
void net_ask(net_t *self, size_t node, enum verb verb, const char *argument);
const struct request *net_reply(const net_t *self, size_t node);
/* The reply's JSON, terminated; "" without. Lives until the next call. */
const char *net_json(const net_t *self, size_t node);

/* From this node's view, greedily: the node where a request for the place ends. */
size_t net_route(const net_t *self, size_t from, place_t place, size_t *hops);

/* Told live less told gone, as another actor of the node counts them. */
size_t net_told_live(const net_t *self, size_t node);

#endif
