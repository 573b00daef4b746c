/* Entries of rooms: who may write what, what is refused and by which words, what the cap drops. */
#include "tests/unit/room_fixture.h"

#include "contracts/view.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* --- parameters -------------------------------------------------------------------------- */

static void bad_params(struct slice params, const char *says)
{
    struct contract contract;
    struct reason why = {""};
    assert_int_equal(contract_init(&contract, slice_text("room"), params, &why), ERR_BAD_PARAMS);
    if (!strstr(why.text, says))
        fail_msg("'%s', wanted '%s'", why.text, says);
}

static void a_room_needs_an_owner_and_a_salt_and_takes_no_writers(void **state)
{
    (void)state;
    uint8_t owner[WRITER_KEY_BYTES] = {1}, salt[ROOM_SALT_BYTES] = {0}, many[8] = {0, 0, 0, 1};
    struct slice owner_slice = slice_of(owner, sizeof owner), salt_slice = slice_of(salt, 16);
    struct buffer params[5] = {0};
    bad_params(slice_of(NULL, 0),
               "a room needs its owner's public key, `owner`, and 16 random bytes, `salt`");
    entry_append(&params[0], slice_text("owner"), owner_slice);
    bad_params(buffer_slice(&params[0]), "a room needs its owner's public key, `owner`, and 16");
    entry_append(&params[1], slice_text("owner"), slice_of(owner, 31));
    bad_params(buffer_slice(&params[1]), "owner: 31 bytes");
    entry_append(&params[2], slice_text("owner"), owner_slice);
    entry_append(&params[2], slice_text("salt"), slice_of(salt, 15));
    bad_params(buffer_slice(&params[2]), "salt: 15 bytes");
    entry_append(&params[3], slice_text("owner"), owner_slice);
    entry_append(&params[3], slice_text("salt"), salt_slice);
    entry_append(&params[3], slice_text("writers"), owner_slice);
    bad_params(buffer_slice(&params[3]), "a room takes no parameter 'writers'");
    entry_append(&params[4], slice_text("newest"), slice_of(many, sizeof many));
    entry_append(&params[4], slice_text("owner"), owner_slice);
    entry_append(&params[4], slice_text("salt"), salt_slice);
    bad_params(buffer_slice(&params[4]), "the most is 8192");
    for (size_t i = 0; i < 5; i++)
        buffer_free(&params[i]);
}

static void a_room_may_have_a_name(void **state)
{
    (void)state;
    uint8_t owner[WRITER_KEY_BYTES] = {1}, salt[ROOM_SALT_BYTES] = {0};
    struct buffer params = {0};
    struct contract contract;
    entry_append(&params, slice_text("name"), slice_text("kitchen"));
    entry_append(&params, slice_text("owner"), slice_of(owner, sizeof owner));
    entry_append(&params, slice_text("salt"), slice_of(salt, sizeof salt));
    assert_int_equal(contract_init(&contract, slice_text("room"), buffer_slice(&params), NULL), 0);
    assert_true(slice_is(contract_param(&contract, "name"), "kitchen"));
    buffer_free(&params);
}

static void a_room_takes_no_edit(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct state_reader reader = state_reader(f->state);
    struct editor editor = {.now_ms = 1};
    struct slice word = slice_text("x");
    assert_true(contract_signed(&f->contract));
    assert_int_equal(
        kind_edit(&f->contract, &reader, &editor, slice_text("set"), &word, 1, &f->delta, &f->why),
        ERR_BAD_KIND);
    assert_non_null(strstr(f->why.text,
                           "a room's entries are signed by their authors: `weir room` or libweir"));
}

/* --- refused ----------------------------------------------------------------------------- */

/* The last written entry with one byte of its value changed; `from_end` counts from its end. */
static struct slice forged(struct room_fixture *f, size_t from_end)
{
    f->delta.data[f->delta.size - 1 - from_end] ^= 1;
    return buffer_slice(&f->delta);
}

static void write_text(struct room_fixture *f, const struct room_author *author, const char *text)
{
    struct room_words words = {.plain = slice_text(text)};
    buffer_clear(&f->delta);
    assert_int_equal(
        room_write_message(author, 20, ROOM_TEXT, NULL, &words, NULL, &f->delta, &f->why), 0);
}

