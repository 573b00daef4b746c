/* A connection that is replaced by another to the same peer: what was asked over it is asked again
 * over the other, and an edit is made once. */
#include "tests/support/solo.h"

#include "actors/operation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { HOST = 1, MOVED = 50, ASKER = SOLO_PEERS, ASKER_TX = 4711 };

static struct solo world;
static const struct slice add_5 = {(const uint8_t *)"\0\0\0\3add\0\0\0\1"
                                                    "5",
                                   12};

static int update_set_up(void **state)
{
    (void)state;
    int rc = solo_operation_start(&world, &update_spec, true);
    world.now.ms += EDIT_ON_ITS_WAY_MS;
    return rc;
}

static int get_set_up(void **state)
{
    (void)state;
    return solo_operation_start(&world, &get_spec, true);
}

static int tear_down(void **state)
{
    (void)state;
    solo_operation_end(&world);
    return 0;
}

/* --- who asked --------------------------------------------------------------------------- */

/* A client's change, which is not here. */
static void start_change(enum verb verb)
{
    const struct slice args[] = {slice_of(world.contract.key.bytes, CONTRACT_KEY_BYTES),
                                 slice_text(verb == VERB_EDIT ? "add" : ""), slice_text("5")};
    solo_give(&world, ACTOR_client_api, MESSAGE_UPDATE,
              &solo_request(&world, verb, args, verb == VERB_EDIT ? 3 : 2)->head);
    struct request *merge = (struct request *)solo_take(&world, MESSAGE_MERGE);
    solo_answer(&world, merge, ACTOR_storage, MESSAGE_MERGED, ERR_NOT_FOUND);
}

/* lesson L3. Found by seed 60863 of the simulator: it was refused, with its peer live. */
static void a_change_is_asked_again_over_the_connection_that_is_kept(void **state)
{
    static const enum verb verbs[] = {VERB_UPDATE, VERB_EDIT};
    (void)state;
    solo_live(&world, HOST);
    for (size_t i = 0; i < 2; i++) {
        peer_t now = i ? MOVED : HOST, then = MOVED + i;
        start_change(verbs[i]);
        struct peer_update first = solo_take_update(&world, now);
        assert_int_equal(first.again_ms, 0);
        world.now.ms += 30;
        solo_gone_for(&world, now, CLOSE_duplicate);
        solo_expect_nothing(&world);
        solo_live_as(&world, then, HOST);
        struct peer_update second = solo_take_update(&world, then);
        assert_int_equal(second.tx, first.tx);
        assert_int_equal(second.again_ms, i ? 31 : 0); /* merged twice a delta is merged once */
        solo_mail_updated(&world, now, first.tx, ERR_BAD_STATE); /* too late */
        solo_expect_nothing(&world);
        solo_mail_updated(&world, then, first.tx, 0);
        (void)solo_expect_reply(&world, 0);
    }
    solo_expect_nothing(&world);
}

/* The host was restarted: its new connection waits until the old one is known to be dead. Found by
 * seed 101289 of the simulator: its new run had not run for long enough to know. */
static void an_edit_tells_whether_the_connection_was_open_when_it_was_first_sent(void **state)
{
    (void)state;
    solo_live(&world, HOST);
    for (int before = 0; before < 2; before++) {
        peer_t was = before ? MOVED : HOST, then = MOVED + (peer_t)before;
        start_change(VERB_EDIT);
        struct peer_update first = solo_take_update(&world, was);
        assert_int_equal(first.since_open, 0);
        uint64_t sent_ms = world.now.ms;
        world.now.ms += 400;
        solo_gone_for(&world, was, CLOSE_duplicate);
        solo_live_opened(&world, then, HOST, before ? sent_ms - 1 : sent_ms);
        struct peer_update second = solo_take_update(&world, then);
        assert_int_equal(second.again_ms, 401);
        assert_int_equal(second.since_open, before);
        solo_mail_updated(&world, then, first.tx, 0);
        (void)solo_expect_reply(&world, 0);
    }
}

