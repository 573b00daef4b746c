/* hosting: how a contract comes here, and what is told of one that is not whole yet. */
#include "tests/unit/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void an_unknown_contract_is_not_found(void **state)
{
    (void)state;
    hosts_link_all(3);
    hosts_ask(0, VERB_SUBSCRIBE);
    hosts_advance(10);
    assert_int_equal(hosts_answer(0, NULL), ERR_NOT_FOUND);
}

static void without_a_live_peer_it_is_said_at_once(void **state) /* lesson L1 */
{
    (void)state;
    hosts_ask(0, VERB_SUBSCRIBE);
    assert_int_equal(hosts_answer(0, NULL), ERR_NO_LIVE_PEER);
}

static void a_subscribe_brings_the_contract_here(void **state)
{
    (void)state;
    hosts_link_all(HOSTS);
    hosts_put(0, 7);
    hosts_advance(2000);
    hosts_ask(5, VERB_SUBSCRIBE);
    hosts_advance(10);
    assert_int_equal(hosts_answer(5, NULL), 0);
    assert_int_equal(hosts_bits(5), 7);
    hosts_ask(5, VERB_GET);
    assert_int_equal(hosts_answer(5, NULL), 0); /* live: it may be read here */
}

/* Two hosts that were apart: a GET at the farther one, while what differs is exchanged. */
static size_t get_while_they_sync(void)
{
    hosts_put(0, 1);
    hosts_put(1, 2);
    hosts_advance(2000);
    assert_int_equal(hosts_answer(1, NULL), 0);
    hosts[1].holds_sync = true;
    hosts_link(0, 1);
    assert_non_null(hosts[1].held);
    hosts_ask(1, VERB_GET);
    assert_null(hosts[1].answers.first);
    return 1;
}

/* Bytes in proportion to the change: asking a peer would bring all of the state (lesson M6). */
static void a_get_waits_for_a_sync_under_way(void **state)
{
    (void)state;
    size_t at = get_while_they_sync();
    hosts_advance(GET_WAIT_MS / 2);
    assert_null(hosts[at].answers.first);
    hosts_let_sync(at);
    assert_int_equal(hosts_answer(at, NULL), 0);
}

static void a_get_waits_for_a_slow_sync_so_long_and_no_longer(void **state)
{
    (void)state;
    size_t at = get_while_they_sync();
    hosts_advance(GET_WAIT_MS + 1);
    assert_int_equal(hosts_answer(at, NULL), ERR_AGAIN);
    hosts_let_sync(at);
}

/* A copy that was made when its feed told of it, and whose sync has not ended. */
static size_t join_without_a_sync(void)
{
    hosts_put(0, 7);
    hosts_advance(2000);
    hosts[1].holds_sync = true;
    hosts_link(0, 1);
    hosts_ask(1, VERB_SUBSCRIBE);
    assert_non_null(hosts[1].held);
    return 1;
}

static void what_was_never_filled_is_not_read_as_the_contract(void **state)
{
    size_t at = join_without_a_sync();
    (void)state;
    assert_null(hosts[at].answers.first);
    hosts_ask(at, VERB_GET);
    hosts_advance(GET_WAIT_MS + 1);
    assert_int_equal(hosts_answer(at, NULL), ERR_NO_LIVE_PEER);
    hosts_let_sync(at);
    assert_int_equal(hosts_answer(at, NULL), 0); /* the SUBSCRIBE */
    hosts_ask(at, VERB_GET);
    assert_int_equal(hosts_answer(at, NULL), 0);
}

static void what_was_never_filled_goes_with_who_was_to_fill_it(void **state)
{
    size_t at = join_without_a_sync();
    struct contract_key key = hosts_key();
    (void)state;
    hosts_unlink(0, at);
    assert_false(hosts_stored(&hosts[at], &key)->there);
    assert_int_equal(hosts_answer(at, NULL), ERR_NO_LIVE_PEER);
    hosts_ask(at, VERB_GET);
    assert_int_equal(hosts_answer(at, NULL), ERR_AGAIN); /* nothing is known of it */
    hosts_let_sync(at);
    hosts_link(0, at);
    hosts_ask(at, VERB_SUBSCRIBE);
    assert_int_equal(hosts_answer(at, NULL), 0);
    assert_int_equal(hosts_bits(at), 7);
}

/* The nearest node hears of a contract from who takes its feed there, and is filled by it. */
static void what_a_child_is_to_fill_is_read_when_it_has(void **state)
{
    (void)state;
    hosts_put(1, 7);
    hosts_advance(2000);
    hosts[1].holds_sync = true;
    hosts_link(0, 1);
    assert_non_null(hosts[1].held);
    hosts_ask(0, VERB_GET);
    assert_null(hosts[0].answers.first);
    hosts_let_sync(1);
    hosts_advance(GET_WAIT_MS / 2);
    assert_int_equal(hosts_answer(0, NULL), 0);
    assert_int_equal(hosts_bits(0), 7);
}

