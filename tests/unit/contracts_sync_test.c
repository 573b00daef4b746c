/* Sync by ranges between two states in memory: what it costs, and that it ends with equal states
 * whatever they hold. Entries need not be of a kind here, so that keys can be any. */
#include "contracts/sync_body.h"
#include "tests/support/heap.h"
#include "tests/support/sync_pair.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { SIDE_A = 1, SIDE_B = 2, BOTH = SIDE_A | SIDE_B };

struct fixture {
    struct contract contract;
    struct sync_pair pair;
    struct buffer deltas[2]; /* under construction */
};

static void fixture_open(struct fixture *self)
{
    *self = (struct fixture){0};
    assert_int_equal(contract_init(&self->contract, slice_text("map"), slice_of(NULL, 0), NULL), 0);
    self->pair.contract = &self->contract;
    for (int i = 0; i < 2; i++) {
        self->pair.sides[i] = state_new(&self->contract);
        assert_non_null(self->pair.sides[i]);
    }
    put_u64(self->pair.salt, random_u64());
}

static void fixture_close(struct fixture *self)
{
    for (int i = 0; i < 2; i++) {
        state_destroy(&self->pair.sides[i]);
        buffer_free(&self->deltas[i]);
    }
}

/* Into the deltas of the sides; keys in ascending order. */
static void put(struct fixture *self, int sides, struct slice key, const char *value)
{
    for (int i = 0; i < 2; i++)
        if (sides & 1 << i)
            entry_append(&self->deltas[i], key, slice_text(value));
}

static void merge_deltas(struct fixture *self)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(state_join(self->pair.sides[i], buffer_slice(&self->deltas[i]), NULL), 0);
        buffer_clear(&self->deltas[i]);
    }
}

static void sync_to_equal(struct fixture *self)
{
    sync_pair_run(&self->pair);
    assert_true(sync_pair_equal(&self->pair));
}

static void print_cost(const char *what, const struct sync_pair *pair)
{
    printf("# %s: %u messages, %zu bytes of bodies (largest %zu), %llu entries\n", what,
           pair->messages, pair->body_bytes, pair->largest_body, (unsigned long long)pair->entries);
}

/* count entries with 16-byte keys (random: spread over the key space; else a counter), and of them
 * `differ` on one side only or with two values. */
static void fill(struct fixture *self, uint32_t count, uint32_t differ, bool random)
{
    uint32_t step = differ ? count / differ : 0, chosen = 0;
    for (uint32_t i = 0; i < count; i++) {
        char key[32];
        uint32_t spread = random ? i * 40000u + (uint32_t)random_below(40000) : i;
        (void)snprintf(key, sizeof key, "field-%010u", spread);
        if (!step || i % step != step / 2) {
            put(self, BOTH, slice_text(key), "same on both sides");
            continue;
        }
        if (chosen % 3)
            put(self, (int)(chosen % 3), slice_text(key), "on one side");
        else {
            put(self, SIDE_A, slice_text(key), "first value");
            put(self, SIDE_B, slice_text(key), "second value");
        }
        chosen++;
    }
    assert_int_equal(chosen, differ);
    merge_deltas(self);
}

static void a_hundred_of_100000_take_64_kib_and_five_round_trips(void **state)
{
    (void)state;
    for (int random = 0; random < 2; random++) {
        struct fixture f;
        fixture_open(&f);
        fill(&f, 100000, 100, random);
        sync_to_equal(&f);
        print_cost("100 of 100,000", &f.pair);
        assert_true(f.pair.body_bytes <= 64 * 1024);
        assert_true(f.pair.messages <= 10);
        assert_in_range(f.pair.entries, 100, 134); /* both values of a conflict travel */
        fixture_close(&f);
    }
}

static void no_difference_takes_one_message(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    fill(&f, 100000, 0, true);
    sync_to_equal(&f);
    print_cost("0 of 100,000", &f.pair);
    assert_int_equal(f.pair.messages, 1);
    assert_int_equal(f.pair.entries, 0);
    fixture_close(&f);
}

