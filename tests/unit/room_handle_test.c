/* client/weir_room.h: who is in a room, without a node. */
#include "client/room_code.h"
#include "tests/unit/party.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static int set_up(void **state)
{
    static struct party p;
    party_open(&p, NULL);
    *state = &p;
    return 0;
}

static int tear_down(void **state)
{
    party_close(*state);
    return 0;
}

static void who_is_invited_two_deep_talks_with_the_owner(void **state)
{
    struct party *p = *state;
    party_invite(p, 0, 1);
    party_invite(p, 1, 2);
    (void)party_say(p, 2, "hello");
    (void)party_say(p, 0, "welcome");
    assert_string_equal(party_messages(p, 1), "(joins) (joins) hello welcome");
    assert_string_equal(party_members(p, 2), "012");
    party_agrees(p);
}

static void a_member_names_the_person_who_invited_it(void **state)
{
    struct party *p = *state;
    struct weir_room_member member;
    party_invite(p, 0, 1);
    party_invite(p, 1, 2);
    weir_room_member(p->rooms[0], 0, &member);
    assert_null(member.inviter);
    for (size_t i = 1; i < 3; i++) {
        weir_room_member(p->rooms[0], i, &member);
        assert_memory_equal(member.inviter, party_key(p, i - 1), WEIR_KEY_BYTES);
    }
}

static void an_invitation_is_good_for_all_who_have_it(void **state)
{
    struct party *p = *state;
    char *text;
    assert_int_equal(weir_room_invite(p->rooms[0], &text), 0);
    party_join(p, 1, text);
    party_join(p, 2, text);
    party_exchange(p);
    assert_int_equal(weir_room_member_count(p->rooms[0]), 3);
    weir_free(text);
}

static void the_owner_needs_no_invitation(void **state)
{
    struct party *p = *state;
    weir_room_t *again;
    char *text;
    assert_int_equal(weir_room_invite(p->rooms[0], &text), 0);
    assert_int_equal(weir_room_join(text, p->signers[0], &again, NULL), 0);
    assert_int_equal(weir_room_pending(again).size, 0);
    assert_int_equal(weir_room_say(again, weir_text("me"), NULL), 0);
    weir_room_destroy(&again);
    weir_free(text);
}

/* Or else the chain would name it twice. */
static void who_stands_in_an_invitations_chain_keeps_its_own(void **state)
{
    struct party *p = *state;
    weir_room_t *again;
    char *text;
    party_invite(p, 0, 1);
    party_invite(p, 1, 2);
    assert_int_equal(weir_room_invite(p->rooms[2], &text), 0);
    assert_int_equal(weir_room_join(text, p->signers[1], &again, NULL), 0);
    assert_int_equal(again->chain.size, p->rooms[1]->chain.size);
    assert_memory_equal(again->chain.data, p->rooms[1]->chain.data, again->chain.size);
    weir_room_destroy(&again);
    weir_free(text);
}

static void at_the_longest_chain_nobody_is_invited(void **state)
{
    struct party *p = *state;
    weir_signer_t *signers[ROOM_LINKS_MAX / 2];
    weir_room_t *rooms[ROOM_LINKS_MAX / 2], *last = p->rooms[0];
    char *text = NULL;
    for (size_t i = 0; i < ROOM_LINKS_MAX / 2; i++) { /* two links each */
        signers[i] = weir_signer_new();
        assert_int_equal(weir_room_invite(last, &text), 0);
        assert_int_equal(weir_room_join(text, signers[i], &rooms[i], NULL), 0);
        weir_free(text);
        last = rooms[i];
    }
    assert_int_equal(weir_room_invite(last, &text), WEIR_DENIED);
    assert_non_null(strstr(weir_room_error(last), "chain of invitations"));
    for (size_t i = 0; i < ROOM_LINKS_MAX / 2; i++) {
        weir_room_destroy(&rooms[i]);
        weir_signer_destroy(&signers[i]);
    }
}

/* --- bans ------------------------------------------------------------------------------------ */

