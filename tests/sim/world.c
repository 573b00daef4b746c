#include "tests/sim/world.h"

#include "actors/identity.h"
#include "tests/support/scratch.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const int64_t world_wall_ms = 1700000000000;
enum {
    CLOCK_STEP_MS = 1000000,
    REMEMBERED_MAX = 64
}; /* machines were not switched on at the same time */

struct node {
    struct world *world;
    size_t number;
    struct world_node setup;
    char dir[SCRATCH_PATH_MAX + 16];
    struct identity identity;
    struct node_id id;
    struct dice dice;
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

/* --- running ----------------------------------------------------------------------------- */

static void set_ready(void *world, size_t node)
{
    struct world *self = (struct world *)world;
    struct node *n = self->nodes[node];
    if (n->ready || !n->stage)
        return;
    n->ready = true;
    self->ready[(self->ready_first + self->ready_count++) % self->options.nodes_max] = node;
}

static void wake(void *world, uint64_t node, uint64_t unused)
{
    struct world *self = (struct world *)world;
    struct node *n = self->nodes[node];
    (void)unused;
    if (n->wake_us > self->us) /* another was made since */
        return;
    n->wake_us = NEVER;
    set_ready(self, node);
}

static void schedule(struct world *self, struct node *node)
{
    uint64_t us = stage_wake_us(node->stage);
    if (us >= node->wake_us)
        return;
    node->wake_us = us;
    agenda_add(&self->agenda, us, wake, self, node->number, 0);
}

static void run_node(struct world *self, struct node *node)
{
    node->ready = false;
    if (!node->stage || node->paused)
        return;
    stage_run(node->stage, self->us);
    schedule(self, node);
    if (far_clients_sent(node->clients) == node->sent)
        return;
    node->sent = far_clients_sent(node->clients);
    if (self->options.on_sent)
        self->options.on_sent(self->options.player, node->number);
}

bool world_step(world_t *self, uint64_t until_us)
{
    struct appointment next;
    if (self->ready_count) {
        struct node *node = self->nodes[self->ready[self->ready_first]];
        self->ready_first = (self->ready_first + 1) % self->options.nodes_max;
        self->ready_count--;
        run_node(self, node);
        return true;
    }
    if (!agenda_take(&self->agenda, until_us, &next)) {
        self->us = until_us;
        return false;
    }
    self->us = next.us;
    next.run(next.self, next.a, next.b);
    return true;
}

void world_run_ms(world_t *self, uint64_t ms)
{
    uint64_t until_us = self->us + ms * 1000;
    while (world_step(self, until_us))
        ;
}

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
    if (stage_new(&options, self->us, &node->stage, &why) != 0)
        give_up("start of a node", &why);
    trace_log_note(&self->trace, self->us, number, "start", 0);
    node->sent = 0;
    node->wake_us = NEVER;
    set_ready(self, number);
}

static void end_stage(struct node *node)
{
    node->handled += stage_handled(node->stage);
    stage_destroy(&node->stage);
    far_clients_destroy(&node->clients);
    node->paused = false;
}

void world_kill(world_t *self, size_t number, bool power)
{
    struct node *node = self->nodes[number];
    if (!node->stage)
        return;
    trace_log_note(&self->trace, self->us, number, power ? "power off" : "kill", 0);
    wires_kill(self->wires, number, power); /* first: the actors get no word out any more */
    end_stage(node);
}

void world_stop(world_t *self, size_t number)
{
    struct node *node = self->nodes[number];
    if (!node->stage)
        return;
    trace_log_note(&self->trace, self->us, number, "stop", 0);
    end_stage(node);
    wires_kill(self->wires, number, false);
}

void world_pause(world_t *self, size_t number, bool paused)
{
    struct node *node = self->nodes[number];
    if (!node->stage || node->paused == paused)
        return;
    trace_log_note(&self->trace, self->us, number, paused ? "pause" : "resume", 0);
    node->paused = paused;
    if (!paused)
        set_ready(self, number);
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
    set_ready(self, node);
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

/* --- making ------------------------------------------------------------------------------ */

/* A store has some files open; a thousand of them are more than a shell allows by default. */
static void allow_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

world_t *world_new(const struct world_options *options)
{
    struct world *self = (struct world *)calloc(1, sizeof *self);
    if (!self)
        abort();
    allow_files();
    dice_for_sodium();
    dice_seed_sodium(options->seed);
    self->options = *options;
    scratch_make(self->dir);
    trace_log_init(&self->trace, options->echo);
    self->nodes = (struct node **)calloc(options->nodes_max, sizeof *self->nodes);
    self->ready = (size_t *)calloc(options->nodes_max, sizeof *self->ready);
    if (!self->nodes || !self->ready)
        abort();
    const struct wires_options wires = {.agenda = &self->agenda,
                                        .us = &self->us,
                                        .seed = options->seed,
                                        .machines_max = options->nodes_max,
                                        .latency_min_us = options->latency_min_us,
                                        .latency_max_us = options->latency_max_us,
                                        .jitter_us = options->jitter_us,
                                        .window_bytes = options->window_bytes,
                                        .bytes_a_second = options->bytes_a_second,
                                        .owner = self,
                                        .wake = set_ready};
    self->wires = wires_new(&wires);
    return self;
}

void world_destroy(world_t **pointer)
{
    struct world *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    for (size_t i = 0; i < self->nodes_count; i++) {
        stage_destroy(&self->nodes[i]->stage);
        far_clients_destroy(&self->nodes[i]->clients);
        free(self->nodes[i]);
    }
    wires_destroy(&self->wires);
    agenda_free(&self->agenda);
    trace_log_free(&self->trace);
    scratch_remove(self->dir);
    free(self->nodes);
    free(self->ready);
    free(self);
}

uint64_t world_us(const world_t *self)
{
    return self->us;
}

void world_at(world_t *self, uint64_t us, agenda_fn *run, void *run_self, uint64_t a, uint64_t b)
{
    agenda_add(&self->agenda, us, run, run_self, a, b);
}

wires_t *world_wires(world_t *self)
{
    return self->wires;
}

struct trace_log *world_trace(world_t *self)
{
    return &self->trace;
}

uint64_t world_handled(const world_t *self)
{
    uint64_t handled = 0;
    for (size_t i = 0; i < self->nodes_count; i++) {
        const struct node *node = self->nodes[i];
        handled += node->handled + (node->stage ? stage_handled(node->stage) : 0);
    }
    return handled;
}
