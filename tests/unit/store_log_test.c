/* What was acknowledged is there after a start, whatever the end of the log looks like. */
#include "store/segment.h"
#include "tests/unit/store_fixture.h"

#include "store/record.h"

#include <stdio.h>
#include <stdlib.h>

#define FIRST_SEGMENT "log/0000000000000001.log"

static struct rig rig;
static struct subject map;

static int setup(void **state)
{
    (void)state;
    rig_open(&rig);
    subject_init(&map, "map", "logged", 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig, true);
    subject_free(&map);
    return 0;
}

static void set_number(const char *field, unsigned number)
{
    char data[16];
    (void)snprintf(data, sizeof data, "%u", number);
    rig_set(&rig, &map.contract, field, number + 1, data);
}

static struct store_stats stats_now(void)
{
    struct store_stats stats;
    store_stats(rig.store, &stats);
    return stats;
}

/* Merges one change of about that many bytes. */
static void merge_bytes(const char *field, uint64_t stamp, size_t bytes)
{
    uint8_t *data = (uint8_t *)malloc(bytes);
    assert_non_null(data);
    memset(data, (int)stamp, bytes);
    struct buffer delta = map_delta(field, stamp, slice_of(data, bytes));
    assert_int_equal(rig_merge(&rig, &map.contract, buffer_slice(&delta), NULL), 0);
    buffer_free(&delta);
    free(data);
}

static void what_was_flushed_is_there_after_a_start(void **state)
{
    (void)state;
    set_number("a", 1);
    set_number("b", 2);
    rig_fold(&rig);
    set_number("b", 3);
    set_number("c", 4);
    rig_reopen(&rig);
    assert_int_equal(stats_now().replayed, 2);
    assert_int_equal(stats_now().damaged, 0);
    assert_map(&rig, &map.contract, "a=1 b=3 c=4 ");
    set_number("d", 5);
    rig_reopen(&rig);
    assert_map(&rig, &map.contract, "a=1 b=3 c=4 d=5 ");
    assert_clean(&rig);
}

static void what_was_replayed_need_not_be_waited_for(void **state)
{
    (void)state;
    const struct held *held;
    set_number("a", 1);
    rig_reopen(&rig);
    assert_int_equal(store_find(rig.store, &map.contract.key, &held, &rig.why), 0);
    assert_int_equal(held->seq, 0);
    set_number("a", 2);
    assert_int_equal(store_find(rig.store, &map.contract.key, &held, &rig.why), 0);
    assert_int_equal(held->seq, 2);
}

/* Where the flush of six records begins that `two_flushes` made last. */
static size_t last_flush_at(const struct buffer *segment)
{
    size_t last = 0;
    for (size_t at = LOG_ALIGN; at + 4 < segment->size; at += LOG_ALIGN)
        if (get_u32(segment->data + at) == RECORD_MAGIC)
            last = at;
    return last;
}

/* Five records flushed one by one, then six in one flush. Returns the segment's bytes. */
static struct buffer two_flushes(void)
{
    for (unsigned i = 0; i < 5; i++)
        set_number((const char[]){(char)('a' + i), 0}, i);
    rig.unflushed = true;
    for (unsigned i = 5; i < 11; i++)
        set_number((const char[]){(char)('a' + i), 0}, i);
    rig_flush(&rig);
    rig.unflushed = false;
    return file_read(rig.dir, FIRST_SEGMENT);
}

/* Starts on a segment that was torn at that place; whatever a crash leaves is no damage, and what
 * was flushed before it is there. Then it goes on, and no later start finds damage either. */
static void check_torn(const struct buffer *whole, size_t from, size_t bytes)
{
    struct buffer torn = {0};
    store_close(&rig.store);
    buffer_append_slice(&torn, buffer_slice(whole));
    memset(torn.data + from, 0xa5, bytes);
    file_write(rig.dir, FIRST_SEGMENT, buffer_slice(&torn));
    buffer_free(&torn);
    assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
    assert_int_equal(stats_now().damaged, 0);
    assert_clean(&rig);
    struct buffer state = rig_read(&rig, &map.contract, NULL, NULL);
    assert_int_equal(strncmp(shown_map(buffer_slice(&state)), "a=0 b=1 c=2 d=3 e=4 ", 20), 0);
    buffer_free(&state);
}

