#include "base/utf8.h"
#include "client/chat_input.h"

#include "base/limits.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static int fresh(void **state)
{
    static struct chat_input input;
    input = (struct chat_input){0};
    *state = &input;
    return 0;
}

static int free_input(void **state)
{
    chat_input_free(*state);
    return 0;
}

static void type(struct chat_input *input, const char *text)
{
    assert_true(chat_input_insert(input, slice_text(text)));
}

static void assert_text(struct chat_input *input, const char *wanted, size_t cursor)
{
    buffer_append_u8(&input->text, 0);
    input->text.size--;
    assert_string_equal((const char *)input->text.data, wanted);
    assert_int_equal(input->cursor, cursor);
}

static void whole_characters_are_stepped_over_and_taken_away(void **state)
{
    type(*state, "a👨\u200d👩e\u0301");
    chat_input_move(*state, CHAT_LEFT);
    assert_text(*state, "a👨\u200d👩e\u0301", 12);
    chat_input_kill(*state, CHAT_LEFT, false);
    assert_text(*state, "ae\u0301", 1);
    chat_input_kill(*state, CHAT_RIGHT, false);
    assert_text(*state, "a", 1);
    assert_false(chat_input_move(*state, CHAT_RIGHT));
}

static void only_text_comes_in(void **state)
{
    type(*state, "a\x1b[1m\r\nb\rc\td\x7f\xff\xc2\x85");
    assert_text(*state, "a[1m\nb\nc    d", 13);
}

static void too_much_is_cut_at_a_character(void **state)
{
    struct buffer large = {0};
    struct chat_input *input = *state;
    buffer_append_u8(&large, 'x');
    while (large.size < 2 * CHAT_INPUT_BYTES_MAX)
        buffer_append_slice(&large, slice_text("漢"));
    assert_false(chat_input_insert(input, buffer_slice(&large)));
    assert_in_range(input->text.size, CHAT_INPUT_BYTES_MAX - 2, CHAT_INPUT_BYTES_MAX);
    assert_true(utf8_is(chat_input_text(input)));
    buffer_free(&large);
}

static void words_and_lines_are_cut_and_put_back(void **state)
{
    type(*state, "one two  three");
    chat_input_kill(*state, CHAT_WORD_LEFT, true);
    assert_text(*state, "one two  ", 9);
    chat_input_kill(*state, CHAT_WORD_LEFT, true);
    assert_text(*state, "one ", 4);
    chat_input_yank(*state);
    assert_text(*state, "one two  ", 9);
    chat_input_move(*state, CHAT_LINE_START);
    chat_input_move(*state, CHAT_WORD_RIGHT);
    chat_input_kill(*state, CHAT_LINE_END, true);
    assert_text(*state, "one", 3);
    chat_input_kill(*state, CHAT_LINE_START, true);
    assert_text(*state, "", 0);
    chat_input_yank(*state);
    assert_text(*state, "one", 3);
}

static void lines_are_walked_up_and_down(void **state)
{
    type(*state, "漢字x\nab\nlast");
    assert_true(chat_input_move(*state, CHAT_LINE_UP));
    assert_text(*state, "漢字x\nab\nlast", 10); /* the line is shorter */
    assert_true(chat_input_move(*state, CHAT_LINE_UP));
    assert_text(*state, "漢字x\nab\nlast", 6);
    assert_false(chat_input_move(*state, CHAT_LINE_UP));
    assert_true(chat_input_move(*state, CHAT_LINE_DOWN));
    assert_text(*state, "漢字x\nab\nlast", 10);
}

static void what_was_sent_can_be_had_again(void **state)
{
    struct chat_input *input = *state;
    assert_false(chat_input_recall(input, -1));
    type(input, "first");
    chat_input_sent(input);
    type(input, "second");
    chat_input_sent(input);
    type(input, "second");
    chat_input_sent(input);
    type(input, "draft");
    assert_true(chat_input_recall(input, -1));
    assert_text(input, "second", 6);
    assert_true(chat_input_recall(input, -1));
    assert_text(input, "first", 5);
    assert_false(chat_input_recall(input, -1));
    assert_true(chat_input_recall(input, 1));
    assert_true(chat_input_recall(input, 1));
    assert_text(input, "draft", 5);
    assert_false(chat_input_recall(input, 1));
}