static void a_forged_entry_is_refused_and_named(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct room_author author = room_as(f, 2);
    write_text(f, &author, "hello");
    room_refuses(f, forged(f, 0), "signature does not verify");
    assert_non_null(strstr(f->why.text, "entry 1 (key 0x74"));
    write_text(f, &author, "hello");
    room_refuses(f, forged(f, SIGNATURE_BYTES), "its last invitation is not its author's");
    write_text(f, &author, "hello");
    room_refuses(f, forged(f, WRITER_TRAILER_BYTES), "its id is not the hash of it, in this room");
}

static void an_entry_of_another_room_is_refused(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct buffer params = {0};
    struct contract other;
    room_params(f->people[0].key, 2, UINT64_MAX, &params);
    assert_int_equal(contract_init(&other, slice_text("room"), buffer_slice(&params), NULL), 0);
    struct room_author owner = {&other, f->people[0].secret, slice_of(NULL, 0)};
    write_text(f, &owner, "hello");
    room_refuses(f, buffer_slice(&f->delta), "its id is not the hash of it, in this room");
    /* the same words with an id of this room: the signature still says where they belong */
    struct room_author here = room_as(f, 0);
    struct buffer written = {0};
    struct room_words words = {.plain = slice_text("hello")};
    assert_int_equal(room_write_message(&here, 20, ROOM_TEXT, NULL, &words, NULL, &written, NULL),
                     0);
    memcpy(written.data + written.size - SIGNATURE_BYTES,
           f->delta.data + f->delta.size - SIGNATURE_BYTES, SIGNATURE_BYTES);
    room_refuses(f, buffer_slice(&written), "signature does not verify");
    buffer_free(&written);
    buffer_free(&params);
}

static void a_stranger_is_refused_whatever_invitations_it_brings(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct person *stranger = &f->people[5];
    struct buffer *chain = &stranger->chains[0];
    struct room_author author, own = {&f->contract, stranger->secret, {0}};
    struct room_author owner = room_as(f, 0);
    write_text(f, &owner, "hello");
    memcpy(f->delta.data + f->delta.size - WRITER_TRAILER_BYTES, stranger->key, WRITER_KEY_BYTES);
    room_refuses(f, buffer_slice(&f->delta), "its author is a stranger: it brings 0 invitations");
    /* it invites itself, with a signature of its own in place of the owner's */
    room_write_link(&own, stranger->key, 5, chain);
    author = room_as(f, 5);
    write_text(f, &author, "hello");
    room_refuses(f, buffer_slice(&f->delta), "a stranger: invitation 1 of 1 does not verify");
    /* behind a member's real chain */
    buffer_clear(chain);
    buffer_append_slice(chain, buffer_slice(&f->people[2].chains[0]));
    room_write_link(&own, stranger->key, 5, chain);
    author = room_as(f, 5);
    write_text(f, &author, "hello");
    room_refuses(f, buffer_slice(&f->delta), "a stranger: invitation 3 of 3 does not verify");
}

static void an_invitation_of_another_room_is_none_here(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct buffer params = {0};
    struct contract other;
    room_params(f->people[0].key, 2, UINT64_MAX, &params);
    assert_int_equal(contract_init(&other, slice_text("room"), buffer_slice(&params), NULL), 0);
    struct room_author owner = {&other, f->people[0].secret, slice_of(NULL, 0)};
    room_write_link(&owner, f->people[5].key, 5, &f->people[5].chains[0]);
    struct room_author author = room_as(f, 5);
    write_text(f, &author, "hello");
    room_refuses(f, buffer_slice(&f->delta), "a stranger: invitation 1 of 1 does not verify");
    buffer_free(&params);
}

