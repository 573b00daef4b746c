/* The handshake of two nodes: what it agrees on, and what each end refuses, by name. */
#include "proto/noise.h"
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

/* --- bytes that are not what was sent ----------------------------------------------------------
 */

/* A handshake up to the message in question, and that message; with = 0 the first, 1 the answer. */
static struct slice pair_up_to(struct pair *pair, int with)
{
    pair_init(pair, ROLE_peer, ROLE_peer);
    pair_dial(pair);
    if (with == 0)
        return without_length(&pair->first);
    assert_int_equal(handshake_read_first(pair->ends[1], without_length(&pair->first),
                                          observed_address(), &pair->answer, NULL),
                     0);
    return without_length(&pair->answer);
}

/* Gives the message to the end it is for, and asserts that it is refused and why, without an answer
 * and without a result. */
static void assert_refused(struct pair *pair, int with, struct slice message, enum refusal refusal)
{
    struct reason why = {""};
    struct buffer answer = {0};
    int rc = with == 0
                 ? handshake_read_first(pair->ends[1], message, observed_address(), &answer, &why)
                 : handshake_read_answer(pair->ends[0], message, &why);
    handshake_t *end = pair->ends[with == 0];
    assert_int_equal(rc, refusal == REFUSAL_malformed ? ERR_BAD_REQUEST : ERR_DENIED);
    assert_int_equal(handshake_refusal(end), refusal);
    assert_true(why.text[0]);
    assert_null(handshake_result(end));
    assert_int_equal(answer.size, 0);
    buffer_free(&answer);
}

/* lesson K4 */
static void every_single_bit_flip_of_either_message_is_refused(void **unused)
{
    (void)unused;
    for (int with = 0; with < 2; with++) {
        size_t bits = 1;
        for (size_t bit = 0; bit < bits; bit++) {
            struct pair pair;
            uint8_t bytes[HANDSHAKE_BYTES_MAX];
            struct slice message = pair_up_to(&pair, with);
            bits = 8 * message.size;
            memcpy(bytes, message.data, message.size);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_refused(&pair, with, slice_of(bytes, message.size), REFUSAL_unsealed);
            pair_free(&pair);
        }
        assert_true(bits > 8 * 100);
    }
}

/* lesson K4 */
static void every_truncation_of_either_message_is_refused(void **unused)
{
    (void)unused;
    for (int with = 0; with < 2; with++) {
        size_t least = with ? NOISE_SECOND_OVERHEAD : NOISE_FIRST_OVERHEAD, sizes = 1;
        for (size_t size = 0; size < sizes; size++) {
            struct pair pair;
            struct slice message = pair_up_to(&pair, with);
            sizes = message.size;
            assert_refused(&pair, with, slice_of(message.data, size),
                           size < least ? REFUSAL_malformed : REFUSAL_unsealed);
            pair_free(&pair);
        }
        assert_true(sizes > 100);
    }
}

static void a_byte_more_or_a_size_over_the_limit_is_refused(void **unused)
{
    (void)unused;
    for (int with = 0; with < 2; with++) {
        struct pair pair;
        uint8_t bytes[HANDSHAKE_BYTES_MAX + 1] = {0};
        struct slice message = pair_up_to(&pair, with);
        memcpy(bytes, message.data, message.size);
        assert_refused(&pair, with, slice_of(bytes, message.size + 1), REFUSAL_unsealed);
        pair_free(&pair);
        message = pair_up_to(&pair, with);
        assert_refused(&pair, with, slice_of(bytes, sizeof bytes), REFUSAL_malformed);
        pair_free(&pair);
    }
}

static void a_point_of_small_order_is_refused(void **unused)
{
    (void)unused;
    for (int with = 0; with < 2; with++)
        for (size_t i = 0; i < SMALL_ORDER_POINTS; i++) {
            struct pair pair;
            uint8_t bytes[HANDSHAKE_BYTES_MAX];
            struct slice message = pair_up_to(&pair, with);
            memcpy(bytes, message.data, message.size);
            memcpy(bytes, small_order_points[i], 32);
            assert_refused(&pair, with, slice_of(bytes, message.size), REFUSAL_unsealed);
            pair_free(&pair);
        }
}

