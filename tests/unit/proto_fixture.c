#include "tests/unit/proto_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sodium.h>
#include <cmocka.h>

/* All points whose order divides 8, encoded below 2^255: 0, 1, the two of order 8, p-1, p, p+1
 * (https://cr.yp.to/ecdh.html#validate). */
const uint8_t small_order_points[SMALL_ORDER_POINTS][32] = {
    {0},
    {1},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
     0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
     0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
     0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
     0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

static void read_words(char *line, const char **word, uint8_t *room, struct slice bytes[2])
{
    char *rest = NULL;
    *word = strtok_r(line, " \n", &rest);
    for (size_t i = 0; i < 2; i++) {
        const char *hex = strtok_r(NULL, " \n", &rest);
        if (!hex || strcmp(hex, "-") == 0)
            hex = "";
        size_t size = strlen(hex);
        assert_int_equal(sodium_hex2bin(room, size, hex, size, NULL, &size, NULL), 0);
        assert_int_equal(2 * size, strlen(hex));
        bytes[i] = slice_of(room, size);
        room += size;
    }
    assert_null(strtok_r(NULL, " \n", &rest));
}

void vectors_read(const char *path,
                  void (*line)(void *self, unsigned number, const char *word,
                               const struct slice bytes[2]),
                  void *self)
{
    char text[8192];
    uint8_t room[sizeof text];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (unsigned number = 1; fgets(text, sizeof text, file); number++) {
        struct slice bytes[2];
        const char *word;
        if (text[0] == '#' || text[0] == '\n')
            continue;
        read_words(text, &word, room, bytes);
        line(self, number, word, bytes);
    }
    (void)fclose(file);
}

/* --- two nodes ------------------------------------------------------------------------------- */

void pair_init(struct pair *self, enum peer_role initiator, enum peer_role answerer)
{
    *self = (struct pair){.ends = {NULL, NULL}};
    for (size_t i = 0; i < 2; i++) {
        struct handshake_config *config = &self->config[i];
        memset(config->secret_key, 0x11 * (int)(i + 1), sizeof config->secret_key);
        crypto_scalarmult_base(config->public_key, config->secret_key);
        config->network = slice_text("testnet");
        config->version_min = config->version_max = 1;
        config->role = i ? answerer : initiator;
        config->address = slice_text(i ? "[2001:db8::1]:7511" : "peer.example:7511");
        for (size_t j = 0; j < HANDSHAKE_RANDOM_BYTES; j++)
            self->random[i][j] = (uint8_t)(100 * i + j);
    }
}

struct slice observed_address(void)
{
    return slice_text("192.0.2.7:40123");
}

struct slice without_length(const struct buffer *wire)
{
    assert_true(wire->size >= 2);
    assert_int_equal(get_u16(wire->data), wire->size - 2);
    return slice_after(buffer_slice(wire), 2);
}

void pair_dial(struct pair *self)
{
    struct reason why = {""};
    self->ends[0] = handshake_dial(&self->config[0], self->config[1].public_key, self->random[0],
                                   &self->first, &why);
    if (!self->ends[0])
        fail_msg("%s", why.text);
    self->ends[1] = handshake_answer(&self->config[1], self->random[1]);
    assert_non_null(self->ends[1]);
}

void pair_open_sessions(struct pair *self)
{
    for (size_t i = 0; i < 2; i++) {
        const struct handshake_result *result = handshake_result(self->ends[i]);
        self->sessions[i] = session_new(result->initiator, result->send_key, result->receive_key,
                                        result->stream_header);
        assert_non_null(self->sessions[i]);
    }
}

void pair_live(struct pair *self)
{
    struct reason why = {""};
    pair_dial(self);
    if (handshake_read_first(self->ends[1], without_length(&self->first), observed_address(),
                             &self->answer, &why))
        fail_msg("%s", why.text);
    if (handshake_read_answer(self->ends[0], without_length(&self->answer), &why))
        fail_msg("%s", why.text);
    pair_open_sessions(self);
}

void pair_free(struct pair *self)
{
    for (size_t i = 0; i < 2; i++) {
        session_destroy(&self->sessions[i]);
        handshake_destroy(&self->ends[i]);
    }
    buffer_free(&self->first);
    buffer_free(&self->answer);
}

/* --- records --------------------------------------------------------------------------------- */

static uint8_t into[RECORD_PLAIN_BYTES_MAX];

struct buffer record_of(session_t *session, const char *text, bool last)
{
    struct buffer record = {0};
    assert_int_equal(session_seal(session, slice_text(text), last, &record), 0);
    return record;
}

void assert_opens(session_t *session, struct slice record, const char *text, bool is_last)
{
    struct slice plain;
    struct reason why = {""};
    bool last;
    if (session_open(session, record, into, &plain, &last, &why))
        fail_msg("%s", why.text);
    assert_true(slice_is(plain, text));
    assert_int_equal(last, is_last);
}

void assert_never_opens(session_t *session, struct slice record, const char *words)
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
