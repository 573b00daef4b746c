/* What a room means: who is in, what a message says, what is hidden; in words and not only as laws
 * (tests/property/room_property_test.c). */
#include "tests/unit/room_fixture.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* --- who is in --------------------------------------------------------------------------- */

static void members_are_the_owner_and_who_joined_shorter_chains_first(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    assert_string_equal(room_members(f), "01423");
    const struct room_member *member = room_view_find_member(f->view, f->people[3].key);
    assert_memory_equal(member->inviter, f->people[2].key, WRITER_KEY_BYTES);
    assert_int_equal(member->invited, 3);
    assert_null(room_view_find_member(f->view, f->people[5].key));
    assert_null(room_view_find_member(f->view, f->people[0].key)->inviter);
}

static void a_ban_covers_all_whom_the_banned_invited_and_can_be_lifted(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    (void)room_say(f, 1, 20, "one");
    (void)room_say(f, 3, 21, "three");
    (void)room_say(f, 4, 22, "four");
    room_ban(f, 0, 30, 2, true);
    assert_string_equal(room_members(f), "014");
    assert_string_equal(room_messages(f), "one four");
    assert_int_equal(room_view_ban_count(f->view), 1);
    room_ban(f, 0, 31, 2, false);
    assert_string_equal(room_members(f), "01423");
    assert_string_equal(room_messages(f), "one three four");
    assert_int_equal(room_view_ban_count(f->view), 0);
    room_ban(f, 0, 30, 2, true); /* older: lifted it stays */
    assert_string_equal(room_members(f), "01423");
}

static void who_stands_above_may_ban_and_nobody_else(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    room_ban(f, 4, 30, 1, true); /* a stranger to its chain */
    room_ban(f, 3, 30, 2, true); /* from below */
    room_ban(f, 2, 30, 2, true); /* itself */
    assert_string_equal(room_members(f), "01423");
    assert_int_equal(room_view_ban_count(f->view), 0);
    room_ban(f, 1, 30, 3, true); /* two below it */
    assert_string_equal(room_members(f), "0142");
    assert_int_equal(room_view_ban_count(f->view), 1);
    assert_memory_equal(room_view_ban(f->view, 0)->author, f->people[1].key, WRITER_KEY_BYTES);
}

static void a_ban_by_who_is_banned_counts_no_more(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    room_configure(f, 11, "4", NULL);
    room_ban(f, 4, 30, 1, true); /* by a moderator */
    assert_string_equal(room_members(f), "04");
    room_ban(f, 0, 31, 4, true);
    assert_string_equal(room_members(f), "0123");
    assert_int_equal(room_view_ban_count(f->view), 1);
}

static void moderators_stand_by_themselves_and_cannot_ban_each_other(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    room_configure(f, 11, "24", NULL);
    assert_true(room_view_find_member(f->view, f->people[2].key)->moderator);
    room_ban(f, 4, 30, 2, true); /* a moderator: no */
    room_ban(f, 2, 30, 4, true);
    room_ban(f, 1, 30, 2, true); /* its inviter: no, the owner named it */
    assert_string_equal(room_members(f), "01423");
    room_ban(f, 4, 30, 1, true); /* its inviter is out, it stays, and so do its own */
    assert_string_equal(room_members(f), "0423");
    room_ban(f, 0, 40, 2, true);
    assert_string_equal(room_members(f), "04");
}

static void who_is_invited_again_by_someone_else_is_in_again(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    (void)room_say(f, 3, 20, "three");
    room_ban(f, 0, 30, 2, true);
    assert_string_equal(room_messages(f), "");
    struct room_author four = room_as(f, 4);
    buffer_clear(&f->people[3].chains[0]);
    room_write_link(&four, f->people[3].key, 35, &f->people[3].chains[0]);
    room_join(f, 3, 36, true);
    assert_string_equal(room_members(f), "0143");
    assert_string_equal(room_messages(f), "three");
}

static void who_leaves_is_no_member_and_its_messages_stay(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    (void)room_say(f, 4, 20, "bye");
    room_join(f, 4, 30, false);
    assert_string_equal(room_members(f), "0123");
    assert_string_equal(room_messages(f), "bye");
    room_ban(f, 0, 31, 4, true);
    assert_string_equal(room_messages(f), "");
}