static void who_has_nothing_gets_everything(void **state)
{
    (void)state;
    static const uint32_t counts[] = {0, 1, 32, 33, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        for (int full = 0; full < 2; full++) {
            struct fixture f;
            fixture_open(&f);
            for (uint32_t k = 0; k < counts[i]; k++) {
                uint8_t key[4];
                put_u32(key, k);
                put(&f, 1 << full, slice_of(key, sizeof key), "x");
            }
            merge_deltas(&f);
            sync_to_equal(&f);
            assert_int_equal(f.pair.entries, counts[i]);
            assert_true(f.pair.messages <= 3);
            fixture_close(&f);
        }
}

/* Any keys in order: the empty one, prefixes of others, the longest. */
static void fill_odd_keys(struct fixture *self)
{
    uint8_t key[ENTRY_KEY_BYTES_MAX] = {0};
    put(self, SIDE_A, slice_of(key, 0), "empty key");
    for (int first = 0; first < 256; first += 51)
        for (size_t size = 1; size <= sizeof key; size += size < 3 ? 1 : size < 248 ? 7 : 2) {
            memset(key, first, sizeof key);
            int sides = 1 + (int)random_below(3);
            if (sides == BOTH && random_below(2)) {
                put(self, SIDE_A, slice_of(key, size), "1");
                put(self, SIDE_B, slice_of(key, size), "2");
            } else {
                put(self, sides, slice_of(key, size), "same");
            }
        }
    merge_deltas(self);
}

static void keys_may_be_empty_long_and_prefixes_of_others(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        struct fixture f;
        fixture_open(&f);
        fill_odd_keys(&f);
        sync_to_equal(&f);
        fixture_close(&f);
    }
}

static void steps_may_be_as_small_as_one_entry(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    fill_odd_keys(&f);
    f.pair.budget = 1;
    f.pair.entries_bytes_max = 1;
    sync_to_equal(&f);
    assert_true(f.pair.steps > f.pair.entries);
    fixture_close(&f);
    fixture_open(&f);
    fill(&f, 3000, 300, true);
    f.pair.budget = 7;
    f.pair.entries_bytes_max = 100;
    sync_to_equal(&f);
    assert_true(f.pair.steps > 3000 / 7);
    fixture_close(&f);
}

/* Nothing in common: bodies are at their cap, and what did not fit comes later. */
static void states_with_nothing_in_common_fill_bodies_and_end(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    for (uint32_t i = 0; i < 80000; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%09u", i);
        put(&f, random_below(2) ? SIDE_A : SIDE_B, slice_text(key), "v");
    }
    merge_deltas(&f);
    sync_to_equal(&f);
    print_cost("80,000 apart", &f.pair);
    assert_int_equal(f.pair.entries, 80000);
    assert_true(f.pair.largest_body > SYNC_BODY_BYTES_MAX / 2);
    assert_true(f.pair.body_bytes < 40 * 80000);
    fixture_close(&f);
}

/* The longest bounds there are: the first answer still fits. */
static void the_longest_keys_differ_in_their_last_bytes(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    for (uint32_t i = 0; i < 20000; i++) {
        uint8_t key[ENTRY_KEY_BYTES_MAX];
        memset(key, (int)(i * 256 / 20000), sizeof key);
        put_u32(key + sizeof key - 4, i);
        put(&f, 1 + (int)random_below(3), slice_of(key, sizeof key), "v");
    }
    merge_deltas(&f);
    sync_to_equal(&f);
    print_cost("20,000 long keys", &f.pair);
    fixture_close(&f);
}

/* Both sides go on writing, everywhere, during the first messages. */
static void write_meanwhile(struct sync_pair *pair, int side)
{
    struct buffer delta = {0};
    (void)side;
    if (pair->messages > 6)
        return;
    for (int i = 0; i < 2; i++) {
        buffer_clear(&delta);
        for (uint32_t n = (uint32_t)random_below(50); n < 100000;
             n += 1 + (uint32_t)random_below(3000)) {
            char key[32];
            (void)snprintf(key, sizeof key, "field-%010u", n);
            entry_append(&delta, slice_text(key), slice_text(i ? "new at B" : "new at A"));
        }
        assert_int_equal(state_join(pair->sides[i], buffer_slice(&delta), NULL), 0);
    }
    buffer_free(&delta);
}