/* Chains that no honest client makes; entries are built in other ways than room_write's. */
static void chains_that_lead_in_circles_or_too_far_are_not_written(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct buffer chain = {0}, more = {0};
    struct room_words words = {.plain = slice_text("x")};
    struct room_author three = room_as(f, 3), one, far;
    room_write_link(&three, f->people[1].key, 9, &chain); /* 1 ▶ 2 ▶ 3 ▶ 1 */
    one = (struct room_author){&f->contract, f->people[1].secret, buffer_slice(&chain)};
    assert_int_equal(
        room_write_message(&one, 20, ROOM_TEXT, NULL, &words, NULL, &f->delta, &f->why),
        ERR_BAD_REQUEST);
    assert_non_null(strstr(f->why.text, "invitation 4 is to someone above it"));
    buffer_clear(&chain);
    far = room_as(f, 0);
    for (uint8_t i = 0; i <= ROOM_LINKS_MAX; i++) {
        static struct person person;
        uint8_t secret[64];
        person_make(&person, (uint8_t)(100 + i));
        memcpy(secret, person.secret, sizeof secret);
        buffer_clear(&more);
        room_write_link(&far, person.key, 1, &more);
        buffer_clear(&chain);
        buffer_append_slice(&chain, buffer_slice(&more));
        far = (struct room_author){&f->contract, person.secret, buffer_slice(&chain)};
        int rc = room_write_message(&far, 20, ROOM_TEXT, NULL, &words, NULL, &f->delta, &f->why);
        assert_int_equal(rc, i < ROOM_LINKS_MAX ? 0 : ERR_BAD_REQUEST);
    }
    assert_non_null(strstr(f->why.text, "over 16"));
    assert_int_equal(contract_check(&f->contract, NULL, slice_of(NULL, 0), NULL, NULL), 0);
    buffer_free(&chain);
    buffer_free(&more);
}

static void oversized_contents_are_refused(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    static char text[ROOM_TEXT_BYTES_MAX + 2];
    struct room_author author = room_as(f, 1), owner = room_as(f, 0);
    memset(text, 'x', sizeof text - 1);
    struct spot at = room_say(f, 1, 20, text + 1);
    const struct {
        enum room_content content;
        size_t size;
    } rows[] = {{ROOM_TEXT, ROOM_TEXT_BYTES_MAX},
                {ROOM_REPLY, ROOM_TEXT_BYTES_MAX},
                {ROOM_EDIT, ROOM_TEXT_BYTES_MAX},
                {ROOM_REACT, ROOM_REACTION_BYTES_MAX}};
    for (size_t i = 0; i < 4; i++) {
        struct room_words words = {.plain = slice_of(text, rows[i].size + 1)};
        const uint8_t *target = rows[i].content == ROOM_TEXT ? NULL : at.bytes;
        assert_int_equal(room_write_message(&author, 30, rows[i].content, target, &words, NULL,
                                            &f->delta, &f->why),
                         ERR_BAD_REQUEST);
        assert_non_null(strstr(f->why.text, "the most is"));
        words.plain.size--;
        assert_int_equal(room_write_message(&author, 30, rows[i].content, target, &words, NULL,
                                            &f->delta, &f->why),
                         0);
    }
    struct room_words name = {.plain = slice_of(text, ROOM_NICKNAME_BYTES_MAX + 1)};
    assert_int_equal(room_write_nickname(&author, 30, &name, &f->delta, &f->why), ERR_BAD_REQUEST);
    struct room_settings settings = {.config = room_config_default()};
    settings.name.plain = slice_of(text, ROOM_NAME_BYTES_MAX + 1);
    assert_int_equal(room_write_config(&owner, 30, &settings, &f->delta, &f->why), ERR_BAD_REQUEST);
    settings.name.plain.size--;
    settings.description.plain = slice_of(text, ROOM_DESCRIPTION_BYTES_MAX + 1);
    assert_int_equal(room_write_config(&owner, 30, &settings, &f->delta, &f->why), ERR_BAD_REQUEST);
    settings.description.plain.size--;
    settings.config.bans = ROOM_BANS_MAX + 1;
    assert_int_equal(room_write_config(&owner, 30, &settings, &f->delta, &f->why), ERR_BAD_REQUEST);
    assert_non_null(strstr(f->why.text, "it allows 1001 bans"));
    uint8_t nonce[ROOM_NONCE_BYTES] = {0};
    assert_int_equal(room_write_direct(&author, 30, f->people[2].key, nonce,
                                       slice_of(text, ROOM_TEXT_BYTES_MAX + 1), &f->delta, &f->why),
                     ERR_BAD_REQUEST);
}