/* Each person's place: I in, S stranger, L left, B banned, C cut off, F full. */
static void assert_places(struct room_fixture *f, const char *wanted)
{
    static const char letters[] = {
        [ROOM_IN] = 'I',     [ROOM_STRANGER] = 'S', [ROOM_LEFT_IT] = 'L',
        [ROOM_BANNED] = 'B', [ROOM_CUT_OFF] = 'C',  [ROOM_CROWDED] = 'F'};
    char places[ROOM_PEOPLE + 1] = "";
    for (size_t i = 0; i < ROOM_PEOPLE; i++)
        places[i] = letters[room_view_place(f->view, f->people[i].key)];
    assert_string_equal(places, wanted);
}

static void two_members(struct room_settings *settings)
{
    settings->config.members = 2;
}

static void where_somebody_stands_is_told(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    assert_places(f, "IIIIIS");
    room_ban(f, 0, 20, 2, true);
    assert_places(f, "IIBCIS");
    room_join(f, 4, 21, false);
    assert_places(f, "IIBCLS");
    room_ban(f, 0, 22, 4, true); /* who left may be banned, too */
    assert_places(f, "IIBCBS");
    room_ban(f, 0, 23, 4, false);
    room_ban(f, 0, 24, 2, false);
    room_join(f, 4, 25, true);
    room_configure(f, 26, "", two_members);
    assert_places(f, "IIFFIS");
    room_ban(f, 3, 27, 1, true); /* which does not count */
    assert_places(f, "IIFFIS");
}

/* It could write: its chain is good. But it has not joined. */
static void messages_of_who_has_not_joined_are_not_shown(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct room_author owner = room_as(f, 0);
    room_write_link(&owner, f->people[5].key, 9, &f->people[5].chains[0]);
    (void)room_say(f, 5, 20, "early");
    assert_string_equal(room_messages(f), "");
    room_join(f, 5, 21, true);
    assert_string_equal(room_messages(f), "early");
}

static void few(struct room_settings *settings)
{
    settings->config.messages = 2;
    settings->config.members = 3;
    settings->config.message_bytes = 5;
    settings->config.nickname_bytes = 3;
    settings->config.bans = 1;
}

static void configured_caps_hold_in_the_view_and_can_be_raised(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    (void)room_say(f, 1, 20, "one");
    (void)room_say(f, 2, 21, "two");
    (void)room_say(f, 4, 22, "four");
    (void)room_say(f, 4, 23, "over five");
    (void)room_say(f, 3, 24, "third");
    room_nick(f, 4, 25, "dora");
    assert_string_equal(room_messages(f), "one two four over five third");
    room_configure(f, 30, "", few);
    assert_string_equal(room_members(f), "0142");
    assert_string_equal(room_messages(f), "two four");
    assert_int_equal(room_view_nickname(f->view, f->people[4].key).size, 0);
    room_ban(f, 1, 31, 2, true);
    assert_string_equal(room_members(f), "014");
    room_ban(f, 0, 32, 4, true); /* the owner's goes before, though younger */
    assert_string_equal(room_members(f), "0123");
    assert_int_equal(room_view_ban_count(f->view), 1);
    room_configure(f, 40, "", NULL);
    assert_string_equal(room_members(f), "01");
    assert_string_equal(room_messages(f), "one");
}

static void name_it(struct room_settings *settings)
{
    settings->name.plain = slice_text("lobby");
    settings->description.plain = slice_text("all welcome");
    settings->config.is_private = true;
}

/* lesson M2: by (version, hash). */
static void of_two_configurations_of_one_version_one_wins_in_either_order(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct room_fixture other;
    room_open(&other, UINT64_MAX);
    room_configure(f, 20, "", name_it);
    room_configure(f, 20, "4", NULL);
    room_configure(&other, 20, "4", NULL);
    room_configure(&other, 20, "", name_it);
    struct buffer a = {0}, b = {0};
    assert_int_equal(room_view_print(f->view, &a), 0);
    assert_int_equal(room_view_print(other.view, &b), 0);
    assert_true(slice_equal(buffer_slice(&a), buffer_slice(&b)));
    room_configure(f, 21, "", name_it);
    assert_true(slice_is(room_view_name(f->view), "lobby"));
    assert_true(slice_is(room_view_description(f->view), "all welcome"));
    assert_true(room_view_config(f->view)->is_private);
    buffer_free(&a);
    buffer_free(&b);
    room_close(&other);
}

