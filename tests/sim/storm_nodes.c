/* Faults of nodes: of their processes, machines, disks and clocks. */
#include "tests/sim/play.h"

/* --- processes and machines -------------------------------------------------------------- */

static void start(void *play, uint64_t node, uint64_t unused)
{
    struct play *self = (struct play *)play;
    (void)unused;
    if (!self->nodes[node].left)
        play_start_node(self, node);
}

static void end_for_a_while(struct play *self, size_t node, enum play_end how, uint64_t most_ms)
{
    play_end_node(self, node, how);
    world_at(self->world, storm_after_ms(self, 1, most_ms), start, self, node, 0);
}

void storm_kill(struct play *self)
{
    end_for_a_while(self, storm_node(self), END_kill, 10000);
}

void storm_power(struct play *self)
{
    end_for_a_while(self, storm_node(self), END_power, 40000);
}

void storm_stop(struct play *self)
{
    end_for_a_while(self, storm_node(self), END_goodbye, 10000);
}

/* In the middle of a flush or of a fold, if it comes to that. */
void storm_tear(struct play *self)
{
    world_cut_power_at(self->world, storm_node(self), dice_between(&self->dice, 1, 60));
}

/* And perhaps it goes again while the node recovers. */
void storm_power_lost(void *play, size_t node)
{
    struct play *self = (struct play *)play;
    end_for_a_while(self, node, END_power, 20000);
    if (dice_one_in(&self->dice, 3))
        world_cut_power_at(self->world, node, dice_between(&self->dice, 1, 30));
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

void storm_freeze(struct play *self)
{
    size_t node = storm_node(self);
    bool long_one = dice_one_in(&self->dice, 4);
    world_pause(self->world, node, true);
    world_at(self->world, storm_after_ms(self, 100, long_one ? 120000 : 25000), go_on, self, node,
             0);
}

/* --- slowness ---------------------------------------------------------------------------- */

static void hurry(void *play, uint64_t node, uint64_t life)
{
    struct play *self = (struct play *)play;
    struct played_node *n = &self->nodes[node];
    if (!n->slow || n->life != life)
        return;
    n->slow = false;
    n->stood_until_us = world_us(self->world);
    for (int worker = 0; worker < WORKER_COUNT; worker++)
        world_slow(self->world, node, (enum worker_id)worker, 0);
}

static void slow_down(struct play *self, size_t node, enum worker_id worker, uint64_t us)
{
    if (!world_is_up(self->world, node))
        return;
    self->nodes[node].slow = true;
    world_slow(self->world, node, worker, us);
    world_at(self->world, storm_after_ms(self, 500, 25000), hurry, self, node,
             self->nodes[node].life);
}

void storm_slow(struct play *self)
{
    size_t node = storm_node(self);
    uint64_t which = dice_below(&self->dice, 3), us = dice_between(&self->dice, 500, 30000);
    if (which != 1)
        slow_down(self, node, WORKER_front, us);
    if (which != 0)
        slow_down(self, node, WORKER_net, us);
}

void storm_slow_disk(struct play *self)
{
    size_t node = storm_node(self);
    uint64_t us = 1000 * dice_between(&self->dice, 10, 3000);
    slow_down(self, node, WORKER_journal, us);
    slow_down(self, node, WORKER_checkpoint, us);
}

/* --- clocks ------------------------------------------------------------------------------ */

enum { HOUR_MS = 3600000, YEARS_BACK_MAX = 40 };

/* By hours, days or years, to either side; never before 1980. */
void storm_clock(struct play *self)
{
    static const int64_t units[] = {1, 24, 24 * 365};
    size_t node = storm_node(self);
    int64_t by_ms = (int64_t)dice_between(&self->dice, 1, 30) * HOUR_MS *
                    units[dice_below(&self->dice, sizeof units / sizeof units[0])];
    if (dice_one_in(&self->dice, 2))
        by_ms = -by_ms;
    if (self->nodes[node].clock_ms + by_ms < -(int64_t)YEARS_BACK_MAX * 24 * 365 * HOUR_MS)
        return;
    self->nodes[node].clock_ms += by_ms;
    world_step_clock(self->world, node, by_ms);
}

/* --- members ----------------------------------------------------------------------------- */

static size_t members(const struct play *self)
{
    size_t count = 0;
    for (size_t i = 0; i < self->nodes_count; i++)
        count += !self->nodes[i].left;
    return count;
}

void storm_leave(struct play *self)
{
    size_t node = storm_node(self);
    if (self->nodes[node].gateway || self->nodes[node].left || members(self) <= 4 ||
        !world_is_up(self->world, node))
        return;
    storm_note(self, node, "leaves for good", 0);
    /* It may be alone with what it was asked, and the answer may be on its way. */
    for (struct played_op *op = self->ops; op; op = op->next)
        op->waived |= op->node == node || ((op->acknowledged || op->asked_well || !op->done) &&
                                           !claims_had_elsewhere(self, op, node));
    play_end_node(self, node, END_goodbye);
    self->left = self->nodes[node].left = true;
}

void storm_join(struct play *self)
{
    if (self->options.nodes != 1 && self->nodes_count < PLAY_NODES_MAX && members(self) < 12)
        play_start_node(self, play_add_node(self, false));
}

void storm_heal(struct play *self, size_t node)
{
    world_cut_power_at(self->world, node, 0);
    hurry(self, node, self->nodes[node].life);
    go_on(self, node, 0);
    start(self, node, 0);
}