static void a_torn_end_is_no_damage_at_any_record_boundary_or_inside(void **state)
{
    (void)state;
    struct buffer whole = two_flushes();
    size_t at = last_flush_at(&whole);
    while (get_u32(whole.data + at) == RECORD_MAGIC) {
        size_t size = get_u32(whole.data + at + 4);
        check_torn(&whole, at, whole.size - at); /* cut at the boundary */
        check_torn(&whole, at + size / 2, whole.size - at - size / 2);
        check_torn(&whole, at, 1); /* one byte of each part */
        check_torn(&whole, at + RECORD_SEQ_AT, 1);
        check_torn(&whole, at + size - 1, 1);
        at += size;
    }
    buffer_free(&whole);
}

static void a_segment_cut_short_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    struct buffer whole = two_flushes();
    size_t at = last_flush_at(&whole);
    store_close(&rig.store);
    file_write(rig.dir, FIRST_SEGMENT, slice_of(whole.data, at + 10));
    assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
    assert_map(&rig, &map.contract, "a=0 b=1 c=2 d=3 e=4 ");
    set_number("z", 9);
    rig_reopen(&rig);
    assert_map(&rig, &map.contract, "a=0 b=1 c=2 d=3 e=4 z=9 ");
    assert_clean(&rig);
    buffer_free(&whole);
}

/* The gap that a torn end leaves is not taken for damage when later records come. */
static void a_torn_end_stays_no_damage_when_the_node_goes_on(void **state)
{
    (void)state;
    struct buffer whole = two_flushes();
    check_torn(&whole, last_flush_at(&whole) + 20, 1);
    for (unsigned i = 20; i < 30; i++)
        set_number("z", i);
    rig_reopen(&rig);
    assert_int_equal(stats_now().damaged, 0);
    assert_clean(&rig);
    set_number("z", 31);
    rig_reopen(&rig);
    assert_int_equal(stats_now().damaged, 0);
    struct buffer state_now = rig_read(&rig, &map.contract, "z", "z");
    assert_string_equal(shown_map(buffer_slice(&state_now)), "z=31 ");
    buffer_free(&state_now);
    buffer_free(&whole);
}

static void damage_in_the_middle_is_counted_and_the_rest_is_merged(void **state)
{
    (void)state;
    struct check_report report;
    struct buffer whole = two_flushes();
    store_close(&rig.store);
    whole.data[2 * LOG_ALIGN + 60] ^= 1; /* the second record */
    file_write(rig.dir, FIRST_SEGMENT, buffer_slice(&whole));
    assert_int_equal(store_check_dir(rig.dir, NULL, NULL, &report, &rig.why), 0);
    assert_int_equal(report.damaged, 1);
    assert_int_equal(report.records, 10);
    assert_non_null(strstr(report.first.text, "log"));
    assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
    assert_int_equal(stats_now().damaged, 1);
    assert_map(&rig, &map.contract, "a=0 c=2 d=3 e=4 f=5 g=6 h=7 i=8 j=9 k=10 ");
    buffer_free(&whole);
}

