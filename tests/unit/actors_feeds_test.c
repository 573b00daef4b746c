/* hosting: whom a contract is fed from, and what is done about feeds that do not feed. */
#include "tests/unit/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* lesson L3 */
static void a_subscribe_moves_on_from_a_node_that_says_nothing(void **state)
{
    (void)state;
    hosts_link_all(HOSTS);
    hosts_put(0, 3);
    hosts_advance(2000);
    assert_int_equal(hosts_answer(0, NULL), 0);
    hosts_silence(0);
    hosts_ask(5, VERB_SUBSCRIBE);
    hosts_advance(RELAY_PATIENCE_MS - 1);
    assert_int_equal(hosts[5].answers.count, 0);
    hosts_advance(20);
    assert_int_equal(hosts_answer(5, NULL), 0);
    assert_int_equal(hosts_bits(5), 3);
}

static void give_stray(size_t at, size_t from)
{
    struct sync_order *stray = (struct sync_order *)message_new(sizeof *stray);
    assert_non_null(stray);
    stray->number = from + 1;
    stray->key = hosts_key();
    hosts_give(&hosts[at], MESSAGE_STRAY, ACTOR_sync, &stray->head);
    hosts_run();
}

/* Found by seed 20256 of the simulator: a change that came between JOIN and JOINED made the node
 * send its own feed away, and it heard of nothing more until feeds were compared. */
static void a_feed_may_tell_of_changes_before_it_answers(void **state)
{
    (void)state;
    hosts_link(0, 1);
    hosts_put(0, 3);
    hosts_advance(2000);
    hosts_silence(0); /* its JOINED is on its way */
    hosts_ask(1, VERB_SUBSCRIBE);
    hosts_run();
    assert_true(hosts[0].told[1]);
    give_stray(1, 0);
    assert_true(hosts[0].told[1]);
}

static void who_tells_of_what_nobody_here_wants_is_sent_away(void **state)
{
    struct contract_key key = hosts_key();
    struct peer_join join = {.hops = 5};
    (void)state;
    hosts_link_all(4); /* copies are at 1 and 2 */
    memcpy(join.key, key.bytes, sizeof join.key);
    hosts_put(0, 3);
    hosts_advance(2000);
    hosts_send(3, 0, PEER_JOIN, &join); /* nobody at 3 knows of it */
    assert_true(hosts[0].told[3]);
    give_stray(3, 0);
    assert_false(hosts[0].told[3]);
}

/* lesson L3 */
static void a_node_between_moves_on_before_the_subscriber_does(void **state)
{
    (void)state;
    for (size_t a = 0; a < 5; a++)
        for (size_t b = a + 1; b < 5; b++)
            hosts_link(a, b);
    hosts_link(4, 5);
    hosts_put(0, 3);
    hosts_advance(2000);
    assert_int_equal(hosts_answer(0, NULL), 0);
    hosts_silence(0);
    hosts_ask(5, VERB_SUBSCRIBE);
    hosts_advance(RELAY_PATIENCE_MS - 100);
    assert_int_equal(hosts_answer(5, NULL), 0);
    assert_int_equal(hosts_bits(5), 3);
}

/* lesson L3: two that say nothing are not asked in turn for ever. */
static void a_subscribe_moves_on_from_all_nodes_that_say_nothing(void **state)
{
    (void)state;
    hosts_link_all(HOSTS);
    hosts_put(0, 3);
    hosts_advance(2000);
    assert_int_equal(hosts_bits(2), 3);
    hosts_silence(0);
    hosts_silence(1);
    hosts_ask(5, VERB_SUBSCRIBE);
    hosts_advance(2 * RELAY_PATIENCE_MS + 20);
    assert_int_equal(hosts_answer(5, NULL), 0);
    assert_int_equal(hosts_bits(5), 3);
}

/* More than are remembered: the root itself, which comes back, is asked again in the end. */
static void a_feed_that_failed_is_asked_again(void **state)
{
    (void)state;
    hosts_link_all(HOSTS);
    hosts_put(0, 3);
    hosts_advance(2000);
    for (size_t i = 0; i < HOSTS - 1; i++)
        hosts_silence(i);
    hosts_ask(5, VERB_SUBSCRIBE);
    hosts_advance(JOIN_WAIT_MS / 2);
    assert_null(hosts[5].answers.first);
    hosts[0].linked[5] = true;
    hosts_advance((FEEDS_FAILED_MAX + 1) * RELAY_PATIENCE_MS + FEED_RETRY_MS_MAX);
    assert_int_equal(hosts_answer(5, NULL), ERR_TIMEOUT); /* it did not come in JOIN_WAIT_MS */
    hosts_ask(5, VERB_SUBSCRIBE);
    hosts_advance((FEEDS_FAILED_MAX + 1) * RELAY_PATIENCE_MS);
    assert_int_equal(hosts_answer(5, NULL), 0);
    assert_int_equal(hosts_bits(5), 3);
}

