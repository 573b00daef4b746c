/* Each allocation of the store's work fails in turn: opening, merging, editing, dropping, reading,
 * listing, folding, checking, backing up, repairing. What fails says that memory is missing; what
 * was acknowledged before is there afterwards, and the data checks clean. */
/* link: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "tests/support/failing_memory.h"
#include "tests/unit/store_fixture.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { ALLOCATIONS_MAX = 2000, MAPS = 3, FIELDS = 12, SEGMENT = 64 << 10 };

struct run {
    struct rig rig;
    struct subject maps[MAPS];
    struct buffer deltas[MAPS][FIELDS];
    bool acknowledged[MAPS][FIELDS], dropped;
};

static void begin(struct run *self)
{
    memset(self, 0, sizeof *self);
    temporary_name(self->rig.dir);
    self->rig.map_bytes = MAP_BYTES_FIRST;
    self->rig.options = (struct store_options){.data_dir = self->rig.dir,
                                               .store_bytes_max = UINT64_MAX,
                                               .state_bytes_max = STATE_BYTES_MAX,
                                               .log_segment_bytes = SEGMENT};
    for (unsigned m = 0; m < MAPS; m++) {
        subject_init(&self->maps[m], "map", (const char[]){(char)('a' + m), 0}, 0);
        for (unsigned f = 0; f < FIELDS; f++) {
            char name[8];
            (void)snprintf(name, sizeof name, "f%02u", f);
            self->deltas[m][f] = map_delta(name, 1, slice_text("MARK of a value"));
        }
    }
}

static void end(struct run *self)
{
    rig_close(&self->rig, true);
    for (unsigned m = 0; m < MAPS; m++) {
        subject_free(&self->maps[m]);
        for (unsigned f = 0; f < FIELDS; f++)
            buffer_free(&self->deltas[m][f]);
    }
}

static void must_be_memory(const struct run *self, int rc)
{
    if (rc && rc != ERR_NO_MEMORY)
        print_error("%s: %s\n", error_name(rc), self->rig.why.text);
    assert_true(rc == 0 || rc == ERR_NO_MEMORY);
}

/* Logs the change. */
static int acknowledge(struct run *self, struct store_change *change)
{
    struct rig *rig = &self->rig;
    int rc = change->record
                 ? log_append(store_log(rig->store), &change->record, 1, true, NULL, &rig->why)
                 : 0;
    blob_release(&change->record);
    must_be_memory(self, rc);
    return rc;
}

static void merge(struct run *self, unsigned m, unsigned f)
{
    struct store_change change = {0};
    struct rig *rig = &self->rig;
    int rc = store_merge(rig->store, &self->maps[m].contract, true,
                         buffer_slice(&self->deltas[m][f]), &change, &rig->why);
    must_be_memory(self, rc);
    if (rc == 0)
        self->acknowledged[m][f] = acknowledge(self, &change) == 0;
}

static void edit_and_drop(struct run *self)
{
    struct store_change change = {0};
    struct rig *rig = &self->rig;
    struct editor editor = {.now_ms = 1};
    struct slice operands[] = {slice_text("edited"), slice_text("x")};
    int rc = store_edit(rig->store, &self->maps[0].contract.key, &editor, slice_text("set"),
                        operands, 2, &change, &rig->why);
    assert_true(rc == 0 || rc == ERR_NO_MEMORY || rc == ERR_NOT_FOUND);
    if (rc == 0)
        (void)acknowledge(self, &change);
    change = (struct store_change){0};
    rc = store_drop(rig->store, &self->maps[2].contract.key, &change, &rig->why);
    assert_true(rc == 0 || rc == ERR_NO_MEMORY || rc == ERR_NOT_FOUND);
    if (rc == 0)
        self->dropped = acknowledge(self, &change) == 0;
}

static void read_all(struct run *self)
{
    struct rig *rig = &self->rig;
    const struct held *held;
    struct contract_key after;
    struct slice none = {0}, first = slice_text("f03");
    for (unsigned i = 0; i < 2 * MAPS; i++) {
        struct reading reading = {0};
        read_job_t *job = NULL;
        int rc = store_read(rig->store, &self->maps[i / 2].contract.key, i % 2 ? first : none, none,
                            &reading, &job, &rig->why);
        assert_true(rc == 0 || rc == ERR_NO_MEMORY || rc == ERR_NOT_FOUND);
        blob_release(&reading.bytes);
        read_job_destroy(&job);
    }
    int rc = store_next(rig->store, NULL, &held, &rig->why);
    while (rc == 0) {
        after = held->contract.key;
        rc = store_next(rig->store, &after, &held, &rig->why);
    }
    assert_true(rc == ERR_NOT_FOUND || rc == ERR_NO_MEMORY);
}

static void fold(struct run *self)
{
    struct rig *rig = &self->rig;
    struct fold_result result = {0};
    fold_t *out = store_freeze(rig->store);
    if (!out)
        return;
    int rc = fold_run(out, &result, &rig->why);
    must_be_memory(self, rc);
    store_thaw(rig->store, out, rc == 0, rc == 0 ? &result : NULL);
    if (rc == 0) {
        fold_destroy(&out);
        log_recycle(store_log(rig->store), result.seq);
    }
}

static void work(struct run *self)
{
    for (unsigned f = 0; f < FIELDS; f++) {
        for (unsigned m = 0; m < MAPS; m++)
            merge(self, m, f);
        if (f % 5 == 4)
            fold(self);
    }
    edit_and_drop(self);
    read_all(self);
    fold(self);
    merge(self, 0, 0);
}