static void a_ban_covers_whom_the_banned_invited(void **state)
{
    struct party *p = *state;
    party_invite(p, 0, 1);
    party_invite(p, 1, 2);
    (void)party_say(p, 2, "spam");
    assert_int_equal(weir_room_ban(p->rooms[0], party_key(p, 1), 0), 0);
    party_exchange(p);
    assert_string_equal(party_members(p, 0), "0");
    assert_string_equal(party_messages(p, 0), "");
    assert_int_equal(weir_room_ban_count(p->rooms[0]), 1);
    assert_int_equal(weir_room_say(p->rooms[2], weir_text("more"), NULL), WEIR_DENIED);
    assert_int_equal(weir_room_invite(p->rooms[1], &(char *){NULL}), WEIR_DENIED);
    assert_int_equal(weir_room_ban(p->rooms[0], party_key(p, 1), 1), 0);
    party_exchange(p);
    assert_string_equal(party_members(p, 0), "012");
    assert_string_equal(party_messages(p, 0), "(joins) (joins) spam");
    party_agrees(p);
}

static void who_invited_bans_and_others_do_not(void **state)
{
    struct party *p = *state;
    party_invite(p, 0, 1);
    party_invite(p, 1, 2);
    party_invite(p, 0, 3);
    assert_int_equal(weir_room_ban(p->rooms[3], party_key(p, 2), 0), WEIR_DENIED);
    assert_int_equal(weir_room_ban(p->rooms[2], party_key(p, 1), 0), WEIR_DENIED);
    assert_int_equal(weir_room_ban(p->rooms[2], party_key(p, 0), 0), WEIR_DENIED);
    assert_int_equal(weir_room_ban(p->rooms[1], party_key(p, 5), 0), WEIR_NOT_FOUND);
    assert_int_equal(weir_room_ban(p->rooms[1], party_key(p, 2), 1), WEIR_NOT_FOUND);
    assert_int_equal(weir_room_pending(p->rooms[3]).size, 0);
    assert_int_equal(weir_room_ban(p->rooms[1], party_key(p, 2), 0), 0);
    party_exchange(p);
    assert_int_equal(weir_room_member_count(p->rooms[0]), 3);
    party_agrees(p);
}

/* --- leaving, names, configuration ----------------------------------------------------------- */

static void who_left_is_out_until_it_joins_again(void **state)
{
    struct party *p = *state;
    char *text;
    party_invite(p, 0, 1);
    (void)party_say(p, 1, "bye");
    assert_int_equal(weir_room_leave(p->rooms[0]), WEIR_DENIED);
    assert_int_equal(weir_room_leave(p->rooms[1]), 0);
    assert_int_equal(weir_room_say(p->rooms[1], weir_text("too late"), NULL), WEIR_DENIED);
    party_exchange(p);
    assert_string_equal(party_messages(p, 0), "(joins) bye (leaves)");
    assert_string_equal(party_members(p, 0), "0");
    assert_int_equal(weir_room_say(p->rooms[1], weir_text("too late"), NULL), WEIR_DENIED);
    assert_int_equal(weir_room_invite(p->rooms[0], &text), 0);
    weir_room_destroy(&p->rooms[1]);
    party_join(p, 1, text);
    weir_free(text);
    party_exchange(p);
    assert_string_equal(party_members(p, 0), "01");
}

/* It left by a clock that was two minutes ahead of this one. */
static void who_left_later_than_now_joins_again(void **state)
{
    struct party *p = *state;
    struct buffer delta = {0};
    char *text;
    uint64_t stamp;
    party_invite(p, 0, 1);
    assert_int_equal(weir_room_invite(p->rooms[0], &text), 0);
    struct room_author author = {room_contract(p->rooms[1]), p->signers[1]->secret,
                                 buffer_slice(&p->rooms[1]->chain)};
    assert_int_equal(room_stamp(p->rooms[1], 0, &stamp), 0);
    stamp += (uint64_t)120000 << 16;
    assert_int_equal(room_write_member(&author, stamp, false, &delta, &p->why), 0);
    assert_int_equal(state_merge(p->state, buffer_slice(&delta), NULL, &p->why), 0);
    buffer_free(&delta);
    weir_room_destroy(&p->rooms[1]);
    party_join(p, 1, text);
    weir_free(text);
    party_exchange(p);
    assert_string_equal(party_members(p, 0), "01");
    assert_int_equal(weir_room_leave(p->rooms[1]), 0);
    party_exchange(p);
    assert_string_equal(party_members(p, 0), "0");
}

