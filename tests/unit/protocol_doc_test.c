/* docs/protocol.md is held to what the code does: its tables to the lists they describe, and every
 * line of its vectors to the code, byte for byte. */
#include "base/base58.h"
#include "contracts/state.h"
#include "contracts/view.h"
#include "contracts/writers.h"
#include "proto/client_protocol.h"
#include "tests/support/document.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CONTRACTS_MAX = 16 };

static char *doc;

struct named_contract {
    char name[32];
    uint8_t *params;
    struct contract contract;
};
static struct named_contract contracts[CONTRACTS_MAX];
static size_t contracts_count;

static void assert_bytes(const char *line, struct slice is, struct slice wanted)
{
    if (slice_equal(is, wanted))
        return;
    char text[LINE_BYTES_MAX * 2];
    assert_true(is.size < LINE_BYTES_MAX);
    sodium_bin2hex(text, sizeof text, is.data, is.size);
    fail_msg("the code says %s\nwhere the document has: %s", text, line);
}

static const struct contract *contract_of(const char *line)
{
    char name[LINE_BYTES_MAX];
    line_word(line, "contract", name);
    for (size_t i = 0; i < contracts_count; i++)
        if (strcmp(contracts[i].name, name) == 0)
            return &contracts[i].contract;
    fail_msg("no contract '%s' before: %s", name, line);
    return NULL;
}

/* --- one check a type of line ----------------------------------------------------------------- */

static void check_contract(const char *line)
{
    char name[LINE_BYTES_MAX], kind[LINE_BYTES_MAX], base58[LINE_BYTES_MAX];
    char text[BASE58_TEXT_MAX];
    struct reason why = {""};
    line_word(line, "name", name);
    line_word(line, "kind", kind);
    line_word(line, "base58", base58);
    assert_true(contracts_count < CONTRACTS_MAX && strlen(name) < sizeof contracts[0].name);
    struct named_contract *made = &contracts[contracts_count++];
    memcpy(made->name, name, strlen(name) + 1);
    struct buffer params = line_bytes(line, "params"), key = line_bytes(line, "key");
    made->params = params.data;
    if (contract_init(&made->contract, slice_text(kind), buffer_slice(&params), &why))
        fail_msg("%s: %s", why.text, line);
    assert_bytes(line, slice_of(made->contract.key.bytes, CONTRACT_KEY_BYTES), buffer_slice(&key));
    base58_encode(made->contract.key.bytes, CONTRACT_KEY_BYTES, text);
    assert_string_equal(text, base58);
    buffer_free(&key);
}

static void check_entry(const char *line)
{
    struct buffer key = line_bytes(line, "key"), value = line_bytes(line, "value");
    struct buffer encoded = line_bytes(line, "encoded"), hash = line_bytes(line, "hash");
    struct buffer starts = line_bytes(line, "number_starts"), made = {0};
    uint8_t computed[32], sum[FINGERPRINT_SUM_BYTES];
    entry_append(&made, buffer_slice(&key), buffer_slice(&value));
    assert_bytes(line, buffer_slice(&made), buffer_slice(&encoded));
    crypto_generichash(computed, sizeof computed, made.data, made.size, NULL, 0);
    assert_bytes(line, slice_of(computed, sizeof computed), buffer_slice(&hash));
    struct summary summary = {0};
    summary_add(&summary, buffer_slice(&key), buffer_slice(&value));
    summary_sum_write(&summary, sum);
    assert_bytes(line, slice_of(sum, starts.size), buffer_slice(&starts));
    struct buffer all[] = {key, value, encoded, hash, starts, made};
    line_list_free(all, 6);
}

static void check_fingerprint(const char *line)
{
    struct buffer state = line_bytes(line, "state"), wanted = line_bytes(line, "fingerprint");
    struct summary summary = {0};
    struct entries walk = entries_of(buffer_slice(&state));
    struct entry entry;
    while (entries_next(&walk, &entry, NULL) > 0)
        summary_add(&summary, entry.key, entry.value);
    assert_int_equal(summary.state_bytes, state.size);
    struct fingerprint is = summary_fingerprint(&summary);
    assert_bytes(line, slice_of(is.bytes, sizeof is.bytes), buffer_slice(&wanted));
    buffer_free(&state);
    buffer_free(&wanted);
}

