/* What libweir does without a node: keys, parameters, states, deltas, key files. */
#include "client/weir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const uint8_t replica[8] = "replica1";

static void assert_bytes(struct weir_bytes got, const void *wanted, size_t size)
{
    assert_int_equal(got.size, size);
    assert_memory_equal(got.data, wanted, size);
}

/* --- texts ----------------------------------------------------------------------------------- */

static void keys_are_the_same_after_printing_and_parsing(void **state)
{
    (void)state;
    uint8_t key[32], back[32];
    char text[WEIR_KEY_TEXT_MAX];
    for (int i = 0; i < 1000; i++) {
        for (size_t b = 0; b < 32; b++)
            key[b] = i < 10 ? (uint8_t)(i * 28) : (uint8_t)((unsigned)i * 2654435761u >> b % 24);
        weir_key_print(key, text);
        assert_int_equal(weir_key_parse(text, back), 0);
        assert_memory_equal(key, back, 32);
    }
}

static void texts_that_are_no_keys_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "0", "hello", "l1111111111111111111111111111111",
                                      "11111111111111111111111111111111111111111111111111111111"};
    uint8_t key[32];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(weir_key_parse(bad[i], key), WEIR_BAD_REQUEST);
}

static void every_code_has_its_name_and_text(void **state)
{
    (void)state;
    assert_string_equal(weir_error_name(WEIR_OK), "OK");
    assert_string_equal(weir_error_name(WEIR_STORE_FULL), "STORE_FULL");
    for (int code = WEIR_IO; code < 0; code++) {
        assert_true(strlen(weir_error_name(code)) > 1);
        assert_true(strlen(weir_error_text(code)) > 3);
    }
    assert_string_equal(weir_version(), WEIR_VERSION);
}

/* --- parameters ------------------------------------------------------------------------------ */

static void parameters_are_written_in_one_way(void **state)
{
    (void)state;
    static const char wanted[] = "\x04name\0\0\0\x03"
                                 "abc\x06newest\0\0\0\x08\0\0\0\0\0\0\1\0";
    weir_params_t *a = weir_params_new(), *b = weir_params_new();
    assert_int_equal(weir_params_set(a, "name", "abc", NULL), 0);
    assert_int_equal(weir_params_set(a, "newest", "256", NULL), 0);
    assert_int_equal(weir_params_set(b, "newest", "7", NULL), 0);
    assert_int_equal(weir_params_set(b, "newest", "256", NULL), 0);
    assert_int_equal(weir_params_set(b, "name", "abc", NULL), 0);
    assert_bytes(weir_params_bytes(a), wanted, sizeof wanted - 1);
    assert_bytes(weir_params_bytes(b), wanted, sizeof wanted - 1);
    weir_params_destroy(&a);
    weir_params_destroy(&b);
}

static void a_room_is_named_by_its_owner_and_salt(void **state)
{
    (void)state;
    uint8_t owner[32] = {9};
    char text[WEIR_KEY_TEXT_MAX];
    weir_contract_t *room = NULL;
    weir_params_t *params = weir_params_new();
    weir_key_print(owner, text);
    assert_int_equal(weir_params_set(params, "salt", "000102030405060708090A0b0c0d0e0f", NULL), 0);
    assert_int_equal(weir_params_set(params, "salt", "short", NULL),
                     WEIR_BAD_PARAMS); /* as it was */
    assert_int_equal(weir_params_set(params, "owner", text, NULL), 0);
    struct weir_bytes bytes = weir_params_bytes(params);
    const uint8_t *data = bytes.data;
    assert_int_equal(bytes.size, 1 + 5 + 4 + 32 + 1 + 4 + 4 + 16);
    assert_memory_equal(data + 10, owner, sizeof owner);
    for (uint8_t i = 0; i < 16; i++)
        assert_int_equal(data[51 + i], i);
    assert_int_equal(weir_contract_new("room", bytes, &room, NULL), 0);
    weir_contract_destroy(&room);
    weir_params_destroy(&params);
}

