/* Damaged, foreign, newer and locked data: each gets its code and a sentence, and is not touched.
 */
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rig rig;
static struct subject map;

static int setup(void **state)
{
    (void)state;
    rig_open(&rig);
    subject_init(&map, "map", "damaged", 0);
    rig_set(&rig, &map.contract, "first", 1, "MARK-ONE");
    rig_set(&rig, &map.contract, "second", 1, "MARK-TWO");
    rig_fold(&rig);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig, true);
    subject_free(&map);
    return 0;
}

/* Closes, flips a bit of each copy of that text in a file. */
static void damage(const char *file, const char *text, size_t offset)
{
    int found = 0;
    store_close(&rig.store);
    struct buffer bytes = file_read(rig.dir, file);
    for (size_t i = 0; i + strlen(text) <= bytes.size; i++)
        if (memcmp(bytes.data + i, text, strlen(text)) == 0) {
            bytes.data[i + offset] ^= 0x20;
            found++;
        }
    assert_true(found > 0);
    file_write(rig.dir, file, buffer_slice(&bytes));
    buffer_free(&bytes);
}

static int reopen(void)
{
    return store_open(&rig.options, &rig.store, &rig.why);
}

static int read_field(const char *first, const char *last)
{
    struct reading reading = {0};
    read_job_t *job;
    struct slice from = first ? slice_text(first) : slice_of(NULL, 0);
    struct slice to = last ? slice_text(last) : slice_of(NULL, 0);
    int rc = store_read(rig.store, &map.contract.key, from, to, &reading, &job, &rig.why);
    blob_release(&reading.bytes);
    return rc;
}

static struct check_report check_now(void)
{
    struct check_report report = {0};
    assert_int_equal(db_check(store_db(rig.store), NULL, NULL, &report, &rig.why), 0);
    return report;
}

/* What is left of the contract is kept, and joins what a peer gives back; meanwhile nothing of it
 * is read out. */
static void a_flipped_bit_in_a_value_marks_its_contract(void **state)
{
    (void)state;
    struct check_report report;
    struct subject other;
    damage("state.mdb", "MARK-TWO", 3);
    assert_int_equal(store_check_dir(rig.dir, NULL, NULL, &report, &rig.why), 0);
    assert_true(report.damaged >= 1);
    assert_non_null(strstr(report.first.text, "second"));
    assert_non_null(strstr(report.first.text, name_contract(&map.contract.key).text));
    assert_memory_equal(&report.named[0], &map.contract.key, sizeof map.contract.key);
    assert_int_equal(reopen(), 0);
    assert_string_not_equal(store_repaired(rig.store), "");
    for (unsigned start = 0; start < 2; start++) { /* and at the next start */
        assert_true(store_is_damaged(rig.store, &map.contract.key));
        assert_int_equal(read_field(NULL, NULL), ERR_DAMAGED);
        assert_non_null(strstr(rig.why.text, name_contract(&map.contract.key).text));
        assert_int_equal(read_field("first", "first"), ERR_DAMAGED);
        assert_int_equal(rig_edit(&rig, &map.contract, "set", "second", "x"), ERR_DAMAGED);
        rig_reopen(&rig);
    }
    subject_init(&other, "map", "healthy", 0); /* others go on */
    rig_set(&rig, &other.contract, "a", 1, "b");
    assert_map(&rig, &other.contract, "a=b ");
    rig_set(&rig, &map.contract, "second", 1, "MARK-TWO"); /* as a peer has it */
    rig_fold(&rig);
    assert_int_equal(check_now().damaged, 1);
    store_healed(rig.store, &map.contract.key);
    assert_map(&rig, &map.contract, "first=MARK-ONE second=MARK-TWO ");
    rig_fold(&rig);
    rig_reopen(&rig);
    assert_map(&rig, &map.contract, "first=MARK-ONE second=MARK-TWO ");
    assert_clean(&rig);
    subject_free(&other);
}

