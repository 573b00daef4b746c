/* docs/vectors/room.txt: links, invitation, entries, fingerprint and view of a room, byte for byte.
 */
#include "client/room_code.h"
#include "contracts/room_view.h"
#include "contracts/room_write.h"
#include "contracts/state.h"
#include "tests/support/document.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { PEOPLE_MAX = 4 };

struct someone {
    char name[16];
    uint8_t key[WRITER_KEY_BYTES], secret[64];
    struct buffer chain;
};

static struct {
    struct buffer params, shows;
    struct contract contract;
    struct someone people[PEOPLE_MAX];
    size_t people_count, entries;
    state_t *state;
    uint8_t room_key[ROOM_KEY_BYTES];
    struct reason why;
} self;

static void same(const char *line, struct slice got, struct slice wanted)
{
    if (!slice_equal(got, wanted))
        fail_msg("other bytes come out: %s", line);
}

static struct someone *someone(const char *line, const char *role)
{
    char name[LINE_BYTES_MAX];
    line_word(line, role, name);
    for (size_t i = 0; i < self.people_count; i++)
        if (strcmp(self.people[i].name, name) == 0)
            return &self.people[i];
    fail_msg("nobody of that name: %s", line);
    return NULL;
}

static uint64_t number(const char *line, const char *name)
{
    char text[LINE_BYTES_MAX];
    line_word(line, name, text);
    return strtoull(text, NULL, 10);
}

static bool has(const char *line, const char *name)
{
    char wanted[32];
    (void)snprintf(wanted, sizeof wanted, " %s=", name);
    return strstr(line, wanted) != NULL;
}

static struct slice text_of(const char *line, const char *name, char text[LINE_BYTES_MAX])
{
    line_word(line, name, text);
    for (char *at = text; *at; at++)
        if (*at == '_')
            *at = ' ';
    return slice_text(text);
}

/* Exactly `size` bytes of a line. */
static void fixed(const char *line, const char *name, uint8_t *out, size_t size)
{
    struct buffer bytes = line_bytes(line, name);
    assert_int_equal(bytes.size, size);
    memcpy(out, bytes.data, size);
    buffer_free(&bytes);
}

/* --- people and chains ------------------------------------------------------------------- */

static void on_room(const char *line)
{
    uint8_t key[CONTRACT_KEY_BYTES];
    self.params = line_bytes(line, "params");
    assert_int_equal(
        contract_init(&self.contract, slice_text("room"), buffer_slice(&self.params), NULL), 0);
    fixed(line, "key", key, sizeof key);
    assert_memory_equal(key, self.contract.key.bytes, sizeof key);
    self.state = state_new(&self.contract);
}

static void on_person(const char *line)
{
    char name[LINE_BYTES_MAX];
    uint8_t seed[crypto_sign_SEEDBYTES], key[WRITER_KEY_BYTES];
    assert_true(self.people_count < PEOPLE_MAX);
    struct someone *one = &self.people[self.people_count++];
    line_word(line, "name", name);
    (void)snprintf(one->name, sizeof one->name, "%.15s", name);
    fixed(line, "seed", seed, sizeof seed);
    fixed(line, "key", key, sizeof key);
    (void)crypto_sign_seed_keypair(one->key, one->secret, seed);
    assert_memory_equal(key, one->key, sizeof key);
}

static struct room_author by(const char *line)
{
    const struct someone *one = someone(line, "by");
    return (struct room_author){&self.contract, one->secret, buffer_slice(&one->chain)};
}

static void on_invite(const char *line)
{
    struct room_author author = by(line);
    struct someone *invited = someone(line, "to");
    struct buffer wanted = line_bytes(line, "chain");
    room_write_link(&author, invited->key, number(line, "stamp"), &invited->chain);
    same(line, buffer_slice(&invited->chain), buffer_slice(&wanted));
    buffer_free(&wanted);
}