static void a_nickname_is_seen_by_all(void **state)
{
    struct party *p = *state;
    struct weir_bytes name;
    party_invite(p, 0, 1);
    assert_int_equal(weir_room_nickname(p->rooms[1], weir_text("ann")), 0);
    assert_int_equal(weir_room_nickname(p->rooms[1], weir_text("anna")), 0); /* dated after it */
    party_exchange(p);
    name = weir_room_name_of(p->rooms[0], party_key(p, 1));
    assert_int_equal(name.size, 4);
    assert_memory_equal(name.data, "anna", 4);
}

static void a_configuration_keeps_what_it_does_not_name(void **state)
{
    struct party *p = *state;
    struct weir_room_settings first = {.name = "tea", .messages = 50};
    struct weir_room_settings second = {.description = "about tea"};
    struct weir_room_info info;
    party_invite(p, 0, 1);
    first.moderators = party_key(p, 1);
    first.moderator_count = 1;
    assert_int_equal(weir_room_configure(p->rooms[1], &first), WEIR_DENIED);
    assert_int_equal(weir_room_configure(p->rooms[0], &first), 0);
    assert_int_equal(weir_room_configure(p->rooms[0], &second), 0); /* on what is queued */
    party_exchange(p);
    weir_room_info(p->rooms[1], &info);
    assert_memory_equal(info.name.data, "tea", 3);
    assert_int_equal(info.description.size, 9);
    assert_int_equal(info.messages, 50);
    assert_int_equal(info.members, 200);
    assert_true(info.moderator && info.member && info.readable && !info.is_private);
    first.messages = ROOM_ENTRIES_MAX + 1;
    assert_int_equal(weir_room_configure(p->rooms[0], &first), WEIR_BAD_REQUEST);
    first.moderator_count = 33;
    assert_int_equal(weir_room_configure(p->rooms[0], &first), WEIR_BAD_REQUEST);
}

static void an_upgrade_names_the_next_room(void **state)
{
    struct party *p = *state;
    struct weir_room_info info;
    uint8_t next[WEIR_KEY_BYTES] = {1, 2, 3};
    party_invite(p, 0, 1);
    assert_int_equal(weir_room_upgrade(p->rooms[1], next), WEIR_DENIED);
    assert_int_equal(weir_room_upgrade(p->rooms[0], next), 0);
    party_exchange(p);
    weir_room_info(p->rooms[1], &info);
    assert_memory_equal(info.upgrade, next, sizeof next);
}

/* --- cards ----------------------------------------------------------------------------------- */

static weir_room_t *reopened(struct party *p, size_t who, size_t as, int wanted)
{
    weir_room_t *room = NULL;
    uint8_t *card;
    size_t size;
    assert_int_equal(weir_room_card(p->rooms[who], &card, &size), 0);
    assert_int_equal(weir_room_open((struct weir_bytes){card, size}, p->signers[as], &room,
                                    (struct weir_reason *)&p->why),
                     wanted);
    weir_free(card);
    return room;
}

static void a_card_opens_the_room_again(void **state)
{
    struct party *p = *state;
    party_invite(p, 0, 1);
    for (size_t i = 0; i < 2; i++) {
        weir_room_t *room = reopened(p, i, i, 0);
        weir_room_destroy(&p->rooms[i]);
        p->rooms[i] = room;
    }
    party_exchange(p); /* or what is said next may be dated before, within the same millisecond */
    (void)party_say(p, 1, "again");
    (void)party_say(p, 0, "and again");
    assert_string_equal(party_messages(p, 1), "(joins) again and again");
    party_agrees(p);
}

