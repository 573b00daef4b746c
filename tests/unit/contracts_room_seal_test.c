/* Keys that are none, and boxes that do not open: what is sealed in a room says so. (What opens is
 * in contracts_room_view_test.c and room_private_test.c.) */
#include "tests/unit/room_fixture.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const uint8_t no_key[WRITER_KEY_BYTES]; /* a point of small order */

static void nothing_is_sealed_for_a_key_that_is_none(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    static const uint8_t key[ROOM_KEY_BYTES] = {7}, seed[32] = {8}, nonce[ROOM_NONCE_BYTES] = {9};
    struct room_author author = room_as(f, 1);
    struct buffer out = {0};
    assert_int_equal(room_copy_seal(key, no_key, seed, &out), ERR_BAD_REQUEST);
    assert_int_equal(room_direct_seal(author.secret, no_key, nonce, slice_text("x"), &out),
                     ERR_BAD_REQUEST);
    assert_int_equal(room_write_direct(&author, 20, no_key, nonce, slice_text("x"), &out, &f->why),
                     ERR_BAD_REQUEST);
    assert_string_equal(f->why.text, "the recipient's key is none");
    assert_int_equal(out.size, 0);
    buffer_free(&out);
}

static void a_box_opens_for_its_two_ends_alone_and_whole(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    static const uint8_t nonce[ROOM_NONCE_BYTES] = {9};
    struct buffer sealed = {0}, out = {0};
    assert_int_equal(
        room_direct_seal(f->people[1].secret, f->people[2].key, nonce, slice_text("psst"), &sealed),
        0);
    struct slice box = slice_after(buffer_slice(&sealed), WRITER_KEY_BYTES + ROOM_NONCE_BYTES);
    const struct {
        size_t who;
        const uint8_t *other;
        size_t size;
        int rc;
    } rows[] = {
        {1, f->people[2].key, box.size, 0},
        {2, f->people[1].key, box.size, 0},
        {3, f->people[1].key, box.size, ERR_DENIED},
        {2, f->people[3].key, box.size, ERR_DENIED},
        {2, no_key, box.size, ERR_DENIED},
        {2, f->people[1].key, box.size - 1, ERR_DENIED},
        {2, f->people[1].key, ROOM_TAG_BYTES - 1, ERR_DENIED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buffer_clear(&out);
        assert_int_equal(room_direct_open(f->people[rows[i].who].secret, rows[i].other, nonce,
                                          slice_of(box.data, rows[i].size), &out),
                         rows[i].rc);
        assert_true(slice_is(buffer_slice(&out), rows[i].rc ? "" : "psst"));
    }
    buffer_free(&sealed);
    buffer_free(&out);
}

static void a_copy_is_found_by_its_member_and_must_open(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    static const uint8_t key[ROOM_KEY_BYTES] = {7}, seed[32] = {8};
    uint8_t opened[ROOM_KEY_BYTES];
    struct buffer copies = {0};
    assert_int_equal(room_copy_seal(key, f->people[2].key, seed, &copies), 0);
    assert_int_equal(room_copy_find(buffer_slice(&copies), f->people[2].secret, opened), 0);
    assert_memory_equal(opened, key, sizeof key);
    assert_int_equal(room_copy_find(buffer_slice(&copies), f->people[1].secret, opened),
                     ERR_NOT_FOUND);
    copies.data[copies.size - 1] ^= 1;
    assert_int_equal(room_copy_find(buffer_slice(&copies), f->people[2].secret, opened),
                     ERR_DENIED);
    buffer_free(&copies);
}

/* The id of the key is right, the text under it is not. */
static void a_text_that_does_not_open_stays_sealed(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    static const uint8_t key[ROOM_KEY_BYTES] = {7}, nonce[ROOM_NONCE_BYTES] = {9};
    struct room_author author = room_as(f, 1);
    struct room_words words = {slice_text("secret"), key, nonce};
    struct buffer sealed = {0};
    struct room_text text;
    uint8_t opened[16];
    assert_int_equal(room_view_add_key(f->view, key), 0);
    assert_int_equal(
        room_write_message(&author, 20, ROOM_TEXT, NULL, &words, NULL, &f->delta, &f->why), 0);
    room_take(f);
    assert_string_equal(room_messages(f), "secret");
    /* sealed by 2 as if it were 1's: the author is bound to it */
    room_text_seal(&f->contract, key, nonce, f->people[2].key, slice_text("secret"), &sealed);
    assert_int_equal(room_text_read(buffer_slice(&sealed), 100, "text", &text, &f->why), 0);
    assert_int_equal(room_text_open(&f->contract, key, f->people[2].key, &text, opened), 0);
    assert_int_equal(room_text_open(&f->contract, key, f->people[1].key, &text, opened),
                     ERR_DENIED);
    buffer_free(&sealed);
}

int main(void)
{
#define IN_A_ROOM(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_ROOM(nothing_is_sealed_for_a_key_that_is_none),
        IN_A_ROOM(a_box_opens_for_its_two_ends_alone_and_whole),
        IN_A_ROOM(a_copy_is_found_by_its_member_and_must_open),
        IN_A_ROOM(a_text_that_does_not_open_stays_sealed),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
