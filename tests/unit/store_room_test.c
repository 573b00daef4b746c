/* Room: limits are kept with everything before them intact; work follows the change, not the state.
 */
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static struct rig rig;

static int setup(void **state)
{
    (void)state;
    rig_open(&rig);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig, true);
    return 0;
}

/* Merges `count` fields from `from` on, of that many bytes each, in pieces; the code of the first
 * that is refused. */
static int fill(const struct contract *contract, unsigned from, unsigned count, size_t bytes,
                uint64_t stamp)
{
    uint8_t *data = (uint8_t *)malloc(bytes);
    assert_non_null(data);
    memset(data, (int)('a' + stamp % 26), bytes);
    int rc = 0;
    for (unsigned i = 0; i < count && rc == 0;) {
        struct buffer delta = {0};
        for (; delta.size < 1000000 && i < count; i++) {
            char field[16];
            (void)snprintf(field, sizeof field, "%08u", from + i);
            map_entry(&delta, field, stamp, slice_of(data, bytes));
        }
        rc = rig_merge(&rig, contract, buffer_slice(&delta), NULL);
        if (rc == ERR_AGAIN) {
            rig_fold(&rig);
            rc = rig_merge(&rig, contract, buffer_slice(&delta), NULL);
        }
        buffer_free(&delta);
    }
    free(data);
    return rc;
}

static void the_stores_limit_refuses_changes_and_keeps_what_there_is(void **state)
{
    (void)state;
    struct subject map;
    struct store_change change;
    subject_init(&map, "map", "limited", 0);
    rig_set(&rig, &map.contract, "a", 1, "x");
    rig.options.store_bytes_max = 20 << 20;
    rig_reopen(&rig);
    unsigned from = 0;
    for (unsigned count = 900; count; count /= 30) { /* 900, 30 and 1 fields at a time */
        int rc = 0;
        while (rc == 0) {
            rc = fill(&map.contract, from, count, 1000, 1);
            from += count;
            assert_true(from < 20000);
        }
        assert_int_equal(rc, ERR_STORE_FULL);
    }
    struct buffer before = rig_read(&rig, &map.contract, NULL, NULL);
    assert_true(before.size > 4 << 20);
    struct buffer duplicate = map_delta("a", 1, slice_text("x"));
    assert_int_equal(rig_merge(&rig, &map.contract, buffer_slice(&duplicate), &change), 0);
    assert_int_equal(change.changed, 0); /* nothing to store, so nothing to refuse */
    char large[3000];
    memset(large, 'y', sizeof large - 1);
    large[sizeof large - 1] = 0;
    assert_int_equal(rig_edit(&rig, &map.contract, "set", "b", large), ERR_STORE_FULL);
    assert_non_null(strstr(rig.why.text, "--max-store"));
    rig_reopen(&rig);
    struct buffer after = rig_read(&rig, &map.contract, NULL, NULL);
    assert_true(slice_equal(buffer_slice(&before), buffer_slice(&after)));
    assert_clean(&rig);
    buffer_free(&before);
    buffer_free(&after);
    buffer_free(&duplicate);
    subject_free(&map);
}

static void room_that_a_fold_makes_is_used_again(void **state)
{
    (void)state;
    struct subject map;
    subject_init(&map, "map", "rewritten", 0);
    rig.options.store_bytes_max = 12 << 20;
    rig_reopen(&rig);
    /* The same fields again and again: the log and the overlay count until they are folded. */
    for (unsigned stamp = 1; stamp < 12; stamp++) {
        int rc = fill(&map.contract, 0, 1000, 1000, stamp);
        if (rc == ERR_STORE_FULL) {
            rig_fold(&rig);
            rc = fill(&map.contract, 0, 1000, 1000, stamp);
        }
        assert_int_equal(rc, 0);
    }
    subject_free(&map);
}

static void one_state_has_its_limit(void **state)
{
    (void)state;
    struct subject map;
    subject_init(&map, "map", "small", 0);
    rig.options.state_bytes_max = 100000;
    rig_reopen(&rig);
    assert_int_equal(fill(&map.contract, 0, 90, 1000, 1), 0);
    assert_int_equal(fill(&map.contract, 90, 90, 1000, 1), ERR_TOO_LARGE);
    rig.options.state_bytes_max = 1000; /* lowered: what there is stays, and replays */
    rig_reopen(&rig);
    struct buffer bytes = rig_read(&rig, &map.contract, NULL, NULL);
    assert_true(bytes.size > 90000);
    buffer_free(&bytes);
    subject_free(&map);
}

