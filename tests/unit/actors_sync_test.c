/* Syncs that come to their end, and what holds them back. */
#include "tests/unit/sides.h"

#include <sodium.h>
#include <stdio.h>

enum { RUNS = 25, SECOND = 1000 };

/* --- two that differ --------------------------------------------------------------------- */

static void equal_states_need_no_entries(void **state)
{
    (void)state;
    sides_put_entries(0, 0, 500, 20, 1);
    sides_put_entries(1, 500, 0, 20, 1);
    sides_order(0);
    sides_run_wire();
    assert_int_equal(sides_synced(0), 0);
    sides_assert_equal();
    uint64_t before = sides[0].parts + sides[1].parts;
    sides_order(1);
    sides_run_wire();
    assert_int_equal(sides_synced(1), 0);
    assert_int_equal(sides[0].parts + sides[1].parts, before);
    assert_int_equal(sides[0].filled, 1);
    assert_int_equal(sides[1].filled, 1);
}

static void random_states_become_equal(void **state)
{
    (void)state;
    for (unsigned run = 0; run < RUNS; run++) {
        char name[16];
        subject_free(&sides_map);
        (void)snprintf(name, sizeof name, "run%u", run);
        subject_init(&sides_map, "map", name, 0);
        for (unsigned side = 0; side < 2; side++) {
            sides_put_entries(side, 0, 0, 1, 1);
            for (size_t pieces = random_below(6); pieces > 0; pieces--)
                sides_put_entries(side, (unsigned)random_below(3000), (unsigned)random_below(800),
                                  random_below(100), 1 + random_below(3));
        }
        unsigned opener = (unsigned)random_below(2);
        sides_order(opener);
        sides_run_wire();
        assert_int_equal(sides_synced(opener), 0);
        sides_assert_equal();
    }
    sides_assert_nobody_blamed();
}

static void one_that_has_nothing_gets_all(void **state)
{
    (void)state;
    sides_put_entries(0, 0, 3000, 100, 1);
    sides_put_entries(1, 0, 0, 1, 1);
    sides_order(1);
    sides_run_wire();
    assert_int_equal(sides_synced(1), 0);
    sides_assert_equal();
    assert_int_equal(sides[1].parts, 0);
}

static void entries_as_large_as_can_be_are_parts_of_their_own(void **state)
{
    (void)state;
    sides_put_entries(0, 0, 3, ENTRY_VALUE_BYTES_MAX - 64, 1);
    sides_put_entries(1, 10, 40, 10, 1);
    sides_order(1);
    sides_run_wire();
    assert_int_equal(sides_synced(1), 0);
    sides_assert_equal();
    assert_int_equal(sides[0].parts, 3);
}

static void both_may_begin_at_once(void **state)
{
    (void)state;
    for (unsigned run = 0; run < RUNS; run++) {
        sides_put_entries(0, 1000 * run, 200, 30, 1);
        sides_put_entries(1, 1000 * run + 100, 200, 30, 2);
        sides_order(0);
        sides_order(1);
        sides_run_wire();
        assert_int_equal(sides_synced(0), 0);
        assert_int_equal(sides_synced(1), 0);
        sides_assert_equal();
    }
    sides_assert_nobody_blamed();
}

/* Changes that came after the walk has passed their place are for another sync. */
static void one_wanted_while_one_goes_on_follows_it(void **state)
{
    (void)state;
    sides_put_entries(0, 0, 2000, 30, 1);
    sides_put_entries(1, 5000, 2000, 30, 1);
    sides_order(0);
    for (unsigned i = 0; i < 4; i++)
        (void)(sides_move(0, LANE_small) || sides_move(1, LANE_bulk) || sides_move(1, LANE_small));
    sides_put_entries(0, 0, 1, 30, 9);
    struct follow *behind = (struct follow *)message_new(sizeof *behind);
    behind->number = sides[0].other;
    behind->key = sides_map.contract.key;
    small_node_send(&sides[0].node, ACTOR_subscribe, ACTOR_sync, MESSAGE_FELL_BEHIND,
                    &behind->head);
    sides_run_wire();
    assert_int_equal(sides_synced(0), 0);
    sides_assert_equal();
}

