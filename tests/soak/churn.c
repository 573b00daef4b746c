#include "tests/soak/churn.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { DOWN_UNITS = 10, CUT_UNITS = 30, PAUSE_UNITS = 20, STREAM = 1001 };

static int64_t some_units(struct churn *self, uint64_t most)
{
    return network_now_ms() + self->unit_ms * (int64_t)(1 + dice_below(&self->dice, most));
}

/* --- nodes ----------------------------------------------------------------------------------- */

static void begin_node_trouble(struct churn *self)
{
    struct churn_place *place = &self->node;
    size_t count = self->far->network.count;
    place->now = TROUBLE_KILL + (enum trouble)dice_below(&self->dice, 3);
    place->node = place->now == TROUBLE_PAUSE
                      ? dice_below(&self->dice, count)
                      : CHURN_SPARED + dice_below(&self->dice, count - CHURN_SPARED);
    place->until_ms = some_units(self, DOWN_UNITS);
    struct network_node *node = &self->far->network.nodes[place->node];
    if (place->now == TROUBLE_KILL)
        process_kill(&node->process);
    if (place->now == TROUBLE_STOP)
        assert_int_equal(process_stop(&node->process), 0);
    if (place->now == TROUBLE_PAUSE) {
        node->stopped = true;
        assert_int_equal(kill(node->process.pid, SIGSTOP), 0);
    }
}

static void end_node_trouble(struct churn *self)
{
    struct churn_place *place = &self->node;
    struct network_node *node = &self->far->network.nodes[place->node];
    if (place->now == TROUBLE_PAUSE) {
        assert_int_equal(kill(node->process.pid, SIGCONT), 0);
        node->stopped = false;
    } else if (place->now != TROUBLE_NONE) {
        far_network_node_start(self->far, place->node);
        self->up_since_ms[place->node] = network_now_ms();
    }
    place->now = TROUBLE_NONE;
    place->until_ms = some_units(self, PAUSE_UNITS);
}

/* --- the network ----------------------------------------------------------------------------- */

const struct line_rules CHURN_GOOD = {.delay_us = 2000, .jitter_us = 500};

static void begin_net_trouble(struct churn *self)
{
    struct churn_place *place = &self->net;
    unsigned all = (1u << self->far->network.count) - 1;
    place->now = TROUBLE_CUT + (enum trouble)dice_below(&self->dice, 3);
    place->set = 1 + (unsigned)dice_below(&self->dice, all - 1); /* neither none nor all */
    place->until_ms = some_units(self, CUT_UNITS);
    if (place->now == TROUBLE_SLOW) {
        const struct line_rules rules = {
            .delay_us = (uint32_t)dice_below(&self->dice, 100000),
            .jitter_us = (uint32_t)dice_below(&self->dice, 20000),
            .loss = (uint32_t)dice_below(&self->dice, 30000),
            .bytes_a_second = 200000 + (uint32_t)dice_below(&self->dice, 2000000),
        };
        relay_rule_all(self->far->relay, &rules);
    } else {
        relay_cut_off(self->far->relay, place->set, place->now == TROUBLE_ONE_WAY, true);
    }
}

static void end_net_trouble(struct churn *self)
{
    relay_rule_all(self->far->relay, &CHURN_GOOD);
    self->net.now = TROUBLE_NONE;
    self->net.until_ms = some_units(self, PAUSE_UNITS);
}

/* --- both ------------------------------------------------------------------------------------ */

static void assert_none_ended(struct churn *self)
{
    for (size_t i = 0; i < self->far->network.count; i++) {
        struct process *process = &self->far->network.nodes[i].process;
        if (process->pid > 0 && process_ended(process))
            fail_msg("node %zu ended by itself, status 0x%x", i, (unsigned)process->status);
    }
}

void churn_start(struct churn *self, struct far_network *far, int64_t unit_ms, uint64_t seed)
{
    *self = (struct churn){.far = far, .unit_ms = unit_ms};
    dice_seed(&self->dice, seed, STREAM);
    for (size_t i = 0; i < far->network.count; i++)
        self->up_since_ms[i] = network_now_ms();
    end_node_trouble(self);
    end_net_trouble(self);
}

void churn_step(struct churn *self)
{
    assert_none_ended(self);
    if (network_now_ms() >= self->node.until_ms) {
        if (self->node.now == TROUBLE_NONE)
            begin_node_trouble(self), self->count[self->node.now]++;
        else
            end_node_trouble(self);
    }
    if (network_now_ms() >= self->net.until_ms) {
        if (self->net.now == TROUBLE_NONE)
            begin_net_trouble(self), self->count[self->net.now]++;
        else
            end_net_trouble(self);
    }
}

void churn_end(struct churn *self)
{
    end_node_trouble(self);
    end_net_trouble(self);
    assert_none_ended(self);
}
