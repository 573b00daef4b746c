/* Parameters: one encoding, known names, limits; and the key that they make. */
#include "contracts/kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct buffer one_param(const char *name, const void *value, size_t size)
{
    struct buffer params = {0};
    entry_append(&params, slice_text(name), slice_of(value, size));
    return params;
}

static void refuses(const char *kind, struct slice params, int code, const char *says)
{
    struct contract contract = {.newest = 77};
    struct reason why = {""};
    assert_int_equal(contract_init(&contract, slice_text(kind), params, &why), code);
    if (!strstr(why.text, says))
        fail_msg("%s: %s", kind, why.text);
    assert_true(contract.newest == 77 && contract.kind == NULL); /* untouched */
}

static void refuses_param(const char *kind, const char *name, const void *value, size_t size,
                          const char *says)
{
    struct buffer params = one_param(name, value, size);
    refuses(kind, buffer_slice(&params), ERR_BAD_PARAMS, says);
    buffer_free(&params);
}

/* Rooms alone need some: tests/unit/contracts_room_test.c. */
static bool needs_params(const struct kind *kind)
{
    return kind->finish_params != NULL;
}

static void every_kind_takes_no_params_a_name_and_writers(void **state)
{
    (void)state;
    for (const struct kind *const *kind = kinds; *kind; kind++) {
        if (needs_params(*kind))
            continue;
        struct contract contract;
        struct buffer params = one_param("name", "lobby", 5);
        uint8_t writers[64] = {[63] = 1};
        entry_append(&params, slice_text("writers"), slice_of(writers, sizeof writers));
        struct slice name = slice_text((*kind)->name);
        assert_int_equal(contract_init(&contract, name, slice_of(NULL, 0), NULL), 0);
        assert_false(contract_signed(&contract));
        assert_int_equal(contract_param(&contract, "name").size, 0);
        assert_int_equal(contract_init(&contract, name, buffer_slice(&params), NULL), 0);
        assert_true(contract_signed(&contract));
        assert_true(slice_is(contract_param(&contract, "name"), "lobby"));
        assert_true(contract_has_writer(&contract, writers));
        assert_true(contract_has_writer(&contract, writers + 32));
        assert_false(
            contract_has_writer(&contract, (const uint8_t *)"not one of the writers’ keys .."));
        assert_ptr_equal(contract.kind, *kind);
        assert_ptr_equal(kind_find(name), *kind);
        buffer_free(&params);
    }
}

static void an_unknown_kind_is_refused(void **state)
{
    (void)state;
    refuses("maps", slice_of(NULL, 0), ERR_BAD_KIND, "no contract kind 'maps'");
    refuses("ma", slice_of(NULL, 0), ERR_BAD_KIND, "'ma'");
    refuses("", slice_of(NULL, 0), ERR_BAD_KIND, "''");
    refuses("a name as long as nobody would ever give one to a kind of contract anywhere",
            slice_of(NULL, 0), ERR_BAD_KIND, "no contract kind");
}

static void an_unknown_name_is_refused(void **state)
{
    (void)state;
    refuses_param("map", "colour", "x", 1, "a map takes no parameter 'colour'");
    refuses_param("map", "newest", "\0\0\0\0\0\0\0\1", 8, "a map takes no parameter 'newest'");
    refuses_param("log", "", "x", 1, "no parameter ''");
}

static void newest_is_a_number_of_8_bytes(void **state)
{
    (void)state;
    struct buffer params = one_param("newest", "\0\0\0\0\0\0\1\2", 8);
    struct contract contract;
    assert_int_equal(contract_init(&contract, slice_text("log"), buffer_slice(&params), NULL), 0);
    assert_int_equal(contract.newest, 258);
    assert_int_equal(contract_init(&contract, slice_text("log"), slice_of(NULL, 0), NULL), 0);
    assert_true(contract.newest == UINT64_MAX);
    refuses_param("log", "newest", "1000", 4, "newest: 4 bytes");
    refuses_param("log", "newest", "", 0, "newest: 0 bytes");
    buffer_free(&params);
}

static void a_name_has_its_limit(void **state)
{
    (void)state;
    static const uint8_t text[NAME_BYTES_MAX + 1] = {'x'};
    struct buffer params = one_param("name", text, NAME_BYTES_MAX);
    struct contract contract;
    assert_int_equal(contract_init(&contract, slice_text("map"), buffer_slice(&params), NULL), 0);
    refuses_param("map", "name", text, NAME_BYTES_MAX + 1, "name: 1025 bytes, the most is 1024");
    buffer_free(&params);
}

