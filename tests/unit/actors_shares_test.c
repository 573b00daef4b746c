/* What one peer may have of tables that all share: it cannot take them from the others. */
#include "actors/hosting_state.h"
#include "tests/support/solo.h"
#include "tests/unit/connections_one.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NEAREST = 1, NEARER = 2, BESIDE = SOLO_SELF + 1 };

/* --- contracts that peers want here ------------------------------------------------------ */

static struct solo world;

static struct contract_key key_numbered(uint32_t n)
{
    struct contract_key key = world.contract.key;
    put_u32(key.bytes + 8, n);
    return key;
}

/* Each of them says that it is the root of a contract and wants a copy here. */
static void wants_copy(peer_t from, uint32_t n)
{
    struct peer_host host = {.on = 1};
    struct contract_key key = key_numbered(n);
    memcpy(host.key, key.bytes, sizeof host.key);
    solo_mail(&world, from, PEER_HOST, &host);
}

static struct holding_table *table(void)
{
    return &((hosting_t *)world.actor)->table;
}

/* What it asks of storage, and of others. */
static void forget_what_it_sent(void)
{
    for (struct message *m = mail_pop(&world.outbox.mail); m; m = mail_pop(&world.outbox.mail))
        message_free(&m);
}

static void hosting_start(void)
{
    solo_init(&world, &hosting_spec);
    struct hosting_options options = {.id = world.id, .networked = true};
    world.actor = hosting_new(&options);
    assert_non_null(world.actor);
    solo_live(&world, NEAREST);
    solo_live(&world, NEARER);
    forget_what_it_sent();
}

static void hosting_end(void)
{
    forget_what_it_sent();
    hosting_destroy((hosting_t **)&world.actor);
    solo_free(&world);
}

static void one_peer_cannot_fill_the_table_of_contracts(void **state)
{
    uint32_t n = 0;
    (void)state;
    hosting_start();
    while (table()->refused < 100) {
        wants_copy(NEAREST, n++);
        forget_what_it_sent();
    }
    assert_int_equal(table()->of_peers, HOLDINGS_A_PEER_MAX);
    assert_int_equal(HASH_COUNT(table()->rows), HOLDINGS_A_PEER_MAX);
    struct peer_join join = {.hops = 5};
    struct contract_key key = key_numbered(n + 1000000);
    memcpy(join.key, key.bytes, sizeof join.key);
    solo_mail(&world, NEAREST, PEER_JOIN, &join); /* another way to the same table */
    assert_int_equal(HASH_COUNT(table()->rows), HOLDINGS_A_PEER_MAX);
    forget_what_it_sent();
    for (uint32_t more = 0; more < 100; more++)
        wants_copy(NEARER, n + 2000000 + more);
    assert_in_range(HASH_COUNT(table()->rows), HOLDINGS_A_PEER_MAX + 20, HOLDINGS_A_PEER_MAX + 100);
    forget_what_it_sent();
    struct request *status = (struct request *)message_new(sizeof *status);
    assert_non_null(status);
    status->verb = VERB_STATUS;
    solo_give(&world, ACTOR_transport, MESSAGE_ASK, &status->head);
    status = (struct request *)solo_take(&world, MESSAGE_ASK);
    struct message *message = &status->head;
    assert_int_equal(message->to, ACTOR_storage);
    assert_in_range(status->hosting.refused, 101, 202); /* lesson O: operators see it */
    assert_int_equal(status->hosting.contracts, HASH_COUNT(table()->rows));
    assert_int_equal(status->hosting.of_peers, table()->of_peers);
    message_free(&message);
    hosting_end();
}

static void what_is_stored_here_is_nobodys_share(void **state)
{
    (void)state;
    hosting_start();
    uint32_t n = 0;
    while (table()->of_peers == 0)
        wants_copy(NEAREST, n++);
    struct request *about = (struct request *)solo_take(&world, MESSAGE_ABOUT);
    struct message *message = &about->head;
    struct watch *kept = (struct watch *)message_new(sizeof *kept);
    assert_non_null(kept);
    kept->key = about->key;
    kept->on = true;
    solo_give(&world, ACTOR_get, MESSAGE_KEPT, &kept->head);
    assert_int_equal(table()->of_peers, 0);
    assert_null(table()->makers);
    assert_int_equal(HASH_COUNT(table()->rows), 1);
    message_free(&message);
    hosting_end();
}

/* --- CONNECTs on their way --------------------------------------------------------------- */

static struct one one;

static void connect_from(peer_t peer, unsigned n)
{
    struct node_id joiner = id_with(60, n);
    one_gets_connect(&one, peer, n, ring_place_of_node(&joiner), joiner, "joiner:1");
}

static void one_peer_cannot_fill_the_table_of_routes(void **state)
{
    (void)state;
    one_start(&one, 7, (struct connections_options){.address = "here:1"});
    peer_t peers[40];
    for (unsigned i = 0; i < 40; i++)
        peers[i] = one_opens_at(&one, id_with(100, i), 0, 0, "there:1");
    one_pass(&one, 1);
    size_t own = one.actor->route_count; /* it looks for its own place */
    for (unsigned n = 0; n < 2000; n++)
        connect_from(peers[0], n);
    assert_int_equal(one.actor->route_count, own + ROUTES_A_PEER_MAX);
    assert_true(one.actor->counters.connects_refused > 100);
    size_t known = one.actor->peers.count;
    connect_from(peers[0], 5000);
    assert_int_equal(one.actor->peers.count, known); /* nor is who it names made known */
    for (unsigned i = 1; i < 40; i++)
        for (unsigned n = 0; n < 2000 && one.actor->route_count < own + ROUTES_MAX - ROUTES_OWN;
             n++)
            connect_from(peers[i], 10000 * i + n);
    size_t full = one.actor->route_count;
    connect_from(peers[39], 600000);
    assert_true(one.actor->route_count == full);
    assert_true(full <= own + ROUTES_MAX - ROUTES_OWN);
    for (unsigned passed = 0; passed < 1200 && one.actor->route_count == full; passed += 50)
        one_pass(&one, 50); /* its own has room yet */
    assert_int_equal(one.actor->route_count, full + 1);
    one_end(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_peer_cannot_fill_the_table_of_contracts),
        cmocka_unit_test(what_is_stored_here_is_nobodys_share),
        cmocka_unit_test(one_peer_cannot_fill_the_table_of_routes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
