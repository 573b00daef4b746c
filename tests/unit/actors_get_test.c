/* get, alone: a client's GET across nodes, and peers' GETs answered or passed on. */
#include "tests/support/solo.h"

#include "actors/operation.h"
#include "contracts/entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NEAREST = 1, NEARER = 2, LAST_NEARER = SOLO_SELF, BESIDE = SOLO_SELF + 1 };

static struct solo world;
static const struct fingerprint printed = {{7, 7, 7}};

static int set_up(void **state)
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

static void start_get(void)
{
    struct slice key = slice_of(world.contract.key.bytes, CONTRACT_KEY_BYTES);
    solo_give(&world, ACTOR_client_api, MESSAGE_GET,
              &solo_request(&world, VERB_GET, &key, 1)->head);
}

/* A client's GET that hosting answers with code. */
static void get_hosted(int code)
{
    start_get();
    struct request *asked = (struct request *)solo_take(&world, MESSAGE_HOST);
    assert_int_equal(asked->verb, VERB_GET);
    solo_answer(&world, asked, ACTOR_hosting, MESSAGE_HOSTED, code);
}

/* Takes the READ and gives it back with code. */
static void read_answers(int code)
{
    struct request *read = (struct request *)solo_take(&world, MESSAGE_READ);
    solo_answer(&world, read, ACTOR_storage, MESSAGE_READ_DONE, code);
}

/* The GET that a peer was sent. */
static struct peer_get asked(peer_t peer)
{
    union peer_any body;
    solo_take_sent(&world, peer, PEER_GET, &body);
    return body.get;
}

static struct peer_piece piece_of(uint64_t tx, const void *entries, size_t size)
{
    return (struct peer_piece){.tx = tx,
                               .kind = slice_text("counter"),
                               .params = world.contract.params,
                               .entries = slice_of(entries, size)};
}

static void give_piece(peer_t from, uint64_t tx)
{
    struct peer_piece piece = piece_of(tx, "entries", 7);
    solo_mail(&world, from, PEER_PIECE, &piece);
}

static void give_got(peer_t from, uint64_t tx, int code)
{
    struct peer_got got = {.tx = tx, .code = (uint8_t)-code, .why = slice_text("they say so")};
    memcpy(got.fingerprint, printed.bytes, sizeof got.fingerprint);
    solo_mail(&world, from, PEER_GOT, &got);
}

static void merge_answers(struct request *merge, int code)
{
    solo_answer(&world, merge, ACTOR_storage, MESSAGE_MERGED, code);
}

/* --- clients ----------------------------------------------------------------------------- */

/* lesson L1 */
static void without_a_live_peer_the_own_store_answers_at_once(void **state)
{
    (void)state;
    start_get();
    read_answers(0);
    (void)solo_expect_reply(&world, 0);
    start_get();
    read_answers(ERR_NOT_FOUND);
    (void)solo_expect_reply(&world, ERR_NO_LIVE_PEER);
    solo_expect_nothing(&world); /* no DIAL, and nothing else */
    solo_operation_end(&world);
    assert_int_equal(solo_operation_start(&world, &get_spec, false), 0);
    start_get();
    read_answers(ERR_NOT_FOUND);
    (void)solo_expect_reply(&world, ERR_NOT_FOUND); /* alone in the world: it is nowhere */
}

static void a_copy_that_is_fed_is_read_here(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 3);
    get_hosted(0);
    read_answers(0);
    (void)solo_expect_reply(&world, 0);
    solo_expect_nothing(&world);
}

static void what_comes_is_merged_before_it_is_answered(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    assert_int_equal(get.hops, PEER_HOPS);
    assert_memory_equal(get.key, world.contract.key.bytes, sizeof get.key);
    assert_int_equal(get.known.size, 0);
    give_piece(NEAREST, get.tx);
    struct request *merge = (struct request *)solo_take(&world, MESSAGE_MERGE);
    assert_int_equal(merge->verb, VERB_PUT);
    assert_int_equal(merge->origin, NEAREST);
    assert_ptr_equal(merge->contract.kind, world.contract.kind);
    assert_true(slice_is(merge->args[2], "entries"));
    give_got(NEAREST, get.tx, 0);
    solo_expect_nothing(&world); /* not read before all is merged */
    merge_answers(merge, 0);
    read_answers(0);
    (void)solo_expect_reply(&world, 0);
}

static void a_peer_whose_state_is_the_same_sends_none(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 1);
    start_get();
    struct request *host = (struct request *)solo_take(&world, MESSAGE_HOST);
    host->reading.fingerprint = printed;
    solo_answer(&world, host, ACTOR_hosting, MESSAGE_HOSTED, ERR_AGAIN);
    struct peer_get get = asked(NEAREST);
    assert_memory_equal(get.known.data, printed.bytes, FINGERPRINT_BYTES);
    give_got(NEAREST, get.tx, 0);
    read_answers(0);
    (void)solo_expect_reply(&world, 0);
}