static void writers_stand_in_order_and_once(void **state)
{
    (void)state;
    uint8_t low[32] = {1}, high[32] = {2};
    char text[2 * WEIR_KEY_TEXT_MAX + 2], low_text[WEIR_KEY_TEXT_MAX], high_text[WEIR_KEY_TEXT_MAX];
    weir_key_print(low, low_text);
    weir_key_print(high, high_text);
    snprintf(text, sizeof text, "%s,%s", high_text, low_text);
    weir_params_t *params = weir_params_new();
    assert_int_equal(weir_params_set(params, "writers", text, NULL), 0);
    assert_int_equal(weir_params_add_writer(params, high), 0);
    struct weir_bytes bytes = weir_params_bytes(params);
    assert_int_equal(bytes.size, 5 + 7 + 64);
    assert_memory_equal((const uint8_t *)bytes.data + 12, low, 32);
    assert_memory_equal((const uint8_t *)bytes.data + 44, high, 32);
    weir_params_destroy(&params);
}

static void bad_parameters_are_refused_with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *part;
    } rows[] = {{"colour", "red", "colour"},
                {"newest", "ten", "ten"},
                {"newest", "-1", "-1"},
                {"newest", "99999999999999999999", "9999"},
                {"writers", "me", "me"},
                {"writers", "", "no public key"},
                {"newest", "", "not a number"},
                {"owner", "me", "owner=me is not a public key"},
                {"salt", "00", "32 hexadecimal digits"},
                {"salt", "zz0102030405060708090a0b0c0d0e0f", "32 hexadecimal digits"},
                {"salt", "000102030405060708090a0b0c0d0e0f00", "32 hexadecimal digits"}};
    weir_params_t *params = weir_params_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_reason why = {""};
        assert_int_equal(weir_params_set(params, rows[i].name, rows[i].text, &why),
                         WEIR_BAD_PARAMS);
        assert_non_null(strstr(why.text, rows[i].part));
    }
    static char name[1026];
    memset(name, 'n', sizeof name - 1);
    assert_int_equal(weir_params_set(params, "name", name, NULL), WEIR_TOO_LARGE);
    uint8_t writer[32] = {0};
    for (int i = 0; i < 256; i++) {
        writer[0] = (uint8_t)i;
        assert_int_equal(weir_params_add_writer(params, writer), 0);
    }
    writer[1] = 1;
    assert_int_equal(weir_params_add_writer(params, writer), WEIR_TOO_LARGE);
    weir_params_destroy(&params);
}

/* --- contracts, states, deltas --------------------------------------------------------------- */

static weir_contract_t *contract_of(const char *kind, const char *name)
{
    weir_contract_t *contract = NULL;
    weir_params_t *params = weir_params_new();
    assert_int_equal(weir_params_set(params, "name", name, NULL), 0);
    assert_int_equal(weir_contract_new(kind, weir_params_bytes(params), &contract, NULL), 0);
    weir_params_destroy(&params);
    return contract;
}

static void kind_and_parameters_make_the_key(void **state)
{
    (void)state;
    weir_contract_t *a = contract_of("map", "a"), *same = contract_of("map", "a"),
                    *b = contract_of("map", "b"), *set = contract_of("set", "a");
    assert_memory_equal(weir_contract_key(a), weir_contract_key(same), 32);
    assert_memory_not_equal(weir_contract_key(a), weir_contract_key(b), 32);
    assert_memory_not_equal(weir_contract_key(a), weir_contract_key(set), 32);
    assert_string_equal(weir_contract_kind(a), "map");
    assert_int_equal(weir_contract_signed(a), 0);
    weir_contract_destroy(&a);
    weir_contract_destroy(&same);
    weir_contract_destroy(&b);
    weir_contract_destroy(&set);
}

static void what_is_no_contract_is_refused(void **state)
{
    (void)state;
    weir_contract_t *contract = NULL;
    static uint8_t large[16385];
    struct weir_reason why;
    assert_int_equal(weir_contract_new("rope", weir_text(""), &contract, &why), WEIR_BAD_KIND);
    assert_int_equal(weir_contract_new("map", weir_text("junk"), &contract, &why), WEIR_BAD_PARAMS);
    assert_int_equal(
        weir_contract_new("map", (struct weir_bytes){large, sizeof large}, &contract, &why),
        WEIR_TOO_LARGE);
    assert_null(contract);
}