/* Ed25519's secret key begins with its seed. */
static void on_invitation(const char *line)
{
    const struct someone *one = someone(line, "to");
    struct room_code code = {.params = buffer_slice(&self.params),
                             .chain = buffer_slice(&one->chain),
                             .seed = one->secret};
    uint8_t bytes[ROOM_INVITATION_BYTES_MAX];
    char wanted[LINE_BYTES_MAX], *text;
    line_word(line, "text", wanted);
    assert_int_equal(room_invitation_print(&code, &text), 0);
    assert_string_equal(text, wanted);
    free(text);
    struct room_code read;
    assert_int_equal(room_invitation_read(wanted, bytes, &read, &self.why), 0);
    same(line, read.params, code.params);
    same(line, read.chain, code.chain);
    assert_memory_equal(read.seed, code.seed, ROOM_SEED_BYTES);
}

static void on_card(const char *line)
{
    const struct someone *one = someone(line, "of");
    struct room_code code = {
        .me = one->key, .params = buffer_slice(&self.params), .chain = buffer_slice(&one->chain)};
    struct buffer made = {0}, wanted = line_bytes(line, "is");
    assert_int_equal(room_card_write(&code, &made), 0);
    same(line, buffer_slice(&made), buffer_slice(&wanted));
    buffer_free(&made);
    buffer_free(&wanted);
}

/* --- entries ----------------------------------------------------------------------------- */

static int write_config(const char *line, const struct room_author *author, uint64_t stamp,
                        struct buffer *out)
{
    char name[LINE_BYTES_MAX], description[LINE_BYTES_MAX];
    struct room_settings settings = {.config = room_config_default()};
    settings.config.moderators = slice_of(someone(line, "moderator")->key, WRITER_KEY_BYTES);
    settings.name.plain = text_of(line, "name", name);
    settings.description.plain = text_of(line, "description", description);
    return room_write_config(author, stamp, &settings, out, &self.why);
}

static int write_member(const char *line, const struct room_author *author, uint64_t stamp,
                        struct buffer *out)
{
    return room_write_member(author, stamp, number(line, "here"), out, &self.why);
}

static int write_nickname(const char *line, const struct room_author *author, uint64_t stamp,
                          struct buffer *out)
{
    char text[LINE_BYTES_MAX];
    struct room_words words = {.plain = text_of(line, "text", text)};
    return room_write_nickname(author, stamp, &words, out, &self.why);
}

static int write_ban(const char *line, const struct room_author *author, uint64_t stamp,
                     struct buffer *out)
{
    return room_write_ban(author, stamp, someone(line, "target")->key, number(line, "in_force"),
                          out, &self.why);
}

static int write_upgrade(const char *line, const struct room_author *author, uint64_t stamp,
                         struct buffer *out)
{
    uint8_t next[CONTRACT_KEY_BYTES];
    fixed(line, "next", next, sizeof next);
    return room_write_upgrade(author, stamp, next, out, &self.why);
}

static int write_keys(const char *line, const struct room_author *author, uint64_t stamp,
                      struct buffer *out)
{
    struct buffer seeds[LIST_MAX], copies = {0};
    char members[LINE_BYTES_MAX];
    size_t count = line_list(line, "seeds", seeds), used = 0;
    line_word(line, "members", members);
    fixed(line, "room_key", self.room_key, sizeof self.room_key);
    for (size_t i = 0; i < count; i++) {
        char one[64];
        size_t size = strcspn(members + used, ",");
        (void)snprintf(one, sizeof one, " m=%.*s", (int)size, members + used);
        assert_int_equal(
            room_copy_seal(self.room_key, someone(one, "m")->key, seeds[i].data, &copies), 0);
        used += size + 1;
    }
    int rc = room_write_keys(author, stamp, number(line, "number"), self.room_key,
                             buffer_slice(&copies), out, &self.why);
    line_list_free(seeds, count);
    buffer_free(&copies);
    return rc;
}

static int write_message(const char *line, const struct room_author *author, uint64_t stamp,
                         struct buffer *out)
{
    char text[LINE_BYTES_MAX];
    uint8_t target[ROOM_SPOT_BYTES], nonce[ROOM_NONCE_BYTES];
    struct room_words words = {0};
    if (has(line, "target"))
        fixed(line, "target", target, sizeof target);
    if (has(line, "text"))
        words.plain = text_of(line, "text", text);
    if (has(line, "nonce")) {
        fixed(line, "nonce", nonce, sizeof nonce);
        words.nonce = nonce;
        words.key = self.room_key;
    }
    return room_write_message(author, stamp, (enum room_content)number(line, "content"),
                              has(line, "target") ? target : NULL,
                              has(line, "text") ? &words : NULL, NULL, out, &self.why);
}

