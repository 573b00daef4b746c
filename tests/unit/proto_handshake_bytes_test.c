/* Handshake messages that are not what was sent, or not to whom: none has an answer or a result. */
#include "proto/noise.h"
#include "tests/unit/proto_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sodium.h>
#include <cmocka.h>

/* A handshake up to the message in question, and that message; with = 0 the first, 1 the
   answer. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_single_bit_flip_of_either_message_is_refused),
        cmocka_unit_test(every_truncation_of_either_message_is_refused),
        cmocka_unit_test(a_byte_more_or_a_size_over_the_limit_is_refused),
        cmocka_unit_test(a_point_of_small_order_is_refused),
        cmocka_unit_test(a_key_of_small_order_is_not_dialled),
        cmocka_unit_test(messages_fed_to_the_wrong_role_are_refused),
        cmocka_unit_test(an_answer_of_another_handshake_is_refused),
        cmocka_unit_test(a_node_that_reaches_itself_is_refused),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
