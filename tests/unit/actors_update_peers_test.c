/* update, alone: peers' UPDATEs and EDITs, merged here or sent on. */
#include "tests/support/solo.h"

#include "actors/operation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NEAREST = 1, NEARER = 2, BESIDE = SOLO_SELF + 1, ASKER = SOLO_PEERS, ASKER_TX = 4711 };

static struct solo world;

static int set_up(void **state)
{
    (void)state;
    return solo_operation_start(&world, &update_spec, true);
}

static int tear_down(void **state)
{
    (void)state;
    solo_operation_end(&world);
    return 0;
}

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
    merge->change.after = solo_printed;
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
    assert_memory_equal(body.updated.fingerprint, solo_printed.bytes, FINGERPRINT_BYTES);
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
    struct peer_update update = solo_take_update(&world, NEAREST);
    assert_int_equal(update.hops, 2);
    assert_int_equal(update.edit, 0);
    assert_true(slice_is(update.args, "entries"));
    assert_in_range(update.deadline_ms, 1, 4999);
    assert_true(owed_bytes(world.window) > 0); /* may have to be sent to another */
    solo_mail_updated(&world, NEAREST, update.tx, 0);
    union peer_any body = expect_updated(ASKER, 0);
    assert_int_equal(body.updated.changed, 1);
    assert_memory_equal(body.updated.fingerprint, solo_printed.bytes, FINGERPRINT_BYTES);
    nothing_is_open();
}

static void an_error_goes_back_as_it_came(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_update_merged(ASKER, 3, ERR_NOT_FOUND);
    solo_mail_updated(&world, NEAREST, solo_take_update(&world, NEAREST).tx, ERR_DENIED);
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
    (void)solo_take_update(&world, NEAREST);
    struct peer_update edit = update_of(3, slice_of(wire, sizeof wire), true);
    solo_mail(&world, ASKER, PEER_UPDATE, &edit);
    solo_answer(&world, (struct request *)solo_take(&world, MESSAGE_MERGE), ACTOR_storage,
                MESSAGE_MERGED, ERR_NOT_FOUND);
    assert_int_equal(solo_take_update(&world, NEAREST).edit, 1);
    solo_gone(&world, NEAREST);
    struct peer_update update = solo_take_update(&world, NEARER);
    assert_int_equal(update.edit, 0);
    (void)expect_updated(ASKER, ERR_NO_LIVE_PEER); /* the edit: not known whether it was made */
    solo_mail_updated(&world, NEARER, update.tx, 0);
    (void)expect_updated(ASKER, 0);
    nothing_is_open();
}

/* lesson L3 */
static void a_hop_that_says_nothing_is_followed_before_its_asker_gives_up(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_update_merged(ASKER, 3, ERR_NOT_FOUND);
    (void)solo_take_update(&world, NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS / 2);
    struct peer_update update = solo_take_update(&world, NEARER);
    solo_mail_updated(&world, NEARER, update.tx, ERR_NOT_FOUND);
    solo_expect_nothing(&world); /* the other may yet */
    solo_mail_updated(&world, NEAREST, update.tx, 0);
    (void)expect_updated(ASKER, 0);
    peer_update_merged(ASKER, 3, ERR_NOT_FOUND);
    update = solo_take_update(&world, NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS / 2);
    (void)solo_take_update(&world, NEARER);
    solo_mail_updated(&world, NEARER, update.tx, ERR_NOT_FOUND);
    solo_mail_updated(&world, NEAREST, update.tx, ERR_BUSY);
    (void)expect_updated(ASKER, ERR_BUSY);
    nothing_is_open();
}

static void an_asker_that_goes_is_forgotten(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_update_merged(ASKER, 3, ERR_NOT_FOUND);
    struct peer_update asked_of_nearest = solo_take_update(&world, NEAREST);
    struct peer_update update = update_of(3, slice_text("entries"), false);
    solo_mail(&world, ASKER, PEER_UPDATE, &update);
    struct request *merge = (struct request *)solo_take(&world, MESSAGE_MERGE);
    solo_gone(&world, ASKER);
    solo_mail_updated(&world, NEAREST, asked_of_nearest.tx, 0);
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
    (void)solo_take_update(&world, NEAREST);
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
