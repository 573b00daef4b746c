/* The handshake of two nodes: what it agrees on, and that each message is made once. */
#include "tests/unit/proto_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sodium.h>
#include <cmocka.h>

static void each_end_learns_who_the_other_is(void **unused)
{
    (void)unused;
    struct pair pair;
    pair_init(&pair, ROLE_peer, ROLE_gateway);
    pair_live(&pair);
    const struct handshake_result *dialled = handshake_result(pair.ends[0]);
    const struct handshake_result *answered = handshake_result(pair.ends[1]);
    assert_memory_equal(dialled->peer, pair.config[1].public_key, 32);
    assert_memory_equal(answered->peer, pair.config[0].public_key, 32);
    assert_int_equal(dialled->role, ROLE_gateway);
    assert_int_equal(answered->role, ROLE_peer);
    assert_true(dialled->initiator && !answered->initiator);
    assert_true(
        slice_equal(slice_of(dialled->address, dialled->address_size), pair.config[1].address));
    assert_true(
        slice_equal(slice_of(answered->address, answered->address_size), pair.config[0].address));
    assert_true(
        slice_equal(slice_of(dialled->observed, dialled->observed_size), observed_address()));
    assert_int_equal(answered->observed_size, 0);
    pair_free(&pair);
}

static void a_node_that_cannot_be_reached_says_no_address(void **unused)
{
    (void)unused;
    struct pair pair;
    pair_init(&pair, ROLE_peer, ROLE_peer);
    pair.config[0].address = slice_of(NULL, 0);
    pair_live(&pair);
    assert_int_equal(handshake_result(pair.ends[1])->address_size, 0);
    pair_free(&pair);
}

static void nothing_is_known_before_the_message_is_read(void **unused)
{
    (void)unused;
    struct pair pair;
    pair_init(&pair, ROLE_peer, ROLE_peer);
    pair_dial(&pair);
    assert_null(handshake_result(pair.ends[0]));
    assert_null(handshake_result(pair.ends[1]));
    pair_free(&pair);
}

static void the_longest_messages_fit(void **unused)
{
    (void)unused;
    struct pair pair;
    char network[NETWORK_BYTES_MAX], address[ADDRESS_TEXT_MAX + 1];
    memset(network, 'n', sizeof network);
    memset(address, 'a', sizeof address);
    memcpy(address + ADDRESS_TEXT_MAX - 6, ":65535", sizeof ":65535");
    pair_init(&pair, ROLE_peer, ROLE_peer);
    pair_dial(&pair);
    for (size_t i = 0; i < 2; i++) {
        handshake_destroy(&pair.ends[i]);
        pair.config[i].network = slice_of(network, sizeof network);
        pair.config[i].address = slice_of(address, ADDRESS_TEXT_MAX);
    }
    buffer_clear(&pair.first);
    pair_dial(&pair);
    assert_int_equal(handshake_read_first(pair.ends[1], without_length(&pair.first),
                                          slice_of(address, ADDRESS_TEXT_MAX), &pair.answer, NULL),
                     0);
    assert_int_equal(handshake_read_answer(pair.ends[0], without_length(&pair.answer), NULL), 0);
    assert_true(pair.first.size - 2 <= HANDSHAKE_BYTES_MAX);
    assert_true(pair.answer.size - 2 <= HANDSHAKE_BYTES_MAX);
    assert_int_equal(pair.answer.size - 2, 686);
    pair_free(&pair);
}

/* --- made once ------------------------------------------------------------------------------- */

/* lesson K5 */
static void a_message_is_sealed_once_whatever_comes_after(void **unused)
{
    (void)unused;
    struct pair pair;
    struct buffer again = {0};
    pair_init(&pair, ROLE_peer, ROLE_peer);
    pair_dial(&pair);
    assert_int_equal(handshake_seals(pair.ends[0]), 2); /* its static key, its payload */
    assert_int_equal(handshake_seals(pair.ends[1]), 0);
    struct slice first = without_length(&pair.first);
    assert_int_equal(
        handshake_read_first(pair.ends[1], first, observed_address(), &pair.answer, NULL), 0);
    assert_int_equal(handshake_seals(pair.ends[1]), 1);
    /* The first message sent again: no second answer, and the first one stands. */
    assert_int_equal(handshake_read_first(pair.ends[1], first, observed_address(), &again, NULL),
                     ERR_DENIED);
    assert_int_equal(again.size, 0);
    assert_int_equal(handshake_seals(pair.ends[1]), 1);
    assert_non_null(handshake_result(pair.ends[1]));
    assert_int_equal(handshake_read_answer(pair.ends[0], without_length(&pair.answer), NULL), 0);
    assert_int_equal(handshake_read_answer(pair.ends[0], without_length(&pair.answer), NULL),
                     ERR_DENIED);
    assert_non_null(handshake_result(pair.ends[0]));
    assert_int_equal(handshake_seals(pair.ends[0]), 2);
    pair_free(&pair);
}

static void the_same_randoms_make_the_same_bytes(void **unused)
{
    (void)unused;
    struct pair one, two;
    pair_init(&one, ROLE_peer, ROLE_gateway);
    pair_init(&two, ROLE_peer, ROLE_gateway);
    pair_live(&one);
    pair_live(&two);
    assert_true(slice_equal(buffer_slice(&one.first), buffer_slice(&two.first)));
    assert_true(slice_equal(buffer_slice(&one.answer), buffer_slice(&two.answer)));
    pair_free(&one);
    pair_free(&two);
}

/* lesson K3: whoever recorded a first message can send it, and gets answers; without the keys no
 * record of his opens, and that is all that would count. */
static void ten_thousand_replays_of_a_first_message_prove_nothing(void **unused)
{
    (void)unused;
    struct pair pair;
    pair_init(&pair, ROLE_peer, ROLE_gateway);
    pair_live(&pair);
    struct buffer record = {0};
    assert_int_equal(session_seal(pair.sessions[0], slice_text("here"), false, &record), 0);
    for (uint32_t i = 0; i < 10000; i++) {
        static uint8_t into[RECORD_PLAIN_BYTES_MAX];
        struct buffer answer = {0};
        struct slice plain;
        bool last;
        put_u32(pair.random[1], i); /* the answerer's own, fresh each time */
        handshake_t *end = handshake_answer(&pair.config[1], pair.random[1]);
        assert_int_equal(handshake_read_first(end, without_length(&pair.first), observed_address(),
                                              &answer, NULL),
                         0);
        const struct handshake_result *result = handshake_result(end);
        session_t *session =
            session_new(false, result->send_key, result->receive_key, result->stream_header);
        assert_int_equal(session_open(session, without_length(&record), into, &plain, &last, NULL),
                         ERR_DENIED);
        assert_int_equal(session_opened(session), 0);
        session_destroy(&session);
        handshake_destroy(&end);
        buffer_free(&answer);
    }
    buffer_free(&record);
    pair_free(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_end_learns_who_the_other_is),
        cmocka_unit_test(a_node_that_cannot_be_reached_says_no_address),
        cmocka_unit_test(nothing_is_known_before_the_message_is_read),
        cmocka_unit_test(the_longest_messages_fit),
        cmocka_unit_test(a_message_is_sealed_once_whatever_comes_after),
        cmocka_unit_test(the_same_randoms_make_the_same_bytes),
        cmocka_unit_test(ten_thousand_replays_of_a_first_message_prove_nothing),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
