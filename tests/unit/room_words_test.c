/* client/weir_room.h: what people write, and when it is dated, without a node. */
#include "tests/unit/party.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

enum { MINUTE_MS = 60000 };

/* Three people: 1 is a moderator, 2 is not. */
static int set_up(void **state)
{
    static struct party p;
    struct weir_room_settings settings = {.message_bytes = 100, .messages = 8000};
    party_open(&p, NULL);
    party_invite(&p, 0, 1);
    party_invite(&p, 0, 2);
    settings.moderators = party_key(&p, 1);
    settings.moderator_count = 1;
    assert_int_equal(weir_room_configure(p.rooms[0], &settings), 0);
    party_exchange(&p);
    *state = &p;
    return 0;
}

static int tear_down(void **state)
{
    party_close(*state);
    return 0;
}

/* What was said, without the two who joined. */
static const char *said(struct party *p, size_t who)
{
    return party_messages(p, who) + strlen("(joins) (joins) ");
}

static uint64_t stamp_in(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return ((uint64_t)t.tv_sec * 1000 + (uint64_t)ms) << 16;
}

/* --- messages -------------------------------------------------------------------------------- */

static void what_is_done_to_a_message_is_seen(void **state)
{
    struct party *p = *state;
    struct party_spot spot = party_say(p, 2, "helo");
    assert_int_equal(weir_room_edit(p->rooms[2], spot.bytes, weir_text("hello")), 0);
    assert_int_equal(weir_room_react(p->rooms[0], spot.bytes, weir_text("+"), 0), 0);
    assert_int_equal(weir_room_react(p->rooms[1], spot.bytes, weir_text("+"), 0), 0);
    assert_int_equal(weir_room_react(p->rooms[1], spot.bytes, weir_text("?"), 0), 0);
    party_exchange(p);
    assert_string_equal(said(p, 0), "hello*[+2 ?1]");
    assert_int_equal(weir_room_react(p->rooms[1], spot.bytes, weir_text("+"), 1), 0);
    assert_int_equal(weir_room_delete(p->rooms[2], party_say(p, 2, "oh").bytes), 0);
    party_exchange(p);
    assert_string_equal(said(p, 0), "hello*[+1 ?1] -");
    party_agrees(p);
}

static void a_reaction_tells_who_and_whether_it_is_mine(void **state)
{
    struct party *p = *state;
    struct weir_room_reaction reaction;
    struct party_spot spot = party_say(p, 2, "x");
    size_t i;
    assert_int_equal(weir_room_react(p->rooms[1], spot.bytes, weir_text("+"), 0), 0);
    party_exchange(p);
    assert_int_equal(weir_room_find_spot(p->rooms[0], spot.bytes, &i), 0);
    weir_room_reaction(p->rooms[0], i, 0, &reaction);
    assert_false(reaction.mine);
    assert_memory_equal(weir_room_reaction_author(p->rooms[0], i, 0, 0), party_key(p, 1), 32);
    weir_room_reaction(p->rooms[1], i, 0, &reaction);
    assert_true(reaction.mine);
}

static void a_reply_names_what_it_answers(void **state)
{
    struct party *p = *state;
    struct weir_room_message message;
    struct party_spot asked = party_say(p, 0, "who?");
    assert_int_equal(weir_room_reply(p->rooms[2], asked.bytes, weir_text("me"), NULL), 0);
    party_exchange(p);
    weir_room_message(p->rooms[1], weir_room_message_count(p->rooms[1]) - 1, &message);
    assert_memory_equal(message.reply_to, asked.bytes, WEIR_SPOT_BYTES);
    assert_int_equal(message.content, WEIR_ROOM_REPLY);
    assert_memory_equal(message.author, party_key(p, 2), 32);
}

static void an_edit_is_the_authors_and_a_deletion_a_moderators_too(void **state)
{
    struct party *p = *state;
    struct party_spot spot = party_say(p, 0, "mine");
    assert_int_equal(weir_room_edit(p->rooms[1], spot.bytes, weir_text("x")), WEIR_DENIED);
    assert_int_equal(weir_room_delete(p->rooms[2], spot.bytes), WEIR_DENIED);
    assert_int_equal(weir_room_delete(p->rooms[1], spot.bytes), 0);
    party_exchange(p);
    assert_string_equal(said(p, 2), "-");
    assert_int_equal(weir_room_edit(p->rooms[0], spot.bytes, weir_text("x")), WEIR_DENIED);
}

