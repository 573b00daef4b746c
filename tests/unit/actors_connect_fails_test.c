/* A dial that an operator asked for and that failed: what it is told, once. */
#include "actors/connections.h"
#include "base/base58.h"
#include "tests/support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* CONNECT to somebody; the dial ends as transport says. */
static const char *connect_that_ends(struct solo *world, enum close_reason reason, const char *why)
{
    char text[BASE58_TEXT_MAX + 20];
    base58_encode(world->peers[1].bytes, NODE_ID_BYTES, text);
    (void)snprintf(text + strlen(text), 20, "@192.0.2.1:31337");
    struct slice arg = slice_text(text);
    solo_give(world, ACTOR_client_api, MESSAGE_ASK,
              &solo_request(world, VERB_CONNECT, &arg, 1)->head);
    solo_advance_ms(world, 1);
    struct dial *dial = (struct dial *)solo_take(world, MESSAGE_DIAL);
    struct closed *closed = (struct closed *)message_new(sizeof *closed);
    struct message *message = &dial->head;
    assert_non_null(closed);
    closed->number = dial->number;
    closed->reason = reason;
    (void)snprintf(closed->why.text, sizeof closed->why.text, "%s", why);
    message_free(&message);
    solo_give(world, ACTOR_transport, MESSAGE_CLOSED, &closed->head);
    return solo_expect_reply(world, ERR_NO_LIVE_PEER);
}

static void the_reason_is_told_once(void **state)
{
    static const struct {
        enum close_reason reason;
        const char *why, *told;
    } rows[] = {
        {CLOSE_refused, "the peer refuses: another network", "the peer refuses: another network"},
        {CLOSE_slow_handshake, "the handshake took too long", "the handshake took too long"},
        {CLOSE_slow_handshake, "", "the handshake took too long"},
        {CLOSE_reset, "Connection reset by peer", "Connection reset by peer"},
        {CLOSE_wrong_id, "closed without an answer", "closed without an answer"},
        {CLOSE_unreachable, "Connection refused",
         "no connection could be made: Connection refused"},
        {CLOSE_unreachable, "", "no connection could be made"},
        {CLOSE_bad_handshake, "a length that nothing has",
         "the handshake was not one of ours, or failed: a length that nothing has"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct solo world;
        solo_init(&world, &connections_spec);
        world.actor = connections_new(
            &(struct connections_options){.id = world.id, .address = "192.0.2.9:1", .seed = i + 1});
        assert_non_null(world.actor);
        assert_string_equal(connect_that_ends(&world, rows[i].reason, rows[i].why), rows[i].told);
        connections_destroy((connections_t **)&world.actor);
        solo_free(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reason_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
