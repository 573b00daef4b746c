#include "base/utf8.h"
#include "client/chat_text.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void assert_cleaned(struct slice raw, enum chat_lines_kept lines, const char *wanted)
{
    struct buffer out = {0};
    chat_text_clean(raw, lines, &out);
    buffer_append_u8(&out, 0);
    assert_string_equal((const char *)out.data, wanted);
    buffer_free(&out);
}

static void control_characters_never_pass(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 0xa0; c = c == 0x1f ? 0x7f : c + 1) {
        uint8_t two[2] = {0xc2, (uint8_t)c};
        if (c == '\n' || c == '\t')
            continue;
        assert_cleaned(c < 0x80 ? slice_of(two + 1, 1) : slice_of(two, 2), CHAT_LINES_KEPT,
                       "\ufffd");
    }
    assert_cleaned(slice_text("\x1b[31mred\x1b]0;title\a"), CHAT_LINES_KEPT,
                   "\ufffd[31mred\ufffd]0;title\ufffd");
}

static void bytes_that_are_no_utf8_are_marked_each(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"a\xff", "a\ufffd"},
        {"\xc3(", "\ufffd("},
        {"\xc0\x80", "\ufffd\ufffd"},
        {"\xe2\x82", "\ufffd\ufffd"},
        {"\xed\xa0\x80", "\ufffd\ufffd\ufffd"}, /* half of a surrogate pair */
        {"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_cleaned(slice_text(rows[i][0]), CHAT_LINES_KEPT, rows[i][1]);
}

static void lines_stay_or_become_blanks(void **state)
{
    (void)state;
    assert_cleaned(slice_text("a\r\nb\nc\u2028d"), CHAT_LINES_KEPT, "a\nb\nc\nd");
    assert_cleaned(slice_text("a\r\nb\nc\u2029d"), CHAT_ONE_LINE, "a b c d");
    assert_cleaned(slice_text("a\rb"), CHAT_LINES_KEPT, "a\ufffd\x62");
    assert_cleaned(slice_text("a\tb"), CHAT_ONE_LINE, "a    b");
}

static void nothing_turns_the_direction_of_writing(void **state)
{
    (void)state;
    assert_cleaned(slice_text("a\u202e\u2066\u200f\u061c\ufeff\u200b\U000e0041b\u2069\u202c"),
                   CHAT_ONE_LINE, "ab");
}

static void what_terminals_measure_differently_is_left_out(void **state)
{
    (void)state;
    assert_cleaned(slice_text("👨\u200d👩\u200d👧"), CHAT_ONE_LINE, "👨👩👧");
    assert_cleaned(slice_text("👍🏽"), CHAT_ONE_LINE, "👍");
    assert_cleaned(slice_text("❤\ufe0f"), CHAT_ONE_LINE, "❤");
    /* In Devanagari and Persian joiners mean something. */
    assert_cleaned(slice_text("क्\u200dष"), CHAT_ONE_LINE, "क्\u200dष");
    assert_cleaned(slice_text("می\u200cخواهم"), CHAT_ONE_LINE, "می\u200cخواهم");
}

static void marks_on_a_character_have_a_limit(void **state)
{
    (void)state;
    assert_cleaned(slice_text("a\u0301\u0302\u0303\u0304\u0305\u0306"), CHAT_ONE_LINE,
                   "a\u0301\u0302\u0303\u0304");
    assert_cleaned(slice_text("\u0301"), CHAT_ONE_LINE, "\u25cc\u0301");
}

static void cleaning_twice_is_cleaning_once(void **state)
{
    (void)state;
    const char *seed = getenv("SEED");
    unsigned dice = seed ? (unsigned)strtoul(seed, NULL, 10) : 20261121;
    print_message("SEED=%u\n", dice);
    for (int round = 0; round < 20000; round++) {
        struct buffer raw = {0}, once = {0}, twice = {0};
        for (int i = 0; i < 12; i++) {
            static const uint32_t from[] = {0, 0x300, 0x200c, 0x1f1e6, 0x1f3fb, 0x1f466, 0x4e00};
            dice = dice * 1103515245u + 12345u;
            utf8_append(&raw, from[(dice >> 16) % 7] + (dice >> 24) % 40);
        }
        chat_text_clean(buffer_slice(&raw), CHAT_LINES_KEPT, &once);
        chat_text_clean(buffer_slice(&once), CHAT_LINES_KEPT, &twice);
        assert_true(slice_equal(buffer_slice(&once), buffer_slice(&twice)));
        buffer_free(&raw);
        buffer_free(&once);
        buffer_free(&twice);
    }
}

