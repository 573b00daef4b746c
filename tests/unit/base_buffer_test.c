#include "base/blob.h"
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void appends_stand_one_after_another_big_endian(void **state)
{
    (void)state;
    static const uint8_t wanted[] = {7, 1, 2, 3,   4,   1,   2,   3, 4, 5,
                                     6, 7, 8, 'w', 'e', 'i', 'r', 0, 0};
    struct buffer buffer = {0};
    buffer_append_u8(&buffer, 7);
    buffer_append_u32(&buffer, 0x01020304);
    buffer_append_u64(&buffer, 0x0102030405060708);
    buffer_append_slice(&buffer, slice_text("weir"));
    buffer_append(&buffer, NULL, 0);
    assert_non_null(buffer_grow(&buffer, 2));
    assert_false(buffer_failed(&buffer));
    assert_int_equal(buffer.size, sizeof wanted);
    assert_memory_equal(buffer.data, wanted, sizeof wanted);
    buffer_free(&buffer);
    assert_null(buffer.data);
}

static void growing_keeps_what_is_there(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (uint32_t i = 0; i < 100000; i++)
        buffer_append_u32(&buffer, i);
    assert_int_equal(buffer.size, 400000);
    for (uint32_t i = 0; i < 100000; i++)
        assert_int_equal(get_u32(buffer.data + 4 * i), i);
    buffer_free(&buffer);
}

static void grown_bytes_are_zero_even_in_used_memory(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_append(&buffer, "garbage!", 8);
    buffer_clear(&buffer);
    uint8_t *at = buffer_grow(&buffer, 8);
    assert_memory_equal(at, "\0\0\0\0\0\0\0\0", 8);
    buffer_free(&buffer);
}

static void reserved_room_is_not_moved(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_reserve(&buffer, 1000);
    const uint8_t *data = buffer.data;
    assert_int_equal(buffer.capacity, 1000);
    for (int i = 0; i < 1000; i++)
        buffer_append_u8(&buffer, 1);
    assert_ptr_equal(buffer.data, data);
    buffer_free(&buffer);
}

static void a_size_that_cannot_be_is_remembered_as_failure(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_append(&buffer, "kept", 4);
    assert_null(buffer_grow(&buffer, SIZE_MAX - 2));
    assert_true(buffer_failed(&buffer));
    buffer_append(&buffer, "lost", 4);
    assert_int_equal(buffer.size, 4);
    buffer_clear(&buffer);
    assert_false(buffer_failed(&buffer));
    buffer_reserve(&buffer, SIZE_MAX - 2);
    assert_true(buffer_failed(&buffer));
    buffer_free(&buffer);
}

static void stolen_bytes_are_the_takers(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_append(&buffer, "weir", 4);
    uint8_t *data = buffer_steal(&buffer);
    assert_memory_equal(data, "weir", 4);
    assert_int_equal(buffer.size, 0);
    assert_null(buffer.data);
    free(data);
}

static void slices_compare_as_bytes_a_prefix_first(void **state)
{
    (void)state;
    static const char *const ascending[] = {"", "a", "a\x01", "aa", "ab", "b", "\x80", "\xff"};
    enum { COUNT = sizeof ascending / sizeof ascending[0] };
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++) {
            int order = slice_compare(slice_text(ascending[i]), slice_text(ascending[j]));
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            assert_int_equal(slice_equal(slice_text(ascending[i]), slice_text(ascending[j])),
                             i == j);
        }
    assert_true(slice_equal(slice_of(NULL, 0), slice_text("")));
    assert_true(slice_is(slice_of("weir!", 4), "weir"));
}

static void numbers_are_big_endian(void **state)
{
    (void)state;
    uint8_t bytes[8];
    put_u16(bytes, 0xfe01);
    assert_memory_equal(bytes, "\xfe\x01", 2);
    assert_int_equal(get_u16(bytes), 0xfe01);
    put_u32(bytes, 0xfedc0102);
    assert_memory_equal(bytes, "\xfe\xdc\x01\x02", 4);
    assert_int_equal(get_u32(bytes), 0xfedc0102);
    put_u64(bytes, 0xfedcba9800010203);
    assert_memory_equal(bytes, "\xfe\xdc\xba\x98\x00\x01\x02\x03", 8);
    assert_true(get_u64(bytes) == 0xfedcba9800010203);
}

static void a_blob_lives_until_its_last_holder_lets_go(void **state)
{
    (void)state;
    struct blob *blob = blob_new(4);
    assert_non_null(blob);
    memcpy(blob->data, "weir", 4);
    struct blob *other = blob_hold(blob);
    blob_release(&blob);
    assert_null(blob);
    assert_true(slice_is(blob_slice(other), "weir"));
    blob_release(&other);
    blob_release(&other); /* nothing, when it is NULL already */
    assert_int_equal(blob_slice(other).size, 0);
}

static void a_blob_adopts_the_bytes_of_a_buffer(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_append(&buffer, "weir", 4);
    const uint8_t *data = buffer.data;
    struct blob *blob = blob_adopt(buffer_steal(&buffer), 4);
    assert_ptr_equal(blob->data, data);
    blob_release(&blob);
    blob = blob_adopt(NULL, 0);
    assert_int_equal(blob_slice(blob).size, 0);
    blob_release(&blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_stand_one_after_another_big_endian),
        cmocka_unit_test(growing_keeps_what_is_there),
        cmocka_unit_test(grown_bytes_are_zero_even_in_used_memory),
        cmocka_unit_test(reserved_room_is_not_moved),
        cmocka_unit_test(a_size_that_cannot_be_is_remembered_as_failure),
        cmocka_unit_test(stolen_bytes_are_the_takers),
        cmocka_unit_test(slices_compare_as_bytes_a_prefix_first),
        cmocka_unit_test(numbers_are_big_endian),
        cmocka_unit_test(a_blob_lives_until_its_last_holder_lets_go),
        cmocka_unit_test(a_blob_adopts_the_bytes_of_a_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