static void who_does_not_come_back_is_gone(void **state)
{
    (void)state;
    solo_live(&world, HOST);
    start_change(VERB_EDIT);
    (void)solo_take_update(&world, HOST);
    solo_gone_for(&world, HOST, CLOSE_duplicate);
    solo_advance_ms(&world, MOVE_MS - 1);
    solo_live(&world, 2); /* another */
    solo_expect_nothing(&world);
    solo_advance_ms(&world, 1);
    assert_non_null(strstr(solo_expect_reply(&world, ERR_NO_LIVE_PEER), "not known"));
    assert_true(solo_deadline_ms(&world) == NEVER);
}

static void a_peer_that_said_no_is_not_asked_again_under_its_other_number(void **state)
{
    (void)state;
    solo_live_all(&world, HOST, 2);
    start_change(VERB_UPDATE);
    struct peer_update update = solo_take_update(&world, HOST);
    solo_mail_updated(&world, HOST, update.tx, ERR_NOT_FOUND);
    (void)solo_take_update(&world, 2);
    solo_gone_for(&world, HOST, CLOSE_duplicate);
    solo_live_as(&world, MOVED, HOST);
    solo_expect_nothing(&world);
    solo_mail_updated(&world, 2, update.tx, ERR_NOT_FOUND);
    (void)solo_expect_reply(&world, ERR_NOT_FOUND);
}

static void past_so_many_at_once_peers_are_gone(void **state)
{
    (void)state;
    for (peer_t p = SOLO_FAR; p < SOLO_FAR + MOVES_MAX; p++) {
        solo_live(&world, p);
        solo_gone_for(&world, p, CLOSE_duplicate);
    }
    solo_live(&world, HOST);
    start_change(VERB_EDIT);
    (void)solo_take_update(&world, HOST);
    solo_gone_for(&world, HOST, CLOSE_duplicate);
    (void)solo_expect_reply(&world, ERR_NO_LIVE_PEER);
}

/* --- who is asked ------------------------------------------------------------------------ */

static void give_edit_of(peer_t from, uint32_t again_ms, bool since_open)
{
    struct peer_update update = {.tx = ASKER_TX,
                                 .hops = 3,
                                 .deadline_ms = 5000,
                                 .edit = 1,
                                 .again_ms = again_ms,
                                 .since_open = since_open,
                                 .args = add_5};
    memcpy(update.key, world.contract.key.bytes, sizeof update.key);
    solo_mail(&world, from, PEER_UPDATE, &update);
}

static void give_edit(peer_t from, uint32_t again_ms)
{
    give_edit_of(from, again_ms, false);
}

static void edit_is_made(struct request *merge)
{
    merge->change.after = solo_printed;
    merge->change.changed = 1;
    solo_answer(&world, merge, ACTOR_storage, MESSAGE_MERGED, 0);
}

static void expect_updated(peer_t to, int code)
{
    union peer_any body;
    solo_take_sent(&world, to, PEER_UPDATED, &body);
    assert_int_equal(body.updated.tx, ASKER_TX);
    assert_int_equal(body.updated.code, -code);
    assert_int_equal(body.updated.changed, code == 0);
    if (code == 0)
        assert_memory_equal(body.updated.fingerprint, solo_printed.bytes, sizeof solo_printed);
}

static void an_edit_that_was_heard_is_made_once(void **state)
{
    (void)state;
    solo_live(&world, ASKER);
    give_edit(ASKER, 0);
    struct request *merge = (struct request *)solo_take(&world, MESSAGE_MERGE);
    solo_gone_for(&world, ASKER, CLOSE_duplicate);
    solo_live_as(&world, MOVED, ASKER);
    give_edit(MOVED, 20);
    solo_expect_nothing(&world); /* it is being made */
    edit_is_made(merge);
    expect_updated(MOVED, 0);
    solo_gone_for(&world, MOVED, CLOSE_duplicate); /* the answer too may be lost */
    solo_live_as(&world, MOVED + 1, ASKER);
    give_edit(MOVED + 1, 40);
    expect_updated(MOVED + 1, 0);
    solo_expect_nothing(&world);
}