static void a_flipped_bit_in_a_header_is_found_and_named(void **state)
{
    (void)state;
    struct check_report report;
    struct contract_key key;
    bool half;
    damage("state.mdb", "damaged", 1); /* the name among its parameters */
    assert_int_equal(store_check_dir(rig.dir, NULL, NULL, &report, &rig.why), 0);
    assert_true(report.damaged >= 1);
    assert_memory_equal(&report.named[0], &map.contract.key, sizeof map.contract.key);
    assert_int_equal(reopen(), 0);
    assert_true(store_damaged_at(rig.store, 0, &key, &half));
    assert_memory_equal(&key, &map.contract.key, sizeof key);
    assert_false(store_damaged_at(rig.store, 1, &key, &half));
    assert_int_equal(read_field(NULL, NULL), ERR_DAMAGED);
    assert_non_null(strstr(rig.why.text, name_contract(&map.contract.key).text));
    /* A peer tells what it is, and what it has. */
    rig_set(&rig, &map.contract, "first", 1, "MARK-ONE");
    store_healed(rig.store, &map.contract.key);
    rig_fold(&rig);
    rig_reopen(&rig);
    assert_map(&rig, &map.contract, "first=MARK-ONE ");
    assert_clean(&rig);
}

/* A backup of a damaged contract is one. */
static void marks_are_backed_up(void **state)
{
    (void)state;
    uint64_t bytes;
    char copy[64];
    struct rig left;
    damage("state.mdb", "MARK-TWO", 3);
    assert_int_equal(reopen(), 0);
    temporary_name(copy);
    assert_int_equal(db_backup(store_db(rig.store), copy, NULL, NULL, &bytes, &rig.why), 0);
    rig_adopt(&left, &rig, copy);
    assert_true(store_is_damaged(left.store, &map.contract.key));
    rig_close(&left, true);
}

/* Under a node that has the file mapped. */
static void damage_live(const char *text)
{
    char path[128];
    struct buffer bytes = file_read(rig.dir, "state.mdb");
    (void)snprintf(path, sizeof path, "%s/state.mdb", rig.dir);
    int fd = open(path, O_WRONLY);
    for (size_t i = 0; i + strlen(text) <= bytes.size; i++)
        if (memcmp(bytes.data + i, text, strlen(text)) == 0)
            assert_int_equal(pwrite(fd, "?", 1, (off_t)i), 1);
    (void)close(fd);
    buffer_free(&bytes);
}

static void a_large_read_meets_damage_too(void **state)
{
    (void)state;
    uint8_t data[900000];
    memset(data, 'x', sizeof data);
    for (int i = 0; i < 3; i++) {
        memcpy(data + 1000, (const char[]){'L', 'A', 'R', 'G', (char)('0' + i)}, 5);
        struct buffer delta =
            map_delta((const char[]){(char)('a' + i), 0}, 1, slice_of(data, sizeof data));
        assert_int_equal(rig_merge(&rig, &map.contract, buffer_slice(&delta), NULL), 0);
        buffer_free(&delta);
    }
    rig_fold(&rig);
    damage_live("LARG2");
    struct reading reading;
    read_job_t *job;
    struct slice none = {0};
    assert_int_equal(store_read(rig.store, &map.contract.key, none, none, &reading, &job, &rig.why),
                     0);
    int rc;
    while ((rc = read_step(job, &reading, &rig.why)) == ERR_AGAIN)
        continue;
    read_job_destroy(&job);
    assert_int_equal(rc, ERR_DAMAGED);
    assert_non_null(strstr(rig.why.text, "entry c"));
    assert_non_null(strstr(rig.why.text, name_contract(&map.contract.key).text));
}

