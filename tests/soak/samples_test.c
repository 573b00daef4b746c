/* What the soak takes for a leak, and what not. An hour of samples, one a second, in KiB. */
/* link: -lm */
#include "tests/soak/samples.h"

#include "tests/sim/dice.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { HOUR = 3600, LEVEL = 9000, NOISE = 400, TOLERANCE = 512 };

static struct dice dice;

/* -1 … 1 */
static double chance(void)
{
    return (double)dice_below(&dice, 2000001) / 1e6 - 1;
}

/* Fills by 4 KiB a second up to 600 KiB and falls back, as folds do. */
static double tooth(int second)
{
    return second % 150 * 4;
}

static enum verdict verdict_of(struct samples *samples)
{
    struct trend trend = samples_trend(samples, HOUR);
    samples_free(samples);
    return trend_verdict(&trend, TOLERANCE);
}

static void what_only_swings_is_steady(void **state)
{
    (void)state;
    struct samples samples = {0};
    for (int s = 0; s < HOUR; s++)
        samples_add(&samples, s, LEVEL + tooth(s) + NOISE * chance());
    assert_int_equal(verdict_of(&samples), VERDICT_STEADY);
}

static void a_leak_of_a_quarter_of_a_kib_a_second_is_found(void **state)
{
    (void)state;
    struct samples samples = {0};
    for (int s = 0; s < HOUR; s++)
        samples_add(&samples, s, LEVEL + tooth(s) + NOISE * chance() + s * 0.25);
    assert_int_equal(verdict_of(&samples), VERDICT_GROWS);
}

static void what_fills_in_the_first_tenth_does_not_count(void **state)
{
    (void)state;
    struct samples samples = {0};
    for (int s = 0; s < HOUR; s++)
        samples_add(&samples, s, (s < HOUR / 10 ? s * 20 : HOUR * 2) + NOISE * chance());
    assert_int_equal(verdict_of(&samples), VERDICT_STEADY);
}

static void a_moments_peak_does_not_count(void **state)
{
    (void)state;
    struct samples samples = {0};
    for (int s = 0; s < HOUR; s++)
        samples_add(&samples, s, LEVEL + NOISE * chance() + (s > HOUR / 2 && s % 40 == 0) * 50000);
    assert_int_equal(verdict_of(&samples), VERDICT_STEADY);
}

/* Two minutes up, one down; each life begins 3 MiB lower and has all it needs after 20 s. */
static double life(int second)
{
    return second % 180 < 20 ? (20 - second % 180) * -150 : 0;
}

static void lives_that_begin_small_are_steady_and_their_leak_is_found(void **state)
{
    (void)state;
    struct samples sound = {0}, leaking = {0};
    for (int s = 0; s < HOUR; s++) {
        if (s % 180 >= 120)
            continue;
        samples_add(&sound, s, LEVEL + life(s) + NOISE * chance());
        samples_add(&leaking, s, LEVEL + life(s) + NOISE * chance() + s);
    }
    assert_int_equal(verdict_of(&sound), VERDICT_STEADY);
    assert_int_equal(verdict_of(&leaking), VERDICT_GROWS);
}

static void what_shrinks_is_steady(void **state)
{
    (void)state;
    struct samples samples = {0};
    for (int s = 0; s < HOUR; s++)
        samples_add(&samples, s, LEVEL - s + NOISE * chance());
    assert_int_equal(verdict_of(&samples), VERDICT_STEADY);
}

static void too_few_windows_and_too_much_scatter_are_unclear(void **state)
{
    (void)state;
    struct samples few = {0}, wild = {0};
    for (int s = 0; s < HOUR / 4; s++)
        samples_add(&few, s, LEVEL);
    for (int s = 0; s < HOUR; s++)
        samples_add(&wild, s, s / 100 % 2 ? LEVEL : 3 * LEVEL);
    assert_int_equal(verdict_of(&few), VERDICT_UNCLEAR);
    assert_int_equal(verdict_of(&wild), VERDICT_UNCLEAR);
}

static void the_line_of_exact_samples_is_exact(void **state)
{
    (void)state;
    struct samples samples = {0};
    for (int s = 0; s < HOUR; s++)
        samples_add(&samples, s, 100 + s / 360.0); /* 1 each tenth of the time */
    struct trend trend = samples_trend(&samples, HOUR);
    samples_free(&samples);
    assert_true(trend.drift > 8.999 && trend.drift < 9.001);
    assert_true(trend.level > 105.4 && trend.level < 105.6);
    assert_true(trend.error < 0.001);
    assert_int_equal(trend.windows, SAMPLES_WINDOWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_only_swings_is_steady),
        cmocka_unit_test(a_leak_of_a_quarter_of_a_kib_a_second_is_found),
        cmocka_unit_test(what_fills_in_the_first_tenth_does_not_count),
        cmocka_unit_test(a_moments_peak_does_not_count),
        cmocka_unit_test(lives_that_begin_small_are_steady_and_their_leak_is_found),
        cmocka_unit_test(what_shrinks_is_steady),
        cmocka_unit_test(too_few_windows_and_too_much_scatter_are_unclear),
        cmocka_unit_test(the_line_of_exact_samples_is_exact),
    };
    dice_seed(&dice, seed_random(), 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