/* Who cannot be dialled is farther than all who can, whatever its place is. */
static void a_leaf_asks_whoever_can_be_dialled(void **state)
{
    (void)state;
    operation_destroy((operation_t **)&world.actor);
    struct operation_options options = {.id = world.id, .networked = true, .leaf = true};
    world.actor = operation_new(&options);
    assert_non_null(world.actor);
    solo_live_all(&world, BESIDE, BESIDE);
    get_hosted(ERR_NOT_FOUND);
    give_got(BESIDE, asked(BESIDE).tx, ERR_NOT_FOUND);
    read_answers(ERR_NOT_FOUND); /* and only then the own copy counts */
    (void)solo_expect_reply(&world, ERR_NOT_FOUND);
}

/* lesson L3 */
static void a_peer_that_goes_is_followed_by_the_next_at_once(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 3);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get first = asked(NEAREST);
    solo_gone(&world, NEAREST);
    struct peer_get second = asked(NEARER);
    give_piece(NEAREST, first.tx); /* too late */
    give_got(NEAREST, first.tx, 0);
    solo_expect_nothing(&world);
    give_piece(NEARER, second.tx);
    give_got(NEARER, second.tx, 0);
    merge_answers((struct request *)solo_take(&world, MESSAGE_MERGE), 0);
    read_answers(0);
    (void)solo_expect_reply(&world, 0);
}

/* lesson L3 */
static void a_peer_that_says_nothing_is_followed_by_the_next_in_a_second(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 3);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get first = asked(NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS - 1);
    solo_expect_nothing(&world);
    solo_advance_ms(&world, 1);
    struct peer_get second = asked(NEARER);
    assert_int_equal(first.tx, second.tx);
    give_piece(NEARER, second.tx);
    give_piece(NEAREST, first.tx); /* too late */
    give_got(NEARER, second.tx, 0);
    merge_answers((struct request *)solo_take(&world, MESSAGE_MERGE), 0);
    read_answers(0);
    (void)solo_expect_reply(&world, 0);
}

/* On a slow line a piece takes longer than patience lasts. Found by seed 20303 of the simulator:
 * each host in turn was asked for a large state, and none was heard out. */
static void who_begins_to_answer_late_is_heard_out(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 4);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS);
    (void)asked(NEARER);
    solo_advance_ms(&world, 2 * RELAY_PATIENCE_MS - 1); /* twice as long for each that is silent */
    solo_expect_nothing(&world);
    give_piece(NEAREST, get.tx);
    merge_answers((struct request *)solo_take(&world, MESSAGE_MERGE), 0);
    give_piece(NEARER, get.tx); /* too late now */
    give_got(NEARER, get.tx, ERR_NOT_FOUND);
    solo_advance_ms(&world, RELAY_PATIENCE_MS); /* and nobody else is asked */
    give_got(NEAREST, get.tx, 0);
    read_answers(0);
    (void)solo_expect_reply(&world, 0);
    solo_expect_nothing(&world);
}

/* Or its end would be taken for all of it. */
static void of_an_answer_that_began_while_the_own_copy_was_read_nothing_is_heard(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 2);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS);
    (void)asked(NEARER);
    give_got(NEARER, get.tx, ERR_NOT_FOUND);
    give_piece(NEAREST, get.tx); /* its first */
    read_answers(ERR_NOT_FOUND);
    give_piece(NEAREST, get.tx);
    (void)solo_expect_reply(&world, ERR_TIMEOUT);
    give_got(NEAREST, get.tx, 0);
    solo_expect_nothing(&world);
}

static void when_all_are_silent_the_first_word_of_any_counts(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 2);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS);
    (void)asked(NEARER);
    solo_advance_ms(&world, 2 * RELAY_PATIENCE_MS);
    read_answers(ERR_NOT_FOUND);
    solo_advance_ms(&world, 10 * RELAY_PATIENCE_MS);
    solo_expect_nothing(&world);
    give_got(NEARER, get.tx, ERR_NOT_FOUND);
    solo_expect_nothing(&world); /* there is still one */
    give_piece(NEAREST, get.tx);
    give_got(NEAREST, get.tx, 0);
    merge_answers((struct request *)solo_take(&world, MESSAGE_MERGE), 0);
    read_answers(0);
    (void)solo_expect_reply(&world, 0);
}

/* lesson L3 */
static void when_all_that_are_silent_go_the_error_says_so_at_once(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 2);
    get_hosted(ERR_NOT_FOUND);
    (void)asked(NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS);
    (void)asked(NEARER);
    solo_advance_ms(&world, 2 * RELAY_PATIENCE_MS);
    read_answers(ERR_NOT_FOUND);
    solo_gone(&world, NEAREST);
    solo_expect_nothing(&world);
    solo_gone(&world, NEARER);
    (void)solo_expect_reply(&world, ERR_NO_LIVE_PEER);
}