static void what_is_queued_can_be_spoken_of(void **state)
{
    struct party *p = *state;
    uint8_t spot[WEIR_SPOT_BYTES];
    assert_int_equal(weir_room_say(p->rooms[2], weir_text("a"), spot), 0);
    assert_int_equal(weir_room_edit(p->rooms[2], spot, weir_text("b")), 0);
    assert_int_equal(weir_room_edit(p->rooms[2], spot, weir_text("c")), 0);
    party_exchange(p);
    assert_string_equal(said(p, 0), "c*");
}

static void no_message_is_made_of_these(void **state)
{
    struct party *p = *state;
    static const struct {
        struct weir_bytes text;
        int code;
    } rows[] = {
        {{"", 0}, WEIR_BAD_REQUEST},
        {{"\xff", 1}, WEIR_BAD_REQUEST},
        {{"\xc0\xaf", 2}, WEIR_BAD_REQUEST},         /* longer than it need be */
        {{"\xed\xa0\x80", 3}, WEIR_BAD_REQUEST},     /* half of a surrogate pair */
        {{"\xf4\x90\x80\x80", 4}, WEIR_BAD_REQUEST}, /* past the last character */
        {{"\xe2\x82", 2}, WEIR_BAD_REQUEST},         /* cut short */
        {{"\xe2\x82\xac", 3}, 0},
        {{"\xf0\x9f\x98\x80", 4}, 0},
        {{"12345678901234567890123456789012345678901234567890"
          "123456789012345678901234567890123456789012345678901",
          101},
         WEIR_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t before = weir_room_pending(p->rooms[2]).size;
        int rc = weir_room_say(p->rooms[2], rows[i].text, NULL);
        if (rc != rows[i].code)
            fail_msg("row %zu: %d", i, rc);
        if (rc) {
            assert_int_equal(weir_room_pending(p->rooms[2]).size, before);
            assert_true(strlen(weir_room_error(p->rooms[2])) > 5);
        }
    }
}

static void a_message_that_is_not_here_is_not_found(void **state)
{
    struct party *p = *state;
    const uint8_t spot[WEIR_SPOT_BYTES] = {1};
    weir_room_t *room = p->rooms[1];
    assert_int_equal(weir_room_reply(room, spot, weir_text("x"), NULL), WEIR_NOT_FOUND);
    assert_int_equal(weir_room_edit(room, spot, weir_text("x")), WEIR_NOT_FOUND);
    assert_int_equal(weir_room_delete(room, spot), WEIR_NOT_FOUND);
    assert_int_equal(weir_room_react(room, spot, weir_text("x"), 0), WEIR_NOT_FOUND);
    assert_int_equal(weir_room_pending(room).size, 0);
}

/* --- dates ----------------------------------------------------------------------------------- */

static void what_is_dated_far_ahead_does_not_drag_our_clock(void **state)
{
    struct party *p = *state;
    uint64_t ahead = stamp_in(1440 * MINUTE_MS);
    (void)party_say_at(p, 2, ahead, "tomorrow");
    struct party_spot spot = party_say(p, 1, "today");
    assert_true(get_u64(spot.bytes) < stamp_in(MINUTE_MS));
    assert_string_equal(said(p, 0), "today tomorrow");
}

static void what_is_dated_a_little_ahead_is_followed(void **state)
{
    struct party *p = *state;
    uint64_t ahead = stamp_in(MINUTE_MS);
    (void)party_say_at(p, 2, ahead, "soon");
    assert_true(get_u64(party_say(p, 1, "and then").bytes) > ahead);
    assert_string_equal(said(p, 0), "soon and then");
}

static void a_moderator_deletes_what_is_dated_far_ahead(void **state)
{
    struct party *p = *state;
    uint64_t ahead = stamp_in(1440 * MINUTE_MS);
    struct party_spot spot = party_say_at(p, 2, ahead, "tomorrow");
    /* A node would refuse these, and what is sent along with them. */
    assert_int_equal(weir_room_reply(p->rooms[1], spot.bytes, weir_text("x"), NULL), WEIR_DENIED);
    assert_int_equal(weir_room_react(p->rooms[1], spot.bytes, weir_text("x"), 0), WEIR_DENIED);
    assert_int_equal(weir_room_edit(p->rooms[2], spot.bytes, weir_text("x")), WEIR_DENIED);
    assert_int_equal(weir_room_delete(p->rooms[1], spot.bytes), 0);
    party_exchange(p);
    assert_string_equal(said(p, 0), "-");
    assert_true(get_u64(party_say(p, 1, "today").bytes) < stamp_in(MINUTE_MS));
}

/* Too far ahead to drag the clock, near enough for a node: each action is dated after the last. */
static void actions_on_what_is_dated_ahead_keep_their_order(void **state)
{
    struct party *p = *state;
    struct party_spot spot = party_say_at(p, 2, stamp_in(4 * MINUTE_MS), "one");
    char text[2] = "a";
    for (; *text <= 'z'; ++*text) {
        assert_int_equal(weir_room_edit(p->rooms[2], spot.bytes, weir_text(text)), 0);
        if (*text % 2)
            party_exchange(p);
    }
    party_exchange(p);
    assert_string_equal(said(p, 0), "z*");
}

/* --- direct messages ------------------------------------------------------------------------- */

static void a_direct_message_is_seen_at_both_ends_alone(void **state)
{
    struct party *p = *state;
    struct weir_room_direct_message message;
    assert_int_equal(weir_room_direct(p->rooms[1], party_key(p, 2), weir_text("psst")), 0);
    party_exchange(p);
    assert_int_equal(weir_room_direct(p->rooms[2], party_key(p, 1), weir_text("what?")), 0);
    party_exchange(p);
    assert_int_equal(weir_room_direct_count(p->rooms[0]), 0);
    for (size_t who = 1; who < 3; who++) {
        assert_int_equal(weir_room_direct_count(p->rooms[who]), 2);
        weir_room_direct_message(p->rooms[who], 0, &message);
        assert_int_equal(message.text.size, 4);
        assert_memory_equal(message.text.data, "psst", 4);
        assert_memory_equal(message.author, party_key(p, 1), 32);
        weir_room_direct_message(p->rooms[who], 1, &message);
        assert_memory_equal(message.text.data, "what?", 5);
        assert_memory_equal(message.recipient, party_key(p, 1), 32);
    }
    assert_int_equal(weir_room_direct(p->rooms[1], party_key(p, 4), weir_text("x")),
                     WEIR_NOT_FOUND);
}

/* Its author is banned, and back again. */
static void direct_messages_come_and_go_with_their_author(void **state)
{
    struct party *p = *state;
    assert_int_equal(weir_room_direct(p->rooms[2], party_key(p, 1), weir_text("one")), 0);
    assert_int_equal(weir_room_direct(p->rooms[0], party_key(p, 1), weir_text("two")), 0);
    party_exchange(p);
    assert_int_equal(weir_room_ban(p->rooms[0], party_key(p, 2), 0), 0);
    party_exchange(p);
    assert_int_equal(weir_room_direct_count(p->rooms[1]), 1);
    assert_int_equal(weir_room_ban(p->rooms[0], party_key(p, 2), 1), 0);
    party_exchange(p);
    assert_int_equal(weir_room_direct_count(p->rooms[1]), 2);
}

/* --- names ----------------------------------------------------------------------------------- */

static void a_message_is_found_by_the_beginning_of_its_name(void **state)
{
    struct party *p = *state;
    uint8_t found[WEIR_SPOT_BYTES];
    char name[WEIR_SPOT_TEXT];
    struct party_spot spot = party_say(p, 0, "x");
    weir_room_spot_name(spot.bytes, name);
    for (size_t size = WEIR_SPOT_TEXT - 1; size >= 4; size--) {
        name[size] = 0;
        assert_int_equal(weir_room_find_message(p->rooms[1], name, found), 0);
        assert_memory_equal(found, spot.bytes, sizeof found);
    }
    name[3] = 0;
    assert_int_equal(weir_room_find_message(p->rooms[1], name, found), WEIR_BAD_REQUEST);
    assert_int_equal(weir_room_find_message(p->rooms[1], "wxyz", found), WEIR_BAD_REQUEST);
    assert_int_equal(weir_room_find_message(p->rooms[1], "", found), WEIR_BAD_REQUEST);
}

/* 4 digits have 65,536 values: of 3,000 messages some share them, but for once in 10^29 times. */
static void an_ambiguous_name_is_refused(void **state)
{
    struct party *p = *state;
    static uint8_t seen[65536];
    uint8_t found[WEIR_SPOT_BYTES], spot[WEIR_SPOT_BYTES] = {0};
    char name[WEIR_SPOT_TEXT];
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 3000 && seen[get_u16(spot + 8)] < 2; i++) {
        assert_int_equal(weir_room_say(p->rooms[0], weir_text("x"), spot), 0);
        seen[get_u16(spot + 8)]++;
    }
    party_exchange(p);
    weir_room_spot_name(spot, name);
    assert_int_equal(weir_room_find_message(p->rooms[0], name, found), 0);
    name[4] = 0;
    assert_int_equal(weir_room_find_message(p->rooms[0], name, found), WEIR_BAD_REQUEST);
    /* Two at least: somebody's coming is a message too, and may share the digits. */
    assert_non_null(strstr(weir_room_error(p->rooms[0]), " messages have names that begin with"));
}

