/* The bytes of a sync by ranges: docs/vectors/sync.txt, and what is refused. */
#include "contracts/state.h"
#include "contracts/sync.h"
#include "contracts/sync_body.h"
#include "tests/support/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sodium.h>
#include <cmocka.h>

enum { WORDS_MAX = 6 };

/* The case being read. */
struct vector {
    unsigned line, cases;
    struct contract contract;
    uint8_t salt[SYNC_SALT_BYTES];
    state_t *sides[2];
    struct buffer body; /* the last message's */
    bool begun;
};

static struct buffer unhex(const char *hex)
{
    struct buffer out = {0};
    size_t size = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
    uint8_t *at = buffer_grow(&out, size);
    if (size)
        assert_int_equal(sodium_hex2bin(at, size, hex, 2 * size, NULL, &size, NULL), 0);
    return out;
}

static void expect(const struct vector *self, struct slice got, const char *hex)
{
    struct buffer wanted = unhex(hex);
    if (!slice_equal(got, buffer_slice(&wanted)))
        fail_msg("docs/vectors/sync.txt:%u: other bytes come out", self->line);
    buffer_free(&wanted);
}

static void on_salt(struct vector *self, char **words)
{
    struct buffer salt = unhex(words[0]);
    assert_int_equal(salt.size, SYNC_SALT_BYTES);
    memcpy(self->salt, salt.data, SYNC_SALT_BYTES);
    buffer_free(&salt);
    self->begun = false;
    self->cases++;
}

static void on_key(struct vector *self, char **words)
{
    uint8_t key[32];
    crypto_generichash(key, sizeof key, (const uint8_t *)"weir sync 1", 11, self->salt,
                       SYNC_SALT_BYTES);
    expect(self, slice_of(key, sizeof key), words[0]);
}

static void set_side(struct vector *self, int side, const char *hex)
{
    struct buffer bytes = unhex(hex);
    state_destroy(&self->sides[side]);
    self->sides[side] = state_new(&self->contract);
    assert_non_null(self->sides[side]);
    assert_int_equal(state_join(self->sides[side], buffer_slice(&bytes), NULL), 0);
    buffer_free(&bytes);
}

static void on_a(struct vector *self, char **words)
{
    set_side(self, 0, words[0]);
}

static void on_b(struct vector *self, char **words)
{
    set_side(self, 1, words[0]);
}

/* from SIDE entries HEX body HEX */
static void on_from(struct vector *self, char **words)
{
    int side = words[0][0] - 'a', rc = 0;
    struct state_reader reader = state_reader(self->sides[side]);
    struct buffer entries = {0};
    sync_walk_t *walk = self->begun
                            ? sync_walk_answer(self->salt, buffer_slice(&self->body), &rc, NULL)
                            : sync_walk_begin(self->salt);
    assert_non_null(walk);
    assert_int_equal(sync_walk_step(walk, &reader, SIZE_MAX, SIZE_MAX, &entries, NULL), 0);
    expect(self, buffer_slice(&entries), words[2]);
    expect(self, sync_walk_body(walk), words[4]);
    assert_int_equal(state_join(self->sides[!side], buffer_slice(&entries), NULL), 0);
    buffer_clear(&self->body);
    buffer_append_slice(&self->body, sync_walk_body(walk));
    self->begun = true;
    sync_walk_destroy(&walk);
    buffer_free(&entries);
}

static void on_is(struct vector *self, char **words)
{
    assert_int_equal(self->body.size, 0);
    for (int side = 0; side < 2; side++) {
        struct buffer bytes = {0};
        assert_int_equal(state_encode(self->sides[side], &bytes), 0);
        expect(self, buffer_slice(&bytes), words[0]);
        buffer_free(&bytes);
    }
}

static const struct {
    const char *word;
    void (*on)(struct vector *self, char **words);
    size_t words;
} lines[] = {
    {"salt", on_salt, 1}, {"key", on_key, 1},   {"a", on_a, 1},
    {"b", on_b, 1},       {"from", on_from, 5}, {"is", on_is, 1},
};

static void read_line(struct vector *self, char *line)
{
    char *words[WORDS_MAX] = {0};
    size_t count = vector_words(line, words, WORDS_MAX);
    if (count == 0)
        return;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (strcmp(lines[i].word, words[0]) == 0 && lines[i].words == count - 1) {
            lines[i].on(self, words + 1);
            return;
        }
    fail_msg("line %u: %s?", self->line, words[0]);
}

