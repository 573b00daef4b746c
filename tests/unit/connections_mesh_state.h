/* connections_mesh_state: what a mesh_t is, for the files that make it up.
 *
 *   connections_mesh.c         the transport between the nodes, and time
 *   connections_mesh_events.c  what is to come, by time
 *   connections_mesh_nodes.c   nodes that come and go
 *   connections_mesh_shown.c   what a test looks at, and what operators ask */
#ifndef WEIR_TESTS_CONNECTIONS_MESH_STATE_H
#define WEIR_TESTS_CONNECTIONS_MESH_STATE_H

#include "tests/unit/connections_mesh.h"

enum { SIDES = 2, TOLD_MAX = 512 };

/* A connection with its two ends. */
struct wire {
    struct end {
        size_t node;
        unsigned run; /* which run of the node */
        peer_t number;
        bool dialler, opened, admitted, closed;
        struct peer_traffic *traffic;
        struct mail waiting; /* until ADMIT */
    } ends[SIDES];
    struct wire *next;
};

struct node {
    struct mesh_node_options options;
    struct node_id id;
    char address[32];
    connections_t *actor;
    bool frozen, vanished, not_reading;
    unsigned run;
    peer_t last_inbound;
    struct request *reply;
    peer_t told[TOLD_MAX]; /* live, as other actors know */
    size_t told_count;
    struct mail while_frozen;
    struct wire **by_number; /* of this run; NULL in places that have none */
    size_t by_number_count;
};

enum event_kind { EVENT_open, EVENT_mail, EVENT_close, EVENT_fail };

struct event {
    uint64_t at_ms, order;
    enum event_kind kind;
    struct wire *wire;
    int side;
    struct peer_send *send;
    enum close_reason reason;
    peer_t number; /* of EVENT_fail */
    size_t node;
    unsigned run;
};

struct mesh {
    struct node nodes[MESH_NODES_MAX];
    size_t count;
    struct event *heap;
    size_t heap_count, heap_capacity;
    uint64_t order, now_ms, random;
    struct wire *wires;
    bool cut[MESH_NODES_MAX][MESH_NODES_MAX];
    uint64_t dials, failed, closed[CLOSE_REASON_COUNT]; /* of runs that ended */
    char json[1 << 16];
};

/* --- connections_mesh_events.c --- */

struct now mesh_now_of(const mesh_t *self);
uint64_t mesh_random(mesh_t *self);

/* The event comes so much later, behind those that were to come then before. */
void mesh_schedule(mesh_t *self, uint64_t in_ms, struct event event);
/* Takes the first out. There has to be one. */
struct event mesh_take_event(mesh_t *self);

/* --- connections_mesh.c --- */

/* A message for a node's actor, given away; what the actor sends is carried. */
void mesh_deliver(mesh_t *self, size_t node, enum message_kind kind, struct message *message);
/* Is the run of the node that has this end still going? */
bool mesh_is_running(const mesh_t *self, const struct end *end);
/* The node's connection of this number in its present run, and which of its ends; NULL: none. */
struct wire *mesh_wire_of(const mesh_t *self, size_t node, peer_t number, int *side);

#endif