/* All hosts but the root, which says nothing, take what changes from the next nearest. */
static void hosts_of_a_silent_root(void)
{
    hosts_link_all(4);
    hosts_put(0, 1);
    for (size_t i = 1; i < 4; i++)
        hosts_ask(i, VERB_SUBSCRIBE);
    hosts_advance(2000);
    for (size_t i = 1; i < 4; i++)
        assert_true(hosts[i].told[0]);
    hosts_silence(0);
    for (size_t i = 1; i < 4; i++)
        hosts_hear_silence(i, 0, true);
    hosts_advance(10);
}

/* lesson L3 */
static void a_silent_feed_is_left_for_the_next_best(void **state)
{
    (void)state;
    hosts_of_a_silent_root();
    assert_true(hosts[1].told[0]); /* there is no other for it */
    for (size_t i = 2; i < 4; i++) {
        assert_false(hosts[i].told[0]);
        assert_true(hosts[i].told[1]);
        assert_true(hosts[1].told[i]);
    }
    struct contract_key key = hosts_key();
    assert_int_equal(hosts_bits(0), 1);
    assert_true(hosts[0].told[1] && hosts_stored(&hosts[0], &key)->there); /* it hosts on */
}

static void a_feed_that_is_heard_again_is_joined_anew(void **state)
{
    (void)state;
    struct contract_key key = hosts_key();
    hosts_of_a_silent_root();
    hosts_stored(&hosts[0], &key)->bits |= 2; /* what came to it meanwhile, and to another */
    hosts_stored(&hosts[2], &key)->bits |= 4;
    for (size_t i = 1; i < 4; i++)
        hosts[0].linked[i] = true;
    for (size_t i = 1; i < 4; i++)
        hosts_hear_silence(i, 0, false);
    hosts_advance(100);
    assert_int_equal(hosts_bits(2), 7);
    hosts_advance(2 * REFRESH_EVERY_MS);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(hosts_bits(i), 7);
    for (size_t i = 1; i < 4; i++)
        assert_true(hosts[i].told[0]);
}

/* The one feed that there is does not answer, so often that it is left alone for long; then it has
 * something new. */
static void give_up_the_only_feed(void)
{
    struct contract_key key = hosts_key();
    hosts_link_all(2);
    hosts_put(0, 1);
    hosts_ask(1, VERB_SUBSCRIBE);
    hosts_advance(2000);
    hosts_unlink(0, 1);
    hosts_hear_live(&hosts[0], &hosts[1]);
    hosts_hear_live(&hosts[1], &hosts[0]);
    hosts_silence(0);
    hosts_run();
    for (unsigned last = hosts[1].joins_sent + 5; hosts[1].joins_sent < last;)
        hosts_advance(100);
    while (hosts[1].told[0])
        hosts_advance(100);
    hosts_stored(&hosts[0], &key)->bits |= 2;
    hosts[0].linked[1] = true;
}

/* Found by seed 60699 of the simulator: what had been given up while it was silent was not asked
 * for so long after it was heard. */
static void a_feed_that_is_heard_is_asked_at_once_though_it_was_given_up(void **state)
{
    (void)state;
    give_up_the_only_feed();
    hosts_hear_silence(1, 0, true);
    hosts_hear_silence(1, 0, false);
    hosts_advance(10);
    assert_int_equal(hosts_bits(1), 3);
}

/* JOINED of 0, to 1. */
static void answer_late(void)
{
    struct contract_key key = hosts_key();
    struct peer_mail *mail = (struct peer_mail *)message_new(sizeof *mail);
    assert_non_null(mail);
    mail->number = 1;
    mail->kind = PEER_JOINED;
    mail->body.joined = (struct peer_joined){.hosts = 1};
    memcpy(mail->body.joined.key, key.bytes, sizeof key.bytes);
    hosts_give(&hosts[1], MESSAGE_PEER_MAIL, ACTOR_transport, &mail->head);
    hosts_run();
}

/* It was never silent, only slow to answer. */
static void a_feed_that_answers_late_is_asked_at_once(void **state)
{
    (void)state;
    give_up_the_only_feed();
    answer_late();
    hosts_advance(10);
    assert_int_equal(hosts_bits(1), 3);
}

static void a_feed_that_always_answers_late_is_given_more_time(void **state)
{
    (void)state;
    give_up_the_only_feed();
    hosts[0].linked[1] = false;
    for (unsigned i = 0; i < 3; i++) {
        hosts_advance(2 * JOIN_TIMEOUT_MS);
        answer_late();
    }
    hosts_advance(10);
    assert_int_equal(hosts_bits(1), 3);
}

/* A SUBSCRIBE at 1 whose feed, the only other node, has not answered when its connection ends as
 * the duplicate of another. */
static void subscribe_while_the_feed_moves(void)
{
    hosts_link_all(2);
    hosts_silence(0);
    hosts_put(0, 3);
    hosts_ask(1, VERB_SUBSCRIBE);
    hosts_hear_gone(&hosts[1], &hosts[0], CLOSE_duplicate);
    hosts_run();
    hosts_advance(MOVE_MS - 1);
    assert_int_equal(hosts[1].answers.count, 0);
}