static void a_person_is_found_by_nickname_or_key(void **state)
{
    struct party *p = *state;
    char text[WEIR_KEY_TEXT_MAX], whole[WEIR_KEY_TEXT_MAX];
    uint8_t key[WEIR_KEY_BYTES];
    assert_int_equal(weir_room_nickname(p->rooms[1], weir_text("ann")), 0);
    weir_key_print(party_key(p, 1), whole);
    weir_key_print(party_key(p, 1), text);
    text[8] = 0;
    party_exchange(p);
    assert_int_equal(weir_room_find_person(p->rooms[0], "ann", key), 0);
    assert_memory_equal(key, party_key(p, 1), sizeof key);
    assert_int_equal(weir_room_find_person(p->rooms[0], text, key), 0);
    assert_memory_equal(key, party_key(p, 1), sizeof key);
    assert_int_equal(weir_room_find_person(p->rooms[0], "an", key), WEIR_NOT_FOUND);
    assert_int_equal(weir_room_find_person(p->rooms[0], "", key), WEIR_NOT_FOUND);
    /* Whoever takes another's name or the beginning of its key makes it ambiguous, no more. */
    assert_int_equal(weir_room_nickname(p->rooms[2], weir_text("ann")), 0);
    party_exchange(p);
    assert_int_equal(weir_room_find_person(p->rooms[0], "ann", key), WEIR_BAD_REQUEST);
    assert_int_equal(weir_room_nickname(p->rooms[2], weir_text(text)), 0);
    party_exchange(p);
    assert_int_equal(weir_room_find_person(p->rooms[0], text, key), WEIR_BAD_REQUEST);
    assert_int_equal(weir_room_nickname(p->rooms[2], weir_text(whole)), 0);
    party_exchange(p);
    assert_int_equal(weir_room_find_person(p->rooms[0], whole, key), 0);
    assert_memory_equal(key, party_key(p, 1), sizeof key);
}

