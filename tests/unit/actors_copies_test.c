/* hosting: copies at the nodes nearest to the key: placed, kept there, dropped where nobody needs
 * them. */
#include "tests/unit/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_put_ends_on_the_three_nearest_and_counts_them(void **state)
{
    (void)state;
    uint32_t copies = 0;
    hosts_link_all(HOSTS);
    hosts_put(HOSTS - 1, 5);
    hosts_advance(2000);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(hosts_bits(i), 5);
    assert_int_equal(hosts_answer(HOSTS - 1, &copies), 0);
    assert_int_equal(copies, 4); /* the three, and where it was put */
    assert_int_equal(hosts_bits(4), 0);
}

static void a_put_at_the_root_waits_for_its_copies(void **state)
{
    (void)state;
    uint32_t copies = 0;
    hosts_link_all(HOSTS);
    hosts_put(0, 3);
    hosts_advance(2000);
    assert_int_equal(hosts_answer(0, &copies), 0);
    assert_int_equal(copies, 3);
}

/* Others that come meanwhile do not make it wait longer. */
static void a_put_waits_for_its_copies_for_so_long_at_most(void **state)
{
    (void)state;
    hosts_link_all(3);
    for (size_t i = 0; i < 3; i++) /* nobody answers anybody */
        hosts_silence(i);
    hosts_put(0, 3);
    for (unsigned i = 0; i < 4; i++) {
        hosts_advance(PLACING_MS / 2);
        hosts_put(0, 3);
    }
    size_t answered = 0;
    for (struct message *m; (m = mail_pop(&hosts[0].answers)); answered++)
        message_free(&m);
    assert_int_equal(answered, 3); /* at 0, 1/2 and 1 of PLACING_MS; now is 2 */
}

/* A HOST that was lost, or that there was no room for. */
static void a_root_asks_again_for_the_copies_that_it_lacks(void **state)
{
    (void)state;
    hosts_link(0, 1);
    hosts_link(0, 2);
    hosts_link(1, 2);
    hosts[0].linked[1] = false; /* what the root says does not come through */
    hosts_put(0, 3);
    hosts_advance(2000);
    assert_int_equal(hosts_bits(2), 3);
    assert_int_equal(hosts_bits(1), 0);
    hosts[0].linked[1] = true;
    hosts_advance(REFRESH_EVERY_MS + 2000);
    assert_int_equal(hosts_bits(1), 3);
}

static void send_host(size_t from, size_t to, bool on)
{
    struct contract_key key = hosts_key();
    struct peer_host host = {.on = on};
    memcpy(host.key, key.bytes, sizeof host.key);
    hosts_send(from, to, PEER_HOST, &host);
}

static void who_asks_for_a_copy_is_nearer(void **state)
{
    (void)state;
    hosts_link(0, 1);
    send_host(1, 0, true);
    assert_false(hosts_looks_after_it(0));
}

static void a_copy_is_wanted_as_long_as_whoever_asked_for_it_is_live(void **state)
{
    (void)state;
    hosts_link(0, 2);
    hosts_link(1, 2);
    hosts[0].linked[2] = false; /* its answers are lost */
    send_host(1, 2, true);
    hosts[0].linked[2] = true;
    send_host(0, 2, true);
    hosts[0].linked[2] = false;
    send_host(1, 2, false); /* another is the root meanwhile */
    hosts_advance(JOIN_TIMEOUT_MS + 100);
    assert_true(hosts_looks_after_it(2));
    hosts_unlink(0, 2);
    assert_false(hosts_looks_after_it(2));
}

static void crowd(size_t at)
{
    struct crowded *crowded = (struct crowded *)message_new(sizeof *crowded);
    assert_non_null(crowded);
    hosts_give(&hosts[at], MESSAGE_CROWDED, ACTOR_storage, &crowded->head);
    hosts_advance(100);
}