/* What a start and a check make of the segment with so many bytes changed. */
static void check_one_lost(const struct buffer *whole, size_t at, size_t bytes, uint8_t flip,
                           bool named)
{
    struct check_report report;
    struct buffer broken = {0};
    store_close(&rig.store);
    buffer_append_slice(&broken, buffer_slice(whole));
    for (size_t i = 0; i < bytes; i++)
        broken.data[at + i] = flip ? broken.data[at + i] ^ flip : 0;
    file_write(rig.dir, FIRST_SEGMENT, buffer_slice(&broken));
    buffer_free(&broken);
    assert_int_equal(store_check_dir(rig.dir, NULL, NULL, &report, &rig.why), 0);
    assert_int_equal(report.damaged, 1);
    assert_int_equal(report.records, 11);
    assert_int_equal(report.named_count, named);
    if (named)
        assert_memory_equal(&report.named[0], &map.contract.key, sizeof map.contract.key);
    assert_non_null(strstr(report.first.text, named ? "one of them of " : "cannot be told"));
    assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
    assert_int_equal(stats_now().damaged, 1);
    assert_int_equal(store_is_damaged(rig.store, &map.contract.key), named);
}

/* Of those in one flush: also where its size or its magic is gone, those behind it are found. */
static void damage_to_a_record_loses_no_other_and_is_named_where_its_key_is_left(void **state)
{
    (void)state;
    struct buffer before = two_flushes();
    set_number("z", 1); /* a flush that knows of all before */
    struct buffer whole = file_read(rig.dir, FIRST_SEGMENT);
    size_t at = last_flush_at(&before);
    for (; get_u32(before.data + at) == RECORD_MAGIC; at += get_u32(before.data + at + 4)) {
        check_one_lost(&whole, at, 1, 0x20, true);                      /* the magic */
        check_one_lost(&whole, at + 4, 1, 0x40, true);                  /* its size: too large, */
        check_one_lost(&whole, at + 7, 1, 0x08, true);                  /* a little other, */
        check_one_lost(&whole, at + 4, 4, 0, true);                     /* none */
        check_one_lost(&whole, at + RECORD_CHECKSUM_AT, 8, 0x11, true); /* what is behind */
        check_one_lost(&whole, at + RECORD_KEY_AT, 1, 1, false);        /* whose it is */
        check_one_lost(&whole, at, RECORD_LEAST_BYTES, 0, false);       /* all that tells */
    }
    buffer_free(&before);
    buffer_free(&whole);
}

/* A large value that is full of what looks like a record, a small record behind it in the same
 * flush, and the large one's size is broken. Is the small one found? */
static bool is_found_behind(size_t fakes)
{
    struct store_stats stats;
    uint8_t value[8192] = {0};
    store_stats(rig.store, &stats);
    for (size_t i = 0; i < fakes; i++) {
        put_u32(value + i * RECORD_LEAST_BYTES, RECORD_MAGIC);
        put_u32(value + i * RECORD_LEAST_BYTES + 4, LOG_RECORD_BYTES_MAX);
        put_u64(value + i * RECORD_LEAST_BYTES + RECORD_SEQ_AT, stats.last_seq + 2);
    }
    struct buffer delta = map_delta("large", stats.last_seq, slice_of(value, sizeof value));
    rig.unflushed = true;
    assert_int_equal(rig_merge(&rig, &map.contract, buffer_slice(&delta), NULL), 0);
    set_number("behind", (unsigned)fakes);
    rig_flush(&rig);
    rig.unflushed = false;
    set_number("z", (unsigned)fakes);
    struct buffer whole = file_read(rig.dir, FIRST_SEGMENT);
    size_t flush = LOG_ALIGN;
    while (get_u64(whole.data + flush + RECORD_SEQ_AT) != stats.last_seq + 1)
        flush += LOG_ALIGN;
    whole.data[flush + 4] ^= 0x40;
    store_close(&rig.store);
    file_write(rig.dir, FIRST_SEGMENT, buffer_slice(&whole));
    assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
    assert_in_range(stats_now().damaged, 1, 2);
    buffer_free(&whole);
    buffer_free(&delta);
    return stats_now().damaged == 1;
}

static void what_looks_like_many_records_does_not_hold_up_a_start(void **state)
{
    (void)state;
    size_t fakes = LOG_SEARCH_BYTES_MAX / LOG_RECORD_BYTES_MAX;
    set_number("a", 0);
    assert_true(is_found_behind(fakes - 1));
    rig_close(&rig, true);
    rig_open(&rig);
    set_number("a", 0);
    assert_false(is_found_behind(fakes + 1));
}