static void writers_are_keys_in_ascending_order(void **state)
{
    (void)state;
    static uint8_t keys[(WRITERS_MAX + 1) * WRITER_KEY_BYTES];
    for (uint32_t i = 0; i <= WRITERS_MAX; i++)
        put_u32(keys + (size_t)i * WRITER_KEY_BYTES, i);
    struct buffer params = one_param("writers", keys, WRITERS_MAX * WRITER_KEY_BYTES);
    struct contract contract;
    assert_int_equal(contract_init(&contract, slice_text("set"), buffer_slice(&params), NULL), 0);
    for (uint32_t i = 0; i <= WRITERS_MAX; i++)
        assert_int_equal(contract_has_writer(&contract, keys + (size_t)i * WRITER_KEY_BYTES),
                         i < WRITERS_MAX);
    refuses_param("set", "writers", keys, sizeof keys, "1 to 256 public keys");
    refuses_param("set", "writers", keys, 0, "writers: 0 bytes");
    refuses_param("set", "writers", keys, 31, "writers: 31 bytes");
    refuses_param("set", "writers", keys, 33, "writers: 33 bytes");
    memcpy(keys + WRITER_KEY_BYTES, keys, WRITER_KEY_BYTES);
    refuses_param("set", "writers", keys, 64, "key 2 is not greater");
    keys[0] = 1;
    refuses_param("set", "writers", keys, 64, "key 2 is not greater");
    buffer_free(&params);
}

static void params_have_one_encoding(void **state)
{
    (void)state;
    struct buffer params = one_param("newest", "\0\0\0\0\0\0\1\2", 8);
    entry_append(&params, slice_text("name"), slice_text("x"));
    refuses("log", buffer_slice(&params), ERR_BAD_PARAMS, "entry 2: its key is less");
    buffer_clear(&params);
    entry_append(&params, slice_text("name"), slice_text("x"));
    size_t one = params.size;
    entry_append(&params, slice_text("name"), slice_text("x"));
    refuses("log", buffer_slice(&params), ERR_BAD_PARAMS, "entry 2: its key is there twice");
    for (size_t size = 1; size < one; size++)
        refuses("log", slice_of(params.data, size), ERR_BAD_PARAMS, "cut short");
    buffer_free(&params);
    static const uint8_t large[PARAMS_BYTES_MAX + 1];
    refuses("log", slice_of(large, sizeof large), ERR_BAD_PARAMS, "the most is 16384");
}

static void kind_and_params_make_the_key_and_nothing_else_does(void **state)
{
    (void)state;
    struct buffer params[] = {
        {0}, one_param("name", "", 0), one_param("name", "a", 1), one_param("name", "b", 1)};
    enum { PARAMS = sizeof params / sizeof params[0] };
    struct contract made[6 * PARAMS];
    size_t count = 0;
    for (const struct kind *const *kind = kinds; *kind; kind++)
        for (size_t i = 0; i < PARAMS && !needs_params(*kind); i++) {
            struct contract again;
            struct slice name = slice_text((*kind)->name);
            assert_int_equal(contract_init(&made[count], name, buffer_slice(&params[i]), NULL), 0);
            assert_int_equal(contract_init(&again, name, buffer_slice(&params[i]), NULL), 0);
            assert_memory_equal(&made[count].key, &again.key, sizeof again.key);
            for (size_t j = 0; j < count; j++)
                assert_memory_not_equal(&made[count].key, &made[j].key, sizeof again.key);
            count++;
        }
    assert_int_equal(count, 6 * PARAMS);
    for (size_t i = 0; i < PARAMS; i++)
        buffer_free(&params[i]);
}

/* All slices of a contract stand inside its params: a copy of them keeps none of the old bytes. */
static void assert_moves(const char *kind, struct slice params)
{
    uint8_t *first = (uint8_t *)malloc(params.size), *second = (uint8_t *)malloc(params.size);
    struct contract contract;
    assert_true(first && second);
    memcpy(first, params.data, params.size);
    memcpy(second, params.data, params.size);
    struct slice own = slice_of(first, params.size);
    assert_int_equal(contract_init(&contract, slice_text(kind), own, NULL), 0);
    struct contract moved = contract_with_params(&contract, second);
    memset(first, 0xee, params.size);
    const uint8_t *end = second + params.size;
    assert_true(slice_equal(moved.params, params));
    assert_true(!moved.writers.size || (moved.writers.data >= second && moved.writers.data < end));
    assert_true(!moved.owner || (moved.owner >= second && moved.owner < end));
    assert_int_equal(moved.owner != NULL, contract.owner != NULL);
    assert_int_equal(moved.writers.size, contract.writers.size);
    free(first);
    free(second);
}

static void what_stands_inside_the_params_moves_with_them(void **state)
{
    (void)state;
    uint8_t bytes[32];
    struct buffer room = {0}, listed = {0};
    memset(bytes, 7, sizeof bytes);
    entry_append(&room, slice_text("owner"), slice_of(bytes, 32));
    entry_append(&room, slice_text("salt"), slice_of(bytes, 16));
    entry_append(&listed, slice_text("writers"), slice_of(bytes, 32));
    assert_moves("room", buffer_slice(&room));
    assert_moves("map", buffer_slice(&listed));
    buffer_free(&room);
    buffer_free(&listed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_takes_no_params_a_name_and_writers),
        cmocka_unit_test(an_unknown_kind_is_refused),
        cmocka_unit_test(an_unknown_name_is_refused),
        cmocka_unit_test(newest_is_a_number_of_8_bytes),
        cmocka_unit_test(a_name_has_its_limit),
        cmocka_unit_test(writers_are_keys_in_ascending_order),
        cmocka_unit_test(params_have_one_encoding),
        cmocka_unit_test(what_stands_inside_the_params_moves_with_them),
        cmocka_unit_test(kind_and_params_make_the_key_and_nothing_else_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