/* lesson L3 */
static void when_all_peers_go_the_error_says_so_at_once(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 2);
    get_hosted(ERR_NOT_FOUND);
    (void)asked(NEAREST);
    solo_gone(&world, NEARER); /* not asked: nothing happens */
    solo_expect_nothing(&world);
    solo_gone(&world, NEAREST);
    read_answers(ERR_NOT_FOUND);
    (void)solo_expect_reply(&world, ERR_NO_LIVE_PEER);
    assert_int_equal(world.now.ms, 1000);
}

static void all_that_are_nearer_and_three_beside_are_asked(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    get_hosted(ERR_NOT_FOUND);
    for (peer_t p = 1; p <= RELAY_TRIES_MAX - RELAY_BESIDE_MAX; p++)
        give_got(p, asked(p).tx, ERR_NOT_FOUND);
    read_answers(ERR_NOT_FOUND);
    for (peer_t p = 0; p < RELAY_BESIDE_MAX; p++) {
        peer_t peer = p + 1 + RELAY_TRIES_MAX - RELAY_BESIDE_MAX;
        give_got(peer, asked(peer).tx, ERR_NOT_FOUND);
    }
    (void)solo_expect_reply(&world, ERR_NOT_FOUND);
    solo_expect_nothing(&world);
}

static void an_error_of_one_is_told_before_the_not_found_of_others(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 3);
    get_hosted(ERR_NOT_FOUND);
    give_got(1, asked(1).tx, ERR_NOT_FOUND);
    give_got(2, asked(2).tx, ERR_BUSY);
    give_got(3, asked(3).tx, ERR_NOT_FOUND);
    read_answers(ERR_NOT_FOUND);
    assert_string_equal(solo_expect_reply(&world, ERR_BUSY), "they say so");
}

static void when_nobody_is_nearer_the_own_copy_counts(void **state)
{
    (void)state;
    solo_live_all(&world, BESIDE, BESIDE + 1);
    get_hosted(ERR_AGAIN);
    read_answers(0);
    (void)solo_expect_reply(&world, 0);
    get_hosted(ERR_AGAIN);
    read_answers(ERR_NOT_FOUND);
    struct peer_get get = asked(BESIDE);
    give_piece(BESIDE, get.tx);
    give_got(BESIDE, get.tx, 0);
    merge_answers((struct request *)solo_take(&world, MESSAGE_MERGE), 0);
    read_answers(0);
    (void)solo_expect_reply(&world, 0);
}

static void half_a_state_is_not_answered_as_a_whole(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 1);
    get_hosted(ERR_NOT_FOUND);
    give_piece(NEAREST, asked(NEAREST).tx);
    solo_gone(&world, NEAREST);
    merge_answers((struct request *)solo_take(&world, MESSAGE_MERGE), 0);
    (void)solo_expect_reply(&world, ERR_NO_LIVE_PEER);
}

static void a_peer_that_says_done_and_sent_nothing_has_nothing(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 2);
    get_hosted(ERR_NOT_FOUND);
    give_got(NEAREST, asked(NEAREST).tx, 0);
    (void)asked(NEARER);
}

static void a_piece_of_another_contract_is_refused_and_its_sender_blamed(void **state)
{
    static const uint8_t other[] = {4, 'n', 'a', 'm', 'e', 0, 0, 0, 1, 'x'};
    (void)state;
    solo_live_all(&world, 1, 3);
    get_hosted(ERR_NOT_FOUND);
    struct peer_piece piece = piece_of(asked(1).tx, "", 0);
    piece.params = slice_of(other, sizeof other);
    solo_mail(&world, 1, PEER_PIECE, &piece);
    struct message *blame = (struct message *)solo_take(&world, MESSAGE_BLAME);
    assert_int_equal(((struct peer_order *)blame)->number, 1);
    message_free(&blame);
    piece = piece_of(asked(2).tx, "", 0);
    piece.kind = slice_text("no such kind");
    solo_mail(&world, 2, PEER_PIECE, &piece);
    blame = (struct message *)solo_take(&world, MESSAGE_BLAME);
    message_free(&blame);
    (void)asked(3);
    solo_expect_nothing(&world); /* nothing was merged */
}

static void entries_that_are_not_valid_make_another_be_asked(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 2);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    give_piece(NEAREST, get.tx);
    give_piece(NEAREST, get.tx);
    give_got(NEAREST, get.tx, 0);
    struct request *first = (struct request *)solo_take(&world, MESSAGE_MERGE);
    struct request *second = (struct request *)solo_take(&world, MESSAGE_MERGE);
    merge_answers(first, ERR_BAD_STATE);
    get = asked(NEARER); /* not blamed: who passes pieces on cannot check them */
    merge_answers(second, ERR_BAD_STATE);
    solo_expect_nothing(&world);
    give_piece(NEARER, get.tx);
    merge_answers((struct request *)solo_take(&world, MESSAGE_MERGE), ERR_STORE_FULL);
    (void)solo_expect_reply(&world, ERR_STORE_FULL); /* our own trouble: nobody else can help */
}

