/* client/weir_room.h: private rooms, without a node. Everyone gets all entries, as from a node;
 * what one can read depends on the keys. */
#include "tests/unit/party.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static int set_up(void **state)
{
    static struct party p;
    struct weir_room_settings settings = {.name = "den", .is_private = 1};
    party_open(&p, &settings);
    party_invite(&p, 0, 1);
    *state = &p;
    return 0;
}

static int tear_down(void **state)
{
    party_close(*state);
    return 0;
}

static int readable(struct party *p, size_t who)
{
    struct weir_room_info info;
    weir_room_info(p->rooms[who], &info);
    assert_true(info.is_private);
    return info.readable;
}

/* What is in the room, without what says who joined. */
static const char *heard(struct party *p, size_t who)
{
    const char *text = party_messages(p, who);
    while (strncmp(text, "(joins) ", 8) == 0)
        text += 8;
    return text;
}

static char *invitation_of(struct party *p, size_t who)
{
    char *text;
    assert_int_equal(weir_room_invite(p->rooms[who], &text), 0);
    party_exchange(p);
    return text;
}

static weir_room_t *reopen(struct party *p, size_t who)
{
    weir_room_t *room;
    uint8_t *card;
    size_t size;
    assert_int_equal(weir_room_card(p->rooms[who], &card, &size), 0);
    assert_int_equal(weir_room_open((struct weir_bytes){card, size}, p->signers[who], &room, NULL),
                     0);
    weir_free(card);
    weir_room_destroy(&p->rooms[who]);
    return room;
}

/* Some bytes of the state say it openly. */
static bool state_says(struct party *p, const char *text)
{
    struct buffer whole = {0};
    assert_int_equal(state_encode(p->state, &whole), 0);
    bool says = memmem(whole.data, whole.size, text, strlen(text)) != NULL;
    buffer_free(&whole);
    return says;
}

/* Puts a keys entry of an ordinary member into the state, which weir_room.h would not write. */
static void write_keys(struct party *p, size_t who, uint64_t number, const uint8_t *key,
                       const struct buffer *copies)
{
    struct room_author author = {room_contract(p->rooms[who]), p->signers[who]->secret,
                                 buffer_slice(&p->rooms[who]->chain)};
    struct buffer delta = {0};
    assert_int_equal(
        room_write_keys(&author, 1, number, key, buffer_slice(copies), &delta, &p->why), 0);
    assert_int_equal(state_merge(p->state, buffer_slice(&delta), NULL, &p->why), 0);
    party_exchange(p);
    buffer_free(&delta);
}

/* --- who reads ------------------------------------------------------------------------------- */

static void who_is_invited_reads_and_the_state_says_nothing(void **state)
{
    struct party *p = *state;
    struct weir_room_info info;
    struct party_spot spot = party_say(p, 0, "the word is swordfish");
    assert_int_equal(weir_room_edit(p->rooms[0], spot.bytes, weir_text("swordfish!")), 0);
    assert_int_equal(weir_room_react(p->rooms[1], spot.bytes, weir_text("swordfish?"), 0), 0);
    assert_int_equal(weir_room_nickname(p->rooms[1], weir_text("swordfisher")), 0);
    party_exchange(p);
    assert_string_equal(heard(p, 1), "swordfish!*[swordfish?1]");
    assert_int_equal(weir_room_name_of(p->rooms[0], party_key(p, 1)).size, 11);
    weir_room_info(p->rooms[1], &info);
    assert_memory_equal(info.name.data, "den", 3);
    assert_false(state_says(p, "swordfish"));
    assert_false(state_says(p, "den"));
    party_agrees(p);
}

static void an_ordinary_member_invites_into_it(void **state)
{
    struct party *p = *state;
    (void)party_say(p, 0, "before");
    party_invite(p, 1, 2);
    assert_string_equal(heard(p, 2), "before (joins)");
    (void)party_say(p, 2, "after");
    assert_string_equal(heard(p, 0), "before (joins) after");
}

static void who_has_no_key_yet_says_nothing(void **state)
{
    struct party *p = *state;
    char *text = invitation_of(p, 0);
    party_join(p, 2, text); /* the invitation tells that the room is private */
    weir_free(text);
    assert_int_equal(weir_room_say(p->rooms[2], weir_text("x"), NULL), WEIR_DENIED);
    assert_non_null(strstr(weir_room_error(p->rooms[2]), "key"));
    party_exchange(p);
    assert_int_equal(weir_room_say(p->rooms[2], weir_text("x"), NULL), 0);
}

