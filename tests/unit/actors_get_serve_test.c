/* get, alone: peers' GETs answered or passed on. */
#include "tests/unit/get_world.h"

#include "actors/operation.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { NEAREST = 1, NEARER = 2, LAST_NEARER = SOLO_SELF, BESIDE = SOLO_SELF + 1 };

static void is_answered_in_one_piece(size_t bytes)
{
    solo_live_all(&get_world, ASKER, ASKER);
    peer_get_hosted(3, 0);
    walk_gives(bytes, true);
    asker_got_piece(bytes, LANE_small);
    asker_got_end(0, LANE_small);
    nothing_is_open();
}

static void a_host_answers_a_small_state_in_one_piece(void **state)
{
    (void)state;
    is_answered_in_one_piece(100);
}

static void an_empty_state_is_one_piece_too(void **state)
{
    (void)state;
    is_answered_in_one_piece(0);
}

static void a_large_state_goes_in_bulk_two_pieces_at_a_time(void **state)
{
    (void)state;
    solo_live_all(&get_world, ASKER, ASKER);
    peer_get_hosted(3, 0);
    walk_gives(100, false); /* small, and yet the next may not overtake it */
    asker_got_piece(100, LANE_bulk);
    walk_gives(PEER_PIECE_BYTES, false);
    asker_got_piece(PEER_PIECE_BYTES, LANE_bulk);
    solo_expect_nothing(&get_world); /* until the socket takes one */
    solo_tell_sent(&get_world);
    walk_gives(50, true);
    asker_got_piece(50, LANE_bulk);
    asker_got_end(0, LANE_bulk);
    nothing_is_open();
}

static void who_has_the_same_state_gets_none(void **state)
{
    (void)state;
    solo_live_all(&get_world, ASKER, ASKER);
    struct peer_get get = {.tx = ASKER_TX,
                           .hops = 1,
                           .deadline_ms = 1000,
                           .known = slice_of(printed.bytes, FINGERPRINT_BYTES)};
    memcpy(get.key, get_world.contract.key.bytes, sizeof get.key);
    solo_mail(&get_world, ASKER, PEER_GET, &get);
    solo_answer(&get_world, (struct request *)solo_take(&get_world, MESSAGE_HOST), ACTOR_hosting,
                MESSAGE_HOSTED, 0);
    walk_gives(500, false);
    asker_got_end(0, LANE_small);
    nothing_is_open();
}

static void what_is_not_here_is_asked_of_a_nearer_peer(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, SOLO_PEERS);
    peer_get_hosted(3, ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    assert_int_equal(get.hops, 2);
    assert_in_range(get.deadline_ms, 1, 4999); /* less than its asker has */
    give_piece(NEAREST, get.tx);
    asker_got_piece(7, LANE_small);
    give_got(NEAREST, get.tx, 0);
    asker_got_end(0, LANE_small);
    const operation_t *operation = (const operation_t *)get_world.actor;
    assert_int_equal(operation->relays.of_peers, 1); /* until the piece is sent */
}

/* lesson C3 */
static void what_is_passed_on_stays_counted_until_it_is_sent(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, SOLO_PEERS);
    peer_get_hosted(3, ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    give_piece(NEAREST, get.tx);
    asker_got_piece(7, LANE_small);
    uint64_t one = owed_bytes(get_world.window);
    assert_true(one > 7);
    solo_tell_sent(&get_world);
    assert_int_equal(owed_bytes(get_world.window), 0);
    give_piece(NEAREST, get.tx);
    asker_got_piece(7, LANE_small);
    give_got(NEAREST, get.tx, 0);
    assert_int_equal(owed_bytes(get_world.window), one);
    struct message *got = (struct message *)solo_take(&get_world, MESSAGE_PEER_SEND);
    message_free(&got);
    solo_tell_sent(&get_world); /* the piece */
    nothing_is_open();
}

/* lesson C5 */
static void an_asker_that_takes_nothing_is_given_up(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, SOLO_PEERS);
    give_get(ASKER, 3, 3 * RELAY_STALL_MS);
    solo_answer(&get_world, (struct request *)solo_take(&get_world, MESSAGE_HOST), ACTOR_hosting,
                MESSAGE_HOSTED, ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    solo_advance_ms(&get_world, RELAY_PATIENCE_MS / 2 - 1); /* nothing waits for it yet */
    give_piece(NEAREST, get.tx);
    asker_got_piece(7, LANE_small);
    struct message *second;
    give_piece(NEAREST, get.tx);
    second = (struct message *)solo_take(&get_world, MESSAGE_PEER_SEND);
    message_free(&second);
    solo_advance_ms(&get_world, RELAY_STALL_MS - 1);
    solo_tell_sent(&get_world); /* it reads, if slowly */
    solo_advance_ms(&get_world, RELAY_STALL_MS - 1);
    assert_true(owed_bytes(get_world.window) > 0);
    solo_advance_ms(&get_world, 1);
    asker_got_end(ERR_TIMEOUT, LANE_small);
    nothing_is_open();
}

