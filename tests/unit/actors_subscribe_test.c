/* subscribe, alone: which peers that follow a contract are told of a change. */
#include "actors/subscribe.h"
#include "tests/support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct solo world;

static int set_up(void **state)
{
    (void)state;
    solo_init(&world, &subscribe_spec);
    world.actor = subscribe_new(true);
    return world.actor ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    subscribe_destroy((subscribe_t **)&world.actor);
    solo_free(&world);
    return 0;
}

static void follow(peer_t peer)
{
    struct follow *follow = (struct follow *)message_new(sizeof *follow);
    follow->number = peer;
    follow->key = world.contract.key;
    follow->on = true;
    solo_give(&world, ACTOR_hosting, MESSAGE_FOLLOW, &follow->head);
    struct message *watch = (struct message *)solo_take(&world, MESSAGE_WATCH);
    message_free(&watch);
}

static void change(peer_t origin, uint64_t seq)
{
    struct changed *changed = (struct changed *)message_new(sizeof *changed);
    changed->key = world.contract.key;
    changed->after.bytes[0] = (uint8_t)seq;
    changed->record = blob_new(8);
    changed->delta = blob_slice(changed->record);
    changed->seq = seq;
    changed->origin = origin;
    solo_give(&world, ACTOR_storage, MESSAGE_CHANGED, &changed->head);
}

static void expect_told(peer_t peer)
{
    struct notify *notify = (struct notify *)solo_take(&world, MESSAGE_NOTIFY);
    struct message *message = &notify->head;
    assert_int_equal(notify->client, FOLLOWER_PEER | peer);
    message_free(&message);
}

/* So a change ends at the edges of a tree of hosts, and goes over each edge once. */
static void a_change_does_not_go_back_to_the_peer_that_it_came_from(void **state)
{
    (void)state;
    follow(1);
    follow(2);
    change(1, 1);
    expect_told(2);
    solo_expect_nothing(&world);
    change(2, 2);
    expect_told(1);
    solo_expect_nothing(&world);
    change(0, 3); /* a client's */
    expect_told(2);
    expect_told(1);
    solo_expect_nothing(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_change_does_not_go_back_to_the_peer_that_it_came_from,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
