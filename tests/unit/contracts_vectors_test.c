/* The examples of docs/vectors/contracts.txt, byte for byte: contract keys, states, fingerprints.
 */
#include "contracts/state.h"
#include "contracts/writers.h"
#include "tests/support/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sodium.h>
#include <cmocka.h>

enum { WORDS_MAX = 8 };

/* The case being read. */
struct vector {
    unsigned line, cases;
    char kind[KIND_NAME_BYTES_MAX];
    struct buffer params;
    struct contract contract;
    state_t *state;
    uint8_t secret[64];
};

static struct slice unhex(const char *hex, struct buffer *out)
{
    size_t size = strlen(hex) / 2;
    buffer_clear(out);
    uint8_t *at = buffer_grow(out, size + 1);
    assert_int_equal(sodium_hex2bin(at, size, hex, 2 * size, NULL, &size, NULL), 0);
    return slice_of(at, size);
}

static void expect(const struct vector *self, struct slice got, const char *hex)
{
    struct buffer bytes = {0};
    struct slice wanted = unhex(hex, &bytes);
    if (!slice_equal(got, wanted))
        fail_msg("docs/vectors/contracts.txt:%u: other bytes come out", self->line);
    buffer_free(&bytes);
}

static void on_contract(struct vector *self, char **words, size_t count)
{
    (void)count;
    (void)snprintf(self->kind, sizeof self->kind, "%s", words[0]);
    memset(self->secret, 0, sizeof self->secret);
    self->cases++;
}

static void on_params(struct vector *self, char **words, size_t count)
{
    struct reason why;
    struct slice params = unhex(count ? words[0] : "", &self->params);
    if (contract_init(&self->contract, slice_text(self->kind), params, &why))
        fail_msg("line %u: %s", self->line, why.text);
    state_destroy(&self->state);
    self->state = state_new(&self->contract);
    assert_non_null(self->state);
}

static void on_key(struct vector *self, char **words, size_t count)
{
    (void)count;
    expect(self, slice_of(self->contract.key.bytes, CONTRACT_KEY_BYTES), words[0]);
}

static void on_secret(struct vector *self, char **words, size_t count)
{
    (void)count;
    uint8_t public[WRITER_KEY_BYTES];
    struct buffer seed = {0};
    assert_int_equal(crypto_sign_seed_keypair(public, self->secret, unhex(words[0], &seed).data),
                     0);
    assert_true(contract_has_writer(&self->contract, public));
    buffer_free(&seed);
}

static void on_edit(struct vector *self, char **words, size_t count)
{
    struct buffer replica = {0}, delta = {0}, with_signatures = {0};
    struct slice operands[WORDS_MAX];
    struct editor editor = {.now_ms = strtoull(words[1], NULL, 10)};
    struct state_reader reader = state_reader(self->state);
    struct reason why;
    memcpy(editor.replica, unhex(words[0], &replica).data, REPLICA_BYTES);
    for (size_t i = 3; i < count; i++)
        operands[i - 3] = slice_text(words[i]);
    if (kind_edit(&self->contract, &reader, &editor, slice_text(words[2]), operands, count - 3,
                  &delta, &why))
        fail_msg("line %u: %s", self->line, why.text);
    if (contract_signed(&self->contract))
        assert_int_equal(writers_sign(&self->contract, self->secret, buffer_slice(&delta),
                                      &with_signatures, &why),
                         0);
    else
        buffer_append_slice(&with_signatures, buffer_slice(&delta));
    if (state_merge(self->state, buffer_slice(&with_signatures), NULL, &why))
        fail_msg("line %u: %s", self->line, why.text);
    buffer_free(&replica);
    buffer_free(&delta);
    buffer_free(&with_signatures);
}

static void on_state(struct vector *self, char **words, size_t count)
{
    struct buffer bytes = {0};
    assert_int_equal(state_encode(self->state, &bytes), 0);
    expect(self, buffer_slice(&bytes), count ? words[0] : "");
    buffer_free(&bytes);
}

static void on_fingerprint(struct vector *self, char **words, size_t count)
{
    (void)count;
    struct fingerprint fingerprint = summary_fingerprint(state_summary(self->state));
    expect(self, slice_of(fingerprint.bytes, sizeof fingerprint.bytes), words[0]);
}

static const struct {
    const char *word;
    void (*on)(struct vector *self, char **words, size_t count);
} rows[] = {
    {"contract", on_contract},       {"params", on_params}, {"key", on_key},
    {"secret", on_secret},           {"edit", on_edit},     {"state", on_state},
    {"fingerprint", on_fingerprint},
};

static void read_line(struct vector *self, char *line)
{
    char *words[WORDS_MAX] = {0};
    size_t count = vector_words(line, words, WORDS_MAX);
    if (count == 0)
        return;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].word, words[0]) == 0) {
            rows[i].on(self, words + 1, count - 1);
            return;
        }
    fail_msg("line %u: %s?", self->line, words[0]);
}

static void every_example_comes_out_byte_for_byte(void **unused)
{
    (void)unused;
    static char line[8192];
    struct vector vector = {0};
    FILE *file = fopen("docs/vectors/contracts.txt", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        vector.line++;
        read_line(&vector, line);
    }
    (void)fclose(file);
    state_destroy(&vector.state);
    buffer_free(&vector.params);
    assert_int_equal(vector.cases, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_comes_out_byte_for_byte),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
