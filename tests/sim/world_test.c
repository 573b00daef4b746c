/* The simulator itself: what it promises to the tests that stand on it. */
#include "tests/sim/world.h"

#include "contracts/entries.h"
#include "contracts/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

/* cmocka wants these before it */
#include <cmocka.h>

enum { NODES = 4, CONTRACTS = 3, EDITS = 40 };

struct player {
    world_t *world;
    struct dice dice;
    uint64_t asked, added[NODES], answered, stopped;
};

static void name_contract(struct buffer *params, uint64_t number)
{
    char name[32];
    (void)snprintf(name, sizeof name, "c%llu", (unsigned long long)number);
    entry_append(params, slice_text("name"), slice_text(name));
}

static void ask(struct player *self, size_t node, const char *verb, struct slice a, struct slice b,
                struct slice c, size_t count)
{
    char id[16];
    (void)snprintf(id, sizeof id, "%llu", (unsigned long long)self->asked++);
    const struct slice frames[] = {
        slice_text(CLIENT_PROTOCOL_NAME), slice_text(id), slice_text(verb), a, b, c};
    world_ask(self->world, node, "c", frames, 3 + count);
}

static struct contract_key key_of(uint64_t number)
{
    struct buffer params = {0};
    struct contract contract;
    struct reason why;
    name_contract(&params, number);
    assert_int_equal(contract_init(&contract, slice_text("counter"), buffer_slice(&params), &why),
                     0);
    buffer_free(&params);
    return contract.key;
}

static void put(struct player *self, size_t node, uint64_t number)
{
    struct buffer params = {0};
    name_contract(&params, number);
    ask(self, node, "PUT", slice_text("counter"), buffer_slice(&params), slice_text(""), 3);
    buffer_free(&params);
}

static void add_one(struct player *self, size_t node, uint64_t number)
{
    struct contract_key key = key_of(number);
    ask(self, node, "EDIT", slice_of(key.bytes, sizeof key.bytes), slice_text("add"),
        slice_text("1"), 3);
}

static void on_sent(void *player, size_t node)
{
    struct player *self = (struct player *)player;
    const struct slice *frames;
    size_t count;
    while ((count = far_clients_take(world_clients(self->world, node), "c", &frames)) > 0) {
        self->answered++;
        assert_true(count >= 3);
        if (slice_is(frames[2], "OK") && count == 5 && frames[4].size == 1)
            self->added[node]++; /* an EDIT's answer: fingerprint, changed */
    }
}

static void on_power_lost(void *player, size_t node)
{
    world_kill(((struct player *)player)->world, node, true);
}

static world_t *open_world(struct player *self, uint64_t seed)
{
    const struct world_options options = {.seed = seed,
                                          .nodes_max = NODES,
                                          .latency_min_us = 100,
                                          .latency_max_us = 10000,
                                          .window_bytes = 65536,
                                          .worker_delay_us = 50,
                                          .flush_delay_us = 4000,
                                          .map_bytes = 1 << 20,
                                          .log_segment_bytes = 256 << 10,
                                          .player = self,
                                          .on_sent = on_sent,
                                          .on_power_lost = on_power_lost};
    *self = (struct player){.world = world_new(&options)};
    dice_seed(&self->dice, seed, 1);
    for (size_t i = 0; i < NODES; i++) {
        (void)world_add(self->world, &(struct world_node){.wall_skew_ms = (int64_t)i});
        world_start(self->world, i);
    }
    return self->world;
}

/* Clients on all nodes, a kill here and there. The hash of all that happened. */
static uint64_t play(uint64_t seed)
{
    struct player self;
    world_t *world = open_world(&self, seed);
    for (size_t node = 0; node < NODES; node++)
        for (uint64_t c = 0; c < CONTRACTS; c++)
            put(&self, node, c);
    for (int i = 0; i < EDITS; i++) {
        size_t node = dice_below(&self.dice, NODES);
        if (dice_one_in(&self.dice, 10))
            world_kill(world, node, dice_one_in(&self.dice, 2));
        world_start(world, node);
        add_one(&self, node, dice_below(&self.dice, CONTRACTS));
        world_run_ms(world, dice_below(&self.dice, 20));
    }
    uint64_t hash = world_trace(world)->hash;
    assert_true(world_handled(world) > 200);
    world_destroy(&world);
    return hash;
}

static void one_seed_is_one_trace(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 4; seed++)
        assert_int_equal(play(seed), play(seed));
    assert_int_not_equal(play(1), play(2));
}

/* The sum of a counter as its node shows it. */
static uint64_t rows_of(world_t *world, size_t node, uint64_t number)
{
    struct contract_key key = key_of(number);
    const struct held *held;
    struct reason why;
    if (store_find(stage_store(world_stage(world, node)), &key, &held, &why) != 0)
        return 0;
    return held->summary.count;
}

