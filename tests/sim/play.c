#include "tests/sim/play.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void play_fail(struct play *self, const char *format, ...)
{
    va_list args;
    if (self->failed)
        return;
    self->failed = true;
    va_start(args, format);
    (void)vsnprintf(self->why, sizeof self->why, format, args);
    va_end(args);
}

/* --- nodes ------------------------------------------------------------------------------- */

size_t play_add_node(struct play *self, bool gateway)
{
    bool unreachable = !gateway && dice_one_in(&self->dice, 6);
    struct world_node node = {.gateway = gateway,
                              .unreachable = unreachable,
                              .gateways_count = self->gateways_count,
                              .wall_skew_ms = (int64_t)dice_below(&self->dice, 10000) - 5000};
    memcpy(node.gateways, self->gateways, sizeof node.gateways);
    size_t number = world_add(self->world, &node);
    self->nodes[number] =
        (struct played_node){.number = number, .gateway = gateway, .unreachable = unreachable};
    self->nodes_count = number + 1;
    if (gateway)
        self->gateways[self->gateways_count++] = number;
    return number;
}

void play_start_node(struct play *self, size_t node)
{
    if (world_is_up(self->world, node))
        return;
    self->nodes[node].life++;
    world_start(self->world, node);
    if (world_is_up(self->world, node))
        claims_started(self, node);
}

void play_end_node(struct play *self, size_t node, enum play_end how)
{
    struct played_node *n = &self->nodes[node];
    if (!world_is_up(self->world, node))
        return;
    clients_forget(self, node);
    if (how == END_goodbye)
        world_stop(self->world, node);
    else
        world_kill(self->world, node, how == END_power);
    memset(n->known, 0, sizeof n->known);
    n->known_count = n->live_count = 0;
    n->slow = false;
}

/* --- phases ------------------------------------------------------------------------------ */

static void run_ms(struct play *self, uint64_t ms)
{
    uint64_t until_us = world_us(self->world) + ms * 1000;
    while (!self->failed && world_step(self->world, until_us))
        ;
}

static void start_late(void *play, uint64_t node, uint64_t unused)
{
    (void)unused;
    play_start_node((struct play *)play, node);
}

static void join_all(struct play *self)
{
    size_t count = self->options.nodes ? self->options.nodes : dice_between(&self->dice, 5, 8);
    size_t gateways = dice_between(&self->dice, 1, 2);
    for (size_t i = 0; i < count; i++) {
        bool gateway = i < gateways;
        size_t node = play_add_node(self, gateway);
        uint64_t late_us = gateway ? 0 : dice_below(&self->dice, 2000000);
        world_at(self->world, late_us, start_late, self, node, 0);
    }
    run_ms(self, JOIN_MS);
    claims_joined(self);
}

static void work(struct play *self, uint64_t ms)
{
    uint64_t now = world_us(self->world), until_us = now + ms * 1000;
    uint64_t strike_us = now + 1000 * dice_between(&self->dice, 100, 6000), look_us = now;
    while (!self->failed && now < until_us) {
        clients_ask_one(self);
        run_ms(self, dice_between(&self->dice, 1, 250));
        now = world_us(self->world);
        if (now >= look_us) {
            claims_in_time(self);
            look_us = now + 1000000;
        }
        if (self->options.faults && now >= strike_us) {
            storm_strike(self);
            strike_us = now + 1000 * dice_between(&self->dice, 100, self->pause_ms);
        }
    }
}

/* Until all is as it should be; how long that took. */
static uint64_t settle(struct play *self, uint64_t most_ms, uint64_t step_ms, const char *what)
{
    char why[300] = "";
    uint64_t ms = 0;
    while (!self->failed && !claims_at_rest(self, why, sizeof why)) {
        if (ms >= most_ms)
            play_fail(self, "%s after %llu s: %s", what, (unsigned long long)most_ms / 1000, why);
        if (self->options.echo)
            (void)fprintf(self->options.echo, "      -- %s: %s\n", what, why);
        run_ms(self, step_ms);
        ms += step_ms;
        claims_in_time(self);
    }
    return ms;
}

