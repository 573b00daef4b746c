/* Entries of rooms that contracts/room_write.h would not build: what their bytes are refused for,
 * one row each; and what asks of the bytes alone. */
#include "tests/unit/room_fixture.h"

#include "contracts/dates.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* An entry of person `who`, put together by hand: with its id, and with no signature. */
struct raw {
    struct buffer key, value;
};

static void raw_free(struct raw *self)
{
    buffer_free(&self->key);
    buffer_free(&self->value);
}

static void raw_make(struct raw *self, const struct room_fixture *f, size_t who,
                     enum room_section section, struct slice head, uint64_t stamp,
                     struct slice body)
{
    static const uint8_t signature[SIGNATURE_BYTES];
    bool timed = section == ROOM_DIRECT || section == ROOM_MESSAGE;
    struct slice chain = buffer_slice(&f->people[who].chains[0]);
    struct buffer rest = {0};
    uint8_t id[ROOM_ID_BYTES];
    *self = (struct raw){0};
    buffer_append_u8(&rest, (uint8_t)room_links(chain));
    buffer_append_slice(&rest, chain);
    buffer_append_slice(&rest, body);
    buffer_append_u8(&self->key, (uint8_t)section);
    buffer_append_slice(&self->key, head);
    room_record_id(&f->contract, f->people[who].key, buffer_slice(&self->key), stamp,
                   buffer_slice(&rest), id);
    struct buffer *spot = timed ? &self->key : &self->value;
    buffer_append_u64(spot, stamp);
    buffer_append(spot, id, sizeof id);
    buffer_append_slice(&self->value, buffer_slice(&rest));
    buffer_append(&self->value, f->people[who].key, WRITER_KEY_BYTES);
    buffer_append(&self->value, signature, sizeof signature);
    buffer_free(&rest);
}

static void refused(struct room_fixture *f, size_t who, enum room_section section,
                    struct slice head, struct slice body, const char *says)
{
    struct raw raw;
    raw_make(&raw, f, who, section, head, 20, body);
    int rc = contract_check_entry(&f->contract, buffer_slice(&raw.key), buffer_slice(&raw.value),
                                  &f->why);
    if (rc != ERR_BAD_STATE || !strstr(f->why.text, says))
        fail_msg("'%c': %s, wanted '%s'", section, rc ? f->why.text : "it is taken", says);
    raw_free(&raw);
}

static struct slice key_of(const struct room_fixture *f, size_t who)
{
    return slice_of(f->people[who].key, WRITER_KEY_BYTES);
}