static void one_banned_is_found(void **state)
{
    struct party *p = *state;
    uint8_t key[WEIR_KEY_BYTES];
    assert_int_equal(weir_room_nickname(p->rooms[2], weir_text("bob")), 0);
    party_exchange(p);
    assert_int_equal(weir_room_ban(p->rooms[0], party_key(p, 2), 0), 0);
    assert_int_equal(weir_room_ban(p->rooms[1], party_key(p, 2), 0), 0);
    party_exchange(p);
    assert_int_equal(weir_room_find_person(p->rooms[0], "bob", key), 0);
    assert_memory_equal(key, party_key(p, 2), sizeof key);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_done_to_a_message_is_seen),
        TEST(a_reaction_tells_who_and_whether_it_is_mine),
        TEST(a_reply_names_what_it_answers),
        TEST(an_edit_is_the_authors_and_a_deletion_a_moderators_too),
        TEST(what_is_queued_can_be_spoken_of),
        TEST(no_message_is_made_of_these),
        TEST(a_message_that_is_not_here_is_not_found),
        TEST(what_is_dated_far_ahead_does_not_drag_our_clock),
        TEST(what_is_dated_a_little_ahead_is_followed),
        TEST(a_moderator_deletes_what_is_dated_far_ahead),
        TEST(actions_on_what_is_dated_ahead_keep_their_order),
        TEST(a_direct_message_is_seen_at_both_ends_alone),
        TEST(direct_messages_come_and_go_with_their_author),
        TEST(a_message_is_found_by_the_beginning_of_its_name),
        TEST(an_ambiguous_name_is_refused),
        TEST(a_person_is_found_by_nickname_or_key),
        TEST(one_banned_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