static void merge_in(state_t *state, struct slice delta, const char *line)
{
    struct reason why = {""};
    if (state_merge(state, delta, NULL, &why))
        fail_msg("%s: %s", why.text, line);
}

static void check_merge(const char *line)
{
    struct buffer a = line_bytes(line, "a"), b = line_bytes(line, "b"), is = line_bytes(line, "is");
    for (int turned = 0; turned < 2; turned++) {
        state_t *state = state_new(contract_of(line));
        struct buffer merged = {0};
        merge_in(state, buffer_slice(turned ? &b : &a), line);
        merge_in(state, buffer_slice(turned ? &a : &b), line);
        merge_in(state, buffer_slice(&b), line);
        assert_int_equal(state_encode(state, &merged), 0);
        assert_bytes(line, buffer_slice(&merged), buffer_slice(&is));
        buffer_free(&merged);
        state_destroy(&state);
    }
    struct buffer all[] = {a, b, is};
    line_list_free(all, 3);
}

static void check_edit(const char *line)
{
    char verb[LINE_BYTES_MAX], now[LINE_BYTES_MAX];
    struct buffer before = line_bytes(line, "state"), replica = line_bytes(line, "replica");
    struct buffer wanted = line_bytes(line, "delta"), operands[LIST_MAX], delta = {0};
    struct slice borrowed[LIST_MAX];
    struct reason why = {""};
    line_word(line, "verb", verb);
    line_word(line, "now_ms", now);
    size_t count = line_list(line, "operands", operands);
    for (size_t i = 0; i < count; i++)
        borrowed[i] = buffer_slice(&operands[i]);
    struct editor editor = {.now_ms = strtoull(now, NULL, 10)};
    assert_int_equal(replica.size, sizeof editor.replica);
    memcpy(editor.replica, replica.data, replica.size);
    state_t *state = state_new(contract_of(line));
    merge_in(state, buffer_slice(&before), line);
    struct state_reader reader = state_reader(state);
    if (kind_edit(contract_of(line), &reader, &editor, slice_text(verb), borrowed, count, &delta,
                  &why))
        fail_msg("%s: %s", why.text, line);
    assert_bytes(line, buffer_slice(&delta), buffer_slice(&wanted));
    state_destroy(&state);
    line_list_free(operands, count);
    struct buffer all[] = {before, replica, wanted, delta};
    line_list_free(all, 4);
}

static void check_signed(const char *line)
{
    struct buffer seed = line_bytes(line, "seed"), delta = line_bytes(line, "delta");
    struct buffer wanted = line_bytes(line, "is"), made = {0};
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    struct reason why = {""};
    assert_int_equal(seed.size, crypto_sign_SEEDBYTES);
    crypto_sign_seed_keypair(public_key, secret, seed.data);
    if (writers_sign(contract_of(line), secret, buffer_slice(&delta), &made, &why))
        fail_msg("%s: %s", why.text, line);
    assert_bytes(line, buffer_slice(&made), buffer_slice(&wanted));
    assert_int_equal(contract_check(contract_of(line), NULL, buffer_slice(&made), NULL, &why), 0);
    struct buffer all[] = {seed, delta, wanted, made};
    line_list_free(all, 4);
}

static void check_refused(const char *line)
{
    struct buffer state = line_bytes(line, "state");
    struct reason why = {""};
    if (contract_check(contract_of(line), NULL, buffer_slice(&state), NULL, &why) != ERR_BAD_STATE)
        fail_msg("it was taken: %s", line);
    buffer_free(&state);
}

