/* world: many nodes in one thread, on one virtual clock, over a virtual network; the handlers are
 * the node's own, the stores real ones. All that happens follows from the seed.
 *
 * A node is a number. It has a machine (wires.h), a disk (drive.h), an identity and clients; its
 * process can be started, killed, stopped with a goodbye, paused, slowed down, and started again.
 *
 *   world.c   the clock, who runs when          world_node.c   a node's life */
#ifndef WEIR_TESTS_WORLD_H
#define WEIR_TESTS_WORLD_H

#include "tests/sim/drive.h"
#include "tests/sim/wires.h"
#include "tests/sim/trace_log.h"
#include "tests/support/far_clients.h"
#include "tests/support/stage.h"

typedef struct world world_t;

enum { WORLD_GATEWAYS_MAX = 4 };

struct world_options {
    uint64_t seed;
    size_t nodes_max;
    uint64_t latency_min_us, latency_max_us, jitter_us;
    size_t window_bytes;
    uint64_t bytes_a_second;
    uint64_t worker_delay_us; /* at most, between workers of a node; 0: no time passes there */
    uint64_t flush_delay_us;  /* at most, for the journal and the checkpoint */
    uint64_t map_bytes, log_segment_bytes;
    FILE *echo; /* of the trace; NULL: it is only kept */
    void *player;
    /* Called before a message is handled; after a run in which a client was sent something. */
    void (*on_message)(void *player, size_t node, const struct message *message);
    void (*on_sent)(void *player, size_t node);
    /* After world_cut_power_at: it went. The node is to be ended with world_kill, by this. */
    void (*on_power_lost)(void *player, size_t node);
    /* Its store could not be opened. NULL: that ends the program. */
    void (*on_no_start)(void *player, size_t node, const struct reason *why);
};

world_t *world_new(const struct world_options *options);
void world_destroy(world_t **self);

/* Adds a node that knows these gateways (nodes; it is one itself if `gateway`). Not started. */
struct world_node {
    bool gateway, unreachable;
    size_t gateways[WORLD_GATEWAYS_MAX], gateways_count;
    int64_t wall_skew_ms;
};
size_t world_add(world_t *self, const struct world_node *node);

void world_start(world_t *self, size_t node);
/* power: its machine goes silent, and its disk is what a loss of power leaves */
void world_kill(world_t *self, size_t node, bool power);
void world_stop(world_t *self, size_t node); /* as on SIGTERM: with a goodbye */
/* As SIGSTOP and SIGCONT: its system still takes what is sent to it, as far as windows go. */
void world_pause(world_t *self, size_t node, bool paused);

/* The power is to go in the n-th call from now on in which the node changes its disk, or syncs. */
void world_cut_power_at(world_t *self, size_t node, uint64_t calls);
struct drive_counts world_drive_counts(const world_t *self); /* of all disks */

/* Each turn of this worker handles one message and takes so long, until its process ends; 0: it is
 * as quick as ever. */
void world_slow(world_t *self, size_t node, enum worker_id worker, uint64_t us);

/* Somebody sets its wall clock; the monotonic one goes on. */
void world_step_clock(world_t *self, size_t node, int64_t by_ms);

size_t world_nodes(const world_t *self); /* added */
bool world_is_up(const world_t *self, size_t node);
bool world_is_paused(const world_t *self, size_t node);

/* A client's request; what it is sent is taken by far_clients_take. */
void world_ask(world_t *self, size_t node, const char *client, const struct slice *frames,
               size_t count);
/* As an actor of this node would send it; given away. */
void world_send(world_t *self, size_t node, enum actor_id from, enum actor_id to,
                enum message_kind kind, struct message *message);
far_clients_t *world_clients(world_t *self, size_t node);
stage_t *world_stage(world_t *self, size_t node); /* NULL while it is down */
const struct node_id *world_id(const world_t *self, size_t node);
size_t world_find(const world_t *self, const struct node_id *id); /* SIZE_MAX: none */

/* The clock, in microseconds, and what is to happen on it. */
uint64_t world_us(const world_t *self);
void world_at(world_t *self, uint64_t us, agenda_fn *run, void *run_self, uint64_t a, uint64_t b);

/* One thing that happens at or before until_us; false: there is none, the clock is there. */
bool world_step(world_t *self, uint64_t until_us);
void world_run_ms(world_t *self, uint64_t ms);

wires_t *world_wires(world_t *self);
struct trace_log *world_trace(world_t *self);
uint64_t world_handled(const world_t *self); /* messages, in all */

#endif
