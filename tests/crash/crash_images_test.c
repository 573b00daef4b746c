/* Images of the disk as a loss of power may leave it: recorded from the store and from a whole node
 * (tests/crash/recorder.c), each looked at as a start of the node would, and compared with what
 * clients had been told. docs/decisions/0022-crash-images.md.
 *
 * IMAGES=5000 in all, SEED=…; a failing image says how it is made again: TRACE=file IMAGE=n. */
#include "tests/crash/crowd.h"
#include "tests/crash/disk.h"
#include "tests/crash/loads.h"
#include "tests/support/process.h"
#include "tests/support/scratch.h"
#include "tests/support/setting.h"
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IMAGES = 5000, NODE_SHARE = 16 }; /* a node's images are large: one in so many is its */

static char program[4096], recorder[4096];
static uint64_t seed;
static uint32_t images;

/* --- recording --------------------------------------------------------------------------- */

/* The recorder must be there from the start of a process, so this program starts itself anew. */
static void record_store(struct trace *trace, const char *trace_path, const char *data_dir)
{
    char text[32];
    (void)trace;
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        recording_begin(recorder, trace_path, data_dir);
        (void)execl(program, program, "record", text, (char *)NULL);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void record_node(struct trace *trace, const char *trace_path, const char *data_dir)
{
    random_start(seed);
    node_load(trace, trace_path, data_dir, recorder);
}

/* What is started by record_store. */
static int record(const char *text)
{
    struct trace *trace = trace_open(getenv("WEIR_TRACE"), false);
    if (sodium_init() < 0)
        return 1;
    store_load(trace, getenv("WEIR_TRACE_DATA"), strtoull(text, NULL, 10));
    trace_close(&trace);
    return 0;
}

/* --- looking ----------------------------------------------------------------------------- */

static void keep_trace(const struct trace *trace, const char *name, char path[64])
{
    (void)snprintf(path, 64, "/tmp/weir-crash-%s-%ld.trace", name, (long)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const uint8_t *bytes = (const uint8_t *)trace;
    for (uint64_t at = 0; at < trace_used(trace);) {
        ssize_t n = write(fd, bytes + at, trace_used(trace) - at);
        assert_true(n > 0);
        at += (uint64_t)n;
    }
    (void)close(fd);
}

static void look(struct images_wanted *wanted)
{
    struct images_found found = {0};
    images_look(wanted, getenv("PROGRESS") != NULL, &found);
    print_message("%s: SEED=%llu, %u images of %u syncs and %llu acknowledgements, %llu with data, "
                  "%.1f s (%.1f s of CPU)\n",
                  wanted->name, (unsigned long long)wanted->seed, found.looked_at, found.syncs,
                  (unsigned long long)found.told, (unsigned long long)found.folder_made,
                  found.seconds, found.cpu_seconds);
    if (found.failed != UINT32_MAX) {
        char kept[64];
        keep_trace(wanted->trace, wanted->name, kept);
        fail_msg("image %u of %u: %s\nagain: TRACE=%s SEED=%llu IMAGES=%u IMAGE=%u %s",
                 found.failed, wanted->count, found.why.text, kept, (unsigned long long)seed,
                 wanted->count, found.failed, program);
    }
    assert_true(found.told > 1000 && found.syncs > 20);
    assert_true(found.folder_made >= found.looked_at / 2);
}

/* Sanitizers take ten times as long. */
static uint32_t images_asked(void)
{
    const char *sanitizer = getenv("SANITIZE");
    uint32_t least = getenv("TRACE") ? 1 : 2 * NODE_SHARE;
    return (uint32_t)setting_number("IMAGES", sanitizer && *sanitizer ? IMAGES / 20 : IMAGES, least,
                                    UINT32_MAX);
}

/* A recording, and what is made from it. */
static void record_and(struct images_wanted *wanted,
                       void record_it(struct trace *, const char *, const char *),
                       void then(struct images_wanted *))
{
    char root[SCRATCH_PATH_MAX], trace_path[96], data_dir[96];
    scratch_make(root);
    (void)snprintf(trace_path, sizeof trace_path, "%s/trace", root);
    (void)snprintf(data_dir, sizeof data_dir, "%s/data", root);
    struct trace *trace = trace_open(trace_path, true);
    record_it(trace, trace_path, data_dir);
    remove_dir(data_dir);
    wanted->trace = trace;
    wanted->seed = seed;
    wanted->only = UINT32_MAX;
    then(wanted);
    trace_close(&trace);
    scratch_remove(root);
}

static void a_store_has_all_it_told_of_whatever_the_disk_kept(void **state)
{
    (void)state;
    struct images_wanted wanted = {.name = "store",
                                   .count = images - images / NODE_SHARE,
                                   .segment_bytes = STORE_LOAD_SEGMENT_BYTES,
                                   .map_bytes = STORE_LOAD_MAP_BYTES};
    record_and(&wanted, record_store, look);
}

static void a_node_has_all_it_told_of_whatever_the_disk_kept(void **state)
{
    (void)state;
    struct images_wanted wanted = {
        .name = "node", .count = images / NODE_SHARE, .map_bytes = MAP_BYTES_FIRST};
    record_and(&wanted, record_node, look);
}

/* Image 450 of the store's: the data folder itself was not there. */
static void assert_names_sure(struct images_wanted *wanted)
{
    static const char *const names[] = {".", "format", "state.mdb", "log"};
    static struct disk disk;
    uint64_t place = trace_first();
    const struct trace_event *event;
    while ((event = trace_at(wanted->trace, place))->type != TRACE_TELL)
        place += event->bytes;
    disk_init(&disk, wanted->trace);
    disk_advance(&disk, place);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (disk_find(&disk.sure, names[i]) < 0)
            fail_msg("%s may not be there when the first change is told to be", names[i]);
    disk_clear(&disk);
}

static void all_names_are_on_the_disk_before_anything_is_told(void **state)
{
    (void)state;
    struct images_wanted wanted = {.name = "store"};
    record_and(&wanted, record_store, assert_names_sure);
}

/* A trace that was kept, and one image of it. */
static void an_image_again(void **state)
{
    (void)state;
    const char *path = getenv("TRACE");
    uint32_t only = (uint32_t)setting_number("IMAGE", UINT32_MAX, 0, UINT32_MAX);
    bool store = strstr(path, "-store-");
    struct trace *trace = trace_open(path, false);
    struct images_wanted wanted = {.name = store ? "store" : "node",
                                   .trace = trace,
                                   .seed = seed,
                                   .count = images,
                                   .only = only,
                                   .segment_bytes = store ? STORE_LOAD_SEGMENT_BYTES : 0,
                                   .map_bytes = store ? STORE_LOAD_MAP_BYTES : MAP_BYTES_FIRST};
    struct images_found found = {0};
    images_look(&wanted, true, &found);
    if (found.failed != UINT32_MAX)
        fail_msg("image %u: %s", found.failed, found.why.text);
    trace_close(&trace);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_names_are_on_the_disk_before_anything_is_told),
        cmocka_unit_test(a_store_has_all_it_told_of_whatever_the_disk_kept),
        cmocka_unit_test(a_node_has_all_it_told_of_whatever_the_disk_kept),
    };
    const struct CMUnitTest again[] = {cmocka_unit_test(an_image_again)};
    if (argc == 3 && strcmp(argv[1], "record") == 0)
        return record(argv[2]);
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    program[size < 0 ? 0 : size] = 0;
    (void)snprintf(recorder, sizeof recorder, "%.*s/recorder.so",
                   (int)(strrchr(program, '/') - program), program);
    seed = seed_random();
    images = images_asked();
    return getenv("TRACE") ? cmocka_run_group_tests(again, NULL, NULL)
                           : cmocka_run_group_tests(tests, NULL, NULL);
}