/* Writes one row into LMDB as it is, or takes one out, behind the store's back. */
static void put_row(const struct state_key *at, const char *text)
{
    MDB_txn *txn;
    struct db *db = rig.store->db;
    MDB_val key = val_of(state_key_slice(at)), value = val_of(slice_text(text ? text : ""));
    assert_int_equal(mdb_txn_begin(db->env, NULL, 0, &txn), 0);
    assert_int_equal(
        text ? mdb_put(txn, db->state, &key, &value, 0) : mdb_del(txn, db->state, &key, NULL), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
}

static void a_missing_entry_a_stray_row_and_a_lost_header_are_found(void **state)
{
    (void)state;
    struct subject nobody;
    assert_clean(&rig);
    struct state_key at = state_key_of(&map.contract.key, ROW_ENTRY, slice_text("first"));
    put_row(&at, NULL);
    assert_int_equal(check_now().damaged, 1);
    assert_non_null(strstr(check_now().first.text, "header"));
    store_close(&rig.store);
    assert_int_equal(reopen(), 0);
    assert_int_equal(read_field(NULL, NULL), ERR_DAMAGED); /* a whole read counts */
    subject_init(&nobody, "map", "nobody", 0);
    at = state_key_of(&nobody.contract.key, ROW_ENTRY, slice_text("stray"));
    put_row(&at, "not a record");
    assert_true(check_now().damaged > 1);
    at = state_key_of(&map.contract.key, ROW_HEADER, slice_of(NULL, 0));
    put_row(&at, NULL);
    assert_true(check_now().damaged > 2);
    subject_free(&nobody);
}

static void check_counts_what_is_there(void **state)
{
    (void)state;
    rig_set(&rig, &map.contract, "third", 1, "x");
    rig_reopen(&rig);
    store_close(&rig.store);
    struct check_report report;
    assert_int_equal(store_check_dir(rig.dir, NULL, NULL, &report, &rig.why), 0);
    assert_int_equal(report.damaged, 0);
    assert_int_equal(report.contracts, 1);
    assert_int_equal(report.entries, 2); /* of LMDB */
    assert_true(report.records >= 1);    /* of the log */
    assert_true(report.bytes > 0);
}

/* Modification times and sizes of the files there are. */
static void look_at(const char *dir, char text[512])
{
    static const char *const names[] = {"format", "lock", "state.mdb", "state.mdb-lock",
                                        "log/0000000000000001.log"};
    size_t at = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[160];
        struct stat facts = {0};
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)stat(path, &facts);
        at += (size_t)snprintf(text + at, 512 - at, "%lld %lld.%09ld\n", (long long)facts.st_size,
                               (long long)facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec);
    }
}

static void a_check_of_a_directory_writes_nothing(void **state)
{
    (void)state;
    char copy[64], before[512], after[512];
    struct check_report report;
    rig_set(&rig, &map.contract, "third", 1, "x");
    rig_copy(&rig, copy); /* as a killed node leaves it */
    look_at(copy, before);
    assert_int_equal(store_check_dir(copy, NULL, NULL, &report, &rig.why), 0);
    look_at(copy, after);
    assert_string_equal(before, after);
    assert_int_equal(report.damaged, 0);
    remove_dir(copy);
    assert_int_equal(store_check_dir(copy, NULL, NULL, &report, &rig.why), ERR_NOT_FOUND);
    assert_int_equal(access(copy, F_OK), -1);
}

static bool stop_at_once(void *self, uint64_t done, uint64_t all)
{
    (void)done;
    (void)all;
    ++*(int *)self;
    return false;
}

static void a_check_stops_when_told(void **state)
{
    (void)state;
    struct check_report report;
    int calls = 0;
    assert_int_equal(db_check(store_db(rig.store), stop_at_once, &calls, &report, &rig.why),
                     ERR_TIMEOUT);
    assert_int_equal(calls, 1);
}

