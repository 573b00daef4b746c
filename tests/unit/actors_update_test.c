/* update, alone: a client's UPDATE and EDIT across nodes, and peers' merged here or sent on. */
#include "tests/support/solo.h"

#include "actors/operation.h"
#include "contracts/entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NEAREST = 1, NEARER = 2, BESIDE = SOLO_SELF + 1, ASKER = SOLO_PEERS, ASKER_TX = 4711 };

static struct solo world;
static const struct fingerprint printed = {{7, 7, 7}};
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

/* The UPDATE that a peer was sent. */
static struct peer_update asked(peer_t peer)
{
    union peer_any body;
    solo_take_sent(&world, peer, PEER_UPDATE, &body);
    return body.update;
}

static void give_updated(peer_t from, uint64_t tx, int code)
{
    struct peer_updated updated = {.tx = tx,
                                   .code = (uint8_t)-code,
                                   .why = slice_text(code ? "they say so" : ""),
                                   .changed = code == 0};
    memcpy(updated.fingerprint, printed.bytes, sizeof updated.fingerprint);
    solo_mail(&world, from, PEER_UPDATED, &updated);
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
    struct peer_update update = asked(NEAREST);
    assert_int_equal(update.hops, PEER_HOPS);
    assert_int_equal(update.edit, 0);
    assert_true(slice_equal(update.args, one));
    assert_in_range(update.deadline_ms, 1, OPERATION_TIMEOUT_MS - 1);
    give_updated(NEAREST, update.tx, 0);
    struct request *reply = (struct request *)solo_take(&world, MESSAGE_REPLY);
    assert_int_equal(reply->code, 0);
    assert_int_equal(reply->change.changed, 1);
    assert_memory_equal(&reply->change.after, &printed, sizeof printed);
    struct message *message = &reply->head;
    message_free(&message);
    give_updated(NEAREST, update.tx, 0); /* twice */
    solo_expect_nothing(&world);
}

static void an_edit_travels_with_its_operands(void **state)
{
    static const uint8_t wire[] = {0, 0, 0, 3, 'a', 'd', 'd', 0, 0, 0, 1, '5'};
    (void)state;
    solo_live_all(&world, 1, 1);
    edit_merged(ERR_NOT_FOUND);
    struct peer_update update = asked(NEAREST);
    assert_int_equal(update.edit, 1);
    assert_true(slice_equal(update.args, slice_of(wire, sizeof wire)));
    give_updated(NEAREST, update.tx, 0);
    (void)solo_expect_reply(&world, 0);
}

/* lesson L3 */
static void an_update_moves_on_when_its_peer_goes(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 2);
    update_merged(entries(1, 3), ERR_NOT_FOUND);
    struct peer_update first = asked(NEAREST);
    solo_gone(&world, NEAREST);
    struct peer_update second = asked(NEARER);
    assert_int_equal(second.args.size, delta.size);
    give_updated(NEAREST, first.tx, 0); /* too late */
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
    (void)asked(NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS - 1);
    solo_expect_nothing(&world);
    solo_advance_ms(&world, 1);
    struct peer_update second = asked(NEARER);
    assert_int_equal(second.args.size, delta.size);
    solo_advance_ms(&world, 2 * RELAY_PATIENCE_MS - 1);
    solo_expect_nothing(&world);
    solo_advance_ms(&world, 1);
    (void)asked(3);
    give_updated(NEARER, second.tx, 0);
    (void)solo_expect_reply(&world, 0);
    give_updated(3, second.tx, 0);
    solo_expect_nothing(&world);
}

