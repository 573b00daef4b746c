/* Many seeds of a network in trouble (play.h): what must hold at every step, and at rest.
 * SIM_SEEDS=n plays another number of them, SEED=n begins with another one. */
#include "tests/sim/play.h"
#include "tests/support/setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

/* cmocka wants these before it */
#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SEEDS = 60 }; /* each costs several times as much there */
#else
enum { SEEDS = 200 };
#endif
enum { ROWS = 60 };

static void whatever_breaks_it_comes_to_rest_with_nothing_lost(void **state)
{
    uint64_t first = setting_number("SEED", 1, 0, UINT64_MAX), handled = 0;
    uint64_t seeds = setting_number("SIM_SEEDS", SEEDS, 1, UINT64_MAX);
    uint64_t struck[FAULTS_MAX] = {0}, echoed = 0, torn = 0;
    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        const struct play_options options = {.seed = seed, .faults = true};
        struct play_result result = play_run(&options, ROWS, stdout);
        handled += result.handled;
        echoed += result.echoed;
        torn += result.drives.torn;
        for (size_t i = 0; i < storm_faults_count; i++)
            struck[i] += result.struck[i];
        if (result.failed)
            fail_msg("seed %llu: %s\n  again: make sim SEED=%llu", (unsigned long long)seed,
                     result.why, (unsigned long long)seed);
    }
    for (size_t i = 0; i < storm_faults_count && seeds >= SEEDS; i++)
        if (!struck[i]) /* then this test does not test it */
            fail_msg("no seed has %s", storm_faults[i].name);
    assert_true(seeds < SEEDS || (echoed > 0 && torn > 0));
    print_message("%llu seeds from %llu on, %llu messages\n", (unsigned long long)seeds,
                  (unsigned long long)first, (unsigned long long)handled);
}

static void one_seed_is_one_trace_with_all_its_faults(void **state)
{
    const struct play_options options = {.seed = setting_number("SEED", 1, 0, UINT64_MAX),
                                         .faults = true};
    (void)state;
    struct play_result first = play_run(&options, 0, NULL), again = play_run(&options, 0, NULL);
    assert_int_equal(first.hash, again.hash);
    assert_int_equal(first.handled, again.handled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_seed_is_one_trace_with_all_its_faults),
        cmocka_unit_test(whatever_breaks_it_comes_to_rest_with_nothing_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