static void the_map_grows_by_itself(void **state)
{
    (void)state;
    struct subject map;
    rig_close(&rig, true);
    rig_open(&rig);
    store_close(&rig.store);
    rig.map_bytes = 1 << 20;
    assert_int_equal(store_open_mapped(&rig.options, rig.map_bytes, &rig.store, &rig.why), 0);
    subject_init(&map, "map", "growing", 0);
    for (unsigned i = 0; i < 30; i++) {
        assert_int_equal(fill(&map.contract, i * 1000, 1000, 900, 1), 0);
        rig_fold(&rig);
    }
    struct store_stats stats;
    store_stats(rig.store, &stats);
    assert_true(stats.map_bytes > stats.used_bytes);
    assert_int_equal(stats.entries, 30000);
    assert_clean(&rig);
    rig_reopen(&rig); /* the file is larger than the first map now */
    assert_clean(&rig);
    subject_free(&map);
}

/* A fold that finds the map too small leaves LMDB as it was; large reads hold the growth back. */
static void a_fold_that_finds_the_map_full_is_repeated_on_a_larger_one(void **state)
{
    (void)state;
    struct subject map;
    struct fold_result result;
    struct reading reading;
    read_job_t *job;
    struct slice none = {0};
    store_close(&rig.store);
    rig.map_bytes = 1 << 20;
    assert_int_equal(store_open_mapped(&rig.options, rig.map_bytes, &rig.store, &rig.why), 0);
    subject_init(&map, "map", "too large", 0);
    assert_int_equal(fill(&map.contract, 0, 4000, 900, 1), 0);
    assert_int_equal(store_read(rig.store, &map.contract.key, none, none, &reading, &job, &rig.why),
                     0);
    fold_t *fold = store_freeze(rig.store); /* the wish for more map is passed over */
    assert_non_null(fold);
    assert_int_equal(fold_run(fold, &result, &rig.why), ERR_AGAIN);
    store_thaw(rig.store, fold, false, NULL);
    assert_null(store_freeze(rig.store)); /* the need for more is not */
    while (read_step(job, &reading, &rig.why) == ERR_AGAIN)
        continue;
    blob_release(&reading.bytes);
    read_job_destroy(&job);
    store_hold_map(rig.store, true); /* nor while someone else looks at it */
    assert_null(store_freeze(rig.store));
    store_hold_map(rig.store, false);
    rig_fold(&rig);
    assert_int_equal(store_unfolded_bytes(rig.store), 0);
    struct buffer bytes = rig_read(&rig, &map.contract, NULL, NULL);
    assert_true(bytes.size > 4000 * 900);
    buffer_free(&bytes);
    assert_clean(&rig);
    subject_free(&map);
}

/* Bytes that this process wrote to files, by the kernel's count. */
static uint64_t bytes_written(void)
{
    FILE *file = fopen("/proc/self/io", "re");
    unsigned long long bytes = 0;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "rchar: %*u wchar: %llu", &bytes), 1);
    (void)fclose(file);
    return bytes;
}

/* One small update and its fold; the middle of several, as a page may split. */
static uint64_t cost_of_update(const struct contract *contract, unsigned fields)
{
    uint64_t costs[9];
    for (size_t i = 0; i < 9; i++) {
        char field[16];
        (void)snprintf(field, sizeof field, "%08u", (unsigned)random_below(fields));
        uint64_t before = bytes_written();
        rig_set(&rig, contract, field, 100 + i, "0123456789abcdefgh");
        rig_fold(&rig);
        costs[i] = bytes_written() - before;
        for (size_t j = i; j > 0 && costs[j] < costs[j - 1]; j--) {
            uint64_t cost = costs[j];
            costs[j] = costs[j - 1];
            costs[j - 1] = cost;
        }
    }
    return costs[4];
}

/* lesson M6 */
static void bytes_written_follow_the_update_and_not_the_state(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned fields;
    } rows[] = {{"1 KiB", 21}, {"1 MiB", 21845}, {"48 MiB", 1048576}};
    enum { SIZES = 3 };
    struct subject maps[SIZES];
    uint64_t costs[SIZES];
    (void)seed_random();
    for (size_t i = 0; i < SIZES; i++) {
        subject_init(&maps[i], "map", rows[i].name, 0);
        assert_int_equal(fill(&maps[i].contract, 0, rows[i].fields, 18, 1), 0);
    }
    rig_fold(&rig);
    for (size_t i = 0; i < SIZES; i++) {
        const struct held *held;
        assert_int_equal(store_find(rig.store, &maps[i].contract.key, &held, &rig.why), 0);
        costs[i] = cost_of_update(&maps[i].contract, rows[i].fields);
        print_message("state of %llu bytes: %llu bytes written for one update\n",
                      (unsigned long long)held->summary.state_bytes, (unsigned long long)costs[i]);
    }
    for (size_t i = 1; i < SIZES; i++)
        assert_true(2 * costs[i] <= 3 * costs[0]);
    for (size_t i = 0; i < SIZES; i++)
        subject_free(&maps[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        CASE(the_stores_limit_refuses_changes_and_keeps_what_there_is),
        CASE(room_that_a_fold_makes_is_used_again),
        CASE(one_state_has_its_limit),
        CASE(the_map_grows_by_itself),
        CASE(a_fold_that_finds_the_map_full_is_repeated_on_a_larger_one),
        CASE(bytes_written_follow_the_update_and_not_the_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
