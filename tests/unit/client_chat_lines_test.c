/* Messages as screen lines, and what of them is in sight. */
#include "client/chat_flow.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#define NOON UINT64_C(1795269720000) /* 2026-11-21 14:02 UTC */

static void print_line(const struct chat_block *block, size_t line, struct buffer *out)
{
    struct chat_span span;
    for (size_t i = 0; chat_block_span(block, line, i, &span); i++)
        buffer_append_slice(out, span.text);
}

static void assert_lines(const struct chat_message *message, size_t columns, size_t names,
                         const char *wanted)
{
    struct chat_block block = {0};
    struct buffer out = {0};
    chat_block_lay(&block, message, columns, names);
    for (size_t i = 0; i < block.lines; i++) {
        size_t before = out.size;
        print_line(&block, i, &out);
        assert_true(chat_text_columns(slice_after(buffer_slice(&out), before)) <= columns);
        buffer_append_u8(&out, '\n');
    }
    buffer_append_u8(&out, 0);
    assert_string_equal((const char *)out.data, wanted);
    buffer_free(&out);
    chat_block_free(&block);
}

static struct chat_message said(const char *author, const char *text)
{
    return (struct chat_message){
        .time_ms = NOON, .author = slice_text(author), .text = slice_text(text)};
}

static void a_wide_screen_has_a_column_of_names(void **state)
{
    (void)state;
    struct chat_message m = said("ada", "a text that is broken between its words");
    assert_lines(&m, 40, 6,
                 "14:02    ada │ a text that is broken\n"
                 "             │ between its words\n");
    m.author = slice_text("漢字漢字漢字");
    assert_lines(&m, 60, 6, "14:02  漢字… │ a text that is broken between its words\n");
    m.grouped = true;
    assert_lines(&m, 60, 6, "14:02        │ a text that is broken between its words\n");
}

static void what_tells_a_name_from_another_is_not_cut_off(void **state)
{
    (void)state;
    struct chat_message m = said("annabelle~5Kxy", "hello");
    assert_lines(&m, 60, 10, "14:02 anna…~5Kxy │ hello\n");
    assert_lines(&m, 30, 0, "14:02 anna…~5Kxy: hello\n");
    m.author = slice_text("a~b~~5Kxy");
    assert_lines(&m, 60, 7, "14:02 a…~5Kxy │ hello\n");
    m.author = slice_text("~5KxyAbcd");
    assert_lines(&m, 60, 7, "14:02 ~5KxyA… │ hello\n");
}

static void a_narrow_screen_has_names_before_the_text(void **state)
{
    (void)state;
    struct chat_message m = said("ada", "a text that is broken between its words");
    assert_lines(&m, 30, 0,
                 "14:02 ada: a text that is\n"
                 "  broken between its words\n");
}

static void escapes_of_others_do_not_pass(void **state)
{
    (void)state;
    struct chat_message m = said("\x1b[1mmallory\n", "\x1b]0;owned\a");
    m.is_reply = true;
    m.reply_author = slice_text("\x1b[2J");
    m.reply_text = slice_text("\x1b[H\u202e\n");
    m.reactions = &(struct chat_reaction){slice_text("\x1b"), 1, false};
    m.reaction_count = 1;
    assert_lines(&m, 60, 12,
                 "14:02 \ufffd[1mmallory  │ ↳ \ufffd[2J: \ufffd[H \n"
                 "                   │ \ufffd]0;owned\ufffd\n"
                 "                   │ \ufffd 1\n");
}

static void a_reply_shows_what_it_answers(void **state)
{
    (void)state;
    struct chat_message m = said("bob", "yes");
    m.is_reply = true;
    m.reply_author = slice_text("ada");
    m.reply_text = slice_text("shall we meet at the usual place\ntonight?");
    assert_lines(&m, 40, 4,
                 "14:02  bob │ ↳ ada: shall we meet at th…\n"
                 "           │ yes\n");
    m.reply_author = slice_of(NULL, 0);
    assert_lines(&m, 60, 4,
                 "14:02  bob │ ↳ a message that is not here any more\n"
                 "           │ yes\n");
}

