/* Damage by chance: bits flipped, files cut, pages zeroed, in LMDB's file and in the log, against
 * one small store that a killed node left. Each image is opened in a process of its own: no signal
 * ends it; a state is served as it was, or its contract is named; what is damaged is made whole by
 * merging what a peer has. DAMAGE=20000 images, SEED=… repeats a run. */
#include "store/check.h"
#include "tests/support/setting.h"
#include "tests/unit/store_fixture.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONTRACTS = 12, DROPPED = CONTRACTS - 1, PAGE = 4096, SEGMENT = 256 << 10 };
enum { FLIPS = 1000, CUTS = 50, ZEROED = 50, SECONDS_MAX = 60 };

static struct source {
    char dir[64], work[64];
    struct store_options options;
    struct subject subjects[CONTRACTS];
    struct buffer states[CONTRACTS]; /* whole */
    struct buffer tables, log;       /* the files */
    size_t log_end;                  /* of its last record */
    char log_name[64];               /* of the segment in use */
} source;

/* --- the store that is damaged ----------------------------------------------------------- */

static void set(struct rig *rig, size_t contract, unsigned field, uint64_t stamp, size_t bytes)
{
    static uint8_t data[40000];
    char name[24];
    memset(data, (int)('a' + stamp % 26), sizeof data);
    (void)snprintf(name, sizeof name, "field-%03u", field);
    struct buffer delta = map_delta(name, stamp, slice_of(data, bytes));
    assert_int_equal(
        rig_merge(rig, &source.subjects[contract].contract, buffer_slice(&delta), NULL), 0);
    buffer_free(&delta);
}

/* Trees of several levels, values in pages of their own, free pages, and a log that is not folded.
 */
static void fill(struct rig *rig)
{
    rig->unflushed = true;
    for (uint64_t stamp = 1; stamp <= 4; stamp++) {
        for (size_t c = 0; c < CONTRACTS; c++)
            for (unsigned f = 0; f < (c % 3 == 0 ? 120u : 4u); f++)
                set(rig, c, f, stamp, 40 + f);
        set(rig, 2, 900, stamp, 5000 * stamp);
        rig_fold(rig);
    }
    assert_int_equal(rig_drop(rig, &source.subjects[DROPPED].contract), 0);
    rig_fold(rig);
    rig->unflushed = false;
    for (unsigned i = 0; i < 30; i++) { /* a flush each, or one for three */
        rig->unflushed = i % 3 != 2;
        set(rig, i % 5, i, 10, 100 + 10 * (size_t)i);
    }
    rig->unflushed = false;
}

/* The segment that has what is not folded; the others are free. */
static void find_segment(struct rig *rig)
{
    struct segment_list list;
    char dir[80];
    size_t held = 0;
    (void)snprintf(dir, sizeof dir, "%s/log", rig->dir);
    assert_int_equal(segment_list(dir, &list, NULL), 0);
    for (size_t i = 0; i < list.count; i++) {
        struct scan scan = {
            .dir = dir, .salt = rig->store->db->salt, .after = rig->store->folded_seq};
        struct scan_found found;
        assert_int_equal(scan_segment(&scan, list.numbers[i], &found, NULL), 0);
        if (scan.count)
            source.log_end = found.end;
        if (scan.count)
            (void)snprintf(source.log_name, sizeof source.log_name, "log/%s",
                           segment_name(list.numbers[i]).text);
        held += scan.count > 0;
        scan_free(&scan);
    }
    assert_int_equal(held, 1);
}

static void make_source(void)
{
    struct rig rig;
    memset(&rig, 0, sizeof rig);
    bool memory = access("/dev/shm", W_OK) == 0;
    (void)snprintf(source.dir, sizeof source.dir, "%s/weir-flips-%ld", memory ? "/dev/shm" : "/tmp",
                   (long)getpid());
    (void)snprintf(source.work, sizeof source.work, "%.48s-image", source.dir);
    memcpy(rig.dir, source.dir, sizeof rig.dir);
    rig.options = (struct store_options){.data_dir = rig.dir,
                                         .store_bytes_max = UINT64_MAX,
                                         .state_bytes_max = STATE_BYTES_MAX,
                                         .log_segment_bytes = SEGMENT};
    assert_int_equal(store_open(&rig.options, &rig.store, &rig.why), 0);
    source.options = rig.options;
    source.options.data_dir = source.work;
    for (size_t c = 0; c < CONTRACTS; c++) {
        char name[16];
        (void)snprintf(name, sizeof name, "contract-%zu", c);
        subject_init(&source.subjects[c], "map", name, 0);
    }
    fill(&rig);
    find_segment(&rig);
    for (size_t c = 0; c < DROPPED; c++)
        source.states[c] = rig_read(&rig, &source.subjects[c].contract, NULL, NULL);
    source.tables = file_read(source.dir, "state.mdb");
    source.log = file_read(source.dir, source.log_name);
    rig_close(&rig, false);
}

