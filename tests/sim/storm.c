#include "tests/sim/play.h"

#include <stdlib.h>

/* A fault begins at once and ends by an appointment, unless the storm ended before. */

static uint64_t after_ms(struct play *self, uint64_t low, uint64_t high)
{
    return world_us(self->world) + 1000 * dice_between(&self->dice, low, high);
}

static void note(struct play *self, size_t node, const char *what, uint64_t detail)
{
    trace_log_note(world_trace(self->world), world_us(self->world), node, what, detail);
}

static size_t any_node(struct play *self)
{
    return dice_below(&self->dice, self->nodes_count);
}

/* --- ways -------------------------------------------------------------------------------- */

static void unblock(void *play, uint64_t from, uint64_t to)
{
    struct play *self = (struct play *)play;
    if (!wires_blocked(world_wires(self->world), from, to))
        return;
    note(self, from, "unblock the way to", to);
    wires_block(world_wires(self->world), from, to, false);
}

static void block(struct play *self, size_t from, size_t to, uint64_t until_us)
{
    if (from == to)
        return;
    note(self, from, "block the way to", to);
    wires_block(world_wires(self->world), from, to, true);
    world_at(self->world, until_us, unblock, self, from, to);
}

static void cut(struct play *self)
{
    size_t a = any_node(self), b = any_node(self);
    uint64_t until_us = after_ms(self, 500, 40000);
    block(self, a, b, until_us);
    block(self, b, a, until_us);
}

static void one_way(struct play *self)
{
    size_t a = any_node(self);
    block(self, a, any_node(self), after_ms(self, 500, 30000));
}

static void partition(struct play *self)
{
    uint64_t sides = dice_throw(&self->dice), until_us = after_ms(self, 2000, 40000);
    for (size_t a = 0; a < self->nodes_count; a++)
        for (size_t b = 0; b < self->nodes_count; b++)
            if ((sides >> a & 1) != (sides >> b & 1))
                block(self, a, b, until_us);
}

static void reset(struct play *self)
{
    size_t a = any_node(self), b = any_node(self);
    note(self, a, "reset the connections with", b);
    (void)wires_reset(world_wires(self->world), a, b);
}

/* --- processes --------------------------------------------------------------------------- */

static void start(void *play, uint64_t node, uint64_t unused)
{
    struct play *self = (struct play *)play;
    (void)unused;
    if (!self->nodes[node].left)
        play_start_node(self, node);
}

static void end_for_a_while(struct play *self, enum play_end how, uint64_t most_ms)
{
    size_t node = any_node(self);
    play_end_node(self, node, how);
    world_at(self->world, after_ms(self, 1, most_ms), start, self, node, 0);
}

static void kill_it(struct play *self)
{
    end_for_a_while(self, END_kill, 10000);
}

static void switch_it_off(struct play *self)
{
    end_for_a_while(self, END_power, 40000);
}

static void stop_it(struct play *self)
{
    end_for_a_while(self, END_goodbye, 10000);
}

static void go_on(void *play, uint64_t node, uint64_t unused)
{
    struct play *self = (struct play *)play;
    (void)unused;
    if (!world_is_paused(self->world, node))
        return;
    self->nodes[node].stood_until_us = world_us(self->world);
    world_pause(self->world, node, false);
}

static void pause_it(struct play *self)
{
    size_t node = any_node(self);
    world_pause(self->world, node, true);
    world_at(self->world, after_ms(self, 100, 30000), go_on, self, node, 0);
}

/* --- members ----------------------------------------------------------------------------- */

static size_t members(const struct play *self)
{
    size_t count = 0;
    for (size_t i = 0; i < self->nodes_count; i++)
        count += !self->nodes[i].left;
    return count;
}

static void leave(struct play *self)
{
    size_t node = any_node(self);
    if (self->nodes[node].gateway || self->nodes[node].left || members(self) <= 4 ||
        !world_is_up(self->world, node))
        return;
    note(self, node, "leaves for good", 0);
    for (struct played_op *op = self->ops; op; op = op->next) /* it may be alone with them */
        op->waived |=
            op->node == node || (op->acknowledged && !claims_had_elsewhere(self, op, node));
    play_end_node(self, node, END_goodbye);
    self->left = self->nodes[node].left = true;
}

static void join(struct play *self)
{
    if (self->options.nodes != 1 && self->nodes_count < PLAY_NODES_MAX && members(self) < 12)
        play_start_node(self, play_add_node(self, false));
}

void storm_strike(struct play *self)
{
    static void (*const faults[])(struct play *) = {
        cut,     cut,     one_way,       partition, reset,    reset, kill_it,
        kill_it, stop_it, switch_it_off, pause_it,  pause_it, leave, join,
    };
    faults[dice_below(&self->dice, sizeof faults / sizeof faults[0])](self);
}

void storm_end(struct play *self)
{
    wires_unblock_all(world_wires(self->world));
    for (size_t node = 0; node < self->nodes_count; node++) {
        go_on(self, node, 0);
        start(self, node, 0);
    }
}