static void an_edit_that_went_on_is_answered_where_its_asker_is_now(void **state)
{
    (void)state;
    solo_live_all(&world, HOST, HOST);
    solo_live(&world, ASKER);
    give_edit(ASKER, 0);
    struct request *merge = (struct request *)solo_take(&world, MESSAGE_MERGE);
    solo_answer(&world, merge, ACTOR_storage, MESSAGE_MERGED, ERR_NOT_FOUND);
    struct peer_update update = solo_take_update(&world, HOST);
    solo_gone_for(&world, ASKER, CLOSE_duplicate);
    solo_live_as(&world, MOVED, ASKER);
    solo_mail_updated(&world, HOST, update.tx, 0);
    expect_updated(MOVED, 0);
    assert_int_equal(((operation_t *)world.actor)->relays.of_peers, 0);
}

static void an_edit_that_was_never_heard_is_made(void **state)
{
    (void)state;
    solo_live(&world, ASKER);
    give_edit(ASKER, 1000); /* as long as this node runs, all but its way here */
    edit_is_made((struct request *)solo_take(&world, MESSAGE_MERGE));
    expect_updated(ASKER, 0);
}

/* A run before this one may have made it. */
static void an_edit_that_may_have_been_heard_is_not_made_again(void **state)
{
    (void)state;
    solo_live(&world, ASKER);
    give_edit(ASKER, 1001);
    expect_updated(ASKER, ERR_NO_LIVE_PEER);
    give_edit(ASKER, 0);
    struct request *merge = (struct request *)solo_take(&world, MESSAGE_MERGE);
    solo_gone(&world, ASKER); /* not known to be about to come back */
    edit_is_made(merge);
    solo_live_as(&world, MOVED, ASKER);
    give_edit(MOVED, 10);
    expect_updated(MOVED, ERR_NO_LIVE_PEER);
    solo_expect_nothing(&world);
}

/* Sent when this run was there already: no run before it can have heard it. */
static void an_edit_that_only_this_run_may_have_heard_is_made_unless_it_did(void **state)
{
    (void)state;
    solo_live(&world, ASKER);
    give_edit_of(ASKER, UINT32_MAX, true);
    edit_is_made((struct request *)solo_take(&world, MESSAGE_MERGE));
    expect_updated(ASKER, 0);
    give_edit_of(ASKER, UINT32_MAX, true);
    expect_updated(ASKER, 0);
    solo_expect_nothing(&world);
}

static void the_edit_of_another_peer_is_another_edit(void **state)
{
    (void)state;
    solo_live_all(&world, ASKER - 1, ASKER);
    give_edit(ASKER, 0);
    edit_is_made((struct request *)solo_take(&world, MESSAGE_MERGE));
    expect_updated(ASKER, 0);
    give_edit(ASKER - 1, 10);
    edit_is_made((struct request *)solo_take(&world, MESSAGE_MERGE));
    expect_updated(ASKER - 1, 0);
}

/* Else it would be made, and once more when it is asked again. */
static void what_comes_over_a_connection_that_ended_is_not_heard(void **state)
{
    (void)state;
    solo_live(&world, ASKER);
    solo_gone_for(&world, ASKER, CLOSE_duplicate);
    give_edit(ASKER, 0);
    union peer_any body;
    solo_take_sent(&world, ASKER, PEER_UPDATED, &body); /* which gets nowhere */
    assert_int_equal(body.updated.code, -ERR_BUSY);
    solo_expect_nothing(&world);
}

static void an_asker_that_does_not_come_back_is_forgotten(void **state)
{
    const operation_t *operation = (const operation_t *)world.actor;
    (void)state;
    solo_live(&world, ASKER);
    give_edit(ASKER, 0);
    struct request *merge = (struct request *)solo_take(&world, MESSAGE_MERGE);
    solo_gone_for(&world, ASKER, CLOSE_duplicate);
    assert_int_equal(operation->relays.of_peers, 1);
    solo_advance_ms(&world, MOVE_MS);
    assert_int_equal(operation->relays.of_peers, 0);
    edit_is_made(merge);
    solo_expect_nothing(&world);
}