static void damage_to_the_record_that_made_a_contract_loses_only_that_record(void **state)
{
    (void)state;
    struct buffer whole = two_flushes();
    store_close(&rig.store);
    whole.data[LOG_ALIGN + 60] ^= 1;
    file_write(rig.dir, FIRST_SEGMENT, buffer_slice(&whole));
    assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
    assert_int_equal(stats_now().damaged, 1);
    assert_map(&rig, &map.contract, "b=1 c=2 d=3 e=4 f=5 g=6 h=7 i=8 j=9 k=10 ");
    buffer_free(&whole);
}

static void a_broken_first_page_loses_no_record_and_is_counted(void **state)
{
    (void)state;
    struct buffer whole = two_flushes();
    store_close(&rig.store);
    whole.data[20] ^= 1;
    file_write(rig.dir, FIRST_SEGMENT, buffer_slice(&whole));
    assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
    assert_int_equal(stats_now().damaged, 1);
    assert_map(&rig, &map.contract, "a=0 b=1 c=2 d=3 e=4 f=5 g=6 h=7 i=8 j=9 k=10 ");
    buffer_free(&whole);
}

/* A value that looks like a record must not become one when the end is looked for: whoever stores
 * it does not know the salt. */
static void bytes_of_a_client_are_never_taken_for_a_record(void **state)
{
    (void)state;
    struct buffer whole = two_flushes(), delta = map_delta("forged", 99, slice_text("x"));
    size_t at = last_flush_at(&whole) + LOG_ALIGN;
    const uint64_t salts[] = {0, rig.store->db->salt}; /* the second shows that the place counts */
    for (int i = 0; i < 2; i++) {
        struct blob *record;
        struct slice inside;
        assert_int_equal(record_new(&map.contract, true, 5000, 0, salts[i], buffer_slice(&delta),
                                    &record, &inside),
                         0);
        store_close(&rig.store);
        memcpy(whole.data + at, record->data, record->size);
        file_write(rig.dir, FIRST_SEGMENT, buffer_slice(&whole));
        blob_release(&record);
        assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
        assert_int_equal(stats_now().replayed, 11 + i);
    }
    buffer_free(&whole);
    buffer_free(&delta);
}

static void recycled_segments_show_nothing_of_their_former_use(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < 12; i++) /* more than one segment */
            merge_bytes("large", 100 * round + i + 1, 1 << 20 >> 1);
        for (unsigned i = 0; i < 24; i++)
            merge_bytes("other", 100 * round + i + 1, 1 << 20 >> 1);
        rig_fold(&rig);
    }
    set_number("a", 1);
    set_number("b", 2);
    rig_reopen(&rig);
    assert_int_equal(stats_now().replayed, 2);
    assert_int_equal(stats_now().damaged, 0);
    assert_true(stats_now().log_segments <= 4);
    assert_clean(&rig);
}

static void short_runs_do_not_fill_the_log(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * LOG_SEGMENTS_MAX; i++) {
        set_number("a", i);
        rig_reopen(&rig);
        assert_true(stats_now().log_segments <= LOG_SEGMENTS_MAX);
    }
    assert_clean(&rig);
    assert_map(&rig, &map.contract, "a=35 ");
}

static void a_batch_of_many_small_records_is_one_flush(void **state)
{
    (void)state;
    rig.unflushed = true;
    for (unsigned i = 0; i < LOG_BATCH_RECORDS_MAX; i++)
        set_number("a", i); /* the last one flushes */
    assert_int_equal(rig.waiting_count, 0);
    rig.unflushed = false;
    rig_reopen(&rig);
    assert_int_equal(stats_now().replayed, LOG_BATCH_RECORDS_MAX);
    assert_map(&rig, &map.contract, "a=4095 ");
}