static void what_was_acknowledged_survives_a_kill_and_what_was_not_flushed_does_not(void **state)
{
    struct player self;
    (void)state;
    world_t *world = open_world(&self, 11);
    put(&self, 0, 0);
    world_run_ms(world, 100);
    add_one(&self, 0, 0);
    world_run_ms(world, 100);
    assert_int_equal(self.added[0], 1);
    assert_int_equal(rows_of(world, 0, 0), 1);
    world_kill(world, 0, false);
    world_start(world, 0);
    assert_int_equal(rows_of(world, 0, 0), 1);
    add_one(&self, 0, 0);
    while (rows_of(world, 0, 0) < 2) /* merged, on its way to the journal */
        assert_true(world_step(world, world_us(world) + 1000000));
    assert_int_equal(self.added[0], 1);
    world_kill(world, 0, false);
    world_start(world, 0);
    assert_int_equal(rows_of(world, 0, 0), 1);
    world_destroy(&world);
}

static void a_paused_node_answers_when_it_goes_on(void **state)
{
    struct player self;
    (void)state;
    world_t *world = open_world(&self, 12);
    world_pause(world, 1, true);
    put(&self, 1, 0);
    world_run_ms(world, 10000);
    assert_int_equal(self.answered, 0);
    world_pause(world, 1, false);
    world_run_ms(world, 100);
    assert_int_equal(self.answered, 1);
    world_destroy(&world);
}

static int take_number(void *self, const struct view_item *item)
{
    *(int64_t *)self = item->number;
    return 0;
}

/* What a counter counts, as its node's store has it. */
static uint64_t count_of(world_t *world, size_t node, uint64_t number)
{
    struct slice open = {NULL, 0};
    struct contract_key key = key_of(number);
    struct reading reading;
    read_job_t *job = NULL;
    const struct held *held;
    struct reason why;
    int64_t count = 0;
    store_t *store = stage_store(world_stage(world, node));
    if (store_read(store, &key, open, open, &reading, &job, &why) != 0)
        return 0;
    assert_null(job);
    assert_int_equal(store_find(store, &key, &held, &why), 0);
    struct slice state = slice_after(blob_slice(reading.bytes), reading.params_bytes);
    assert_int_equal(view_items(&held->contract, state, take_number, &count, NULL), 0);
    blob_release(&reading.bytes);
    return (uint64_t)count;
}

/* It goes in each of the first calls, and again while the node starts. */
static void power_may_go_in_any_disk_call_and_takes_nothing_acknowledged(void **state)
{
    struct player self;
    uint64_t torn = 0;
    (void)state;
    for (uint64_t call = 1; call <= 60; call++) {
        world_t *world = open_world(&self, call);
        world_run_ms(world, 100);
        put(&self, 0, 0);
        world_cut_power_at(world, 0, call);
        for (int i = 0; i < 40 && world_is_up(world, 0); i++) {
            add_one(&self, 0, 0);
            world_run_ms(world, 60);
        }
        assert_false(world_is_up(world, 0));
        world_cut_power_at(world, 0, 1 + call % 7);
        world_start(world, 0);
        world_run_ms(world, 1);
        world_start(world, 0); /* unless that start came to its end */
        assert_true(count_of(world, 0, 0) >= self.added[0]);
        torn += world_drive_counts(world).torn;
        world_destroy(&world);
    }
    assert_true(torn > 40);
}

static void a_slow_node_answers_one_by_one(void **state)
{
    struct player self;
    (void)state;
    world_t *world = open_world(&self, 13);
    put(&self, 0, 0);
    world_run_ms(world, 1000);
    world_slow(world, 0, WORKER_front, 100000);
    for (int i = 0; i < 20; i++)
        add_one(&self, 0, 0);
    world_run_ms(world, 2000);
    assert_in_range(self.added[0], 0, 19); /* a turn a message, and there are more messages */
    world_slow(world, 0, WORKER_front, 0);
    world_run_ms(world, 100);
    assert_int_equal(self.added[0], 20);
    world_destroy(&world);
}

static void a_clock_that_is_set_moves_no_deadline(void **state)
{
    static const int64_t steps[] = {-400000000000, 900000000000, -86400000};
    struct player self;
    (void)state;
    world_t *world = open_world(&self, 14);
    put(&self, 0, 0);
    world_run_ms(world, 1000);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct now before = stage_now(world_stage(world, 0));
        world_step_clock(world, 0, steps[i]);
        add_one(&self, 0, 0);
        world_run_ms(world, 100);
        struct now after = stage_now(world_stage(world, 0));
        assert_true(after.ms >= before.ms && after.ms - before.ms <= 1100);
        assert_int_equal((int64_t)(after.wall_ms - before.wall_ms),
                         steps[i] + (int64_t)(after.ms - before.ms));
        assert_int_equal(self.added[0], i + 1);
    }
    world_kill(world, 0, false);
    world_start(world, 0);
    world_run_ms(world, 1);
    assert_in_range(stage_now(world_stage(world, 0)).wall_ms, 1700000000000 + 499913600000,
                    1700000000000 + 499913600000 + 10000); /* it is the machine's */
    world_destroy(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_seed_is_one_trace),
        cmocka_unit_test(what_was_acknowledged_survives_a_kill_and_what_was_not_flushed_does_not),
        cmocka_unit_test(a_paused_node_answers_when_it_goes_on),
        cmocka_unit_test(power_may_go_in_any_disk_call_and_takes_nothing_acknowledged),
        cmocka_unit_test(a_slow_node_answers_one_by_one),
        cmocka_unit_test(a_clock_that_is_set_moves_no_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
