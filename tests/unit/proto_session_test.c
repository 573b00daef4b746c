/* Sessions: which key each record is sealed under, and that a record opens once, in its place, at
 * the far end of its own connection, or never. */
#include "proto/noise.h"
#include "tests/unit/proto_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sodium.h>
#include <cmocka.h>

enum { RECORDS = 4, FIRST = 0, LATER = 1 };

static uint8_t into[RECORD_PLAIN_BYTES_MAX];

static struct buffer seal(session_t *session, const char *text, bool last)
{
    struct buffer record = {0};
    assert_int_equal(session_seal(session, slice_text(text), last, &record), 0);
    return record;
}

static void assert_opens(session_t *session, struct slice record, const char *text, bool is_last)
{
    struct slice plain;
    struct reason why = {""};
    bool last;
    if (session_open(session, record, into, &plain, &last, &why))
        fail_msg("%s", why.text);
    assert_true(slice_is(plain, text));
    assert_int_equal(last, is_last);
}

/* Refused with these words, nothing opened, and nothing opens after it. */
static void assert_refused(session_t *session, struct slice record, const char *words)
{
    struct slice plain = slice_text("untouched");
    struct reason why = {""};
    bool last = false;
    uint64_t opened = session_opened(session);
    int rc = session_open(session, record, into, &plain, &last, &why);
    assert_true(rc == ERR_DENIED || rc == ERR_BAD_REQUEST);
    if (!strstr(why.text, words))
        fail_msg("'%s' where '%s' was wanted", why.text, words);
    assert_true(slice_is(plain, "untouched"));
    assert_int_equal(session_opened(session), opened);
    assert_int_equal(session_open(session, record, into, &plain, &last, &why), ERR_DENIED);
    assert_string_equal(why.text, "a record after the last one");
}

static void what_is_sealed_at_one_end_opens_at_the_other(void **unused)
{
    (void)unused;
    struct pair pair;
    pair_init(&pair, ROLE_peer, ROLE_peer);
    pair_live(&pair);
    for (size_t i = 0; i < 20; i++) {
        struct buffer record = seal(pair.sessions[i % 2], "frames", false);
        size_t header = i < 2 ? SESSION_HEADER_BYTES : 0;
        assert_int_equal(record.size, RECORD_PREFIX_BYTES + header + 6 + RECORD_OVERHEAD_BYTES);
        assert_opens(pair.sessions[(i + 1) % 2], without_length(&record), "frames", false);
        buffer_free(&record);
    }
    pair_free(&pair);
}

static void records_of_every_size_up_to_the_limit_open(void **unused)
{
    (void)unused;
    static uint8_t text[RECORD_PLAIN_BYTES_MAX + 1];
    static const size_t sizes[] = {0, 1, 15, 16, 17, 1024, RECORD_PLAIN_BYTES_MAX};
    struct pair pair;
    pair_init(&pair, ROLE_peer, ROLE_peer);
    pair_live(&pair);
    randombytes_buf(text, sizeof text);
    struct buffer record = {0};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct slice plain, wanted = slice_of(text, sizes[i]);
        bool last;
        buffer_clear(&record);
        assert_int_equal(session_seal(pair.sessions[0], wanted, false, &record), 0);
        assert_true(record.size - 2 <= RECORD_SEALED_BYTES_MAX);
        assert_int_equal(
            session_open(pair.sessions[1], without_length(&record), into, &plain, &last, NULL), 0);
        assert_true(slice_equal(plain, wanted));
    }
    buffer_clear(&record);
    assert_int_equal(session_seal(pair.sessions[0], slice_of(text, sizeof text), false, &record),
                     ERR_TOO_LARGE);
    assert_int_equal(record.size, 0);
    buffer_free(&record);
    pair_free(&pair);
}

/* --- which key ---------------------------------------------------------------------------------
 */

/* Recorded streams of one connection: its first two records in each direction, as on the wire. */
struct recorded {
    struct buffer records[2][2]; /* by end that sealed */
};

