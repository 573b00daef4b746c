/* What log_append called durable survives: the n-th call of the system that fails, for every n, and
 * power that goes while any of the unsynced sectors may or may not have reached the disk. */
#include "tests/fault/faults.h"
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- a node's work ----------------------------------------------------------------------- */

enum { MAPS = 3, FIELDS = 5, ROUNDS = 14 };

struct work {
    struct rig rig;
    struct subject maps[MAPS];
    uint64_t stamps[MAPS][FIELDS];  /* the newest that was merged … */
    uint64_t durable[MAPS][FIELDS]; /* … and that was acknowledged */
    bool dead;                      /* log_append failed for good */
};

/* Flushes what waits. A full disk is waited out by trying again later, as the journal does. */
static void flush(struct work *self)
{
    struct rig *rig = &self->rig;
    int rc =
        log_append(store_log(rig->store), rig->waiting, rig->waiting_count, true, NULL, &rig->why);
    assert_true(rc == 0 || rc == ERR_IO || rc == ERR_STORE_FULL);
    self->dead = self->dead || rc == ERR_IO;
    if (rc == 0)
        memcpy(self->durable, self->stamps, sizeof self->durable);
    while (rc == 0 && rig->waiting_count)
        blob_release(&rig->waiting[--rig->waiting_count]);
}

static void merge_one(struct work *self, unsigned map, unsigned field, uint64_t stamp)
{
    struct store_change change;
    struct rig *rig = &self->rig;
    uint8_t data[700] = {0};
    char name[8];
    (void)snprintf(name, sizeof name, "f%u", field);
    struct buffer delta = map_delta(name, stamp, slice_of(data, sizeof data));
    assert_int_equal(store_merge(rig->store, &self->maps[map].contract, true, buffer_slice(&delta),
                                 &change, &rig->why),
                     0);
    self->stamps[map][field] = stamp;
    rig->waiting[rig->waiting_count++] = change.record;
    buffer_free(&delta);
}

static void fold(struct work *self)
{
    struct rig *rig = &self->rig;
    struct fold_result result;
    fold_t *out = store_freeze(rig->store);
    if (!out)
        return;
    int rc = fold_run(out, &result, &rig->why);
    assert_true(rc == 0 || rc == ERR_IO || rc == ERR_STORE_FULL);
    store_thaw(rig->store, out, rc == 0, rc == 0 ? &result : NULL);
    if (rc == 0) {
        fold_destroy(&out);
        log_recycle(store_log(rig->store), result.seq);
    }
}

static void work(struct work *self, unsigned rounds)
{
    for (unsigned i = 0; i < rounds && !self->dead; i++) {
        merge_one(self, i % MAPS, i % FIELDS, i + 1);
        merge_one(self, (i + 1) % MAPS, i % FIELDS, i + 1);
        flush(self);
        if (i % 5 == 3)
            fold(self);
    }
}

/* Opens, with faults if there are any planned. */
static int begin(struct work *self)
{
    static const char *const names[MAPS] = {"x", "y", "z"};
    memset(self, 0, sizeof *self);
    temporary_name(self->rig.dir);
    self->rig.map_bytes = MAP_BYTES_FIRST;
    self->rig.options = (struct store_options){.data_dir = self->rig.dir,
                                               .store_bytes_max = UINT64_MAX,
                                               .state_bytes_max = STATE_BYTES_MAX};
    for (size_t i = 0; i < MAPS; i++)
        subject_init(&self->maps[i], "map", names[i], 0);
    return store_open(&self->rig.options, &self->rig.store, &self->rig.why);
}

static void end(struct work *self)
{
    rig_close(&self->rig, true);
    for (size_t i = 0; i < MAPS; i++)
        subject_free(&self->maps[i]);
}

/* Each field has at least the stamp that was acknowledged. */
static void assert_map_durable(struct work *self, struct rig *rig, unsigned map)
{
    uint64_t found[FIELDS] = {0}, newest = 0;
    for (unsigned i = 0; i < FIELDS; i++)
        newest = self->durable[map][i] > newest ? self->durable[map][i] : newest;
    if (newest == 0)
        return;
    struct buffer bytes = rig_read(rig, &self->maps[map].contract, NULL, NULL);
    struct entries walk = entries_of(buffer_slice(&bytes));
    struct entry entry;
    while (entries_next(&walk, &entry, NULL) > 0)
        found[entry.key.data[1] - '0'] = get_u64(entry.value.data);
    for (unsigned i = 0; i < FIELDS; i++)
        assert_true(found[i] >= self->durable[map][i]);
    buffer_free(&bytes);
}

static void assert_durable(struct work *self, struct rig *rig)
{
    for (unsigned i = 0; i < MAPS; i++)
        assert_map_durable(self, rig, i);
}

/* --- tests ------------------------------------------------------------------------------- */