static void answers_that_nobody_asked_for_are_dropped(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 3);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get get = asked(1);
    give_piece(2, get.tx);
    give_got(2, get.tx, ERR_NOT_FOUND);
    give_got(1, get.tx + 1, 0);
    give_got(1, UINT64_MAX, 0);
    solo_expect_nothing(&world);
    give_piece(1, get.tx);
    give_got(1, get.tx, 0);
    give_got(1, get.tx, ERR_NOT_FOUND);
    give_piece(1, get.tx);
    merge_answers((struct request *)solo_take(&world, MESSAGE_MERGE), 0);
    read_answers(0);
    (void)solo_expect_reply(&world, 0);
    give_got(1, get.tx, 0);
    solo_expect_nothing(&world);
}

static void what_a_host_has_need_not_be_flushed_here_before_it_is_read(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 1);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get get = asked(1);
    give_piece(1, get.tx);
    give_got(1, get.tx, 0);
    struct request *merge = (struct request *)solo_take(&world, MESSAGE_MERGE);
    assert_true(merge->durable_there);
    merge_answers(merge, 0);
    struct request *read = (struct request *)solo_take(&world, MESSAGE_READ);
    assert_true(read->durable_there);
    assert_memory_equal(read->there.bytes, printed.bytes, sizeof printed.bytes);
    solo_answer(&world, read, ACTOR_storage, MESSAGE_READ_DONE, 0);
    (void)solo_expect_reply(&world, 0);
}

static void what_no_host_told_is_read_when_it_is_flushed(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 1);
    get_hosted(ERR_NOT_FOUND);
    give_got(1, asked(1).tx, ERR_NOT_FOUND);
    struct request *read = (struct request *)solo_take(&world, MESSAGE_READ);
    assert_false(read->durable_there);
    solo_answer(&world, read, ACTOR_storage, MESSAGE_READ_DONE, 0);
    (void)solo_expect_reply(&world, 0);
}

static void an_error_number_from_nowhere_is_a_fault_over_there(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 1);
    get_hosted(ERR_NOT_FOUND);
    struct peer_got got = {.tx = asked(1).tx, .code = 200, .why = slice_text("\033[2J\n")};
    solo_mail(&world, 1, PEER_GOT, &got);
    read_answers(ERR_NOT_FOUND);
    assert_string_equal(solo_expect_reply(&world, ERR_INTERNAL), "?[2J?");
}

static void no_get_of_a_client_outlives_its_deadline(void **state)
{
    (void)state;
    solo_live_all(&world, 1, 2);
    get_hosted(ERR_NOT_FOUND); /* one waits for a merge */
    struct peer_get get = asked(1);
    assert_in_range(get.deadline_ms, 1, OPERATION_TIMEOUT_MS - 1);
    give_piece(1, get.tx);
    give_got(1, get.tx, 0);
    struct request *merge = (struct request *)solo_take(&world, MESSAGE_MERGE);
    start_get(); /* one for hosting */
    struct request *host = (struct request *)solo_take(&world, MESSAGE_HOST);
    solo_advance_ms(&world, OPERATION_TIMEOUT_MS - 1);
    solo_expect_nothing(&world);
    solo_advance_ms(&world, 1);
    for (int i = 0; i < 2; i++)
        (void)solo_expect_reply(&world, ERR_TIMEOUT);
    assert_true(solo_deadline_ms(&world) == NEVER);
    merge_answers(merge, 0);
    solo_answer(&world, host, ACTOR_hosting, MESSAGE_HOSTED, 0);
    read_answers(0);
    give_got(1, get.tx, 0);
    solo_expect_nothing(&world);
}

/* --- peers ------------------------------------------------------------------------------- */

enum { ASKER = SOLO_PEERS, ASKER_TX = 4711 };

static void give_get(peer_t from, uint8_t hops, uint32_t deadline_ms)
{
    struct peer_get get = {.tx = ASKER_TX, .hops = hops, .deadline_ms = deadline_ms};
    memcpy(get.key, world.contract.key.bytes, sizeof get.key);
    solo_mail(&world, from, PEER_GET, &get);
}

/* A peer's GET that hosting answers with code. */
static void peer_get_hosted(uint8_t hops, int code)
{
    give_get(ASKER, hops, 5000);
    struct request *host = (struct request *)solo_take(&world, MESSAGE_HOST);
    assert_int_equal(host->verb, VERB_GET);
    solo_answer(&world, host, ACTOR_hosting, MESSAGE_HOSTED, code);
}

