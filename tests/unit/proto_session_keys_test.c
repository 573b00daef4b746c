/* Which key the records of each direction are sealed under: lessons K1, K2, K3. */
#include "proto/noise.h"
#include "tests/unit/proto_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sodium.h>
#include <cmocka.h>

/* Recorded streams of one connection: its first two records in each direction, as on the wire.
 */
struct recorded {
    struct buffer records[2][2]; /* by end that sealed */
};

static struct recorded recorded_of(struct pair *pair)
{
    struct recorded recorded;
    for (size_t end = 0; end < 2; end++) {
        recorded.records[end][0] = record_of(pair->sessions[end], "first", false);
        recorded.records[end][1] = record_of(pair->sessions[end], "second", false);
    }
    return recorded;
}

static void recorded_free(struct recorded *self)
{
    for (size_t i = 0; i < 4; i++)
        buffer_free(&self->records[i / 2][i % 2]);
}

/* The key of docs/protocol.md, computed here without the code under test: BLAKE2b-256 keyed with
 * the chaining key. Both come from a Noise handshake run again on the same bytes. */
static void key_of(const struct pair *pair, size_t chosen_by, uint8_t key[32])
{
    static const char label[] = "WEIR session key 1";
    uint8_t payload[HANDSHAKE_BYTES_MAX], input[sizeof label - 1 + 32 + NOISE_HASH_BYTES];
    struct noise_keys keys = {pair->config[0].secret_key, pair->config[0].public_key,
                              pair->random[0]};
    struct noise noise;
    struct buffer hello_bytes = {0};
    struct hello hello = {.network = pair->config[0].network,
                          .version_min = 1,
                          .version_max = 1,
                          .role = (uint8_t)pair->config[0].role,
                          .address = pair->config[0].address};
    memcpy(hello.inbound_key, pair->random[0] + 32, 32);
    assert_int_equal(codec_encode(&hello_layout, &hello, &hello_bytes), 0);
    noise_start(&noise, &keys, pair->config[1].public_key, slice_text("WEIR peer 1"));
    assert_int_equal(noise_write_first(&noise, buffer_slice(&hello_bytes), payload), 0);
    assert_memory_equal(payload, pair->first.data + 2, pair->first.size - 2);
    assert_int_equal(noise_read_second(&noise, without_length(&pair->answer), payload, NULL), 0);
    memcpy(input, label, sizeof label - 1);
    memcpy(input + sizeof label - 1, pair->random[chosen_by] + 32, 32);
    memcpy(input + sizeof label - 1 + 32, noise.hash, NOISE_HASH_BYTES);
    assert_int_equal(crypto_generichash(key, 32, input, sizeof input, noise.chaining_key,
                                        sizeof noise.chaining_key),
                     0);
    buffer_free(&hello_bytes);
}

/* Opens a recorded stream with libsodium alone. */
static bool opens_with(struct buffer records[2], const uint8_t key[32], char direction)
{
    crypto_secretstream_xchacha20poly1305_state state;
    const uint8_t associated[] = {(uint8_t)direction};
    uint8_t plain[16], tag;
    unsigned long long size;
    struct slice first = without_length(&records[0]), second = without_length(&records[1]);
    if (crypto_secretstream_xchacha20poly1305_init_pull(&state, first.data, key) ||
        crypto_secretstream_xchacha20poly1305_pull(&state, plain, &size, &tag, first.data + 24,
                                                   first.size - 24, associated, 1))
        return false;
    assert_memory_equal(plain, "first", 5);
    assert_int_equal(crypto_secretstream_xchacha20poly1305_pull(
                         &state, plain, &size, &tag, second.data, second.size, associated, 1),
                     0);
    assert_memory_equal(plain, "second", 6);
    return true;
}

/* Recorded records of a connection of these roles: which end chose the key of each direction. */
static void assert_keys(enum peer_role initiator, enum peer_role answerer, size_t from_initiator,
                        size_t to_initiator)
{
    struct pair pair;
    uint8_t keys[2][32];
    pair_init(&pair, initiator, answerer);
    pair_live(&pair);
    struct recorded recorded = recorded_of(&pair);
    key_of(&pair, 0, keys[0]);
    key_of(&pair, 1, keys[1]);
    assert_memory_not_equal(keys[0], keys[1], 32);
    for (size_t chosen_by = 0; chosen_by < 2; chosen_by++) {
        assert_int_equal(opens_with(recorded.records[0], keys[chosen_by], 'I'),
                         chosen_by == from_initiator);
        assert_int_equal(opens_with(recorded.records[1], keys[chosen_by], 'A'),
                         chosen_by == to_initiator);
    }
    /* Neither the inbound keys themselves nor anything else on the way is the key. */
    for (size_t end = 0; end < 2; end++) {
        assert_false(opens_with(recorded.records[0], pair.random[end] + 32, 'I'));
        assert_false(opens_with(recorded.records[1], pair.random[end] + 32, 'A'));
    }
    recorded_free(&recorded);
    pair_free(&pair);
}

/* lesson K1, lesson K3: both directions open with the client's key and with no other. The gateway's
 * acknowledgement is its first record, the client's closing one is the client's first. */
static void a_gateway_connection_has_the_clients_key_in_both_directions(void **unused)
{
    (void)unused;
    assert_keys(ROLE_peer, ROLE_gateway, 0, 0);
    assert_keys(ROLE_gateway, ROLE_peer, 1, 1);
    assert_keys(ROLE_gateway, ROLE_gateway, 0, 0);
}

/* lesson K2 */
static void a_peer_connection_has_the_receivers_key_in_each_direction(void **unused)
{
    (void)unused;
    assert_keys(ROLE_peer, ROLE_peer, 1, 0);
}

/* lesson K3: the answerer believes the first record that opens under the new keys, and nothing but
 * it: not one of another session of the same two nodes, not one under no key. */
static void only_the_initiators_first_record_acknowledges(void **unused)
{
    (void)unused;
    struct pair pair, other;
    pair_init(&pair, ROLE_peer, ROLE_gateway);
    pair_init(&other, ROLE_peer, ROLE_gateway);
    other.random[0][0] ^= 0x40;
    pair_live(&pair);
    pair_live(&other);
    assert_int_equal(session_opened(pair.sessions[1]), 0);
    struct buffer acknowledged = record_of(pair.sessions[0], "", false);
    struct buffer of_other = record_of(other.sessions[0], "", false);
    assert_never_opens(other.sessions[1], without_length(&acknowledged), "does not open");
    assert_opens(pair.sessions[1], without_length(&acknowledged), "", false);
    assert_int_equal(session_opened(pair.sessions[1]), 1);
    buffer_free(&acknowledged);
    buffer_free(&of_other);
    pair_free(&pair);
    pair_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gateway_connection_has_the_clients_key_in_both_directions),
        cmocka_unit_test(a_peer_connection_has_the_receivers_key_in_each_direction),
        cmocka_unit_test(only_the_initiators_first_record_acknowledges),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