static void states_that_change_meanwhile_end_and_the_next_sync_makes_them_equal(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct fixture f;
        fixture_open(&f);
        fill(&f, 5000, 500, false);
        f.pair.budget = 100;
        f.pair.meanwhile = write_meanwhile;
        sync_pair_run(&f.pair);
        assert_true(f.pair.messages <= 16);
        f.pair.meanwhile = NULL;
        sync_to_equal(&f);
        fixture_close(&f);
    }
}

static void a_walk_over_all_is_the_state(void **state)
{
    (void)state;
    struct fixture f;
    struct buffer all = {0}, piece = {0}, wanted = {0};
    fixture_open(&f);
    fill(&f, 1000, 10, true);
    struct state_reader reader = state_reader(f.pair.sides[0]);
    sync_walk_t *walk = sync_walk_all();
    int rc = ERR_AGAIN;
    while (rc == ERR_AGAIN) {
        buffer_clear(&piece);
        rc = sync_walk_step(walk, &reader, 64, 512, &piece, NULL);
        assert_true(piece.size <= 512);
        buffer_append_slice(&all, buffer_slice(&piece));
    }
    assert_int_equal(rc, 0);
    assert_int_equal(sync_walk_body(walk).size, 0);
    assert_int_equal(state_encode(f.pair.sides[0], &wanted), 0);
    assert_true(slice_equal(buffer_slice(&all), buffer_slice(&wanted)));
    sync_walk_destroy(&walk);
    buffer_free(&all);
    buffer_free(&piece);
    buffer_free(&wanted);
    fixture_close(&f);
}

/* A body that a far side made up: any items in any ascending ranges. */
static void make_up(struct sync_writer *out)
{
    uint8_t made[SYNC_LIST_MAX * SYNC_HASH_BYTES];
    for (uint32_t n = (uint32_t)random_below(300); n < 4000; n += 1 + (uint32_t)random_below(300)) {
        static const size_t fixed[SYNC_KINDS] = {[SYNC_SUM] = SYNC_SUM_BYTES};
        enum sync_kind kind = (enum sync_kind)random_below(SYNC_KINDS);
        struct sync_bound bound = {0};
        char key[32];
        size_t size = kind == SYNC_LIST || kind == SYNC_WANT
                          ? SYNC_HASH_BYTES * (1 + random_below(SYNC_LIST_MAX))
                          : fixed[kind];
        for (size_t i = 0; i < sizeof made; i += 8)
            put_u64(made + i, random_u64());
        (void)snprintf(key, sizeof key, "field-%010u", n);
        sync_bound_set(&bound, slice_text(key));
        if (kind == SYNC_SKIP)
            sync_writer_skip(out, &bound);
        else
            sync_writer_put(out, kind, &bound, slice_of(made, size));
    }
}

/* Whatever it says, a walk sends each entry once at most and looks at each once an item. */
static void a_far_side_that_makes_things_up_gets_bounded_answers(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++) {
        struct fixture f;
        struct sync_writer body = {0};
        struct reason why = {""};
        int rc = 0;
        fixture_open(&f);
        fill(&f, 3000, 0, false);
        make_up(&body);
        sync_walk_t *walk = sync_walk_answer(f.pair.salt, buffer_slice(&body.bytes), &rc, &why);
        if (!walk)
            fail_msg("%d %s", rc, why.text);
        f.pair.budget = 50;
        (void)sync_pair_message(&f.pair, 0, walk);
        assert_true(f.pair.entries <= 3000);
        assert_true(f.pair.steps <= (3000 + body.bytes.size) / 50 + 1);
        sync_walk_destroy(&walk);
        buffer_free(&body.bytes);
        fixture_close(&f);
    }
}