static void no_piece_overtakes_another_in_a_faster_lane(void **state)
{
    static uint8_t large[PEER_BULK_BYTES];
    (void)state;
    solo_live_all(&get_world, 1, SOLO_PEERS);
    peer_get_hosted(3, ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    struct peer_piece piece = piece_of(get.tx, large, sizeof large);
    give_piece(NEAREST, get.tx);
    asker_got_piece(7, LANE_small);
    solo_mail(&get_world, NEAREST, PEER_PIECE, &piece);
    give_piece(NEAREST, get.tx);
    give_got(NEAREST, get.tx, 0);
    solo_expect_nothing(&get_world); /* the first is still on its way in the small lane */
    solo_tell_sent(&get_world);
    asker_got_piece(sizeof large, LANE_bulk);
    asker_got_piece(7, LANE_bulk);
    asker_got_end(0, LANE_bulk);
}

static void without_hops_left_nobody_is_asked(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, SOLO_PEERS);
    peer_get_hosted(0, ERR_NOT_FOUND);
    asker_got_end(ERR_NOT_FOUND, LANE_small);
    nothing_is_open();
    peer_get_hosted(255, ERR_NOT_FOUND); /* more than there are */
    assert_int_equal(asked(NEAREST).hops, PEER_HOPS - 1);
}

static void only_peers_nearer_to_the_key_are_asked_for_others(void **state)
{
    (void)state;
    solo_live_all(&get_world, BESIDE, SOLO_PEERS);
    peer_get_hosted(5, ERR_NOT_FOUND);
    asker_got_end(ERR_NOT_FOUND, LANE_small);
    solo_live(&get_world, 1);
    give_get(1, 5, 5000); /* who asks is the nearest, and is not asked back */
    solo_answer(&get_world, (struct request *)solo_take(&get_world, MESSAGE_HOST), ACTOR_hosting,
                MESSAGE_HOSTED, ERR_NOT_FOUND);
    union peer_any body;
    solo_take_sent(&get_world, 1, PEER_GOT, &body);
    assert_int_equal(body.got.code, -ERR_NOT_FOUND);
    nothing_is_open();
}

/* lesson L3 */
static void a_hop_that_goes_is_replaced_one_that_refuses_is_not(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, SOLO_PEERS);
    peer_get_hosted(5, ERR_NOT_FOUND);
    (void)asked(NEAREST);
    solo_gone(&get_world, NEAREST);
    give_got(NEARER, asked(NEARER).tx, ERR_NOT_FOUND);
    asker_got_end(ERR_NO_LIVE_PEER, LANE_small); /* who went may have had it */
    nothing_is_open();
    peer_get_hosted(5, ERR_NOT_FOUND);
    give_got(NEARER, asked(NEARER).tx, ERR_NOT_FOUND);
    asker_got_end(ERR_NOT_FOUND, LANE_small); /* the messages would double at each hop */
    nothing_is_open();
}

static void a_hop_that_begins_late_is_passed_on(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, SOLO_PEERS);
    peer_get_hosted(5, ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    solo_advance_ms(&get_world, RELAY_PATIENCE_MS / 2);
    (void)asked(NEARER);
    give_got(NEARER, get.tx, ERR_NOT_FOUND);
    solo_expect_nothing(&get_world); /* the nearest may only be slow */
    give_piece(NEAREST, get.tx);
    asker_got_piece(7, LANE_small);
    give_got(NEAREST, get.tx, 0);
    asker_got_end(0, LANE_small);
    solo_expect_nothing(&get_world);
}

/* … and not the fault of the asker, which has taken all that came before. */
static void a_hop_that_takes_over_and_says_nothing_is_followed_too(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, SOLO_PEERS);
    peer_get_hosted(5, ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    give_piece(NEAREST, get.tx);
    asker_got_piece(7, LANE_small);
    solo_tell_sent(&get_world);
    solo_gone(&get_world, NEAREST);
    (void)asked(NEARER);
    solo_advance_ms(&get_world, RELAY_PATIENCE_MS / 2);
    give_got(3, asked(3).tx, 0);
    asker_got_end(0, LANE_small);
    nothing_is_open();
}

static void an_own_copy_is_better_than_an_error(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, SOLO_PEERS);
    peer_get_hosted(5, ERR_AGAIN);
    give_got(NEAREST, asked(NEAREST).tx, ERR_BUSY);
    walk_gives(10, true);
    asker_got_piece(10, LANE_small);
    asker_got_end(0, LANE_small);
    peer_get_hosted(5, ERR_AGAIN); /* and when it turns out that there is none: */
    give_got(NEAREST, asked(NEAREST).tx, ERR_BUSY);
    struct walk *walk = (struct walk *)solo_take(&get_world, MESSAGE_WALK);
    walk->code = ERR_NOT_FOUND;
    solo_give(&get_world, ACTOR_storage, MESSAGE_WALKED, &walk->head);
    asker_got_end(ERR_BUSY, LANE_small);
    nothing_is_open();
}

