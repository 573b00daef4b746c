/* What is typed after a slash, and what Tab makes of it. */
#include "client/chat_commands.h"
#include "client/chat_room.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void assert_read(const char *line, enum chat_line wanted, const char *command,
                        const char *rest)
{
    const struct chat_command *found = NULL;
    struct slice left;
    assert_int_equal(chat_command_read(slice_text(line), &found, &left), wanted);
    if (command)
        assert_string_equal(found->name, command);
    assert_true(slice_is(left, rest));
}

static void a_slash_makes_a_command_and_two_a_text(void **state)
{
    (void)state;
    assert_read("hello /join", CHAT_LINE_TEXT, NULL, "hello /join");
    assert_read("//join us", CHAT_LINE_TEXT, NULL, "/join us");
    assert_read("/join  abc \n", CHAT_LINE_COMMAND, "join", "abc");
    assert_read("/quit", CHAT_LINE_COMMAND, "quit", "");
    assert_read("/edit\nnew text", CHAT_LINE_COMMAND, "edit", "new text");
    assert_read("/joi abc", CHAT_LINE_UNKNOWN, NULL, "joi");
    assert_read("/", CHAT_LINE_UNKNOWN, NULL, "");
    assert_read(" \n ", CHAT_LINE_EMPTY, NULL, " \n ");
    assert_read("  indented", CHAT_LINE_TEXT, NULL, "  indented");
}

static void every_command_is_complete_and_in_the_help(void **state)
{
    (void)state;
    struct buffer help = {0};
    chat_help(&help);
    for (const struct chat_command *c = chat_commands; c->name; c++) {
        char name[32] = "/";
        assert_non_null(c->run);
        assert_ptr_equal(chat_command_find(slice_text(c->name)), c);
        assert_true(!c->needs_args || *c->args);
        memcpy(name + 1, c->name, strlen(c->name));
        assert_non_null(memmem(help.data, help.size, name, strlen(name)));
        assert_non_null(memmem(help.data, help.size, c->doc, strlen(c->doc)));
    }
    buffer_free(&help);
}

static void a_word_may_stand_in_quotes(void **state)
{
    (void)state;
    struct slice rest;
    assert_true(slice_is(chat_first_word(slice_text(" one two "), &rest), "one"));
    assert_true(slice_is(rest, "two"));
    assert_true(slice_is(chat_first_word(slice_text("\"one two\" three"), &rest), "one two"));
    assert_true(slice_is(rest, "three"));
    assert_true(slice_is(chat_first_word(slice_text("\"open"), &rest), "\"open"));
    assert_true(slice_is(chat_first_word(slice_text(""), &rest), ""));
    assert_int_equal(rest.size, 0);
}

static void emoji_have_names(void **state)
{
    (void)state;
    assert_true(slice_is(chat_emoji_of(slice_text("+1")), "👍"));
    assert_true(slice_is(chat_emoji_of(slice_text(":tada:")), "🎉"));
    assert_true(slice_is(chat_emoji_of(slice_text("🦀")), "🦀"));
    assert_true(slice_is(chat_emoji_of(slice_text("::")), "::"));
}

static void a_mention_is_the_name_as_a_word(void **state)
{
    (void)state;
    assert_true(chat_room_mentions(slice_text("hi Ada!"), slice_text("ada")));
    assert_true(chat_room_mentions(slice_text("adam, ada"), slice_text("ada")));
    assert_false(chat_room_mentions(slice_text("Canada"), slice_text("ada")));
    assert_false(chat_room_mentions(slice_text("adaö"), slice_text("ada")));
    assert_false(chat_room_mentions(slice_text("ad"), slice_text("ada")));
    assert_false(chat_room_mentions(slice_text("anything"), slice_text("")));
}

/* --- Tab ------------------------------------------------------------------------------------- */

struct desk {
    struct chat_input input;
    struct chat_complete complete;
};

static int set_up(void **state)
{
    static struct desk desk;
    desk = (struct desk){0};
    *state = &desk;
    return 0;
}

static int tear_down(void **state)
{
    struct desk *desk = *state;
    chat_complete_end(&desk->complete);
    chat_input_free(&desk->input);
    return 0;
}