static void the_first_answer_to_an_update_counts_whoever_gives_it(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 2);
    update_merged(entries(1, 3), ERR_NOT_FOUND);
    struct peer_update first = asked(NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS);
    (void)asked(NEARER);
    give_updated(NEAREST, first.tx, 0);
    (void)solo_expect_reply(&world, 0);
    update_merged(buffer_slice(&delta), ERR_NOT_FOUND);
    first = asked(NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS);
    (void)asked(NEARER);
    give_updated(NEAREST, first.tx, ERR_DENIED); /* the other would say the same */
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
        struct peer_update update = asked(NEAREST);
        solo_advance_ms(&world, RELAY_PATIENCE_MS);
        (void)asked(NEARER);
        give_updated(NEARER, update.tx, ERR_NOT_FOUND);
        solo_advance_ms(&world, OPERATION_TIMEOUT_MS / 2);
        solo_expect_nothing(&world);
        if (goes)
            solo_gone(&world, NEAREST);
        else
            give_updated(NEAREST, update.tx, 0);
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
    struct peer_update update = asked(NEAREST);
    size_t sent = update.args.size;
    solo_advance_ms(&world, RELAY_PATIENCE_MS);
    solo_expect_nothing(&world); /* so many bytes take their time */
    solo_advance_ms(&world, sent / RELAY_SLOW_BYTES_A_MS);
    (void)asked(NEARER);
    give_updated(NEAREST, update.tx, 0);
    for (; sent < all; sent += update.args.size, give_updated(NEAREST, update.tx, 0)) {
        update = asked(NEAREST);
        give_updated(NEARER, update.tx, 0); /* of the first piece */
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
    give_updated(NEAREST, asked(NEAREST).tx, 0);
    struct peer_update update = asked(NEAREST);
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
        struct peer_update update = asked(NEARER);
        sent += update.args.size;
        give_updated(NEARER, update.tx, 0);
    }
    (void)solo_expect_reply(&world, 0);
    solo_expect_nothing(&world);
}

static void a_host_that_was_only_slow_between_two_pieces_goes_on(void **state)
{
    (void)state;
    struct peer_update update = sent_on_to_nearest();
    (void)asked(NEARER);
    give_updated(NEAREST, update.tx, 0);
    for (unsigned pieces = 0; pieces < 2; pieces++) { /* NEARER may have sent nothing on yet */
        update = asked(NEAREST);
        give_updated(NEARER, update.tx, 0);
        solo_expect_nothing(&world);
        give_updated(NEAREST, update.tx, 0);
    }
    (void)solo_expect_reply(&world, 0);
    solo_expect_nothing(&world);
}

static void an_edit_is_asked_of_one_however_long_it_is_silent(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 2);
    edit_merged(ERR_NOT_FOUND);
    struct peer_update update = asked(NEAREST);
    solo_advance_ms(&world, OPERATION_TIMEOUT_MS - 1);
    solo_expect_nothing(&world);
    give_updated(NEAREST, update.tx, 0);
    (void)solo_expect_reply(&world, 0);
}

/* lesson L3 */
static void an_edit_that_may_have_been_made_is_not_made_again(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 3);
    edit_merged(ERR_NOT_FOUND);
    (void)asked(NEAREST);
    solo_gone(&world, NEAREST);
    assert_non_null(strstr(solo_expect_reply(&world, ERR_NO_LIVE_PEER), "not known"));
    static const int unknown[] = {ERR_NO_LIVE_PEER, ERR_TIMEOUT, ERR_INTERNAL};
    for (size_t i = 0; i < 3; i++) {
        edit_merged(ERR_NOT_FOUND);
        give_updated(NEARER, asked(NEARER).tx, unknown[i]);
        (void)solo_expect_reply(&world, unknown[i]);
    }
    solo_expect_nothing(&world);
    edit_merged(ERR_NOT_FOUND);
    give_updated(NEARER, asked(NEARER).tx, ERR_NOT_FOUND); /* not made, for certain */
    give_updated(3, asked(3).tx, ERR_BUSY);
    (void)solo_expect_reply(&world, ERR_BUSY);
}

static void peers_beside_are_asked_where_it_began(void **state)
{
    (void)state;
    solo_live_all(&world, 6, SOLO_PEERS);
    edit_merged(ERR_NOT_FOUND);
    for (peer_t peer = 6; peer <= 6 + RELAY_BESIDE_MAX; peer++)
        give_updated(peer, asked(peer).tx, ERR_NOT_FOUND);
    (void)solo_expect_reply(&world, ERR_NOT_FOUND);
}