static void a_nickname_is_the_last_given(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    room_nick(f, 1, 20, "ann");
    room_nick(f, 0, 20, "boss");
    room_nick(f, 1, 19, "anne");
    assert_true(slice_is(room_view_nickname(f->view, f->people[1].key), "ann"));
    assert_true(slice_is(room_view_find_member(f->view, f->people[0].key)->nickname, "boss"));
    room_nick(f, 1, 21, "");
    assert_int_equal(room_view_nickname(f->view, f->people[1].key).size, 0);
}

/* --- what messages say ------------------------------------------------------------------- */

static void messages_stand_in_order_of_time_however_they_came(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    (void)room_say(f, 1, 22, "b");
    (void)room_say(f, 2, 21, "a");
    (void)room_say(f, 0, 23, "c");
    assert_string_equal(room_messages(f), "a b c");
}

static void the_authors_last_edit_gives_the_text(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct spot at = room_say(f, 1, 20, "helo");
    (void)room_speak(f, 1, 23, ROOM_EDIT, at, "hello!");
    (void)room_speak(f, 1, 22, ROOM_EDIT, at, "hello");
    (void)room_speak(f, 0, 24, ROOM_EDIT, at, "not yours");
    assert_string_equal(room_messages(f), "hello!*");
    room_configure(f, 30, "", few);
    assert_string_equal(room_messages(f), "hello*"); /* the longer one is over the cap now */
}

static void an_edit_that_came_first_waits_for_its_message(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state, other;
    room_open(&other, UINT64_MAX);
    struct spot at = room_say(&other, 1, 20, "helo");
    (void)room_speak(f, 1, 22, ROOM_EDIT, at, "hello");
    (void)room_speak(f, 2, 23, ROOM_REACT, at, "+");
    assert_string_equal(room_messages(f), "");
    (void)room_say(f, 1, 20, "helo");
    assert_string_equal(room_messages(f), "hello*[+:2]");
    room_close(&other);
}

static void author_moderators_and_owner_delete_and_others_do_not(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct spot a = room_say(f, 1, 20, "a"), b = room_say(f, 1, 21, "b"),
                c = room_say(f, 1, 22, "c"), d = room_say(f, 1, 23, "d");
    room_configure(f, 11, "4", NULL);
    (void)room_speak(f, 1, 30, ROOM_DELETE, a, NULL);
    (void)room_speak(f, 4, 30, ROOM_DELETE, b, NULL);
    (void)room_speak(f, 0, 30, ROOM_DELETE, c, NULL);
    (void)room_speak(f, 2, 30, ROOM_DELETE, d, NULL);
    assert_string_equal(room_messages(f), "- - - d");
    room_configure(f, 12, "", NULL);
    assert_string_equal(room_messages(f), "- b - d");
}

static void reactions_count_once_an_author_and_the_last_word_holds(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct spot at = room_say(f, 1, 20, "hi");
    (void)room_speak(f, 4, 30, ROOM_REACT, at, "y");
    (void)room_speak(f, 2, 31, ROOM_REACT, at, "y");
    (void)room_speak(f, 2, 32, ROOM_REACT, at, "y");
    (void)room_speak(f, 2, 33, ROOM_REACT, at, "x");
    (void)room_speak(f, 3, 36, ROOM_UNREACT, at, "y");
    (void)room_speak(f, 3, 35, ROOM_REACT, at, "y");
    (void)room_speak(f, 4, 37, ROOM_REACT, at, "z");
    (void)room_speak(f, 4, 38, ROOM_UNREACT, at, "z");
    const struct room_message *message = room_view_message(f->view, 0);
    assert_int_equal(message->reaction_count, 2);
    assert_true(slice_is(message->reactions[0].text, "x"));
    assert_int_equal(message->reactions[0].count, 1);
    assert_true(slice_is(message->reactions[1].text, "y"));
    assert_int_equal(message->reactions[1].count, 2);
    room_ban(f, 0, 40, 2, true); /* and 3 with it */
    assert_string_equal(room_messages(f), "hi[y:4]");
    (void)room_speak(f, 1, 41, ROOM_DELETE, at, NULL);
    assert_string_equal(room_messages(f), "-");
}