static void only_the_owner_configures_and_upgrades_and_nobody_bans_the_owner(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct room_author author = room_as(f, 1);
    struct room_settings settings = {.config = room_config_default()};
    assert_int_equal(room_write_config(&author, 30, &settings, &f->delta, &f->why),
                     ERR_BAD_REQUEST);
    assert_non_null(strstr(f->why.text, "the owner alone may write it"));
    assert_int_equal(room_write_upgrade(&author, 30, f->people[1].key, &f->delta, &f->why),
                     ERR_BAD_REQUEST);
    assert_int_equal(room_write_ban(&author, 30, f->people[0].key, true, &f->delta, &f->why),
                     ERR_BAD_REQUEST);
    assert_non_null(strstr(f->why.text, "nobody can ban the owner"));
}

static void nobody_writes_in_anothers_name(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct room_author author = room_as(f, 1);
    struct room_words name = {.plain = slice_text("eve")};
    assert_int_equal(room_write_nickname(&author, 30, &name, &f->delta, &f->why), 0);
    memcpy(f->delta.data + 2, f->people[2].key, WRITER_KEY_BYTES);
    room_refuses(f, buffer_slice(&f->delta), "its key names someone else as its author");
}

static void a_message_speaks_of_older_ones_only(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct room_author author = room_as(f, 1);
    struct room_words words = {.plain = slice_text("+1")};
    struct spot at = room_say(f, 1, 20, "hello");
    assert_int_equal(
        room_write_message(&author, 19, ROOM_REACT, at.bytes, &words, NULL, &f->delta, &f->why),
        ERR_BAD_REQUEST);
    assert_non_null(strstr(f->why.text, "not before it in time"));
}

/* --- taken ------------------------------------------------------------------------------- */

/* The least that decision 0020 promises: no entry needs another one to be taken. */
static void every_entry_is_taken_alone_and_in_any_order(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct buffer bytes = {0};
    (void)room_say(f, 3, 20, "deep");
    assert_int_equal(state_encode(f->state, &bytes), 0);
    struct entries walk = entries_of(buffer_slice(&bytes));
    struct entry entry;
    size_t count = 0;
    while (entries_next(&walk, &entry, NULL) == 1) {
        state_t *empty = state_new(&f->contract);
        assert_int_equal(state_merge(empty, walk.encoded, NULL, &f->why), 0);
        state_destroy(&empty);
        count++;
    }
    assert_int_equal(count, 5);
    buffer_free(&bytes);
}

/* What was proven is not proven again, and what differs from it is. */
static void a_known_members_chain_is_not_verified_again_but_another_is(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct buffer forged_chain = {0};
    buffer_append_slice(&forged_chain, buffer_slice(&f->people[3].chains[0]));
    forged_chain.data[forged_chain.size - 1] ^= 1;
    struct room_author author = {&f->contract, f->people[3].secret, buffer_slice(&forged_chain)};
    write_text(f, &author, "hello");
    room_refuses(f, buffer_slice(&f->delta), "invitation 3 of 3 does not verify");
    buffer_free(&forged_chain);
}

/* A longer chain than the one that is held, and the held one cut: each is looked at by itself. */
static void a_chain_of_another_length_is_another_chain(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    struct buffer longer = {0};
    struct room_author three = room_as(f, 3);
    room_write_link(&three, f->people[4].key, 9, &longer);
    struct room_author author = {&f->contract, f->people[4].secret, buffer_slice(&longer)};
    write_text(f, &author, "hello");
    room_take(f);
    longer.data[longer.size - 1] ^= 1;
    write_text(f, &author, "hello");
    room_refuses(f, buffer_slice(&f->delta), "invitation 4 of 4 does not verify");
    struct room_author owner = room_as(f, 0);
    buffer_clear(&longer);
    room_write_link(&owner, f->people[3].key, 9, &longer); /* 3 has three links */
    author = (struct room_author){&f->contract, f->people[3].secret, buffer_slice(&longer)};
    write_text(f, &author, "hello");
    room_take(f);
    longer.data[longer.size - 1] ^= 1;
    write_text(f, &author, "hello");
    room_refuses(f, buffer_slice(&f->delta), "invitation 1 of 1 does not verify");
    buffer_free(&longer);
}

