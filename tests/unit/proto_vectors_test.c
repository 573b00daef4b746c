/* docs/vectors/peer_handshake.txt, byte for byte: handshakes with fixed secrets and randoms, the
 * keys they give, and the records of their sessions. */
#include "tests/unit/proto_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sodium.h>
#include <cmocka.h>

/* The connection being read. Slices of a line do not outlive it, so texts are kept. */
struct vector {
    unsigned line, connections, refusals, records;
    struct pair pair;
    struct buffer texts[2][2]; /* network, address */
    struct buffer observed, hello[2];
    struct reason why;
    int answered; /* what handshake_read_first said */
};

static void expect(const struct vector *self, struct slice is, struct slice wanted)
{
    if (!slice_equal(is, wanted))
        fail_msg("docs/vectors/peer_handshake.txt:%u: other bytes come out", self->line);
}

static void expect_key(const struct vector *self, const uint8_t *is, struct slice wanted)
{
    expect(self, slice_of(is, 32), wanted);
}

static void vector_clear(struct vector *self)
{
    pair_free(&self->pair);
    for (size_t end = 0; end < 2; end++) {
        buffer_free(&self->texts[end][0]);
        buffer_free(&self->texts[end][1]);
        buffer_free(&self->hello[end]);
    }
    buffer_free(&self->observed);
}

static void on_connection(struct vector *self, size_t end, const struct slice bytes[2])
{
    (void)end, (void)bytes;
    vector_clear(self);
    pair_init(&self->pair, ROLE_peer, ROLE_peer);
    self->connections++;
}

static void on_secret(struct vector *self, size_t end, const struct slice bytes[2])
{
    struct handshake_config *config = &self->pair.config[end];
    assert_int_equal(bytes[0].size, sizeof config->secret_key);
    memcpy(config->secret_key, bytes[0].data, bytes[0].size);
    crypto_scalarmult_base(config->public_key, config->secret_key);
}

static void on_random(struct vector *self, size_t end, const struct slice bytes[2])
{
    assert_int_equal(bytes[0].size, HANDSHAKE_RANDOM_BYTES);
    memcpy(self->pair.random[end], bytes[0].data, bytes[0].size);
}

static struct slice keep(struct buffer *in, struct slice bytes)
{
    buffer_append_slice(in, bytes);
    return buffer_slice(in);
}

static void on_network(struct vector *self, size_t end, const struct slice bytes[2])
{
    self->pair.config[end].network = keep(&self->texts[end][0], bytes[0]);
}

static void on_address(struct vector *self, size_t end, const struct slice bytes[2])
{
    self->pair.config[end].address = keep(&self->texts[end][1], bytes[0]);
}

static void on_versions(struct vector *self, size_t end, const struct slice bytes[2])
{
    assert_int_equal(bytes[0].size, 4);
    self->pair.config[end].version_min = get_u16(bytes[0].data);
    self->pair.config[end].version_max = get_u16(bytes[0].data + 2);
}

static void on_role(struct vector *self, size_t end, const struct slice bytes[2])
{
    assert_int_equal(bytes[0].size, 1);
    self->pair.config[end].role = (enum peer_role)bytes[0].data[0];
}

static void on_observed(struct vector *self, size_t end, const struct slice bytes[2])
{
    (void)end;
    (void)keep(&self->observed, bytes[0]);
}

/* --- messages -------------------------------------------------------------------------------- */

/* Payloads are checked with the codec; in the message they are sealed. */
static void on_payload(struct vector *self, size_t end, const struct slice bytes[2])
{
    const struct handshake_config *config = &self->pair.config[end];
    struct hello hello;
    size_t used = 0;
    assert_int_equal(codec_decode_prefix(&hello_layout, bytes[0], &hello, &used, NULL), 0);
    expect(self, hello.network, config->network);
    expect(self, hello.address, config->address);
    expect_key(self, self->pair.random[end] + 32, slice_of(hello.inbound_key, 32));
    assert_int_equal(hello.version_min, config->version_min);
    assert_int_equal(hello.version_max, config->version_max);
    assert_int_equal(hello.role, config->role);
    (void)keep(&self->hello[end], bytes[0]);
}

static void on_first(struct vector *self, size_t end, const struct slice bytes[2])
{
    (void)end;
    pair_dial(&self->pair);
    expect(self, buffer_slice(&self->pair.first), bytes[0]);
    assert_int_equal(bytes[0].size, 2 + self->hello[0].size + 96);
    self->answered =
        handshake_read_first(self->pair.ends[1], without_length(&self->pair.first),
                             buffer_slice(&self->observed), &self->pair.answer, &self->why);
}

static void on_answer(struct vector *self, size_t end, const struct slice bytes[2])
{
    (void)end;
    expect(self, buffer_slice(&self->pair.answer), bytes[0]);
    assert_int_equal(bytes[0].size, 2 + self->hello[1].size + 48);
}

