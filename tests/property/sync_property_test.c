/* Sync by ranges over random states of every kind: afterwards both sides are the merge of the two,
 * byte for byte. SEED repeats a run. */
#include "tests/property/cases.h"
#include "tests/support/sync_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { CASES = 2000, SIGNED_CASES = 100, DELTAS_MAX = 12, ENTRIES_MAX = 16 };

static state_t *new_state(const struct subject *subject)
{
    state_t *state = state_new(&subject->contract);
    assert_non_null(state);
    return state;
}

/* Deltas that one of the sides got, or both. */
static void draw_sides(const struct subject *subject, struct random *random, state_t *sides[2])
{
    size_t count = random_below(random, DELTAS_MAX + 1);
    for (size_t i = 0; i < count; i++) {
        struct buffer delta = {0};
        uint64_t who = 1 + random_below(random, 3);
        random_delta(subject, random, ENTRIES_MAX, &delta);
        for (int side = 0; side < 2; side++)
            if (who & (uint64_t)1 << side)
                assert_int_equal(state_join(sides[side], buffer_slice(&delta), NULL), 0);
        buffer_free(&delta);
    }
}

/* The bytes of both merged, without a sync. */
static struct buffer merged(const struct subject *subject, state_t *const sides[2])
{
    state_t *both = new_state(subject);
    struct buffer bytes = {0};
    for (int side = 0; side < 2; side++) {
        buffer_clear(&bytes);
        assert_int_equal(state_encode(sides[side], &bytes), 0);
        assert_int_equal(state_join(both, buffer_slice(&bytes), NULL), 0);
    }
    buffer_clear(&bytes);
    assert_int_equal(state_encode(both, &bytes), 0);
    state_destroy(&both);
    return bytes;
}

static void check_case(const struct subject *subject, uint64_t number)
{
    struct random random = {seed_of_run() ^ number << 8};
    struct sync_pair pair = {.contract = &subject->contract, .valid = true, .messages_max = 12};
    struct buffer got = {0};
    pair.sides[0] = new_state(subject);
    pair.sides[1] = new_state(subject);
    draw_sides(subject, &random, pair.sides);
    struct buffer wanted = merged(subject, pair.sides);
    put_u64(pair.salt, random_bits(&random));
    pair.budget = random_below(&random, 2) ? 1 + random_below(&random, 20) : 0;
    pair.entries_bytes_max = random_below(&random, 2) ? 1 + random_below(&random, 200) : 0;
    sync_pair_run(&pair);
    assert_int_equal(state_encode(pair.sides[0], &got), 0);
    if (!sync_pair_equal(&pair) || !slice_equal(buffer_slice(&got), buffer_slice(&wanted)))
        fail_msg("%s: case %llu of SEED=%llu: the sides are not the merge of both", subject->label,
                 (unsigned long long)number, (unsigned long long)seed_of_run());
    buffer_free(&got);
    buffer_free(&wanted);
    state_destroy(&pair.sides[0]);
    state_destroy(&pair.sides[1]);
}

static void synced_sides_are_the_merge_of_both(void **state)
{
    const struct subject *subject = (const struct subject *)*state;
    uint64_t cases = contract_signed(&subject->contract) ? SIGNED_CASES : CASES;
    for (uint64_t i = 0; i < cases; i++)
        check_case(subject, i);
}

int main(void)
{
    static struct CMUnitTest tests[SUBJECTS];
    static char names[SUBJECTS][128];
    for (size_t i = 0; i < SUBJECTS; i++) {
        (void)snprintf(names[i], sizeof names[i], "%s: synced sides are the merge of both",
                       subjects()[i].label);
        tests[i] = (struct CMUnitTest){names[i], synced_sides_are_the_merge_of_both, NULL, NULL,
                                       &subjects()[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
