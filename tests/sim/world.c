#include "tests/sim/world_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

/* --- running ----------------------------------------------------------------------------- */

void world_set_ready(void *world, size_t node)
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
    world_set_ready(self, node);
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
    if (drive_is_cut(node->drive)) {
        self->options.on_power_lost(self->options.player, node->number);
        return;
    }
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
                                        .wake = world_set_ready};
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
        drive_destroy(&self->nodes[i]->drive);
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
