/* Peers that are refused by name: the one refused hears why, sealed. */
#include "proto/noise.h"
#include "tests/unit/proto_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sodium.h>
#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_network_is_refused_by_name),
        cmocka_unit_test(ranges_of_versions_meet_or_are_refused_by_name),
        cmocka_unit_test(a_hello_that_means_nothing_is_refused_by_name),
        cmocka_unit_test(an_answer_that_means_nothing_is_refused),
        cmocka_unit_test(a_node_does_not_dial_its_own_key),
        cmocka_unit_test(a_node_dialled_with_its_own_key_refuses_by_name),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
