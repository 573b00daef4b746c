/* Sessions: records of every size, goodbyes, and what each use costs. */
#include "tests/unit/proto_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sodium.h>
#include <cmocka.h>

static uint8_t into[RECORD_PLAIN_BYTES_MAX];

static void what_is_sealed_at_one_end_opens_at_the_other(void **unused)
{
    (void)unused;
    struct pair pair;
    pair_init(&pair, ROLE_peer, ROLE_peer);
    pair_live(&pair);
    for (size_t i = 0; i < 20; i++) {
        struct buffer record = record_of(pair.sessions[i % 2], "frames", false);
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

static void the_last_record_is_a_goodbye_and_nothing_follows_it(void **unused)
{
    (void)unused;
    struct pair pair;
    struct buffer more = {0};
    pair_init(&pair, ROLE_peer, ROLE_peer);
    pair_live(&pair);
    struct buffer record = record_of(pair.sessions[0], "work", false);
    assert_opens(pair.sessions[1], without_length(&record), "work", false);
    buffer_free(&record);
    record = record_of(pair.sessions[0], "goodbye: the node stops", true);
    assert_int_equal(session_seal(pair.sessions[0], slice_text("more"), false, &more), ERR_DENIED);
    assert_int_equal(more.size, 0);
    assert_int_equal(session_sealed(pair.sessions[0]), 2);
    assert_opens(pair.sessions[1], without_length(&record), "goodbye: the node stops", true);
    assert_never_opens(pair.sessions[1], without_length(&record), "after the last one");
    buffer_free(&record);
    /* The other direction has an end of its own. */
    record = record_of(pair.sessions[1], "goodbye", true);
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
    struct buffer record = record_of(pair.sessions[1], "duplicate", true);
    assert_opens(pair.sessions[0], without_length(&record), "duplicate", true);
    buffer_free(&record);
    pair_free(&pair);
}

/* A reason can still be told after the far side's bytes were refused. */
static void after_an_error_nothing_opens_and_a_goodbye_can_be_sealed(void **unused)
{
    (void)unused;
    struct pair pair;
    pair_init(&pair, ROLE_peer, ROLE_peer);
    pair_live(&pair);
    struct buffer lost = record_of(pair.sessions[0], "lost", false);
    struct buffer second = record_of(pair.sessions[0], "second", false);
    assert_never_opens(pair.sessions[1], without_length(&second), "");
    assert_never_opens(pair.sessions[1], without_length(&lost), "after the last one");
    struct buffer record = record_of(pair.sessions[1], "bad record", true);
    assert_opens(pair.sessions[0], without_length(&record), "bad record", true);
    buffer_free(&lost);
    buffer_free(&second);
    buffer_free(&record);
    pair_free(&pair);
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
        cmocka_unit_test(the_last_record_is_a_goodbye_and_nothing_follows_it),
        cmocka_unit_test(a_goodbye_may_be_the_first_record),
        cmocka_unit_test(after_an_error_nothing_opens_and_a_goodbye_can_be_sealed),
        cmocka_unit_test(each_record_uses_one_nonce_and_a_refused_one_none),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