/* The network works as if nothing had been: nobody refuses, and what is said reaches everybody by
 * itself, not only when somebody compares. */
static uint64_t live(struct play *self)
{
    uint64_t last = self->ops_count;
    if (self->failed)
        return 0;
    clients_edit_all(self);
    uint64_t ms = settle(self, ALIVE_MS, 100, "a change is not everywhere");
    for (const struct played_op *op = self->ops; op && op->number >= last; op = op->next)
        if (!op->ok)
            play_fail(self, "at rest, n%zu refuses %s of k%04x (#%llu)", op->node,
                      client_verbs[op->verb].name,
                      trace_log_contract(&self->contracts[op->contract].contract.key),
                      (unsigned long long)op->number);
    return ms;
}

/* Everything is found from everywhere, and nobody dials any more (lesson D2). */
static void look_round(struct play *self)
{
    uint64_t last = self->ops_count;
    if (self->failed)
        return;
    clients_get_all(self);
    run_ms(self, GRACE_MS); /* who dialled out of turn is dialled back */
    self->dials = 0;
    run_ms(self, SETTLED_MS);
    for (const struct played_op *op = self->ops; op && op->number >= last; op = op->next)
        if (!op->ok)
            play_fail(self, "at rest, n%zu cannot get k%04x (#%llu)", op->node,
                      trace_log_contract(&self->contracts[op->contract].contract.key),
                      (unsigned long long)op->number);
    if (self->dials && !self->left)
        play_fail(self, "%llu dials at rest", (unsigned long long)self->dials);
    if (!self->left)
        claims_unconnected(self);
}

static void no_start(void *play, size_t node, const struct reason *why)
{
    play_fail((struct play *)play, "n%zu could not start: %s", node, why->text);
}

static void open_world(struct play *self)
{
    struct dice *dice = &self->dice;
    const struct world_options options = {
        .seed = self->options.seed,
        .nodes_max = PLAY_NODES_MAX,
        .latency_min_us = 100,
        .latency_max_us = dice_one_in(dice, 3) ? 150000 : 20000,
        .jitter_us = dice_one_in(dice, 2) ? 50000 : 0,
        .window_bytes = dice_one_in(dice, 3) ? 20000 : 262144,
        .bytes_a_second = dice_one_in(dice, 3) ? 200000 : 0,
        .worker_delay_us = dice_between(dice, 1, 200),
        .flush_delay_us = dice_between(dice, 1, 5000),
        .map_bytes = 1 << 20,
        .log_segment_bytes = 256 << 10,
        .echo = self->options.echo,
        .player = self,
        .on_message = claims_on_message,
        .on_sent = clients_hear,
        .on_power_lost = storm_power_lost,
        .on_no_start = no_start,
    };
    self->world = world_new(&options);
}

struct play_result play_run(const struct play_options *options, size_t rows, FILE *to)
{
    static struct play play; /* too large for a stack */
    struct play *self = &play;
    struct play_result result = {0};
    memset(self, 0, sizeof *self);
    self->options = *options;
    dice_seed(&self->dice, options->seed, 0x706c6179);
    open_world(self);
    clients_make_contracts(self);
    join_all(self);
    clients_put_all(self);
    storm_begin(self);
    work(self, options->storm_ms ? options->storm_ms : dice_between(&self->dice, 10000, 60000));
    storm_end(self);
    result.rest_ms = settle(self, REST_MS, 500, "not at rest");
    result.alive_ms = live(self);
    look_round(self);
    if (self->failed && to)
        trace_log_print(world_trace(self->world), rows, to);
    result.failed = self->failed;
    memcpy(result.why, self->why, sizeof result.why);
    result.hash = world_trace(self->world)->hash;
    result.handled = world_handled(self->world);
    result.virtual_ms = world_us(self->world) / 1000;
    result.ops = self->ops_count;
    result.answered = self->answered;
    result.refused = self->refused;
    result.notified = self->notified;
    memcpy(result.struck, self->struck, sizeof result.struck);
    result.echoed = self->echoed;
    result.drives = world_drive_counts(self->world);
    echo_free(self);
    clients_free(self);
    world_destroy(&self->world);
    return result;
}
