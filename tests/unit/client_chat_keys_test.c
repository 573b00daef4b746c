/* What keys do where there is no room. */
#include "base/limits.h"
#include "client/chat.h"
#include "client/chat_screen.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static int fresh(void **state)
{
    static struct chat chat;
    chat = (struct chat){0};
    *state = &chat;
    return 0;
}

static int free_chat(void **state)
{
    struct chat *chat = *state;
    chat_input_free(&chat->input);
    return 0;
}

static void press(struct chat *chat, enum chat_key_kind kind, uint32_t point)
{
    chat_on_key(chat, &(struct chat_key){.kind = kind, .point = point});
}

static void assert_input(const struct chat *chat, const char *wanted)
{
    assert_true(slice_is(chat_input_text(&chat->input), wanted));
}

static void what_is_pasted_is_text(void **state)
{
    struct chat *chat = *state;
    press(chat, CHAT_KEY_PASTE, 0);
    press(chat, CHAT_KEY_TEXT, 'a');
    press(chat, CHAT_KEY_ENTER, 0);
    press(chat, CHAT_KEY_TEXT, 'b');
    press(chat, CHAT_KEY_CONTROL, 'j');
    press(chat, CHAT_KEY_PASTE_END, 0);
    assert_input(chat, "a\nb\n");
    assert_false(chat->pasting);
}

static void a_paste_whose_end_is_lost_does_not_lock_the_chat(void **state)
{
    struct chat *chat = *state;
    press(chat, CHAT_KEY_PASTE, 0);
    press(chat, CHAT_KEY_TEXT, 'a');
    press(chat, CHAT_KEY_CONTROL, 'u');
    assert_input(chat, "");
    assert_false(chat->pasting);
    press(chat, CHAT_KEY_PASTE, 0);
    press(chat, CHAT_KEY_CONTROL, 'c');
    assert_true(chat->quit);
}

static void a_while_without_keys_ends_a_paste(void **state)
{
    struct chat *chat = *state;
    press(chat, CHAT_KEY_PASTE, 0);
    press(chat, CHAT_KEY_TEXT, 'a');
    chat->pasted_at_ms -= 1000;
    press(chat, CHAT_KEY_BACKSPACE, 0);
    assert_input(chat, "");
}

static void keys_with_control_act_on_the_line(void **state)
{
    struct chat *chat = *state;
    for (const char *c = "one two"; *c; c++)
        press(chat, CHAT_KEY_TEXT, (uint8_t)*c);
    press(chat, CHAT_KEY_CONTROL, 'w');
    assert_input(chat, "one ");
    press(chat, CHAT_KEY_CONTROL, 'a');
    press(chat, CHAT_KEY_CONTROL, 'y');
    assert_input(chat, "twoone ");
    press(chat, CHAT_KEY_LEFT, 0);
    press(chat, CHAT_KEY_CONTROL, 'd');
    assert_input(chat, "twone ");
    press(chat, CHAT_KEY_CONTROL, 'k');
    assert_input(chat, "tw");
    press(chat, CHAT_KEY_CONTROL, 'u');
    press(chat, CHAT_KEY_CONTROL, 'd');
    assert_true(chat->quit);
}

static void a_note_is_gone_with_the_key_after_it_was_read(void **state)
{
    struct chat *chat = *state;
    chat_note(chat, true, "it cannot be done");
    press(chat, CHAT_KEY_TEXT, 'a'); /* of who is quick */
    assert_string_equal(chat->note, "it cannot be done");
    chat->noted_at_ms -= CHAT_NOTE_MS;
    press(chat, CHAT_KEY_TEXT, 'b');
    assert_string_equal(chat->note, "");
    assert_false(chat->note_bad);
    assert_input(chat, "ab");
}

static void a_note_that_nobody_reads_goes_by_itself(void **state)
{
    struct chat *chat = *state;
    chat_note(chat, false, "done");
    chat_drop_note(chat, CHAT_NOTE_MS_MAX);
    assert_string_equal(chat->note, "done");
    chat->dirty = false;
    chat->noted_at_ms -= CHAT_NOTE_MS_MAX;
    chat_drop_note(chat, CHAT_NOTE_MS_MAX);
    assert_string_equal(chat->note, "");
    assert_true(chat->dirty);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, free_chat)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_pasted_is_text),
        TEST(a_paste_whose_end_is_lost_does_not_lock_the_chat),
        TEST(keys_with_control_act_on_the_line),
        TEST(a_while_without_keys_ends_a_paste),
        TEST(a_note_is_gone_with_the_key_after_it_was_read),
        TEST(a_note_that_nobody_reads_goes_by_itself),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