static void the_past_has_a_limit(void **state)
{
    struct chat_input *input = *state;
    for (unsigned i = 0; i < CHAT_PAST_MAX + 10; i++) {
        uint8_t text[2] = {(uint8_t)('a' + i % 26), (uint8_t)('a' + i / 26)};
        assert_true(chat_input_insert(input, slice_of(text, 2)));
        chat_input_sent(input);
    }
    unsigned steps = 0;
    while (chat_input_recall(input, -1))
        steps++;
    assert_int_equal(steps, CHAT_PAST_MAX);
    assert_text(input, "ka", 2); /* the eleventh */
}

static void assert_rows(const struct chat_input *input, size_t columns, const char *wanted,
                        size_t row, size_t column)
{
    struct buffer rows = {0};
    struct chat_input_view view = chat_input_lay(input, columns, &rows);
    buffer_append_u8(&rows, 0);
    assert_string_equal((const char *)rows.data, wanted);
    size_t lines = 0;
    for (size_t i = 0; i < rows.size; i++)
        lines += rows.data[i] == '\n';
    assert_int_equal(view.rows, lines);
    assert_int_equal(view.cursor_row, row);
    assert_int_equal(view.cursor_column, column);
    buffer_free(&rows);
}

static void the_cursor_is_where_the_next_character_will_be(void **state)
{
    struct chat_input *input = *state;
    assert_rows(input, 4, "\n", 0, 0);
    type(input, "ab漢");
    assert_rows(input, 5, "ab漢\n", 0, 4);
    assert_rows(input, 4, "ab漢\n\n", 1, 0); /* the cursor has no room behind it */
    chat_input_move(input, CHAT_LEFT);
    assert_rows(input, 4, "ab漢\n", 0, 2);
    assert_rows(input, 3, "ab\n漢\n", 1, 0);
    chat_input_move(input, CHAT_LINE_END);
    type(input, "\nx");
    assert_rows(input, 8, "ab漢\nx\n", 1, 1);
}

static void completion_replaces_the_word(void **state)
{
    type(*state, "hello ad, you");
    for (int i = 0; i < 5; i++)
        chat_input_move(*state, CHAT_LEFT);
    chat_input_replace(*state, 6, slice_text("ada"));
    assert_text(*state, "hello ada, you", 9);
}

static void completion_keeps_the_limit(void **state)
{
    struct chat_input *input = *state;
    struct buffer large = {0};
    while (large.size < CHAT_INPUT_BYTES_MAX - 1)
        buffer_append_u8(&large, 'x');
    assert_true(chat_input_insert(input, buffer_slice(&large)));
    assert_false(chat_input_replace(input, input->cursor - 1, slice_text("xyz")));
    assert_int_equal(input->text.size, CHAT_INPUT_BYTES_MAX - 1);
    assert_true(chat_input_replace(input, input->cursor - 1, slice_text("xy")));
    buffer_append(&large, "xyz", 3);
    chat_input_set(input, buffer_slice(&large)); /* as an older, longer text is had again */
    assert_false(chat_input_insert(input, slice_text("a")));
    chat_input_yank(input);
    assert_int_equal(input->text.size, CHAT_INPUT_BYTES_MAX + 2);
    buffer_free(&large);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, free_input)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whole_characters_are_stepped_over_and_taken_away),
        TEST(only_text_comes_in),
        TEST(too_much_is_cut_at_a_character),
        TEST(words_and_lines_are_cut_and_put_back),
        TEST(lines_are_walked_up_and_down),
        TEST(what_was_sent_can_be_had_again),
        TEST(the_past_has_a_limit),
        TEST(the_cursor_is_where_the_next_character_will_be),
        TEST(completion_replaces_the_word),
        TEST(completion_keeps_the_limit),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
