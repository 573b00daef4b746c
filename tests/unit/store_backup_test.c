/* A backup of a store at work is data that a node starts on, with all that was acknowledged. */
#include "tests/unit/store_fixture.h"

#include "contracts/view.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rig rig;
static char copy[64];

static int setup(void **state)
{
    (void)state;
    rig_open(&rig);
    temporary_name(copy);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig, true);
    remove_dir(copy);
    return 0;
}

static int backup(void)
{
    uint64_t bytes;
    return db_backup(store_db(rig.store), copy, NULL, NULL, &bytes, &rig.why);
}

static void a_backup_has_what_is_folded_and_what_is_not(void **state)
{
    (void)state;
    struct subject maps[3];
    struct rig other;
    static const char *const names[] = {"folded", "both", "logged"};
    for (size_t i = 0; i < 3; i++)
        subject_init(&maps[i], "map", names[i], 0);
    rig_set(&rig, &maps[0].contract, "a", 1, "1");
    rig_set(&rig, &maps[1].contract, "a", 1, "1");
    rig_fold(&rig);
    rig_set(&rig, &maps[1].contract, "a", 2, "2");
    rig_set(&rig, &maps[1].contract, "b", 2, "2");
    rig_set(&rig, &maps[2].contract, "a", 2, "2");
    assert_int_equal(backup(), 0);
    rig_set(&rig, &maps[2].contract, "a", 3, "later");
    rig_adopt(&other, &rig, copy);
    struct store_stats stats;
    store_stats(other.store, &stats);
    assert_int_equal(stats.replayed, 0); /* the log's part is in LMDB already */
    assert_int_equal(stats.contracts, 3);
    assert_int_equal(stats.entries, 4);
    assert_map(&other, &maps[0].contract, "a=1 ");
    assert_map(&other, &maps[1].contract, "a=2 b=2 ");
    assert_map(&other, &maps[2].contract, "a=2 ");
    rig_set(&other, &maps[2].contract, "b", 4, "goes on");
    rig_reopen(&other);
    assert_map(&other, &maps[2].contract, "a=2 b=goes on ");
    assert_clean(&other);
    rig_close(&other, true);
    for (size_t i = 0; i < 3; i++)
        subject_free(&maps[i]);
}

/* --- while others work ------------------------------------------------------------------- */

enum { FIELDS = 2000 };

struct worker {
    struct subject map;
    uint64_t stamp;
    atomic_bool done; /* what the other thread does */
    int rc;
    struct check_report report;
    struct reason why;
};

/* Rewrites random fields with rising stamps, and folds now and then. */
static void work(struct worker *self, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        struct buffer delta = {0};
        unsigned first = (unsigned)random_below(FIELDS - 20);
        uint8_t data[400] = {0};
        self->stamp++;
        for (unsigned j = 0; j < 20; j++) {
            char field[16];
            (void)snprintf(field, sizeof field, "%06u", first + j);
            map_entry(&delta, field, self->stamp, slice_of(data, sizeof data));
        }
        assert_int_equal(rig_merge(&rig, &self->map.contract, buffer_slice(&delta), NULL), 0);
        buffer_free(&delta);
        if (self->stamp % 50 == 0)
            rig_fold(&rig);
    }
}

static void *backup_thread(void *me)
{
    struct worker *self = (struct worker *)me;
    uint64_t bytes;
    self->rc = db_backup(store_db(rig.store), copy, NULL, NULL, &bytes, &self->why);
    atomic_store(&self->done, true);
    return NULL;
}

static void *check_thread(void *me)
{
    struct worker *self = (struct worker *)me;
    self->rc = db_check(store_db(rig.store), NULL, NULL, &self->report, &self->why);
    atomic_store(&self->done, true);
    return NULL;
}

/* Works until the other thread has done its part. */
static void work_beside(struct worker *self, void *(*other)(void *))
{
    pthread_t thread;
    atomic_store(&self->done, false);
    store_hold_map(rig.store, true);
    assert_int_equal(pthread_create(&thread, NULL, other, self), 0);
    do
        work(self, 1);
    while (!atomic_load(&self->done));
    assert_int_equal(pthread_join(thread, NULL), 0);
    store_hold_map(rig.store, false);
    if (self->rc)
        print_error("%s\n", self->why.text);
    assert_int_equal(self->rc, 0);
}

/* Each field's stamp in `less` is at most that in `more`, and there. */
static void assert_within(const struct buffer *less, const struct buffer *more)
{
    struct entries a = entries_of(buffer_slice(less)), b = entries_of(buffer_slice(more));
    struct entry x, y = {{0}, {0}};
    while (entries_next(&a, &x, NULL) > 0) {
        while (slice_compare(y.key, x.key) < 0)
            assert_int_equal(entries_next(&b, &y, NULL), 1);
        assert_true(slice_equal(x.key, y.key));
        assert_true(get_u64(x.value.data) <= get_u64(y.value.data));
    }
}

static void a_backup_beside_merges_and_folds_has_all_that_was_there_when_it_began(void **state)
{
    (void)state;
    struct worker worker = {.stamp = 0};
    struct rig other;
    (void)seed_random();
    subject_init(&worker.map, "map", "busy", 0);
    work(&worker, 300);
    struct buffer before = rig_read(&rig, &worker.map.contract, NULL, NULL);
    work_beside(&worker, backup_thread);
    struct buffer after = rig_read(&rig, &worker.map.contract, NULL, NULL);
    rig_adopt(&other, &rig, copy);
    assert_clean(&other);
    struct buffer copied = rig_read(&other, &worker.map.contract, NULL, NULL);
    assert_within(&before, &copied);
    assert_within(&copied, &after);
    rig_close(&other, true);
    buffer_free(&before);
    buffer_free(&copied);
    buffer_free(&after);
    subject_free(&worker.map);
}