/* Answers that would be far over the cap: every range of the body differs. */
static void an_answer_over_the_cap_asks_for_the_rest(void **state)
{
    (void)state;
    struct fixture f;
    struct sync_writer body = {0};
    struct sync_reader reader;
    struct sync_item item = {0};
    uint8_t sum[SYNC_SUM_BYTES] = {1};
    int rc = 0;
    fixture_open(&f);
    fill(&f, 100000, 0, false);
    for (uint32_t i = 36; i < 100000; i += 36) {
        char key[32];
        struct sync_bound bound = {0};
        (void)snprintf(key, sizeof key, "field-%010u", i);
        sync_bound_set(&bound, slice_text(key));
        sync_writer_put(&body, SYNC_SUM, &bound, slice_of(sum, sizeof sum));
    }
    sync_walk_t *walk = sync_walk_answer(f.pair.salt, buffer_slice(&body.bytes), &rc, NULL);
    assert_non_null(walk);
    struct slice answer = sync_pair_message(&f.pair, 0, walk);
    assert_in_range(answer.size, SYNC_BODY_BYTES_MAX - 1024, SYNC_BODY_BYTES_MAX);
    reader = sync_reader_of(answer);
    while ((rc = sync_reader_next(&reader, &item, NULL)) > 0)
        assert_true(item.kind == (reader.bound.end ? SYNC_ASK : SYNC_SUM));
    assert_int_equal(rc, 0);
    assert_true(reader.bound.end);
    sync_walk_destroy(&walk);
    buffer_free(&body.bytes);
    fixture_close(&f);
}

static int broken_seek(void *self, struct slice from, bool past, struct entry *entry)
{
    (void)self, (void)from, (void)past, (void)entry;
    return ERR_DAMAGED;
}

static void a_state_that_cannot_be_read_ends_the_walk_with_its_error(void **state)
{
    (void)state;
    struct state_reader broken = {.seek = broken_seek};
    struct buffer entries = {0};
    struct reason why = {""};
    sync_walk_t *walk = sync_walk_all();
    assert_int_equal(sync_walk_step(walk, &broken, 10, 1000, &entries, &why), ERR_DAMAGED);
    assert_non_null(strstr(why.text, "read"));
    sync_walk_destroy(&walk);
    assert_null(walk);
}

/* Many syncs may be under way: of all contracts, when a peer is back. A walk took 75 KB. */
static void a_walk_over_a_small_state_takes_little_memory(void **state)
{
    (void)state;
    struct fixture f;
    struct buffer entries = {0};
    struct reason why = {""};
    fixture_open(&f);
    fill(&f, 3 * SYNC_LIST_MAX, 0, true);
    struct state_reader reader = state_reader(f.pair.sides[0]);
    size_t before = heap_bytes();
    sync_walk_t *walk = sync_walk_begin(f.pair.salt);
    assert_non_null(walk);
    assert_int_equal(sync_walk_step(walk, &reader, SIZE_MAX, SIZE_MAX, &entries, &why), 0);
    assert_true(sync_walk_body(walk).size > 0);
    assert_true(heap_bytes() < before + 8192);
    sync_walk_destroy(&walk);
    buffer_free(&entries);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_walk_over_a_small_state_takes_little_memory),
        cmocka_unit_test(a_hundred_of_100000_take_64_kib_and_five_round_trips),
        cmocka_unit_test(no_difference_takes_one_message),
        cmocka_unit_test(who_has_nothing_gets_everything),
        cmocka_unit_test(keys_may_be_empty_long_and_prefixes_of_others),
        cmocka_unit_test(steps_may_be_as_small_as_one_entry),
        cmocka_unit_test(states_with_nothing_in_common_fill_bodies_and_end),
        cmocka_unit_test(the_longest_keys_differ_in_their_last_bytes),
        cmocka_unit_test(states_that_change_meanwhile_end_and_the_next_sync_makes_them_equal),
        cmocka_unit_test(a_walk_over_all_is_the_state),
        cmocka_unit_test(a_far_side_that_makes_things_up_gets_bounded_answers),
        cmocka_unit_test(an_answer_over_the_cap_asks_for_the_rest),
        cmocka_unit_test(a_state_that_cannot_be_read_ends_the_walk_with_its_error),
    };
    (void)seed_random();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