static void who_creates_a_private_room_seals_what_is_said_before_it_is_sent(void **state)
{
    struct weir_room_settings settings = {.name = "later", .is_private = 1};
    struct party *p = *state;
    struct weir_bytes pending;
    weir_room_t *room;
    assert_int_equal(weir_room_create(p->signers[3], &settings, &room, NULL), 0);
    assert_int_equal(weir_room_say(room, weir_text("swordfish"), NULL), 0);
    pending = weir_room_pending(room);
    assert_null(memmem(pending.data, pending.size, "swordfish", 9));
    assert_int_equal(weir_room_apply(room, pending), 0);
    assert_int_equal(weir_room_message_count(room), 1);
    weir_room_destroy(&room);
}

static void a_public_room_becomes_private(void **state)
{
    struct weir_room_settings settings = {.is_private = 1}, named = {.name = "yard"};
    struct party *p = *state;
    struct weir_room_info info;
    party_close(p);
    party_open(p, &named);
    party_invite(p, 0, 1);
    (void)party_say(p, 0, "open word");
    assert_int_equal(weir_room_configure(p->rooms[0], &settings), 0);
    party_exchange(p);
    (void)party_say(p, 1, "swordfish");
    assert_string_equal(heard(p, 0), "open word swordfish");
    assert_false(state_says(p, "swordfish"));
    weir_room_info(p->rooms[1], &info);
    assert_memory_equal(info.name.data, "yard", 4);
    assert_false(state_says(p, "yard"));
}

/* --- rotation -------------------------------------------------------------------------------- */

static void a_ban_rotates_the_key_and_old_members_read_on(void **state)
{
    struct party *p = *state;
    party_invite(p, 0, 2);
    party_invite(p, 2, 3);
    (void)party_say(p, 1, "all read this");
    assert_int_equal(weir_room_ban(p->rooms[0], party_key(p, 2), 0), 0);
    party_exchange(p);
    (void)party_say(p, 1, "they do not");
    assert_string_equal(heard(p, 0), "all read this they do not");
    assert_string_equal(heard(p, 2), "all read this ?");
    assert_string_equal(heard(p, 3), "all read this ?"); /* whom the banned invited */
    assert_false(readable(p, 3));
    assert_true(readable(p, 1));
}

static void the_owner_and_moderators_rotate_and_others_do_not(void **state)
{
    struct weir_room_settings settings = {0};
    struct party *p = *state;
    assert_int_equal(weir_room_rotate(p->rooms[1]), WEIR_DENIED);
    settings.moderators = party_key(p, 1);
    settings.moderator_count = 1;
    (void)party_say(p, 0, "one");
    assert_int_equal(weir_room_configure(p->rooms[0], &settings), 0);
    party_exchange(p);
    assert_int_equal(weir_room_rotate(p->rooms[1]), 0);
    assert_int_equal(weir_room_say(p->rooms[1], weir_text("two"), NULL), 0); /* under the new one */
    party_exchange(p);
    (void)party_say(p, 0, "three");
    assert_string_equal(heard(p, 0), "one two three");
    assert_string_equal(heard(p, 1), "one two three");
    assert_int_equal(p->rooms[0]->key_count, 2);
}

/* Who comes later has no older key: names are sealed anew by those whose they are. */
static void names_go_over_to_the_new_key(void **state)
{
    struct weir_room_settings settings = {0};
    struct weir_room_info info;
    struct party *p = *state;
    settings.moderators = party_key(p, 1);
    settings.moderator_count = 1;
    assert_int_equal(weir_room_configure(p->rooms[0], &settings), 0);
    assert_int_equal(weir_room_nickname(p->rooms[0], weir_text("ann")), 0);
    assert_int_equal(weir_room_nickname(p->rooms[1], weir_text("ben")), 0);
    party_exchange(p);
    assert_int_equal(weir_room_rotate(p->rooms[1]), 0);
    party_exchange(p);
    party_invite(p, 1, 2);
    weir_room_info(p->rooms[2], &info);
    assert_int_equal(info.name.size, 3);
    assert_int_equal(info.moderator_count, 1);
    assert_int_equal(weir_room_name_of(p->rooms[2], party_key(p, 0)).size, 3);
    assert_int_equal(weir_room_name_of(p->rooms[2], party_key(p, 1)).size, 3);
    for (size_t i = 0; i < 3; i++) /* and that is all */
        assert_int_equal(weir_room_pending(p->rooms[i]).size, 0);
}

