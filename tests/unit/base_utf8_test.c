#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* RFC 3629, section 3: the first and the last of each length, and beside what is none. */
static const struct {
    uint32_t point;
    const char *bytes;
} points[] = {
    {0x1, "\x01"},
    {0x41, "A"},
    {0x7f, "\x7f"},
    {0x80, "\xc2\x80"},
    {0x7ff, "\xdf\xbf"},
    {0x800, "\xe0\xa0\x80"},
    {0xd7ff, "\xed\x9f\xbf"},
    {0xe000, "\xee\x80\x80"},
    {0xfffd, "\xef\xbf\xbd"},
    {0xffff, "\xef\xbf\xbf"},
    {0x10000, "\xf0\x90\x80\x80"},
    {0x1f600, "\xf0\x9f\x98\x80"},
    {0x10ffff, "\xf4\x8f\xbf\xbf"},
};

static void bytes_are_read_as_the_point_that_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        uint32_t point = 0;
        struct slice bytes = slice_text(points[i].bytes);
        assert_int_equal(utf8_point(bytes, &point), bytes.size);
        assert_int_equal(point, points[i].point);
        assert_true(utf8_is(bytes));
    }
    assert_true(utf8_is(slice_of("", 0)));
    assert_true(utf8_is(slice_text("größe 漢字 😀")));
    assert_true(utf8_is(slice_of("a\0b", 3)));
}

static void every_code_point_goes_there_and_back(void **state)
{
    (void)state;
    struct buffer out = {0};
    for (uint32_t point = 0; point <= 0x110100; point++) {
        uint32_t found = 0;
        bool is = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
        buffer_clear(&out);
        utf8_append(&out, point);
        assert_int_equal(out.size > 0, is);
        if (is)
            assert_int_equal(utf8_point(buffer_slice(&out), &found), out.size);
        assert_int_equal(found, is ? point : 0);
    }
    buffer_free(&out);
}

static void what_is_no_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "\x80",             /* goes on what has not begun */
        "\xbf",             /* the same */
        "\xc3",             /* ends early */
        "\xe2\x82",         /* the same */
        "\xf0\x9f\x98",     /* the same */
        "\xc3(",            /* goes on with what does not */
        "\xe2\x28\xa1",     /* the same */
        "\xc0\xaf",         /* longer than need be */
        "\xc1\xbf",         /* the same */
        "\xe0\x80\xaf",     /* the same */
        "\xe0\x9f\xbf",     /* the same */
        "\xf0\x8f\xbf\xbf", /* the same */
        "\xed\xa0\x80",     /* surrogates */
        "\xed\xbf\xbf",     /* the same */
        "\xf4\x90\x80\x80", /* past the last */
        "\xf7\xbf\xbf\xbf", /* the same */
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t point = 7;
        assert_int_equal(utf8_point(slice_text(rows[i]), &point), 0);
        assert_int_equal(point, 7);
        assert_false(utf8_is(slice_text(rows[i])));
    }
    assert_false(utf8_is(slice_text("good\xff")));
}

static void a_point_is_among_ranges_with_both_their_ends(void **state)
{
    (void)state;
    static const struct utf8_range ranges[] = {{'b', 'd'}, {0x1f600, 0x1f600}};
    static const uint32_t in[] = {'b', 'c', 'd', 0x1f600}, out[] = {'a', 'e', 0, 0x1f5ff, 0x1f601};
    for (size_t i = 0; i < sizeof in / sizeof in[0]; i++)
        assert_true(utf8_among(in[i], ranges, 2));
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++)
        assert_false(utf8_among(out[i], ranges, 2));
    assert_false(utf8_among('c', ranges, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_read_as_the_point_that_they_are),
        cmocka_unit_test(every_code_point_goes_there_and_back),
        cmocka_unit_test(what_is_no_utf8_is_refused),
        cmocka_unit_test(a_point_is_among_ranges_with_both_their_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