static void a_batch_larger_than_a_segment_goes_into_several(void **state)
{
    (void)state;
    rig.unflushed = true;
    for (unsigned i = 0; i < 30; i++)
        merge_bytes((const char[]){(char)('a' + i), 0}, 1, (1 << 20) - 100);
    rig.unflushed = false;
    rig_flush(&rig);
    assert_true(stats_now().log_segments >= 2);
    rig_reopen(&rig);
    assert_int_equal(stats_now().replayed, 30);
    assert_int_equal(stats_now().damaged, 0);
    assert_clean(&rig);
}

static void work_waits_when_much_is_unfolded_and_goes_on_after_the_fold(void **state)
{
    (void)state;
    struct store_change change;
    uint64_t stamp = 1;
    while (store_unfolded_bytes(rig.store) < UNFOLDED_BYTES_MAX)
        merge_bytes("a", stamp++, 1 << 20 >> 1);
    struct buffer delta = map_delta("b", 1, slice_text("x"));
    assert_int_equal(
        store_merge(rig.store, &map.contract, true, buffer_slice(&delta), &change, &rig.why),
        ERR_AGAIN);
    assert_true(store_foldable(rig.store));
    rig_fold(&rig);
    assert_int_equal(rig_merge(&rig, &map.contract, buffer_slice(&delta), &change), 0);
    assert_int_equal(change.changed, 1);
    buffer_free(&delta);
}

static void the_log_refuses_what_does_not_fit_and_stays_whole(void **state)
{
    (void)state;
    struct buffer delta = {0};
    struct slice inside;
    struct blob *record;
    uint64_t seq = 1;
    int rc;
    set_number("a", 1);
    (void)buffer_grow(&delta, LOG_RECORD_BYTES_MAX - 4096);
    assert_int_equal(
        record_new(&map.contract, false, 7, 0, 1, buffer_slice(&delta), &record, &inside), 0);
    while ((rc = log_append(store_log(rig.store), &record, 1, false, NULL, &rig.why)) == 0)
        assert_true(seq++ < 100);
    assert_int_equal(rc, ERR_STORE_FULL);
    log_recycle(store_log(rig.store), 7);
    assert_int_equal(log_append(store_log(rig.store), &record, 1, true, NULL, &rig.why), 0);
    assert_true(stats_now().log_segments <= LOG_SEGMENTS_MAX);
    blob_release(&record);
    buffer_free(&delta);
}

/* Each flush fills a segment to its end. That no spare could be made is over when the fold has
 * freed one, though nothing was made then. */
static void a_log_that_was_full_is_not_when_a_segment_is_free_again(void **state)
{
    (void)state;
    struct rig like = rig, small;
    struct buffer delta = map_delta("a", 1, slice_text("x"));
    struct slice inside;
    struct blob *record;
    char dir[64];
    like.options.log_segment_bytes = 2 * LOG_ALIGN;
    temporary_name(dir);
    rig_adopt(&small, &like, dir);
    log_t *log = store_log(small.store);
    assert_int_equal(
        record_new(&map.contract, false, 7, 0, 1, buffer_slice(&delta), &record, &inside), 0);
    for (unsigned i = 0; i < LOG_SEGMENTS_MAX; i++)
        assert_int_equal(log_append(log, &record, 1, true, NULL, &rig.why), 0);
    assert_false(log_is_full(log));
    assert_false(log_prepare(log));
    assert_true(log_is_full(log));
    log_recycle(log, 7);
    while (log_prepare(log)) {
    }
    assert_false(log_is_full(log));
    assert_int_equal(log_append(log, &record, 1, true, NULL, &rig.why), 0);
    blob_release(&record);
    buffer_free(&delta);
    rig_close(&small, true);
}

/* A piece a call, so that an update which comes meanwhile waits for a piece at most: the segment in
 * use is written through, and a spare is made. */