static bool tab(struct desk *desk, int step)
{
    static const char *const words[] = {"bob", "Bobby", "ada", "two words", NULL};
    if (!chat_complete_open(&desk->complete)) {
        chat_complete_begin(&desk->complete, &desk->input);
        for (size_t i = 0; words[i]; i++)
            chat_complete_offer(&desk->complete, &desk->input, slice_text(words[i]));
    }
    return chat_complete_step(&desk->complete, &desk->input, step);
}

static void type(struct desk *desk, const char *text)
{
    chat_complete_end(&desk->complete);
    assert_true(chat_input_insert(&desk->input, slice_text(text)));
}

#define assert_input(desk, wanted) assert_true(slice_is(chat_input_text(&(desk)->input), wanted))

static void a_single_word_is_put_in_for_good(void **state)
{
    struct desk *desk = *state;
    type(desk, "thanks a");
    assert_true(tab(desk, 1));
    assert_input(desk, "thanks ada ");
    assert_false(chat_complete_open(&desk->complete));
}

static void several_come_in_turn_and_then_what_was_typed(void **state)
{
    struct desk *desk = *state;
    type(desk, "b");
    assert_true(tab(desk, 1));
    assert_input(desk, "Bobby: ");
    assert_true(tab(desk, 1));
    assert_input(desk, "bob: ");
    assert_true(tab(desk, 1));
    assert_input(desk, "b");
    assert_true(tab(desk, -1));
    assert_input(desk, "bob: ");
    type(desk, "hello b");
    assert_true(tab(desk, 1));
    assert_input(desk, "bob: hello Bobby ");
}

static void what_follows_the_cursor_stays(void **state)
{
    struct desk *desk = *state;
    type(desk, "x a, you");
    for (int i = 0; i < 5; i++)
        chat_input_move(&desk->input, CHAT_LEFT);
    assert_true(tab(desk, 1));
    assert_input(desk, "x ada , you");
}

static void nothing_fits(void **state)
{
    struct desk *desk = *state;
    type(desk, "zz");
    assert_false(tab(desk, 1));
    assert_input(desk, "zz");
    assert_false(chat_complete_open(&desk->complete));
}

static void assert_what(const char *text, enum chat_word wanted, size_t wanted_start)
{
    struct chat_input input = {0};
    size_t start;
    assert_true(chat_input_insert(&input, slice_text(text)));
    assert_int_equal(chat_complete_what(&input, &start), wanted);
    assert_int_equal(start, wanted_start);
    chat_input_free(&input);
}

static void the_place_tells_what_may_stand_there(void **state)
{
    (void)state;
    assert_what("", CHAT_WORD_MEMBER, 0);
    assert_what("hello b", CHAT_WORD_MEMBER, 6);
    assert_what("/", CHAT_WORD_COMMAND, 1);
    assert_what("/ro", CHAT_WORD_COMMAND, 1);
    assert_what("/room ", CHAT_WORD_ROOM, 6);
    assert_what("/room two wo", CHAT_WORD_ROOM, 6);
    assert_what("/dm b", CHAT_WORD_MEMBER, 4);
    assert_what("/dm bob, as a", CHAT_WORD_MEMBER, 12);
    assert_what("/react t", CHAT_WORD_EMOJI, 7);
    assert_what("/unban x", CHAT_WORD_BANNED, 7);
    assert_what("/join x", CHAT_WORD_NONE, 6);
    assert_what("//b", CHAT_WORD_MEMBER, 0);
}

#define TAB(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slash_makes_a_command_and_two_a_text),
        cmocka_unit_test(every_command_is_complete_and_in_the_help),
        cmocka_unit_test(a_word_may_stand_in_quotes),
        cmocka_unit_test(emoji_have_names),
        cmocka_unit_test(a_mention_is_the_name_as_a_word),
        TAB(a_single_word_is_put_in_for_good),
        TAB(several_come_in_turn_and_then_what_was_typed),
        TAB(what_follows_the_cursor_stays),
        TAB(nothing_fits),
        cmocka_unit_test(the_place_tells_what_may_stand_there),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
