/* get, alone: a client's GET across nodes. */
#include "tests/unit/get_world.h"

#include "actors/operation.h"
#include "contracts/entries.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { NEAREST = 1, NEARER = 2, LAST_NEARER = SOLO_SELF, BESIDE = SOLO_SELF + 1 };

/* lesson L1 */
static void without_a_live_peer_the_own_store_answers_at_once(void **state)
{
    (void)state;
    start_get();
    read_answers(0);
    (void)solo_expect_reply(&get_world, 0);
    start_get();
    read_answers(ERR_NOT_FOUND);
    (void)solo_expect_reply(&get_world, ERR_NO_LIVE_PEER);
    solo_expect_nothing(&get_world); /* no DIAL, and nothing else */
    solo_operation_end(&get_world);
    assert_int_equal(solo_operation_start(&get_world, &get_spec, false), 0);
    start_get();
    read_answers(ERR_NOT_FOUND);
    (void)solo_expect_reply(&get_world, ERR_NOT_FOUND); /* alone in the get_world: it is nowhere */
}

static void a_copy_that_is_fed_is_read_here(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 3);
    get_hosted(0);
    read_answers(0);
    (void)solo_expect_reply(&get_world, 0);
    solo_expect_nothing(&get_world);
}

static void what_comes_is_merged_before_it_is_answered(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, SOLO_PEERS);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    assert_int_equal(get.hops, PEER_HOPS);
    assert_memory_equal(get.key, get_world.contract.key.bytes, sizeof get.key);
    assert_int_equal(get.known.size, 0);
    give_piece(NEAREST, get.tx);
    struct request *merge = (struct request *)solo_take(&get_world, MESSAGE_MERGE);
    assert_int_equal(merge->verb, VERB_PUT);
    assert_int_equal(merge->origin, NEAREST);
    assert_ptr_equal(merge->contract.kind, get_world.contract.kind);
    assert_true(slice_is(merge->args[2], "entries"));
    give_got(NEAREST, get.tx, 0);
    solo_expect_nothing(&get_world); /* not read before all is merged */
    merge_answers(merge, 0);
    read_answers(0);
    (void)solo_expect_reply(&get_world, 0);
}

static void a_peer_whose_state_is_the_same_sends_none(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 1);
    start_get();
    struct request *host = (struct request *)solo_take(&get_world, MESSAGE_HOST);
    host->reading.fingerprint = printed;
    solo_answer(&get_world, host, ACTOR_hosting, MESSAGE_HOSTED, ERR_AGAIN);
    struct peer_get get = asked(NEAREST);
    assert_memory_equal(get.known.data, printed.bytes, FINGERPRINT_BYTES);
    give_got(NEAREST, get.tx, 0);
    read_answers(0);
    (void)solo_expect_reply(&get_world, 0);
}

/* Who cannot be dialled is farther than all who can, whatever its place is. */
static void a_leaf_asks_whoever_can_be_dialled(void **state)
{
    (void)state;
    operation_destroy((operation_t **)&get_world.actor);
    struct operation_options options = {.id = get_world.id, .networked = true, .leaf = true};
    get_world.actor = operation_new(&options);
    assert_non_null(get_world.actor);
    solo_live_all(&get_world, BESIDE, BESIDE);
    get_hosted(ERR_NOT_FOUND);
    give_got(BESIDE, asked(BESIDE).tx, ERR_NOT_FOUND);
    read_answers(ERR_NOT_FOUND); /* and only then the own copy counts */
    (void)solo_expect_reply(&get_world, ERR_NOT_FOUND);
}

/* lesson L3 */
static void a_peer_that_goes_is_followed_by_the_next_at_once(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 3);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get first = asked(NEAREST);
    solo_gone(&get_world, NEAREST);
    struct peer_get second = asked(NEARER);
    give_piece(NEAREST, first.tx); /* too late */
    give_got(NEAREST, first.tx, 0);
    solo_expect_nothing(&get_world);
    give_piece(NEARER, second.tx);
    give_got(NEARER, second.tx, 0);
    merge_answers((struct request *)solo_take(&get_world, MESSAGE_MERGE), 0);
    read_answers(0);
    (void)solo_expect_reply(&get_world, 0);
}