/* A reader over the room's state that fails at a chosen call. */
struct failing {
    struct state_reader under;
    unsigned calls, fail_at;
};

static int failing_get(void *me, struct slice key, struct slice *value)
{
    struct failing *self = (struct failing *)me;
    return ++self->calls == self->fail_at ? ERR_IO : self->under.get(self->under.self, key, value);
}

static int failing_seek(void *me, struct slice from, bool past, struct entry *entry)
{
    struct failing *self = (struct failing *)me;
    return ++self->calls == self->fail_at ? ERR_IO
                                          : self->under.seek(self->under.self, from, past, entry);
}

static uint64_t failing_count(void *me)
{
    const struct failing *self = (const struct failing *)me;
    return self->under.count(self->under.self);
}

static void a_room_that_cannot_be_read_takes_nothing(void **state)
{
    (void)state;
    struct room_fixture f;
    unsigned failed = 0;
    room_open(&f, 5); /* 4 member entries: 1 place */
    (void)room_say(&f, 1, 15, "first");
    struct room_author author = room_as(&f, 3);
    write_text(&f, &author, "second");
    for (unsigned at = 1;; at++) {
        struct failing failing = {.under = state_reader(f.state), .fail_at = at};
        struct state_reader reader = {&failing, failing_get, failing_seek, failing_count};
        struct summary summary = *state_summary(f.state), before = summary;
        struct merge merge = {0};
        int rc = contract_merge(&f.contract, &reader, buffer_slice(&f.delta), false,
                                STATE_BYTES_MAX, &summary, &merge, &f.why);
        bool reached = failing.calls >= at;
        assert_int_equal(rc, reached ? ERR_IO : 0);
        assert_int_equal(merge.count, reached ? 0 : 2);
        assert_int_equal(summary_equal(&summary, &before), reached);
        merge_free(&merge);
        failed += reached;
        if (!reached)
            break;
    }
    assert_true(failed > 4); /* what is held, the author's chain, both sections, the drop */
    room_close(&f);
}

static void the_cap_drops_the_oldest_messages_of_both_sections_and_nothing_else(void **state)
{
    (void)state;
    struct room_fixture f;
    uint8_t nonce[ROOM_NONCE_BYTES] = {0};
    room_open(&f, 7); /* 4 member entries: 3 places */
    (void)room_say(&f, 1, 20, "first");
    struct room_author author = room_as(&f, 1);
    assert_int_equal(room_write_direct(&author, 21, f.people[2].key, nonce, slice_text("psst"),
                                       &f.delta, &f.why),
                     0);
    room_take(&f);
    (void)room_say(&f, 2, 22, "second");
    assert_string_equal(room_messages(&f), "first second");
    (void)room_say(&f, 2, 23, "third");
    assert_string_equal(room_messages(&f), "second third");
    assert_int_equal(room_view_direct_count(f.view), 1);
    (void)room_say(&f, 2, 24, "fourth");
    assert_string_equal(room_messages(&f), "second third fourth");
    assert_int_equal(room_view_direct_count(f.view), 0);
    (void)room_say(&f, 2, 5, "before all"); /* dropped as it comes */
    assert_string_equal(room_messages(&f), "second third fourth");
    room_nick(&f, 1, 30, "ann");
    room_nick(&f, 2, 30, "bob");
    room_nick(&f, 3, 30, "cy");
    room_nick(&f, 4, 30, "di");
    assert_string_equal(room_messages(&f), "");
    assert_int_equal(state_summary(f.state)->count, 8);
    room_close(&f);
}

static int collect(void *self, const struct view_item *item)
{
    char *text = (char *)self;
    size_t used = strlen(text);
    (void)snprintf(text + used, 256 - used, "%s%.*s:%.*s@%llu ", item->removed ? "-" : "",
                   (int)item->name.size, (const char *)item->name.data, (int)item->value.size,
                   (const char *)item->value.data, (unsigned long long)item->time_ms);
    return 0;
}