static void past_so_many_the_oldest_edits_are_forgotten(void **state)
{
    struct heard heard;
    uint64_t at = 100000, way = EDIT_ON_ITS_WAY_MS;
    (void)state;
    heard_init(&heard, 1000);
    for (uint64_t i = 0; i < EDITS_HEARD_MAX; i++)
        assert_int_equal(heard_note(&heard, 1, i, i, at + i), i + 1);
    assert_true(heard_would_know(&heard, at, true, at + EDITS_HEARD_MAX));
    (void)heard_note(&heard, 1, EDITS_HEARD_MAX, EDITS_HEARD_MAX, at + EDITS_HEARD_MAX);
    uint64_t now = at + EDITS_HEARD_MAX;
    assert_null(heard_find(&heard, 1, 0));
    assert_non_null(heard_find(&heard, 1, 1));
    assert_null(heard_find(&heard, 2, 1));
    for (int this_run = 0; this_run < 2; this_run++) {
        /* of when 0 was heard on */
        assert_true(heard_would_know(&heard, now - way - (at + 1), this_run, now));
        assert_false(heard_would_know(&heard, now - way - at, this_run, now));
        assert_false(heard_would_know(&heard, UINT32_MAX, this_run, now));
    }
    heard_done(&heard, 1, 0, NULL); /* forgotten */
    heard_done(&heard, EDITS_HEARD_MAX + 1, ERR_DENIED, NULL);
    assert_false(heard_find(&heard, 1, 1)->done);
    assert_int_equal(heard_find(&heard, 1, EDITS_HEARD_MAX)->code, ERR_DENIED);
    heard_free(&heard);
}

/* A restart forgets what was asked; a number that came again would be taken for another edit. */
static void the_numbers_of_two_runs_are_not_the_same(void **state)
{
    uint64_t numbers[2];
    (void)state;
    for (uint32_t life = 0; life < 2; life++) {
        struct relays relays;
        relays_init(&relays, life * 0x12345678u);
        numbers[life] = relays_open(&relays, 0, &world.contract.key, 100, RELAY_asking)->number;
        relays_free(&relays);
    }
    assert_int_not_equal(numbers[0], numbers[1]);
}

/* --- GET --------------------------------------------------------------------------------- */

static struct peer_get got_asked(peer_t peer)
{
    union peer_any body;
    solo_take_sent(&world, peer, PEER_GET, &body);
    return body.get;
}

static void give_piece(peer_t from, uint64_t tx)
{
    struct peer_piece piece = {.tx = tx,
                               .kind = slice_text("counter"),
                               .params = world.contract.params,
                               .entries = slice_text("entries")};
    solo_mail(&world, from, PEER_PIECE, &piece);
}

static void give_got(peer_t from, uint64_t tx)
{
    struct peer_got got = {.tx = tx};
    solo_mail(&world, from, PEER_GOT, &got);
}

static uint64_t start_get(void)
{
    struct slice key = slice_of(world.contract.key.bytes, CONTRACT_KEY_BYTES);
    solo_give(&world, ACTOR_client_api, MESSAGE_GET,
              &solo_request(&world, VERB_GET, &key, 1)->head);
    struct request *hosted = (struct request *)solo_take(&world, MESSAGE_HOST);
    solo_answer(&world, hosted, ACTOR_hosting, MESSAGE_HOSTED, ERR_NOT_FOUND);
    return got_asked(HOST).tx;
}

