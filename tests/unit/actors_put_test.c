/* put, alone: how many nodes hold what was PUT. */
#include "tests/support/solo.h"

#include "actors/operation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct solo world;

static int set_up(void **state)
{
    (void)state;
    return solo_operation_start(&world, &put_spec, true);
}

static int tear_down(void **state)
{
    (void)state;
    solo_operation_end(&world);
    return 0;
}

/* A client's PUT that storage answers with code. */
static void put_merged(int code)
{
    const struct slice args[] = {slice_text("counter"), world.contract.params, slice_of("", 0)};
    solo_give(&world, ACTOR_client_api, MESSAGE_PUT,
              &solo_request(&world, VERB_PUT, args, 3)->head);
    struct request *merge = (struct request *)solo_take(&world, MESSAGE_MERGE);
    assert_memory_equal(&merge->key, &world.contract.key, sizeof merge->key);
    solo_answer(&world, merge, ACTOR_storage, MESSAGE_MERGED, code);
}

static void expect_hosts(uint32_t hosts)
{
    struct message *reply = (struct message *)solo_take(&world, MESSAGE_REPLY);
    assert_int_equal(((struct request *)reply)->code, 0);
    assert_int_equal(((struct request *)reply)->hosts, hosts);
    message_free(&reply);
    solo_expect_nothing(&world);
}

/* Hosting is told of the contract, for when a peer comes. */
static void expect_kept(void)
{
    struct watch *kept = (struct watch *)solo_take(&world, MESSAGE_KEPT);
    struct message *message = &kept->head;
    assert_memory_equal(&kept->key, &world.contract.key, sizeof kept->key);
    message_free(&message);
}

/* lesson L1 */
static void without_peers_a_put_is_held_here_and_nobody_is_asked(void **state)
{
    (void)state;
    put_merged(0);
    expect_kept();
    expect_hosts(1);
    solo_live(&world, 1);
    solo_gone(&world, 1);
    put_merged(0);
    expect_kept();
    expect_hosts(1);
}

static void with_peers_the_answer_counts_those_that_hold_it(void **state)
{
    (void)state;
    solo_live(&world, 1);
    put_merged(0);
    struct request *host = (struct request *)solo_take(&world, MESSAGE_HOST);
    assert_int_equal(host->verb, VERB_PUT);
    host->hosts = 3;
    solo_answer(&world, host, ACTOR_hosting, MESSAGE_HOSTED, 0);
    expect_hosts(3);
}

static void what_is_durable_here_is_no_error_when_it_cannot_be_placed(void **state)
{
    (void)state;
    solo_live(&world, 1);
    put_merged(0);
    struct request *host = (struct request *)solo_take(&world, MESSAGE_HOST);
    host->hosts = 0;
    solo_answer(&world, host, ACTOR_hosting, MESSAGE_HOSTED, ERR_BUSY);
    expect_hosts(1);
}

static void a_put_that_is_refused_here_is_placed_nowhere(void **state)
{
    (void)state;
    solo_live(&world, 1);
    put_merged(ERR_BAD_STATE);
    (void)solo_expect_reply(&world, ERR_BAD_STATE);
    solo_expect_nothing(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        T(without_peers_a_put_is_held_here_and_nobody_is_asked),
        T(with_peers_the_answer_counts_those_that_hold_it),
        T(what_is_durable_here_is_no_error_when_it_cannot_be_placed),
        T(a_put_that_is_refused_here_is_placed_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