/* Builds and merges; the size of the delta. */
static size_t carry_out(const weir_contract_t *contract, weir_state_t *state, const char *verb,
                        const char *a, const char *b)
{
    struct weir_bytes bytes, operands[2] = {weir_text(a), weir_text(b ? b : "")};
    struct weir_reason why = {""};
    uint8_t *delta = NULL;
    size_t size = 0;
    assert_int_equal(weir_state_bytes(state, &bytes), 0);
    int rc = weir_delta(contract, bytes, replica, 1700000000000, NULL, verb, operands, b ? 2 : 1,
                        &delta, &size, &why);
    assert_string_equal(why.text, "");
    assert_int_equal(rc, 0);
    assert_int_equal(weir_state_merge(state, (struct weir_bytes){delta, size}, &why), 0);
    weir_free(delta);
    return size;
}

struct listed {
    char text[256];
};

static int on_item(void *arg, const struct weir_item *item)
{
    struct listed *listed = arg;
    size_t used = strlen(listed->text);
    snprintf(listed->text + used, sizeof listed->text - used, "%s%.*s=%.*s#%lld ",
             item->removed ? "-" : "", (int)item->name.size, (const char *)item->name.data,
             (int)item->value.size, (const char *)item->value.data, (long long)item->number);
    return 0;
}

static void deltas_built_here_carry_out_what_was_asked(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *steps[3][3], *wanted;
    } rows[] = {
        {"counter", {{"add", "5"}, {"add", "-7"}}, "=#-2 "},
        {"register", {{"set", "a"}, {"set", "b"}}, "=b#0 "},
        {"multi-register", {{"set", "a"}, {"set", "b"}}, "=b#0 "},
        {"set", {{"add", "x"}, {"add", "y"}, {"remove", "x"}}, "-=x#0 =y#0 "},
        {"map", {{"set", "f", "1"}, {"set", "g", "2"}, {"remove", "f"}}, "-f=#0 g=2#0 "},
        {"log", {{"append", "one"}, {"append", "two"}}, "=one#0 =two#0 "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct listed listed = {""};
        struct weir_bytes bytes;
        weir_contract_t *contract = contract_of(rows[i].kind, "test");
        weir_state_t *held = weir_state_new(contract);
        for (size_t s = 0; s < 3 && rows[i].steps[s][0]; s++)
            assert_true(carry_out(contract, held, rows[i].steps[s][0], rows[i].steps[s][1],
                                  rows[i].steps[s][2]) > 0);
        assert_int_equal(weir_state_bytes(held, &bytes), 0);
        assert_int_equal(weir_items(contract, bytes, on_item, &listed, NULL), 0);
        assert_string_equal(listed.text, rows[i].wanted);
        weir_state_destroy(&held);
        weir_contract_destroy(&contract);
    }
}

static void an_edit_that_changes_nothing_has_no_delta(void **state)
{
    (void)state;
    weir_contract_t *contract = contract_of("set", "test");
    weir_state_t *held = weir_state_new(contract);
    assert_int_equal(carry_out(contract, held, "remove", "never there", NULL), 0);
    weir_state_destroy(&held);
    weir_contract_destroy(&contract);
}

static void states_merged_in_any_order_are_equal(void **state)
{
    (void)state;
    weir_contract_t *contract = contract_of("log", "test");
    weir_state_t *a = weir_state_new(contract), *b = weir_state_new(contract);
    uint8_t print_a[32], print_b[32];
    struct weir_bytes bytes;
    carry_out(contract, a, "append", "first", NULL);
    carry_out(contract, b, "append", "other", NULL);
    assert_int_equal(weir_state_bytes(a, &bytes), 0);
    assert_int_equal(weir_state_merge(b, bytes, NULL), 0);
    assert_int_equal(weir_state_bytes(b, &bytes), 0);
    assert_int_equal(weir_state_merge(a, bytes, NULL), 0);
    weir_state_fingerprint(a, print_a);
    weir_state_fingerprint(b, print_b);
    assert_memory_equal(print_a, print_b, 32);
    weir_state_destroy(&a);
    weir_state_destroy(&b);
    weir_contract_destroy(&contract);
}

