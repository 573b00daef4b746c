/* What was merged is read the same, whichever layers it is in. */
#include "store/store_state.h"
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

static fold_t *freeze(void)
{
    fold_t *fold = store_freeze(rig.store);
    assert_non_null(fold);
    return fold;
}

static void finish(fold_t *fold)
{
    struct fold_result result;
    assert_int_equal(fold_run(fold, &result, &rig.why), 0);
    store_thaw(rig.store, fold, true, &result);
    fold_destroy(&fold);
}

static void a_new_contract_is_read_back(void **state)
{
    (void)state;
    struct subject map;
    subject_init(&map, "map", "one", 0);
    struct buffer delta = map_delta("a", 1, slice_text("x"));
    struct store_change change;
    assert_int_equal(rig_merge(&rig, &map.contract, buffer_slice(&delta), &change), 0);
    assert_true(change.created);
    assert_int_equal(change.changed, 1);
    assert_int_equal(change.seq, 1);
    struct fingerprint empty = fingerprint_of(slice_of(NULL, 0));
    struct fingerprint after = fingerprint_of(buffer_slice(&delta));
    assert_memory_equal(change.before.bytes, empty.bytes, FINGERPRINT_BYTES);
    assert_memory_equal(change.after.bytes, after.bytes, FINGERPRINT_BYTES);
    assert_map(&rig, &map.contract, "a=x ");
    buffer_free(&delta);
    subject_free(&map);
}

/* lesson M3 */
static void
a_delta_that_brings_nothing_new_changes_nothing_and_names_the_record_to_wait_for(void **state)
{
    (void)state;
    struct subject map;
    subject_init(&map, "map", "one", 0);
    struct buffer delta = map_delta("a", 1, slice_text("x"));
    struct store_change change;
    assert_int_equal(rig_merge(&rig, &map.contract, buffer_slice(&delta), &change), 0);
    uint64_t seq = change.seq;
    assert_int_equal(rig_merge(&rig, &map.contract, buffer_slice(&delta), &change), 0);
    assert_int_equal(change.changed, 0);
    assert_int_equal(change.seq, seq);
    rig_fold(&rig);
    assert_int_equal(rig_merge(&rig, &map.contract, buffer_slice(&delta), &change), 0);
    assert_int_equal(change.changed, 0);
    assert_int_equal(change.seq, 0);
    buffer_free(&delta);
    subject_free(&map);
}

static void an_unknown_contract_is_not_found_and_not_made(void **state)
{
    (void)state;
    struct subject map;
    struct store_change change;
    const struct held *held;
    subject_init(&map, "map", "nobody", 0);
    struct buffer delta = map_delta("a", 1, slice_text("x"));
    assert_int_equal(
        store_merge(rig.store, &map.contract, false, buffer_slice(&delta), &change, &rig.why),
        ERR_NOT_FOUND);
    assert_int_equal(rig_edit(&rig, &map.contract, "set", "a", "x"), ERR_NOT_FOUND);
    assert_int_equal(store_find(rig.store, &map.contract.key, &held, &rig.why), ERR_NOT_FOUND);
    assert_int_equal(store_next(rig.store, NULL, &held, &rig.why), ERR_NOT_FOUND);
    buffer_free(&delta);
    subject_free(&map);
}

static void an_empty_contract_is_kept_through_all_layers(void **state)
{
    (void)state;
    struct subject map;
    subject_init(&map, "map", "empty", 0);
    struct store_change change;
    assert_int_equal(rig_merge(&rig, &map.contract, slice_of(NULL, 0), &change), 0);
    assert_true(change.created);
    assert_int_equal(change.changed, 0);
    assert_true(change.seq > 0);
    assert_map(&rig, &map.contract, "");
    rig_reopen(&rig);
    assert_map(&rig, &map.contract, "");
    rig_fold(&rig);
    assert_map(&rig, &map.contract, "");
    rig_reopen(&rig);
    assert_map(&rig, &map.contract, "");
    subject_free(&map);
}

static void upper_layers_hide_lower_ones(void **state)
{
    (void)state;
    struct subject map;
    subject_init(&map, "map", "layers", 0);
    rig_set(&rig, &map.contract, "a", 1, "lmdb");
    rig_set(&rig, &map.contract, "b", 1, "lmdb");
    rig_set(&rig, &map.contract, "c", 1, "lmdb");
    rig_fold(&rig);
    rig_set(&rig, &map.contract, "b", 2, "frozen");
    rig_set(&rig, &map.contract, "c", 2, "frozen");
    rig_set(&rig, &map.contract, "d", 2, "frozen");
    fold_t *fold = freeze();
    rig_set(&rig, &map.contract, "c", 3, "live");
    rig_set(&rig, &map.contract, "e", 3, "live");
    const char *expected = "a=lmdb b=frozen c=live d=frozen e=live ";
    assert_map(&rig, &map.contract, expected);
    finish(fold);
    assert_map(&rig, &map.contract, expected);
    rig_fold(&rig);
    assert_map(&rig, &map.contract, expected);
    assert_clean(&rig);
    subject_free(&map);
}

