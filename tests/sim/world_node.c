#include "tests/sim/world_state.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const int64_t world_wall_ms = 1700000000000;

/* Machines were not switched on at the same time. */
enum { CLOCK_STEP_MS = 1000000 };

static void watch(void *watcher, struct message *message)
{
    struct node *node = (struct node *)watcher;
    struct world *self = node->world;
    trace_log_message(&self->trace, self->us, node->number, message);
    if (self->options.on_message)
        self->options.on_message(self->options.player, node->number, message);
}

static uint64_t delay_us(void *watcher, enum worker_id to)
{
    struct node *node = (struct node *)watcher;
    bool disk = to == WORKER_journal || to == WORKER_checkpoint;
    const struct world_options *options = &node->world->options;
    return dice_below(&node->dice, 1 + (disk ? options->flush_delay_us : options->worker_delay_us));
}

/* --- nodes ------------------------------------------------------------------------------- */

static void give_up(const char *what, const struct reason *why)
{
    (void)fprintf(stderr, "%s: %s\n", what, why->text);
    abort();
}

/* Nothing that the actors still do gets out of the process. */
static void on_cut(void *owner)
{
    struct node *node = (struct node *)owner;
    if (node->stage)
        stage_halt(node->stage);
}

static void give_drive(struct world *self, struct node *node)
{
    char pool[SCRATCH_PATH_MAX + 16];
    (void)snprintf(pool, sizeof pool, "%s/disk%zu", self->dir, node->number);
    if (mkdir(pool, 0700) != 0)
        abort();
    node->drive = drive_new(&(struct drive_options){.dir = node->dir,
                                                    .pool = pool,
                                                    .seed = self->options.seed,
                                                    .stream = 500000 + node->number,
                                                    .owner = node,
                                                    .on_cut = on_cut});
}

size_t world_add(world_t *self, const struct world_node *setup)
{
    struct node *node = (struct node *)calloc(1, sizeof *node);
    struct reason why;
    if (!node || self->nodes_count == self->options.nodes_max)
        abort();
    node->world = self;
    node->setup = *setup;
    node->number = wires_add(self->wires, !setup->unreachable);
    node->wake_us = NEVER;
    (void)snprintf(node->dir, sizeof node->dir, "%s/n%zu", self->dir, node->number);
    if (mkdir(node->dir, 0700) != 0)
        abort();
    if (identity_load(node->dir, &node->identity, &why) != 0)
        give_up("identity", &why);
    memcpy(node->id.bytes, node->identity.public_key, sizeof node->id.bytes);
    give_drive(self, node);
    dice_seed(&node->dice, self->options.seed, 1000 + node->number);
    self->nodes[self->nodes_count++] = node;
    return node->number;
}

static void remember(void *remember_for, const struct peer_node *nodes, size_t count)
{
    struct remembered *known = &((struct node *)remember_for)->known;
    known->count = count < REMEMBERED_MAX ? count : REMEMBERED_MAX;
    for (size_t i = 0; i < known->count; i++) {
        struct slice address = nodes[i].address;
        if (address.size)
            memcpy(known->addresses[i], address.data, address.size);
        known->nodes[i] = nodes[i];
        known->nodes[i].address = slice_of(known->addresses[i], address.size);
    }
}

/* How a node is connected: borrows from the node, and from gateways. */
static struct connections_options connections_of(struct world *self, struct node *node,
                                                 struct peer_node gateways[WORLD_GATEWAYS_MAX])
{
    for (size_t i = 0; i < node->setup.gateways_count; i++) {
        size_t gateway = node->setup.gateways[i];
        gateways[i] = (struct peer_node){
            .role = 1, .address = slice_text(wires_address(self->wires, gateway))};
        memcpy(gateways[i].id, &self->nodes[gateway]->id, sizeof gateways[i].id);
    }
    return (struct connections_options){
        .id = node->id,
        .address = node->setup.unreachable ? NULL : wires_address(self->wires, node->number),
        .role = node->setup.gateway,
        .gateways = gateways,
        .gateway_count = node->setup.gateways_count,
        .known = node->known.nodes,
        .known_count = node->known.count,
        .seed = dice_throw(&node->dice),
        .remember_for = node,
        .remember = remember,
    };
}

static struct transport_options transport_of(struct world *self, const struct node *node)
{
    struct transport_options options = {
        .wire = wires_of(self->wires, node->number),
        .config = {.network = slice_text("sim"),
                   .version_min = PEER_PROTOCOL_MIN,
                   .version_max = PEER_PROTOCOL_MAX,
                   .role = node->setup.gateway ? ROLE_gateway : ROLE_peer}};
    memcpy(options.config.secret_key, node->identity.secret_key, 32);
    memcpy(options.config.public_key, node->identity.public_key, 32);
    if (!node->setup.unreachable)
        options.config.address = slice_text(wires_address(self->wires, node->number));
    return options;
}

