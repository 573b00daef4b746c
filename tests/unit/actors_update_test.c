/* update, alone: a client's UPDATE and EDIT, here and across nodes. (Peers':
 * actors_update_peers_test.) */
#include "tests/support/solo.h"

#include "actors/operation.h"
#include "contracts/entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NEAREST = 1, NEARER = 2, BESIDE = SOLO_SELF + 1 };

static struct solo world;
static struct buffer delta; /* of the test, made by entries */

static int set_up(void **state)
{
    (void)state;
    return solo_operation_start(&world, &update_spec, true);
}

static int tear_down(void **state)
{
    (void)state;
    solo_operation_end(&world);
    buffer_free(&delta);
    return 0;
}

/* count entries of `bytes` each. */
static struct slice entries(unsigned count, size_t bytes)
{
    uint8_t *value = (uint8_t *)calloc(1, bytes + 1);
    assert_non_null(value);
    for (unsigned i = 0; i < count; i++) {
        uint8_t key[4];
        put_u32(key, i);
        entry_append(&delta, slice_of(key, 4), slice_of(value, bytes));
    }
    free(value);
    return buffer_slice(&delta);
}

/* A client's request, which the own store answers with code. */
static void merged_here(enum verb verb, const struct slice *args, size_t count, int code)
{
    solo_give(&world, ACTOR_client_api, MESSAGE_UPDATE,
              &solo_request(&world, verb, args, count)->head);
    struct request *merge = (struct request *)solo_take(&world, MESSAGE_MERGE);
    assert_int_equal(merge->verb, verb);
    solo_answer(&world, merge, ACTOR_storage, MESSAGE_MERGED, code);
}

static void update_merged(struct slice what, int code)
{
    const struct slice args[] = {slice_of(world.contract.key.bytes, CONTRACT_KEY_BYTES), what};
    merged_here(VERB_UPDATE, args, 2, code);
}

static void edit_merged(int code)
{
    const struct slice args[] = {slice_of(world.contract.key.bytes, CONTRACT_KEY_BYTES),
                                 slice_text("add"), slice_text("5")};
    merged_here(VERB_EDIT, args, 3, code);
}

/* --- clients ----------------------------------------------------------------------------- */

static void what_is_here_is_merged_here(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    update_merged(slice_of("", 0), 0);
    (void)solo_expect_reply(&world, 0);
    update_merged(slice_of("", 0), ERR_BAD_STATE);
    (void)solo_expect_reply(&world, ERR_BAD_STATE);
    solo_expect_nothing(&world);
}

/* lesson L1 */
static void without_a_live_peer_the_answer_comes_at_once(void **state)
{
    (void)state;
    update_merged(slice_of("", 0), ERR_NOT_FOUND);
    (void)solo_expect_reply(&world, ERR_NO_LIVE_PEER);
    solo_expect_nothing(&world); /* no DIAL, and nothing else */
    solo_operation_end(&world);
    assert_int_equal(solo_operation_start(&world, &update_spec, false), 0);
    edit_merged(ERR_NOT_FOUND);
    (void)solo_expect_reply(&world, ERR_NOT_FOUND);
}

static void what_is_not_here_is_merged_at_a_host(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    struct slice one = entries(1, 3);
    update_merged(one, ERR_NOT_FOUND);
    struct peer_update update = solo_take_update(&world, NEAREST);
    assert_int_equal(update.hops, PEER_HOPS);
    assert_int_equal(update.edit, 0);
    assert_true(slice_equal(update.args, one));
    assert_in_range(update.deadline_ms, 1, OPERATION_TIMEOUT_MS - 1);
    solo_mail_updated(&world, NEAREST, update.tx, 0);
    struct request *reply = (struct request *)solo_take(&world, MESSAGE_REPLY);
    assert_int_equal(reply->code, 0);
    assert_int_equal(reply->change.changed, 1);
    assert_memory_equal(&reply->change.after, &solo_printed, sizeof solo_printed);
    struct message *message = &reply->head;
    message_free(&message);
    solo_mail_updated(&world, NEAREST, update.tx, 0); /* twice */
    solo_expect_nothing(&world);
}