/* lesson L3 */
static void a_peer_that_says_nothing_is_followed_by_the_next_in_a_second(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 3);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get first = asked(NEAREST);
    solo_advance_ms(&get_world, RELAY_PATIENCE_MS - 1);
    solo_expect_nothing(&get_world);
    solo_advance_ms(&get_world, 1);
    struct peer_get second = asked(NEARER);
    assert_int_equal(first.tx, second.tx);
    give_piece(NEARER, second.tx);
    give_piece(NEAREST, first.tx); /* too late */
    give_got(NEARER, second.tx, 0);
    merge_answers((struct request *)solo_take(&get_world, MESSAGE_MERGE), 0);
    read_answers(0);
    (void)solo_expect_reply(&get_world, 0);
}

/* On a slow line a piece takes longer than patience lasts. Found by seed 20303 of the simulator:
 * each host in turn was asked for a large state, and none was heard out. */
static void who_begins_to_answer_late_is_heard_out(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 4);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    solo_advance_ms(&get_world, RELAY_PATIENCE_MS);
    (void)asked(NEARER);
    solo_advance_ms(&get_world,
                    2 * RELAY_PATIENCE_MS - 1); /* twice as long for each that is silent */
    solo_expect_nothing(&get_world);
    give_piece(NEAREST, get.tx);
    merge_answers((struct request *)solo_take(&get_world, MESSAGE_MERGE), 0);
    give_piece(NEARER, get.tx); /* too late now */
    give_got(NEARER, get.tx, ERR_NOT_FOUND);
    solo_advance_ms(&get_world, RELAY_PATIENCE_MS); /* and nobody else is asked */
    give_got(NEAREST, get.tx, 0);
    read_answers(0);
    (void)solo_expect_reply(&get_world, 0);
    solo_expect_nothing(&get_world);
}

/* Or its end would be taken for all of it. */
static void of_an_answer_that_began_while_the_own_copy_was_read_nothing_is_heard(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 2);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    solo_advance_ms(&get_world, RELAY_PATIENCE_MS);
    (void)asked(NEARER);
    give_got(NEARER, get.tx, ERR_NOT_FOUND);
    give_piece(NEAREST, get.tx); /* its first */
    read_answers(ERR_NOT_FOUND);
    give_piece(NEAREST, get.tx);
    (void)solo_expect_reply(&get_world, ERR_TIMEOUT);
    give_got(NEAREST, get.tx, 0);
    solo_expect_nothing(&get_world);
}

static void when_all_are_silent_the_first_word_of_any_counts(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 2);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    solo_advance_ms(&get_world, RELAY_PATIENCE_MS);
    (void)asked(NEARER);
    solo_advance_ms(&get_world, 2 * RELAY_PATIENCE_MS);
    read_answers(ERR_NOT_FOUND);
    solo_advance_ms(&get_world, 10 * RELAY_PATIENCE_MS);
    solo_expect_nothing(&get_world);
    give_got(NEARER, get.tx, ERR_NOT_FOUND);
    solo_expect_nothing(&get_world); /* there is still one */
    give_piece(NEAREST, get.tx);
    give_got(NEAREST, get.tx, 0);
    merge_answers((struct request *)solo_take(&get_world, MESSAGE_MERGE), 0);
    read_answers(0);
    (void)solo_expect_reply(&get_world, 0);
}

/* lesson L3 */
static void when_all_that_are_silent_go_the_error_says_so_at_once(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 2);
    get_hosted(ERR_NOT_FOUND);
    (void)asked(NEAREST);
    solo_advance_ms(&get_world, RELAY_PATIENCE_MS);
    (void)asked(NEARER);
    solo_advance_ms(&get_world, 2 * RELAY_PATIENCE_MS);
    read_answers(ERR_NOT_FOUND);
    solo_gone(&get_world, NEAREST);
    solo_expect_nothing(&get_world);
    solo_gone(&get_world, NEARER);
    (void)solo_expect_reply(&get_world, ERR_NO_LIVE_PEER);
}

/* lesson L3 */
static void when_all_peers_go_the_error_says_so_at_once(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 2);
    get_hosted(ERR_NOT_FOUND);
    (void)asked(NEAREST);
    solo_gone(&get_world, NEARER); /* not asked: nothing happens */
    solo_expect_nothing(&get_world);
    solo_gone(&get_world, NEAREST);
    read_answers(ERR_NOT_FOUND);
    (void)solo_expect_reply(&get_world, ERR_NO_LIVE_PEER);
    assert_int_equal(get_world.now.ms, 1000);
}