/* Takes the WALK and gives a part of so many bytes back. */
static void walk_gives(size_t bytes, bool end)
{
    struct walk *walk = (struct walk *)solo_take(&world, MESSAGE_WALK);
    assert_int_equal(walk->asked_by, ACTOR_get);
    assert_non_null(walk->walk);
    assert_int_equal(walk->entries.size, 0);
    assert_true(bytes == 0 || buffer_grow(&walk->entries, bytes) != NULL);
    walk->kind = world.contract.kind;
    if (!walk->params)
        walk->params = blob_new(world.contract.params.size);
    memcpy(walk->params->data, world.contract.params.data, world.contract.params.size);
    walk->fingerprint = printed;
    walk->end = end;
    solo_give(&world, ACTOR_storage, MESSAGE_WALKED, &walk->head);
}

/* The asker got a PIECE of so many bytes, in this lane. */
static void asker_got_piece(size_t bytes, enum lane lane)
{
    union peer_any body;
    solo_take_sent(&world, ASKER, PEER_PIECE, &body);
    assert_int_equal(body.piece.tx, ASKER_TX);
    assert_true(slice_is(body.piece.kind, "counter"));
    assert_true(slice_equal(body.piece.params, world.contract.params));
    assert_int_equal(body.piece.entries.size, bytes);
    assert_int_equal(solo_sent(&world)->lane, lane);
}

static void asker_got_end(int code, enum lane lane)
{
    union peer_any body;
    solo_take_sent(&world, ASKER, PEER_GOT, &body);
    assert_int_equal(body.got.tx, ASKER_TX);
    assert_int_equal(body.got.code, -code);
    assert_int_equal(solo_sent(&world)->lane, lane);
    if (code == 0)
        assert_memory_equal(body.got.fingerprint, printed.bytes, FINGERPRINT_BYTES);
}

static void nothing_is_open(void)
{
    const operation_t *operation = (const operation_t *)world.actor;
    solo_expect_nothing(&world);
    assert_int_equal(operation->relays.of_peers, 0);
    assert_int_equal(owed_bytes(world.window), 0);
}

static void a_host_answers_a_small_state_in_one_piece(void **state)
{
    (void)state;
    solo_live_all(&world, ASKER, ASKER);
    peer_get_hosted(3, 0);
    walk_gives(100, true);
    asker_got_piece(100, LANE_small);
    asker_got_end(0, LANE_small);
    nothing_is_open();
}

static void an_empty_state_is_one_piece_too(void **state)
{
    (void)state;
    solo_live_all(&world, ASKER, ASKER);
    peer_get_hosted(3, 0);
    walk_gives(0, true);
    asker_got_piece(0, LANE_small);
    asker_got_end(0, LANE_small);
    nothing_is_open();
}

static void a_large_state_goes_in_bulk_two_pieces_at_a_time(void **state)
{
    (void)state;
    solo_live_all(&world, ASKER, ASKER);
    peer_get_hosted(3, 0);
    walk_gives(100, false); /* small, and yet the next may not overtake it */
    asker_got_piece(100, LANE_bulk);
    walk_gives(PEER_PIECE_BYTES, false);
    asker_got_piece(PEER_PIECE_BYTES, LANE_bulk);
    solo_expect_nothing(&world); /* until the socket takes one */
    solo_tell_sent(&world);
    walk_gives(50, true);
    asker_got_piece(50, LANE_bulk);
    asker_got_end(0, LANE_bulk);
    nothing_is_open();
}

static void who_has_the_same_state_gets_none(void **state)
{
    (void)state;
    solo_live_all(&world, ASKER, ASKER);
    struct peer_get get = {.tx = ASKER_TX,
                           .hops = 1,
                           .deadline_ms = 1000,
                           .known = slice_of(printed.bytes, FINGERPRINT_BYTES)};
    memcpy(get.key, world.contract.key.bytes, sizeof get.key);
    solo_mail(&world, ASKER, PEER_GET, &get);
    solo_answer(&world, (struct request *)solo_take(&world, MESSAGE_HOST), ACTOR_hosting,
                MESSAGE_HOSTED, 0);
    walk_gives(500, false);
    asker_got_end(0, LANE_small);
    nothing_is_open();
}