static void an_edit_travels_with_its_operands(void **state)
{
    static const uint8_t wire[] = {0, 0, 0, 3, 'a', 'd', 'd', 0, 0, 0, 1, '5'};
    (void)state;
    solo_live_all(&world, 1, 1);
    edit_merged(ERR_NOT_FOUND);
    struct peer_update update = solo_take_update(&world, NEAREST);
    assert_int_equal(update.edit, 1);
    assert_true(slice_equal(update.args, slice_of(wire, sizeof wire)));
    solo_mail_updated(&world, NEAREST, update.tx, 0);
    (void)solo_expect_reply(&world, 0);
}

/* lesson L3 */
static void an_update_moves_on_when_its_peer_goes(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 2);
    update_merged(entries(1, 3), ERR_NOT_FOUND);
    struct peer_update first = solo_take_update(&world, NEAREST);
    solo_gone(&world, NEAREST);
    struct peer_update second = solo_take_update(&world, NEARER);
    assert_int_equal(second.args.size, delta.size);
    solo_mail_updated(&world, NEAREST, first.tx, 0); /* too late */
    solo_expect_nothing(&world);
    solo_gone(&world, NEARER);
    (void)solo_expect_reply(&world, ERR_NO_LIVE_PEER);
    assert_int_equal(world.now.ms, 1000);
}

/* lesson L3 */
static void a_peer_that_says_nothing_to_an_update_is_followed_by_the_next_in_a_second(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 3);
    update_merged(entries(1, 3), ERR_NOT_FOUND);
    (void)solo_take_update(&world, NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS - 1);
    solo_expect_nothing(&world);
    solo_advance_ms(&world, 1);
    struct peer_update second = solo_take_update(&world, NEARER);
    assert_int_equal(second.args.size, delta.size);
    solo_advance_ms(&world, 2 * RELAY_PATIENCE_MS - 1);
    solo_expect_nothing(&world);
    solo_advance_ms(&world, 1);
    (void)solo_take_update(&world, 3);
    solo_mail_updated(&world, NEARER, second.tx, 0);
    (void)solo_expect_reply(&world, 0);
    solo_mail_updated(&world, 3, second.tx, 0);
    solo_expect_nothing(&world);
}

static void the_first_answer_to_an_update_counts_whoever_gives_it(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 2);
    update_merged(entries(1, 3), ERR_NOT_FOUND);
    struct peer_update first = solo_take_update(&world, NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS);
    (void)solo_take_update(&world, NEARER);
    solo_mail_updated(&world, NEAREST, first.tx, 0);
    (void)solo_expect_reply(&world, 0);
    update_merged(buffer_slice(&delta), ERR_NOT_FOUND);
    first = solo_take_update(&world, NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS);
    (void)solo_take_update(&world, NEARER);
    solo_mail_updated(&world, NEAREST, first.tx, ERR_DENIED); /* the other would say the same */
    (void)solo_expect_reply(&world, ERR_DENIED);
    solo_expect_nothing(&world);
}

/* A host that is only slow: what others say of a contract that they do not have is no answer. */
static void who_was_asked_is_waited_for_when_nobody_else_is_left(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 2);
    for (int goes = 0; goes < 2; goes++) {
        update_merged(goes ? buffer_slice(&delta) : entries(1, 3), ERR_NOT_FOUND);
        struct peer_update update = solo_take_update(&world, NEAREST);
        solo_advance_ms(&world, RELAY_PATIENCE_MS);
        (void)solo_take_update(&world, NEARER);
        solo_mail_updated(&world, NEARER, update.tx, ERR_NOT_FOUND);
        solo_advance_ms(&world, OPERATION_TIMEOUT_MS / 2);
        solo_expect_nothing(&world);
        if (goes)
            solo_gone(&world, NEAREST);
        else
            solo_mail_updated(&world, NEAREST, update.tx, 0);
        (void)solo_expect_reply(&world, goes ? ERR_NO_LIVE_PEER : 0);
    }
    solo_expect_nothing(&world);
}

static void a_large_delta_goes_on_where_it_was_taken_first(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 2);
    update_merged(entries(5, 500000), ERR_NOT_FOUND);
    size_t all = delta.size;
    struct peer_update update = solo_take_update(&world, NEAREST);
    size_t sent = update.args.size;
    solo_advance_ms(&world, RELAY_PATIENCE_MS);
    solo_expect_nothing(&world); /* so many bytes take their time */
    solo_advance_ms(&world, sent / RELAY_SLOW_BYTES_A_MS);
    (void)solo_take_update(&world, NEARER);
    solo_mail_updated(&world, NEAREST, update.tx, 0);
    for (; sent < all; sent += update.args.size, solo_mail_updated(&world, NEAREST, update.tx, 0)) {
        update = solo_take_update(&world, NEAREST);
        solo_mail_updated(&world, NEARER, update.tx, 0); /* of the first piece */
        solo_advance_ms(&world, 20000);
        solo_expect_nothing(&world);
    }
    assert_int_equal(sent, all);
    (void)solo_expect_reply(&world, 0);
}