static void a_delta_shows_what_it_brings(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    char text[256] = "";
    struct room_author author = room_as(f, 1);
    struct room_words words = {.plain = slice_text("hi")};
    assert_int_equal(room_write_message(&author, (uint64_t)7 << 16, ROOM_TEXT, NULL, &words, NULL,
                                        &f->delta, NULL),
                     0);
    assert_int_equal(view_items(&f->contract, buffer_slice(&f->delta), collect, text, &f->why), 0);
    assert_string_equal(text, ":hi@7 ");
    assert_int_equal(view_items(&f->contract, slice_text("?"), collect, text, &f->why),
                     ERR_BAD_STATE);
}

static void who_comes_and_goes_is_shown(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    static const enum room_content contents[] = {ROOM_JOIN, ROOM_LEAVE};
    static const char *const shown[] = {":(joins)@7 ", ":(leaves)@7 "};
    for (size_t i = 0; i < 2; i++) {
        char text[256] = "";
        struct room_author author = room_as(f, 1);
        buffer_clear(&f->delta);
        assert_int_equal(room_write_message(&author, (uint64_t)7 << 16, contents[i], NULL, NULL,
                                            NULL, &f->delta, NULL),
                         0);
        assert_int_equal(view_items(&f->contract, buffer_slice(&f->delta), collect, text, &f->why),
                         0);
        assert_string_equal(text, shown[i]);
    }
}

static void what_has_no_room_in_its_fields_is_not_built(void **state)
{
    struct room_fixture *f = (struct room_fixture *)*state;
    static char text[UINT16_MAX + 9];
    static uint8_t keys[(ROOM_MODERATORS_MAX + 1) * WRITER_KEY_BYTES];
    struct room_author owner = room_as(f, 0);
    struct room_settings settings = {.config = room_config_default()};
    settings.name.plain = slice_of(text, sizeof text);
    assert_int_equal(room_write_config(&owner, 30, &settings, &f->delta, &f->why), ERR_BAD_REQUEST);
    settings.name.plain = slice_of(NULL, 0);
    settings.config.moderators = slice_of(keys, sizeof keys);
    assert_int_equal(room_write_config(&owner, 30, &settings, &f->delta, &f->why), ERR_BAD_REQUEST);
    assert_string_equal(f->why.text, "33 moderators, the most is 32");
    assert_int_equal(f->delta.size, 0);
}

int main(void)
{
#define IN_A_ROOM(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_room_needs_an_owner_and_a_salt_and_takes_no_writers),
        cmocka_unit_test(a_room_may_have_a_name),
        IN_A_ROOM(a_room_takes_no_edit),
        IN_A_ROOM(a_forged_entry_is_refused_and_named),
        IN_A_ROOM(an_entry_of_another_room_is_refused),
        IN_A_ROOM(a_stranger_is_refused_whatever_invitations_it_brings),
        IN_A_ROOM(an_invitation_of_another_room_is_none_here),
        IN_A_ROOM(chains_that_lead_in_circles_or_too_far_are_not_written),
        IN_A_ROOM(oversized_contents_are_refused),
        IN_A_ROOM(only_the_owner_configures_and_upgrades_and_nobody_bans_the_owner),
        IN_A_ROOM(nobody_writes_in_anothers_name),
        IN_A_ROOM(a_message_speaks_of_older_ones_only),
        IN_A_ROOM(every_entry_is_taken_alone_and_in_any_order),
        IN_A_ROOM(a_known_members_chain_is_not_verified_again_but_another_is),
        IN_A_ROOM(a_chain_of_another_length_is_another_chain),
        cmocka_unit_test(a_room_that_cannot_be_read_takes_nothing),
        IN_A_ROOM(who_comes_and_goes_is_shown),
        IN_A_ROOM(what_has_no_room_in_its_fields_is_not_built),
        cmocka_unit_test(the_cap_drops_the_oldest_messages_of_both_sections_and_nothing_else),
        IN_A_ROOM(a_delta_shows_what_it_brings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
