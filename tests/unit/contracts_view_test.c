/* What a state means to people: items, their order, times, and what deltas show. */
#include "contracts/view.h"
#include "tests/unit/contracts_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void the_empty_state_shows_a_counters_zero_and_nothing_else(void **state)
{
    (void)state;
    for (const struct kind *const *kind = kinds; *kind; kind++) {
        struct fixture f;
        if ((*kind)->finish_params)
            continue; /* rooms need parameters */
        fixture_open(&f, (*kind)->name, slice_of(NULL, 0));
        assert_string_equal(fixture_show(&f), strcmp((*kind)->name, "counter") ? "" : "0");
        fixture_close(&f);
    }
}

/* Keys have the element's size in front; people get byte order. */
static void elements_are_in_byte_order_whatever_their_size(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, "set", slice_of(NULL, 0));
    fixture_edit(&f, 'a', 1000, "add b aa c abc ab a");
    fixture_edit(&f, 'b', 1000, "add ba ab");
    assert_string_equal(fixture_show(&f), "a aa ab abc b ba c");
    fixture_close(&f);
}

static int count_item(void *self, const struct view_item *item)
{
    struct slice *last = (struct slice *)self;
    assert_true(slice_compare(*last, item->value) < 0);
    *last = item->value;
    return 0;
}

static void many_elements_are_all_shown(void **state)
{
    (void)state;
    enum { MANY = 100 };
    struct fixture f;
    struct slice last = slice_of(NULL, 0);
    fixture_open(&f, "set", slice_of(NULL, 0));
    for (int i = 0; i < MANY; i++) {
        char words[16];
        (void)snprintf(words, sizeof words, "add %0*d", 1 + i % 3, i * 37 % MANY);
        fixture_edit(&f, 'a', 1000, words);
    }
    struct buffer bytes = fixture_bytes(&f);
    assert_int_equal(view_items(&f.contract, buffer_slice(&bytes), count_item, (void *)&last, NULL),
                     0);
    assert_true(state_summary(f.state)->count > 16);
    assert_true(last.size > 0);
    buffer_free(&bytes);
    fixture_close(&f);
}

static void concurrent_values_are_in_byte_order_and_equal_ones_once(void **state)
{
    (void)state;
    static const char *const values[] = {"set pear", "set fig", "set pear", "set a"};
    struct fixture f, others;
    fixture_open(&f, "multi-register", slice_of(NULL, 0));
    for (size_t i = 0; i < 4; i++) {
        fixture_open(&others, "multi-register", slice_of(NULL, 0));
        fixture_edit(&others, (char)('a' + i), 1000, values[i]);
        struct buffer bytes = fixture_bytes(&others);
        (void)fixture_merge(&f, buffer_slice(&bytes));
        buffer_free(&bytes);
        fixture_close(&others);
    }
    assert_string_equal(fixture_show(&f), "a fig pear");
    fixture_close(&f);
}

static void an_element_counts_as_removed_only_when_no_replica_has_it(void **state)
{
    (void)state;
    struct fixture f;
    struct buffer delta = {0};
    fixture_open(&f, "set", slice_of(NULL, 0));
    fixture_edit(&f, 'a', 1000, "add x");
    assert_int_equal(fixture_delta(&f, 'a', 1000, "remove x", &delta), 0);
    fixture_edit(&f, 'b', 1000, "add x");
    (void)fixture_merge(&f, buffer_slice(&delta));
    assert_string_equal(fixture_show(&f), "x");
    assert_string_equal(fixture_show_bytes(&f, buffer_slice(&delta)), "!x");
    fixture_close(&f);
    buffer_free(&delta);
}

static void a_delta_shows_what_it_brings(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *before, *words, *shown;
    } rows[] = {
        {"counter", "add 5", "add 2", "7"},        {"register", "set x", "set y", "y"},
        {"multi-register", "set x", "set y", "y"}, {"set", "add x y", "remove x", "!x"},
        {"map", "set f 1 g 2", "remove g", "!g"},  {"map", "set f 1 g 2", "set g 3", "g=3"},
        {"log", "append x", "append y z", "y z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct buffer delta = {0};
        fixture_open(&f, rows[i].kind, slice_of(NULL, 0));
        fixture_edit(&f, 'a', 1000, rows[i].before);
        assert_int_equal(fixture_delta(&f, 'a', 1000, rows[i].words, &delta), 0);
        assert_string_equal(fixture_show_bytes(&f, buffer_slice(&delta)), rows[i].shown);
        fixture_close(&f);
        buffer_free(&delta);
    }
}

static int take_time(void *me, const struct view_item *item)
{
    uint64_t *time_ms = (uint64_t *)me;
    *time_ms = item->time_ms;
    return 0;
}

static void times_are_those_of_the_edits(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"register", "set x"}, {"map", "set f x"}, {"log", "append x"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        uint64_t time_ms = 0;
        fixture_open(&f, rows[i][0], slice_of(NULL, 0));
        fixture_edit(&f, 'a', 1700000000123, rows[i][1]);
        struct buffer bytes = fixture_bytes(&f);
        assert_int_equal(view_items(&f.contract, buffer_slice(&bytes), take_time, &time_ms, NULL),
                         0);
        assert_true(time_ms == 1700000000123);
        fixture_close(&f);
        buffer_free(&bytes);
    }
}

struct stopper {
    unsigned items, stop_at;
};

static int stop(void *me, const struct view_item *item)
{
    struct stopper *self = (struct stopper *)me;
    (void)item;
    return ++self->items == self->stop_at ? ERR_BUSY : 0;
}

static void who_takes_items_may_stop_the_walk(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"set", "add x y z"}, {"map", "set x 1 y 2 z 3"}, {"log", "append x y z"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct stopper stopper = {.stop_at = 2};
        fixture_open(&f, rows[i][0], slice_of(NULL, 0));
        fixture_edit(&f, 'a', 1000, rows[i][1]);
        struct buffer bytes = fixture_bytes(&f);
        assert_int_equal(view_items(&f.contract, buffer_slice(&bytes), stop, &stopper, NULL),
                         ERR_BUSY);
        assert_int_equal(stopper.items, 2);
        fixture_close(&f);
        buffer_free(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_empty_state_shows_a_counters_zero_and_nothing_else),
        cmocka_unit_test(elements_are_in_byte_order_whatever_their_size),
        cmocka_unit_test(many_elements_are_all_shown),
        cmocka_unit_test(concurrent_values_are_in_byte_order_and_equal_ones_once),
        cmocka_unit_test(an_element_counts_as_removed_only_when_no_replica_has_it),
        cmocka_unit_test(a_delta_shows_what_it_brings),
        cmocka_unit_test(times_are_those_of_the_edits),
        cmocka_unit_test(who_takes_items_may_stop_the_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