static int print_item(void *self, const struct view_item *item)
{
    char name[LINE_BYTES_MAX], value[LINE_BYTES_MAX], *text = (char *)self;
    size_t used = strlen(text);
    sodium_bin2hex(name, sizeof name, item->name.data, item->name.size);
    sodium_bin2hex(value, sizeof value, item->value.data, item->value.size);
    snprintf(text + used, LINE_BYTES_MAX - used, "%s%s%s%s%s@%llu#%lld", used ? "," : "",
             item->removed ? "-" : "", name, item->name.size ? ":" : "", value,
             (unsigned long long)item->time_ms, (long long)item->number);
    return 0;
}

static void check_shows(const char *line)
{
    char wanted[LINE_BYTES_MAX], items[LINE_BYTES_MAX] = "";
    struct buffer state = line_bytes(line, "state");
    struct reason why = {""};
    line_word(line, "items", wanted);
    if (view_items(contract_of(line), buffer_slice(&state), print_item, items, &why))
        fail_msg("%s: %s", why.text, line);
    assert_string_equal(items, wanted);
    buffer_free(&state);
}

static void check_request(const char *line)
{
    char answer[LINE_BYTES_MAX];
    struct buffer frames[LIST_MAX];
    struct slice borrowed[LIST_MAX];
    enum verb verb = VERB_COUNT;
    struct reason why = {""};
    size_t count = line_list(line, "frames", frames);
    for (size_t i = 0; i < count; i++)
        borrowed[i] = buffer_slice(&frames[i]);
    int rc = client_request_check(borrowed, count, STATE_BYTES_MAX, &verb, &why);
    line_word(line, "is", answer);
    assert_string_equal(rc ? error_name(rc) : client_verbs[verb].name, answer);
    line_list_free(frames, count);
}

/* --- the blocks ------------------------------------------------------------------------------- */

static const struct row {
    const char *type;
    void (*check)(const char *line);
    size_t least; /* lines of it that the document must have at least */
} rows[] = {
    {"contract ", check_contract, 7},
    {"entry ", check_entry, 1},
    {"fingerprint ", check_fingerprint, 3},
    {"merge ", check_merge, 6},
    {"edit ", check_edit, 8},
    {"signed ", check_signed, 1},
    {"refused ", check_refused, 6},
    {"shows ", check_shows, 6},
    {"request ", check_request, 3},
    {"exchange ", NULL, 5}, /* tests/integration has a node for it */
};
enum { ROWS = sizeof rows / sizeof rows[0] };
static size_t seen[ROWS];

static void check_line(void *only, const char *line)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strncmp(line, rows[i].type, strlen(rows[i].type)) != 0)
            continue;
        if (rows[i].check && strcmp(rows[i].type, (const char *)only) == 0)
            rows[i].check(line);
        seen[i]++;
        return;
    }
    fail_msg("no such type of line: %s", line);
}

/* Goes through all lines of vectors and checks those of one type. */
static void check_type(char *only)
{
    memset(seen, 0, sizeof seen);
    document_lines(doc, check_line, only);
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].type, only) == 0)
            assert_true(seen[i] >= rows[i].least);
}

#define VECTORS_TEST(name, type)                                                                   \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        char only[] = type;                                                                        \
        check_type(only);                                                                          \
    }
VECTORS_TEST(entries_are_encoded_and_hashed_as_written, "entry ")
VECTORS_TEST(fingerprints_are_as_written, "fingerprint ")
VECTORS_TEST(merges_give_the_bytes_written_in_either_order, "merge ")
VECTORS_TEST(edits_build_the_deltas_written, "edit ")
VECTORS_TEST(signed_entries_are_as_written_and_verify, "signed ")
VECTORS_TEST(states_shown_as_refused_are_refused, "refused ")
VECTORS_TEST(states_mean_what_is_written, "shows ")
VECTORS_TEST(requests_are_taken_or_refused_as_written, "request ")
VECTORS_TEST(the_exchanges_are_there_for_the_integration_test, "exchange ")

/* The others need the contracts, so this runs as their set-up and as a test of its own. */
static void contract_keys_are_as_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < contracts_count; i++)
        free(contracts[i].params);
    contracts_count = 0;
    char only[] = "contract ";
    check_type(only);
}