/* --- one image --------------------------------------------------------------------------- */

struct image {
    bool of_log;
    bool tail; /* the log's last flush is hit: nothing tells it from one that a crash cut short */
    struct buffer bytes; /* of the file that is damaged */
    char what[96];
};

/* LESS: served without what the log lost, which is told. LOST: not known any more; it is told that
 * some contract is. */
enum verdict { SERVED, NAMED, LESS, LOST, REFUSED };

/* What a store on the image says of a contract. */
static enum verdict ask(store_t *store, size_t c, const struct image *image, struct reason *why)
{
    const struct contract_key *key = &source.subjects[c].contract.key;
    struct store_stats stats;
    struct reading reading = {0};
    read_job_t *job = NULL;
    struct slice none = {0};
    int rc = store_read(store, key, none, none, &reading, &job, why);
    for (bool more = rc == 0 && job; more; more = rc == ERR_AGAIN)
        rc = read_step(job, &reading, why);
    read_job_destroy(&job);
    store_stats(store, &stats);
    if (rc == ERR_NOT_FOUND)
        return LOST;
    if (rc) {
        assert_int_equal(rc, ERR_DAMAGED);
        assert_non_null(strstr(why->text, name_contract(key).text));
        return NAMED;
    }
    struct slice state = slice_after(blob_slice(reading.bytes), reading.params_bytes);
    bool same = slice_equal(state, buffer_slice(&source.states[c]));
    if (!same && !(image->of_log && (stats.damaged || image->tail))) {
        print_error("contract %zu is served with another state\n", c);
        assert_true(same);
    }
    blob_release(&reading.bytes);
    return same ? SERVED : LESS;
}

static bool is_named(const struct check_report *report, const struct contract_key *key)
{
    for (size_t i = 0; i < report->named_count; i++)
        if (memcmp(report->named[i].bytes, key->bytes, STATE_PREFIX_BYTES) == 0)
            return true;
    return false;
}

/* As hosting does when a sync with a peer is done. */
static void heal(struct rig *rig, size_t c)
{
    const struct contract *contract = &source.subjects[c].contract;
    assert_int_equal(rig_merge(rig, contract, buffer_slice(&source.states[c]), NULL), 0);
    store_healed(rig->store, &contract->key);
}

static void assert_all_whole(struct rig *rig)
{
    for (size_t c = 0; c < DROPPED; c++) {
        struct buffer state = rig_read(rig, &source.subjects[c].contract, NULL, NULL);
        assert_true(slice_equal(buffer_slice(&state), buffer_slice(&source.states[c])));
        buffer_free(&state);
    }
}

/* Opens what lies in the work directory, asks it, heals it. Returns how it went at worst. */
static enum verdict examine(const struct image *image)
{
    struct rig rig;
    struct check_report report = {0}, after = {0};
    struct store_stats stats;
    enum verdict worst = SERVED;
    memset(&rig, 0, sizeof rig);
    memcpy(rig.dir, source.work, sizeof rig.dir);
    rig.options = source.options;
    rig.map_bytes = MAP_BYTES_FIRST;
    int checked = store_check_dir(rig.dir, NULL, NULL, &report, &rig.why);
    int rc = store_open(&rig.options, &rig.store, &rig.why);
    if (rc) {
        assert_int_equal(rc, ERR_DAMAGED);
        assert_true(checked == ERR_DAMAGED || report.damaged);
        return REFUSED;
    }
    assert_int_equal(checked, 0);
    store_stats(rig.store, &stats);
    if (*store_repaired(rig.store) || stats.damaged || stats.marked)
        assert_true(report.damaged > 0);
    bool unnamed = strstr(store_repaired(rig.store), "cannot be named");
    for (size_t c = 0; c < DROPPED; c++) {
        enum verdict verdict = ask(rig.store, c, image, &rig.why);
        assert_true(verdict != LOST || unnamed);
        worst = verdict > worst ? verdict : worst;
        if (verdict == NAMED && !image->of_log && report.named_count < CHECK_NAMED_MAX)
            assert_true(is_named(&report, &source.subjects[c].contract.key));
        if (verdict != SERVED)
            heal(&rig, c);
    }
    assert_all_whole(&rig);
    rig_fold(&rig);
    rig_reopen(&rig);
    assert_all_whole(&rig);
    store_close(&rig.store);
    assert_int_equal(store_check_dir(rig.dir, NULL, NULL, &after, &rig.why), 0);
    for (size_t c = 0; c < DROPPED; c++)
        assert_false(is_named(&after, &source.subjects[c].contract.key));
    return worst;
}