static void all_that_are_nearer_and_three_beside_are_asked(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, SOLO_PEERS);
    get_hosted(ERR_NOT_FOUND);
    for (peer_t p = 1; p <= RELAY_TRIES_MAX - RELAY_BESIDE_MAX; p++)
        give_got(p, asked(p).tx, ERR_NOT_FOUND);
    read_answers(ERR_NOT_FOUND);
    for (peer_t p = 0; p < RELAY_BESIDE_MAX; p++) {
        peer_t peer = p + 1 + RELAY_TRIES_MAX - RELAY_BESIDE_MAX;
        give_got(peer, asked(peer).tx, ERR_NOT_FOUND);
    }
    (void)solo_expect_reply(&get_world, ERR_NOT_FOUND);
    solo_expect_nothing(&get_world);
}

static void an_error_of_one_is_told_before_the_not_found_of_others(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 3);
    get_hosted(ERR_NOT_FOUND);
    give_got(1, asked(1).tx, ERR_NOT_FOUND);
    give_got(2, asked(2).tx, ERR_BUSY);
    give_got(3, asked(3).tx, ERR_NOT_FOUND);
    read_answers(ERR_NOT_FOUND);
    assert_string_equal(solo_expect_reply(&get_world, ERR_BUSY), "they say so");
}

static void when_nobody_is_nearer_the_own_copy_counts(void **state)
{
    (void)state;
    solo_live_all(&get_world, BESIDE, BESIDE + 1);
    get_hosted(ERR_AGAIN);
    read_answers(0);
    (void)solo_expect_reply(&get_world, 0);
    get_hosted(ERR_AGAIN);
    read_answers(ERR_NOT_FOUND);
    struct peer_get get = asked(BESIDE);
    give_piece(BESIDE, get.tx);
    give_got(BESIDE, get.tx, 0);
    merge_answers((struct request *)solo_take(&get_world, MESSAGE_MERGE), 0);
    read_answers(0);
    (void)solo_expect_reply(&get_world, 0);
}

static void half_a_state_is_not_answered_as_a_whole(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 1);
    get_hosted(ERR_NOT_FOUND);
    give_piece(NEAREST, asked(NEAREST).tx);
    solo_gone(&get_world, NEAREST);
    merge_answers((struct request *)solo_take(&get_world, MESSAGE_MERGE), 0);
    (void)solo_expect_reply(&get_world, ERR_NO_LIVE_PEER);
}

static void a_peer_that_says_done_and_sent_nothing_has_nothing(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 2);
    get_hosted(ERR_NOT_FOUND);
    give_got(NEAREST, asked(NEAREST).tx, 0);
    (void)asked(NEARER);
}

static void a_piece_of_another_contract_is_refused_and_its_sender_blamed(void **state)
{
    static const uint8_t other[] = {4, 'n', 'a', 'm', 'e', 0, 0, 0, 1, 'x'};
    (void)state;
    solo_live_all(&get_world, 1, 3);
    get_hosted(ERR_NOT_FOUND);
    struct peer_piece piece = piece_of(asked(1).tx, "", 0);
    piece.params = slice_of(other, sizeof other);
    solo_mail(&get_world, 1, PEER_PIECE, &piece);
    struct message *blame = (struct message *)solo_take(&get_world, MESSAGE_BLAME);
    assert_int_equal(((struct peer_order *)blame)->number, 1);
    message_free(&blame);
    piece = piece_of(asked(2).tx, "", 0);
    piece.kind = slice_text("no such kind");
    solo_mail(&get_world, 2, PEER_PIECE, &piece);
    blame = (struct message *)solo_take(&get_world, MESSAGE_BLAME);
    message_free(&blame);
    (void)asked(3);
    solo_expect_nothing(&get_world); /* nothing was merged */
}

