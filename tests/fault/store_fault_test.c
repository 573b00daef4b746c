/* What log_append called durable survives: the n-th call of the system that fails, for every n, and
 * power that goes while any of the unsynced sectors may or may not have reached the disk. */
#include "tests/fault/faults.h"
#include "tests/fault/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- tests ------------------------------------------------------------------------------- */

/* One run in which the n-th call fails. Returns the calls made. */
static unsigned run_with_fault(unsigned n, enum fault mode)
{
    struct work self;
    faults_plan(n, mode);
    int rc = work_begin(&self);
    if (rc == 0)
        work_run(&self, WORK_ROUNDS);
    unsigned calls = faults_end();
    assert_true(rc == 0 || rc == ERR_IO || rc == ERR_STORE_FULL || rc == ERR_DAMAGED);
    if (rc == 0) {
        while (self.rig.waiting_count)
            blob_release(&self.rig.waiting[--self.rig.waiting_count]);
        rig_reopen(&self.rig);
        work_assert_durable(&self, &self.rig);
        assert_clean(&self.rig);
        rig_set(&self.rig, &self.maps[0].contract, "f0", 1000, "goes on");
    }
    work_end(&self);
    return calls;
}

static void run_mode(enum fault mode)
{
    unsigned calls = run_with_fault(0, mode);
    print_message("%u calls, %s\n", calls, fault_names[mode]);
    assert_true(calls > 2 * WORK_ROUNDS);
    for (unsigned n = 1; n <= calls; n++)
        (void)run_with_fault(n, mode);
}

static void nothing_acknowledged_is_lost_when_a_call_fails(void **state)
{
    (void)state;
    run_mode(FAIL_EIO);
}

static void nothing_acknowledged_is_lost_when_the_disk_is_full_for_a_moment(void **state)
{
    (void)state;
    run_mode(FAIL_ENOSPC);
}

static void nothing_acknowledged_is_lost_when_the_disk_stays_full(void **state)
{
    (void)state;
    run_mode(FAIL_FULL);
}

static void nothing_acknowledged_is_lost_when_a_call_is_interrupted(void **state)
{
    (void)state;
    run_mode(FAIL_EINTR);
}

static void nothing_acknowledged_is_lost_when_a_write_is_short(void **state)
{
    (void)state;
    run_mode(FAIL_SHORT);
}

static void a_failed_sync_is_final(void **state)
{
    (void)state;
    struct work self;
    assert_int_equal(work_begin(&self), 0);
    work_merge(&self, 0, 0, 1);
    faults_plan(2, FAIL_EIO);
    work_flush(&self);
    (void)faults_end();
    assert_true(self.dead);
    assert_int_equal(self.durable[0][0], 0);
    assert_int_equal(
        log_append(store_log(self.rig.store), self.rig.waiting, 1, true, NULL, &self.rig.why),
        ERR_IO);
    assert_false(log_prepare(store_log(self.rig.store)));
    work_end(&self);
}

static void an_interrupted_write_is_carried_on(void **state)
{
    (void)state;
    struct work self;
    assert_int_equal(work_begin(&self), 0);
    for (unsigned n = 1; n <= 2; n++) { /* the write, and the sync */
        work_merge(&self, 0, 0, n);
        faults_plan(n, FAIL_EINTR);
        work_flush(&self);
        (void)faults_end();
        assert_false(self.dead);
        assert_int_equal(self.rig.waiting_count, 0);
    }
    work_end(&self);
}

/* --- a full disk ------------------------------------------------------------------------- */

static void a_node_starts_on_a_full_disk_and_goes_on_when_there_is_room(void **state)
{
    (void)state;
    struct work self;
    assert_int_equal(work_begin(&self), 0);
    work_run(&self, WORK_ROUNDS);
    store_close(&self.rig.store);
    faults_plan(1, FAIL_FULL);
    assert_int_equal(store_open(&self.rig.options, &self.rig.store, &self.rig.why), 0);
    work_assert_durable(&self, &self.rig);
    work_merge(&self, 0, 0, 100);
    work_flush(&self);
    assert_int_equal(self.rig.waiting_count, 1); /* ERR_STORE_FULL: not acknowledged */
    assert_false(self.dead);
    (void)faults_end();
    work_flush(&self);
    assert_int_equal(self.rig.waiting_count, 0);
    assert_int_equal(self.durable[0][0], 100);
    rig_reopen(&self.rig);
    work_assert_durable(&self, &self.rig);
    assert_clean(&self.rig);
    work_end(&self);
}

static void changes_are_refused_before_the_disk_is_full_and_taken_again_after(void **state)
{
    (void)state;
    struct work self;
    assert_int_equal(work_begin(&self), 0);
    work_run(&self, WORK_ROUNDS);
    rig_reopen(&self.rig); /* the free space is asked for again */
    const struct contract *map = &self.maps[0].contract;
    struct buffer delta = map_delta("new", 1, slice_text("x"));
    faults_disk(DISK_RESERVE_BYTES);
    assert_int_equal(rig_merge(&self.rig, map, buffer_slice(&delta), NULL), ERR_STORE_FULL);
    assert_non_null(strstr(self.rig.why.text, self.rig.dir));
    work_assert_durable(&self, &self.rig);
    faults_disk(UINT64_MAX);
    assert_int_equal(rig_merge(&self.rig, map, buffer_slice(&delta), NULL), 0);
    faults_disk(DISK_RESERVE_BYTES);
    struct store_change change; /* a duplicate needs no room */
    assert_int_equal(rig_merge(&self.rig, map, buffer_slice(&delta), &change), 0);
    assert_int_equal(change.changed, 0);
    faults_disk(UINT64_MAX);
    buffer_free(&delta);
    work_end(&self);
}

/* --- power ------------------------------------------------------------------------------- */

/* A node works until a call fails, or to the end, and power goes. */
static void run_with_power_loss(unsigned n)
{
    struct work self;
    struct rig left;
    char copy[64];
    assert_int_equal(work_begin(&self), 0);
    power_watch();
    faults_plan(n, FAIL_EIO);
    work_run(&self, WORK_ROUNDS);
    (void)faults_end();
    rig_copy(&self.rig, copy);
    power_lose(self.rig.dir, copy);
    struct check_report report;
    assert_int_equal(store_check_dir(copy, NULL, NULL, &report, &self.rig.why), 0);
    assert_int_equal(report.damaged, 0);
    rig_adopt(&left, &self.rig, copy);
    struct store_stats stats;
    store_stats(left.store, &stats);
    assert_int_equal(stats.damaged, 0);
    work_assert_durable(&self, &left);
    assert_clean(&left);
    rig_close(&left, true);
    work_end(&self);
}

static void nothing_acknowledged_is_lost_when_power_goes(void **state)
{
    (void)state;
    (void)seed_random();
    for (unsigned i = 0; i < 60; i++)
        run_with_power_loss(1 + (unsigned)random_below(60));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_when_a_call_fails),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_the_disk_is_full_for_a_moment),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_the_disk_stays_full),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_a_call_is_interrupted),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_a_write_is_short),
        cmocka_unit_test(a_failed_sync_is_final),
        cmocka_unit_test(an_interrupted_write_is_carried_on),
        cmocka_unit_test(a_node_starts_on_a_full_disk_and_goes_on_when_there_is_room),
        cmocka_unit_test(changes_are_refused_before_the_disk_is_full_and_taken_again_after),
        cmocka_unit_test(nothing_acknowledged_is_lost_when_power_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