static void every_example_comes_out_byte_for_byte(void **state)
{
    (void)state;
    static char line[8192];
    struct vector vector = {0};
    assert_int_equal(contract_init(&vector.contract, slice_text("map"), slice_of(NULL, 0), NULL),
                     0);
    FILE *file = fopen("docs/vectors/sync.txt", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        vector.line++;
        read_line(&vector, line);
    }
    (void)fclose(file);
    state_destroy(&vector.sides[0]);
    state_destroy(&vector.sides[1]);
    buffer_free(&vector.body);
    assert_int_equal(vector.cases, 4);
}

static void bytes_that_are_no_body_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t size, bytes[20];
    } rows[] = {
        {"no such kind", 2, {6, 255}},
        {"no bound", 1, {1}},
        {"bound cut short", 2, {1, 0}},
        {"bound cut short", 4, {1, 0, 2, 'a'}},
        {"empty range", 3, {1, 0, 0}},
        {"shares more than there is", 4, {1, 1, 1, 'a'}},
        {"not past the one before", 8, {1, 0, 1, 'b', 1, 0, 1, 'a'}},
        {"the same again", 8, {1, 0, 1, 'b', 1, 0, 1, 'b'}},
        {"shares less than it could", 9, {1, 0, 1, 'b', 1, 0, 2, 'b', 'c'}},
        {"nothing added", 7, {1, 0, 1, 'b', 1, 1, 0}},
        {"after the end", 4, {1, 255, 1, 255}},
        {"sum cut short", 17, {2, 255}},
        {"no list", 2, {3, 255}},
        {"empty list", 3, {3, 255, 0}},
        {"empty wants", 3, {4, 255, 0}},
        {"list cut short", 10, {3, 255, 1}},
        {"skip at the end", 2, {0, 255}},
        {"skip at the end", 4, {0, 0, 1, 'a'}},
        {"two skips", 10, {0, 0, 1, 'a', 0, 0, 1, 'b', 1, 255}},
    };
    uint8_t salt[SYNC_SALT_BYTES] = {0}, list[3 + 33 * SYNC_HASH_BYTES] = {3, 255, 33};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reason why = {""};
        int rc = 0;
        sync_walk_t *walk =
            sync_walk_answer(salt, slice_of(rows[i].bytes, rows[i].size), &rc, &why);
        if (walk || rc != ERR_BAD_REQUEST || !why.text[0])
            fail_msg("%s: %d %s", rows[i].what, rc, why.text);
    }
    int rc = 0;
    uint8_t long_bound[7 + 255] = {1, 0, 1, 'b', 1, 1, 255}; /* shares 1, adds 255 */
    assert_null(sync_walk_answer(salt, slice_of(long_bound, sizeof long_bound), &rc, NULL));
    assert_int_equal(rc, ERR_BAD_REQUEST);
    assert_null(sync_walk_answer(salt, slice_of(list, sizeof list), &rc, NULL));
    assert_int_equal(rc, ERR_BAD_REQUEST);
    uint8_t *large = (uint8_t *)calloc(1, SYNC_BODY_BYTES_MAX + 1);
    rc = 0;
    assert_null(sync_walk_answer(salt, slice_of(large, SYNC_BODY_BYTES_MAX + 1), &rc, NULL));
    assert_int_equal(rc, ERR_BAD_REQUEST);
    free(large);
}

/* The same entry under two salts has nothing in common on the wire. */
static void hashes_depend_on_the_salt(void **state)
{
    (void)state;
    struct vector one = {0};
    uint8_t lists[2][2 + 1 + SYNC_HASH_BYTES];
    assert_int_equal(contract_init(&one.contract, slice_text("map"), slice_of(NULL, 0), NULL), 0);
    set_side(&one, 0, "016b0000000176");
    struct state_reader reader = state_reader(one.sides[0]);
    for (uint8_t i = 0; i < 2; i++) {
        struct buffer entries = {0};
        one.salt[SYNC_SALT_BYTES - 1] = i;
        sync_walk_t *walk = sync_walk_begin(one.salt);
        assert_int_equal(sync_walk_step(walk, &reader, 10, 1000, &entries, NULL), 0);
        struct slice body = sync_walk_body(walk);
        assert_int_equal(body.size, sizeof lists[i]);
        memcpy(lists[i], body.data, body.size);
        sync_walk_destroy(&walk);
        buffer_free(&entries);
    }
    assert_memory_equal(lists[0], lists[1], 3);
    assert_memory_not_equal(lists[0] + 3, lists[1] + 3, SYNC_HASH_BYTES);
    state_destroy(&one.sides[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_comes_out_byte_for_byte),
        cmocka_unit_test(bytes_that_are_no_body_are_refused),
        cmocka_unit_test(hashes_depend_on_the_salt),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