static void a_signed_contract_wants_its_signer(void **state)
{
    (void)state;
    weir_signer_t *listed = weir_signer_new(), *other = weir_signer_new();
    weir_params_t *params = weir_params_new();
    weir_contract_t *contract = NULL;
    struct weir_bytes operand = weir_text("x");
    uint8_t *delta = NULL;
    size_t size;
    assert_int_equal(weir_params_add_writer(params, weir_signer_public(listed)), 0);
    assert_int_equal(weir_contract_new("set", weir_params_bytes(params), &contract, NULL), 0);
    assert_int_equal(weir_contract_signed(contract), 1);
    assert_int_equal(weir_delta(contract, weir_text(""), replica, 1, NULL, "add", &operand, 1,
                                &delta, &size, NULL),
                     WEIR_DENIED);
    assert_int_equal(weir_delta(contract, weir_text(""), replica, 1, other, "add", &operand, 1,
                                &delta, &size, NULL),
                     WEIR_DENIED);
    assert_null(delta);
    assert_int_equal(weir_delta(contract, weir_text(""), replica, 1, listed, "add", &operand, 1,
                                &delta, &size, NULL),
                     0);
    weir_state_t *held = weir_state_new(contract);
    assert_int_equal(weir_state_merge(held, (struct weir_bytes){delta, size}, NULL), 0);
    delta[size - 1] ^= 1;
    assert_int_equal(weir_state_merge(held, (struct weir_bytes){delta, size}, NULL),
                     WEIR_BAD_STATE);
    weir_free(delta);
    weir_state_destroy(&held);
    weir_contract_destroy(&contract);
    weir_params_destroy(&params);
    weir_signer_destroy(&listed);
    weir_signer_destroy(&other);
}

/* --- key files ------------------------------------------------------------------------------- */

static int make_dir(void **state)
{
    static char dir[64];
    snprintf(dir, sizeof dir, "/tmp/weir-test-XXXXXX");
    *state = dir;
    return mkdtemp(dir) ? 0 : -1;
}

static const char *path_in(void **state)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/key", (const char *)*state);
    return path;
}

static const char *secret_in(void **state)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/key_secret", (const char *)*state);
    return path;
}

static int remove_dir(void **state)
{
    unlink(path_in(state));
    unlink(secret_in(state));
    return rmdir(*state);
}

static void a_key_file_is_private_and_gives_the_same_pair(void **state)
{
    const char *path = path_in(state);
    struct stat about;
    weir_signer_t *made = weir_signer_new(), *read = NULL;
    assert_int_equal(weir_signer_save(made, path, NULL), 0);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(weir_signer_load(path, &read, NULL), 0);
    assert_memory_equal(weir_signer_public(made), weir_signer_public(read), 32);
    assert_int_equal(weir_signer_save(made, path, NULL), WEIR_IO); /* never overwritten */
    weir_signer_destroy(&made);
    weir_signer_destroy(&read);
}

static void a_key_file_that_others_may_read_is_refused(void **state)
{
    const char *path = path_in(state);
    struct weir_reason why;
    weir_signer_t *made = weir_signer_new(), *read = NULL;
    assert_int_equal(weir_signer_save(made, path, NULL), 0);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(weir_signer_load(path, &read, &why), WEIR_DENIED);
    assert_non_null(strstr(why.text, "chmod 600"));
    weir_signer_destroy(&made);
}

static void write_file(const char *path, const char *text)
{
    unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, 0600);
}