static void a_key_is_not_changed_before_the_room_was_read(void **state)
{
    struct party *p = *state;
    p->rooms[0] = reopen(p, 0);
    assert_int_equal(weir_room_rotate(p->rooms[0]), WEIR_NOT_FOUND);
    party_exchange(p);
    assert_int_equal(weir_room_rotate(p->rooms[0]), 0);
}

/* Both make number 2: of all of it everyone who had a copy reads everything. */
static void two_who_rotate_at_once_lose_nothing(void **state)
{
    struct weir_room_settings settings = {0};
    struct party *p = *state;
    settings.moderators = party_key(p, 1);
    settings.moderator_count = 1;
    assert_int_equal(weir_room_configure(p->rooms[0], &settings), 0);
    party_exchange(p);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(weir_room_rotate(p->rooms[i]), 0);
        assert_int_equal(weir_room_say(p->rooms[i], weir_text("x"), NULL), 0);
    }
    party_exchange(p);
    assert_string_equal(heard(p, 0), "x x");
    assert_string_equal(heard(p, 1), "x x");
    /* Whose key is not in use passes the other one on without losing the own. */
    for (size_t i = 0; i < 2; i++)
        party_invite(p, i, 2 + i);
    assert_true(readable(p, 2) && readable(p, 3));
    p->rooms[0] = reopen(p, 0);
    p->rooms[1] = reopen(p, 1);
    party_exchange(p);
    assert_string_equal(heard(p, 0), "x x (joins) (joins)");
    assert_string_equal(heard(p, 1), "x x (joins) (joins)");
}

static void a_key_that_an_ordinary_member_made_is_not_used(void **state)
{
    static const uint8_t own[ROOM_KEY_BYTES] = {7}, seed[32] = {9};
    struct party *p = *state;
    struct buffer copies = {0};
    assert_int_equal(room_copy_seal(own, party_key(p, 0), seed, &copies), 0);
    write_keys(p, 1, 99, own, &copies);
    assert_int_equal(p->rooms[0]->key_count, 2); /* to read with */
    assert_int_equal(room_view_key_in_use(p->rooms[0]->view)->number, 1);
    (void)party_say(p, 0, "x");
    assert_string_equal(heard(p, 1), "x");
    buffer_free(&copies);
}

/* A moderator made the key that others wrote under, and then it is none any more, or banned. */
static void what_was_said_under_a_moderators_key_stays_readable(void **state)
{
    struct weir_room_settings settings = {0};
    struct party *p = *state;
    settings.moderators = party_key(p, 1);
    settings.moderator_count = 1;
    assert_int_equal(weir_room_configure(p->rooms[0], &settings), 0);
    party_exchange(p);
    party_invite(p, 0, 2);
    assert_int_equal(weir_room_rotate(p->rooms[1]), 0);
    party_exchange(p);
    (void)party_say(p, 0, "own");
    (void)party_say(p, 2, "other");
    settings.moderator_count = 0;
    assert_int_equal(weir_room_configure(p->rooms[0], &settings), 0);
    party_exchange(p);
    assert_int_equal(room_view_key_in_use(p->rooms[0]->view)->number, 3);
    (void)party_say(p, 2, "after");
    assert_string_equal(heard(p, 0), "own other after");
    assert_int_equal(weir_room_ban(p->rooms[0], party_key(p, 1), 0), 0);
    party_exchange(p);
    p->rooms[0] = reopen(p, 0);
    p->rooms[2] = reopen(p, 2);
    party_exchange(p);
    assert_string_equal(heard(p, 0), "own other after");
    assert_string_equal(heard(p, 2), "own other after");
}

/* --- invitations and old keys ---------------------------------------------------------------- */

static void who_is_invited_after_a_rotation_reads_from_there_on(void **state)
{
    struct party *p = *state;
    (void)party_say(p, 0, "old");
    assert_int_equal(weir_room_rotate(p->rooms[0]), 0);
    party_exchange(p);
    (void)party_say(p, 0, "new");
    party_invite(p, 1, 2);
    assert_string_equal(heard(p, 2), "? new (joins)");
    assert_string_equal(heard(p, 1), "old new (joins)");
}