/* Else the defaults would take the place of what the owner said before. */
static void what_is_not_read_is_not_configured(void **state)
{
    struct party *p = *state;
    struct weir_room_settings settings = {.name = "tea"};
    weir_room_t *room = reopened(p, 0, 0, 0);
    assert_int_equal(weir_room_configure(room, &settings), WEIR_NOT_FOUND);
    assert_int_equal(weir_room_pending(room).size, 0);
    weir_room_destroy(&room);
}

static void another_identitys_card_is_refused(void **state)
{
    struct party *p = *state;
    party_invite(p, 0, 1);
    assert_null(reopened(p, 0, 1, WEIR_DENIED));
    assert_non_null(strstr(p->why.text, "another identity"));
}

static void a_card_with_a_changed_byte_is_none(void **state)
{
    struct party *p = *state;
    weir_room_t *room = NULL;
    uint8_t *card;
    size_t size;
    party_invite(p, 0, 1);
    assert_int_equal(weir_room_card(p->rooms[1], &card, &size), 0);
    for (size_t i = 0; i < size; i++) {
        card[i] ^= 4;
        assert_int_equal(
            weir_room_open((struct weir_bytes){card, size}, p->signers[1], &room, NULL),
            WEIR_BAD_REQUEST);
        card[i] ^= 4;
        assert_int_equal(weir_room_open((struct weir_bytes){card, i}, p->signers[1], &room, NULL),
                         WEIR_BAD_REQUEST);
    }
    weir_free(card);
}

static enum weir_room_standing standing(struct party *p, size_t sees, size_t who)
{
    enum weir_room_standing found = WEIR_ROOM_STRANGER;
    assert_int_equal(weir_room_standing(p->rooms[sees], party_key(p, who), &found), 0);
    return found;
}

/* Enters with an invitation, and is given what there is, before anybody hears of it. */
static void enter(struct party *p, size_t guest, const char *invitation)
{
    struct buffer state = {0};
    weir_room_destroy(&p->rooms[guest]);
    party_join(p, guest, invitation);
    assert_int_equal(state_encode(p->state, &state), 0);
    assert_int_equal(weir_room_apply(p->rooms[guest], slice_bytes(buffer_slice(&state))), 0);
    buffer_free(&state);
}

static void who_is_not_let_in_knows_before_anybody_is_told(void **state)
{
    struct party *p = *state;
    char *by_owner, *by_guest;
    party_invite(p, 0, 1);
    assert_int_equal(weir_room_invite(p->rooms[0], &by_owner), 0);
    assert_int_equal(weir_room_invite(p->rooms[1], &by_guest), 0);
    assert_int_equal(standing(p, 0, 1), WEIR_ROOM_IN);
    assert_int_equal(weir_room_ban(p->rooms[0], party_key(p, 1), 0), 0);
    party_exchange(p);
    assert_int_equal(standing(p, 0, 1), WEIR_ROOM_BANNED);
    enter(p, 1, by_owner);
    assert_int_equal(standing(p, 1, 1), WEIR_ROOM_BANNED);
    assert_int_equal(weir_room_say(p->rooms[1], weir_text("x"), NULL), WEIR_DENIED);
    assert_non_null(strstr(weir_room_error(p->rooms[1]), "you were banned"));
    enter(p, 2, by_guest);
    assert_int_equal(standing(p, 2, 2), WEIR_ROOM_CUT_OFF);
    enter(p, 2, by_owner);
    assert_int_equal(standing(p, 2, 2), WEIR_ROOM_IN);
    assert_int_equal(standing(p, 0, 2), WEIR_ROOM_STRANGER); /* nobody was told yet */
    weir_free(by_owner);
    weir_free(by_guest);
}