static void what_happened_to_a_text_is_told(void **state)
{
    (void)state;
    struct chat_message m = said("ada", "hello");
    struct chat_reaction reactions[] = {{slice_text("👍"), 2, true}, {slice_text("🎉"), 1, false}};
    m.edited = true;
    assert_lines(&m, 60, 4, "14:02  ada │ hello (edited)\n");
    m.reactions = reactions;
    m.reaction_count = 2;
    assert_lines(&m, 60, 4,
                 "14:02  ada │ hello (edited)\n"
                 "           │ 👍 2  🎉 1\n");
    m.ahead = true;
    m.reaction_count = 0;
    m.edited = false;
    assert_lines(&m, 60, 4, "14:02  ada │ hello (dated ahead of now)\n");
    m.ahead = false;
    m.waiting = true;
    assert_lines(&m, 60, 4, "14:02  ada │ hello (waiting for the node)\n");
    assert_lines(&m, 30, 4,
                 "14:02  ada │ hello\n"
                 "           │ (waiting for the…\n");
    m.waiting = false;
    m.deleted = true;
    m.text = slice_of(NULL, 0);
    assert_lines(&m, 60, 4, "14:02  ada │ (deleted)\n");
}

static void rules_stand_above(void **state)
{
    (void)state;
    struct chat_message m = said("ada", "hello");
    m.first_of_day = m.first_unread = true;
    assert_lines(&m, 50, 4,
                 "──── Saturday, 21 November 2026 ──────────────────\n"
                 "──── new since you last looked ───────────────────\n"
                 "14:02  ada │ hello\n");
}

static void coming_going_and_private_words_are_told(void **state)
{
    (void)state;
    struct chat_message m = said("carol", "");
    m.kind = CHAT_JOINED;
    assert_lines(&m, 60, 6, "14:02      → │ carol came\n");
    m.kind = CHAT_LEFT_ROOM;
    assert_lines(&m, 40, 0, "14:02 ← carol left\n");
    m = said("carol", "psst");
    m.kind = CHAT_DIRECT;
    assert_lines(&m, 60, 6, "14:02  carol │ ✉ to you alone: psst\n");
    m.direct_to = slice_text("bob");
    assert_lines(&m, 60, 6, "14:02  carol │ ✉ to bob alone: psst\n");
}

static void a_blank_line_in_a_text_stays(void **state)
{
    (void)state;
    struct chat_message m = said("ada", "one\n\ntwo");
    assert_lines(&m, 60, 4,
                 "14:02  ada │ one\n"
                 "           │ \n"
                 "           │ two\n");
}

/* --- the flow -------------------------------------------------------------------------------- */

enum { ITEMS_MAX = 100, ROWS = 5 };

struct room {
    chat_flow_t *flow;
    struct chat_item items[ITEMS_MAX];
    size_t count;
    const char *texts[ITEMS_MAX]; /* by the first byte of the spot */
};

static void message_of(void *arg, const uint8_t *spot, struct chat_message *message)
{
    struct room *room = arg;
    static char text[16];
    snprintf(text, sizeof text, "m%u", spot[0]);
    *message = said("ada", room->texts[spot[0]] ? room->texts[spot[0]] : text);
}

/* A message at a place from 0; each half an hour later, so that none is grouped. */
static void add(struct room *room, uint8_t place)
{
    size_t i = room->count++;
    while (i > 0 && room->items[i - 1].spot[0] > place) {
        room->items[i] = room->items[i - 1];
        i--;
    }
    room->items[i] =
        (struct chat_item){.spot = {place}, .time_ms = NOON + place * 1800000u, .said = true};
    assert_int_equal(chat_flow_set(room->flow, room->items, room->count), 0);
}

static int set_up(void **state)
{
    static struct room room;
    room = (struct room){0};
    room.flow = chat_flow_new(message_of, &room);
    chat_flow_size(room.flow, ROWS, 40);
    for (uint8_t i = 0; i < 20; i += 2)
        add(&room, i);
    *state = &room;
    return 0;
}

static int tear_down(void **state)
{
    struct room *room = *state;
    chat_flow_destroy(&room->flow);
    return 0;
}

/* The texts in sight, without what stands left of them; * marks the chosen one. */
static void assert_sight(struct room *room, const char *wanted)
{
    struct chat_row rows[64];
    struct buffer out = {0}, line = {0};
    size_t n = chat_flow_rows(room->flow, rows);
    for (size_t i = 0; i < n; i++) {
        buffer_clear(&line);
        print_line(rows[i].block, rows[i].line, &line);
        buffer_append_u8(&line, 0);
        const char *text = (const char *)line.data, *colon = strstr(text, "ada: ");
        text = colon ? colon + 5 : strstr(text, "──") ? "--" : text + strspn(text, " ");
        buffer_append_slice(&out, slice_text(i ? " " : ""));
        buffer_append_slice(&out, slice_text(rows[i].chosen ? "*" : ""));
        buffer_append_slice(&out, slice_text(text));
    }
    buffer_append_u8(&out, 0);
    assert_string_equal((const char *)out.data, wanted);
    buffer_free(&out);
    buffer_free(&line);
}

