/* The table of what is asked of peers. */
#include "actors/relays.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct relays table;
static const struct contract_key key = {{1, 2, 3}};

static int set_up(void **state)
{
    (void)state;
    relays_init(&table, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    relays_free(&table);
    return 0;
}

static void a_row_is_found_by_its_number_until_it_closes(void **state)
{
    (void)state;
    struct relay *row = relays_open(&table, 0, &key, 100, RELAY_asking);
    uint64_t number = row->number;
    assert_int_not_equal(number, 0);
    assert_ptr_equal(relays_find(&table, number), row);
    assert_null(relays_find(&table, 0));
    assert_null(relays_find(&table, UINT64_MAX));
    relays_close(&table, row);
    assert_null(relays_find(&table, number));
    row = relays_open(&table, 0, &key, 100, RELAY_asking);
    assert_int_not_equal(row->number, number); /* the same place, another number */
    assert_null(relays_find(&table, number));
}

static void the_deadline_is_never_later_than_the_earliest_row(void **state)
{
    (void)state;
    struct relay *late = relays_open(&table, 0, &key, 300, RELAY_asking);
    struct relay *early = relays_open(&table, 0, &key, 100, RELAY_asking);
    assert_int_equal(table.deadline_ms, 100);
    assert_null(relays_expired(&table, 99));
    assert_ptr_equal(relays_expired(&table, 100), early);
    relays_close(&table, early);
    assert_null(relays_expired(&table, 100));
    assert_int_equal(table.deadline_ms, 300);
    relays_close(&table, late);
    assert_true(table.deadline_ms == NEVER);
}

static void a_peer_that_is_done_may_ask_again(void **state)
{
    (void)state;
    struct relay *row = NULL;
    for (unsigned i = 0; i < RELAYS_A_PEER_MAX; i++) {
        row = relays_open(&table, 5, &key, 100, RELAY_locating);
        assert_non_null(row);
    }
    assert_null(relays_open(&table, 5, &key, 100, RELAY_locating));
    assert_non_null(relays_open(&table, 6, &key, 100, RELAY_locating));
    relays_close(&table, row);
    assert_non_null(relays_open(&table, 5, &key, 100, RELAY_locating));
}

/* Which states follow which, as the drawing in relays.h has it. */
static void states_follow_each_other_as_drawn(void **state)
{
    static const char *const allowed[RELAY_STATE_COUNT] = {
        /* to: locating serving changing asking merging reading passing */
        [RELAY_locating] = ".s.a..p", [RELAY_serving] = "......p", [RELAY_changing] = "...a...",
        [RELAY_asking] = ".s.amrp",   [RELAY_merging] = "...a.r.", [RELAY_reading] = "...a...",
        [RELAY_passing] = ".......",
    };
    (void)state;
    for (int from = 0; from < RELAY_STATE_COUNT; from++)
        for (int to = 0; to < RELAY_STATE_COUNT; to++)
            if (allowed[from][to] != '.') {
                struct relay *row = relays_open(&table, 0, &key, 100, (enum relay_state)from);
                relay_move(row, (enum relay_state)to);
                assert_int_equal(row->state, to);
                assert_int_equal(allowed[from][to], relay_state_names[to][0]);
                relays_close(&table, row);
            } else {
                assert_false(relay_may_follow((enum relay_state)from, (enum relay_state)to));
            }
}

static void a_hop_has_less_time_than_its_asker(void **state)
{
    (void)state;
    const struct relay row = {.deadline_ms = 10000};
    assert_int_equal(relay_left_ms(&row, 0), 10000 - RELAY_MARGIN_MS);
    assert_int_equal(relay_left_ms(&row, 9900), 50);
    assert_int_equal(relay_left_ms(&row, 10000), 0);
    assert_int_equal(relay_left_ms(&row, 20000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        T(a_row_is_found_by_its_number_until_it_closes),
        T(the_deadline_is_never_later_than_the_earliest_row),
        T(a_peer_that_is_done_may_ask_again),
        T(states_follow_each_other_as_drawn),
        T(a_hop_has_less_time_than_its_asker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
