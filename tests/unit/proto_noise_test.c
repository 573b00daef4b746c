/* Noise IK against the published vectors of docs/vectors/noise.txt, and what it refuses. */
#include "proto/noise.h"
#include "tests/unit/proto_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sodium.h>
#include <cmocka.h>

enum { MESSAGE_MAX = 512 };

/* The case being read: both ends. */
struct vector {
    unsigned line, cases, messages;
    struct buffer prologue;
    uint8_t init_static[32], init_ephemeral[32], init_remote_static[32];
    uint8_t resp_static[32], resp_ephemeral[32];
    struct noise initiator, responder;
    struct noise_cipher sends, receives; /* the initiator's */
    struct noise_cipher far_sends, far_receives;
};

static void on_vector(struct vector *self, struct slice a, struct slice b)
{
    (void)a, (void)b;
    self->cases++;
}

static void on_prologue(struct vector *self, struct slice a, struct slice b)
{
    (void)b;
    buffer_clear(&self->prologue);
    buffer_append_slice(&self->prologue, a);
}

#define ON_KEY(name)                                                                               \
    static void on_##name(struct vector *self, struct slice a, struct slice b)                     \
    {                                                                                              \
        (void)b;                                                                                   \
        assert_int_equal(a.size, 32);                                                              \
        memcpy(self->name, a.data, 32);                                                            \
    }
ON_KEY(init_static)
ON_KEY(init_ephemeral)
ON_KEY(init_remote_static)
ON_KEY(resp_static)
ON_KEY(resp_ephemeral)

static void start_both(struct vector *self)
{
    uint8_t init_public[32], resp_public[32];
    crypto_scalarmult_base(init_public, self->init_static);
    crypto_scalarmult_base(resp_public, self->resp_static);
    assert_memory_equal(resp_public, self->init_remote_static, 32);
    struct noise_keys init = {self->init_static, init_public, self->init_ephemeral};
    struct noise_keys resp = {self->resp_static, resp_public, self->resp_ephemeral};
    noise_start(&self->initiator, &init, self->init_remote_static, buffer_slice(&self->prologue));
    noise_start(&self->responder, &resp, resp_public, buffer_slice(&self->prologue));
}

static void assert_slice(const struct vector *self, struct slice is, struct slice wanted)
{
    if (!slice_equal(is, wanted))
        fail_msg("docs/vectors/noise.txt:%u: other bytes come out", self->line);
}

static void on_first(struct vector *self, struct slice payload, struct slice wanted)
{
    uint8_t message[MESSAGE_MAX], heard[MESSAGE_MAX];
    start_both(self);
    assert_int_equal(wanted.size, payload.size + NOISE_FIRST_OVERHEAD);
    assert_int_equal(noise_write_first(&self->initiator, payload, message), 0);
    assert_slice(self, slice_of(message, wanted.size), wanted);
    assert_int_equal(noise_read_first(&self->responder, wanted, heard, NULL), 0);
    assert_slice(self, slice_of(heard, payload.size), payload);
    self->messages++;
}

static void on_second(struct vector *self, struct slice payload, struct slice wanted)
{
    uint8_t message[MESSAGE_MAX], heard[MESSAGE_MAX];
    assert_int_equal(wanted.size, payload.size + NOISE_SECOND_OVERHEAD);
    assert_int_equal(noise_write_second(&self->responder, payload, message), 0);
    assert_slice(self, slice_of(message, wanted.size), wanted);
    assert_int_equal(noise_read_second(&self->initiator, wanted, heard, NULL), 0);
    assert_slice(self, slice_of(heard, payload.size), payload);
    noise_split(&self->initiator, &self->sends, &self->receives);
    noise_split(&self->responder, &self->far_receives, &self->far_sends);
    self->messages++;
}

static void transport(const struct vector *self, struct noise_cipher *from, struct noise_cipher *to,
                      struct slice payload, struct slice wanted)
{
    uint8_t sealed[MESSAGE_MAX], heard[MESSAGE_MAX];
    noise_cipher_seal(from, slice_of(NULL, 0), payload, sealed);
    assert_slice(self, slice_of(sealed, payload.size + NOISE_TAG_BYTES), wanted);
    assert_true(noise_cipher_open(to, slice_of(NULL, 0), wanted, heard));
    assert_slice(self, slice_of(heard, payload.size), payload);
}

static void on_from_initiator(struct vector *self, struct slice payload, struct slice wanted)
{
    transport(self, &self->sends, &self->far_receives, payload, wanted);
    self->messages++;
}

static void on_to_initiator(struct vector *self, struct slice payload, struct slice wanted)
{
    transport(self, &self->far_sends, &self->receives, payload, wanted);
    self->messages++;
}

static void on_handshake_hash(struct vector *self, struct slice wanted, struct slice b)
{
    (void)b;
    assert_slice(self, slice_of(self->initiator.hash, NOISE_HASH_BYTES), wanted);
    assert_slice(self, slice_of(self->responder.hash, NOISE_HASH_BYTES), wanted);
    self->messages++;
}

static const struct {
    const char *word;
    void (*on)(struct vector *self, struct slice a, struct slice b);
} rows[] = {
#define ROW(name)                                                                                  \
    {                                                                                              \
#name, on_##name                                                                           \
    }
    ROW(vector),
    ROW(prologue),
    ROW(init_static),
    ROW(init_ephemeral),
    ROW(init_remote_static),
    ROW(resp_static),
    ROW(resp_ephemeral),
    ROW(first),
    ROW(second),
    ROW(from_initiator),
    ROW(to_initiator),
    ROW(handshake_hash),
};

static void on_line(void *of, unsigned number, const char *word, const struct slice bytes[2])
{
    struct vector *self = (struct vector *)of;
    self->line = number;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].word, word) == 0) {
            rows[i].on(self, bytes[0], bytes[1]);
            return;
        }
    fail_msg("line %u: %s?", number, word);
}