/* In a process of its own, which must end by itself. */
static enum verdict examine_apart(const struct image *image)
{
    int status;
    remove_dir(source.work);
    assert_int_equal(mkdir(source.work, 0700), 0);
    char log_dir[80];
    (void)snprintf(log_dir, sizeof log_dir, "%s/log", source.work);
    assert_int_equal(mkdir(log_dir, 0700), 0);
    file_write(source.work, "format", slice_text("weir data format 2\n"));
    file_write(source.work, "state.mdb",
               image->of_log ? buffer_slice(&source.tables) : buffer_slice(&image->bytes));
    file_write(source.work, source.log_name,
               image->of_log ? buffer_slice(&image->bytes) : buffer_slice(&source.log));
    struct buffer spare = {0};
    assert_non_null(buffer_grow(&spare, SEGMENT));
    file_write(source.work, "log/00000000000000ff.log", buffer_slice(&spare));
    buffer_free(&spare);
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(SECONDS_MAX);
        (void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* an assertion is not to go on in the child */
        _exit(100 + (int)examine(image));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) < 100)
        fail_msg("%s: %s %d", image->what, WIFSIGNALED(status) ? "signal" : "exit",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return (enum verdict)(WEXITSTATUS(status) - 100);
}

/* --- damage ------------------------------------------------------------------------------ */

static struct image copy_of(bool of_log)
{
    struct image image = {.of_log = of_log};
    buffer_append_slice(&image.bytes,
                        of_log ? buffer_slice(&source.log) : buffer_slice(&source.tables));
    return image;
}

static size_t used(bool of_log)
{
    return of_log ? source.log_end : source.tables.size;
}

static bool is_tail(bool of_log, size_t end)
{
    return of_log && end > (source.log_end - 1) / PAGE * PAGE;
}

static struct image flipped(bool of_log)
{
    struct image image = copy_of(of_log);
    size_t at = random_below(used(of_log)), bit = random_below(8);
    image.tail = is_tail(of_log, at + 1);
    image.bytes.data[at] = (uint8_t)(image.bytes.data[at] ^ 1u << bit);
    (void)snprintf(image.what, sizeof image.what, "%s, bit %zu of byte %zu",
                   of_log ? "log" : "state.mdb", bit, at);
    return image;
}

static struct image cut(bool of_log)
{
    struct image image = copy_of(of_log);
    size_t unit = random_below(2) ? PAGE : 1;
    image.bytes.size = random_below(used(of_log) / unit) * unit;
    (void)snprintf(image.what, sizeof image.what, "%s, cut to %zu bytes",
                   of_log ? "log" : "state.mdb", image.bytes.size);
    return image;
}

static struct image zeroed(bool of_log)
{
    struct image image = copy_of(of_log);
    size_t page = random_below(used(of_log) / PAGE), pages = 1 + random_below(3);
    image.tail = is_tail(of_log, (page + pages) * PAGE);
    for (size_t i = page * PAGE; i < (page + pages) * PAGE && i < image.bytes.size; i++)
        image.bytes.data[i] = 0;
    (void)snprintf(image.what, sizeof image.what, "%s, %zu zeroed pages from %zu on",
                   of_log ? "log" : "state.mdb", pages, page);
    return image;
}

static size_t times(size_t usual)
{
    size_t asked = setting_number("DAMAGE", 0, 1, UINT32_MAX);
    return asked ? asked * usual / FLIPS + 1 : usual;
}

static void damage(struct image (*make)(bool of_log), size_t count, size_t worst_max)
{
    static const char *const names[] = {"served", "named", "less", "lost", "refused"};
    size_t verdicts[REFUSED + 1] = {0};
    for (size_t i = 0; i < count; i++) {
        struct image image = make(i % 4 == 3);
        enum verdict verdict = examine_apart(&image);
        verdicts[verdict]++;
        if (verdict >= LOST && getenv("VERBOSE"))
            print_message("%s: %s\n", image.what, names[verdict]);
        buffer_free(&image.bytes);
    }
    for (size_t v = 0; v <= REFUSED; v++)
        print_message("%zu %s%s", verdicts[v], names[v], v < REFUSED ? ", " : "\n");
    assert_true(verdicts[SERVED] < count);
    assert_true(verdicts[LOST] + verdicts[REFUSED] <= worst_max);
}

static void a_flipped_bit_serves_no_wrong_state(void **state)
{
    (void)state;
    damage(flipped, times(FLIPS), 0);
}

static void a_file_cut_short_serves_no_wrong_state(void **state)
{
    (void)state;
    damage(cut, times(CUTS), times(CUTS));
}

static void zeroed_pages_serve_no_wrong_state(void **state)
{
    (void)state;
    damage(zeroed, times(ZEROED), times(ZEROED));
}

static int setup(void **state)
{
    (void)state;
    (void)seed_random();
    make_source();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    remove_dir(source.dir);
    remove_dir(source.work);
    for (size_t c = 0; c < CONTRACTS; c++) {
        subject_free(&source.subjects[c]);
        buffer_free(&source.states[c]);
    }
    buffer_free(&source.tables);
    buffer_free(&source.log);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_bit_serves_no_wrong_state),
        cmocka_unit_test(a_file_cut_short_serves_no_wrong_state),
        cmocka_unit_test(zeroed_pages_serve_no_wrong_state),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, setup, teardown);
}