static void who_enters_again_comes_once(void **state)
{
    struct party *p = *state;
    char *text;
    party_invite(p, 0, 1);
    assert_int_equal(weir_room_invite(p->rooms[0], &text), 0);
    party_exchange(p);
    enter(p, 1, text);
    party_exchange(p);
    assert_string_equal(party_messages(p, 0), "(joins)");
    assert_int_equal(weir_room_leave(p->rooms[1]), 0);
    party_exchange(p);
    enter(p, 1, text);
    party_exchange(p);
    assert_string_equal(party_messages(p, 0), "(joins) (leaves) (joins)");
    assert_string_equal(party_members(p, 0), "01");
    weir_free(text);
}

/* The member entry of one who joined never came anywhere. */
static void a_lost_membership_is_written_again(void **state)
{
    struct party *p = *state;
    char *text;
    assert_int_equal(weir_room_invite(p->rooms[0], &text), 0);
    party_join(p, 1, text);
    weir_free(text);
    weir_room_forget_pending(p->rooms[1]);
    (void)party_say(p, 1, "here");
    assert_string_equal(party_members(p, 0), "01");
    assert_string_equal(party_messages(p, 0), "here");
}

/* --- what comes ------------------------------------------------------------------------------ */

static void applied_twice_is_applied_once(void **state)
{
    struct party *p = *state;
    char *once, *twice;
    size_t size;
    party_invite(p, 0, 1);
    assert_int_equal(weir_room_say(p->rooms[1], weir_text("x"), NULL), 0);
    struct weir_bytes delta = weir_room_pending(p->rooms[1]);
    assert_int_equal(weir_room_apply(p->rooms[0], delta), 0);
    assert_int_equal(weir_room_print(p->rooms[0], &once, &size), 0);
    assert_int_equal(weir_room_apply(p->rooms[0], delta), 0);
    assert_int_equal(weir_room_print(p->rooms[0], &twice, &size), 0);
    assert_string_equal(once, twice);
    weir_free(once);
    weir_free(twice);
}

static void bytes_that_are_no_state_change_nothing(void **state)
{
    struct party *p = *state;
    (void)party_say(p, 0, "x");
    assert_int_equal(weir_room_apply(p->rooms[0], weir_text("nonsense")), WEIR_BAD_STATE);
    assert_true(strlen(weir_room_error(p->rooms[0])) > 5);
    assert_string_equal(party_messages(p, 0), "x");
}

static void a_queue_that_is_full_takes_no_more(void **state)
{
    struct party *p = *state;
    char text[4000];
    struct weir_bytes bytes = {text, sizeof text};
    int rc = 0;
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < 2 * ROOM_QUEUE_BYTES_MAX / sizeof text && !rc; i++)
        rc = weir_room_say(p->rooms[0], bytes, NULL);
    assert_int_equal(rc, WEIR_BUSY);
    weir_room_forget_pending(p->rooms[0]);
    assert_int_equal(weir_room_say(p->rooms[0], bytes, NULL), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(who_is_invited_two_deep_talks_with_the_owner),
        TEST(a_member_names_the_person_who_invited_it),
        TEST(an_invitation_is_good_for_all_who_have_it),
        TEST(the_owner_needs_no_invitation),
        TEST(who_stands_in_an_invitations_chain_keeps_its_own),
        TEST(at_the_longest_chain_nobody_is_invited),
        TEST(a_ban_covers_whom_the_banned_invited),
        TEST(who_invited_bans_and_others_do_not),
        TEST(who_left_is_out_until_it_joins_again),
        TEST(who_left_later_than_now_joins_again),
        TEST(a_nickname_is_seen_by_all),
        TEST(a_configuration_keeps_what_it_does_not_name),
        TEST(an_upgrade_names_the_next_room),
        TEST(a_card_opens_the_room_again),
        TEST(what_is_not_read_is_not_configured),
        TEST(another_identitys_card_is_refused),
        TEST(a_card_with_a_changed_byte_is_none),
        TEST(who_is_not_let_in_knows_before_anybody_is_told),
        TEST(who_enters_again_comes_once),
        TEST(a_lost_membership_is_written_again),
        TEST(applied_twice_is_applied_once),
        TEST(bytes_that_are_no_state_change_nothing),
        TEST(a_queue_that_is_full_takes_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