static void what_is_not_here_is_asked_of_a_nearer_peer(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_get_hosted(3, ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    assert_int_equal(get.hops, 2);
    assert_in_range(get.deadline_ms, 1, 4999); /* less than its asker has */
    give_piece(NEAREST, get.tx);
    asker_got_piece(7, LANE_small);
    give_got(NEAREST, get.tx, 0);
    asker_got_end(0, LANE_small);
    const operation_t *operation = (const operation_t *)world.actor;
    assert_int_equal(operation->relays.of_peers, 1); /* until the piece is sent */
}

/* lesson C3 */
static void what_is_passed_on_stays_counted_until_it_is_sent(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_get_hosted(3, ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    give_piece(NEAREST, get.tx);
    asker_got_piece(7, LANE_small);
    uint64_t one = owed_bytes(world.window);
    assert_true(one > 7);
    solo_tell_sent(&world);
    assert_int_equal(owed_bytes(world.window), 0);
    give_piece(NEAREST, get.tx);
    asker_got_piece(7, LANE_small);
    give_got(NEAREST, get.tx, 0);
    assert_int_equal(owed_bytes(world.window), one);
    struct message *got = (struct message *)solo_take(&world, MESSAGE_PEER_SEND);
    message_free(&got);
    solo_tell_sent(&world); /* the piece */
    nothing_is_open();
}

/* lesson C5 */
static void an_asker_that_takes_nothing_is_given_up(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    give_get(ASKER, 3, 3 * RELAY_STALL_MS);
    solo_answer(&world, (struct request *)solo_take(&world, MESSAGE_HOST), ACTOR_hosting,
                MESSAGE_HOSTED, ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS / 2 - 1); /* nothing waits for it yet */
    give_piece(NEAREST, get.tx);
    asker_got_piece(7, LANE_small);
    struct message *second;
    give_piece(NEAREST, get.tx);
    second = (struct message *)solo_take(&world, MESSAGE_PEER_SEND);
    message_free(&second);
    solo_advance_ms(&world, RELAY_STALL_MS - 1);
    solo_tell_sent(&world); /* it reads, if slowly */
    solo_advance_ms(&world, RELAY_STALL_MS - 1);
    assert_true(owed_bytes(world.window) > 0);
    solo_advance_ms(&world, 1);
    asker_got_end(ERR_TIMEOUT, LANE_small);
    nothing_is_open();
}

static void no_piece_overtakes_another_in_a_faster_lane(void **state)
{
    static uint8_t large[PEER_BULK_BYTES];
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_get_hosted(3, ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    struct peer_piece piece = piece_of(get.tx, large, sizeof large);
    give_piece(NEAREST, get.tx);
    asker_got_piece(7, LANE_small);
    solo_mail(&world, NEAREST, PEER_PIECE, &piece);
    give_piece(NEAREST, get.tx);
    give_got(NEAREST, get.tx, 0);
    solo_expect_nothing(&world); /* the first is still on its way in the small lane */
    solo_tell_sent(&world);
    asker_got_piece(sizeof large, LANE_bulk);
    asker_got_piece(7, LANE_bulk);
    asker_got_end(0, LANE_bulk);
}

static void without_hops_left_nobody_is_asked(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_get_hosted(0, ERR_NOT_FOUND);
    asker_got_end(ERR_NOT_FOUND, LANE_small);
    nothing_is_open();
    peer_get_hosted(255, ERR_NOT_FOUND); /* more than there are */
    assert_int_equal(asked(NEAREST).hops, PEER_HOPS - 1);
}

static void only_peers_nearer_to_the_key_are_asked_for_others(void **state)
{
    (void)state;
    solo_live_all(&world, BESIDE, SOLO_PEERS);
    peer_get_hosted(5, ERR_NOT_FOUND);
    asker_got_end(ERR_NOT_FOUND, LANE_small);
    solo_live(&world, 1);
    give_get(1, 5, 5000); /* who asks is the nearest, and is not asked back */
    solo_answer(&world, (struct request *)solo_take(&world, MESSAGE_HOST), ACTOR_hosting,
                MESSAGE_HOSTED, ERR_NOT_FOUND);
    union peer_any body;
    solo_take_sent(&world, 1, PEER_GOT, &body);
    assert_int_equal(body.got.code, -ERR_NOT_FOUND);
    nothing_is_open();
}

/* lesson L3 */
static void a_hop_that_goes_is_replaced_one_that_refuses_is_not(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_get_hosted(5, ERR_NOT_FOUND);
    (void)asked(NEAREST);
    solo_gone(&world, NEAREST);
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
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_get_hosted(5, ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    solo_advance_ms(&world, RELAY_PATIENCE_MS / 2);
    (void)asked(NEARER);
    give_got(NEARER, get.tx, ERR_NOT_FOUND);
    solo_expect_nothing(&world); /* the nearest may only be slow */
    give_piece(NEAREST, get.tx);
    asker_got_piece(7, LANE_small);
    give_got(NEAREST, get.tx, 0);
    asker_got_end(0, LANE_small);
    solo_expect_nothing(&world);
}

/* … and not the fault of the asker, which has taken all that came before. */
static void a_hop_that_takes_over_and_says_nothing_is_followed_too(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_get_hosted(5, ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    give_piece(NEAREST, get.tx);
    asker_got_piece(7, LANE_small);
    solo_tell_sent(&world);
    solo_gone(&world, NEAREST);
    (void)asked(NEARER);
    solo_advance_ms(&world, RELAY_PATIENCE_MS / 2);
    give_got(3, asked(3).tx, 0);
    asker_got_end(0, LANE_small);
    nothing_is_open();
}

static void an_own_copy_is_better_than_an_error(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_get_hosted(5, ERR_AGAIN);
    give_got(NEAREST, asked(NEAREST).tx, ERR_BUSY);
    walk_gives(10, true);
    asker_got_piece(10, LANE_small);
    asker_got_end(0, LANE_small);
    peer_get_hosted(5, ERR_AGAIN); /* and when it turns out that there is none: */
    give_got(NEAREST, asked(NEAREST).tx, ERR_BUSY);
    struct walk *walk = (struct walk *)solo_take(&world, MESSAGE_WALK);
    walk->code = ERR_NOT_FOUND;
    solo_give(&world, ACTOR_storage, MESSAGE_WALKED, &walk->head);
    asker_got_end(ERR_BUSY, LANE_small);
    nothing_is_open();
}

static void a_wrong_piece_is_not_passed_on(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_get_hosted(5, ERR_NOT_FOUND);
    struct peer_piece piece = piece_of(asked(NEAREST).tx, "", 0);
    piece.kind = slice_text("set");
    solo_mail(&world, NEAREST, PEER_PIECE, &piece);
    struct message *blame = (struct message *)solo_take(&world, MESSAGE_BLAME);
    message_free(&blame);
    asker_got_end(ERR_BAD_STATE, LANE_small);
    nothing_is_open();
}

static void an_asker_that_goes_is_forgotten(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    peer_get_hosted(5, ERR_NOT_FOUND); /* while a peer is asked, with a piece under way */
    struct peer_get get = asked(NEAREST);
    give_piece(NEAREST, get.tx);
    asker_got_piece(7, LANE_small);
    peer_get_hosted(5, 0); /* while the store is read */
    struct walk *walk = (struct walk *)solo_take(&world, MESSAGE_WALK);
    give_get(ASKER, 5, 5000); /* while hosting is asked */
    struct request *host = (struct request *)solo_take(&world, MESSAGE_HOST);
    solo_gone(&world, ASKER);
    nothing_is_open();
    solo_tell_sent(&world);
    give_piece(NEAREST, get.tx);
    give_got(NEAREST, get.tx, 0);
    solo_give(&world, ACTOR_storage, MESSAGE_WALKED, &walk->head);
    solo_answer(&world, host, ACTOR_hosting, MESSAGE_HOSTED, 0);
    nothing_is_open();
}

static void no_get_of_a_peer_outlives_its_deadline(void **state)
{
    (void)state;
    solo_live_all(&world, 1, SOLO_PEERS);
    give_get(ASKER, 5, 0);
    asker_got_end(ERR_TIMEOUT, LANE_small); /* no time was left */
    give_get(ASKER, 5, UINT32_MAX);
    struct request *host = (struct request *)solo_take(&world, MESSAGE_HOST);
    assert_int_equal(host->deadline_ms, world.now.ms + OPERATION_TIMEOUT_MS); /* our own limit */
    peer_get_hosted(5, ERR_NOT_FOUND);
    (void)asked(NEAREST);
    solo_advance_ms(&world, 5000);
    asker_got_end(ERR_TIMEOUT, LANE_small);
    solo_expect_nothing(&world);
    solo_advance_ms(&world, OPERATION_TIMEOUT_MS - 5000);
    asker_got_end(ERR_TIMEOUT, LANE_small);
    nothing_is_open();
    assert_true(solo_deadline_ms(&world) == NEVER);
    solo_answer(&world, host, ACTOR_hosting, MESSAGE_HOSTED, 0);
    nothing_is_open();
}

static void one_peer_cannot_take_all_rows_and_all_peers_no_more_than_there_are(void **state)
{
    (void)state;
    struct message *message;
    unsigned open = 0;
    for (peer_t p = 0; p < 2 + RELAYS_MAX / RELAYS_A_PEER_MAX; p++) {
        peer_t peer = SOLO_FAR + p;
        solo_live(&world, peer);
        for (unsigned i = 0; i < RELAYS_A_PEER_MAX && open < RELAYS_MAX; i++, open++) {
            give_get(peer, 5, 5000);
            message = (struct message *)solo_take(&world, MESSAGE_HOST);
            message_free(&message);
        }
        give_get(peer, 5, 5000);
        union peer_any body;
        solo_take_sent(&world, peer, PEER_GOT, &body);
        assert_int_equal(body.got.code, -ERR_BUSY);
    }
    assert_int_equal(open, RELAYS_MAX);
    start_get(); /* clients are not kept out by them */
    struct request *host = (struct request *)solo_take(&world, MESSAGE_HOST);
    solo_answer(&world, host, ACTOR_hosting, MESSAGE_HOSTED, ERR_NOT_FOUND);
    message = mail_pop(&world.outbox.mail);
    assert_non_null(message);
    assert_int_not_equal(message->kind, MESSAGE_REPLY); /* it goes on */
    message_free(&message);
}

/* --- both -------------------------------------------------------------------------------- */

static uint64_t random_state;

static unsigned random_below(unsigned n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % n;
}

/* Gives back the first that the actor sent, somehow. */
static void answer_somehow(uint64_t *txs, peer_t *whom, size_t *count)
{
    static const int codes[] = {0, 0, ERR_NOT_FOUND, ERR_AGAIN, ERR_BAD_STATE, ERR_BUSY};
    static const struct {
        enum actor_id from;
        enum message_kind kind;
    } answers[MESSAGE_COUNT] = {[MESSAGE_HOST] = {ACTOR_hosting, MESSAGE_HOSTED},
                                [MESSAGE_READ] = {ACTOR_storage, MESSAGE_READ_DONE},
                                [MESSAGE_MERGE] = {ACTOR_storage, MESSAGE_MERGED}};
    const struct message *first = world.outbox.mail.first;
    if (!first)
        return;
    if (first->kind == MESSAGE_WALK) {
        walk_gives(random_below(30000), random_below(3) == 0);
        return;
    }
    struct message *message = mail_pop(&world.outbox.mail);
    struct peer_send *send = (struct peer_send *)message;
    if (answers[message->kind].kind) {
        solo_answer(&world, (struct request *)message, answers[message->kind].from,
                    answers[message->kind].kind, codes[random_below(6)]);
        return;
    }
    if (message->kind == MESSAGE_PEER_SEND) {
        union peer_any body;
        enum peer_kind kind;
        assert_int_equal(peer_decode(blob_slice(send->bytes), &kind, &body, NULL), 0);
        if (kind == PEER_GET) {
            txs[*count % 64] = body.get.tx;
            whom[(*count)++ % 64] = send->number;
        }
        if (send->tell) {
            solo_give(&world, ACTOR_transport, MESSAGE_PEER_SENT, message);
            return;
        }
    }
    message_free(&message);
}

static void whatever_happens_nothing_outlives_its_deadline(void **state)
{
    (void)state;
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20261121;
    uint64_t txs[64] = {0};
    peer_t whom[64] = {0};
    size_t count = 0;
    bool is_live[SOLO_PEERS + 1] = {false};
    print_message("SEED=%llu\n", (unsigned long long)seed);
    random_state = seed;
    for (unsigned step = 0; step < 20000; step++) {
        peer_t peer = 1 + random_below(SOLO_PEERS);
        size_t asked_at = count ? random_below(count < 64 ? (unsigned)count : 64) : 0;
        switch (random_below(9)) {
        case 0:
            start_get();
            break;
        case 1:
            if (is_live[peer])
                give_get(peer, (uint8_t)random_below(12), random_below(3000));
            break;
        case 2:
            if (random_below(4) == 0) {
                is_live[peer] = !is_live[peer];
                if (is_live[peer])
                    solo_live(&world, peer);
                else
                    solo_gone(&world, peer);
            }
            break;
        case 3:
            give_piece(whom[asked_at], txs[asked_at]);
            break;
        case 4:
            give_got(whom[asked_at], txs[asked_at], random_below(2) ? 0 : ERR_NOT_FOUND);
            break;
        case 5:
            solo_advance_ms(&world, random_below(100));
            break;
        default:
            answer_somehow(txs, whom, &count);
        }
    }
    solo_advance_ms(&world, OPERATION_TIMEOUT_MS);
    assert_true(solo_deadline_ms(&world) == NEVER);
    const operation_t *operation = (const operation_t *)world.actor;
    assert_int_equal(operation->relays.of_peers, 0);
    assert_int_equal(operation->transactions.open, 0);
    assert_int_equal(operation->relays.free_count, operation->relays.capacity);
    mail_free(&world.outbox.mail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        T(without_a_live_peer_the_own_store_answers_at_once),
        T(a_copy_that_is_fed_is_read_here),
        T(what_comes_is_merged_before_it_is_answered),
        T(a_peer_whose_state_is_the_same_sends_none),
        T(a_leaf_asks_whoever_can_be_dialled),
        T(a_peer_that_goes_is_followed_by_the_next_at_once),
        T(a_peer_that_says_nothing_is_followed_by_the_next_in_a_second),
        T(who_begins_to_answer_late_is_heard_out),
        T(of_an_answer_that_began_while_the_own_copy_was_read_nothing_is_heard),
        T(when_all_are_silent_the_first_word_of_any_counts),
        T(when_all_that_are_silent_go_the_error_says_so_at_once),
        T(when_all_peers_go_the_error_says_so_at_once),
        T(all_that_are_nearer_and_three_beside_are_asked),
        T(an_error_of_one_is_told_before_the_not_found_of_others),
        T(when_nobody_is_nearer_the_own_copy_counts),
        T(half_a_state_is_not_answered_as_a_whole),
        T(a_peer_that_says_done_and_sent_nothing_has_nothing),
        T(a_piece_of_another_contract_is_refused_and_its_sender_blamed),
        T(entries_that_are_not_valid_make_another_be_asked),
        T(answers_that_nobody_asked_for_are_dropped),
        T(what_a_host_has_need_not_be_flushed_here_before_it_is_read),
        T(what_no_host_told_is_read_when_it_is_flushed),
        T(an_error_number_from_nowhere_is_a_fault_over_there),
        T(no_get_of_a_client_outlives_its_deadline),
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
        T(whatever_happens_nothing_outlives_its_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
