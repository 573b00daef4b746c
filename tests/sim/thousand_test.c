/* A network that is too large for everybody to know everybody: a thousand nodes join through two
 * gateways, contracts are found from anywhere in few hops, and still are when a tenth of the nodes
 * is killed at once. Under sanitizers, which cost ten times the time, it is fewer nodes
 * (SIM_NODES=… sets the number). */
#include "tests/sim/world.h"
#include "tests/support/setting.h"

#include "contracts/entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

/* cmocka wants these before it */
#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { NODES = 120, CONTRACTS = 40 };
#else
enum { NODES = 1000, CONTRACTS = 300 };
#endif
enum {
    NODES_MAX = 4000,
    GATEWAYS = 2,
    JOIN_EVERY_MS = 50, /* a node starts */
    SETTLE_MS = 60000,  /* after the last one */
    REPAIR_MS = 60000,
    ANSWER_MS = 10000,
    SEED = 1,
};

struct got {
    bool answered, ok, put;
    size_t contract;
    char word[24];
};

struct crowd {
    world_t *world;
    size_t nodes;
    struct dice dice;
    struct contract contracts[CONTRACTS];
    struct buffer params[CONTRACTS];
    struct got *ops; /* owned */
    size_t ops_count;
    uint64_t hops, dials, changes;
};

static void on_message(void *player, size_t node, const struct message *message)
{
    struct crowd *self = (struct crowd *)player;
    (void)node;
    if (message->kind == MESSAGE_PEER_MAIL)
        self->hops += ((const struct peer_mail *)message)->kind == PEER_GET;
    self->dials += message->kind == MESSAGE_DIAL;
    self->changes += message->to == ACTOR_get &&
                     (message->kind == MESSAGE_PEER_LIVE || message->kind == MESSAGE_PEER_GONE);
}

static void on_sent(void *player, size_t node)
{
    struct crowd *self = (struct crowd *)player;
    const struct slice *frames;
    size_t count;
    while ((count = far_clients_take(world_clients(self->world, node), "c", &frames)) > 0) {
        char id[17] = "";
        assert_true(count >= 3 && frames[1].size < sizeof id);
        memcpy(id, frames[1].data, frames[1].size);
        struct got *op = &self->ops[strtoull(id, NULL, 10)];
        assert_false(op->answered);
        op->answered = true;
        op->ok = slice_is(frames[2], CLIENT_PROTOCOL_OK);
        (void)snprintf(op->word, sizeof op->word, "%.*s", (int)frames[2].size,
                       (const char *)frames[2].data);
        if (op->ok && !op->put) /* the one entry that the PUT brought is in it */
            assert_true(count == 7 && frames[5].size > 0);
    }
}

static void ask(struct crowd *self, size_t node, size_t contract, bool put)
{
    char id[17];
    uint8_t entry[64], one[8];
    struct buffer state = {.data = entry, .capacity = sizeof entry};
    const struct contract *c = &self->contracts[contract];
    (void)snprintf(id, sizeof id, "%zu", self->ops_count);
    struct slice frames[] = {
        slice_text(CLIENT_PROTOCOL_NAME), slice_text(id), slice_text(put ? "PUT" : "GET"),
        slice_of(c->key.bytes, 32),       slice_text(""), slice_text("")};
    if (put) {
        put_u64(one, 1);
        entry_append(&state, slice_text("+replica1"), slice_of(one, sizeof one));
        frames[3] = slice_text("counter");
        frames[4] = buffer_slice(&self->params[contract]);
        frames[5] = buffer_slice(&state);
    }
    self->ops = (struct got *)realloc(self->ops, (self->ops_count + 1) * sizeof *self->ops);
    assert_non_null(self->ops);
    self->ops[self->ops_count++] = (struct got){.contract = contract, .put = put};
    world_ask(self->world, node, "c", frames, put ? 6 : 4);
}

static size_t any_up(struct crowd *self)
{
    size_t node;
    do
        node = dice_below(&self->dice, self->nodes);
    while (!world_is_up(self->world, node));
    return node;
}