static int write_direct(const char *line, const struct room_author *author, uint64_t stamp,
                        struct buffer *out)
{
    char text[LINE_BYTES_MAX];
    uint8_t nonce[ROOM_NONCE_BYTES];
    fixed(line, "nonce", nonce, sizeof nonce);
    return room_write_direct(author, stamp, someone(line, "to")->key, nonce,
                             text_of(line, "text", text), out, &self.why);
}

static const struct {
    const char *type;
    int (*write)(const char *line, const struct room_author *author, uint64_t stamp,
                 struct buffer *out);
} writes[] = {
    {"config ", write_config},   {"member ", write_member},   {"nickname ", write_nickname},
    {"ban ", write_ban},         {"upgrade ", write_upgrade}, {"keys ", write_keys},
    {"message ", write_message}, {"direct ", write_direct},
};

static bool on_entry(const char *line)
{
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        if (strncmp(line, writes[i].type, strlen(writes[i].type)) != 0)
            continue;
        struct buffer made = {0}, wanted = line_bytes(line, "is");
        struct room_author author = by(line);
        if (writes[i].write(line, &author, number(line, "stamp"), &made))
            fail_msg("%s: %s", self.why.text, line);
        same(line, buffer_slice(&made), buffer_slice(&wanted));
        if (state_merge(self.state, buffer_slice(&wanted), NULL, &self.why))
            fail_msg("%s: %s", self.why.text, line);
        self.entries++;
        buffer_free(&made);
        buffer_free(&wanted);
        return true;
    }
    return false;
}

/* --- the whole --------------------------------------------------------------------------- */

static void on_state(const char *line)
{
    uint8_t wanted[FINGERPRINT_BYTES];
    const struct summary *summary = state_summary(self.state);
    struct fingerprint is = summary_fingerprint(summary);
    fixed(line, "fingerprint", wanted, sizeof wanted);
    assert_memory_equal(is.bytes, wanted, sizeof wanted);
    assert_int_equal(summary->state_bytes, number(line, "bytes"));
}

static void on_line(const char *line)
{
    if (strncmp(line, "room ", 5) == 0) {
        on_room(line);
    } else if (strncmp(line, "person ", 7) == 0) {
        on_person(line);
    } else if (strncmp(line, "invite ", 7) == 0) {
        on_invite(line);
    } else if (strncmp(line, "invitation ", 11) == 0) {
        on_invitation(line);
    } else if (strncmp(line, "card ", 5) == 0) {
        on_card(line);
    } else if (strncmp(line, "state ", 6) == 0) {
        on_state(line);
    } else if (strncmp(line, "shows ", 6) == 0) {
        buffer_append(&self.shows, line + 6, strlen(line + 6));
        buffer_append_u8(&self.shows, '\n');
    } else if (!on_entry(line)) {
        fail_msg("no such line: %s", line);
    }
}

static void check_view(void)
{
    struct buffer state = {0}, printed = {0};
    room_view_t *view = room_view_new(&self.contract, ROOM_VIEW_WHOLE);
    assert_int_equal(state_encode(self.state, &state), 0);
    assert_int_equal(room_view_apply(view, buffer_slice(&state), NULL), 0);
    assert_int_equal(room_view_add_key(view, self.room_key), 0);
    assert_int_equal(room_view_print(view, &printed), 0);
    if (!slice_equal(buffer_slice(&printed), buffer_slice(&self.shows)))
        fail_msg("it shows\n%.*s\nnot\n%.*s", (int)printed.size, printed.data, (int)self.shows.size,
                 self.shows.data);
    room_view_destroy(&view);
    buffer_free(&state);
    buffer_free(&printed);
}

static void links_entries_and_views_are_those_of_the_document(void **state)
{
    (void)state;
    char *document = document_read("docs/vectors/room.txt");
    assert_non_null(document);
    for (char *rest = document, *line; (line = strsep(&rest, "\n"));)
        if (*line && *line != '#')
            on_line(line);
    assert_int_equal(self.entries, 21);
    check_view();
    for (size_t i = 0; i < self.people_count; i++)
        buffer_free(&self.people[i].chain);
    buffer_free(&self.params);
    buffer_free(&self.shows);
    state_destroy(&self.state);
    free(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_entries_and_views_are_those_of_the_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