/* One run in which the n-th call fails. Returns the calls made. */
static unsigned run_with_fault(unsigned n, enum fault mode)
{
    struct work self;
    faults_plan(n, mode);
    int rc = begin(&self);
    if (rc == 0)
        work(&self, ROUNDS);
    unsigned calls = faults_end();
    assert_true(rc == 0 || rc == ERR_IO || rc == ERR_STORE_FULL || rc == ERR_DAMAGED);
    if (rc == 0) {
        while (self.rig.waiting_count)
            blob_release(&self.rig.waiting[--self.rig.waiting_count]);
        rig_reopen(&self.rig);
        assert_durable(&self, &self.rig);
        assert_clean(&self.rig);
        rig_set(&self.rig, &self.maps[0].contract, "f0", 1000, "goes on");
    }
    end(&self);
    return calls;
}

static void run_mode(enum fault mode)
{
    unsigned calls = run_with_fault(0, mode);
    print_message("%u calls, %s\n", calls, fault_names[mode]);
    assert_true(calls > 2 * ROUNDS);
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
    assert_int_equal(begin(&self), 0);
    merge_one(&self, 0, 0, 1);
    faults_plan(2, FAIL_EIO);
    flush(&self);
    (void)faults_end();
    assert_true(self.dead);
    assert_int_equal(self.durable[0][0], 0);
    assert_int_equal(
        log_append(store_log(self.rig.store), self.rig.waiting, 1, true, NULL, &self.rig.why),
        ERR_IO);
    assert_false(log_prepare(store_log(self.rig.store)));
    end(&self);
}

static void an_interrupted_write_is_carried_on(void **state)
{
    (void)state;
    struct work self;
    assert_int_equal(begin(&self), 0);
    for (unsigned n = 1; n <= 2; n++) { /* the write, and the sync */
        merge_one(&self, 0, 0, n);
        faults_plan(n, FAIL_EINTR);
        flush(&self);
        (void)faults_end();
        assert_false(self.dead);
        assert_int_equal(self.rig.waiting_count, 0);
    }
    end(&self);
}

/* --- a full disk ------------------------------------------------------------------------- */

static void a_node_starts_on_a_full_disk_and_goes_on_when_there_is_room(void **state)
{
    (void)state;
    struct work self;
    assert_int_equal(begin(&self), 0);
    work(&self, ROUNDS);
    store_close(&self.rig.store);
    faults_plan(1, FAIL_FULL);
    assert_int_equal(store_open(&self.rig.options, &self.rig.store, &self.rig.why), 0);
    assert_durable(&self, &self.rig);
    merge_one(&self, 0, 0, 100);
    flush(&self);
    assert_int_equal(self.rig.waiting_count, 1); /* ERR_STORE_FULL: not acknowledged */
    assert_false(self.dead);
    (void)faults_end();
    flush(&self);
    assert_int_equal(self.rig.waiting_count, 0);
    assert_int_equal(self.durable[0][0], 100);
    rig_reopen(&self.rig);
    assert_durable(&self, &self.rig);
    assert_clean(&self.rig);
    end(&self);
}

static void changes_are_refused_before_the_disk_is_full_and_taken_again_after(void **state)
{
    (void)state;
    struct work self;
    assert_int_equal(begin(&self), 0);
    work(&self, ROUNDS);
    rig_reopen(&self.rig); /* the free space is asked for again */
    const struct contract *map = &self.maps[0].contract;
    struct buffer delta = map_delta("new", 1, slice_text("x"));
    faults_disk(DISK_RESERVE_BYTES);
    assert_int_equal(rig_merge(&self.rig, map, buffer_slice(&delta), NULL), ERR_STORE_FULL);
    assert_non_null(strstr(self.rig.why.text, self.rig.dir));
    assert_durable(&self, &self.rig);
    faults_disk(UINT64_MAX);
    assert_int_equal(rig_merge(&self.rig, map, buffer_slice(&delta), NULL), 0);
    faults_disk(DISK_RESERVE_BYTES);
    struct store_change change; /* a duplicate needs no room */
    assert_int_equal(rig_merge(&self.rig, map, buffer_slice(&delta), &change), 0);
    assert_int_equal(change.changed, 0);
    faults_disk(UINT64_MAX);
    buffer_free(&delta);
    end(&self);
}

/* --- power ------------------------------------------------------------------------------- */

/* A node works until a call fails, or to the end, and power goes. */
static void run_with_power_loss(unsigned n)
{
    struct work self;
    struct rig left;
    char copy[64];
    assert_int_equal(begin(&self), 0);
    power_watch();
    faults_plan(n, FAIL_EIO);
    work(&self, ROUNDS);
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
    assert_durable(&self, &left);
    assert_clean(&left);
    rig_close(&left, true);
    end(&self);
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
