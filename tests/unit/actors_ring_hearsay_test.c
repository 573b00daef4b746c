/* What others tell of peers: it makes them known, and never replaces what is known better. */
#include "tests/unit/connections_one.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct one one;
static peer_t teller;
static const struct node_id friend = {{200, 0, 2, 7}}; /* higher than ours: we dial */

static int set_up(void **state)
{
    (void)state;
    one_start(&one, 7, (struct connections_options){.address = "here:1"});
    teller = one_opens_at(&one, id_with(100, 1), 0, 0, "teller:1");
    one_pass(&one, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    one_end(&one);
    return 0;
}

static const struct peer *the_friend(void)
{
    return peers_find(&one.actor->peers, &friend);
}

/* Dials that are made within so long; each is answered with this. */
static unsigned dials_within(uint64_t ms, enum close_reason answer)
{
    unsigned dials = 0;
    peer_t number;
    for (uint64_t passed = 0; passed < ms; passed += 50) {
        one.traffic[0]->heard_ms = one.now.ms; /* the teller lives on */
        one_pass(&one, 50);
        while (*one_dialled(&one, &number)) {
            dials++;
            one_closes(&one, number, answer);
        }
    }
    return dials;
}

/* It was live, at "home:1", and is not any more. */
static void friend_goes(enum close_reason reason)
{
    one_closes(&one, one_opens_at(&one, friend, 0, 0, "home:1"), reason);
}

static void what_is_told_first_is_where_it_is_dialled(void **state)
{
    peer_t number;
    (void)state;
    one_hears_of(&one, teller, friend, "first:1");
    one_pass(&one, 1);
    assert_string_equal(one_dialled(&one, &number), "first:1");
}

static void what_was_not_proved_is_replaced_by_what_is_told_last(void **state)
{
    peer_t number;
    (void)state;
    one_hears_of(&one, teller, friend, "wrong:1");
    one_hears_of(&one, teller, friend, "right:1");
    one_pass(&one, 1);
    assert_string_equal(one_dialled(&one, &number), "right:1");
}

static void an_address_of_its_own_is_not_replaced_and_tried_first(void **state)
{
    peer_t number;
    (void)state;
    friend_goes(CLOSE_reset);
    one_hears_of(&one, teller, friend, "elsewhere:1");
    assert_string_equal(the_friend()->address, "home:1");
    one_pass(&one, 2 * REDIAL_MS);
    assert_string_equal(one_dialled(&one, &number), "home:1");
    one_closes(&one, number, CLOSE_unreachable);
    one_pass(&one, 4 * REDIAL_MS);
    assert_string_equal(one_dialled(&one, &number), "elsewhere:1"); /* it may have moved */
    (void)one_opens_at(&one, friend, 0, number, "moved:1");
    assert_string_equal(the_friend()->address, "moved:1");
    assert_null(the_friend()->hearsay);
}

/* Another node at a place that somebody told of is no reason to stay away from the peer. */
static void a_lie_costs_one_attempt(void **state)
{
    peer_t number;
    (void)state;
    friend_goes(CLOSE_reset);
    one_hears_of(&one, teller, friend, "trap:1");
    one_pass(&one, 2 * REDIAL_MS);
    assert_string_equal(one_dialled(&one, &number), "home:1");
    one_closes(&one, number, CLOSE_unreachable);
    one_pass(&one, 4 * REDIAL_MS);
    assert_string_equal(one_dialled(&one, &number), "trap:1");
    one_closes(&one, number, CLOSE_wrong_id);
    assert_null(the_friend()->hearsay);
    one_pass(&one, 10 * REDIAL_MS);
    assert_string_equal(one_dialled(&one, &number), "home:1");
}

static void where_another_node_is_an_unknown_one_is_not_dialled_again(void **state)
{
    peer_t number;
    (void)state;
    one_hears_of(&one, teller, friend, "trap:1");
    one_pass(&one, 1);
    assert_string_equal(one_dialled(&one, &number), "trap:1");
    one_closes(&one, number, CLOSE_wrong_id);
    assert_int_equal(dials_within(60000, CLOSE_wrong_id), 1); /* it may have ended right then */
    one_hears_of(&one, teller, friend, "right:1");
    one_pass(&one, 1);
    assert_string_equal(one_dialled(&one, &number), "right:1");
}

/* A process that ends while it is dialled closes without an answer, as another node would. */
static void a_known_peer_that_closes_without_an_answer_is_tried_on(void **state)
{
    peer_t number;
    (void)state;
    friend_goes(CLOSE_reset);
    one_pass(&one, 2 * REDIAL_MS);
    assert_string_equal(one_dialled(&one, &number), "home:1");
    one_closes(&one, number, CLOSE_wrong_id);
    one_pass(&one, 4 * REDIAL_MS);
    assert_string_equal(one_dialled(&one, &number), "home:1");
    one_closes(&one, number, CLOSE_wrong_id);
    assert_in_range(dials_within(60000, CLOSE_wrong_id), 3, 6);
}

static void news_of_who_vanished_end_its_pause(void **state) /* lesson L4 */
{
    peer_t number;
    (void)state;
    friend_goes(CLOSE_reset);
    assert_true(dials_within(20000, CLOSE_unreachable) >= 4);
    one_pass(&one, 1);
    assert_true(the_friend()->dial_at_ms > one.now.ms + 1000);
    one_hears_of(&one, teller, friend, "home:1");
    one_pass(&one, 1);
    assert_string_equal(one_dialled(&one, &number), "home:1");
}

/* Until it is dialled; where, and under which number. */
static const char *until_dialled(peer_t *number)
{
    uint64_t end_ms = one.now.ms + 2 * REDIAL_MS_MAX;
    for (const char *where;; one_pass(&one, 50)) {
        assert_true(one.now.ms < end_ms);
        one.traffic[0]->heard_ms = one.now.ms;
        if (*(where = one_dialled(&one, number)))
            return where;
    }
}

/* The dial went to where nothing was yet, and hangs; who came up meanwhile is told of meanwhile. */
static void news_that_come_while_it_is_dialled_count_when_the_dial_fails(void **state)
{
    peer_t number;
    (void)state;
    friend_goes(CLOSE_reset);
    (void)dials_within(20000, CLOSE_unreachable);
    (void)until_dialled(&number);
    one_pass(&one, 1000);
    one_hears_of(&one, teller, friend, "home:1");
    one_pass(&one, 1000);
    assert_string_equal(one_dialled(&one, &number), "");
    one_closes(&one, number, CLOSE_unreachable);
    one_pass(&one, 1);
    assert_string_equal(one_dialled(&one, &number), "home:1");
    one_closes(&one, number, CLOSE_unreachable); /* what was told was told before this one */
    one_pass(&one, 1);
    assert_string_equal(one_dialled(&one, &number), "");
    assert_true(the_friend()->dial_at_ms > one.now.ms + 1000);
}

/* Who tells does not know yet that it went; if that counted, true news would come too early. */
static void news_from_before_it_went_do_not_count_when_the_dial_fails(void **state)
{
    peer_t number;
    (void)state;
    friend_goes(CLOSE_reset);
    (void)until_dialled(&number);
    assert_true(one.now.ms < the_friend()->gone_ms + STALE_NEWS_MS / 2);
    one_pass(&one, 50);
    one_hears_of(&one, teller, friend, "home:1");
    one_pass(&one, 5000);
    one_closes(&one, number, CLOSE_unreachable);
    assert_int_equal(the_friend()->revived_ms, 0);
    assert_true(the_friend()->dial_at_ms > one.now.ms);
}

/* It is at another place now, and told to be there while that, or the old one, is dialled. */
static void a_place_that_is_told_while_it_is_dialled_is_kept(void **state)
{
    peer_t number;
    (void)state;
    friend_goes(CLOSE_reset);
    one_hears_of(&one, teller, friend, "moved:1");
    assert_string_equal(until_dialled(&number), "home:1");
    one_closes(&one, number, CLOSE_unreachable);
    assert_string_equal(until_dialled(&number), "moved:1");
    one_pass(&one, STALE_NEWS_MS);
    one_hears_of(&one, teller, friend, "moved:1");
    one_pass(&one, 1000);
    one_closes(&one, number, CLOSE_unreachable);
    assert_non_null(the_friend()->hearsay);
    assert_string_equal(the_friend()->hearsay, "moved:1");
}

static void a_place_that_is_told_while_a_wrong_one_is_dialled_is_dialled_next(void **state)
{
    peer_t number;
    (void)state;
    one_hears_of(&one, teller, friend, "trap:1");
    assert_string_equal(until_dialled(&number), "trap:1");
    one_closes(&one, number, CLOSE_wrong_id);
    assert_string_equal(until_dialled(&number), "trap:1");
    one_pass(&one, 50);
    one_hears_of(&one, teller, friend, "right:1");
    one_closes(&one, number, CLOSE_wrong_id);
    assert_string_equal(until_dialled(&number), "right:1");
}

static void news_of_who_left_end_its_time_away(void **state)
{
    peer_t number;
    (void)state;
    friend_goes(CLOSE_goodbye);
    one_hears_of(&one, teller, friend, "home:1"); /* from before it left */
    assert_int_equal(dials_within(5000, CLOSE_unreachable), 0);
    one_hears_of(&one, teller, friend, "home:1");
    one_pass(&one, 1);
    assert_string_equal(one_dialled(&one, &number), "home:1");
}

/* The friend was restarted: it is back before its goodbye has come, and since something else of its
 * last run comes meanwhile, its new connection is taken for one too many. How often it is dialled
 * when the goodbye comes so long after. */
static unsigned dials_after_a_goodbye_that_comes_late(uint64_t ms)
{
    peer_t old = one_opens_at(&one, friend, 0, 0, "home:1");
    (void)dials_within(1000, CLOSE_unreachable); /* it is dialled back */
    peer_t back = one_opens_at(&one, friend, 0, 0, "home:1");
    one_pass(&one, 50);
    one.traffic[1]->heard_ms = one.now.ms;
    one_pass(&one, PROBE_MS);
    assert_int_equal(one_verdict(&one, back), CLOSE_duplicate);
    one_closes(&one, back, CLOSE_duplicate);
    for (uint64_t passed = 0; passed < ms; passed += 50) {
        one.traffic[0]->heard_ms = one.traffic[1]->heard_ms = one.now.ms;
        one_pass(&one, 50);
    }
    one_closes(&one, old, CLOSE_goodbye);
    return dials_within(GRACE_MS, CLOSE_unreachable);
}

static void a_goodbye_of_who_is_back_already_is_old(void **state)
{
    (void)state;
    assert_true(dials_after_a_goodbye_that_comes_late(100) > 0);
}

static void a_goodbye_of_who_came_twice_long_ago_is_none_of_before(void **state)
{
    (void)state;
    assert_int_equal(dials_after_a_goodbye_that_comes_late(GRACE_MS), 0);
}

static void no_news_make_this_node_dial_and_dial(void **state) /* lesson D2 */
{
    unsigned dials = 0;
    (void)state;
    friend_goes(CLOSE_reset);
    for (int s = 0; s < 600; s++) {
        one_hears_of(&one, teller, friend, s % 2 ? "home:1" : "elsewhere:1");
        dials += dials_within(1000, CLOSE_unreachable);
    }
    /* the first pauses, then one each REDIAL_MS_MAX and one for news, as often */
    assert_in_range(dials, 20, 2 * 600000 / REDIAL_MS_MAX + 12);
}

/* They are heeded when it is time to: nobody tells them again where nothing changes. */
static void news_that_come_too_soon_after_others_count_later(void **state)
{
    peer_t number;
    (void)state;
    friend_goes(CLOSE_reset);
    (void)dials_within(40000, CLOSE_unreachable);
    one_hears_of(&one, teller, friend, "home:1");
    assert_string_equal(until_dialled(&number), "home:1");
    uint64_t revived_ms = the_friend()->revived_ms;
    assert_true(one.now.ms < revived_ms + 100);
    one_closes(&one, number, CLOSE_unreachable);
    one_pass(&one, 1000);
    one_hears_of(&one, teller, friend, "home:1");
    assert_true(peer_is_lost(the_friend())); /* ring neighbours are tried on, with pauses */
    (void)until_dialled(&number);
    while (the_friend()->revived_ms == revived_ms) {
        assert_true(one.now.ms < revived_ms + 2 * REVIVE_EVERY_MS);
        one_closes(&one, number, CLOSE_unreachable);
        (void)until_dialled(&number);
    }
    assert_in_range(one.now.ms, revived_ms + REVIVE_EVERY_MS, revived_ms + REVIVE_EVERY_MS + 100);
}

/* The news wait, and meanwhile the peer comes, and says that it does not want this node. */
static void no_news_of_before_bring_back_who_does_not_want_this_node(void **state)
{
    static const enum close_reason reasons[] = {CLOSE_removed, CLOSE_refused, CLOSE_misbehaved,
                                                CLOSE_goodbye};
    (void)state;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        one_end(&one);
        (void)set_up(NULL);
        one_hears_of(&one, teller, friend, "home:1");
        (void)dials_within(60000, CLOSE_unreachable);
        assert_true(peer_is_lost(the_friend()));
        one_hears_of(&one, teller, friend, "home:1");
        assert_int_equal(dials_within(5000, CLOSE_unreachable), 1);
        one_hears_of(&one, teller, friend, "home:1");
        assert_int_equal(dials_within(1000, CLOSE_unreachable), 0);
        friend_goes(reasons[i]);
        assert_int_equal(dials_within(REVIVE_EVERY_MS - 5000, CLOSE_unreachable), 0);
        one_hears_of(&one, teller, friend, "home:1"); /* nor do new ones, but for the goodbye */
        assert_int_equal(dials_within(5000, CLOSE_unreachable), reasons[i] == CLOSE_goodbye);
    }
}