static void a_wrong_piece_is_not_passed_on(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, SOLO_PEERS);
    peer_get_hosted(5, ERR_NOT_FOUND);
    struct peer_piece piece = piece_of(asked(NEAREST).tx, "", 0);
    piece.kind = slice_text("set");
    solo_mail(&get_world, NEAREST, PEER_PIECE, &piece);
    struct message *blame = (struct message *)solo_take(&get_world, MESSAGE_BLAME);
    message_free(&blame);
    asker_got_end(ERR_BAD_STATE, LANE_small);
    nothing_is_open();
}

static void an_asker_that_goes_is_forgotten(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, SOLO_PEERS);
    peer_get_hosted(5, ERR_NOT_FOUND); /* while a peer is asked, with a piece under way */
    struct peer_get get = asked(NEAREST);
    give_piece(NEAREST, get.tx);
    asker_got_piece(7, LANE_small);
    peer_get_hosted(5, 0); /* while the store is read */
    struct walk *walk = (struct walk *)solo_take(&get_world, MESSAGE_WALK);
    give_get(ASKER, 5, 5000); /* while hosting is asked */
    struct request *host = (struct request *)solo_take(&get_world, MESSAGE_HOST);
    solo_gone(&get_world, ASKER);
    nothing_is_open();
    solo_tell_sent(&get_world);
    give_piece(NEAREST, get.tx);
    give_got(NEAREST, get.tx, 0);
    solo_give(&get_world, ACTOR_storage, MESSAGE_WALKED, &walk->head);
    solo_answer(&get_world, host, ACTOR_hosting, MESSAGE_HOSTED, 0);
    nothing_is_open();
}

static void no_get_of_a_peer_outlives_its_deadline(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, SOLO_PEERS);
    give_get(ASKER, 5, 0);
    asker_got_end(ERR_TIMEOUT, LANE_small); /* no time was left */
    give_get(ASKER, 5, UINT32_MAX);
    struct request *host = (struct request *)solo_take(&get_world, MESSAGE_HOST);
    assert_int_equal(host->deadline_ms,
                     get_world.now.ms + OPERATION_TIMEOUT_MS); /* our own limit */
    peer_get_hosted(5, ERR_NOT_FOUND);
    (void)asked(NEAREST);
    solo_advance_ms(&get_world, 5000);
    asker_got_end(ERR_TIMEOUT, LANE_small);
    solo_expect_nothing(&get_world);
    solo_advance_ms(&get_world, OPERATION_TIMEOUT_MS - 5000);
    asker_got_end(ERR_TIMEOUT, LANE_small);
    nothing_is_open();
    assert_true(solo_deadline_ms(&get_world) == NEVER);
    solo_answer(&get_world, host, ACTOR_hosting, MESSAGE_HOSTED, 0);
    nothing_is_open();
}

static void one_peer_cannot_take_all_rows_and_all_peers_no_more_than_there_are(void **state)
{
    (void)state;
    struct message *message;
    unsigned open = 0;
    for (peer_t p = 0; p < 2 + RELAYS_MAX / RELAYS_A_PEER_MAX; p++) {
        peer_t peer = SOLO_FAR + p;
        solo_live(&get_world, peer);
        for (unsigned i = 0; i < RELAYS_A_PEER_MAX && open < RELAYS_MAX; i++, open++) {
            give_get(peer, 5, 5000);
            message = (struct message *)solo_take(&get_world, MESSAGE_HOST);
            message_free(&message);
        }
        give_get(peer, 5, 5000);
        union peer_any body;
        solo_take_sent(&get_world, peer, PEER_GOT, &body);
        assert_int_equal(body.got.code, -ERR_BUSY);
    }
    assert_int_equal(open, RELAYS_MAX);
    start_get(); /* clients are not kept out by them */
    struct request *host = (struct request *)solo_take(&get_world, MESSAGE_HOST);
    solo_answer(&get_world, host, ACTOR_hosting, MESSAGE_HOSTED, ERR_NOT_FOUND);
    message = mail_pop(&get_world.outbox.mail);
    assert_non_null(message);
    assert_int_not_equal(message->kind, MESSAGE_REPLY); /* it goes on */
    message_free(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, get_world_start, get_world_end)
        T(a_host_answers_a_small_state_in_one_piece),
        T(an_empty_state_is_one_piece_too),
        T(a_large_state_goes_in_bulk_two_pieces_at_a_time),
        T(who_has_the_same_state_gets_none),
        T(what_is_not_here_is_asked_of_a_nearer_peer),
        T(what_is_passed_on_stays_counted_until_it_is_sent),
        T(an_asker_that_takes_nothing_is_given_up),
        T(no_piece_overtakes_another_in_a_faster_lane),
        T(without_hops_left_nobody_is_asked),
        T(only_peers_nearer_to_the_key_are_asked_for_others),
        T(a_hop_that_goes_is_replaced_one_that_refuses_is_not),
        T(a_hop_that_begins_late_is_passed_on),
        T(a_hop_that_takes_over_and_says_nothing_is_followed_too),
        T(an_own_copy_is_better_than_an_error),
        T(a_wrong_piece_is_not_passed_on),
        T(an_asker_that_goes_is_forgotten),
        T(no_get_of_a_peer_outlives_its_deadline),
        T(one_peer_cannot_take_all_rows_and_all_peers_no_more_than_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
