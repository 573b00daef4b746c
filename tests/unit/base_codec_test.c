/* The one interpreter of layouts: golden bytes, and what it refuses. */
#include "base/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SAMPLE_FIELDS(F, M)                                                                        \
    F(M, u8, tiny, 0, "a byte")                                                                    \
    F(M, u16, small, 0, "two")                                                                     \
    F(M, u32, middle, 0, "four")                                                                   \
    F(M, u64, large, 0, "eight")                                                                   \
    F(M, fixed, id, 3, "exactly three")                                                            \
    F(M, bytes, note, 5, "up to five")                                                             \
    F(M, bytes, rest, 100, "up to a hundred")
CODEC_STRUCT(sample, SAMPLE_FIELDS)
CODEC_LAYOUT(sample, SAMPLE_FIELDS)

static const uint8_t golden[] = {
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e,
    0x0f, 'i',  'd',  '!',  0,    0,    0,    2,    'h',  'o',  0,    0,    0,    0,
};

static struct sample sample_value(void)
{
    return (struct sample){.tiny = 1,
                           .small = 0x0203,
                           .middle = 0x04050607,
                           .large = 0x08090a0b0c0d0e0f,
                           .id = {'i', 'd', '!'},
                           .note = slice_text("ho"),
                           .rest = slice_text("")};
}

static void a_value_has_these_bytes(void **state)
{
    (void)state;
    struct sample value = sample_value();
    struct buffer out = {0};
    assert_int_equal(codec_encode(&sample_layout, &value, &out), 0);
    assert_int_equal(out.size, sizeof golden);
    assert_int_equal(codec_size(&sample_layout, &value), sizeof golden);
    assert_memory_equal(out.data, golden, sizeof golden);
    buffer_free(&out);
}

static void these_bytes_have_that_value(void **state)
{
    (void)state;
    struct sample value, wanted = sample_value();
    assert_int_equal(codec_decode(&sample_layout, slice_of(golden, sizeof golden), &value, NULL),
                     0);
    assert_true(codec_equal(&sample_layout, &value, &wanted));
    assert_true(value.note.data == golden + 22); /* borrowed */
    wanted.middle++;
    assert_false(codec_equal(&sample_layout, &value, &wanted));
    wanted = sample_value();
    wanted.rest = slice_text("x");
    assert_false(codec_equal(&sample_layout, &value, &wanted));
}

static void bytes_cut_anywhere_are_refused_with_the_field_named(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof golden; size++) {
        struct sample value = {.large = 77};
        struct reason why = {""};
        assert_int_equal(codec_decode(&sample_layout, slice_of(golden, size), &value, &why),
                         ERR_BAD_REQUEST);
        assert_non_null(strstr(why.text, size < 1    ? "tiny"
                                         : size < 3  ? "small"
                                         : size < 7  ? "middle"
                                         : size < 15 ? "large"
                                         : size < 18 ? "id"
                                         : size < 24 ? "note"
                                                     : "rest"));
        assert_int_equal(value.large, 77);
    }
}

static void bytes_after_the_end_are_refused(void **state)
{
    (void)state;
    uint8_t longer[sizeof golden + 1] = {0};
    struct sample value = {.large = 77};
    struct reason why;
    memcpy(longer, golden, sizeof golden);
    assert_int_equal(codec_decode(&sample_layout, slice_of(longer, sizeof longer), &value, &why),
                     ERR_BAD_REQUEST);
    assert_int_equal(value.large, 77);
    size_t used = 0;
    assert_int_equal(
        codec_decode_prefix(&sample_layout, slice_of(longer, sizeof longer), &value, &used, &why),
        0);
    assert_int_equal(used, sizeof golden);
}

static void a_length_over_its_limit_is_refused_both_ways(void **state)
{
    (void)state;
    uint8_t bytes[sizeof golden + 8];
    struct sample value = sample_value();
    struct buffer out = {0};
    struct reason why;
    memcpy(bytes, golden, sizeof golden);
    bytes[21] = 6; /* six bytes of note would be there */
    assert_int_equal(codec_decode(&sample_layout, slice_of(bytes, sizeof bytes), &value, &why),
                     ERR_BAD_REQUEST);
    assert_non_null(strstr(why.text, "note"));
    memset(bytes + 18, 255, 4);
    assert_int_equal(codec_decode(&sample_layout, slice_of(bytes, sizeof bytes), &value, &why),
                     ERR_BAD_REQUEST);
    value.note = slice_text("longer");
    buffer_append_u8(&out, 9);
    assert_int_equal(codec_encode(&sample_layout, &value, &out), ERR_TOO_LARGE);
    assert_int_equal(out.size, 1); /* nothing appended */
    buffer_free(&out);
}

static void a_value_prints_its_fields_by_name(void **state)
{
    (void)state;
    struct sample value = sample_value();
    struct buffer out = {0};
    value.rest = slice_text("0123456789abcdefXYZ");
    codec_print(&sample_layout, &value, &out);
    buffer_append_u8(&out, 0);
    assert_string_equal(
        (const char *)out.data,
        "sample{tiny=1 small=515 middle=67438087 large=579005069656919567 id=696421 "
        "note=686f rest=30313233343536373839616263646566…}");
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_has_these_bytes),
        cmocka_unit_test(these_bytes_have_that_value),
        cmocka_unit_test(bytes_cut_anywhere_are_refused_with_the_field_named),
        cmocka_unit_test(bytes_after_the_end_are_refused),
        cmocka_unit_test(a_length_over_its_limit_is_refused_both_ways),
        cmocka_unit_test(a_value_prints_its_fields_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