static void what_is_no_key_file_is_refused(void **state)
{
    static const char first[] = "weir-writer-key 1\n";
    static const char bad_keys[] = "weir-writer-key 1\npublic a\nsecret b\n";
    const char *const texts[] = {"", "hello\n", first, bad_keys};
    const char *path = path_in(state);
    weir_signer_t *read = NULL;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_file(path, texts[i]);
        assert_int_equal(weir_signer_load(path, &read, NULL), WEIR_BAD_REQUEST);
    }
    unlink(path);
    assert_int_equal(weir_signer_load(path, &read, NULL), WEIR_IO);
    assert_null(read);
}

static void a_key_file_whose_keys_do_not_belong_together_is_refused(void **state)
{
    const char *path = path_in(state);
    char text[512] = "", other_text[WEIR_KEY_TEXT_MAX], swapped[512], secret[128];
    weir_signer_t *made = weir_signer_new(), *other = weir_signer_new(), *read = NULL;
    assert_int_equal(weir_signer_save(made, path, NULL), 0);
    FILE *file = fopen(path, "r");
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    snprintf(secret, sizeof secret, "%s", strstr(text, "secret "));
    weir_key_print(weir_signer_public(other), other_text);
    snprintf(swapped, sizeof swapped, "weir-writer-key 1\npublic %s\n%s", other_text, secret);
    write_file(path, swapped);
    assert_int_equal(weir_signer_load(path, &read, NULL), WEIR_BAD_REQUEST);
    assert_null(read);
    weir_signer_destroy(&made);
    weir_signer_destroy(&other);
}

/* How a handle with these keys fails to reach nobody. */
static int connect_with(const char *server_key, const char *client_key)
{
    struct weir_options options = {
        .endpoint = "tcp://127.0.0.1:1", .server_key = server_key, .client_key = client_key};
    weir_t *w = weir_new(&options);
    int rc = weir_connect(w);
    weir_destroy(&w);
    return rc;
}

static void a_curve_pair_is_private_and_usable(void **state)
{
    const char *path = path_in(state), *secret = secret_in(state);
    char public_key[41];
    struct stat about;
    assert_int_equal(weir_curve_new(path, public_key, NULL), 0);
    assert_int_equal(strlen(public_key), 40);
    assert_int_equal(stat(secret, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(weir_curve_new(path, public_key, NULL), WEIR_IO); /* never overwritten */
    assert_int_equal(connect_with(public_key, path), WEIR_NO_NODE);    /* the keys were fine */
    assert_int_equal(connect_with(public_key, secret), WEIR_NO_NODE);
    assert_int_equal(connect_with(path, NULL), WEIR_NO_NODE);
    assert_int_equal(connect_with("short", path), WEIR_BAD_REQUEST);
    write_file(secret, "nothing");
    assert_int_equal(connect_with(public_key, path), WEIR_BAD_REQUEST);
    unlink(secret);
    assert_int_equal(connect_with(public_key, secret), WEIR_IO);
    assert_int_equal(connect_with(public_key, path),
                     WEIR_IO); /* and not WEIR_DENIED for its mode */
}

#define FILES(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_the_same_after_printing_and_parsing),
        cmocka_unit_test(texts_that_are_no_keys_are_refused),
        cmocka_unit_test(every_code_has_its_name_and_text),
        cmocka_unit_test(parameters_are_written_in_one_way),
        cmocka_unit_test(a_room_is_named_by_its_owner_and_salt),
        cmocka_unit_test(writers_stand_in_order_and_once),
        cmocka_unit_test(bad_parameters_are_refused_with_a_sentence),
        cmocka_unit_test(kind_and_parameters_make_the_key),
        cmocka_unit_test(what_is_no_contract_is_refused),
        cmocka_unit_test(deltas_built_here_carry_out_what_was_asked),
        cmocka_unit_test(an_edit_that_changes_nothing_has_no_delta),
        cmocka_unit_test(states_merged_in_any_order_are_equal),
        cmocka_unit_test(a_signed_contract_wants_its_signer),
        FILES(a_key_file_is_private_and_gives_the_same_pair),
        FILES(a_key_file_that_others_may_read_is_refused),
        FILES(what_is_no_key_file_is_refused),
        FILES(a_key_file_whose_keys_do_not_belong_together_is_refused),
        FILES(a_curve_pair_is_private_and_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
