/* The walk through LMDB's file: what a root says of it. (Flipped bits by the hundred:
 * tests/fault/store_flips_test.c; made-up ones: tests/fuzz/pages_fuzz.c.) */
#include "store/pages.h"
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 4096, FREE_DEPTH_AT = 46, FREE_ROOT_AT = 80, LAST_AT = 136, TXN_AT = 144 };

static struct rig rig;
static struct subject map;

static int setup(void **state)
{
    (void)state;
    rig_open(&rig);
    subject_init(&map, "map", "pages", 0);
    for (int fold = 0; fold < 3; fold++) { /* so that some pages are free */
        char field[16];
        (void)snprintf(field, sizeof field, "field %d", fold);
        rig_set(&rig, &map.contract, field, 1, "value");
        rig_fold(&rig);
    }
    store_close(&rig.store);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig, true);
    subject_free(&map);
    return 0;
}

/* LMDB writes in the machine's order. */
static uint64_t host_u64(const struct buffer *file, size_t at)
{
    uint64_t n;
    memcpy(&n, file->data + at, sizeof n);
    return n;
}

/* Where the newer root is. */
static size_t root_of(const struct buffer *file)
{
    return host_u64(file, PAGE + TXN_AT) > host_u64(file, TXN_AT) ? PAGE : 0;
}

static int count_row(void *rows, enum page_table table, struct entry row)
{
    (void)row;
    *(size_t *)rows += table == TABLE_state;
    return 0;
}

static struct pages walk(size_t *rows)
{
    struct pages found;
    char path[80];
    *rows = 0;
    (void)snprintf(path, sizeof path, "%s/state.mdb", rig.dir);
    assert_int_equal(pages_walk(path, false, count_row, rows, &found, &rig.why), 0);
    return found;
}

static void write_u64(size_t in_root, uint64_t n)
{
    struct buffer file = file_read(rig.dir, "state.mdb");
    memcpy(file.data + root_of(&file) + in_root, &n, sizeof n);
    file_write(rig.dir, "state.mdb", buffer_slice(&file));
    buffer_free(&file);
}

/* LMDB would find nothing past that page, and overwrite what is there. */
static void a_root_that_knows_of_fewer_pages_than_are_used_is_a_fault(void **state)
{
    (void)state;
    size_t rows;
    assert_int_equal(walk(&rows).faults, 0);
    assert_int_equal(rows, 4);
    write_u64(LAST_AT, 1);
    struct pages found = walk(&rows);
    assert_true(found.faults > 0);
    assert_non_null(strstr(found.first.text, "the root does not know of it"));
    assert_int_equal(rows, 4); /* all is there … */
    assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
    assert_string_not_equal(store_repaired(rig.store), "");
    assert_map(&rig, &map.contract, "field 0=value field 1=value field 2=value "); /* … and kept */
    assert_false(store_is_damaged(rig.store, &map.contract.key));
    assert_clean(&rig);
    store_close(&rig.store);
}

/* LMDB reads such a table, and refuses to write to it: its flags are not those of who opens it.
 * Found by pages_fuzz. */
static void a_table_with_flags_that_nobody_set_is_a_fault(void **state)
{
    enum { MAIN_ROOT_AT = 128, NAME_BYTES = 5, FLAGS_AT = NAME_BYTES + 4 };
    (void)state;
    for (unsigned bit = 0; bit < 16; bit++) {
        size_t rows;
        struct buffer file = file_read(rig.dir, "state.mdb");
        uint8_t *main = file.data + host_u64(&file, root_of(&file) + MAIN_ROOT_AT) * PAGE;
        uint8_t *table = (uint8_t *)memmem(main, PAGE, "state", NAME_BYTES);
        assert_non_null(table);
        table[FLAGS_AT + bit / 8] ^= (uint8_t)(1u << bit % 8);
        file_write(rig.dir, "state.mdb", buffer_slice(&file));
        buffer_free(&file);
        assert_true(walk(&rows).faults > 0);
        assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
        assert_string_not_equal(store_repaired(rig.store), "");
        assert_map(&rig, &map.contract, "field 0=value field 1=value field 2=value ");
        store_close(&rig.store);
    }
}

/* It has no count: what lies behind it is not read as one. */
static void an_empty_list_of_free_pages_is_a_fault(void **state)
{
    (void)state;
    enum { NODE_AT = PAGE - 16, BOUNDS_AT = 12 };
    const uint16_t bounds[] = {16 + 2, NODE_AT, NODE_AT}; /* of the nodes; the only node */
    const uint16_t node[] = {0, 0, 0, 8};                 /* its size, flags, its key's size */
    const uint64_t key = 1;
    size_t rows;
    struct buffer file = file_read(rig.dir, "state.mdb");
    size_t root = root_of(&file);
    assert_int_equal(file.data[root + FREE_DEPTH_AT], 1);
    uint8_t *leaf = file.data + host_u64(&file, root + FREE_ROOT_AT) * PAGE;
    memcpy(leaf + BOUNDS_AT, bounds, sizeof bounds);
    memcpy(leaf + NODE_AT, node, sizeof node);
    memcpy(leaf + NODE_AT + sizeof node, &key, sizeof key);
    file_write(rig.dir, "state.mdb", buffer_slice(&file));
    buffer_free(&file);
    struct pages found = walk(&rows);
    assert_true(found.faults > 0);
    assert_non_null(strstr(found.first.text, "it is no list of free pages"));
    assert_int_equal(rows, 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_root_that_knows_of_fewer_pages_than_are_used_is_a_fault),
        TEST(a_table_with_flags_that_nobody_set_is_a_fault),
        TEST(an_empty_list_of_free_pages_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