/* A busy contract has changed again before the two can be compared. */
static void what_a_child_has_filled_is_read_though_it_changes_on(void **state)
{
    (void)state;
    hosts_put(1, 7);
    hosts_advance(2000);
    hosts[1].holds_sync = true;
    hosts[1].synced_change = 8;
    hosts_link(0, 1);
    assert_non_null(hosts[1].held);
    hosts_ask(0, VERB_GET);
    hosts_ask(0, VERB_SUBSCRIBE);
    hosts_let_sync(1);
    hosts_advance(1);
    assert_int_equal(hosts_answer(0, NULL), 0);
    assert_int_equal(hosts_answer(0, NULL), 0);
}

/* … and until then it feeds nobody: an empty copy would go round as the contract. */
static void what_is_hollow_is_nobodys_feed(void **state)
{
    (void)state;
    hosts_put(1, 7);
    hosts_advance(2000);
    (void)hosts_answer(1, NULL);
    hosts[1].holds_sync = true;
    hosts_link(0, 1);
    assert_non_null(hosts[1].held);
    hosts_link(0, 2);
    hosts_ask(2, VERB_SUBSCRIBE);
    hosts_advance(300);
    assert_null(hosts[2].answers.first);
    hosts_ask(0, VERB_GET);
    assert_null(hosts[0].answers.first);
    hosts_let_sync(1);
    hosts_advance(300);
    assert_int_equal(hosts_answer(0, NULL), 0);
    assert_int_equal(hosts_answer(2, NULL), 0);
    assert_int_equal(hosts_bits(2), 7);
}

static void a_node_that_never_had_a_peer_keeps_no_row_of_what_it_stores(void **state)
{
    (void)state;
    hosts_put(1, 2);
    assert_int_equal(hosts_answer(1, NULL), 0);
    assert_false(hosts_looks_after_it(1));
    hosts_link(0, 1); /* … until it has one: then storage lists them all */
    hosts_ask(0, VERB_SUBSCRIBE);
    hosts_advance(100);
    assert_int_equal(hosts_answer(0, NULL), 0);
    assert_int_equal(hosts_bits(0), 2);
}

/* Damage took all of it but the key: the one that lost it asks the other, or is asked by it. */
static void look_for_lost(size_t loser)
{
    struct contract_key key = hosts_key();
    struct stored *whole = hosts_stored(&hosts[1 - loser], &key);
    whole->there = true;
    whole->bits = 6;
    hosts_stored(&hosts[loser], &key)->lost = true;
    hosts_link(0, 1);
    hosts_advance(3000);
    assert_int_equal(hosts_bits(loser), 6);
    assert_int_equal(hosts[loser].healed, 1);
    assert_int_equal(hosts[loser].drops, 0); /* as one that was made for nothing */
}

static void the_nearest_is_given_what_damage_took_whole(void **state)
{
    (void)state;
    look_for_lost(0);
}

static void what_damage_took_whole_is_looked_for(void **state)
{
    (void)state;
    look_for_lost(1);
}

static void what_damage_took_whole_is_not_read_as_stored(void **state)
{
    (void)state;
    struct contract_key key = hosts_key();
    hosts_stored(&hosts[0], &key)->lost = true;
    hosts_link(0, 1); /* which has nothing */
    hosts_ask(0, VERB_GET);
    hosts_advance(3000);
    assert_int_equal(hosts_answer(0, NULL), ERR_NOT_FOUND);
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, hosts_set_up, hosts_tear_down)
    const struct CMUnitTest tests[] = {
        CLAIM(an_unknown_contract_is_not_found),
        CLAIM(without_a_live_peer_it_is_said_at_once),
        CLAIM(a_subscribe_brings_the_contract_here),
        CLAIM(a_get_waits_for_a_sync_under_way),
        CLAIM(a_get_waits_for_a_slow_sync_so_long_and_no_longer),
        CLAIM(what_was_never_filled_is_not_read_as_the_contract),
        CLAIM(what_was_never_filled_goes_with_who_was_to_fill_it),
        CLAIM(what_a_child_is_to_fill_is_read_when_it_has),
        CLAIM(what_a_child_has_filled_is_read_though_it_changes_on),
        CLAIM(what_is_hollow_is_nobodys_feed),
        CLAIM(the_nearest_is_given_what_damage_took_whole),
        CLAIM(what_damage_took_whole_is_looked_for),
        CLAIM(what_damage_took_whole_is_not_read_as_stored),
        CLAIM(a_node_that_never_had_a_peer_keeps_no_row_of_what_it_stores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