static void entries_that_are_not_valid_make_another_be_asked(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 2);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get get = asked(NEAREST);
    give_piece(NEAREST, get.tx);
    give_piece(NEAREST, get.tx);
    give_got(NEAREST, get.tx, 0);
    struct request *first = (struct request *)solo_take(&get_world, MESSAGE_MERGE);
    struct request *second = (struct request *)solo_take(&get_world, MESSAGE_MERGE);
    merge_answers(first, ERR_BAD_STATE);
    get = asked(NEARER); /* not blamed: who passes pieces on cannot check them */
    merge_answers(second, ERR_BAD_STATE);
    solo_expect_nothing(&get_world);
    give_piece(NEARER, get.tx);
    merge_answers((struct request *)solo_take(&get_world, MESSAGE_MERGE), ERR_STORE_FULL);
    (void)solo_expect_reply(&get_world, ERR_STORE_FULL); /* our own trouble: nobody else can help */
}

static void answers_that_nobody_asked_for_are_dropped(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 3);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get get = asked(1);
    give_piece(2, get.tx);
    give_got(2, get.tx, ERR_NOT_FOUND);
    give_got(1, get.tx + 1, 0);
    give_got(1, UINT64_MAX, 0);
    solo_expect_nothing(&get_world);
    give_piece(1, get.tx);
    give_got(1, get.tx, 0);
    give_got(1, get.tx, ERR_NOT_FOUND);
    give_piece(1, get.tx);
    merge_answers((struct request *)solo_take(&get_world, MESSAGE_MERGE), 0);
    read_answers(0);
    (void)solo_expect_reply(&get_world, 0);
    give_got(1, get.tx, 0);
    solo_expect_nothing(&get_world);
}

static void what_a_host_has_need_not_be_flushed_here_before_it_is_read(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 1);
    get_hosted(ERR_NOT_FOUND);
    struct peer_get get = asked(1);
    give_piece(1, get.tx);
    give_got(1, get.tx, 0);
    struct request *merge = (struct request *)solo_take(&get_world, MESSAGE_MERGE);
    assert_true(merge->durable_there);
    merge_answers(merge, 0);
    struct request *read = (struct request *)solo_take(&get_world, MESSAGE_READ);
    assert_true(read->durable_there);
    assert_memory_equal(read->there.bytes, printed.bytes, sizeof printed.bytes);
    solo_answer(&get_world, read, ACTOR_storage, MESSAGE_READ_DONE, 0);
    (void)solo_expect_reply(&get_world, 0);
}

static void what_no_host_told_is_read_when_it_is_flushed(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 1);
    get_hosted(ERR_NOT_FOUND);
    give_got(1, asked(1).tx, ERR_NOT_FOUND);
    struct request *read = (struct request *)solo_take(&get_world, MESSAGE_READ);
    assert_false(read->durable_there);
    solo_answer(&get_world, read, ACTOR_storage, MESSAGE_READ_DONE, 0);
    (void)solo_expect_reply(&get_world, 0);
}

static void an_error_number_from_nowhere_is_a_fault_over_there(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 1);
    get_hosted(ERR_NOT_FOUND);
    struct peer_got got = {.tx = asked(1).tx, .code = 200, .why = slice_text("\033[2J\n")};
    solo_mail(&get_world, 1, PEER_GOT, &got);
    read_answers(ERR_NOT_FOUND);
    assert_string_equal(solo_expect_reply(&get_world, ERR_INTERNAL), "?[2J?");
}

static void no_get_of_a_client_outlives_its_deadline(void **state)
{
    (void)state;
    solo_live_all(&get_world, 1, 2);
    get_hosted(ERR_NOT_FOUND); /* one waits for a merge */
    struct peer_get get = asked(1);
    assert_in_range(get.deadline_ms, 1, OPERATION_TIMEOUT_MS - 1);
    give_piece(1, get.tx);
    give_got(1, get.tx, 0);
    struct request *merge = (struct request *)solo_take(&get_world, MESSAGE_MERGE);
    start_get(); /* one for hosting */
    struct request *host = (struct request *)solo_take(&get_world, MESSAGE_HOST);
    solo_advance_ms(&get_world, OPERATION_TIMEOUT_MS - 1);
    solo_expect_nothing(&get_world);
    solo_advance_ms(&get_world, 1);
    for (int i = 0; i < 2; i++)
        (void)solo_expect_reply(&get_world, ERR_TIMEOUT);
    assert_true(solo_deadline_ms(&get_world) == NEVER);
    merge_answers(merge, 0);
    solo_answer(&get_world, host, ACTOR_hosting, MESSAGE_HOSTED, 0);
    read_answers(0);
    give_got(1, get.tx, 0);
    solo_expect_nothing(&get_world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, get_world_start, get_world_end)
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
