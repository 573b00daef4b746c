#include "tests/sim/play.h"

#include <stdlib.h>

/* A fault begins at once and ends by an appointment, unless the storm ended before. */

uint64_t storm_after_ms(struct play *self, uint64_t low, uint64_t high)
{
    return world_us(self->world) + 1000 * dice_between(&self->dice, low, high);
}

void storm_note(struct play *self, size_t node, const char *what, uint64_t detail)
{
    trace_log_note(world_trace(self->world), world_us(self->world), node, what, detail);
}

size_t storm_node(struct play *self)
{
    return dice_below(&self->dice, self->nodes_count);
}

/* --- ways -------------------------------------------------------------------------------- */

static void unblock(void *play, uint64_t from, uint64_t to)
{
    struct play *self = (struct play *)play;
    if (!wires_blocked(world_wires(self->world), from, to))
        return;
    storm_note(self, from, "unblock the way to", to);
    wires_block(world_wires(self->world), from, to, false);
}

static void block(struct play *self, size_t from, size_t to, uint64_t until_us)
{
    if (from == to)
        return;
    storm_note(self, from, "block the way to", to);
    wires_block(world_wires(self->world), from, to, true);
    world_at(self->world, until_us, unblock, self, from, to);
}

static void cut(struct play *self)
{
    size_t a = storm_node(self), b = storm_node(self);
    uint64_t until_us = storm_after_ms(self, 500, 40000);
    block(self, a, b, until_us);
    block(self, b, a, until_us);
}

static void one_way(struct play *self)
{
    size_t a = storm_node(self);
    block(self, a, storm_node(self), storm_after_ms(self, 500, 30000));
}

static void partition(struct play *self)
{
    uint64_t sides = dice_throw(&self->dice), until_us = storm_after_ms(self, 2000, 40000);
    for (size_t a = 0; a < self->nodes_count; a++)
        for (size_t b = 0; b < self->nodes_count; b++)
            if ((sides >> a & 1) != (sides >> b & 1))
                block(self, a, b, until_us);
}

static void reset(struct play *self)
{
    size_t a = storm_node(self), b = storm_node(self);
    storm_note(self, a, "reset the connections with", b);
    (void)wires_reset(world_wires(self->world), a, b);
}

static void quicken(void *play, uint64_t a, uint64_t b)
{
    struct play *self = (struct play *)play;
    wires_lag(world_wires(self->world), a, b, 0);
}

/* What is sent on today's connections arrives late; often one end gives them up, so that a new one
 * overtakes them. */
static void lag(struct play *self)
{
    size_t a = storm_node(self), b = storm_node(self);
    uint64_t us = 1000 * dice_between(&self->dice, 50, 5000);
    storm_note(self, a, "slow connections with", b);
    wires_lag(world_wires(self->world), a, b, us);
    world_at(self->world, storm_after_ms(self, 1000, 15000), quicken, self, a, b);
    if (dice_one_in(&self->dice, 3))
        return;
    storm_note(self, a, "gives up its connections with", b);
    (void)wires_reset_at(world_wires(self->world), a, b);
}

/* --- choosing ---------------------------------------------------------------------------- */

const struct fault storm_faults[] = {
    {"a cut between two", cut, 8},
    {"a way blocked", one_way, 6},
    {"a partition", partition, 4},
    {"connections reset", reset, 8},
    {"connections overtaken", lag, 8},
    {"a kill", storm_kill, 6},
    {"power off", storm_power, 4},
    {"power off in a disk call", storm_tear, 8},
    {"a stop", storm_stop, 4},
    {"frozen", storm_freeze, 8},
    {"slow", storm_slow, 8},
    {"a slow disk", storm_slow_disk, 4},
    {"clock set", storm_clock, 4},
    {"asked again", clients_ask_again, 8},
    {"a crowd of requests", clients_crowd, 3},
    {"left for good", storm_leave, 4},
    {"joined", storm_join, 4},
};
const size_t storm_faults_count = sizeof storm_faults / sizeof storm_faults[0];
_Static_assert(sizeof storm_faults / sizeof storm_faults[0] <= FAULTS_MAX, "odds has room");

void storm_begin(struct play *self)
{
    unsigned sum = 0;
    for (size_t i = 0; i < storm_faults_count; i++) {
        bool has = !dice_one_in(&self->dice, 3);
        self->odds[i] = has ? (unsigned)dice_between(&self->dice, 1, storm_faults[i].often) : 0;
        sum += self->odds[i];
    }
    for (size_t i = 0; i < storm_faults_count && !sum; i++)
        self->odds[i] = 1;
    self->pause_ms = dice_between(&self->dice, 500, 8000);
    self->echo_one_in = dice_one_in(&self->dice, 2) ? (unsigned)dice_between(&self->dice, 1, 4) : 0;
}

void storm_strike(struct play *self)
{
    unsigned sum = 0;
    size_t i = 0;
    for (size_t f = 0; f < storm_faults_count; f++)
        sum += self->odds[f];
    uint64_t drawn = dice_below(&self->dice, sum);
    while (drawn >= self->odds[i])
        drawn -= self->odds[i++];
    self->struck[i]++;
    storm_faults[i].strike(self);
}

void storm_end(struct play *self)
{
    self->echo_one_in = 0;
    wires_unblock_all(world_wires(self->world));
    for (size_t a = 0; a < self->nodes_count; a++)
        for (size_t b = 0; b < a; b++)
            wires_lag(world_wires(self->world), a, b, 0);
    for (size_t node = 0; node < self->nodes_count; node++)
        storm_heal(self, node);
}
