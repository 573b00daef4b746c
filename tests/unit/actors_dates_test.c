/* put and update, alone: entries that a client dates ahead of the node's clock. What peers send has
 * any date (lesson M5). */
#include "tests/support/solo.h"
#include "tests/unit/room_fixture.h"

#include "actors/operation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { OWNER = 0, ASKER = 1 };

static struct solo world;
static struct room_fixture room;
static uint8_t nonce[ROOM_NONCE_BYTES];

static int start(const struct actor_spec *spec)
{
    room_open(&room, UINT64_MAX);
    return solo_operation_start(&world, spec, true);
}

static int start_put(void **state)
{
    (void)state;
    return start(&put_spec);
}

static int start_update(void **state)
{
    (void)state;
    return start(&update_spec);
}

static int tear_down(void **state)
{
    (void)state;
    room_close(&room);
    solo_operation_end(&world);
    return 0;
}

/* The stamp of a clock that is so far ahead of the node's. */
static uint64_t ahead(uint64_t ms)
{
    return (world.now.wall_ms + ms) << 16;
}

/* A client's UPDATE or PUT of the delta, for this contract; the delta is emptied. */
static void give(enum verb verb, const struct contract_key *key)
{
    static struct buffer given;
    buffer_clear(&given);
    assert_int_equal(entries_sort(buffer_slice(&room.delta), &given), 0);
    buffer_clear(&room.delta);
    const struct slice put[] = {slice_text("room"), buffer_slice(&room.params),
                                buffer_slice(&given)};
    const struct slice update[] = {slice_of(key->bytes, CONTRACT_KEY_BYTES), buffer_slice(&given)};
    struct request *request = verb == VERB_PUT ? solo_request(&world, verb, put, 3)
                                               : solo_request(&world, verb, update, 2);
    request->key = *key;
    solo_give(&world, ACTOR_client_api, verb == VERB_PUT ? MESSAGE_PUT : MESSAGE_UPDATE,
              &request->head);
}

static void expect_taken(void)
{
    struct message *merge = (struct message *)solo_take(&world, MESSAGE_MERGE);
    solo_answer(&world, (struct request *)merge, ACTOR_storage, MESSAGE_MERGED, ERR_BAD_STATE);
    (void)solo_expect_reply(&world, ERR_BAD_STATE);
    solo_expect_nothing(&world);
}

static void expect_refused(const char *number, const char *by)
{
    const char *sentence = solo_expect_reply(&world, ERR_BAD_STATE);
    solo_expect_nothing(&world);
    if (!strstr(sentence, number) || !strstr(sentence, by))
        fail_msg("the sentence is: %s", sentence);
}

static void write_text(uint64_t stamp, struct spot *spot)
{
    struct room_author author = room_as(&room, OWNER);
    struct room_words words = {.plain = slice_text("hello")};
    assert_int_equal(room_write_message(&author, stamp, ROOM_TEXT, NULL, &words,
                                        spot ? spot->bytes : NULL, &room.delta, NULL),
                     0);
}

/* An action of the owner on a message. */
static void write_on(uint64_t stamp, enum room_content content, const struct spot *target)
{
    struct room_author author = room_as(&room, OWNER);
    struct room_words words = {.plain = slice_text("!")};
    assert_int_equal(room_write_message(&author, stamp, content, target->bytes,
                                        content == ROOM_DELETE ? NULL : &words, NULL, &room.delta,
                                        NULL),
                     0);
}

static void at_most_five_minutes_ahead(enum verb verb)
{
    write_text(ahead(STAMP_AHEAD_MS_MAX) | 0xffff, NULL);
    give(verb, &room.contract.key);
    expect_taken();
    write_text(ahead(0), NULL);
    write_text(ahead(STAMP_AHEAD_MS_MAX + 1), NULL);
    give(verb, &room.contract.key);
    expect_refused("entry 2 (key 0x74", "300.001 s ahead");
    write_text(STAMP_MAX, NULL);
    give(verb, &room.contract.key);
    expect_refused("entry 1 (key 0x747f", "s ahead of this node's clock, the most is 300 s");
}

static void a_put_is_dated_at_most_five_minutes_ahead(void **state)
{
    (void)state;
    at_most_five_minutes_ahead(VERB_PUT);
}

static void an_update_is_dated_at_most_five_minutes_ahead(void **state)
{
    (void)state;
    at_most_five_minutes_ahead(VERB_UPDATE);
}

