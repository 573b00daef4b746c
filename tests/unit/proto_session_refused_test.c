/* Lesson K4: a record opens once, in its place, at the far end of its own connection, or never. */
#include "tests/unit/proto_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sodium.h>
#include <cmocka.h>

enum { RECORDS = 4, FIRST = 0, LATER = 1 };

static uint8_t into[RECORD_PLAIN_BYTES_MAX];

/* A connection on which the initiator has sealed RECORDS, and the first `opened` were opened.
 */
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
        self->records[i] = record_of(self->pair.sessions[0], texts[i], false);
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
            assert_never_opens(stream.pair.sessions[1], sealed,
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
            assert_never_opens(stream.pair.sessions[1], slice_of(sealed.data, size),
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
    assert_never_opens(stream.pair.sessions[1], slice_of(bytes, sizeof bytes), "no record has");
    stream_close(&stream);
    stream_open(&stream, ROLE_peer, 1);
    assert_never_opens(stream.pair.sessions[1],
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
        assert_never_opens(stream.pair.sessions[0], without_length(&stream.records[0]),
                           "reflected");
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
    assert_never_opens(stream.pair.sessions[0], without_length(&stream.records[0]),
                       "does not open");
    stream_close(&stream);
}

/* lesson K4: one record of ours among the far side's own */
static void a_reflected_record_is_refused(void **unused)
{
    (void)unused;
    struct stream stream;
    stream_open(&stream, ROLE_gateway, 1);
    struct buffer back = record_of(stream.pair.sessions[1], "back", false);
    assert_opens(stream.pair.sessions[0], without_length(&back), "back", false);
    assert_never_opens(stream.pair.sessions[0], without_length(&stream.records[1]),
                       "does not open");
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
        assert_never_opens(pair.sessions[1], slice_of(record, sizeof record), words);
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
        assert_never_opens(stream.pair.sessions[1], without_length(&stream.records[opened - 1]),
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
        assert_never_opens(stream.pair.sessions[1],
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
            struct buffer record = record_of(other.sessions[0], "same place", false);
            buffer_free(&record);
        }
        struct buffer spliced = record_of(other.sessions[0], "spliced", false);
        assert_never_opens(stream.pair.sessions[1], without_length(&spliced), "does not open");
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
        struct buffer there = record_of(pair.sessions[0], "there", false);
        struct buffer back = record_of(pair.sessions[1], "back", false);
        assert_memory_not_equal(there.data + 2, back.data + 2, 16);
        buffer_free(&there);
        buffer_free(&back);
        pair_free(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
