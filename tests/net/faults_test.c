/* Real nodes whose network is cut, one way or both, once or over and over, and then whole again:
 * all of them have the same bytes soon after, with all that was acknowledged meanwhile. And how
 * soon an update is at everybody when nothing is wrong.
 *
 * `make check` plays two short faults and looks for what is wrong, not for how long it takes.
 * NETFAULTS=all (`make netfaults`) plays all of them ROUNDS times and holds what it measures to the
 * bounds; it wants a machine with nothing else to do. SEED is that of the relay. */
#include "tests/net/trial.h"
#include "tests/support/setting.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    SURELY_MS = 120000, /* only a fault takes that long */
    UPDATES = 1000,
    SPREAD_MARGIN_US = 50000,
    ROUND_TRIP_US = 2 * TRIAL_DELAY_US,
    ROUNDS_MAX = 999,
};

static struct trial trial;
static uint64_t seed;
static unsigned rounds;

static int end_trial(void **state)
{
    (void)state;
    trial_end(&trial);
    return 0;
}

/* --- in make check --------------------------------------------------------------------------- */

static void equal_surely_after(const struct fault *fault)
{
    trial_start(&trial, TRIAL_CONTRACTS, seed);
    assert_true(trial_fault(&trial, fault, SURELY_MS) >= 0);
}

static void after_a_cut_all_is_equal_and_nothing_missing(void **state)
{
    (void)state;
    equal_surely_after(&(struct fault){.name = "cut", .cut_ms = 5000, .all_ms = 5000});
}

static void after_one_way_flapping_all_is_equal_and_nothing_missing(void **state)
{
    (void)state;
    equal_surely_after(
        &(struct fault){.name = "flapping", .cut_ms = 1000, .all_ms = 6000, .one_way = true});
}

/* --- all of them, measured ------------------------------------------------------------------- */

static const struct fault FAULTS[] = {
    {"cut 5 s", 5000, 5000, false, 10000},
    {"cut 60 s", 60000, 60000, false, 35000},
    {"one-way cut 60 s", 60000, 60000, true, 35000},
    {"flapping 2 s/2 s for 60 s", 2000, 60000, false, 35000},
    {"one-way flapping 2 s/2 s for 60 s", 2000, 60000, true, 35000},
};
enum { FAULTS_COUNT = sizeof FAULTS / sizeof FAULTS[0] };

static unsigned play_fault(const struct fault *fault)
{
    unsigned missed = 0;
    for (unsigned round = 0; round < rounds; round++) {
        trial_start(&trial, TRIAL_CONTRACTS, seed + round);
        int64_t after = trial_fault(&trial, fault, SURELY_MS);
        bool held = after >= 0 && after <= fault->equal_within_ms;
        trial_end(&trial);
        missed += !held;
        (void)printf("%-36s %9.2f s %9.2f s  %s\n", fault->name, (double)after / 1000,
                     (double)fault->equal_within_ms / 1000, held ? "held" : "MISSED");
        (void)fflush(stdout);
    }
    return missed;
}

static void equal_within_the_bound_after_each_fault(void **state)
{
    (void)state;
    unsigned missed = 0;
    (void)printf("%-36s %11s %11s\n", "equal after", "measured", "bound");
    for (size_t i = 0; i < FAULTS_COUNT; i++)
        missed += play_fault(&FAULTS[i]);
    assert_int_equal(missed, 0);
}

static void an_update_is_everywhere_within_3_round_trips_and_50_ms(void **state)
{
    (void)state;
    const uint64_t bound_us = 3 * ROUND_TRIP_US + SPREAD_MARGIN_US;
    unsigned missed = 0;
    (void)printf("%-36s %11s %11s\n", "an update at each of 5 followers", "p99", "bound");
    for (unsigned round = 0; round < rounds; round++) {
        trial_start(&trial, TRIAL_CONTRACTS, seed + round);
        struct spread spread = trial_spread(&trial, UPDATES);
        trial_end(&trial);
        missed += spread.p99_us > bound_us;
        (void)printf("%-36s %8.1f ms %8.1f ms  %s\n", "", (double)spread.p99_us / 1e3,
                     (double)bound_us / 1e3, spread.p99_us > bound_us ? "MISSED" : "held");
        (void)printf("  of %zu: median %.1f ms, longest %.1f ms; a round trip, as nodes measured "
                     "it: %.1f ms\n",
                     spread.count, (double)spread.p50_us / 1e3, (double)spread.longest_us / 1e3,
                     (double)spread.round_trip_us / 1e3);
    }
    assert_int_equal(missed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(after_a_cut_all_is_equal_and_nothing_missing, end_trial),
        cmocka_unit_test_teardown(after_one_way_flapping_all_is_equal_and_nothing_missing,
                                  end_trial),
    };
    const struct CMUnitTest all[] = {
        cmocka_unit_test_teardown(an_update_is_everywhere_within_3_round_trips_and_50_ms,
                                  end_trial),
        cmocka_unit_test_teardown(equal_within_the_bound_after_each_fault, end_trial),
    };
    spaces_enter();
    rounds = (unsigned)setting_number("ROUNDS", 1, 1, ROUNDS_MAX);
    seed = seed_random();
    return setting_is("NETFAULTS", "all") ? cmocka_run_group_tests(all, NULL, NULL)
                                          : cmocka_run_group_tests(tests, NULL, NULL);
}
