/* Other people's text on a terminal. */
#include "client/safe_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(struct weir_bytes text, const char *wanted)
{
    char *printed;
    size_t size;
    FILE *out = open_memstream(&printed, &size);
    safe_text_print(out, text);
    fclose(out);
    assert_string_equal(printed, wanted);
    free(printed);
}

static void what_people_write_stays_as_it_is(void **state)
{
    (void)state;
    static const char *const texts[] = {"",         "hello",  "Zoë — naïve",        "日本語",
                                        "👍🏽", "❤️", "👩‍👩‍👧", "עברית"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        expect(weir_text(texts[i]), texts[i]);
        assert_true(safe_text_is(weir_text(texts[i])));
    }
}

static void what_moves_a_terminal_is_escaped(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"\033[31mred", "\\x1b[31mred"},          /* colours */
        {"\033]0;title\a", "\\x1b]0;title\\x07"}, /* the window's title */
        {"a\rb\bc\x7f", "a\\x0db\\x08c\\x7f"},    /* writing over what stands there */
        {"two\nlines\t", "two\\x0alines\\x09"},
        {"\xc2\x9b"
         "31m",
         "\\x9b31m"},                  /* CSI as C1 */
        {"a\xe2\x80\x8b", "a\\u200b"}, /* no width: two names that look the same */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(weir_text(rows[i].text), rows[i].wanted);
        assert_false(safe_text_is(weir_text(rows[i].text)));
    }
}

/* What takes no place: two names or words that look the same. */
static void what_nobody_sees_is_escaped(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"a\xc2\xad", "a\\xad"},
        {"a\xd8\x9c", "a\\u061c"},
        {"a\xe1\xa0\x8e", "a\\u180e"},
        {"a\xe2\x80\x8e\xe2\x80\x8f", "a\\u200e\\u200f"},
        {"a\xef\xb8\x80\xef\xb8\x8e", "a\\ufe00\\ufe0e"},
        {"a\xef\xbf\xb9\xef\xbf\xbb", "a\\ufff9\\ufffb"},
        {"a\xf3\xa0\x81\xa1", "a\\U000e0061"},
        {"a\xf3\xa0\x84\x80\xf3\xa0\xbf\xbf", "a\\U000e0100\\U000e0fff"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(weir_text(rows[i].text), rows[i].wanted);
        assert_false(safe_text_is(weir_text(rows[i].text)));
    }
}

static void what_turns_the_direction_of_writing_is_escaped(void **state)
{
    (void)state;
    static const char override[] = {'\xe2', '\x80', '\xae', 'g', 'n', 'p', 0};
    static const char isolate[] = {'\xe2', '\x81', '\xa6', 'x', 0};
    expect(weir_text(override), "\\u202egnp");
    expect(weir_text(isolate), "\\u2066x");
}

static void what_is_no_utf8_is_escaped_byte_by_byte(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"\xff\xfe", "\\xff\\xfe"},
        {"\xc3", "\\xc3"},                            /* cut */
        {"\xe2\x80", "\\xe2\\x80"},                   /* cut */
        {"\xc0\x9b", "\\xc0\\x9b"},                   /* ESC, overlong */
        {"\xe0\x80\x9b", "\\xe0\\x80\\x9b"},          /* the same */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* a surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* past the last */
        {"\x9b"
         "31m",
         "\\x9b31m"},
        {"\xc3\x1b", "\\xc3\\x1b"}, /* what follows a cut one is looked at */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(weir_text(rows[i].text), rows[i].wanted);
    expect((struct weir_bytes){"a\0b", 3}, "a\\x00b");
}

/* Whatever the bytes are, what comes out has no control and is walked to its end. */
static void no_bytes_get_a_control_through(void **state)
{
    (void)state;
    uint32_t seed = 20261121;
    print_message("seed %u\n", seed);
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[12];
        char piece[SAFE_TEXT_PIECE];
        size_t size = (size_t)round % sizeof bytes + 1, at = 0;
        for (size_t i = 0; i < size; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = (uint8_t)(seed >> 24);
        }
        while (at < size) {
            size_t n = safe_text_next((struct weir_bytes){bytes, size}, at, piece, NULL);
            assert_true(n >= 1 && n <= size - at);
            at += n;
            for (const char *c = piece; *c; c++)
                assert_true((uint8_t)*c >= 0x20 && *c != 0x7f);
            assert_false(piece[0] == '\xc2' && (uint8_t)piece[1] < 0xa0);
        }
    }
}

static void a_line_is_one_line_and_is_cut_between_characters(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
        size_t room;
    } rows[] = {
        {"  two\n words ", "two words", 64},
        {"", "", 8},
        {" \t\n", "", 8},
        {"abcdefgh", "abcdefgh", 9},
        {"abcdefghi", "abcde…", 9},
        {"éééé", "éé…", 8},
        {"\033\033\033", "\\x1b…", 9},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[64];
        safe_text_line(weir_text(rows[i].text), line, rows[i].room);
        assert_string_equal(line, rows[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_people_write_stays_as_it_is),
        cmocka_unit_test(what_moves_a_terminal_is_escaped),
        cmocka_unit_test(what_nobody_sees_is_escaped),
        cmocka_unit_test(what_turns_the_direction_of_writing_is_escaped),
        cmocka_unit_test(what_is_no_utf8_is_escaped_byte_by_byte),
        cmocka_unit_test(no_bytes_get_a_control_through),
        cmocka_unit_test(a_line_is_one_line_and_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