/* Asks for all contracts at random nodes; the mean number of hops. */
static double find_all(struct crowd *self, bool put)
{
    size_t first = self->ops_count, failed = 0;
    self->hops = 0;
    for (size_t i = 0; i < CONTRACTS; i++) {
        ask(self, any_up(self), i, put);
        world_run_ms(self->world, 20);
    }
    world_run_ms(self->world, ANSWER_MS);
    for (size_t i = first; i < self->ops_count; i++) {
        const struct got *op = &self->ops[i];
        if (!op->ok)
            print_message("%s of c%zu: %s\n", put ? "PUT" : "GET", op->contract,
                          op->answered ? op->word : "no answer");
        failed += !op->ok;
    }
    assert_int_equal(failed, 0);
    return (double)self->hops / (double)(self->ops_count - first);
}

static void make_contracts(struct crowd *self)
{
    for (size_t i = 0; i < CONTRACTS; i++) {
        char name[16];
        struct reason why;
        (void)snprintf(name, sizeof name, "c%zu", i);
        entry_append(&self->params[i], slice_text("name"), slice_text(name));
        assert_int_equal(contract_init(&self->contracts[i], slice_text("counter"),
                                       buffer_slice(&self->params[i]), &why),
                         0);
    }
}

static double seconds(void)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void tell(const struct crowd *self, const char *phase)
{
    print_message("%s: %.0f s of virtual time, %.1f s of CPU, %llu messages\n", phase,
                  (double)world_us(self->world) / 1e6, seconds(),
                  (unsigned long long)world_handled(self->world));
}

static void join_all(struct crowd *self)
{
    for (size_t i = 0; i < self->nodes; i++) {
        struct world_node node = {.gateway = i < GATEWAYS,
                                  .gateways = {0, 1},
                                  .gateways_count = i < GATEWAYS ? i : GATEWAYS};
        assert_int_equal(world_add(self->world, &node), i);
        world_start(self->world, i);
        world_run_ms(self->world, JOIN_EVERY_MS);
    }
    tell(self, "started");
    world_run_ms(self->world, SETTLE_MS);
    self->dials = self->changes = 0;
    world_run_ms(self->world, 10000);
    print_message("at rest: %llu dials and %llu changes of who is live in 10 s\n",
                  (unsigned long long)self->dials, (unsigned long long)self->changes);
    assert_true(self->changes <= self->nodes / 10);
}

static unsigned log_2(size_t n)
{
    unsigned bits = 0;
    while (n >>= 1)
        bits++;
    return bits;
}

static void a_thousand_nodes_find_everything_in_few_hops_and_after_losses(void **state)
{
    static struct crowd crowd;
    struct crowd *self = &crowd;
    (void)state;
    self->nodes = setting_number("SIM_NODES", NODES, 2, NODES_MAX);
    const struct world_options options = {.seed = SEED,
                                          .nodes_max = NODES_MAX,
                                          .latency_min_us = 1000,
                                          .latency_max_us = 40000,
                                          .window_bytes = 262144,
                                          .map_bytes = 1 << 20,
                                          .log_segment_bytes = 64 << 10,
                                          .player = self,
                                          .on_message = on_message,
                                          .on_sent = on_sent};
    self->world = world_new(&options);
    dice_seed(&self->dice, SEED, 1);
    make_contracts(self);
    join_all(self);
    tell(self, "joined");
    (void)find_all(self, true);
    double hops = find_all(self, false);
    tell(self, "found");
    print_message("hops of a GET, mean: %.2f\n", hops);
    assert_true(hops <= log_2(self->nodes));
    for (size_t i = 0; i < self->nodes / 10; i++) {
        size_t node = any_up(self);
        if (node >= GATEWAYS)
            world_kill(self->world, node, false);
    }
    world_run_ms(self->world, REPAIR_MS);
    hops = find_all(self, false);
    tell(self, "found again");
    print_message("hops of a GET after repair, mean: %.2f\n", hops);
    world_destroy(&self->world);
    for (size_t i = 0; i < CONTRACTS; i++)
        buffer_free(&self->params[i]);
    free(self->ops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_nodes_find_everything_in_few_hops_and_after_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
