/* Marks that damage hits too: what waits for a peer's copy is never taken for whole, and contracts
 * that cannot be named are counted. */
#include "tests/unit/store_fixture.h"

#include <sodium.h>
#include <stdio.h>

enum { PAGE = 4096, PAGE_HEAD = 16 };

static struct rig rig;
static struct subject hurt, healthy;

static int setup(void **state)
{
    (void)state;
    rig_open(&rig);
    subject_init(&hurt, "map", "hurt", 0);
    subject_init(&healthy, "map", "healthy", 0);
    rig_set(&rig, &hurt.contract, "first", 1, "x");
    rig_set(&rig, &healthy.contract, "first", 1, "x");
    assert_int_equal(marks_add(&rig.store->marks, &hurt.contract.key, NULL), 0);
    rig_fold(&rig);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig, true);
    subject_free(&hurt);
    subject_free(&healthy);
    return 0;
}

/* Where the mark's row is in LMDB's file: the last that was written. */
static size_t mark_at(const struct buffer *file)
{
    uint8_t key[MARK_KEY_BYTES];
    size_t found = 0;
    mark_key_of(&hurt.contract.key, key);
    for (size_t at = 0; at + sizeof key <= file->size; at++)
        if (memcmp(file->data + at, key, sizeof key) == 0)
            found = at;
    assert_true(found > 0);
    return found;
}

static bool is_named(const struct check_report *report)
{
    for (size_t i = 0; i < report->named_count; i++)
        if (memcmp(&report->named[i], &hurt.contract.key, STATE_PREFIX_BYTES) == 0)
            return true;
    return false;
}

/* A start on the file with one byte changed. */
static void start_with(const struct buffer *file, size_t at)
{
    struct check_report report = {0};
    file->data[at] ^= 0x10;
    file_write(rig.dir, "state.mdb", buffer_slice(file));
    file->data[at] ^= 0x10;
    int checked = store_check_dir(rig.dir, NULL, NULL, &report, &rig.why);
    int rc = store_open(&rig.options, &rig.store, &rig.why);
    if (rc || checked)
        fail_msg("byte %zu: %s", at, rig.why.text);
    if (!store_is_damaged(rig.store, &hurt.contract.key) || !is_named(&report))
        fail_msg("byte %zu: the mark is lost", at);
    store_close(&rig.store);
}

static void a_mark_that_is_damaged_still_marks(void **state)
{
    (void)state;
    store_close(&rig.store);
    struct buffer file = file_read(rig.dir, "state.mdb");
    size_t row = mark_at(&file),
           row_bytes = MARK_KEY_BYTES + ROW_CHECKSUM_BYTES + CONTRACT_KEY_BYTES;
    for (size_t i = 0; i < row_bytes; i++)
        start_with(&file, row + i);
    for (size_t i = 0; i < PAGE_HEAD; i++)
        start_with(&file, row / PAGE * PAGE + i);
    file_write(rig.dir, "state.mdb", buffer_slice(&file));
    assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
    assert_false(store_is_damaged(rig.store, &healthy.contract.key));
    buffer_free(&file);
}

/* Nothing tells any more which contracts waited for a copy. */
static void marks_that_are_lost_mark_all(void **state)
{
    (void)state;
    store_close(&rig.store);
    struct buffer file = file_read(rig.dir, "state.mdb");
    size_t row = mark_at(&file);
    memset(file.data + row, 'x', MARK_KEY_BYTES + ROW_CHECKSUM_BYTES + CONTRACT_KEY_BYTES);
    file_write(rig.dir, "state.mdb", buffer_slice(&file));
    assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
    assert_true(store_is_damaged(rig.store, &hurt.contract.key));
    assert_true(store_is_damaged(rig.store, &healthy.contract.key));
    buffer_free(&file);
}

/* More acknowledged records are broken than are looked at. */
static void broken_records_beyond_the_limit_are_counted(void **state)
{
    (void)state;
    enum { MORE = 30, BROKEN = SCAN_BROKEN_MAX + MORE };
    struct store_stats stats;
    rig.unflushed = true;
    for (unsigned i = 0; i < BROKEN; i++)
        rig_set(&rig, &healthy.contract, "f", i + 2, "BROKEN");
    rig_flush(&rig);
    rig_set(&rig, &healthy.contract, "f", BROKEN + 2, "whole");
    rig_flush(&rig); /* which tells that the others were acknowledged */
    store_close(&rig.store);
    struct buffer file = file_read(rig.dir, "log/0000000000000001.log");
    for (size_t at = 0; at + 6 < file.size; at++)
        if (memcmp(file.data + at, "BROKEN", 6) == 0)
            file.data[at] = 'b';
    file_write(rig.dir, "log/0000000000000001.log", buffer_slice(&file));
    assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
    store_stats(rig.store, &stats);
    assert_int_equal(stats.damaged, BROKEN);
    assert_int_equal(stats.unnamed, MORE);
    assert_true(store_is_damaged(rig.store, &healthy.contract.key));
    buffer_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        CASE(a_mark_that_is_damaged_still_marks),
        CASE(marks_that_are_lost_mark_all),
        CASE(broken_records_beyond_the_limit_are_counted),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