static void replies_joins_and_leaves_are_messages(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct spot at = room_say(f, 1, 20, "q");
    (void)room_speak(f, 2, 21, ROOM_REPLY, at, "a");
    (void)room_speak(f, 2, 22, ROOM_JOIN, at, NULL);
    (void)room_speak(f, 2, 23, ROOM_LEAVE, at, NULL);
    assert_int_equal(room_view_message_count(f->view), 4);
    assert_memory_equal(room_view_message(f->view, 1)->reply_to, at.bytes, ROOM_SPOT_BYTES);
    assert_null(room_view_message(f->view, 0)->reply_to);
    assert_int_equal(room_view_message(f->view, 2)->content, ROOM_JOIN);
    assert_int_equal(room_view_message(f->view, 3)->content, ROOM_LEAVE);
}

static void the_upgrade_points_to_the_last_named_room(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct room_author owner = room_as(f, 0);
    assert_null(room_view_upgrade(f->view));
    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(room_write_upgrade(&owner, 20 + i, f->people[i].key, &f->delta, &f->why),
                         0);
        room_take(f);
    }
    assert_memory_equal(room_view_upgrade(f->view), f->people[2].key, CONTRACT_KEY_BYTES);
}

/* --- private rooms ----------------------------------------------------------------------- */

static const uint8_t key_one[ROOM_KEY_BYTES] = {1}, key_two[ROOM_KEY_BYTES] = {2};

static void say_sealed(struct room_fixture *f, size_t who, uint64_t stamp, const char *text,
                       const uint8_t *key)
{
    uint8_t nonce[ROOM_NONCE_BYTES] = {(uint8_t)stamp};
    struct room_author author = room_as(f, who);
    struct room_words words = {slice_text(text), key, nonce};
    assert_int_equal(
        room_write_message(&author, stamp, ROOM_TEXT, NULL, &words, NULL, &f->delta, &f->why), 0);
    room_take(f);
}

static void sealed_texts_are_read_with_their_key_alone(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    say_sealed(f, 1, 20, "one", key_one);
    say_sealed(f, 1, 21, "two", key_two);
    assert_string_equal(room_messages(f), "? ?");
    assert_int_equal(room_view_add_key(f->view, key_one), 0);
    assert_string_equal(room_messages(f), "one ?");
    assert_int_equal(room_view_add_key(f->view, key_two), 0);
    assert_string_equal(room_messages(f), "one two");
    say_sealed(f, 2, 22, "three", key_one);
    assert_string_equal(room_messages(f), "one two three");
}

/* The same sealed bytes under another name are signed well, and say nothing. */
static void a_sealed_text_cannot_be_copied_under_another_name(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    uint8_t nonce[ROOM_NONCE_BYTES] = {0}, out[16];
    struct buffer sealed = {0};
    struct room_text text;
    room_text_seal(&f->contract, key_one, nonce, f->people[1].key, slice_text("mine"), &sealed);
    assert_int_equal(room_text_read(buffer_slice(&sealed), 10, "text", &text, NULL), 0);
    assert_int_equal(room_text_size(&text), 4);
    assert_int_equal(room_text_open(&f->contract, key_one, f->people[1].key, &text, out), 0);
    assert_memory_equal(out, "mine", 4);
    assert_int_equal(room_text_open(&f->contract, key_one, f->people[2].key, &text, out),
                     ERR_DENIED);
    assert_int_equal(room_text_open(&f->contract, key_two, f->people[1].key, &text, out),
                     ERR_DENIED);
    buffer_free(&sealed);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, WRITER_KEY_BYTES);
}

/* Copies for these people (digits). */
static struct buffer copies_for(struct room_fixture *f, const uint8_t *key, const char *people)
{
    uint8_t seed[32] = {7};
    struct buffer copies = {0};
    for (; *people; people++, seed[1]++)
        assert_int_equal(room_copy_seal(key, f->people[*people - '0'].key, seed, &copies), 0);
    qsort(copies.data, copies.size / ROOM_COPY_BYTES, ROOM_COPY_BYTES, by_bytes);
    return copies;
}

