/* Each allocation of a handshake, a session and the codec fails in turn: the error is told, nothing
 * is half done, and the same calls do their work afterwards. */
/* link: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "proto/peer_protocol.h"
#include "tests/support/failing_memory.h"
#include "tests/unit/proto_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sodium.h>
#include <cmocka.h>

enum { ALLOCATIONS_MAX = 2000 };

/* Both ends up to their sessions, and a record each way; stops at what fails. */
static int converse(struct pair *self, struct buffer records[2])
{
    struct reason why = {""};
    self->ends[0] = handshake_dial(&self->config[0], self->config[1].public_key, self->random[0],
                                   &self->first, &why);
    if (!self->ends[0])
        return ERR_NO_MEMORY;
    self->ends[1] = handshake_answer(&self->config[1], self->random[1]);
    if (!self->ends[1])
        return ERR_NO_MEMORY;
    int rc = handshake_read_first(self->ends[1], without_length(&self->first), observed_address(),
                                  &self->answer, &why);
    if (rc == 0)
        rc = handshake_read_answer(self->ends[0], without_length(&self->answer), &why);
    for (size_t i = 0; rc == 0 && i < 2; i++) {
        const struct handshake_result *result = handshake_result(self->ends[i]);
        self->sessions[i] = session_new(result->initiator, result->send_key, result->receive_key,
                                        result->stream_header);
        rc = self->sessions[i]
                 ? session_seal(self->sessions[i], slice_text("hello"), false, &records[i])
                 : ERR_NO_MEMORY;
    }
    return rc;
}

static void a_handshake_without_memory_says_so(void **state)
{
    (void)state;
    unsigned failures = 0;
    bool reached = true;
    for (unsigned n = 1; reached && n <= ALLOCATIONS_MAX; n++) {
        struct pair pair;
        struct buffer records[2] = {{0}, {0}};
        pair_init(&pair, ROLE_peer, ROLE_peer);
        failing_memory_begin(n);
        int rc = converse(&pair, records);
        reached = failing_memory_end();
        assert_true(rc == 0 || rc == ERR_NO_MEMORY);
        failures += rc != 0;
        if (rc == 0) {
            assert_opens(pair.sessions[1], without_length(&records[0]), "hello", false);
            assert_opens(pair.sessions[0], without_length(&records[1]), "hello", false);
        }
        pair_free(&pair);
        buffer_free(&records[0]);
        buffer_free(&records[1]);
    }
    assert_false(reached); /* all of them had their turn */
    assert_true(failures >= 4);
}

/* What is there before a message stays; the message comes whole or not at all. */
static void a_message_without_memory_is_not_half_written(void **state)
{
    (void)state;
    uint8_t entries[3000] = {1};
    struct peer_delta delta = {.entries = slice_of(entries, sizeof entries)}, read;
    bool reached = true;
    for (unsigned n = 1; reached && n <= ALLOCATIONS_MAX; n++) {
        struct buffer out = {0}, printed = {0};
        buffer_append_slice(&out, slice_text("before"));
        failing_memory_begin(n);
        int rc = codec_encode(&peer_delta_layout, &delta, &out);
        codec_print(&peer_delta_layout, &delta, &printed);
        reached = failing_memory_end();
        assert_true(rc == 0 || rc == ERR_NO_MEMORY);
        assert_true(rc == 0 || buffer_failed(&out));
        assert_true(out.size >= 6 && memcmp(out.data, "before", 6) == 0);
        if (rc == 0) {
            assert_int_equal(
                codec_decode(&peer_delta_layout, slice_after(buffer_slice(&out), 6), &read, NULL),
                0);
            assert_true(slice_equal(read.entries, delta.entries));
        }
        buffer_free(&out);
        buffer_free(&printed);
    }
    assert_false(reached);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_without_memory_says_so),
        cmocka_unit_test(a_message_without_memory_is_not_half_written),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