static void a_message_that_says_nothing_known_is_refused(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    static const uint8_t older[1 + ROOM_SPOT_BYTES + 1] = {ROOM_DELETE};
    const struct {
        struct slice body;
        const char *says;
    } rows[] = {
        {slice_of(NULL, 0), "content 0, there are 1 to 8"},
        {slice_text("\x09"), "content 9, there are 1 to 8"},
        {slice_text("\x01"), "its text does not begin with 0 (plain) or 1 (sealed)"},
        {slice_text("\x01\x02x"), "its text does not begin with 0 (plain) or 1 (sealed)"},
        {slice_text("\x01\x01sealed"), "its sealed text is cut short"},
        {slice_text("\x02short"), "a message that is not before it in time"},
        {slice_of(older, sizeof older), "1 bytes follow its content"},
        {slice_text("\x07x"), "1 bytes follow its content"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refused(f, 1, ROOM_MESSAGE, slice_of(NULL, 0), rows[i].body, rows[i].says);
}

static void a_message_does_not_speak_of_itself(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    uint8_t body[1 + ROOM_SPOT_BYTES] = {ROOM_DELETE};
    struct room_record record;
    struct raw raw;
    raw_make(&raw, f, 1, ROOM_MESSAGE, slice_of(NULL, 0), 20, slice_of(body, sizeof body));
    struct slice key = buffer_slice(&raw.key);
    size_t at = raw.value.size - WRITER_TRAILER_BYTES - ROOM_SPOT_BYTES;
    memcpy(raw.value.data + at, key.data + 1, ROOM_SPOT_BYTES); /* its id is not asked for here */
    assert_int_equal(
        room_record_read(&f->contract, key, buffer_slice(&raw.value), &record, &f->why),
        ERR_BAD_STATE);
    assert_non_null(strstr(f->why.text, "a message that is not before it in time"));
    raw.value.data[at + ROOM_SPOT_BYTES - 1]--;
    if (key.data[ROOM_SPOT_BYTES])
        assert_int_equal(
            room_record_read(&f->contract, key, buffer_slice(&raw.value), &record, &f->why), 0);
    raw_free(&raw);
}

static void registers_have_bodies_of_their_own_form(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    uint8_t both[2 * WRITER_KEY_BYTES], nothing[WRITER_KEY_BYTES - 1] = {0};
    memcpy(both, f->people[2].key, WRITER_KEY_BYTES);
    memcpy(both + WRITER_KEY_BYTES, f->people[1].key, WRITER_KEY_BYTES);
    struct slice none = slice_of(NULL, 0), ban = slice_of(both, sizeof both);
    refused(f, 1, ROOM_MEMBER, key_of(f, 1), none, "its body is neither 0 nor 1");
    refused(f, 1, ROOM_MEMBER, key_of(f, 1), slice_text("\x02"), "its body is neither 0 nor 1");
    refused(f, 1, ROOM_BAN, ban, slice_text("\x01\x01"), "its body is neither 0 nor 1");
    refused(f, 0, ROOM_UPGRADE, none, slice_of(nothing, sizeof nothing),
            "its body is no contract key");
    refused(f, 1, ROOM_INFO, key_of(f, 1), none, "its nickname does not begin with 0");
    refused(f, 1, (enum room_section)'z', none, none, "it is in no section of a room");
    refused(f, 1, ROOM_MEMBER, none, none, "or its key has a wrong size");
}

static void keys_are_given_in_order_and_whole(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    enum { HEAD = ROOM_KEY_ID_BYTES + 2, MANY = ROOM_MEMBERS_MAX + 1 };
    uint8_t head[8 + WRITER_KEY_BYTES] = {[7] = 1}, *body;
    body = (uint8_t *)calloc(1, HEAD + MANY * ROOM_COPY_BYTES);
    memcpy(head + 8, f->people[0].key, WRITER_KEY_BYTES);
    struct slice at = slice_of(head, sizeof head);
    refused(f, 0, ROOM_KEYS, at, slice_of(body, HEAD - 1), "0 copies of a key: cut short");
    put_u16(body + ROOM_KEY_ID_BYTES, 1);
    refused(f, 0, ROOM_KEYS, at, slice_of(body, HEAD), "1 copies of a key: cut short");
    put_u16(body + ROOM_KEY_ID_BYTES, 2);
    refused(f, 0, ROOM_KEYS, at, slice_of(body, HEAD + 2 * ROOM_COPY_BYTES),
            "its copies are not in order");
    put_u16(body + ROOM_KEY_ID_BYTES, MANY);
    refused(f, 0, ROOM_KEYS, at, slice_of(body, HEAD + MANY * ROOM_COPY_BYTES), "or over 1000");
    put_u16(body + ROOM_KEY_ID_BYTES, 0);
    head[7] = 0;
    refused(f, 0, ROOM_KEYS, at, slice_of(body, HEAD), "stamp or sequence number 0");
    free(body);
}

static void a_direct_message_has_its_size(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    enum { HEAD = WRITER_KEY_BYTES + ROOM_NONCE_BYTES + ROOM_TAG_BYTES };
    static uint8_t body[HEAD + ROOM_TEXT_BYTES_MAX + 1];
    refused(f, 1, ROOM_DIRECT, slice_of(NULL, 0), slice_of(body, HEAD - 1),
            "a direct message's 72 to 4072");
    refused(f, 1, ROOM_DIRECT, slice_of(NULL, 0), slice_of(body, sizeof body),
            "its body has 4073 bytes");
}

/* private · caps · moderators · name · description, changed one byte or cut. */
static void a_configuration_is_whole_and_in_order(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    enum { CAPS = 5, COUNT_AT = 1 + 4 * CAPS };
    uint8_t body[COUNT_AT + 1 + 2 * WRITER_KEY_BYTES + 2 * 3 + 1] = {0};
    struct slice none = slice_of(NULL, 0);
    size_t texts = COUNT_AT + 1;
    put_u16(body + texts, 1); /* a text of no bytes is its head, 0 */
    put_u16(body + texts + 3, 1);
    size_t whole = texts + 6;
    struct room_config config;
    assert_int_equal(room_config_read(slice_of(body, whole), &config, &f->why), 0);
    refused(f, 0, ROOM_CONFIG, none, slice_of(body, whole + 1), "1 bytes follow its description");
    refused(f, 0, ROOM_CONFIG, none, slice_of(body, COUNT_AT), "it is no configuration");
    refused(f, 0, ROOM_CONFIG, none, slice_of(body, texts), "its name is cut short");
    refused(f, 0, ROOM_CONFIG, none, slice_of(body, texts + 2), "its name is cut short");
    refused(f, 0, ROOM_CONFIG, none, slice_of(body, whole - 1), "its description is cut short");
    body[0] = 2;
    refused(f, 0, ROOM_CONFIG, none, slice_of(body, whole), "it is no configuration");
    body[0] = 0;
    body[COUNT_AT] = 1;
    refused(f, 0, ROOM_CONFIG, none, slice_of(body, whole), "it names 1 moderators: cut short");
    body[COUNT_AT] = ROOM_MODERATORS_MAX + 1;
    refused(f, 0, ROOM_CONFIG, none, slice_of(body, whole), "or over 32");
    body[COUNT_AT] = 2; /* twice the same */
    refused(f, 0, ROOM_CONFIG, none, slice_of(body, sizeof body),
            "its moderators are not in order, each once");
}

static void the_owner_brings_no_invitation(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct buffer *chain = &f->people[0].chains[0];
    struct room_author one = room_as(f, 1);
    room_write_link(&one, f->people[0].key, 5, chain);
    refused(f, 0, ROOM_MEMBER, key_of(f, 0), slice_text("\x01"),
            "the owner needs no invitation, it brings 2");
    buffer_clear(chain);
    put_u64(f->people[1].chains[0].data + WRITER_KEY_BYTES, 0);
    refused(f, 1, ROOM_MEMBER, key_of(f, 1), slice_text("\x01"), "stamp or sequence number 0");
}

static void an_entry_cut_anywhere_is_refused(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    for (int timed = 0; timed < 2; timed++) {
        struct raw raw;
        raw_make(&raw, f, 2, timed ? ROOM_MESSAGE : ROOM_MEMBER,
                 timed ? slice_of(NULL, 0) : key_of(f, 2), 20,
                 timed ? slice_text("\x07") : slice_text("\x01"));
        struct slice key = buffer_slice(&raw.key), value = buffer_slice(&raw.value);
        assert_int_equal(contract_check_entry(&f->contract, key, value, &f->why), 0);
        for (size_t size = 0; size < value.size; size++)
            assert_int_equal(
                contract_check_entry(&f->contract, key, slice_of(value.data, size), &f->why),
                ERR_BAD_STATE);
        raw_free(&raw);
    }
}

/* --- dates ------------------------------------------------------------------------------- */

enum { NOW_MS = 1000 };

static int dated(struct room_fixture *f, uint64_t stamp, struct slice body)
{
    struct raw raw;
    struct buffer delta = {0};
    raw_make(&raw, f, 1, ROOM_MESSAGE, slice_of(NULL, 0), stamp, body);
    entry_append(&delta, buffer_slice(&raw.key), buffer_slice(&raw.value));
    int rc = dates_check(&f->contract.key, NULL, buffer_slice(&delta), NOW_MS, &f->why);
    buffer_free(&delta);
    raw_free(&raw);
    return rc;
}

/* Only what removes the message right before it may be dated ahead. */
static void what_is_no_deletion_right_after_its_target_may_not_be_dated_ahead(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    uint64_t ahead = (NOW_MS + STAMP_AHEAD_MS_MAX + 5) * (uint64_t)CLOCK_TICKS_A_MS;
    uint8_t body[1 + ROOM_SPOT_BYTES] = {ROOM_DELETE};
    put_u64(body + 1, ahead - 1);
    assert_int_equal(dated(f, ahead, slice_of(body, sizeof body)), 0);
    put_u64(body + 1, ahead + 1); /* of what is later */
    assert_int_equal(dated(f, ahead, slice_of(body, sizeof body)), ERR_BAD_STATE);
    put_u64(body + 1, ahead - CLOCK_TICKS_A_MS - 1); /* of what is long past */
    assert_int_equal(dated(f, ahead, slice_of(body, sizeof body)), ERR_BAD_STATE);
    put_u64(body + 1, ahead - 1);
    body[0] = ROOM_TEXT; /* a text as long as a deletion */
    assert_int_equal(dated(f, ahead, slice_of(body, sizeof body)), ERR_BAD_STATE);
    assert_non_null(strstr(f->why.text, "ahead of this node's clock"));
}

int main(void)
{
#define IN_A_ROOM(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_ROOM(a_message_that_says_nothing_known_is_refused),
        IN_A_ROOM(a_message_does_not_speak_of_itself),
        IN_A_ROOM(registers_have_bodies_of_their_own_form),
        IN_A_ROOM(keys_are_given_in_order_and_whole),
        IN_A_ROOM(a_direct_message_has_its_size),
        IN_A_ROOM(a_configuration_is_whole_and_in_order),
        IN_A_ROOM(the_owner_brings_no_invitation),
        IN_A_ROOM(an_entry_cut_anywhere_is_refused),
        IN_A_ROOM(what_is_no_deletion_right_after_its_target_may_not_be_dated_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