/* lesson M4: a cap drops entries that lie in lower layers */
static void dropped_entries_stay_dropped_through_all_layers(void **state)
{
    (void)state;
    struct subject log;
    char text[32];
    subject_init(&log, "log", "capped", 3);
    assert_int_equal(rig_merge(&rig, &log.contract, slice_of(NULL, 0), NULL), 0);
    fold_t *fold = NULL;
    for (int i = 0; i < 40; i++) {
        (void)snprintf(text, sizeof text, "line %d", i);
        assert_int_equal(rig_edit(&rig, &log.contract, "append", text, NULL), 0);
        const struct held *held;
        assert_int_equal(store_find(rig.store, &log.contract.key, &held, &rig.why), 0);
        assert_int_equal(held->summary.count, i < 3 ? i + 1 : 3);
        struct buffer bytes = rig_read(&rig, &log.contract, NULL, NULL);
        assert_int_equal(bytes.size, held->summary.state_bytes);
        buffer_free(&bytes);
        if (i % 5 == 1)
            fold = freeze();
        if (i % 5 == 3)
            finish(fold);
        if (i % 10 == 9)
            rig_reopen(&rig);
    }
    assert_clean(&rig);
    subject_free(&log);
}

static void ranges_end_where_they_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *first, *last, *expected;
    } rows[] = {
        {"b", "d", "b=1 c=2 d=1 "}, {NULL, "b", "a=1 b=1 "}, {"d", NULL, "d=1 e=2 "},
        {"bb", "cc", "c=2 "},       {"f", NULL, ""},         {"c", "b", ""},
        {"a", "a", "a=1 "},
    };
    struct subject map;
    subject_init(&map, "map", "ranges", 0);
    rig_set(&rig, &map.contract, "a", 1, "1");
    rig_set(&rig, &map.contract, "b", 1, "1");
    rig_set(&rig, &map.contract, "c", 1, "1");
    rig_set(&rig, &map.contract, "d", 1, "1");
    rig_fold(&rig);
    rig_set(&rig, &map.contract, "c", 2, "2");
    rig_set(&rig, &map.contract, "e", 2, "2");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer bytes = rig_read(&rig, &map.contract, rows[i].first, rows[i].last);
        assert_string_equal(shown_map(buffer_slice(&bytes)), rows[i].expected);
        buffer_free(&bytes);
    }
    subject_free(&map);
}

static void a_range_waits_only_for_what_it_shows(void **state)
{
    (void)state;
    struct subject map;
    struct reading reading;
    read_job_t *job;
    subject_init(&map, "map", "seqs", 0);
    rig_set(&rig, &map.contract, "a", 1, "1");
    rig_fold(&rig);
    rig_set(&rig, &map.contract, "b", 1, "1"); /* seq 2 */
    rig_set(&rig, &map.contract, "c", 1, "1"); /* seq 3 */
    static const struct {
        const char *field;
        uint64_t seq;
    } rows[] = {{"a", 0}, {"b", 2}, {"c", 3}};
    for (size_t i = 0; i < 3; i++) {
        struct slice key = slice_text(rows[i].field);
        assert_int_equal(
            store_read(rig.store, &map.contract.key, key, key, &reading, &job, &rig.why), 0);
        assert_int_equal(reading.seq, rows[i].seq);
        blob_release(&reading.bytes);
    }
    subject_free(&map);
}

/* Fills a map with `count` fields of 1,000 bytes. */
static void fill(const struct contract *contract, unsigned count, uint64_t stamp)
{
    uint8_t data[1000];
    for (unsigned i = 0; i < count;) {
        struct buffer delta = {0};
        for (unsigned j = 0; j < 500 && i < count; j++, i++) {
            char field[16];
            (void)snprintf(field, sizeof field, "%06u", i);
            memset(data, (int)('a' + (i + stamp) % 26), sizeof data);
            map_entry(&delta, field, stamp, slice_of(data, sizeof data));
        }
        assert_int_equal(rig_merge(&rig, contract, buffer_slice(&delta), NULL), 0);
        buffer_free(&delta);
    }
}