static void data_of_a_newer_format_is_refused_untouched(void **state)
{
    (void)state;
    char before[512], after[512];
    struct check_report report;
    store_close(&rig.store);
    file_write(rig.dir, "format", slice_text("weir data format 3\n"));
    look_at(rig.dir, before);
    assert_int_equal(reopen(), ERR_NEWER_FORMAT);
    assert_non_null(strstr(rig.why.text, "format 3"));
    assert_int_equal(store_check_dir(rig.dir, NULL, NULL, &report, &rig.why), ERR_NEWER_FORMAT);
    look_at(rig.dir, after);
    assert_string_equal(before, after);
}

static void a_foreign_format_file_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "weir data format 0\n", "weir data format x\n",
                                        "something else\n", "weir data format 1"};
    store_close(&rig.store);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        file_write(rig.dir, "format", slice_text(texts[i]));
        assert_int_equal(reopen(), ERR_DAMAGED);
    }
    file_write(rig.dir, "format", slice_text("weir data format 1\n"));
    assert_int_equal(reopen(), 0);
}

/* So that a weir that knows no drops does not take this data for its own. */
static void data_of_an_older_format_is_of_this_one_once_it_is_open(void **state)
{
    (void)state;
    store_close(&rig.store);
    file_write(rig.dir, "format", slice_text("weir data format 1\n"));
    assert_int_equal(reopen(), 0);
    struct buffer text = file_read(rig.dir, "format");
    assert_true(slice_is(buffer_slice(&text), "weir data format 2\n"));
    buffer_free(&text);
}

static void a_second_node_is_told_who_has_the_data(void **state)
{
    (void)state;
    store_t *second = NULL;
    struct check_report report;
    char pid[32];
    (void)snprintf(pid, sizeof pid, "pid %ld", (long)getpid());
    assert_int_equal(store_open(&rig.options, &second, &rig.why), ERR_LOCKED);
    assert_null(second);
    assert_non_null(strstr(rig.why.text, pid));
    assert_non_null(strstr(rig.why.text, rig.dir));
    assert_int_equal(store_check_dir(rig.dir, NULL, NULL, &report, &rig.why), ERR_LOCKED);
    assert_map(&rig, &map.contract, "first=MARK-ONE second=MARK-TWO ");
}