static void preparing_makes_one_spare_in_pieces_and_then_has_nothing_to_do(void **state)
{
    (void)state;
    const unsigned pieces = LOG_SEGMENT_BYTES / SEGMENT_FILL_BYTES;
    unsigned made = 0;
    set_number("a", 1);
    while (log_prepare(store_log(rig.store)))
        assert_true(++made <= 2 * pieces);
    assert_int_equal(made, 2 * pieces);
    assert_int_equal(stats_now().log_segments, 2);
    set_number("b", 2);
    assert_false(log_prepare(store_log(rig.store)));
    rig_reopen(&rig);
    assert_map(&rig, &map.contract, "a=1 b=2 ");
}

static void relaxed_flushes_are_synced_by_the_next_full_one(void **state)
{
    (void)state;
    struct store_change change;
    struct buffer delta = map_delta("a", 1, slice_text("x"));
    assert_int_equal(
        store_merge(rig.store, &map.contract, true, buffer_slice(&delta), &change, &rig.why), 0);
    assert_int_equal(log_append(store_log(rig.store), &change.record, 1, false, NULL, &rig.why), 0);
    assert_int_equal(log_synced(store_log(rig.store)), 0);
    blob_release(&change.record);
    set_number("b", 2);
    assert_int_equal(log_synced(store_log(rig.store)), 2);
    rig_reopen(&rig);
    assert_map(&rig, &map.contract, "a=x b=2 ");
    buffer_free(&delta);
}

static void a_fold_may_overtake_the_flush(void **state)
{
    (void)state;
    rig.unflushed = true;
    set_number("a", 1);
    fold_t *fold = store_freeze(rig.store);
    struct fold_result result;
    assert_int_equal(fold_run(fold, &result, &rig.why), 0);
    store_thaw(rig.store, fold, true, &result);
    fold_destroy(&fold);
    char copy[64]; /* the node dies before the record is in the log */
    struct rig other;
    rig_copy(&rig, copy);
    rig_adopt(&other, &rig, copy);
    assert_map(&other, &map.contract, "a=1 ");
    rig_set(&other, &map.contract, "b", 2, "2");
    rig_reopen(&other);
    assert_clean(&other);
    assert_map(&other, &map.contract, "a=1 b=2 ");
    struct store_stats stats;
    store_stats(other.store, &stats);
    assert_int_equal(stats.damaged, 0);
    rig_close(&other, true);
    rig.unflushed = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        CASE(what_was_flushed_is_there_after_a_start),
        CASE(what_was_replayed_need_not_be_waited_for),
        CASE(a_torn_end_is_no_damage_at_any_record_boundary_or_inside),
        CASE(a_segment_cut_short_is_read_as_far_as_it_goes),
        CASE(a_torn_end_stays_no_damage_when_the_node_goes_on),
        CASE(damage_in_the_middle_is_counted_and_the_rest_is_merged),
        CASE(damage_to_a_record_loses_no_other_and_is_named_where_its_key_is_left),
        CASE(what_looks_like_many_records_does_not_hold_up_a_start),
        CASE(damage_to_the_record_that_made_a_contract_loses_only_that_record),
        CASE(a_broken_first_page_loses_no_record_and_is_counted),
        CASE(bytes_of_a_client_are_never_taken_for_a_record),
        CASE(recycled_segments_show_nothing_of_their_former_use),
        CASE(short_runs_do_not_fill_the_log),
        CASE(a_batch_of_many_small_records_is_one_flush),
        CASE(a_batch_larger_than_a_segment_goes_into_several),
        CASE(work_waits_when_much_is_unfolded_and_goes_on_after_the_fold),
        CASE(the_log_refuses_what_does_not_fit_and_stays_whole),
        CASE(a_log_that_was_full_is_not_when_a_segment_is_free_again),
        CASE(preparing_makes_one_spare_in_pieces_and_then_has_nothing_to_do),
        CASE(relaxed_flushes_are_synced_by_the_next_full_one),
        CASE(a_fold_may_overtake_the_flush),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