static void grant(struct room_fixture *f, size_t who, uint64_t stamp, uint64_t number,
                  const uint8_t *key, const char *people)
{
    struct room_author author = room_as(f, who);
    struct buffer copies = copies_for(f, key, people);
    assert_int_equal(
        room_write_keys(&author, stamp, number, key, buffer_slice(&copies), &f->delta, &f->why), 0);
    room_take(f);
    buffer_free(&copies);
}

static void a_rotated_key_reaches_those_it_was_sealed_to(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    uint8_t key[ROOM_KEY_BYTES], id[ROOM_KEY_ID_BYTES];
    grant(f, 0, 20, 1, key_one, "01234");
    assert_int_equal(room_view_key_in_use(f->view)->number, 1);
    grant(f, 0, 30, 2, key_two, "014");
    const struct room_grant *used = room_view_key_in_use(f->view);
    assert_int_equal(used->number, 2);
    assert_int_equal(room_copy_find(used->copies, f->people[4].secret, key), 0);
    assert_memory_equal(key, key_two, sizeof key);
    room_key_id(&f->contract, key, id);
    assert_memory_equal(id, used->key_id, sizeof id);
    assert_int_equal(room_copy_find(used->copies, f->people[2].secret, key), ERR_NOT_FOUND);
    assert_int_equal(room_view_grant_count(f->view), 2);
}

static void a_copy_is_what_crypto_box_seal_makes(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct buffer copies = copies_for(f, key_one, "3");
    uint8_t public_key[32], secret[32], sealed[ROOM_SEALED_KEY_BYTES], key[ROOM_KEY_BYTES];
    assert_int_equal(crypto_sign_ed25519_pk_to_curve25519(public_key, f->people[3].key), 0);
    assert_int_equal(crypto_sign_ed25519_sk_to_curve25519(secret, f->people[3].secret), 0);
    assert_int_equal(crypto_box_seal_open(key, copies.data + WRITER_KEY_BYTES,
                                          ROOM_SEALED_KEY_BYTES, public_key, secret),
                     0);
    assert_memory_equal(key, key_one, sizeof key);
    assert_int_equal(crypto_box_seal(sealed, key_two, sizeof key_two, public_key), 0);
    memcpy(copies.data + WRITER_KEY_BYTES, sealed, sizeof sealed);
    assert_int_equal(room_copy_find(buffer_slice(&copies), f->people[3].secret, key), 0);
    assert_memory_equal(key, key_two, sizeof key);
    copies.data[copies.size - 1] ^= 1;
    assert_int_equal(room_copy_find(buffer_slice(&copies), f->people[3].secret, key), ERR_DENIED);
    buffer_free(&copies);
}

static void a_member_may_pass_a_key_on_but_not_put_one_in_use(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    grant(f, 0, 20, 1, key_one, "014");
    grant(f, 1, 21, 9, key_two, "2");
    assert_int_equal(room_view_grant_count(f->view), 2);
    assert_false(room_view_grant(f->view, 1)->trusted);
    assert_int_equal(room_view_key_in_use(f->view)->number, 1);
    room_ban(f, 0, 30, 1, true); /* what others sealed under it is still to be read */
    assert_int_equal(room_view_grant_count(f->view), 2);
    assert_int_equal(room_view_key_in_use(f->view)->number, 1);
}

static void a_private_rooms_names_are_read_with_its_key(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    uint8_t nonces[2][ROOM_NONCE_BYTES] = {{1}, {2}};
    struct room_author owner = room_as(f, 0);
    struct room_settings settings = {.config = room_config_default(),
                                     .name = {slice_text("den"), key_one, nonces[0]}};
    struct room_words nickname = {slice_text("boss"), key_one, nonces[1]};
    assert_int_equal(room_write_config(&owner, 20, &settings, &f->delta, &f->why), 0);
    room_take(f);
    assert_int_equal(room_write_nickname(&owner, 20, &nickname, &f->delta, &f->why), 0);
    room_take(f);
    assert_int_equal(room_view_name(f->view).size, 0);
    assert_int_equal(room_view_add_key(f->view, key_one), 0);
    assert_true(slice_is(room_view_name(f->view), "den"));
    assert_true(slice_is(room_view_nickname(f->view, f->people[0].key), "boss"));
}