/* The next piece of a large delta is on its way to a host that has stopped. */
static struct peer_update sent_on_to_nearest(void)
{
    solo_live_all(&world, 1, 2);
    update_merged(entries(5, 500000), ERR_NOT_FOUND);
    solo_mail_updated(&world, NEAREST, solo_take_update(&world, NEAREST).tx, 0);
    struct peer_update update = solo_take_update(&world, NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS + update.args.size / RELAY_SLOW_BYTES_A_MS - 1);
    solo_expect_nothing(&world);
    solo_advance_ms(&world, 1);
    return update;
}

/* lesson L3 */
static void a_host_that_stops_after_the_first_piece_is_left_for_the_next(void **state)
{
    (void)state;
    (void)sent_on_to_nearest();
    for (size_t sent = 0; sent < delta.size;) { /* all of it, from the first piece on */
        struct peer_update update = solo_take_update(&world, NEARER);
        sent += update.args.size;
        solo_mail_updated(&world, NEARER, update.tx, 0);
    }
    (void)solo_expect_reply(&world, 0);
    solo_expect_nothing(&world);
}

static void a_host_that_was_only_slow_between_two_pieces_goes_on(void **state)
{
    (void)state;
    struct peer_update update = sent_on_to_nearest();
    (void)solo_take_update(&world, NEARER);
    solo_mail_updated(&world, NEAREST, update.tx, 0);
    for (unsigned pieces = 0; pieces < 2; pieces++) { /* NEARER may have sent nothing on yet */
        update = solo_take_update(&world, NEAREST);
        solo_mail_updated(&world, NEARER, update.tx, 0);
        solo_expect_nothing(&world);
        solo_mail_updated(&world, NEAREST, update.tx, 0);
    }
    (void)solo_expect_reply(&world, 0);
    solo_expect_nothing(&world);
}

static void an_edit_is_asked_of_one_however_long_it_is_silent(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 2);
    edit_merged(ERR_NOT_FOUND);
    struct peer_update update = solo_take_update(&world, NEAREST);
    solo_advance_ms(&world, OPERATION_TIMEOUT_MS - 1);
    solo_expect_nothing(&world);
    solo_mail_updated(&world, NEAREST, update.tx, 0);
    (void)solo_expect_reply(&world, 0);
}

/* lesson L3 */
static void an_edit_that_may_have_been_made_is_not_made_again(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 3);
    edit_merged(ERR_NOT_FOUND);
    (void)solo_take_update(&world, NEAREST);
    solo_gone(&world, NEAREST);
    assert_non_null(strstr(solo_expect_reply(&world, ERR_NO_LIVE_PEER), "not known"));
    static const int unknown[] = {ERR_NO_LIVE_PEER, ERR_TIMEOUT, ERR_INTERNAL};
    for (size_t i = 0; i < 3; i++) {
        edit_merged(ERR_NOT_FOUND);
        solo_mail_updated(&world, NEARER, solo_take_update(&world, NEARER).tx, unknown[i]);
        (void)solo_expect_reply(&world, unknown[i]);
    }
    solo_expect_nothing(&world);
    edit_merged(ERR_NOT_FOUND);
    solo_mail_updated(&world, NEARER, solo_take_update(&world, NEARER).tx,
                      ERR_NOT_FOUND); /* not made, for certain */
    solo_mail_updated(&world, 3, solo_take_update(&world, 3).tx, ERR_BUSY);
    (void)solo_expect_reply(&world, ERR_BUSY);
}

static void peers_beside_are_asked_where_it_began(void **state)
{
    (void)state;
    solo_live_all(&world, 6, SOLO_PEERS);
    edit_merged(ERR_NOT_FOUND);
    for (peer_t peer = 6; peer <= 6 + RELAY_BESIDE_MAX; peer++)
        solo_mail_updated(&world, peer, solo_take_update(&world, peer).tx, ERR_NOT_FOUND);
    (void)solo_expect_reply(&world, ERR_NOT_FOUND);
}