static void what_nobody_needs_goes_when_the_store_fills(void **state)
{
    (void)state;
    struct contract_key key = hosts_key();
    hosts_link_all(HOSTS);
    hosts_put(5, 7);
    hosts_advance(EVICT_IDLE_MS + 5000);
    for (size_t i = 0; i < HOSTS; i++)
        crowd(i);
    assert_false(hosts_stored(&hosts[5], &key)->there);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(hosts_bits(i), 7);
}

static void need(size_t at, bool on)
{
    struct watch *watch = (struct watch *)message_new(sizeof *watch);
    assert_non_null(watch);
    watch->key = hosts_key();
    watch->on = on;
    hosts_give(&hosts[at], MESSAGE_NEEDED, ACTOR_subscribe, &watch->head);
    hosts_run();
}

static void what_a_client_follows_stays_until_it_does_no_more(void **state)
{
    (void)state;
    struct contract_key key = hosts_key();
    hosts_link_all(HOSTS);
    hosts_put(5, 7);
    need(5, true);
    hosts_advance(EVICT_IDLE_MS + 5000);
    crowd(5);
    assert_int_equal(hosts[5].drops, 0);
    need(5, false);
    crowd(5);
    assert_false(hosts_stored(&hosts[5], &key)->there);
}

/* It joins as one that has nothing, and who joins it gives its own before it is fed. */
static void a_damaged_copy_is_nobodys_feed_before_it_is_whole(void **state)
{
    (void)state;
    struct contract_key key = hosts_key();
    hosts_link_all(2);
    hosts_put(1, 7);
    hosts_advance(5000);
    assert_int_equal(hosts_bits(0), 7);
    hosts_stored(&hosts[0], &key)->lost = true;
    hosts_stored(&hosts[0], &key)->bits = 1;
    hosts_unlink(0, 1);
    hosting_destroy(&hosts[0].hosting);
    hosts_start(0);
    hosts_link(0, 1);
    hosts_advance(5000);
    assert_int_equal(hosts[0].healed, 1);
    assert_int_equal(hosts_bits(0), 7);
}

static void what_the_feed_has_not_got_does_not_go(void **state)
{
    (void)state;
    struct contract_key key = hosts_key();
    hosts_link_all(HOSTS);
    hosts_put(5, 7);
    hosts_advance(EVICT_IDLE_MS + 5000);
    hosts_stored(&hosts[5], &key)->bits |= 8;
    crowd(5);
    assert_true(hosts_stored(&hosts[5], &key)->there);
}

/* Acknowledged between the comparison with the feed and the drop: it is kept, and reaches others.
 */
static void what_changes_while_the_feed_is_asked_does_not_go(void **state)
{
    (void)state;
    struct contract_key key = hosts_key();
    hosts_link_all(HOSTS);
    hosts_put(5, 7);
    hosts_advance(EVICT_IDLE_MS + 5000);
    hosts[5].joined_change = 8;
    crowd(5);
    assert_int_equal(hosts[5].joined_change, 0);
    assert_true(hosts_stored(&hosts[5], &key)->there);
    assert_int_equal(hosts_bits(0), 15);
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, hosts_set_up, hosts_tear_down)
    const struct CMUnitTest tests[] = {
        CLAIM(a_put_ends_on_the_three_nearest_and_counts_them),
        CLAIM(a_put_at_the_root_waits_for_its_copies),
        CLAIM(a_put_waits_for_its_copies_for_so_long_at_most),
        CLAIM(a_root_asks_again_for_the_copies_that_it_lacks),
        CLAIM(who_asks_for_a_copy_is_nearer),
        CLAIM(a_copy_is_wanted_as_long_as_whoever_asked_for_it_is_live),
        CLAIM(what_nobody_needs_goes_when_the_store_fills),
        CLAIM(what_a_client_follows_stays_until_it_does_no_more),
        CLAIM(a_damaged_copy_is_nobodys_feed_before_it_is_whole),
        CLAIM(what_the_feed_has_not_got_does_not_go),
        CLAIM(what_changes_while_the_feed_is_asked_does_not_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