static void no_news_bring_back_who_is_refused(void **state)
{
    (void)state;
    friend_goes(CLOSE_removed);
    one_pass(&one, 5000);
    one_hears_of(&one, teller, friend, "home:1");
    assert_int_equal(dials_within(60000, CLOSE_unreachable), 0);
}

/* Another attempt would push somebody else out. */
/* A neighbour is tried with growing pauses though it had no room; news of it do not shorten them.
 */
static void no_news_bring_back_who_had_no_room(void **state)
{
    enum { GROWN = 7 }; /* attempts in 20 s, where the first pause is REDIAL_MS */
    (void)state;
    unsigned dials = 0;
    friend_goes(CLOSE_full);
    for (int s = 0; s < 20; s++) {
        one_hears_of(&one, teller, friend, "home:1");
        dials += dials_within(1000, CLOSE_unreachable);
    }
    assert_true(dials <= GROWN);
}

/* Where nodes come and go by themselves, news of them are no reason to dial. */
static void in_a_large_network_no_news_end_a_pause(void **state)
{
    (void)state;
    friend_goes(CLOSE_reset);
    (void)dials_within(20000, CLOSE_unreachable);
    for (unsigned n = 0; n < 3 * PEERS_WANTED; n++)
        one_hears_of(&one, teller, id_with(60, n), "another:1");
    uint64_t dial_at_ms = the_friend()->dial_at_ms;
    assert_true(dial_at_ms > one.now.ms);
    one_hears_of(&one, teller, friend, "home:1");
    assert_true(the_friend()->dial_at_ms == dial_at_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        T(what_is_told_first_is_where_it_is_dialled),
        T(what_was_not_proved_is_replaced_by_what_is_told_last),
        T(an_address_of_its_own_is_not_replaced_and_tried_first),
        T(a_lie_costs_one_attempt),
        T(where_another_node_is_an_unknown_one_is_not_dialled_again),
        T(a_known_peer_that_closes_without_an_answer_is_tried_on),
        T(news_of_who_vanished_end_its_pause),
        T(news_that_come_while_it_is_dialled_count_when_the_dial_fails),
        T(news_from_before_it_went_do_not_count_when_the_dial_fails),
        T(a_place_that_is_told_while_it_is_dialled_is_kept),
        T(a_place_that_is_told_while_a_wrong_one_is_dialled_is_dialled_next),
        T(news_of_who_left_end_its_time_away),
        T(a_goodbye_of_who_is_back_already_is_old),
        T(a_goodbye_of_who_came_twice_long_ago_is_none_of_before),
        T(no_news_make_this_node_dial_and_dial),
        T(news_that_come_too_soon_after_others_count_later),
        T(no_news_of_before_bring_back_who_does_not_want_this_node),
        T(no_news_bring_back_who_is_refused),
        T(no_news_bring_back_who_had_no_room),
        T(in_a_large_network_no_news_end_a_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