/* Who answers knows when it has all: until then its copy may be half of one. */
static void who_answers_tells_hosting_when_all_of_it_is_merged(void **state)
{
    (void)state;
    sides_put_entries(0, 0, 20000, 100, 1);
    sides_put_entries(1, 0, 0, 1, 1);
    sides_order(0);
    while (sides[1].filled == 0) {
        assert_true(sides_move(0, LANE_small) || sides_move(1, LANE_small) ||
                    sides_move(0, LANE_bulk) || sides_move(1, LANE_bulk));
    }
    assert_int_equal(sides_synced(0), 0);
    sides_assert_equal();
    assert_int_equal(sides[0].filled, 0);
    assert_int_equal(sides[1].filled, 1);
}

/* --- what holds it back ------------------------------------------------------------------ */

static void a_peer_that_takes_nothing_is_sent_two_parts(void **state)
{
    (void)state;
    sides_put_entries(0, 0, 20000, 100, 1);
    sides_put_entries(1, 0, 0, 1, 1);
    sides_order(1);
    assert_true(sides_move(1, LANE_small)); /* the opening; nothing of what 0 sends is taken */
    sides_run_both();
    assert_int_equal(sides[0].parts, 2);
    sides_run_wire();
    assert_int_equal(sides_synced(1), 0);
    assert_int_equal(sides[0].parts_out_most, 2);
    sides_assert_equal();
}

static void a_change_of_a_peer_is_held_until_it_is_durable_and_tells_its_origin(void **state)
{
    (void)state;
    sides_put_entries(1, 0, 1, 10, 1);
    struct watch *watch = (struct watch *)message_new(sizeof *watch);
    watch->key = sides_map.contract.key;
    watch->on = true;
    small_node_send(&sides[1].node, ACTOR_subscribe, ACTOR_storage, MESSAGE_WATCH, &watch->head);
    small_node_pause(&sides[1].node, ACTOR_journal, true);
    sides_send_delta(1, "new", "x");
    assert_true(owed_bytes(sides[1].window) > 0);
    small_node_pause(&sides[1].node, ACTOR_journal, false);
    sides_run_both();
    assert_int_equal(owed_bytes(sides[1].window), 0);
    struct message *message = small_node_take(&sides[1].node, ACTOR_subscribe, MESSAGE_CHANGED);
    assert_int_equal(((struct changed *)message)->origin, sides[1].other);
    message_free(&message);
}

/* Lets the journal have all that waits for it but the last. */
static void flush_all_but_one(struct small_node *node)
{
    struct small_actor *journal = &node->actors[ACTOR_journal];
    assert_true(journal->mail.count > 1);
    while (journal->mail.count > 1)
        mail_push(&node->queue, mail_pop(&journal->mail));
    struct message *last = mail_pop(&journal->mail);
    journal->paused = false;
    small_node_run(node);
    journal->paused = true;
    mail_push(&journal->mail, last);
}

/* A contract that many write to has some change under way at every moment. */
static void a_body_waits_for_what_came_before_it_and_not_for_what_comes_after(void **state)
{
    (void)state;
    sides_put_entries(0, 0, 300, 10, 1);
    sides_put_entries(1, 100, 300, 10, 2);
    sides_order(0);
    assert_true(sides_move(0, LANE_small));
    while (sides_move(1, LANE_bulk) || sides_move(1, LANE_small))
        ;
    small_node_pause(&sides[1].node, ACTOR_journal, true);
    while (sides_move(0, LANE_bulk) || sides_move(0, LANE_small)) /* what 1 lacks, and the body */
        ;
    sides_send_delta(1, "after", "x");
    assert_null(sides[1].node.storage->walks_for_flush.first);
    flush_all_but_one(&sides[1].node);
    assert_true(owed_bytes(sides[1].window) > 0);
    /* the walk to answer it saw "after" and waits for that flush: nothing else holds it */
    assert_int_equal(sides[1].node.storage->walks_for_flush.count, 1);
    small_node_pause(&sides[1].node, ACTOR_journal, false);
    sides_run_wire();
    assert_int_equal(sides_synced(0), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sides_set_up, sides_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(equal_states_need_no_entries),
        TEST(random_states_become_equal),
        TEST(one_that_has_nothing_gets_all),
        TEST(entries_as_large_as_can_be_are_parts_of_their_own),
        TEST(both_may_begin_at_once),
        TEST(who_answers_tells_hosting_when_all_of_it_is_merged),
        TEST(one_wanted_while_one_goes_on_follows_it),
        TEST(a_peer_that_takes_nothing_is_sent_two_parts),
        TEST(a_change_of_a_peer_is_held_until_it_is_durable_and_tells_its_origin),
        TEST(a_body_waits_for_what_came_before_it_and_not_for_what_comes_after),
    };
    (void)seed_random();
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