/* lesson L3 */
static void a_get_is_asked_again_over_the_connection_that_is_kept(void **state)
{
    (void)state;
    solo_live(&world, HOST);
    uint64_t tx = start_get();
    give_piece(HOST, tx);
    struct request *first = (struct request *)solo_take(&world, MESSAGE_MERGE);
    solo_gone_for(&world, HOST, CLOSE_duplicate);
    solo_expect_nothing(&world);
    solo_live_as(&world, MOVED, HOST);
    assert_int_equal(got_asked(MOVED).tx, tx);
    solo_answer(&world, first, ACTOR_storage, MESSAGE_MERGED, 0);
    give_piece(MOVED, tx);
    struct request *second = (struct request *)solo_take(&world, MESSAGE_MERGE);
    give_got(MOVED, tx);
    solo_answer(&world, second, ACTOR_storage, MESSAGE_MERGED, 0);
    struct request *read = (struct request *)solo_take(&world, MESSAGE_READ);
    solo_answer(&world, read, ACTOR_storage, MESSAGE_READ_DONE, 0);
    (void)solo_expect_reply(&world, 0);
}

static void a_get_moves_on_from_who_does_not_come_back(void **state)
{
    (void)state;
    solo_live_all(&world, HOST, 2);
    uint64_t tx = start_get();
    give_piece(HOST, tx); /* it is heard out */
    struct request *merge = (struct request *)solo_take(&world, MESSAGE_MERGE);
    solo_answer(&world, merge, ACTOR_storage, MESSAGE_MERGED, 0);
    solo_gone_for(&world, HOST, CLOSE_duplicate);
    solo_advance_ms(&world, MOVE_MS);
    assert_int_equal(got_asked(2).tx, tx);
}

static void a_node_between_asks_again_too(void **state)
{
    struct peer_get get = {.tx = ASKER_TX, .hops = 5, .deadline_ms = 5000};
    (void)state;
    solo_live(&world, HOST);
    solo_live(&world, ASKER);
    memcpy(get.key, world.contract.key.bytes, sizeof get.key);
    solo_mail(&world, ASKER, PEER_GET, &get);
    struct request *hosted = (struct request *)solo_take(&world, MESSAGE_HOST);
    solo_answer(&world, hosted, ACTOR_hosting, MESSAGE_HOSTED, ERR_NOT_FOUND);
    uint64_t tx = got_asked(HOST).tx;
    solo_gone_for(&world, HOST, CLOSE_duplicate);
    solo_live_as(&world, MOVED, HOST);
    assert_int_equal(got_asked(MOVED).tx, tx);
    solo_gone_for(&world, ASKER, CLOSE_duplicate); /* it asks again itself */
    assert_int_equal(((operation_t *)world.actor)->relays.of_peers, 0);
}

int main(void)
{
#define UPDATE(name) cmocka_unit_test_setup_teardown(name, update_set_up, tear_down)
#define GET(name)    cmocka_unit_test_setup_teardown(name, get_set_up, tear_down)
    const struct CMUnitTest tests[] = {
        UPDATE(a_change_is_asked_again_over_the_connection_that_is_kept),
        UPDATE(an_edit_tells_whether_the_connection_was_open_when_it_was_first_sent),
        UPDATE(who_does_not_come_back_is_gone),
        UPDATE(a_peer_that_said_no_is_not_asked_again_under_its_other_number),
        UPDATE(past_so_many_at_once_peers_are_gone),
        UPDATE(an_edit_that_was_heard_is_made_once),
        UPDATE(an_edit_that_went_on_is_answered_where_its_asker_is_now),
        UPDATE(an_edit_that_was_never_heard_is_made),
        UPDATE(an_edit_that_may_have_been_heard_is_not_made_again),
        UPDATE(an_edit_that_only_this_run_may_have_heard_is_made_unless_it_did),
        UPDATE(the_edit_of_another_peer_is_another_edit),
        UPDATE(what_comes_over_a_connection_that_ended_is_not_heard),
        UPDATE(an_asker_that_does_not_come_back_is_forgotten),
        UPDATE(past_so_many_the_oldest_edits_are_forgotten),
        UPDATE(the_numbers_of_two_runs_are_not_the_same),
        GET(a_get_is_asked_again_over_the_connection_that_is_kept),
        GET(a_get_moves_on_from_who_does_not_come_back),
        GET(a_node_between_asks_again_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