static void a_key_of_small_order_is_not_dialled(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < SMALL_ORDER_POINTS; i++) {
        struct pair pair;
        struct reason why = {""};
        pair_init(&pair, ROLE_peer, ROLE_peer);
        assert_null(handshake_dial(&pair.config[0], small_order_points[i], pair.random[0],
                                   &pair.first, &why));
        assert_non_null(strstr(why.text, "small order"));
        assert_int_equal(pair.first.size, 0);
        pair_free(&pair);
    }
}

static void messages_fed_to_the_wrong_role_are_refused(void **unused)
{
    (void)unused;
    struct pair pair;
    struct reason why = {""};
    struct buffer answer = {0};
    /* An initiator hears a first message, its own or another's: as an answer it does not open. */
    struct slice first = pair_up_to(&pair, 0);
    assert_refused(&pair, 1, first, REFUSAL_unsealed);
    pair_free(&pair);
    /* An answerer hears an answer as a first message. */
    (void)pair_up_to(&pair, 1);
    handshake_destroy(&pair.ends[1]);
    pair.ends[1] = handshake_answer(&pair.config[1], pair.random[1]);
    assert_refused(&pair, 0, without_length(&pair.answer), REFUSAL_unsealed);
    pair_free(&pair);
    /* And neither end takes the other's part. */
    first = pair_up_to(&pair, 0);
    assert_int_equal(handshake_read_first(pair.ends[0], first, observed_address(), &answer, &why),
                     ERR_DENIED);
    assert_int_equal(handshake_read_answer(pair.ends[1], first, &why), ERR_DENIED);
    assert_int_equal(answer.size, 0);
    pair_free(&pair);
}

static void an_answer_of_another_handshake_is_refused(void **unused)
{
    (void)unused;
    struct pair one, two;
    pair_init(&two, ROLE_peer, ROLE_peer);
    two.random[0][0] ^= 0x40; /* another ephemeral key of the same node */
    pair_dial(&two);
    struct slice answer = pair_up_to(&one, 1);
    assert_refused(&two, 1, answer, REFUSAL_unsealed);
    pair_free(&one);
    pair_free(&two);
}

/* --- refused by name ---------------------------------------------------------------------------
 */

/* The answerer refuses and says why; the initiator hears it, sealed. */
static void assert_refused_by_name(struct pair *pair, enum refusal refusal)
{
    struct reason here = {""}, there = {""}, wanted;
    pair_dial(pair);
    assert_int_equal(handshake_read_first(pair->ends[1], without_length(&pair->first),
                                          observed_address(), &pair->answer, &here),
                     refusal == REFUSAL_malformed ? ERR_BAD_REQUEST : ERR_DENIED);
    assert_int_equal(handshake_refusal(pair->ends[1]), refusal);
    (void)snprintf(wanted.text, sizeof wanted.text, "refused: %s", refusal_text(refusal));
    assert_string_equal(here.text, wanted.text);
    assert_int_equal(handshake_read_answer(pair->ends[0], without_length(&pair->answer), &there),
                     ERR_DENIED);
    assert_int_equal(handshake_refusal(pair->ends[0]), refusal);
    (void)snprintf(wanted.text, sizeof wanted.text, "the peer refuses: %s", refusal_text(refusal));
    assert_string_equal(there.text, wanted.text);
    assert_null(handshake_result(pair->ends[0]));
    assert_null(handshake_result(pair->ends[1]));
    pair_free(pair);
}