static void a_refusal_is_final_and_told_in_its_words(void **state)
{
    static const int refusals[] = {ERR_BAD_STATE, ERR_DENIED, ERR_STORE_FULL, ERR_TOO_LARGE};
    (void)state;
    solo_live_all(&world, 1, 2);
    for (size_t i = 0; i < 4; i++) {
        update_merged(slice_of("", 0), ERR_NOT_FOUND);
        solo_mail_updated(&world, NEAREST, solo_take_update(&world, NEAREST).tx, refusals[i]);
        assert_string_equal(solo_expect_reply(&world, refusals[i]), "they say so");
    }
    solo_expect_nothing(&world);
}

static void a_large_delta_goes_in_several_one_after_the_other(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 2);
    update_merged(entries(5, 500000), ERR_NOT_FOUND);
    size_t all = delta.size, sent = 0, messages = 0;
    struct peer_update update = solo_take_update(&world, NEAREST);
    solo_mail_updated(&world, NEAREST, update.tx, 0);
    (void)solo_take_update(&world, NEAREST);
    solo_gone(&world, NEAREST); /* whoever is next gets all of it */
    while (sent < all) {
        update = solo_take_update(&world, NEARER);
        assert_int_equal(solo_sent(&world)->lane, LANE_bulk);
        sent += update.args.size;
        messages++;
        solo_expect_nothing(&world);
        solo_mail_updated(&world, NEARER, update.tx, 0);
    }
    assert_int_equal(sent, all);
    assert_int_equal(messages, 3); /* two entries in each */
    (void)solo_expect_reply(&world, 0);
}

static void a_large_delta_refused_midway_tells_what_is_kept(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 1);
    update_merged(entries(4, 500000), ERR_NOT_FOUND);
    solo_mail_updated(&world, NEAREST, solo_take_update(&world, NEAREST).tx, 0);
    solo_mail_updated(&world, NEAREST, solo_take_update(&world, NEAREST).tx, ERR_STORE_FULL);
    assert_non_null(strstr(solo_expect_reply(&world, ERR_STORE_FULL), "are kept"));
}

static void a_delta_that_cannot_be_cut_is_refused_here(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 1);
    update_merged(slice_of("\5ke", 3), ERR_NOT_FOUND);
    (void)solo_expect_reply(&world, ERR_BAD_STATE);
    update_merged(entries(1, ENTRY_VALUE_BYTES_MAX + 300), ERR_NOT_FOUND);
    (void)solo_expect_reply(&world, ERR_BAD_STATE); /* its value is over the limit */
    solo_expect_nothing(&world);
}

static void no_update_of_a_client_outlives_its_deadline(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 1);
    update_merged(slice_of("", 0), ERR_NOT_FOUND);
    struct peer_update update = solo_take_update(&world, NEAREST);
    solo_advance_ms(&world, OPERATION_TIMEOUT_MS - 1);
    solo_expect_nothing(&world);
    solo_advance_ms(&world, 1);
    (void)solo_expect_reply(&world, ERR_TIMEOUT);
    assert_true(solo_deadline_ms(&world) == NEVER);
    solo_mail_updated(&world, NEAREST, update.tx, 0);
    solo_expect_nothing(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        T(what_is_here_is_merged_here),
        T(without_a_live_peer_the_answer_comes_at_once),
        T(what_is_not_here_is_merged_at_a_host),
        T(an_edit_travels_with_its_operands),
        T(an_update_moves_on_when_its_peer_goes),
        T(a_peer_that_says_nothing_to_an_update_is_followed_by_the_next_in_a_second),
        T(the_first_answer_to_an_update_counts_whoever_gives_it),
        T(who_was_asked_is_waited_for_when_nobody_else_is_left),
        T(a_large_delta_goes_on_where_it_was_taken_first),
        T(a_host_that_stops_after_the_first_piece_is_left_for_the_next),
        T(a_host_that_was_only_slow_between_two_pieces_goes_on),
        T(an_edit_is_asked_of_one_however_long_it_is_silent),
        T(an_edit_that_may_have_been_made_is_not_made_again),
        T(peers_beside_are_asked_where_it_began),
        T(a_refusal_is_final_and_told_in_its_words),
        T(a_large_delta_goes_in_several_one_after_the_other),
        T(a_large_delta_refused_midway_tells_what_is_kept),
        T(a_delta_that_cannot_be_cut_is_refused_here),
        T(no_update_of_a_client_outlives_its_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