static void both_published_vectors_come_out_byte_for_byte(void **unused)
{
    (void)unused;
    struct vector vector = {0};
    vectors_read("docs/vectors/noise.txt", on_line, &vector);
    buffer_free(&vector.prologue);
    assert_int_equal(vector.cases, 2);
    assert_int_equal(vector.messages, 6 + 1 + 4);
}

/* --- what it refuses ------------------------------------------------------------------------- */

struct ends {
    uint8_t secret[2][32], public[2][32], ephemeral[2][32];
    struct noise initiator, responder;
};

static void ends_start(struct ends *self)
{
    for (int i = 0; i < 2; i++) {
        memset(self->secret[i], 0x10 + i, 32);
        memset(self->ephemeral[i], 0x20 + i, 32);
        crypto_scalarmult_base(self->public[i], self -> secret[i]);
    }
    struct noise_keys init = {self->secret[0], self->public[0], self -> ephemeral[0]};
    struct noise_keys resp = {self->secret[1], self->public[1], self -> ephemeral[1]};
    noise_start(&self->initiator, &init, self->public[1], slice_text("prologue"));
    noise_start(&self->responder, &resp, self->public[1], slice_text("prologue"));
}

static void points_of_small_order_are_refused_wherever_they_stand(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < SMALL_ORDER_POINTS; i++) {
        struct ends ends;
        struct reason why = {""};
        uint8_t message[MESSAGE_MAX] = {0}, payload[MESSAGE_MAX];
        ends_start(&ends);
        memcpy(ends.initiator.remote_static, small_order_points[i], 32);
        assert_int_equal(noise_write_first(&ends.initiator, slice_text("hi"), message), ERR_DENIED);

        ends_start(&ends);
        struct noise before = ends.responder;
        memcpy(message, small_order_points[i], 32);
        assert_int_equal(noise_read_first(&ends.responder, slice_of(message, 200), payload, &why),
                         ERR_DENIED);
        assert_non_null(strstr(why.text, "ephemeral key is a point of small order"));
        assert_memory_equal(&ends.responder, &before, sizeof before);

        assert_int_equal(noise_write_first(&ends.initiator, slice_text("hi"), message), 0);
        before = ends.initiator;
        memcpy(message, small_order_points[i], 32);
        assert_int_equal(noise_read_second(&ends.initiator, slice_of(message, 200), payload, &why),
                         ERR_DENIED);
        assert_non_null(strstr(why.text, "small order"));
        assert_memory_equal(&ends.initiator, &before, sizeof before);
    }
}

/* The initiator's static key may be such a point only if it lies about it: es opens, ss does not.
 */
static void a_static_key_of_small_order_is_refused(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < SMALL_ORDER_POINTS; i++) {
        struct ends ends;
        struct reason why = {""};
        uint8_t message[MESSAGE_MAX] = {0}, payload[MESSAGE_MAX];
        ends_start(&ends);
        memcpy(ends.initiator.static_public, small_order_points[i], 32);
        assert_int_equal(noise_write_first(&ends.initiator, slice_text("hi"), message), 0);
        assert_int_equal(noise_read_first(&ends.responder,
                                          slice_of(message, 2 + NOISE_FIRST_OVERHEAD), payload,
                                          &why),
                         ERR_DENIED);
        assert_non_null(strstr(why.text, "static key is a point of small order"));
    }
}

static void another_prologue_or_responder_does_not_open(void **unused)
{
    (void)unused;
    struct ends ends;
    uint8_t message[MESSAGE_MAX], payload[MESSAGE_MAX];
    ends_start(&ends);
    assert_int_equal(noise_write_first(&ends.initiator, slice_text("hi"), message), 0);
    struct slice sent = slice_of(message, 2 + NOISE_FIRST_OVERHEAD);
    struct noise_keys resp = {ends.secret[1], ends.public[1], ends.ephemeral[1]};
    struct noise_keys other = {ends.secret[0], ends.public[0], ends.ephemeral[1]};
    struct noise responder;
    noise_start(&responder, &resp, ends.public[1], slice_text("prologue 2"));
    assert_int_equal(noise_read_first(&responder, sent, payload, NULL), ERR_DENIED);
    noise_start(&responder, &other, ends.public[0], slice_text("prologue"));
    assert_int_equal(noise_read_first(&responder, sent, payload, NULL), ERR_DENIED);
    assert_int_equal(noise_read_first(&ends.responder, sent, payload, NULL), 0);
    assert_memory_equal(payload, "hi", 2);
}

/* Whoever knows the responder's key can make e and s, but not ss: it claims a key it has not. */
static void a_key_that_the_initiator_has_not_is_refused(void **unused)
{
    (void)unused;
    struct ends ends;
    struct reason why = {""};
    uint8_t message[MESSAGE_MAX], payload[MESSAGE_MAX], another[32] = {77};
    ends_start(&ends);
    crypto_scalarmult_base(ends.initiator.static_public, another);
    assert_int_equal(noise_write_first(&ends.initiator, slice_text("hi"), message), 0);
    assert_int_equal(noise_read_first(&ends.responder, slice_of(message, 2 + NOISE_FIRST_OVERHEAD),
                                      payload, &why),
                     ERR_DENIED);
    assert_non_null(strstr(why.text, "payload does not open"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_published_vectors_come_out_byte_for_byte),
        cmocka_unit_test(points_of_small_order_are_refused_wherever_they_stand),
        cmocka_unit_test(a_static_key_of_small_order_is_refused),
        cmocka_unit_test(another_prologue_or_responder_does_not_open),
        cmocka_unit_test(a_key_that_the_initiator_has_not_is_refused),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