static struct recorded recorded_of(struct pair *pair)
{
    struct recorded recorded;
    for (size_t end = 0; end < 2; end++) {
        recorded.records[end][0] = seal(pair->sessions[end], "first", false);
        recorded.records[end][1] = seal(pair->sessions[end], "second", false);
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
    struct buffer acknowledged = seal(pair.sessions[0], "", false);
    struct buffer of_other = seal(other.sessions[0], "", false);
    assert_refused(other.sessions[1], without_length(&acknowledged), "does not open");
    assert_opens(pair.sessions[1], without_length(&acknowledged), "", false);
    assert_int_equal(session_opened(pair.sessions[1]), 1);
    buffer_free(&acknowledged);
    buffer_free(&of_other);
    pair_free(&pair);
    pair_free(&other);
}

/* --- what does not open (lesson K4) ------------------------------------------------------------
 */

/* A connection on which the initiator has sealed RECORDS, and the first `opened` were opened. */
struct stream {
    struct pair pair;
    struct buffer records[RECORDS];
};

static void stream_open(struct stream *self, enum peer_role answerer, size_t opened)
{
    static const char *const texts[RECORDS] = {"one", "two", "three", "four"};
    pair_init(&self->pair, ROLE_peer, answerer);
    pair_live(&self->pair);
    for (size_t i = 0; i < RECORDS; i++)
        self->records[i] = seal(self->pair.sessions[0], texts[i], false);
    for (size_t i = 0; i < opened; i++)
        assert_opens(self->pair.sessions[1], without_length(&self->records[i]), texts[i], false);
}

static void stream_close(struct stream *self)
{
    for (size_t i = 0; i < RECORDS; i++)
        buffer_free(&self->records[i]);
    pair_free(&self->pair);
}

/* lesson K4 */
static void every_single_bit_flip_of_a_record_is_refused(void **unused)
{
    (void)unused;
    for (size_t record = FIRST; record <= LATER; record++) {
        size_t bits = 1;
        for (size_t bit = 0; bit < bits; bit++) {
            struct stream stream;
            stream_open(&stream, ROLE_gateway, record);
            struct slice sealed = without_length(&stream.records[record]);
            bits = 8 * sealed.size;
            stream.records[record].data[2 + bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_refused(stream.pair.sessions[1], sealed,
                           record == FIRST && bit == 0 ? "reflected" : "does not open");
            stream_close(&stream);
        }
    }
}

/* lesson K4 */
static void every_truncation_of_a_record_is_refused(void **unused)
{
    (void)unused;
    for (size_t record = FIRST; record <= LATER; record++) {
        size_t sizes = 1;
        for (size_t size = 0; size < sizes; size++) {
            struct stream stream;
            stream_open(&stream, ROLE_peer, record);
            struct slice sealed = without_length(&stream.records[record]);
            sizes = sealed.size;
            size_t least = RECORD_OVERHEAD_BYTES + (record == FIRST ? SESSION_HEADER_BYTES : 0);
            assert_refused(stream.pair.sessions[1], slice_of(sealed.data, size),
                           size >= least     ? "does not open"
                           : record == FIRST ? "too short"
                                             : "no record has");
            stream_close(&stream);
        }
    }
}

static void a_record_that_is_too_long_is_refused_by_its_size(void **unused)
{
    (void)unused;
    static uint8_t bytes[RECORD_SEALED_BYTES_MAX + 1];
    struct stream stream;
    stream_open(&stream, ROLE_peer, 0);
    memcpy(bytes, stream.records[0].data + 2, SESSION_HEADER_BYTES);
    assert_refused(stream.pair.sessions[1], slice_of(bytes, sizeof bytes), "no record has");
    stream_close(&stream);
    stream_open(&stream, ROLE_peer, 1);
    assert_refused(stream.pair.sessions[1],
                   slice_of(bytes, RECORD_PLAIN_BYTES_MAX + RECORD_OVERHEAD_BYTES + 1),
                   "no record has");
    stream_close(&stream);
}

/* lesson K4: under one key in both directions too */
static void a_reflected_stream_is_refused(void **unused)
{
    (void)unused;
    for (int role = ROLE_peer; role <= ROLE_gateway; role++) {
        struct stream stream;
        stream_open(&stream, (enum peer_role)role, 0);
        assert_refused(stream.pair.sessions[0], without_length(&stream.records[0]), "reflected");
        assert_int_equal(session_opened(stream.pair.sessions[0]), 0);
        stream_close(&stream);
    }
}

/* lesson K4: with the header's bit turned, so that only the keys and associated data speak */
static void a_reflected_stream_with_its_header_changed_is_refused(void **unused)
{
    (void)unused;
    struct stream stream;
    stream_open(&stream, ROLE_gateway, 0);
    stream.records[0].data[2] ^= 1;
    assert_refused(stream.pair.sessions[0], without_length(&stream.records[0]), "does not open");
    stream_close(&stream);
}

/* lesson K4: one record of ours among the far side's own */
static void a_reflected_record_is_refused(void **unused)
{
    (void)unused;
    struct stream stream;
    stream_open(&stream, ROLE_gateway, 1);
    struct buffer back = seal(stream.pair.sessions[1], "back", false);
    assert_opens(stream.pair.sessions[0], without_length(&back), "back", false);
    assert_refused(stream.pair.sessions[0], without_length(&stream.records[1]), "does not open");
    buffer_free(&back);
    stream_close(&stream);
}

/* A record made with libsodium alone under the right key: what its associated data and its tag do.
 */
static void assert_made_by_hand(char direction, uint8_t tag, const char *words)
{
    struct pair pair;
    crypto_secretstream_xchacha20poly1305_state state;
    uint8_t record[SESSION_HEADER_BYTES + 4 + RECORD_OVERHEAD_BYTES];
    const uint8_t associated[] = {(uint8_t)direction};
    pair_init(&pair, ROLE_peer, ROLE_gateway);
    pair_live(&pair);
    do /* until it has the direction's bit */
        crypto_secretstream_xchacha20poly1305_init_push(&state, record,
                                                        handshake_result(pair.ends[0])->send_key);
    while (record[0] & 1u);
    crypto_secretstream_xchacha20poly1305_push(&state, record + SESSION_HEADER_BYTES, NULL,
                                               (const uint8_t *)"hand", 4, associated, 1, tag);
    if (words)
        assert_refused(pair.sessions[1], slice_of(record, sizeof record), words);
    else
        assert_opens(pair.sessions[1], slice_of(record, sizeof record), "hand", false);
    pair_free(&pair);
}

/* lesson K4 */
static void the_direction_is_associated_data_of_a_record(void **unused)
{
    (void)unused;
    assert_made_by_hand('I', 0, NULL);
    assert_made_by_hand('A', 0, "does not open");
}

static void tags_that_weir_does_not_use_are_refused(void **unused)
{
    (void)unused;
    assert_made_by_hand('I', crypto_secretstream_xchacha20poly1305_TAG_PUSH, "unknown tag 1");
    assert_made_by_hand('I', crypto_secretstream_xchacha20poly1305_TAG_REKEY, "unknown tag 2");
    assert_made_by_hand('I', 0x80, "unknown tag 128");
}

/* lesson K4 */
static void a_repeated_record_is_refused(void **unused)
{
    (void)unused;
    for (size_t opened = 2; opened <= RECORDS; opened++) {
        struct stream stream;
        stream_open(&stream, ROLE_peer, opened);
        assert_refused(stream.pair.sessions[1], without_length(&stream.records[opened - 1]),
                       "does not open");
        stream_close(&stream);
    }
}

/* lesson K4: the first record, with its header, once more; alone and without the header */
static void a_stream_begun_again_is_refused(void **unused)
{
    (void)unused;
    for (size_t cut = 0; cut <= SESSION_HEADER_BYTES; cut += SESSION_HEADER_BYTES) {
        struct stream stream;
        stream_open(&stream, ROLE_peer, 1);
        assert_refused(stream.pair.sessions[1],
                       slice_after(without_length(&stream.records[0]), cut), "does not open");
        stream_close(&stream);
    }
}

/* lesson K4 */
static void records_out_of_order_are_refused(void **unused)
{
    (void)unused;
    for (size_t opened = 0; opened < RECORDS; opened++)
        for (size_t next = 0; next < RECORDS; next++) {
            struct stream stream;
            if (next == opened)
                continue;
            stream_open(&stream, ROLE_peer, opened);
            struct slice plain, record = without_length(&stream.records[next]);
            bool last;
            int rc = session_open(stream.pair.sessions[1], record, into, &plain, &last, NULL);
            assert_true(rc == ERR_DENIED || (rc == ERR_BAD_REQUEST && opened == 0));
            assert_int_equal(session_opened(stream.pair.sessions[1]), opened);
            stream_close(&stream);
        }
}

/* lesson K4: two connections of the same nodes; records of one in the place of the other's */
static void records_of_another_session_are_refused(void **unused)
{
    (void)unused;
    for (size_t at = 0; at < RECORDS; at++) {
        struct pair other;
        struct stream stream;
        pair_init(&other, ROLE_peer, ROLE_gateway);
        other.random[0][0] ^= 0x40; /* as every handshake: another ephemeral key */
        pair_live(&other);
        stream_open(&stream, ROLE_gateway, at);
        for (size_t i = 0; i < at; i++) {
            struct buffer record = seal(other.sessions[0], "same place", false);
            buffer_free(&record);
        }
        struct buffer spliced = seal(other.sessions[0], "spliced", false);
        assert_refused(stream.pair.sessions[1], without_length(&spliced), "does not open");
        buffer_free(&spliced);
        stream_close(&stream);
        pair_free(&other);
    }
}

/* Even when one end's keys repeat, the other's differ, and so do all keys. */
static void every_handshake_has_keys_of_its_own(void **unused)
{
    (void)unused;
    for (size_t end = 0; end < 2; end++)
        for (size_t byte = 0; byte < 64; byte += 32) {
            struct pair one, two;
            pair_init(&one, ROLE_peer, ROLE_gateway);
            pair_init(&two, ROLE_peer, ROLE_gateway);
            two.random[end][byte] ^= 0x40;
            pair_live(&one);
            pair_live(&two);
            assert_memory_not_equal(handshake_result(one.ends[0])->send_key,
                                    handshake_result(two.ends[0])->send_key, 32);
            pair_free(&one);
            pair_free(&two);
        }
}

/* lesson K4: the two streams under one key start from headers that cannot be equal */
static void the_headers_of_both_directions_differ_whatever_the_randoms(void **unused)
{
    (void)unused;
    for (int byte = 0; byte < 256; byte++) {
        struct pair pair;
        pair_init(&pair, ROLE_peer, ROLE_gateway);
        memset(pair.random[0] + 64, byte, 24);
        memset(pair.random[1] + 64, byte, 24);
        pair_live(&pair);
        struct recorded recorded = recorded_of(&pair);
        assert_memory_not_equal(recorded.records[0][0].data + 2, recorded.records[1][0].data + 2,
                                16);
        recorded_free(&recorded);
        pair_free(&pair);
    }
}

/* --- the end -----------------------------------------------------------------------------------
 */

static void the_last_record_is_a_goodbye_and_nothing_follows_it(void **unused)
{
    (void)unused;
    struct pair pair;
    struct buffer more = {0};
    pair_init(&pair, ROLE_peer, ROLE_peer);
    pair_live(&pair);
    struct buffer record = seal(pair.sessions[0], "work", false);
    assert_opens(pair.sessions[1], without_length(&record), "work", false);
    buffer_free(&record);
    record = seal(pair.sessions[0], "goodbye: the node stops", true);
    assert_int_equal(session_seal(pair.sessions[0], slice_text("more"), false, &more), ERR_DENIED);
    assert_int_equal(more.size, 0);
    assert_int_equal(session_sealed(pair.sessions[0]), 2);
    assert_opens(pair.sessions[1], without_length(&record), "goodbye: the node stops", true);
    assert_refused(pair.sessions[1], without_length(&record), "after the last one");
    buffer_free(&record);
    /* The other direction has an end of its own. */
    record = seal(pair.sessions[1], "goodbye", true);
    assert_opens(pair.sessions[0], without_length(&record), "goodbye", true);
    buffer_free(&record);
    pair_free(&pair);
}

static void a_goodbye_may_be_the_first_record(void **unused)
{
    (void)unused;
    struct pair pair;
    pair_init(&pair, ROLE_peer, ROLE_peer);
    pair_live(&pair);
    struct buffer record = seal(pair.sessions[1], "duplicate", true);
    assert_opens(pair.sessions[0], without_length(&record), "duplicate", true);
    buffer_free(&record);
    pair_free(&pair);
}

/* A reason can still be told after the far side's bytes were refused. */
static void after_an_error_nothing_opens_and_a_goodbye_can_be_sealed(void **unused)
{
    (void)unused;
    struct stream stream;
    stream_open(&stream, ROLE_peer, 1);
    assert_refused(stream.pair.sessions[1], without_length(&stream.records[2]), "does not open");
    assert_refused(stream.pair.sessions[1], without_length(&stream.records[1]),
                   "after the last one");
    struct buffer record = seal(stream.pair.sessions[1], "bad record", true);
    assert_opens(stream.pair.sessions[0], without_length(&record), "bad record", true);
    buffer_free(&record);
    stream_close(&stream);
}

/* lesson K5 */
static void each_record_uses_one_nonce_and_a_refused_one_none(void **unused)
{
    (void)unused;
    static const uint8_t large[RECORD_PLAIN_BYTES_MAX + 1];
    struct pair pair;
    struct buffer out = {0};
    pair_init(&pair, ROLE_peer, ROLE_peer);
    pair_live(&pair);
    for (uint64_t i = 0; i < 10; i++) {
        assert_int_equal(session_sealed(pair.sessions[0]), i);
        assert_int_equal(session_seal(pair.sessions[0], slice_of(large, sizeof large), false, &out),
                         ERR_TOO_LARGE);
        assert_int_equal(session_sealed(pair.sessions[0]), i);
        buffer_clear(&out);
        assert_int_equal(session_seal(pair.sessions[0], slice_text("x"), false, &out), 0);
        assert_opens(pair.sessions[1], without_length(&out), "x", false);
        assert_int_equal(session_opened(pair.sessions[1]), i + 1);
        buffer_clear(&out);
    }
    buffer_free(&out);
    pair_free(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_at_one_end_opens_at_the_other),
        cmocka_unit_test(records_of_every_size_up_to_the_limit_open),
        cmocka_unit_test(a_gateway_connection_has_the_clients_key_in_both_directions),
        cmocka_unit_test(a_peer_connection_has_the_receivers_key_in_each_direction),
        cmocka_unit_test(only_the_initiators_first_record_acknowledges),
        cmocka_unit_test(every_single_bit_flip_of_a_record_is_refused),
        cmocka_unit_test(every_truncation_of_a_record_is_refused),
        cmocka_unit_test(a_record_that_is_too_long_is_refused_by_its_size),
        cmocka_unit_test(a_reflected_stream_is_refused),
        cmocka_unit_test(a_reflected_stream_with_its_header_changed_is_refused),
        cmocka_unit_test(a_reflected_record_is_refused),
        cmocka_unit_test(the_direction_is_associated_data_of_a_record),
        cmocka_unit_test(tags_that_weir_does_not_use_are_refused),
        cmocka_unit_test(a_repeated_record_is_refused),
        cmocka_unit_test(a_stream_begun_again_is_refused),
        cmocka_unit_test(records_out_of_order_are_refused),
        cmocka_unit_test(records_of_another_session_are_refused),
        cmocka_unit_test(every_handshake_has_keys_of_its_own),
        cmocka_unit_test(the_headers_of_both_directions_differ_whatever_the_randoms),
        cmocka_unit_test(the_last_record_is_a_goodbye_and_nothing_follows_it),
        cmocka_unit_test(a_goodbye_may_be_the_first_record),
        cmocka_unit_test(after_an_error_nothing_opens_and_a_goodbye_can_be_sealed),
        cmocka_unit_test(each_record_uses_one_nonce_and_a_refused_one_none),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
