#include "tests/net/trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    FAR_SET = 0x18, /* nodes 3 and 4 */
    NEAR = 0,
    WRITE_EVERY_MS = 100,
    LOOK_EVERY_MS = 20,
};

static const struct line_rules RULES = {.delay_us = TRIAL_DELAY_US, .jitter_us = TRIAL_JITTER_US};

/* --- start and end --------------------------------------------------------------------------- */

static void put_map(struct trial *self, size_t number)
{
    char name[32];
    const struct weir_reply *reply;
    const struct weir_bytes none = {0};
    weir_t *client = self->far.network.nodes[number % TRIAL_NODES].client;
    weir_params_t *params = weir_params_new();
    (void)snprintf(name, sizeof name, "trial-%zu", number);
    assert_int_equal(weir_params_set(params, "name", name, NULL), 0);
    if (weir_put(client, "map", weir_params_bytes(params), none, &reply) != 0)
        fail_msg("put: %s", weir_error(client));
    memcpy(self->keys[number], reply->key, 32);
    weir_params_destroy(&params);
}

static void ignore_event(weir_t *w, const struct weir_event *event, void *argument)
{
    (void)w, (void)event, (void)argument;
}

static void subscribe_all(struct trial *self)
{
    for (size_t n = 0; n < TRIAL_NODES; n++)
        for (size_t i = 0; i < self->contracts; i++) {
            weir_t *client = self->far.network.nodes[n].client;
            if (weir_subscribe(client, self->keys[i], NULL, ignore_event, NULL) != 0)
                fail_msg("subscribe: %s", weir_error(client));
        }
}

/* Waits until all are equal; the milliseconds that took, -1 when more than so many. */
static int64_t equal_after(struct trial *self, int limit_ms)
{
    int64_t start = network_now_ms();
    for (;;) {
        bool equal = network_is_equal(&self->far.network, self->contracts);
        int64_t after = network_now_ms() - start;
        if (equal)
            return after;
        if (after > limit_ms)
            return -1;
        network_pause_ms(LOOK_EVERY_MS);
    }
}

void trial_start(struct trial *self, size_t contracts, uint64_t seed)
{
    memset(self, 0, sizeof *self);
    self->contracts = contracts;
    far_network_start(&self->far, TRIAL_NODES, &RULES, seed);
    for (size_t i = 0; i < contracts; i++)
        put_map(self, i);
    subscribe_all(self);
    assert_true(equal_after(self, TRIAL_SETTLE_MS) >= 0);
}

void trial_end(struct trial *self)
{
    far_network_end(&self->far);
}

/* --- a fault --------------------------------------------------------------------------------- */

static void on_written(weir_t *w, const struct weir_reply *reply, void *argument)
{
    struct trial *self = (struct trial *)argument;
    (void)w;
    self->open--;
    self->refused += reply->code != 0;
}

/* One write at each node, to one contract after the other. */
static void write_round(struct trial *self, size_t round)
{
    size_t number = round % self->contracts;
    for (size_t n = 0; n < TRIAL_NODES; n++) {
        char field[32];
        (void)snprintf(field, sizeof field, "n%zu-%zu", n, round);
        const struct weir_bytes operands[] = {weir_text(field), weir_text("x")};
        self->sent[number]++;
        self->open++;
        if (weir_edit_async(self->far.network.nodes[n].client, self->keys[number], "set", operands,
                            2, on_written, self) != 0)
            fail_msg("edit: %s", weir_error(self->far.network.nodes[n].client));
    }
}

/* Is the fault on, so many ms after it began? It ends with a cut. */
static bool is_cut(const struct fault *fault, int64_t after_ms)
{
    return (fault->all_ms - after_ms - 1) / fault->cut_ms % 2 == 0;
}

/* Writes at all nodes while the fault lasts, and until it has hit a packet. */
static void suffer(struct trial *self, const struct fault *fault)
{
    uint64_t cut = relay_counts_all(self->far.relay).cut;
    int64_t start = network_now_ms(), now = start, next_write = start;
    size_t round = 0;
    while (now - start < fault->all_ms || relay_counts_all(self->far.relay).cut == cut) {
        relay_cut_off(self->far.relay, FAR_SET, fault->one_way, is_cut(fault, now - start));
        for (; next_write <= now; next_write += WRITE_EVERY_MS)
            write_round(self, round++);
        network_step(&self->far.network, LOOK_EVERY_MS);
        now = network_now_ms();
    }
    while (self->open > 0)
        network_step(&self->far.network, LOOK_EVERY_MS);
}

static int count_item(void *count, const struct weir_item *item)
{
    *(size_t *)count += !item->removed;
    return 0;
}

/* Every write was acknowledged, and is there. */
static void assert_nothing_is_missing(struct trial *self)
{
    assert_int_equal(self->refused, 0);
    for (size_t i = 0; i < self->contracts; i++) {
        const struct weir_reply *reply;
        weir_contract_t *contract;
        size_t count = 0;
        weir_t *client = self->far.network.nodes[NEAR].client;
        if (weir_get(client, self->keys[i], &reply) != 0)
            fail_msg("get: %s", weir_error(client));
        assert_int_equal(weir_contract_new(reply->kind, reply->params, &contract, NULL), 0);
        assert_int_equal(weir_items(contract, reply->state, count_item, &count, NULL), 0);
        assert_int_equal(count, self->sent[i]);
        weir_contract_destroy(&contract);
    }
}

int64_t trial_fault(struct trial *self, const struct fault *fault, int limit_ms)
{
    suffer(self, fault);
    bool apart =
        fault->cut_ms < fault->all_ms || !network_is_equal(&self->far.network, self->contracts);
    relay_cut_off(self->far.relay, FAR_SET, fault->one_way, false);
    int64_t after = equal_after(self, limit_ms);
    assert_true(apart);
    if (after >= 0)
        assert_nothing_is_missing(self);
    return after;
}