static void a_state_file_that_is_no_lmdb_is_refused(void **state)
{
    (void)state;
    store_close(&rig.store);
    struct buffer bytes = file_read(rig.dir, "state.mdb");
    struct {
        struct slice bytes;
        const char *what;
    } rows[] = {{slice_of("", 0), "empty"},
                {slice_of("garbage", 7), "garbage"},
                {slice_of(bytes.data, 2 * 4096), "cut to its roots"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        file_write(rig.dir, "state.mdb", rows[i].bytes);
        int rc = reopen();
        if (rc != ERR_DAMAGED)
            print_error("%s: %s\n", rows[i].what, error_name(rc));
        assert_int_equal(rc, ERR_DAMAGED);
        assert_non_null(strstr(rig.why.text, "state.mdb"));
    }
    char path[128];
    (void)snprintf(path, sizeof path, "%s/state.mdb", rig.dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(reopen(), ERR_DAMAGED);
    assert_int_equal(access(path, F_OK), -1); /* nothing new was put in its place */
    file_write(rig.dir, "state.mdb", buffer_slice(&bytes));
    assert_int_equal(reopen(), 0);
    assert_map(&rig, &map.contract, "first=MARK-ONE second=MARK-TWO ");
    buffer_free(&bytes);
}

/* A folder without a format file, with such a state.mdb. */
static void begin_folder(struct slice state)
{
    store_close(&rig.store);
    remove_dir(rig.dir);
    assert_int_equal(mkdir(rig.dir, 0700), 0);
    file_write(rig.dir, "state.mdb", state);
}

static void a_first_start_that_was_cut_short_begins_again(void **state)
{
    (void)state;
    char path[128];
    begin_folder(slice_of("", 0));
    assert_int_equal(reopen(), 0);
    store_close(&rig.store);
    (void)snprintf(path, sizeof path, "%s/format", rig.dir);
    assert_int_equal(unlink(path), 0); /* all but the last step */
    assert_int_equal(reopen(), 0);
    assert_int_equal(access(path, F_OK), 0);
}

/* Image 2 of the store's: LMDB had made its file, and no table in it. Then what is left of its
 * first pages after a loss of power. */
static void a_first_start_that_lmdb_did_not_finish_begins_again(void **state)
{
    (void)state;
    char path[128];
    MDB_env *env;
    uint8_t zeros[2 * 4096] = {0};
    begin_folder(slice_of("", 0));
    (void)snprintf(path, sizeof path, "%s/state.mdb", rig.dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR, 0600), 0);
    mdb_env_close(env);
    assert_int_equal(reopen(), 0);
    begin_folder(slice_of(zeros, sizeof zeros));
    assert_int_equal(reopen(), 0);
    begin_folder(slice_of(zeros, 4096));
    assert_int_equal(reopen(), 0);
}

static void a_state_file_beside_a_log_is_never_begun_again(void **state)
{
    (void)state;
    char path[128];
    store_close(&rig.store);
    (void)snprintf(path, sizeof path, "%s/format", rig.dir);
    assert_int_equal(unlink(path), 0);
    struct buffer bytes = file_read(rig.dir, "state.mdb");
    file_write(rig.dir, "state.mdb", slice_of("garbage", 7));
    assert_int_equal(reopen(), ERR_DAMAGED);
    file_write(rig.dir, "state.mdb", buffer_slice(&bytes));
    assert_int_equal(reopen(), 0);
    assert_map(&rig, &map.contract, "first=MARK-ONE second=MARK-TWO ");
    buffer_free(&bytes);
}

static void data_is_made_for_its_owner_alone(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        mode_t mode;
    } rows[] = {{"", 0700},
                {"/log", 0700},
                {"/state.mdb", 0600},
                {"/format", 0600},
                {"/lock", 0600},
                {"/state.mdb-lock", 0600},
                {"/log/0000000000000001.log", 0600}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[160];
        struct stat facts;
        (void)snprintf(path, sizeof path, "%s%s", rig.dir, rows[i].name);
        assert_int_equal(stat(path, &facts), 0);
        assert_int_equal(facts.st_mode & 0777, rows[i].mode);
    }
}

static void a_directory_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    store_t *store = NULL;
    struct store_options options = rig.options;
    char path[160];
    (void)snprintf(path, sizeof path, "%s/format/data", rig.dir); /* below a file */
    options.data_dir = path;
    assert_int_equal(store_open(&options, &store, &rig.why), ERR_IO);
    assert_non_null(strstr(rig.why.text, "format/data"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        CASE(a_flipped_bit_in_a_value_marks_its_contract),
        CASE(a_flipped_bit_in_a_header_is_found_and_named),
        CASE(marks_are_backed_up),
        CASE(a_large_read_meets_damage_too),
        CASE(a_missing_entry_a_stray_row_and_a_lost_header_are_found),
        CASE(check_counts_what_is_there),
        CASE(a_check_of_a_directory_writes_nothing),
        CASE(a_check_stops_when_told),
        CASE(data_of_a_newer_format_is_refused_untouched),
        CASE(a_foreign_format_file_is_refused),
        CASE(data_of_an_older_format_is_of_this_one_once_it_is_open),
        CASE(a_second_node_is_told_who_has_the_data),
        CASE(a_state_file_that_is_no_lmdb_is_refused),
        CASE(a_first_start_that_was_cut_short_begins_again),
        CASE(a_first_start_that_lmdb_did_not_finish_begins_again),
        CASE(a_state_file_beside_a_log_is_never_begun_again),
        CASE(data_is_made_for_its_owner_alone),
        CASE(a_directory_that_cannot_be_made_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