static void an_invitation_from_before_a_rotation_needs_a_members_help(void **state)
{
    struct party *p = *state;
    char *text = invitation_of(p, 0);
    (void)party_say(p, 0, "old");
    assert_int_equal(weir_room_rotate(p->rooms[0]), 0);
    party_exchange(p);
    (void)party_say(p, 0, "new");
    party_join(p, 2, text);
    weir_free(text);
    party_exchange(p);
    assert_string_equal(heard(p, 2), "old ? (joins)");
    assert_false(readable(p, 2));
    assert_int_equal(weir_room_say(p->rooms[2], weir_text("x"), NULL), WEIR_DENIED);
    assert_int_equal(weir_room_share_keys(p->rooms[1]), 1); /* no moderator need do it */
    party_exchange(p);
    assert_string_equal(heard(p, 2), "old new (joins)");
    assert_int_equal(weir_room_share_keys(p->rooms[1]), 0);
    assert_int_equal(weir_room_share_keys(p->rooms[0]), 0);
    (void)party_say(p, 2, "thanks");
    assert_string_equal(heard(p, 0), "old new (joins) thanks");
}

/* Who shares twice keeps the copies that it gave before. */
static void copies_given_before_stay(void **state)
{
    struct party *p = *state;
    char *text = invitation_of(p, 0);
    assert_int_equal(weir_room_rotate(p->rooms[0]), 0);
    party_exchange(p);
    for (size_t guest = 2; guest < 5; guest++) {
        party_join(p, guest, text);
        party_exchange(p);
        assert_int_equal(weir_room_share_keys(p->rooms[1]), 1);
        party_exchange(p);
    }
    weir_free(text);
    for (size_t guest = 2; guest < 5; guest++) {
        p->rooms[guest] = reopen(p, guest);
        party_exchange(p);
        assert_true(readable(p, guest));
    }
}

/* A member writes a copy for another that does not open: others still see that one is missing. */
static void a_sham_copy_keeps_nobody_out(void **state)
{
    struct party *p = *state;
    char *text = invitation_of(p, 0);
    struct buffer copies = {0};
    assert_int_equal(weir_room_rotate(p->rooms[0]), 0);
    party_exchange(p);
    party_join(p, 2, text);
    weir_free(text);
    party_exchange(p);
    buffer_append(&copies, party_key(p, 2), WRITER_KEY_BYTES);
    (void)buffer_grow(&copies, ROOM_SEALED_KEY_BYTES);
    write_keys(p, 1, 2, room_sealing_key(p->rooms[1], p->rooms[1]->view), &copies);
    assert_false(readable(p, 2));
    assert_int_equal(weir_room_share_keys(p->rooms[0]), 1);
    party_exchange(p);
    assert_true(readable(p, 2));
    buffer_free(&copies);
}

/* --- cards ----------------------------------------------------------------------------------- */

static void a_card_finds_all_keys_again(void **state)
{
    struct party *p = *state;
    (void)party_say(p, 0, "one");
    assert_int_equal(weir_room_rotate(p->rooms[0]), 0);
    party_exchange(p);
    (void)party_say(p, 1, "two");
    for (size_t i = 0; i < 2; i++)
        p->rooms[i] = reopen(p, i);
    party_exchange(p);
    (void)party_say(p, 1, "three");
    assert_string_equal(heard(p, 0), "one two three");
    assert_string_equal(heard(p, 1), "one two three");
}

static size_t card_bytes(const weir_room_t *room)
{
    uint8_t *card;
    size_t size;
    assert_int_equal(weir_room_card(room, &card, &size), 0);
    weir_free(card);
    return size;
}

static void a_card_keeps_the_invitation_while_it_is_needed(void **state)
{
    struct party *p = *state;
    char *text = invitation_of(p, 0);
    party_join(p, 2, text);
    weir_free(text);
    size_t before = card_bytes(p->rooms[2]);
    p->rooms[2] = reopen(p, 2); /* what it had queued is lost too */
    (void)party_say(p, 0, "x");
    assert_string_equal(heard(p, 2), "x");
    assert_int_equal(card_bytes(p->rooms[2]), before - 32);
    p->rooms[2] = reopen(p, 2);
    party_exchange(p);
    assert_string_equal(heard(p, 2), "x");
}

/* --- coming again ---------------------------------------------------------------------------- */

static void who_was_cut_off_and_comes_again_reads_what_it_could_read(void **state)
{
    struct party *p = *state;
    party_invite(p, 1, 2);
    (void)party_say(p, 0, "old");
    assert_int_equal(weir_room_ban(p->rooms[0], party_key(p, 1), 0), 0);
    party_exchange(p);
    (void)party_say(p, 0, "new");
    assert_string_equal(heard(p, 2), "old ?");
    weir_room_destroy(&p->rooms[2]);
    party_invite(p, 0, 2);
    assert_string_equal(heard(p, 2), "old new (joins)");
}

