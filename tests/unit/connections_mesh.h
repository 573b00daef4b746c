/* connections_mesh: many connections actors on one virtual clock, over a transport that the test
 * is: it opens, carries and closes as transport.h says, with a latency, and can lose nodes in all
 * the ways that nodes go. */
#ifndef WEIR_TESTS_CONNECTIONS_MESH_H
#define WEIR_TESTS_CONNECTIONS_MESH_H

#include "actors/connections_state.h"

enum { MESH_NODES_MAX = 256, MESH_LATENCY_MS = 5 };

struct mesh_node_options {
    bool gateway_role;
    bool no_address;  /* it tells no address: it cannot be dialled */
    bool unreachable; /* it tells one, and dials to it fail */
    size_t peers_max;
    const size_t *gateways; /* indices */
    size_t gateway_count;
    const size_t *known;
    size_t known_count;
};

typedef struct mesh mesh_t;

mesh_t *mesh_new(uint64_t seed);
void mesh_destroy(mesh_t **self);

/* A node, not started. Its id is drawn from the seed. */
size_t mesh_add(mesh_t *self, const struct mesh_node_options *options);
/* Before mesh_start: makes the ids of these nodes stand in ascending order. */
void mesh_order_ids(mesh_t *self, const size_t *nodes, size_t count);
void mesh_start(mesh_t *self, size_t node); /* also again, after it went */

/* It goes: its process dies (the others' sockets are reset), says goodbye first, or the machine is
 * gone without a word. */
void mesh_kill(mesh_t *self, size_t node);
void mesh_leave(mesh_t *self, size_t node);
void mesh_vanish(mesh_t *self, size_t node);
void mesh_freeze(mesh_t *self, size_t node, bool frozen);  /* SIGSTOP, SIGCONT */
void mesh_cut(mesh_t *self, size_t a, size_t b, bool cut); /* dials fail; open connections reset */
/* Records to the node are not read, since its window is full. */
void mesh_pause_reading(mesh_t *self, size_t node, bool paused);

void mesh_run(mesh_t *self, uint64_t ms);
uint64_t mesh_now(const mesh_t *self);

const struct connections *mesh_node(const mesh_t *self, size_t node); /* NULL: not running */
struct node_id mesh_id(const mesh_t *self, size_t node);
const char *mesh_address(const mesh_t *self, size_t node);

/* Connections between two nodes that both ends hold for live. */
size_t mesh_live(const mesh_t *self, size_t a, size_t b);
/* Which of them dialled the live one. */
size_t mesh_dialler(const mesh_t *self, size_t a, size_t b);
size_t mesh_live_count(const mesh_t *self, size_t node);

/* Sums over all runs of all nodes. */
uint64_t mesh_dials(const mesh_t *self);
uint64_t mesh_failed(const mesh_t *self);
uint64_t mesh_closed(const mesh_t *self, enum close_reason reason);

/* An operator's request; the reply is kept until the next for this node. NULL: none yet. */
void mesh_ask(mesh_t *self, size_t node, enum verb verb, const char *argument);
const struct request *mesh_reply(const mesh_t *self, size_t node);
/* The reply's JSON, terminated; "" without. Lives until the next call. */
const char *mesh_json(const mesh_t *self, size_t node);

/* From this node's view, greedily: the node where a request for the place ends. */
size_t mesh_route(const mesh_t *self, size_t from, place_t place, size_t *hops);

/* Told live less told gone, as another actor of the node counts them. */
size_t mesh_told_live(const mesh_t *self, size_t node);

#endif