/* --- the tables ------------------------------------------------------------------------------- */

static void assert_in_doc(const char *row)
{
    if (!strstr(doc, row))
        fail_msg("docs/protocol.md has no line with: %s", row);
}

static void the_table_of_verbs_is_the_codes(void **state)
{
    (void)state;
    char row[512];
    for (int v = 0; v < VERB_COUNT; v++) {
        const struct verb_row *verb = &client_verbs[v];
        snprintf(row, sizeof row, "\n| `%s` | %zu | %zu | `%s` | %s |", verb->name, verb->args_min,
                 verb->args_max, verb->sizes, verb->doc);
        assert_in_doc(row);
    }
}

static void the_table_of_errors_is_the_codes(void **state)
{
    (void)state;
    char row[512];
    for (int code = -1; code >= ERR_LAST_ON_WIRE; code--) {
        snprintf(row, sizeof row, "\n| `%s` | %s |", error_name(code), error_text(code));
        assert_in_doc(row);
    }
}

static void the_table_of_kinds_is_the_codes(void **state)
{
    (void)state;
    char row[512];
    for (size_t k = 0; kinds[k]; k++) {
        snprintf(row, sizeof row, "\n| `%s` | %s |", kinds[k]->name, kinds[k]->doc);
        assert_in_doc(row);
        for (const struct edit_verb *verb = kinds[k]->verbs; verb->name; verb++) {
            snprintf(row, sizeof row, "\n| `%s` | `%s` | %s | %s |", kinds[k]->name, verb->name,
                     verb->operands, verb->doc);
            assert_in_doc(row);
        }
    }
}

static void the_table_of_limits_is_the_codes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned long long value;
    } limits[] = {
#define LIMIT(name) {#name, name}
        LIMIT(REQUEST_ID_BYTES_MAX), LIMIT(ENTRY_KEY_BYTES_MAX),   LIMIT(ENTRY_VALUE_BYTES_MAX),
        LIMIT(PARAMS_BYTES_MAX),     LIMIT(NAME_BYTES_MAX),        LIMIT(WRITERS_MAX),
        LIMIT(KIND_NAME_BYTES_MAX),  LIMIT(STATE_BYTES_MAX),       LIMIT(EDIT_OPERANDS_MAX),
        LIMIT(CLIENT_OPEN_MAX),      LIMIT(CLIENT_OPEN_BYTES_MAX),
    };
    char row[128];
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        snprintf(row, sizeof row, "\n| `%s` | %llu |", limits[i].name, limits[i].value);
        assert_in_doc(row);
    }
}

static int read_doc(void **state)
{
    doc = sodium_init() < 0 ? NULL : document_read("docs/protocol.md");
    if (!doc)
        return -1;
    contract_keys_are_as_written(state);
    return 0;
}

static int free_doc(void **state)
{
    (void)state;
    for (size_t i = 0; i < contracts_count; i++)
        free(contracts[i].params);
    free(doc);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contract_keys_are_as_written),
        cmocka_unit_test(entries_are_encoded_and_hashed_as_written),
        cmocka_unit_test(fingerprints_are_as_written),
        cmocka_unit_test(merges_give_the_bytes_written_in_either_order),
        cmocka_unit_test(edits_build_the_deltas_written),
        cmocka_unit_test(signed_entries_are_as_written_and_verify),
        cmocka_unit_test(states_shown_as_refused_are_refused),
        cmocka_unit_test(states_mean_what_is_written),
        cmocka_unit_test(requests_are_taken_or_refused_as_written),
        cmocka_unit_test(the_exchanges_are_there_for_the_integration_test),
        cmocka_unit_test(the_table_of_verbs_is_the_codes),
        cmocka_unit_test(the_table_of_errors_is_the_codes),
        cmocka_unit_test(the_table_of_kinds_is_the_codes),
        cmocka_unit_test(the_table_of_limits_is_the_codes),
    };
    return cmocka_run_group_tests(tests, read_doc, free_doc);
}