static void the_newest_stays_in_sight(void **state)
{
    struct room *room = *state;
    assert_sight(room, "m10 m12 m14 m16 m18");
    add(room, 19);
    assert_sight(room, "m12 m14 m16 m18 m19");
    assert_true(chat_flow_at_end(room->flow));
}

static void one_more_message_costs_its_own_lines(void **state)
{
    struct room *room = *state;
    assert_sight(room, "m10 m12 m14 m16 m18");
    size_t laid = chat_flow_laid(room->flow);
    assert_int_equal(laid, ROWS); /* what is not in sight is not laid out */
    add(room, 19);
    assert_sight(room, "m12 m14 m16 m18 m19");
    assert_int_equal(chat_flow_laid(room->flow), laid + 1);
    chat_flow_touch(room->flow, (const uint8_t[CHAT_SPOT_BYTES]){16});
    assert_sight(room, "m12 m14 m16 m18 m19");
    assert_int_equal(chat_flow_laid(room->flow), laid + 2);
}

static void scrolled_back_the_place_is_kept(void **state)
{
    struct room *room = *state;
    chat_flow_scroll(room->flow, -3);
    assert_sight(room, "m4 m6 m8 m10 m12");
    add(room, 19); /* below */
    add(room, 5);  /* above: late from another node */
    assert_sight(room, "m5 m6 m8 m10 m12");
    assert_int_equal(chat_flow_came(room->flow), 1);
    chat_flow_scroll(room->flow, 2);
    assert_sight(room, "m8 m10 m12 m14 m16");
    chat_flow_to_end(room->flow);
    assert_sight(room, "m12 m14 m16 m18 m19");
    assert_int_equal(chat_flow_came(room->flow), 0);
}

static void scrolling_ends_at_both_ends(void **state)
{
    struct room *room = *state;
    chat_flow_scroll(room->flow, -1000);
    assert_sight(room, "-- m0 m2 m4 m6");
    chat_flow_to_start(room->flow);
    assert_sight(room, "-- m0 m2 m4 m6");
    chat_flow_scroll(room->flow, 1000);
    assert_sight(room, "m10 m12 m14 m16 m18");
    assert_true(chat_flow_at_end(room->flow));
}

static void a_long_message_is_scrolled_line_by_line(void **state)
{
    struct room *room = *state;
    room->texts[18] = "a\nb\nc\nd\ne\nf\ng";
    assert_sight(room, "c d e f g");
    chat_flow_scroll(room->flow, -1);
    assert_sight(room, "b c d e f");
    chat_flow_scroll(room->flow, -2);
    assert_sight(room, "m16 a b c d");
    chat_flow_size(room->flow, 3, 40);
    assert_sight(room, "b c d");
    chat_flow_scroll(room->flow, 3);
    assert_sight(room, "e f g");
}

static void fewer_than_fit_are_all_in_sight(void **state)
{
    struct room *room = *state;
    chat_flow_size(room->flow, 40, 40);
    assert_sight(room, "-- m0 m2 m4 m6 m8 m10 m12 m14 m16 m18");
    chat_flow_scroll(room->flow, -4);
    assert_sight(room, "-- m0 m2 m4 m6 m8 m10 m12 m14 m16 m18");
    assert_true(chat_flow_at_end(room->flow));
    assert_int_equal(chat_flow_set(room->flow, NULL, 0), 0);
    assert_sight(room, "");
}

static void texts_are_chosen_and_brought_in_sight(void **state)
{
    struct room *room = *state;
    assert_false(chat_flow_choose(room->flow, 1));
    assert_true(chat_flow_choose(room->flow, -1));
    assert_sight(room, "m10 m12 m14 m16 *m18");
    for (int i = 0; i < 5; i++)
        assert_true(chat_flow_choose(room->flow, -1));
    assert_sight(room, "*m8 m10 m12 m14 m16");
    assert_int_equal(chat_flow_chosen(room->flow)[0], 8);
    for (int i = 0; i < 5; i++)
        assert_true(chat_flow_choose(room->flow, 1));
    assert_sight(room, "m10 m12 m14 m16 *m18");
    assert_false(chat_flow_choose(room->flow, 1));
    assert_null(chat_flow_chosen(room->flow));
}

static void what_is_gone_is_not_chosen(void **state)
{
    struct room *room = *state;
    chat_flow_choose(room->flow, -1);
    room->count--;
    assert_int_equal(chat_flow_set(room->flow, room->items, room->count), 0);
    assert_null(chat_flow_chosen(room->flow));
    assert_sight(room, "m8 m10 m12 m14 m16");
}