static bool has_field(const struct run *self, struct slice state, unsigned m, unsigned f)
{
    struct entries wanted = entries_of(buffer_slice(&self->deltas[m][f]));
    struct entries walk = entries_of(state);
    struct entry one, entry;
    assert_int_equal(entries_next(&wanted, &one, NULL), 1);
    while (entries_next(&walk, &entry, NULL) > 0)
        if (slice_equal(entry.key, one.key))
            return true;
    return false;
}

static void assert_acknowledged(struct run *self)
{
    const struct held *held;
    for (unsigned m = 0; m < MAPS; m++) {
        int rc = store_find(self->rig.store, &self->maps[m].contract.key, &held, NULL);
        if (m == 2 && self->dropped) {
            assert_int_equal(rc, ERR_NOT_FOUND);
            continue;
        }
        for (unsigned f = 0; f < FIELDS; f++) {
            if (!self->acknowledged[m][f])
                continue;
            struct buffer state = rig_read(&self->rig, &self->maps[m].contract, NULL, NULL);
            assert_true(has_field(self, buffer_slice(&state), m, f));
            buffer_free(&state);
        }
    }
    assert_clean(&self->rig);
}

/* All that a node does, with the n-th allocation failing. False: there were fewer. */
static bool run_work(unsigned n)
{
    struct run run;
    begin(&run);
    failing_memory_begin(n);
    int rc = store_open(&run.rig.options, &run.rig.store, &run.rig.why);
    if (rc == 0)
        work(&run);
    bool reached = failing_memory_end();
    must_be_memory(&run, rc);
    if (rc)
        assert_int_equal(store_open(&run.rig.options, &run.rig.store, &run.rig.why), 0);
    assert_acknowledged(&run); /* it goes on */
    rig_reopen(&run.rig);
    assert_acknowledged(&run);
    merge(&run, 1, 0);
    fold(&run);
    rig_reopen(&run.rig);
    assert_acknowledged(&run);
    end(&run);
    return reached;
}

static void the_store_tells_of_missing_memory(void **state)
{
    (void)state;
    unsigned n = 1;
    while (n <= ALLOCATIONS_MAX && run_work(n))
        n++;
    print_message("%u allocations\n", n - 1);
    assert_true(n > 50);
}

/* What lies on the disk is looked at, opened and copied, with the n-th allocation failing. */
static bool run_whole(struct run *self, bool damaged, unsigned n)
{
    char copy[64], backup[64];
    struct check_report report = {0};
    struct rig left;
    uint64_t bytes;
    rig_copy(&self->rig, copy);
    temporary_name(backup);
    memset(&left, 0, sizeof left);
    memcpy(left.dir, copy, sizeof left.dir);
    left.map_bytes = MAP_BYTES_FIRST;
    left.options = self->rig.options;
    left.options.data_dir = left.dir;
    failing_memory_begin(n);
    must_be_memory(self, store_check_dir(copy, NULL, NULL, &report, &self->rig.why));
    int opened = store_open(&left.options, &left.store, &self->rig.why);
    int copied =
        opened ? 0 : db_backup(store_db(left.store), backup, NULL, NULL, &bytes, &self->rig.why);
    bool reached = failing_memory_end();
    must_be_memory(self, opened);
    must_be_memory(self, copied);
    if (opened)
        assert_int_equal(store_open(&left.options, &left.store, &left.why), 0);
    assert_true(store_is_damaged(left.store, &self->maps[0].contract.key) == damaged);
    assert_false(store_is_damaged(left.store, &self->maps[1].contract.key));
    rig_close(&left, true);
    remove_dir(backup);
    return reached;
}

static void prepare(struct run *self)
{
    begin(self);
    assert_int_equal(store_open(&self->rig.options, &self->rig.store, &self->rig.why), 0);
    for (unsigned f = 0; f < FIELDS; f++) {
        merge(self, 0, f);
        merge(self, 1, f);
    }
    fold(self);
    merge(self, 1, 0);
    store_close(&self->rig.store);
}

static void run_all_whole(bool damaged)
{
    struct run run;
    prepare(&run);
    if (damaged) {
        struct buffer bytes = file_read(run.rig.dir, "state.mdb");
        struct state_key at = state_key_of(&run.maps[0].contract.key, ROW_ENTRY, slice_text("f03"));
        uint8_t *found = (uint8_t *)memmem(bytes.data, bytes.size, at.bytes, at.size);
        assert_non_null(found);
        for (; found; found = (uint8_t *)memmem(bytes.data, bytes.size, at.bytes, at.size))
            found[at.size - 1] ^= 1; /* the key: f02 or so, which is out of order */
        file_write(run.rig.dir, "state.mdb", buffer_slice(&bytes));
        buffer_free(&bytes);
    }
    unsigned n = 1;
    while (n <= ALLOCATIONS_MAX && run_whole(&run, damaged, n))
        n++;
    print_message("%u allocations\n", n - 1);
    assert_true(n > 20);
    end(&run);
}

static void checks_and_backups_tell_of_missing_memory(void **state)
{
    (void)state;
    run_all_whole(false);
}

static void a_repair_without_memory_is_done_at_the_next_start(void **state)
{
    (void)state;
    run_all_whole(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_tells_of_missing_memory),
        cmocka_unit_test(checks_and_backups_tell_of_missing_memory),
        cmocka_unit_test(a_repair_without_memory_is_done_at_the_next_start),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
