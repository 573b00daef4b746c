/* world_state: what world.c (the clock, making) and world_node.c (a node's life) share. */
#ifndef WEIR_TESTS_WORLD_STATE_H
#define WEIR_TESTS_WORLD_STATE_H

#include "actors/identity.h"
#include "tests/sim/drive.h"
#include "tests/sim/world.h"
#include "tests/support/scratch.h"

enum { REMEMBERED_MAX = 64 };

struct node {
    struct world *world;
    size_t number;
    struct world_node setup;
    char dir[SCRATCH_PATH_MAX + 16];
    struct identity identity;
    struct node_id id;
    struct dice dice;
    drive_t *drive;
    stage_t *stage;
    far_clients_t *clients;
    uint64_t sent;    /* messages to clients, seen by the player */
    uint64_t wake_us; /* the earliest appointment; NEVER: none */
    uint64_t handled; /* by former stages */
    struct remembered {
        struct peer_node nodes[REMEMBERED_MAX]; /* their address points at addresses */
        char addresses[REMEMBERED_MAX][PEER_ADDRESS_BYTES_MAX];
        size_t count;
    } known; /* as in a node's file */
    bool ready, paused;
};

struct world {
    struct world_options options;
    char dir[SCRATCH_PATH_MAX];
    uint64_t us;
    struct agenda agenda;
    wires_t *wires;
    struct trace_log trace;
    struct node **nodes; /* owned */
    size_t nodes_count;
    size_t *ready; /* owned: a ring of nodes to run */
    size_t ready_first, ready_count;
};

/* The node is run as soon as the clock allows it. */
void world_set_ready(void *world, size_t node);

#endif