static void a_large_read_shows_the_state_of_its_beginning(void **state)
{
    (void)state;
    struct subject map;
    struct reading reading;
    read_job_t *job;
    subject_init(&map, "map", "large", 0);
    fill(&map.contract, 1500, 1);
    rig_fold(&rig);
    fill(&map.contract, 1000, 2);
    fold_t *fold = freeze();
    fill(&map.contract, 700, 3);
    struct buffer before = rig_read(&rig, &map.contract, NULL, NULL);
    struct slice none = {0};
    assert_int_equal(store_read(rig.store, &map.contract.key, none, none, &reading, &job, &rig.why),
                     0);
    assert_non_null(job);
    int steps = 0, rc;
    while ((rc = read_step(job, &reading, &rig.why)) == ERR_AGAIN) {
        fill(&map.contract, 1600, 4 + (uint64_t)steps);
        if (steps++ == 1) {
            finish(fold);
            rig_fold(&rig);
        }
    }
    assert_int_equal(rc, 0);
    assert_true(steps > 1);
    read_job_destroy(&job);
    struct slice bytes = slice_after(blob_slice(reading.bytes), reading.params_bytes);
    assert_true(slice_equal(bytes, buffer_slice(&before)));
    struct fingerprint print = fingerprint_of(bytes);
    assert_memory_equal(print.bytes, reading.fingerprint.bytes, FINGERPRINT_BYTES);
    blob_release(&reading.bytes);
    buffer_free(&before);
    assert_clean(&rig);
    subject_free(&map);
}

static void large_reads_are_bounded_in_number(void **state)
{
    (void)state;
    struct subject map;
    struct reading reading;
    read_job_t *jobs[READ_JOBS_MAX], *more;
    struct slice none = {0};
    subject_init(&map, "map", "many readers", 0);
    fill(&map.contract, 1000, 1);
    for (size_t i = 0; i < READ_JOBS_MAX; i++) {
        assert_int_equal(
            store_read(rig.store, &map.contract.key, none, none, &reading, &jobs[i], &rig.why), 0);
        assert_non_null(jobs[i]);
    }
    assert_int_equal(
        store_read(rig.store, &map.contract.key, none, none, &reading, &more, &rig.why), ERR_BUSY);
    assert_null(more);
    for (size_t i = 0; i < READ_JOBS_MAX; i++)
        read_job_destroy(&jobs[i]);
    struct buffer bytes = rig_read(&rig, &map.contract, NULL, NULL);
    assert_true(bytes.size > 1000000);
    buffer_free(&bytes);
    subject_free(&map);
}

static void a_large_range_goes_on_where_it_was(void **state)
{
    (void)state;
    struct subject map;
    subject_init(&map, "map", "large range", 0);
    fill(&map.contract, 2500, 1);
    rig_fold(&rig);
    fill(&map.contract, 900, 2);
    struct buffer whole = rig_read(&rig, &map.contract, NULL, NULL);
    struct buffer range = rig_read(&rig, &map.contract, "000000", "zzz");
    assert_true(slice_equal(buffer_slice(&whole), buffer_slice(&range)));
    buffer_free(&whole);
    buffer_free(&range);
    subject_free(&map);
}

static void contracts_are_listed_in_key_order_from_all_layers(void **state)
{
    (void)state;
    enum { CONTRACTS = 60 };
    fold_t *fold = NULL;
    for (int i = 0; i < CONTRACTS; i++) {
        char name[16];
        struct subject map;
        (void)snprintf(name, sizeof name, "c%d", i % 50); /* some are touched again */
        subject_init(&map, "map", name, 0);
        rig_set(&rig, &map.contract, "a", (uint64_t)i + 1, "x");
        subject_free(&map);
        if (i == 20)
            rig_fold(&rig);
        if (i == 40)
            fold = freeze();
    }
    for (int round = 0; round < 2; round++) {
        const struct held *held;
        struct contract_key last;
        int count = 0, rc;
        while ((rc = store_next(rig.store, count ? &last : NULL, &held, &rig.why)) == 0) {
            if (count++)
                assert_true(memcmp(last.bytes, held->contract.key.bytes, 32) < 0);
            last = held->contract.key;
        }
        assert_int_equal(rc, ERR_NOT_FOUND);
        assert_int_equal(count, 50);
        if (round == 0)
            finish(fold);
    }
    struct store_stats stats;
    store_stats(rig.store, &stats);
    assert_int_equal(stats.contracts, 50);
    assert_int_equal(stats.entries, 50);
}