static void a_rule_divides_what_is_new(void **state)
{
    struct room *room = *state;
    chat_flow_mark(room->flow, (const uint8_t[CHAT_SPOT_BYTES]){14});
    assert_sight(room, "m12 m14 -- m16 m18");
    chat_flow_mark(room->flow, NULL);
    assert_sight(room, "m10 m12 m14 m16 m18");
}

static void who_goes_on_is_not_named_again(void **state)
{
    struct room *room = *state;
    struct chat_row rows[ROWS];
    struct buffer line = {0};
    room->items[room->count - 1].time_ms = room->items[room->count - 2].time_ms + 1;
    assert_int_equal(chat_flow_set(room->flow, room->items, room->count), 0);
    assert_int_equal(chat_flow_rows(room->flow, rows), ROWS);
    print_line(rows[ROWS - 1].block, 0, &line);
    assert_null(memmem(line.data, line.size, "ada", 3));
    buffer_free(&line);
}

/* Three texts of ada's, of which the first names her. */
static void group_of_three(struct room *room)
{
    room->count = 0;
    for (uint8_t i = 0; i < 3; i++)
        room->items[room->count++] =
            (struct chat_item){.spot = {i}, .time_ms = NOON + i, .said = true};
    assert_int_equal(chat_flow_set(room->flow, room->items, room->count), 0);
}

static void assert_first_row(struct room *room, const char *wanted)
{
    struct chat_row rows[64];
    struct buffer line = {0};
    assert_true(chat_flow_rows(room->flow, rows) > 0);
    print_line(rows[0].block, rows[0].line, &line);
    buffer_append_u8(&line, 0);
    assert_string_equal((const char *)line.data, wanted);
    buffer_free(&line);
}

static void who_goes_on_is_named_where_the_screen_begins(void **state)
{
    struct room *room = *state;
    group_of_three(room);
    chat_flow_size(room->flow, 4, 60);
    assert_first_row(room, "──── Saturday, 21 November 2026 ────────────────────────────");
    chat_flow_size(room->flow, 2, 60);
    assert_first_row(room, "14:02        ada │ m1");
    size_t laid = chat_flow_laid(room->flow);
    chat_flow_scroll(room->flow, -1);
    assert_first_row(room, "14:02        ada │ m0");
    chat_flow_scroll(room->flow, 1);
    assert_first_row(room, "14:02        ada │ m1");
    assert_int_equal(chat_flow_laid(room->flow), laid);
    chat_flow_size(room->flow, 2, 40);
    assert_first_row(room, "14:02 ada: m1");
}

static void so_is_who_wrote_a_text_that_begins_above(void **state)
{
    struct room *room = *state;
    group_of_three(room);
    room->texts[2] = "one\ntwo\nthree";
    chat_flow_size(room->flow, 2, 60);
    assert_first_row(room, "             ada │ two");
    chat_flow_choose(room->flow, -1);
    struct chat_row rows[64];
    assert_int_equal(chat_flow_rows(room->flow, rows), 2);
    assert_true(rows[0].chosen && rows[1].chosen);
    chat_flow_to_end(room->flow);
    chat_flow_size(room->flow, 2, 40); /* no column for names, and no place beside the text */
    assert_first_row(room, "  two");
}

#define FLOW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wide_screen_has_a_column_of_names),
        cmocka_unit_test(what_tells_a_name_from_another_is_not_cut_off),
        cmocka_unit_test(a_narrow_screen_has_names_before_the_text),
        cmocka_unit_test(escapes_of_others_do_not_pass),
        cmocka_unit_test(a_reply_shows_what_it_answers),
        cmocka_unit_test(what_happened_to_a_text_is_told),
        cmocka_unit_test(rules_stand_above),
        cmocka_unit_test(coming_going_and_private_words_are_told),
        cmocka_unit_test(a_blank_line_in_a_text_stays),
        FLOW(the_newest_stays_in_sight),
        FLOW(one_more_message_costs_its_own_lines),
        FLOW(scrolled_back_the_place_is_kept),
        FLOW(scrolling_ends_at_both_ends),
        FLOW(a_long_message_is_scrolled_line_by_line),
        FLOW(fewer_than_fit_are_all_in_sight),
        FLOW(texts_are_chosen_and_brought_in_sight),
        FLOW(what_is_gone_is_not_chosen),
        FLOW(a_rule_divides_what_is_new),
        FLOW(who_goes_on_is_not_named_again),
        FLOW(who_goes_on_is_named_where_the_screen_begins),
        FLOW(so_is_who_wrote_a_text_that_begins_above),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