/* A register dated ahead would stand until that time. */
static void every_section_of_a_room_is_looked_at(void **state)
{
    (void)state;
    static const uint8_t copy[ROOM_COPY_BYTES];
    struct room_author owner = room_as(&room, OWNER);
    struct room_words words = {.plain = slice_text("o")};
    struct room_settings settings = {.config = room_config_default()};
    const uint8_t *other = room.people[1].key, *key = room.contract.key.bytes;
    uint64_t stamp = ahead(STAMP_AHEAD_MS_MAX + 1);
    struct buffer *out = &room.delta;
    for (int section = 0; section < 7; section++) {
        int rc[] = {section != 0 ? 0 : room_write_config(&owner, stamp, &settings, out, NULL),
                    section != 1 ? 0 : room_write_member(&owner, stamp, true, out, NULL),
                    section != 2 ? 0 : room_write_nickname(&owner, stamp, &words, out, NULL),
                    section != 3 ? 0 : room_write_ban(&owner, stamp, other, true, out, NULL),
                    section != 4 ? 0
                                 : room_write_direct(&owner, stamp, other, nonce,
                                                     slice_text("psst"), out, NULL),
                    section != 5 ? 0
                                 : room_write_keys(&owner, stamp, 1, key,
                                                   slice_of(copy, sizeof copy), out, NULL),
                    section != 6 ? 0 : room_write_upgrade(&owner, stamp, key, out, NULL)};
        for (size_t i = 0; i < sizeof rc / sizeof rc[0]; i++)
            assert_int_equal(rc[i], 0);
        give(VERB_UPDATE, &room.contract.key);
        expect_refused("entry 1", "ahead");
    }
}

static void a_deletion_right_behind_its_target_has_any_date(void **state)
{
    (void)state;
    struct spot target;
    uint64_t far = ahead(24ull * 3600 * 1000);
    write_text(far, &target);
    give(VERB_UPDATE, &room.contract.key);
    expect_refused("entry 1", "86400.000 s ahead");
    write_on(far + 1, ROOM_DELETE, &target);
    give(VERB_UPDATE, &room.contract.key);
    expect_taken();
    write_on(far + CLOCK_TICKS_A_MS, ROOM_DELETE, &target);
    give(VERB_UPDATE, &room.contract.key);
    expect_taken();
    write_on(far + CLOCK_TICKS_A_MS + 1, ROOM_DELETE, &target);
    give(VERB_UPDATE, &room.contract.key);
    expect_refused("entry 1", "ahead");
    write_on(far + 1, ROOM_REACT, &target);
    give(VERB_UPDATE, &room.contract.key);
    expect_refused("entry 1", "ahead");
}

/* The bytes of one room's entry under another key are no entry of a room: that is for the merge to
 * see, where the contract is. */
static void entries_of_no_room_have_any_date(void **state)
{
    (void)state;
    write_text(STAMP_MAX, NULL);
    give(VERB_UPDATE, &world.contract.key);
    expect_taken();
    entry_append(&room.delta, slice_text("a"), slice_text("b"));
    give(VERB_UPDATE, &room.contract.key);
    expect_taken();
}

/* lesson M5 */
static void what_a_peer_sends_has_any_date(void **state)
{
    (void)state;
    write_text(STAMP_MAX, NULL);
    struct peer_update update = {.tx = 1, .deadline_ms = 1000, .args = buffer_slice(&room.delta)};
    memcpy(update.key, room.contract.key.bytes, sizeof update.key);
    solo_live(&world, ASKER);
    solo_mail(&world, ASKER, PEER_UPDATE, &update);
    struct message *merge = (struct message *)solo_take(&world, MESSAGE_MERGE);
    message_free(&merge);
    solo_expect_nothing(&world);
    room_take(&room); /* and it is a valid entry */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(test, start) cmocka_unit_test_setup_teardown(test, start, tear_down)
        T(a_put_is_dated_at_most_five_minutes_ahead, start_put),
        T(an_update_is_dated_at_most_five_minutes_ahead, start_update),
        T(every_section_of_a_room_is_looked_at, start_update),
        T(a_deletion_right_behind_its_target_has_any_date, start_update),
        T(entries_of_no_room_have_any_date, start_update),
        T(what_a_peer_sends_has_any_date, start_update),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