void world_start(world_t *self, size_t number)
{
    struct node *node = self->nodes[number];
    struct peer_node gateways[WORLD_GATEWAYS_MAX];
    struct reason why;
    if (node->stage)
        return;
    node->clients = far_clients_new();
    const struct connections_options connections = connections_of(self, node, gateways);
    const struct transport_options transport = transport_of(self, node);
    struct stage_options options = {
        .cast = {.client_wire = far_clients_wire(node->clients),
                 .facts = {.id = node->identity.id,
                           .role = node->setup.gateway ? "gateway" : "peer",
                           .network = "sim",
                           .listen = wires_address(self->wires, node->number),
                           .advertised = connections.address ? connections.address : ""},
                 .id = node->id,
                 .state_bytes_max = STATE_BYTES_MAX,
                 .connections = connections,
                 .transport = transport,
                 .networked = connections_is_networked(&connections)},
        .dir = node->dir,
        .map_bytes = self->options.map_bytes,
        .log_segment_bytes = self->options.log_segment_bytes,
        .clock_ms = (int64_t)dice_below(&node->dice, CLOCK_STEP_MS) + 1,
        .wall_ms = world_wall_ms + node->setup.wall_skew_ms,
        .watcher = node,
        .watch = watch,
        .delay_us = self->options.worker_delay_us ? delay_us : NULL,
    };
    randombytes_buf(options.cast.replica, sizeof options.cast.replica);
    wires_start(self->wires, number);
    trace_log_note(&self->trace, self->us, number, "start", 0);
    if (stage_new(&options, self->us, &node->stage, &why) != 0) {
        if (!self->options.on_no_start)
            give_up("start of a node", &why);
        self->options.on_no_start(self->options.player, number, &why);
        wires_kill(self->wires, number, false);
        far_clients_destroy(&node->clients);
        return;
    }
    if (drive_is_cut(node->drive))
        stage_halt(node->stage);
    node->sent = 0;
    node->wake_us = NEVER;
    world_set_ready(self, number);
}

/* Its disk is then as after a kill, or a loss of power. */
static void end_stage(struct node *node, bool power)
{
    node->handled += stage_handled(node->stage);
    stage_destroy(&node->stage);
    far_clients_destroy(&node->clients);
    node->paused = false;
    if (drive_is_cut(node->drive))
        drive_settle(node->drive, power);
    drive_cut_at(node->drive, 0);
}

void world_kill(world_t *self, size_t number, bool power)
{
    struct node *node = self->nodes[number];
    if (!node->stage)
        return;
    trace_log_note(&self->trace, self->us, number, power ? "power off" : "kill", 0);
    wires_kill(self->wires, number, power); /* first: the actors get no word out any more … */
    drive_cut(node->drive);                 /* … and write no more */
    end_stage(node, power);
}

void world_stop(world_t *self, size_t number)
{
    struct node *node = self->nodes[number];
    if (!node->stage)
        return;
    trace_log_note(&self->trace, self->us, number, "stop", 0);
    end_stage(node, true); /* the power may go in the last of its calls */
    wires_kill(self->wires, number, false);
}

void world_cut_power_at(world_t *self, size_t number, uint64_t calls)
{
    trace_log_note(&self->trace, self->us, number, "power to go in call", calls);
    drive_cut_at(self->nodes[number]->drive, calls);
}

void world_slow(world_t *self, size_t number, enum worker_id worker, uint64_t us)
{
    struct node *node = self->nodes[number];
    if (!node->stage)
        return;
    trace_log_note(&self->trace, self->us, number, us ? "slow turns, us" : "quick turns", us);
    stage_slow(node->stage, worker, us);
    world_set_ready(self, number);
}

void world_step_clock(world_t *self, size_t number, int64_t by_ms)
{
    struct node *node = self->nodes[number];
    node->setup.wall_skew_ms += by_ms;
    trace_log_note(&self->trace, self->us, number, by_ms < 0 ? "clock back, s" : "clock on, s",
                   (uint64_t)(by_ms < 0 ? -by_ms : by_ms) / 1000);
    if (node->stage)
        stage_set_wall(node->stage, world_wall_ms + node->setup.wall_skew_ms);
}

void world_pause(world_t *self, size_t number, bool paused)
{
    struct node *node = self->nodes[number];
    if (!node->stage || node->paused == paused)
        return;
    trace_log_note(&self->trace, self->us, number, paused ? "pause" : "resume", 0);
    node->paused = paused;
    if (!paused)
        world_set_ready(self, number);
}

size_t world_nodes(const world_t *self)
{
    return self->nodes_count;
}

bool world_is_up(const world_t *self, size_t node)
{
    return self->nodes[node]->stage != NULL;
}

bool world_is_paused(const world_t *self, size_t node)
{
    return self->nodes[node]->paused;
}

void world_ask(world_t *self, size_t node, const char *client, const struct slice *frames,
               size_t count)
{
    far_clients_ask(self->nodes[node]->clients, client, frames, count);
    world_set_ready(self, node);
}

void world_send(world_t *self, size_t node, enum actor_id from, enum actor_id to,
                enum message_kind kind, struct message *message)
{
    stage_send(self->nodes[node]->stage, from, to, kind, message);
    world_set_ready(self, node);
}

far_clients_t *world_clients(world_t *self, size_t node)
{
    return self->nodes[node]->clients;
}

stage_t *world_stage(world_t *self, size_t node)
{
    return self->nodes[node]->stage;
}

const struct node_id *world_id(const world_t *self, size_t node)
{
    return &self->nodes[node]->id;
}

size_t world_find(const world_t *self, const struct node_id *id)
{
    for (size_t i = 0; i < self->nodes_count; i++)
        if (memcmp(id, &self->nodes[i]->id, sizeof *id) == 0)
            return i;
    return SIZE_MAX;
}

struct drive_counts world_drive_counts(const world_t *self)
{
    struct drive_counts all = {0};
    for (size_t i = 0; i < self->nodes_count; i++) {
        const struct drive_counts counts = drive_counts(self->nodes[i]->drive);
        all.calls += counts.calls;
        all.losses += counts.losses;
        all.torn += counts.torn;
        all.pending += counts.pending;
    }
    return all;
}