/* lesson D7 */
static void another_network_is_refused_by_name(void **unused)
{
    (void)unused;
    static const char *const others[] = {"testnet2", "testne", "", "Testnet"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct pair pair;
        pair_init(&pair, ROLE_peer, ROLE_gateway);
        pair.config[0].network = slice_text(others[i]);
        assert_refused_by_name(&pair, REFUSAL_network);
    }
}

/* lesson D7 */
static void ranges_of_versions_meet_or_are_refused_by_name(void **unused)
{
    (void)unused;
    static const struct {
        uint16_t min[2], max[2], version; /* 0: refused */
    } rows[] = {
        {{1, 1}, {1, 1}, 1}, {{1, 2}, {1, 2}, 0},
        {{2, 1}, {2, 1}, 0}, {{1, 2}, {3, 5}, 3},
        {{2, 1}, {5, 3}, 3}, {{1, 3}, {3, 9}, 3},
        {{4, 1}, {9, 3}, 0}, {{1, 4}, {65535, 65535}, 65535},
        {{7, 7}, {7, 8}, 7},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pair pair;
        pair_init(&pair, ROLE_peer, ROLE_peer);
        for (size_t end = 0; end < 2; end++) {
            pair.config[end].version_min = rows[i].min[end];
            pair.config[end].version_max = rows[i].max[end];
        }
        if (rows[i].version == 0) {
            assert_refused_by_name(&pair, REFUSAL_version);
            continue;
        }
        pair_live(&pair);
        assert_int_equal(handshake_result(pair.ends[0])->version, rows[i].version);
        assert_int_equal(handshake_result(pair.ends[1])->version, rows[i].version);
        pair_free(&pair);
    }
}

static void a_hello_that_means_nothing_is_refused_by_name(void **unused)
{
    (void)unused;
    static const char *const addresses[] = {
        "peer.example", "peer.example:", "peer.example:0",     "peer.example:65536",
        ":7511",        "a b:7511",      "peer.example:75\n1", "peer.example:+80",
        "p\x80:1",      "p:000001",
    };
    struct pair pair;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        pair_init(&pair, ROLE_peer, ROLE_peer);
        pair.config[0].address = slice_text(addresses[i]);
        assert_refused_by_name(&pair, REFUSAL_malformed);
    }
    pair_init(&pair, ROLE_peer, ROLE_peer);
    pair.config[0].version_min = 2;
    assert_refused_by_name(&pair, REFUSAL_malformed);
    pair_init(&pair, ROLE_peer, ROLE_peer);
    pair.config[0].role = (enum peer_role)2;
    assert_refused_by_name(&pair, REFUSAL_malformed);
}

/* The answerer speaks last of the two: what it says is judged as well. */
static void an_answer_that_means_nothing_is_refused(void **unused)
{
    (void)unused;
    struct pair pair;
    struct reason why = {""};
    for (int i = 0; i < 2; i++) {
        pair_init(&pair, ROLE_peer, ROLE_peer);
        if (i == 0)
            pair.config[1].address = slice_text("nowhere");
        pair_dial(&pair);
        struct slice observed = i == 0 ? observed_address() : slice_text("192.0.2.7");
        assert_int_equal(handshake_read_first(pair.ends[1], without_length(&pair.first), observed,
                                              &pair.answer, NULL),
                         0);
        assert_int_equal(handshake_read_answer(pair.ends[0], without_length(&pair.answer), &why),
                         ERR_BAD_REQUEST);
        assert_int_equal(handshake_refusal(pair.ends[0]), REFUSAL_malformed);
        pair_free(&pair);
    }
}

/* lesson D5 */
static void a_node_does_not_dial_its_own_key(void **unused)
{
    (void)unused;
    struct pair pair;
    struct reason why = {""};
    pair_init(&pair, ROLE_peer, ROLE_peer);
    assert_null(handshake_dial(&pair.config[0], pair.config[0].public_key, pair.random[0],
                               &pair.first, &why));
    assert_string_equal(why.text, "refused: a node does not connect to itself");
    assert_int_equal(pair.first.size, 0);
    pair_free(&pair);
}