static void a_refusal_is_final_and_told_in_its_words(void **state)
{
    static const int refusals[] = {ERR_BAD_STATE, ERR_DENIED, ERR_STORE_FULL, ERR_TOO_LARGE};
    (void)state;
    solo_live_all(&world, 1, 2);
    for (size_t i = 0; i < 4; i++) {
        update_merged(slice_of("", 0), ERR_NOT_FOUND);
        give_updated(NEAREST, asked(NEAREST).tx, refusals[i]);
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
    struct peer_update update = asked(NEAREST);
    give_updated(NEAREST, update.tx, 0);
    (void)asked(NEAREST);
    solo_gone(&world, NEAREST); /* whoever is next gets all of it */
    while (sent < all) {
        update = asked(NEARER);
        assert_int_equal(solo_sent(&world)->lane, LANE_bulk);
        sent += update.args.size;
        messages++;
        solo_expect_nothing(&world);
        give_updated(NEARER, update.tx, 0);
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
    give_updated(NEAREST, asked(NEAREST).tx, 0);
    give_updated(NEAREST, asked(NEAREST).tx, ERR_STORE_FULL);
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
    struct peer_update update = asked(NEAREST);
    solo_advance_ms(&world, OPERATION_TIMEOUT_MS - 1);
    solo_expect_nothing(&world);
    solo_advance_ms(&world, 1);
    (void)solo_expect_reply(&world, ERR_TIMEOUT);
    assert_true(solo_deadline_ms(&world) == NEVER);
    give_updated(NEAREST, update.tx, 0);
    solo_expect_nothing(&world);
}

/* --- peers ------------------------------------------------------------------------------- */

static struct peer_update update_of(uint8_t hops, struct slice args, bool edit)
{
    struct peer_update update = {
        .tx = ASKER_TX, .hops = hops, .deadline_ms = 5000, .edit = edit, .args = args};
    memcpy(update.key, world.contract.key.bytes, sizeof update.key);
    return update;
}

/* A peer's UPDATE, which the own store answers with code. */
static void peer_update_merged(peer_t from, uint8_t hops, int code)
{
    struct peer_update update = update_of(hops, slice_text("entries"), false);
    solo_mail(&world, from, PEER_UPDATE, &update);
    struct request *merge = (struct request *)solo_take(&world, MESSAGE_MERGE);
    assert_int_equal(merge->verb, VERB_UPDATE);
    assert_int_equal(merge->origin, 0);
    assert_true(slice_is(merge->args[1], "entries"));
    assert_true(owed_bytes(world.window) > 0); /* its bytes are in use */
    merge->change.after = printed;
    merge->change.changed = 2;
    solo_answer(&world, merge, ACTOR_storage, MESSAGE_MERGED, code);
}

static union peer_any expect_updated(peer_t to, int code)
{
    union peer_any body;
    solo_take_sent(&world, to, PEER_UPDATED, &body);
    assert_int_equal(body.updated.tx, ASKER_TX);
    assert_int_equal(body.updated.code, -code);
    return body;
}

static void nothing_is_open(void)
{
    const operation_t *operation = (const operation_t *)world.actor;
    solo_expect_nothing(&world);
    assert_int_equal(operation->relays.of_peers, 0);
    assert_int_equal(owed_bytes(world.window), 0);
}

static void a_host_answers_when_the_change_is_durable(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_update_merged(ASKER, 5, 0);
    union peer_any body = expect_updated(ASKER, 0);
    assert_int_equal(body.updated.changed, 1);
    assert_memory_equal(body.updated.fingerprint, printed.bytes, FINGERPRINT_BYTES);
    peer_update_merged(ASKER, 5, ERR_BAD_STATE);
    body = expect_updated(ASKER, ERR_BAD_STATE);
    assert_true(slice_is(body.updated.why, "as the test says"));
    nothing_is_open();
}

static void a_fault_without_a_name_on_the_wire_is_internal(void **state)
{
    (void)state;
    solo_live_all(&world, ASKER, ASKER);
    peer_update_merged(ASKER, 5, ERR_IO);
    (void)expect_updated(ASKER, ERR_INTERNAL);
}

static void an_edit_of_a_peer_is_made_here(void **state)
{
    static const uint8_t wire[] = {0, 0, 0, 3, 'a', 'd', 'd', 0, 0, 0, 1, '5', 0, 0, 0, 0};
    (void)state;
    solo_live_all(&world, ASKER, ASKER);
    struct peer_update update = update_of(5, slice_of(wire, sizeof wire), true);
    solo_mail(&world, ASKER, PEER_UPDATE, &update);
    struct request *merge = (struct request *)solo_take(&world, MESSAGE_MERGE);
    assert_int_equal(merge->verb, VERB_EDIT);
    assert_int_equal(merge->args_count, 4);
    assert_memory_equal(merge->args[0].data, world.contract.key.bytes, CONTRACT_KEY_BYTES);
    assert_true(slice_is(merge->args[1], "add"));
    assert_true(slice_is(merge->args[2], "5"));
    assert_int_equal(merge->args[3].size, 0);
    solo_answer(&world, merge, ACTOR_storage, MESSAGE_MERGED, 0);
    (void)expect_updated(ASKER, 0);
}

static void an_edit_that_is_no_edit_is_refused_and_its_sender_blamed(void **state)
{
    static const struct slice wrong[] = {{(const uint8_t *)"", 0},
                                         {(const uint8_t *)"\0\0\0", 3},
                                         {(const uint8_t *)"\0\0\0\4add", 7},
                                         {(const uint8_t *)"\xff\xff\xff\xff", 4}};
    (void)state;
    solo_live_all(&world, ASKER, ASKER);
    for (size_t i = 0; i < 4; i++) {
        struct peer_update update = update_of(5, wrong[i], true);
        solo_mail(&world, ASKER, PEER_UPDATE, &update);
        struct message *blame = (struct message *)solo_take(&world, MESSAGE_BLAME);
        message_free(&blame);
        (void)expect_updated(ASKER, ERR_BAD_REQUEST);
    }
    static const uint8_t many[4 * (EDIT_OPERANDS_MAX + 1)];
    struct peer_update update = update_of(5, slice_of(many, sizeof many), true);
    solo_mail(&world, ASKER, PEER_UPDATE, &update);
    struct message *blame = (struct message *)solo_take(&world, MESSAGE_BLAME);
    message_free(&blame);
    (void)expect_updated(ASKER, ERR_BAD_REQUEST);
    nothing_is_open();
}

static void what_is_not_here_goes_on_to_a_nearer_peer(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_update_merged(ASKER, 3, ERR_NOT_FOUND);
    struct peer_update update = asked(NEAREST);
    assert_int_equal(update.hops, 2);
    assert_int_equal(update.edit, 0);
    assert_true(slice_is(update.args, "entries"));
    assert_in_range(update.deadline_ms, 1, 4999);
    assert_true(owed_bytes(world.window) > 0); /* may have to be sent to another */
    give_updated(NEAREST, update.tx, 0);
    union peer_any body = expect_updated(ASKER, 0);
    assert_int_equal(body.updated.changed, 1);
    assert_memory_equal(body.updated.fingerprint, printed.bytes, FINGERPRINT_BYTES);
    nothing_is_open();
}

static void an_error_goes_back_as_it_came(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_update_merged(ASKER, 3, ERR_NOT_FOUND);
    give_updated(NEAREST, asked(NEAREST).tx, ERR_DENIED);
    union peer_any body = expect_updated(ASKER, ERR_DENIED);
    assert_true(slice_is(body.updated.why, "they say so"));
    nothing_is_open();
}

static void without_hops_or_nearer_peers_it_is_not_found(void **state)
{
    (void)state;
    solo_live_all(&world, BESIDE, SOLO_PEERS);
    peer_update_merged(ASKER, 5, ERR_NOT_FOUND);
    (void)expect_updated(ASKER, ERR_NOT_FOUND);
    solo_live(&world, NEAREST);
    peer_update_merged(ASKER, 0, ERR_NOT_FOUND);
    (void)expect_updated(ASKER, ERR_NOT_FOUND);
    peer_update_merged(NEAREST, 5, ERR_NOT_FOUND); /* not back to who asks */
    (void)expect_updated(NEAREST, ERR_NOT_FOUND);
    nothing_is_open();
}

/* lesson L3 */
static void a_hop_that_goes_is_replaced_for_an_update_only(void **state)
{
    static const uint8_t wire[] = {0, 0, 0, 3, 'a', 'd', 'd'};
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_update_merged(ASKER, 3, ERR_NOT_FOUND);
    (void)asked(NEAREST);
    struct peer_update edit = update_of(3, slice_of(wire, sizeof wire), true);
    solo_mail(&world, ASKER, PEER_UPDATE, &edit);
    solo_answer(&world, (struct request *)solo_take(&world, MESSAGE_MERGE), ACTOR_storage,
                MESSAGE_MERGED, ERR_NOT_FOUND);
    assert_int_equal(asked(NEAREST).edit, 1);
    solo_gone(&world, NEAREST);
    struct peer_update update = asked(NEARER);
    assert_int_equal(update.edit, 0);
    (void)expect_updated(ASKER, ERR_NO_LIVE_PEER); /* the edit: not known whether it was made */
    give_updated(NEARER, update.tx, 0);
    (void)expect_updated(ASKER, 0);
    nothing_is_open();
}

/* lesson L3 */
static void a_hop_that_says_nothing_is_followed_before_its_asker_gives_up(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_update_merged(ASKER, 3, ERR_NOT_FOUND);
    (void)asked(NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS / 2);
    struct peer_update update = asked(NEARER);
    give_updated(NEARER, update.tx, ERR_NOT_FOUND);
    solo_expect_nothing(&world); /* the other may yet */
    give_updated(NEAREST, update.tx, 0);
    (void)expect_updated(ASKER, 0);
    peer_update_merged(ASKER, 3, ERR_NOT_FOUND);
    update = asked(NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS / 2);
    (void)asked(NEARER);
    give_updated(NEARER, update.tx, ERR_NOT_FOUND);
    give_updated(NEAREST, update.tx, ERR_BUSY);
    (void)expect_updated(ASKER, ERR_BUSY);
    nothing_is_open();
}

static void an_asker_that_goes_is_forgotten(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_update_merged(ASKER, 3, ERR_NOT_FOUND);
    struct peer_update asked_of_nearest = asked(NEAREST);
    struct peer_update update = update_of(3, slice_text("entries"), false);
    solo_mail(&world, ASKER, PEER_UPDATE, &update);
    struct request *merge = (struct request *)solo_take(&world, MESSAGE_MERGE);
    solo_gone(&world, ASKER);
    give_updated(NEAREST, asked_of_nearest.tx, 0);
    solo_answer(&world, merge, ACTOR_storage, MESSAGE_MERGED, 0);
    nothing_is_open();
}

static void no_update_of_a_peer_outlives_its_deadline(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    struct peer_update update = update_of(3, slice_text("entries"), false);
    update.deadline_ms = 0;
    solo_mail(&world, ASKER, PEER_UPDATE, &update);
    (void)expect_updated(ASKER, ERR_TIMEOUT);
    update.deadline_ms = UINT32_MAX;
    solo_mail(&world, ASKER, PEER_UPDATE, &update);
    struct request *merge = (struct request *)solo_take(&world, MESSAGE_MERGE);
    assert_int_equal(merge->deadline_ms, world.now.ms + OPERATION_TIMEOUT_MS);
    peer_update_merged(ASKER, 3, ERR_NOT_FOUND);
    (void)asked(NEAREST);
    solo_advance_ms(&world, 5000);
    (void)expect_updated(ASKER, ERR_TIMEOUT);
    solo_expect_nothing(&world);
    solo_advance_ms(&world, OPERATION_TIMEOUT_MS - 5000);
    (void)expect_updated(ASKER, ERR_TIMEOUT);
    assert_true(solo_deadline_ms(&world) == NEVER);
    solo_answer(&world, merge, ACTOR_storage, MESSAGE_MERGED, 0);
    nothing_is_open();
}

static void one_peer_cannot_take_all_rows(void **state)
{
    (void)state;
    struct peer_update update = update_of(3, slice_text("entries"), false);
    struct message *message;
    solo_live_all(&world, 1, 2);
    for (unsigned i = 0; i < RELAYS_A_PEER_MAX; i++) {
        solo_mail(&world, 1, PEER_UPDATE, &update);
        message = (struct message *)solo_take(&world, MESSAGE_MERGE);
        message_free(&message);
    }
    solo_mail(&world, 1, PEER_UPDATE, &update);
    (void)expect_updated(1, ERR_BUSY);
    solo_mail(&world, 2, PEER_UPDATE, &update);
    message = (struct message *)solo_take(&world, MESSAGE_MERGE);
    message_free(&message);
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
        T(a_host_answers_when_the_change_is_durable),
        T(a_fault_without_a_name_on_the_wire_is_internal),
        T(an_edit_of_a_peer_is_made_here),
        T(an_edit_that_is_no_edit_is_refused_and_its_sender_blamed),
        T(what_is_not_here_goes_on_to_a_nearer_peer),
        T(an_error_goes_back_as_it_came),
        T(without_hops_or_nearer_peers_it_is_not_found),
        T(a_hop_that_goes_is_replaced_for_an_update_only),
        T(a_hop_that_says_nothing_is_followed_before_its_asker_gives_up),
        T(an_asker_that_goes_is_forgotten),
        T(no_update_of_a_peer_outlives_its_deadline),
        T(one_peer_cannot_take_all_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
