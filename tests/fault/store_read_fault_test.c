/* Reads that fail, are interrupted or short: the n-th one, for every n, of all that looks at a
 * store: a check, a start, a check and a backup of a store that is open. A read that fails is told
 * as that. It is not taken for damage, nothing is repaired for it, and nothing is lost by it. */
#include "tests/fault/faults.h"
#include "tests/fault/work.h"

#include <stdio.h>
#include <unistd.h>

/* A directory as SIGKILL leaves it: LMDB's file is examined at the start, the log is read. */
struct left {
    struct work work;
    char dir[64];
};

static void set_up(struct left *self)
{
    assert_int_equal(work_begin(&self->work), 0);
    work_run(&self->work, WORK_ROUNDS);
    rig_copy(&self->work.rig, self->dir);
}

static void tear_down(struct left *self)
{
    remove_dir(self->dir);
    work_end(&self->work);
}

static void must_be(int rc, enum fault mode, const struct reason *why)
{
    bool told = mode == FAIL_EIO && rc == ERR_IO;
    /* LMDB takes a root of which it gets a part for no data of its own. */
    told = told || (mode == FAIL_SHORT && rc == ERR_DAMAGED && strstr(why->text, "MDB_INVALID"));
    if (rc && !told)
        fail_msg("%s: %d %s", fault_names[mode], rc, why->text);
}

/* The n-th read fails (0: none does). Returns the reads. */
static unsigned run_with_fault(struct left *self, unsigned n, enum fault mode)
{
    struct check_report report = {0};
    struct rig rig;
    uint64_t bytes;
    char copy[64], backup[64];
    memset(&rig, 0, sizeof rig);
    struct rig source = self->work.rig;
    memcpy(source.dir, self->dir, sizeof source.dir);
    rig_copy(&source, copy);
    temporary_name(backup);
    memcpy(rig.dir, copy, sizeof rig.dir);
    rig.map_bytes = MAP_BYTES_FIRST;
    rig.options = self->work.rig.options;
    rig.options.data_dir = rig.dir;
    faults_plan_reads(n, mode);
    must_be(store_check_dir(copy, NULL, NULL, &report, &rig.why), mode, &rig.why);
    int opened = store_open(&rig.options, &rig.store, &rig.why);
    must_be(opened, mode, &rig.why);
    if (opened == 0) {
        must_be(db_check(store_db(rig.store), NULL, NULL, &report, &rig.why), mode, &rig.why);
        must_be(db_backup(store_db(rig.store), backup, NULL, NULL, &bytes, &rig.why), mode,
                &rig.why);
    }
    unsigned reads = faults_end();
    assert_int_equal(report.damaged, 0);
    if (opened)
        assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
    assert_string_equal(store_repaired(rig.store), "");
    work_assert_durable(&self->work, &rig);
    assert_clean(&rig);
    rig_close(&rig, true);
    remove_dir(backup);
    return reads;
}

static void run_mode(enum fault mode)
{
    struct left left;
    set_up(&left);
    unsigned reads = run_with_fault(&left, 0, mode);
    print_message("%u reads, %s\n", reads, fault_names[mode]);
    assert_true(reads > 40);
    for (unsigned n = 1; n <= reads; n++)
        (void)run_with_fault(&left, n, mode);
    tear_down(&left);
}

static void a_read_that_fails_is_told_and_is_no_damage(void **state)
{
    (void)state;
    run_mode(FAIL_EIO);
}

static void an_interrupted_read_is_carried_on(void **state)
{
    (void)state;
    run_mode(FAIL_EINTR);
}

static void a_short_read_is_carried_on(void **state)
{
    (void)state;
    run_mode(FAIL_SHORT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_that_fails_is_told_and_is_no_damage),
        cmocka_unit_test(an_interrupted_read_is_carried_on),
        cmocka_unit_test(a_short_read_is_carried_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