static void the_cursor_steps_over_what_people_see_as_one(void **state)
{
    (void)state;
    static const char *const characters[] = {"a",  "e\u0301", "漢",       "👨\u200d👩\u200d👧",
                                             "🇩🇪", "🇫🇷",      "👍🏽", "❤\ufe0f",
                                             "\n", " ",       "क्\u200d"};
    enum { N = sizeof characters / sizeof characters[0] };
    struct buffer text = {0};
    size_t starts[N + 1] = {0};
    for (size_t i = 0; i < N; i++) {
        buffer_append_slice(&text, slice_text(characters[i]));
        starts[i + 1] = text.size;
    }
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(chat_text_next(buffer_slice(&text), starts[i]), starts[i + 1]);
        assert_int_equal(chat_text_before(buffer_slice(&text), starts[i + 1]), starts[i]);
    }
    buffer_free(&text);
}

static void columns_are_those_of_the_terminal(void **state)
{
    (void)state;
    assert_int_equal(chat_text_columns(slice_text("abc")), 3);
    assert_int_equal(chat_text_columns(slice_text("e\u0301")), 1);
    assert_int_equal(chat_text_columns(slice_text("漢字")), 4);
    assert_int_equal(chat_text_columns(slice_text("😀!")), 3);
    assert_int_equal(chat_text_fit(slice_text("漢字"), 3), 3);
    assert_int_equal(chat_text_fit(slice_text("e\u0301x"), 1), 3);
}

static void what_is_cut_ends_in_an_ellipsis(void **state)
{
    (void)state;
    static const struct {
        const char *text, *cut;
        size_t columns;
    } rows[] = {{"hello", "hello", 5}, {"hello", "hel…", 4}, {"漢字", "漢…", 3},
                {"漢字", "…", 2},      {"hello", "…", 1},    {"hello", "", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer out = {0};
        size_t columns = chat_text_cut(slice_text(rows[i].text), rows[i].columns, &out);
        assert_true(columns <= rows[i].columns);
        assert_int_equal(columns, chat_text_columns(buffer_slice(&out)));
        assert_true(slice_is(buffer_slice(&out), rows[i].cut));
        buffer_free(&out);
    }
}

/* The lines with a | between. */
static void assert_wrapped(const char *text, size_t columns, const char *wanted)
{
    struct buffer out = {0};
    struct slice rest = slice_text(text);
    while (rest.size) {
        size_t next, size = chat_text_wrap(rest, columns, &next);
        assert_in_range(next, 1, rest.size);
        buffer_append(&out, rest.data, size);
        rest = slice_after(rest, next);
        if (rest.size)
            buffer_append_u8(&out, '|');
    }
    buffer_append_u8(&out, 0);
    assert_string_equal((const char *)out.data, wanted);
    buffer_free(&out);
}

static void lines_break_between_words(void **state)
{
    (void)state;
    assert_wrapped("one two three", 7, "one two|three");
    assert_wrapped("one two three", 8, "one two|three");
    assert_wrapped("one  two", 4, "one|two");
    assert_wrapped("longer-than-a-line", 6, "longer|-than-|a-line");
    assert_wrapped("a longer-than", 6, "a|longer|-than");
    assert_wrapped("a\n\nb", 6, "a||b");
    assert_wrapped("     {", 3, "   |{"); /* found by text_fuzz */
    assert_wrapped("漢字漢字", 5, "漢字|漢字");
    assert_wrapped("ab 漢字", 6, "ab 漢|字");
    assert_wrapped("   indented", 8, "   inden|ted");
    assert_wrapped("a    \nb", 4, "a   |b"); /* found by tests/fuzz/text_fuzz.c */
    assert_wrapped("a    ", 4, "a   ");
    assert_wrapped("      ", 4, "    ");
    assert_wrapped("漢", 1, "漢");
    assert_wrapped("e\u0301e\u0301e\u0301", 2, "e\u0301e\u0301|e\u0301");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_never_pass),
        cmocka_unit_test(bytes_that_are_no_utf8_are_marked_each),
        cmocka_unit_test(lines_stay_or_become_blanks),
        cmocka_unit_test(nothing_turns_the_direction_of_writing),
        cmocka_unit_test(what_terminals_measure_differently_is_left_out),
        cmocka_unit_test(marks_on_a_character_have_a_limit),
        cmocka_unit_test(cleaning_twice_is_cleaning_once),
        cmocka_unit_test(the_cursor_steps_over_what_people_see_as_one),
        cmocka_unit_test(columns_are_those_of_the_terminal),
        cmocka_unit_test(what_is_cut_ends_in_an_ellipsis),
        cmocka_unit_test(lines_break_between_words),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
