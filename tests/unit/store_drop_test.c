/* Contracts that go: at once for who reads, in the log's order, and from LMDB with the fold. */
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { MANY = 10000 }; /* entries: more than one transaction of a fold */

static struct rig rig;
static struct subject map, other;

static int set_up(void **state)
{
    (void)state;
    rig_open(&rig);
    subject_init(&map, "map", "m", 0);
    subject_init(&other, "map", "other", 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    subject_free(&map);
    subject_free(&other);
    rig_close(&rig, true);
    return 0;
}

static struct store_stats stats_now(void)
{
    struct store_stats stats;
    store_stats(rig.store, &stats);
    return stats;
}

static void drop(void)
{
    assert_int_equal(rig_drop(&rig, &map.contract), 0);
}

static size_t listed(void)
{
    const struct held *held;
    struct contract_key key;
    size_t count = 0;
    while (store_next(rig.store, count ? &key : NULL, &held, &rig.why) == 0) {
        key = held->contract.key;
        count++;
    }
    return count;
}

/* Nothing of it is left for any reader; the other contract is as it was. */
static void assert_gone(void)
{
    const struct held *held;
    struct reading reading;
    read_job_t *job;
    struct entry entry;
    struct slice none = {NULL, 0};
    assert_int_equal(store_find(rig.store, &map.contract.key, &held, &rig.why), ERR_NOT_FOUND);
    assert_int_equal(store_read(rig.store, &map.contract.key, none, none, &reading, &job, &rig.why),
                     ERR_NOT_FOUND);
    struct state_reader state = store_reader(rig.store, &map.contract.key);
    assert_int_equal(state.seek(state.self, slice_of("", 0), false, &entry), ERR_NOT_FOUND);
    assert_map(&rig, &other.contract, "o=1 ");
    assert_int_equal(listed(), 1);
    assert_int_equal(stats_now().contracts, 1);
    assert_int_equal(stats_now().entries, 1);
    assert_int_equal(stats_now().damaged, 0);
}

static void put_both(void)
{
    rig_set(&rig, &map.contract, "a", 1, "1");
    rig_set(&rig, &map.contract, "b", 1, "2");
    rig_set(&rig, &other.contract, "o", 1, "1");
}

static void what_is_not_here_cannot_be_dropped(void **state)
{
    (void)state;
    assert_int_equal(rig_drop(&rig, &map.contract), ERR_NOT_FOUND);
    put_both();
    drop();
    assert_int_equal(rig_drop(&rig, &map.contract), ERR_NOT_FOUND);
}

static void a_drop_tells_what_it_did(void **state)
{
    (void)state;
    struct store_change change;
    const struct held *held;
    put_both();
    assert_int_equal(store_find(rig.store, &map.contract.key, &held, &rig.why), 0);
    struct fingerprint before = held->fingerprint;
    assert_int_equal(store_drop(rig.store, &map.contract.key, &change, &rig.why), 0);
    assert_memory_equal(change.before.bytes, before.bytes, FINGERPRINT_BYTES);
    assert_int_equal(change.seq, 4);
    assert_int_equal(change.changed, 0);
    assert_non_null(change.record);
    blob_release(&change.record);
}

/* Each row: is it folded before, is it folded after, and read again after a start? */
static void a_dropped_contract_is_gone_at_once_and_stays_so(void **state)
{
    (void)state;
    for (unsigned row = 0; row < 8; row++) {
        put_both();
        if (row & 1)
            rig_fold(&rig);
        if (row & 1)
            rig_set(&rig, &map.contract, "c", 1, "unfolded");
        drop();
        assert_gone();
        if (row & 2)
            rig_fold(&rig);
        assert_gone();
        if (row & 4)
            rig_reopen(&rig);
        assert_gone();
        assert_clean(&rig);
    }
}

static void put_again_it_has_nothing_of_before(void **state)
{
    (void)state;
    for (unsigned row = 0; row < 8; row++) {
        rig_set(&rig, &map.contract, "a", 1, "old");
        rig_set(&rig, &map.contract, "b", 9, "old");
        if (row & 1)
            rig_fold(&rig);
        drop();
        if (row & 2)
            rig_fold(&rig);
        rig_set(&rig, &map.contract, "b", 2, "new");
        assert_map(&rig, &map.contract, "b=new ");
        if (row & 4)
            rig_fold(&rig);
        assert_map(&rig, &map.contract, "b=new ");
        rig_set(&rig, &map.contract, "c", 2, "more");
        rig_reopen(&rig);
        assert_map(&rig, &map.contract, "b=new c=more ");
        rig_fold(&rig);
        assert_map(&rig, &map.contract, "b=new c=more ");
        assert_int_equal(stats_now().contracts, 1);
        assert_int_equal(stats_now().entries, 2);
        assert_clean(&rig);
        drop();
    }
}

static void a_drop_that_is_not_flushed_is_not_known_after_a_crash(void **state)
{
    (void)state;
    char copy[64];
    struct rig left;
    put_both();
    rig.unflushed = true;
    drop();
    rig_copy(&rig, copy);
    rig.unflushed = false;
    rig_adopt(&left, &rig, copy);
    assert_map(&left, &map.contract, "a=1 b=2 ");
    rig_close(&left, true);
}

static void a_drop_during_a_fold_hides_what_the_fold_writes(void **state)
{
    (void)state;
    struct fold_result result;
    for (unsigned row = 0; row < 4; row++) {
        put_both();
        fold_t *fold = store_freeze(rig.store);
        assert_non_null(fold);
        drop();
        assert_gone();
        if (row & 1) { /* made again while the fold is out */
            rig_set(&rig, &map.contract, "z", 1, "new");
            assert_map(&rig, &map.contract, "z=new ");
            drop();
        }
        bool done = !(row & 2);
        if (done)
            assert_int_equal(fold_run(fold, &result, &rig.why), 0);
        store_thaw(rig.store, fold, done, done ? &result : NULL);
        if (done)
            fold_destroy(&fold);
        assert_gone();
        rig_fold(&rig);
        rig_fold(&rig);
        assert_gone();
        assert_clean(&rig);
    }
}

/* The drop is in the frozen overlay, what comes behind it in the live one. */
static void made_again_while_its_drop_is_folded(void **state)
{
    (void)state;
    struct fold_result result;
    put_both();
    rig_fold(&rig);
    drop();
    fold_t *fold = store_freeze(rig.store);
    rig_set(&rig, &map.contract, "z", 1, "new");
    assert_map(&rig, &map.contract, "z=new ");
    assert_int_equal(fold_run(fold, &result, &rig.why), 0);
    assert_map(&rig, &map.contract, "z=new ");
    store_thaw(rig.store, fold, true, &result);
    fold_destroy(&fold);
    assert_map(&rig, &map.contract, "z=new ");
    rig_reopen(&rig);
    assert_map(&rig, &map.contract, "z=new ");
    rig_fold(&rig);
    assert_map(&rig, &map.contract, "z=new ");
    assert_int_equal(listed(), 2);
    assert_clean(&rig);
}

static void put_many(void)
{
    struct buffer delta = {0};
    for (unsigned i = 0; i < MANY; i++) {
        char field[16];
        (void)snprintf(field, sizeof field, "f%06u", i);
        map_entry(&delta, field, 1, slice_text("some data of this field"));
    }
    assert_int_equal(rig_merge(&rig, &map.contract, buffer_slice(&delta), NULL), 0);
    buffer_free(&delta);
}

static void a_large_contract_goes_in_several_transactions_and_frees_its_pages(void **state)
{
    (void)state;
    put_many();
    rig_set(&rig, &other.contract, "o", 1, "1");
    rig_fold(&rig);
    uint64_t used = stats_now().used_bytes;
    drop();
    rig_fold(&rig);
    assert_gone();
    assert_true(stats_now().used_bytes < used / 4);
    assert_clean(&rig);
}

/* A large read began before; it goes on with what it saw. */
static void a_read_that_goes_on_sees_the_state_before_the_drop(void **state)
{
    (void)state;
    struct slice none = {NULL, 0};
    struct reading reading;
    read_job_t *job;
    put_many();
    rig_fold(&rig);
    assert_int_equal(store_read(rig.store, &map.contract.key, none, none, &reading, &job, &rig.why),
                     0);
    assert_non_null(job);
    drop();
    rig_fold(&rig);
    int rc;
    while ((rc = read_step(job, &reading, &rig.why)) == ERR_AGAIN)
        ;
    assert_int_equal(rc, 0);
    read_job_destroy(&job);
    blob_release(&reading.bytes);
}

static void a_full_store_can_still_drop(void **state)
{
    (void)state;
    put_both();
    rig_flush(&rig);
    store_close(&rig.store);
    rig.options.store_bytes_max = 1;
    assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
    struct buffer delta = map_delta("c", 1, slice_text("x"));
    assert_int_equal(rig_merge(&rig, &map.contract, buffer_slice(&delta), NULL), ERR_STORE_FULL);
    buffer_free(&delta);
    drop();
    rig_fold(&rig);
    assert_gone();
}

static void a_backup_has_no_dropped_contract(void **state)
{
    (void)state;
    for (unsigned row = 0; row < 2; row++) {
        char copy[64];
        struct rig left;
        uint64_t bytes;
        put_both();
        rig_fold(&rig);
        rig_set(&rig, &map.contract, "c", 1, "3");
        drop();
        if (row)
            rig_set(&rig, &map.contract, "d", 1, "4");
        temporary_name(copy);
        assert_int_equal(db_backup(store_db(rig.store), copy, NULL, NULL, &bytes, &rig.why), 0);
        rig_adopt(&left, &rig, copy);
        const struct held *held;
        if (row)
            assert_map(&left, &map.contract, "d=4 ");
        else
            assert_int_equal(store_find(left.store, &map.contract.key, &held, NULL), ERR_NOT_FOUND);
        assert_clean(&left);
        rig_close(&left, true);
    }
}

/* Contracts that begin with one that is gone are not lost from the list. */
static void a_list_passes_over_what_is_gone(void **state)
{
    (void)state;
    struct subject all[40];
    for (unsigned i = 0; i < 40; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "n%u", i);
        subject_init(&all[i], "map", name, 0);
        rig_set(&rig, &all[i].contract, "a", 1, "x");
        if (i == 20)
            rig_fold(&rig);
    }
    for (unsigned i = 0; i < 40; i += 2)
        assert_int_equal(rig_drop(&rig, &all[i].contract), 0);
    assert_int_equal(listed(), 20);
    rig_fold(&rig);
    assert_int_equal(listed(), 20);
    for (unsigned i = 0; i < 40; i++)
        subject_free(&all[i]);
    assert_clean(&rig);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(what_is_not_here_cannot_be_dropped),
        CASE(a_drop_tells_what_it_did),
        CASE(a_dropped_contract_is_gone_at_once_and_stays_so),
        CASE(put_again_it_has_nothing_of_before),
        CASE(a_drop_that_is_not_flushed_is_not_known_after_a_crash),
        CASE(a_drop_during_a_fold_hides_what_the_fold_writes),
        CASE(made_again_while_its_drop_is_folded),
        CASE(a_large_contract_goes_in_several_transactions_and_frees_its_pages),
        CASE(a_read_that_goes_on_sees_the_state_before_the_drop),
        CASE(a_full_store_can_still_drop),
        CASE(a_backup_has_no_dropped_contract),
        CASE(a_list_passes_over_what_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