/* lesson D5: under an address that turns out to be its own, where it thought another node */
static void a_node_that_reaches_itself_is_refused(void **unused)
{
    (void)unused;
    struct pair pair;
    pair_init(&pair, ROLE_peer, ROLE_peer);
    pair_dial(&pair);
    handshake_destroy(&pair.ends[1]);
    pair.ends[1] = handshake_answer(&pair.config[0], pair.random[1]);
    assert_refused(&pair, 0, without_length(&pair.first), REFUSAL_unsealed);
    pair_free(&pair);
}

/* lesson D5: two processes started with one key. The dialler does not look, so the answerer must.
 */
static void a_node_dialled_with_its_own_key_refuses_by_name(void **unused)
{
    (void)unused;
    struct pair pair;
    pair_init(&pair, ROLE_peer, ROLE_peer);
    const struct handshake_config *node = &pair.config[1];
    struct noise_keys keys = {node->secret_key, node->public_key, pair.random[0]};
    struct noise noise;
    struct hello hello = {.network = node->network, .version_min = 1, .version_max = 1};
    struct verdict verdict;
    struct buffer payload = {0};
    uint8_t message[HANDSHAKE_BYTES_MAX];
    size_t used = 0;
    assert_int_equal(codec_encode(&hello_layout, &hello, &payload), 0);
    noise_start(&noise, &keys, node->public_key, slice_text(HANDSHAKE_PROLOGUE));
    assert_int_equal(noise_write_first(&noise, buffer_slice(&payload), message), 0);
    pair.ends[1] = handshake_answer(node, pair.random[1]);
    assert_int_equal(handshake_read_first(pair.ends[1],
                                          slice_of(message, payload.size + NOISE_FIRST_OVERHEAD),
                                          observed_address(), &pair.answer, NULL),
                     ERR_DENIED);
    assert_int_equal(handshake_refusal(pair.ends[1]), REFUSAL_yourself);
    struct slice answer = without_length(&pair.answer);
    assert_int_equal(noise_read_second(&noise, answer, message, NULL), 0);
    struct slice heard = slice_of(message, answer.size - NOISE_SECOND_OVERHEAD);
    assert_int_equal(codec_decode_prefix(&hello_layout, heard, &hello, &used, NULL), 0);
    assert_int_equal(codec_decode(&verdict_layout, slice_after(heard, used), &verdict, NULL), 0);
    assert_int_equal(verdict.refusal, 4);
    buffer_free(&payload);
    pair_free(&pair);
}

/* --- made once ---------------------------------------------------------------------------------
 */

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
        cmocka_unit_test(every_single_bit_flip_of_either_message_is_refused),
        cmocka_unit_test(every_truncation_of_either_message_is_refused),
        cmocka_unit_test(a_byte_more_or_a_size_over_the_limit_is_refused),
        cmocka_unit_test(a_point_of_small_order_is_refused),
        cmocka_unit_test(a_key_of_small_order_is_not_dialled),
        cmocka_unit_test(messages_fed_to_the_wrong_role_are_refused),
        cmocka_unit_test(an_answer_of_another_handshake_is_refused),
        cmocka_unit_test(another_network_is_refused_by_name),
        cmocka_unit_test(ranges_of_versions_meet_or_are_refused_by_name),
        cmocka_unit_test(a_hello_that_means_nothing_is_refused_by_name),
        cmocka_unit_test(an_answer_that_means_nothing_is_refused),
        cmocka_unit_test(a_node_does_not_dial_its_own_key),
        cmocka_unit_test(a_node_that_reaches_itself_is_refused),
        cmocka_unit_test(a_node_dialled_with_its_own_key_refuses_by_name),
        cmocka_unit_test(a_message_is_sealed_once_whatever_comes_after),
        cmocka_unit_test(the_same_randoms_make_the_same_bytes),
        cmocka_unit_test(ten_thousand_replays_of_a_first_message_prove_nothing),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
