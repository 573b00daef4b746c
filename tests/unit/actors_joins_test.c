/* hosting: JOIN, how far it goes, and what it may make. */
#include "tests/unit/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Who lies is refused; who waits beside it is not. */
static void a_join_with_wrong_params_refuses_its_sender_alone(void **state)
{
    (void)state;
    struct contract_key key = hosts_key();
    hosts_link(1, 2);
    hosts_link(1, 3);
    hosts_link(0, 1);
    hosts_put(0, 3);
    hosts_advance(2000);
    hosts_silence(0); /* so that 1 has to wait */
    struct stored *s = hosts_stored(&hosts[1], &key);
    *s = (struct stored){.there = false};
    hosting_destroy(&hosts[1].hosting);
    hosts_start(1);
    hosts_link(1, 2);
    hosts_link(1, 3);
    hosts[1].linked[0] = true;
    hosts_hear_live(&hosts[1], &hosts[0]);
    hosts_run();
    hosts_ask(2, VERB_SUBSCRIBE);
    assert_int_equal(hosts[2].answers.count, 0);
    struct peer_join join = {.hops = 5,
                             .fingerprint = slice_of(key.bytes, FINGERPRINT_BYTES),
                             .kind = slice_text("set"),
                             .params = slice_text("\1x\0\0\0\1y")};
    memcpy(join.key, key.bytes, sizeof join.key);
    hosts_send(3, 1, PEER_JOIN, &join);
    assert_int_equal(hosts[1].blamed, 1);
    assert_int_equal(hosts[2].answers.count, 0);
    assert_true(hosts[1].told[2]);
    assert_false(hosts[1].told[3]);
}

static void send_empty_join(size_t from, size_t to, uint8_t hops)
{
    struct contract_key key = hosts_key();
    struct peer_join join = {.hops = hops};
    memcpy(join.key, key.bytes, sizeof join.key);
    hosts_send(from, to, PEER_JOIN, &join);
}

/* 1 between 0, which is to be asked, and 2, which asks. */
static void a_join_goes_on_as_far_as_it_may_and_no_farther(void **state)
{
    (void)state;
    hosts_link(0, 1);
    hosts_link(1, 2);
    hosts_silence(0);
    send_empty_join(2, 1, 0);
    assert_int_equal(hosts[1].joins_sent, 0);
    assert_false(hosts[1].told[2]);
    assert_false(hosts_looks_after_it(1));
    send_empty_join(2, 1, 1);
    assert_int_equal(hosts[1].joins_sent, 1);
    assert_int_equal(hosts[1].join_hops, 0);
}

static void nobody_makes_a_join_go_farther_than_all_do(void **state)
{
    (void)state;
    hosts_link(0, 1);
    hosts_link(1, 2);
    hosts_silence(0);
    send_empty_join(2, 1, UINT8_MAX);
    assert_int_equal(hosts[1].joins_sent, 1);
    assert_int_equal(hosts[1].join_hops, PEER_HOPS - 1);
}

/* Who waits here has its own distance to go, whoever else waits. */
static void a_join_at_its_end_does_not_shorten_that_of_others(void **state)
{
    (void)state;
    hosts_link(0, 2);
    hosts_link(1, 2);
    hosts_link(2, 3);
    hosts_silence(0);
    hosts_silence(1);
    hosts_ask(2, VERB_SUBSCRIBE);
    send_empty_join(3, 2, 0);
    assert_true(hosts[2].told[3]); /* it waits beside the other */
    hosts[2].join_hops = 0;
    hosts_advance(RELAY_PATIENCE_MS + 20);
    assert_int_equal(hosts[2].joins_sent, 2);
    assert_int_equal(hosts[2].join_hops, PEER_HOPS - 1);
}

static void a_join_along_a_chain_reaches_the_root(void **state)
{
    (void)state;
    for (size_t i = 0; i + 1 < HOSTS; i++)
        hosts_link(i, i + 1);
    hosts_put(0, 7);
    hosts_advance(2000);
    hosts_ask(5, VERB_SUBSCRIBE);
    hosts_advance(100);
    assert_int_equal(hosts_answer(5, NULL), 0);
    assert_int_equal(hosts_bits(5), 7);
}

static void send_join_with(struct slice kind)
{
    struct contract_key key = hosts_key();
    struct peer_join join = {.hops = 3, .kind = kind, .params = hosts_params()};
    uint8_t what[FINGERPRINT_BYTES] = {1};
    memcpy(join.key, key.bytes, sizeof join.key);
    join.fingerprint = slice_of(what, sizeof what);
    hosts_link(0, 1);
    hosts_send(1, 0, PEER_JOIN, &join);
    assert_int_equal(hosts[0].blamed, slice_is(kind, "set") ? 0 : 1);
    assert_int_equal(hosts_stored(&hosts[0], &key)->there, slice_is(kind, "set"));
}

static void a_contract_is_made_for_who_joins_with_it(void **state)
{
    (void)state;
    send_join_with(slice_text("set"));
}

static void kind_and_params_must_be_the_keys(void **state)
{
    (void)state;
    send_join_with(slice_text("map"));
}

static void nobody_feeds_who_is_nearer(void **state)
{
    (void)state;
    struct contract_key key = hosts_key();
    hosts_link(0, 1);
    struct peer_join join = {.hops = 3};
    memcpy(join.key, key.bytes, sizeof join.key);
    hosts_send(0, 1, PEER_JOIN, &join);
    hosts_put(1, 1);
    hosts_advance(1000);
    assert_int_equal(hosts_bits(0), 1); /* the one edge goes the right way */
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, hosts_set_up, hosts_tear_down)
    const struct CMUnitTest tests[] = {
        CLAIM(a_join_goes_on_as_far_as_it_may_and_no_farther),
        CLAIM(nobody_makes_a_join_go_farther_than_all_do),
        CLAIM(a_join_at_its_end_does_not_shorten_that_of_others),
        CLAIM(a_join_with_wrong_params_refuses_its_sender_alone),
        CLAIM(a_join_along_a_chain_reaches_the_root),
        CLAIM(a_contract_is_made_for_who_joins_with_it),
        CLAIM(kind_and_params_must_be_the_keys),
        CLAIM(nobody_feeds_who_is_nearer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