static void on_refused(struct vector *self, size_t end, const struct slice bytes[2])
{
    (void)end;
    assert_int_equal(self->answered, ERR_DENIED);
    assert_int_equal(
        handshake_read_answer(self->pair.ends[0], without_length(&self->pair.answer), &self->why),
        ERR_DENIED);
    assert_int_equal(handshake_refusal(self->pair.ends[0]), bytes[0].data[0]);
    assert_int_equal(handshake_refusal(self->pair.ends[1]), bytes[0].data[0]);
    self->refusals++;
}

static void on_version(struct vector *self, size_t end, const struct slice bytes[2])
{
    (void)end;
    assert_int_equal(self->answered, 0);
    if (handshake_read_answer(self->pair.ends[0], without_length(&self->pair.answer), &self->why))
        fail_msg("line %u: %s", self->line, self->why.text);
    pair_open_sessions(&self->pair);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(handshake_result(self->pair.ends[i])->version, get_u16(bytes[0].data));
}

/* Both go into the keys; those are checked. */
static void on_inner(struct vector *self, size_t end, const struct slice bytes[2])
{
    (void)self, (void)end;
    assert_int_equal(bytes[0].size, 64);
}

static void on_key(struct vector *self, size_t end, const struct slice bytes[2])
{
    expect_key(self, handshake_result(self->pair.ends[end])->send_key, bytes[0]);
    expect_key(self, handshake_result(self->pair.ends[1 - end])->receive_key, bytes[0]);
}

static void check_record(struct vector *self, size_t end, const struct slice bytes[2], bool goodbye)
{
    static uint8_t into[RECORD_PLAIN_BYTES_MAX];
    struct buffer record = {0};
    struct slice plain;
    bool last = !goodbye;
    assert_int_equal(session_seal(self->pair.sessions[end], bytes[0], goodbye, &record), 0);
    expect(self, buffer_slice(&record), bytes[1]);
    if (session_open(self->pair.sessions[1 - end], without_length(&record), into, &plain, &last,
                     &self->why))
        fail_msg("line %u: %s", self->line, self->why.text);
    expect(self, plain, bytes[0]);
    assert_int_equal(last, goodbye);
    buffer_free(&record);
    self->records++;
}

static void on_record(struct vector *self, size_t end, const struct slice bytes[2])
{
    check_record(self, end, bytes, false);
}

static void on_goodbye(struct vector *self, size_t end, const struct slice bytes[2])
{
    check_record(self, end, bytes, true);
}

static const struct {
    const char *word;
    size_t end; /* of whom it is: 0 the initiator, 1 the answerer */
    void (*on)(struct vector *self, size_t end, const struct slice bytes[2]);
} rows[] = {
    {"connection", 0, on_connection},
    {"initiator_secret", 0, on_secret},
    {"initiator_random", 0, on_random},
    {"initiator_network", 0, on_network},
    {"initiator_versions", 0, on_versions},
    {"initiator_role", 0, on_role},
    {"initiator_address", 0, on_address},
    {"answerer_secret", 1, on_secret},
    {"answerer_random", 1, on_random},
    {"answerer_network", 1, on_network},
    {"answerer_versions", 1, on_versions},
    {"answerer_role", 1, on_role},
    {"answerer_address", 1, on_address},
    {"observed", 0, on_observed},
    {"first_payload", 0, on_payload},
    {"first", 0, on_first},
    {"answer_payload", 1, on_payload},
    {"answer", 1, on_answer},
    {"refused", 1, on_refused},
    {"version", 0, on_version},
    {"handshake_hash", 0, on_inner},
    {"chaining_key", 0, on_inner},
    {"key_from_initiator", 0, on_key},
    {"key_to_initiator", 1, on_key},
    {"record_from_initiator", 0, on_record},
    {"record_to_initiator", 1, on_record},
    {"goodbye_from_initiator", 0, on_goodbye},
    {"goodbye_to_initiator", 1, on_goodbye},
};

static void on_line(void *of, unsigned number, const char *word, const struct slice bytes[2])
{
    struct vector *self = (struct vector *)of;
    self->line = number;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].word, word) == 0) {
            rows[i].on(self, rows[i].end, bytes);
            return;
        }
    fail_msg("line %u: %s?", number, word);
}

static void every_connection_comes_out_byte_for_byte(void **unused)
{
    (void)unused;
    struct vector vector = {0};
    vectors_read("docs/vectors/peer_handshake.txt", on_line, &vector);
    vector_clear(&vector);
    assert_int_equal(vector.connections, 6);
    assert_int_equal(vector.refusals, 2);
    assert_int_equal(vector.records, 4 * 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_connection_comes_out_byte_for_byte),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