/* Folds too small to be worth a look each: what they and others left free would stay for good. */
static void one_of_many_small_folds_gives_memory_back(void **state)
{
    (void)state;
    struct subject map;
    unsigned trims = 0;
    subject_init(&map, "map", "small", 0);
    for (uint64_t i = 1; i <= 2 * TRIM_EVERY_FOLDS; i++) {
        struct fold_result result;
        rig_set(&rig, &map.contract, "a", i, "1");
        fold_t *fold = freeze();
        assert_int_equal(fold_run(fold, &result, &rig.why), 0);
        store_thaw(rig.store, fold, true, &result);
        trims += fold->trim_path != NULL;
        fold_destroy(&fold);
    }
    assert_int_equal(trims, 2);
    subject_free(&map);
}

static void an_unfinished_fold_is_lent_again(void **state)
{
    (void)state;
    struct subject map;
    subject_init(&map, "map", "again", 0);
    rig_set(&rig, &map.contract, "a", 1, "1");
    fold_t *fold = freeze();
    assert_false(store_foldable(rig.store));
    assert_null(store_freeze(rig.store));
    store_thaw(rig.store, fold, false, NULL);
    rig_set(&rig, &map.contract, "b", 1, "1");
    assert_map(&rig, &map.contract, "a=1 b=1 ");
    assert_ptr_equal(freeze(), fold);
    finish(fold);
    assert_map(&rig, &map.contract, "a=1 b=1 ");
    rig_fold(&rig);
    assert_int_equal(store_unfolded_bytes(rig.store), 0);
    assert_map(&rig, &map.contract, "a=1 b=1 ");
    subject_free(&map);
}

static void edits_see_the_state_as_it_is_now(void **state)
{
    (void)state;
    struct subject counter;
    subject_init(&counter, "counter", "n", 0);
    assert_int_equal(rig_merge(&rig, &counter.contract, slice_of(NULL, 0), NULL), 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(rig_edit(&rig, &counter.contract, "add", "5", NULL), 0);
        if (i % 7 == 3)
            rig_fold(&rig);
    }
    const struct held *held;
    assert_int_equal(store_find(rig.store, &counter.contract.key, &held, &rig.why), 0);
    assert_int_equal(held->summary.count, 1); /* one replica, one entry */
    assert_int_equal(rig_edit(&rig, &counter.contract, "fly", "5", NULL), ERR_BAD_KIND);
    assert_int_equal(rig_edit(&rig, &counter.contract, "add", "many", NULL), ERR_BAD_REQUEST);
    subject_free(&counter);
}

static void a_refused_delta_changes_nothing(void **state)
{
    (void)state;
    struct subject map;
    struct store_stats before, after;
    subject_init(&map, "map", "refused", 0);
    rig_set(&rig, &map.contract, "a", 1, "1");
    store_stats(rig.store, &before);
    struct buffer delta = map_delta("b", 1, slice_text("x"));
    entry_append(&delta, slice_text("a"), slice_text("short")); /* out of order, too short */
    assert_int_equal(rig_merge(&rig, &map.contract, buffer_slice(&delta), NULL), ERR_BAD_STATE);
    struct buffer large = {0};
    (void)buffer_grow(&large, LOG_RECORD_BYTES_MAX / 2 + 1);
    assert_int_equal(rig_merge(&rig, &map.contract, buffer_slice(&large), NULL), ERR_TOO_LARGE);
    store_stats(rig.store, &after);
    assert_memory_equal(&before, &after, sizeof before);
    assert_map(&rig, &map.contract, "a=1 ");
    buffer_free(&delta);
    buffer_free(&large);
    subject_free(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        CASE(a_new_contract_is_read_back),
        CASE(a_delta_that_brings_nothing_new_changes_nothing_and_names_the_record_to_wait_for),
        CASE(an_unknown_contract_is_not_found_and_not_made),
        CASE(an_empty_contract_is_kept_through_all_layers),
        CASE(upper_layers_hide_lower_ones),
        CASE(dropped_entries_stay_dropped_through_all_layers),
        CASE(ranges_end_where_they_are_told),
        CASE(a_range_waits_only_for_what_it_shows),
        CASE(a_large_read_shows_the_state_of_its_beginning),
        CASE(large_reads_are_bounded_in_number),
        CASE(a_large_range_goes_on_where_it_was),
        CASE(contracts_are_listed_in_key_order_from_all_layers),
        CASE(one_of_many_small_folds_gives_memory_back),
        CASE(an_unfinished_fold_is_lent_again),
        CASE(edits_see_the_state_as_it_is_now),
        CASE(a_refused_delta_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