/* lesson L3 */
static void a_feed_whose_connection_is_replaced_is_waited_for(void **state)
{
    (void)state;
    subscribe_while_the_feed_moves();
    hosts_link(0, 1);
    hosts_advance(10);
    assert_int_equal(hosts_answer(1, NULL), 0);
    assert_int_equal(hosts_bits(1), 3);
}

/* What is here may be behind until it is. */
static void a_get_does_not_take_a_copy_for_the_roots_meanwhile(void **state)
{
    (void)state;
    hosts_link_all(2);
    hosts_put(1, 3);
    hosts_advance(2000);
    assert_int_equal(hosts_answer(1, NULL), 0);
    hosts_hear_gone(&hosts[1], &hosts[0], CLOSE_duplicate);
    hosts_ask(1, VERB_GET);
    assert_int_equal(hosts_answer(1, NULL), ERR_AGAIN);
    hosts_advance(MOVE_MS + 1);
    hosts_ask(1, VERB_GET); /* it is alone */
    assert_int_equal(hosts_answer(1, NULL), 0);
}

static void a_feed_that_does_not_come_back_is_gone(void **state)
{
    (void)state;
    subscribe_while_the_feed_moves();
    hosts_advance(10);
    assert_int_equal(hosts_answer(1, NULL), ERR_NO_LIVE_PEER);
}

/* It is live, and nobody else may have what is asked for. */
static void a_silent_node_is_asked_when_there_is_no_other(void **state)
{
    (void)state;
    hosts_link_all(2);
    hosts_put(0, 3);
    hosts_hear_silence(1, 0, true);
    hosts_ask(1, VERB_SUBSCRIBE);
    hosts_advance(10);
    assert_int_equal(hosts_answer(1, NULL), 0);
    assert_int_equal(hosts_bits(1), 3);
}

static void a_nearer_node_that_comes_is_handed_the_contract(void **state)
{
    (void)state;
    for (size_t a = 1; a < HOSTS; a++)
        for (size_t b = a + 1; b < HOSTS; b++)
            hosts_link(a, b);
    hosts_put(3, 9);
    hosts_advance(2000);
    assert_int_equal(hosts_bits(0), 0);
    for (size_t b = 1; b < HOSTS; b++)
        hosts_link(0, b);
    hosts_advance(2000);
    assert_int_equal(hosts_bits(0), 9);
}

static void a_feed_that_dies_is_replaced_at_once(void **state) /* lesson L3 */
{
    (void)state;
    hosts_link_all(HOSTS);
    hosts_put(4, 1);
    hosts_advance(2000);
    for (size_t i = 1; i < HOSTS; i++)
        hosts_unlink(0, i);
    struct contract_key key = hosts_key();
    hosts_stored(&hosts[4], &key)->bits |= 64; /* a change that nobody else has */
    hosts_ask(4, VERB_GET);
    hosts_advance(100);
    assert_int_equal(hosts_bits(1) & 1, 1);
    hosts_advance(70000); /* the comparisons of fingerprints find it */
    assert_int_equal(hosts_bits(1), 65);
}

/* FOLLOW may come to subscribe after the peer's going does: it is taken back then. */
static void who_is_gone_is_told_of_nothing(void **state)
{
    (void)state;
    hosts_link(0, 1);
    hosts_put(1, 1);
    hosts_advance(1000);
    assert_true(hosts[0].told[1]);
    assert_true(hosts[1].told[0]);
    hosts_unlink(0, 1);
    assert_false(hosts[0].told[1]);
    assert_false(hosts[1].told[0]);
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, hosts_set_up, hosts_tear_down)
    const struct CMUnitTest tests[] = {
        CLAIM(a_subscribe_moves_on_from_a_node_that_says_nothing),
        CLAIM(a_node_between_moves_on_before_the_subscriber_does),
        CLAIM(a_feed_may_tell_of_changes_before_it_answers),
        CLAIM(who_tells_of_what_nobody_here_wants_is_sent_away),
        CLAIM(a_subscribe_moves_on_from_all_nodes_that_say_nothing),
        CLAIM(a_feed_that_failed_is_asked_again),
        CLAIM(a_silent_feed_is_left_for_the_next_best),
        CLAIM(a_feed_that_is_heard_again_is_joined_anew),
        CLAIM(a_feed_that_is_heard_is_asked_at_once_though_it_was_given_up),
        CLAIM(a_feed_that_answers_late_is_asked_at_once),
        CLAIM(a_feed_that_always_answers_late_is_given_more_time),
        CLAIM(a_feed_whose_connection_is_replaced_is_waited_for),
        CLAIM(a_get_does_not_take_a_copy_for_the_roots_meanwhile),
        CLAIM(a_feed_that_does_not_come_back_is_gone),
        CLAIM(a_silent_node_is_asked_when_there_is_no_other),
        CLAIM(a_nearer_node_that_comes_is_handed_the_contract),
        CLAIM(a_feed_that_dies_is_replaced_at_once),
        CLAIM(who_is_gone_is_told_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