/* A key that the first invitation alone opens, and the second one is of after it. */
static void join_by_two_invitations(struct party *p)
{
    uint8_t *card;
    size_t size;
    char *first = invitation_of(p, 0), *second;
    (void)party_say(p, 0, "old");
    assert_int_equal(weir_room_rotate(p->rooms[0]), 0);
    party_exchange(p);
    (void)party_say(p, 0, "new");
    party_join(p, 2, first);
    assert_int_equal(weir_room_card(p->rooms[2], &card, &size), 0); /* nothing was read */
    weir_room_destroy(&p->rooms[2]);
    second = invitation_of(p, 0);
    party_join(p, 2, second);
    assert_int_equal(weir_room_remember(p->rooms[2], (struct weir_bytes){card, size}), 0);
    weir_free(card);
    weir_free(first);
    weir_free(second);
}

static void who_joins_again_opens_what_the_first_invitation_opens(void **state)
{
    struct party *p = *state;
    join_by_two_invitations(p);
    party_exchange(p);
    assert_string_equal(heard(p, 2), "old new (joins)");
    p->rooms[2] = reopen(p, 2);
    party_exchange(p);
    assert_string_equal(heard(p, 2), "old new (joins)"); /* by copies for itself */
}

static void a_card_keeps_both_invitations_while_they_are_needed(void **state)
{
    struct party *p = *state;
    join_by_two_invitations(p);
    size_t before = card_bytes(p->rooms[2]);
    p->rooms[2] = reopen(p, 2);
    assert_int_equal(card_bytes(p->rooms[2]), before);
    party_exchange(p);
    assert_string_equal(heard(p, 2), "old new");
    assert_int_equal(card_bytes(p->rooms[2]), before - 32 - 1 - 32);
}

static void a_card_of_another_room_or_identity_is_not_remembered(void **state)
{
    struct party *p = *state;
    weir_room_t *other;
    uint8_t *card;
    size_t size;
    assert_int_equal(weir_room_create(p->signers[0], NULL, &other, NULL), 0);
    assert_int_equal(weir_room_card(other, &card, &size), 0);
    struct weir_bytes bytes = {card, size};
    assert_int_equal(weir_room_remember(p->rooms[0], bytes), WEIR_BAD_REQUEST);
    weir_free(card);
    weir_room_destroy(&other);
    assert_int_equal(weir_room_card(p->rooms[0], &card, &size), 0);
    bytes = (struct weir_bytes){card, size};
    assert_int_equal(weir_room_remember(p->rooms[1], bytes), WEIR_DENIED);
    assert_int_equal(weir_room_remember(p->rooms[0], bytes), 0);
    card[size - 1] ^= 1;
    assert_int_equal(weir_room_remember(p->rooms[0], bytes), WEIR_BAD_REQUEST);
    weir_free(card);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(who_is_invited_reads_and_the_state_says_nothing),
        TEST(an_ordinary_member_invites_into_it),
        TEST(who_has_no_key_yet_says_nothing),
        TEST(who_creates_a_private_room_seals_what_is_said_before_it_is_sent),
        TEST(a_public_room_becomes_private),
        TEST(a_ban_rotates_the_key_and_old_members_read_on),
        TEST(the_owner_and_moderators_rotate_and_others_do_not),
        TEST(what_was_said_under_a_moderators_key_stays_readable),
        TEST(names_go_over_to_the_new_key),
        TEST(a_key_is_not_changed_before_the_room_was_read),
        TEST(two_who_rotate_at_once_lose_nothing),
        TEST(a_key_that_an_ordinary_member_made_is_not_used),
        TEST(who_is_invited_after_a_rotation_reads_from_there_on),
        TEST(an_invitation_from_before_a_rotation_needs_a_members_help),
        TEST(copies_given_before_stay),
        TEST(a_sham_copy_keeps_nobody_out),
        TEST(a_card_finds_all_keys_again),
        TEST(a_card_keeps_the_invitation_while_it_is_needed),
        TEST(who_joins_again_opens_what_the_first_invitation_opens),
        TEST(a_card_keeps_both_invitations_while_they_are_needed),
        TEST(a_card_of_another_room_or_identity_is_not_remembered),
        TEST(who_was_cut_off_and_comes_again_reads_what_it_could_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