static void a_check_beside_merges_and_folds_finds_no_damage(void **state)
{
    (void)state;
    struct worker worker = {.stamp = 0};
    (void)seed_random();
    subject_init(&worker.map, "map", "busy", 0);
    work(&worker, 300);
    for (int i = 0; i < 60; i++) {
        work_beside(&worker, check_thread);
        if (worker.report.damaged)
            print_error("%s\n", worker.report.first.text);
        assert_int_equal(worker.report.damaged, 0);
    }
    subject_free(&worker.map);
}

/* --- refusals ---------------------------------------------------------------------------- */

static void a_backup_goes_into_an_empty_directory_only(void **state)
{
    (void)state;
    assert_int_equal(mkdir(copy, 0700), 0);
    file_write(copy, "precious", slice_text("mine"));
    assert_int_equal(backup(), ERR_IO);
    assert_non_null(strstr(rig.why.text, copy));
    struct buffer bytes = file_read(copy, "precious");
    assert_true(slice_is(buffer_slice(&bytes), "mine"));
    buffer_free(&bytes);
}

static bool stop(void *self, uint64_t done, uint64_t all)
{
    (void)self;
    assert_true(done <= all);
    return false;
}

static void a_backup_that_was_stopped_is_not_taken_for_whole(void **state)
{
    (void)state;
    struct subject map;
    uint64_t bytes;
    struct check_report report;
    subject_init(&map, "map", "large", 0);
    uint8_t *data = (uint8_t *)calloc(1, 1 << 20);
    assert_non_null(data);
    for (unsigned i = 0; i < 20; i++) {
        struct buffer delta =
            map_delta((const char[]){(char)('a' + i), 0}, 1, slice_of(data, (1 << 20) - 100));
        assert_int_equal(rig_merge(&rig, &map.contract, buffer_slice(&delta), NULL), 0);
        buffer_free(&delta);
    }
    rig_fold(&rig);
    assert_int_equal(db_backup(store_db(rig.store), copy, stop, NULL, &bytes, &rig.why),
                     ERR_TIMEOUT);
    assert_int_equal(store_check_dir(copy, NULL, NULL, &report, &rig.why), ERR_NOT_FOUND);
    free(data);
    subject_free(&map);
}

/* --- lesson M7 --------------------------------------------------------------------------- */

static int take_number(void *self, const struct view_item *item)
{
    *(int64_t *)self = item->number;
    return 0;
}

static int64_t counted(struct rig *self, const struct contract *contract)
{
    int64_t number = -1;
    struct buffer state = rig_read(self, contract, NULL, NULL);
    assert_int_equal(view_items(contract, buffer_slice(&state), take_number, &number, NULL), 0);
    buffer_free(&state);
    return number;
}

static void add(struct rig *self, const struct contract *contract, char replica, const char *number)
{
    struct store_change change;
    struct editor editor = {.now_ms = 1};
    struct slice operand = slice_text(number);
    memset(editor.replica, replica, sizeof editor.replica);
    assert_int_equal(store_edit(self->store, &contract->key, &editor, slice_text("add"), &operand,
                                1, &change, &self->why),
                     0);
    assert_int_equal(log_append(store_log(self->store), &change.record, 1, true, NULL, &self->why),
                     0);
    blob_release(&change.record);
}

/* A counter of 5, a backup of it, 7 more here, 11 more on the restored copy, which edits as
 * `replica`; then both merge each other's state. */
static int64_t count_after_restore(char replica)
{
    struct subject counter;
    struct rig other;
    subject_init(&counter, "counter", "n", 0);
    assert_int_equal(rig_merge(&rig, &counter.contract, slice_of(NULL, 0), NULL), 0);
    add(&rig, &counter.contract, 'a', "5");
    assert_int_equal(backup(), 0);
    add(&rig, &counter.contract, 'a', "7");
    rig_adopt(&other, &rig, copy);
    assert_int_equal(counted(&other, &counter.contract), 5);
    add(&other, &counter.contract, replica, "11");
    struct buffer ours = rig_read(&rig, &counter.contract, NULL, NULL);
    struct buffer theirs = rig_read(&other, &counter.contract, NULL, NULL);
    assert_int_equal(rig_merge(&rig, &counter.contract, buffer_slice(&theirs), NULL), 0);
    assert_int_equal(rig_merge(&other, &counter.contract, buffer_slice(&ours), NULL), 0);
    int64_t number = counted(&rig, &counter.contract);
    assert_int_equal(counted(&other, &counter.contract), number);
    rig_close(&other, true);
    buffer_free(&ours);
    buffer_free(&theirs);
    subject_free(&counter);
    return number;
}

static void after_a_restore_both_sides_merge_and_nothing_is_lost(void **state)
{
    (void)state;
    assert_int_equal(count_after_restore('b'), 5 + 7 + 11);
}

static void one_identity_on_both_sides_would_lose_an_edit(void **state)
{
    (void)state;
    assert_true(count_after_restore('a') < 5 + 7 + 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        CASE(a_backup_has_what_is_folded_and_what_is_not),
        CASE(a_backup_beside_merges_and_folds_has_all_that_was_there_when_it_began),
        CASE(a_check_beside_merges_and_folds_finds_no_damage),
        CASE(a_backup_goes_into_an_empty_directory_only),
        CASE(a_backup_that_was_stopped_is_not_taken_for_whole),
        CASE(after_a_restore_both_sides_merge_and_nothing_is_lost),
        CASE(one_identity_on_both_sides_would_lose_an_edit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