static void a_direct_message_is_read_by_both_ends_and_nobody_else(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    uint8_t nonce[ROOM_NONCE_BYTES] = {3};
    struct buffer text = {0};
    struct room_author author = room_as(f, 1);
    assert_int_equal(room_write_direct(&author, 20, f->people[4].key, nonce, slice_text("psst"),
                                       &f->delta, &f->why),
                     0);
    room_take(f);
    const struct room_direct *direct = room_view_direct(f->view, 0);
    assert_memory_equal(direct->author, f->people[1].key, WRITER_KEY_BYTES);
    assert_memory_equal(direct->recipient, f->people[4].key, WRITER_KEY_BYTES);
    assert_int_equal(
        room_direct_open(f->people[4].secret, direct->author, direct->nonce, direct->box, &text),
        0);
    assert_int_equal(
        room_direct_open(f->people[1].secret, direct->recipient, direct->nonce, direct->box, &text),
        0);
    assert_true(slice_is(buffer_slice(&text), "psstpsst"));
    assert_int_equal(
        room_direct_open(f->people[2].secret, direct->author, direct->nonce, direct->box, &text),
        ERR_DENIED);
    assert_int_equal(text.size, 8);
    buffer_free(&text);
}

static void a_refused_delta_changes_no_view(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct buffer before = {0}, after = {0};
    (void)room_say(f, 1, 20, "hi");
    assert_int_equal(room_view_print(f->view, &before), 0);
    assert_int_equal(room_view_apply(f->view, slice_text("nonsense"), &f->why), ERR_BAD_STATE);
    assert_non_null(strstr(f->why.text, "entry 1"));
    assert_int_equal(room_view_print(f->view, &after), 0);
    assert_true(slice_equal(buffer_slice(&before), buffer_slice(&after)));
    buffer_free(&before);
    buffer_free(&after);
}

int main(void)
{
#define IN_A_ROOM(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_ROOM(members_are_the_owner_and_who_joined_shorter_chains_first),
        IN_A_ROOM(a_ban_covers_all_whom_the_banned_invited_and_can_be_lifted),
        IN_A_ROOM(who_stands_above_may_ban_and_nobody_else),
        IN_A_ROOM(a_ban_by_who_is_banned_counts_no_more),
        IN_A_ROOM(moderators_stand_by_themselves_and_cannot_ban_each_other),
        IN_A_ROOM(who_is_invited_again_by_someone_else_is_in_again),
        IN_A_ROOM(who_leaves_is_no_member_and_its_messages_stay),
        IN_A_ROOM(where_somebody_stands_is_told),
        IN_A_ROOM(messages_of_who_has_not_joined_are_not_shown),
        IN_A_ROOM(configured_caps_hold_in_the_view_and_can_be_raised),
        IN_A_ROOM(of_two_configurations_of_one_version_one_wins_in_either_order),
        IN_A_ROOM(a_nickname_is_the_last_given),
        IN_A_ROOM(messages_stand_in_order_of_time_however_they_came),
        IN_A_ROOM(the_authors_last_edit_gives_the_text),
        IN_A_ROOM(an_edit_that_came_first_waits_for_its_message),
        IN_A_ROOM(author_moderators_and_owner_delete_and_others_do_not),
        IN_A_ROOM(reactions_count_once_an_author_and_the_last_word_holds),
        IN_A_ROOM(replies_joins_and_leaves_are_messages),
        IN_A_ROOM(the_upgrade_points_to_the_last_named_room),
        IN_A_ROOM(sealed_texts_are_read_with_their_key_alone),
        IN_A_ROOM(a_sealed_text_cannot_be_copied_under_another_name),
        IN_A_ROOM(a_rotated_key_reaches_those_it_was_sealed_to),
        IN_A_ROOM(a_copy_is_what_crypto_box_seal_makes),
        IN_A_ROOM(a_member_may_pass_a_key_on_but_not_put_one_in_use),
        IN_A_ROOM(a_private_rooms_names_are_read_with_its_key),
        IN_A_ROOM(a_direct_message_is_read_by_both_ends_and_nobody_else),
        IN_A_ROOM(a_refused_delta_changes_no_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
