/* A disk that is full, with the real process: writes are refused with STORE_FULL, what is there is
 * read, subscriptions go on, and within RECOVER_MS after there is room again writes are taken,
 * without a restart. Nothing that was acknowledged is missing afterwards.
 *
 * On tmpfs, which anyone may mount in a namespace of its own, and on ext4, which needs root and a
 * loop device. Where there is none the test says so and goes on with tmpfs; DISK=all (`make disk`)
 * fails then. */
#include "client/clock.h"
#include "tests/support/fields.h"
#include "tests/support/process.h"
#include "tests/support/small_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { RECOVER_MS = 5000, WAIT_MS = 60000 }; /* WAIT_MS: only a fault takes that long */
enum { FIELDS = 300, VALUE_BYTES = 2000, OPEN = 32, MIB = 1 << 20 };

static struct world {
    struct small_disk disk;
    char data[96];
    struct process node;
    weir_t *client, *follower;
    struct fields fields;
    unsigned told;       /* events that the follower got */
    unsigned sent, open; /* writes of the load */
    unsigned refused;    /* of them, with STORE_FULL */
} world;

/* --- a client ---------------------------------------------------------------------------- */

static int set(unsigned number)
{
    return fields_set(&world.fields, world.client, number, VALUE_BYTES);
}

static void on_event(weir_t *w, const struct weir_event *event, void *arg)
{
    (void)w, (void)arg;
    assert_int_not_equal(event->kind, WEIR_EVENT_ENDED);
    world.told++;
}

static void wait_for_event(unsigned before)
{
    for (uint64_t end = monotonic_ms() + WAIT_MS; world.told == before;) {
        assert_true(monotonic_ms() < end);
        assert_true(weir_step(world.follower, 100) >= 0);
    }
}

static weir_t *client_new(void)
{
    struct weir_options options = {
        .endpoint = world.node.endpoint, .window = OPEN, .timeout_ms = WAIT_MS};
    weir_t *w = weir_new(&options);
    assert_non_null(w);
    return w;
}

/* Follows anew, as a client that comes now. */
static void follow(void)
{
    weir_destroy(&world.follower);
    world.follower = client_new();
    unsigned before = world.told;
    assert_int_equal(weir_subscribe(world.follower, world.fields.key, NULL, on_event, NULL), 0);
    wait_for_event(before);
}

static void connect_clients(void)
{
    weir_destroy(&world.client);
    world.client = client_new();
    follow();
}

static void put_and_fill(void)
{
    if (!world.client)
        world.client = client_new();
    fields_put(&world.fields, world.client);
    for (unsigned i = 0; i < FIELDS; i++)
        assert_int_equal(set(i), 0);
}

/* --- a full disk ------------------------------------------------------------------------- */

static void on_set(weir_t *w, const struct weir_reply *reply, void *arg)
{
    unsigned number = (unsigned)(uintptr_t)arg;
    (void)w;
    world.open--;
    world.refused += reply->code == WEIR_STORE_FULL;
    world.fields.acknowledged[number] |= reply->code == 0;
    if (reply->code && reply->code != WEIR_STORE_FULL)
        fail_msg("%d: %s", reply->code, reply->sentence);
}

/* Writes more and more until it is refused. */
static void write_until_full(void)
{
    world.refused = 0;
    for (uint64_t end = monotonic_ms() + WAIT_MS; world.refused == 0 || world.open;) {
        assert_true(monotonic_ms() < end && world.sent < FIELDS_MAX - OPEN);
        while (world.refused == 0 && world.open < OPEN - 1) {
            unsigned number = FIELDS + world.sent++;
            struct field_name field = field_name(number);
            struct weir_bytes operands[2] = {weir_text(field.text), field_value(VALUE_BYTES)};
            world.open++;
            assert_int_equal(weir_edit_async(world.client, world.fields.key, "set", operands, 2,
                                             on_set, (void *)(uintptr_t)number),
                             0);
        }
        assert_true(weir_step(world.client, 20) >= 0);
    }
}

/* (Under --max-store a fold makes a little room again: then more is written.) */
static void assert_refused(void)
{
    int rc;
    while ((rc = set(0)) == 0)
        write_until_full();
    assert_int_equal(rc, WEIR_STORE_FULL);
    assert_false(process_ended(&world.node));
    fields_assert_read(&world.fields, world.client);
    follow(); /* also who comes now */
}

/* There is room since `since`. */
static void assert_recovers(uint64_t since, const char *what)
{
    unsigned before = world.told;
    int rc;
    while ((rc = set(1)) == WEIR_STORE_FULL && monotonic_ms() - since < RECOVER_MS)
        ;
    uint64_t took_ms = monotonic_ms() - since;
    if (rc)
        fail_msg("%s: %s", what, weir_error(world.client));
    print_message("%s: written again after %llu ms\n", what, (unsigned long long)took_ms);
    assert_true(took_ms < RECOVER_MS);
    wait_for_event(before);
}

/* Killed and started again it has all that was acknowledged. */
static void assert_durable(void)
{
    process_kill(&world.node);
    data_dir_check(world.data);
    process_start(&world.node, world.data, NULL);
    connect_clients();
    fields_assert_read(&world.fields, world.client);
}

static bool begin_disk(enum small_disk_kind kind, uint64_t bytes)
{
    memset(&world, 0, sizeof world);
    if (!small_disk_make(&world.disk, kind, bytes)) {
        const char *disk = getenv("DISK");
        if (kind == DISK_tmpfs || (disk && strcmp(disk, "all") == 0))
            fail_msg("this %s cannot be mounted: ext4 needs root and a loop device",
                     kind == DISK_ext4 ? "ext4" : "tmpfs");
        print_message("no root or no loop device here: tmpfs only; `make disk` asks for ext4\n");
        return false;
    }
    (void)snprintf(world.data, sizeof world.data, "%s/data", world.disk.at);
    return true;
}

static int end_disk(void **state)
{
    (void)state;
    weir_destroy(&world.client);
    weir_destroy(&world.follower);
    if (world.node.pid > 0)
        process_kill(&world.node);
    if (*world.disk.at)
        small_disk_remove(&world.disk);
    return 0;
}

/* Others fill the disk while a client writes; then there is room again. Twice: `left` bytes stay
 * free, and none. */
static void fills_and_recovers(uint64_t left)
{
    process_start(&world.node, world.data, NULL);
    put_and_fill();
    follow();
    for (unsigned round = 0; round < 2; round++) {
        small_disk_fill(&world.disk, round ? 0 : left);
        write_until_full();
        assert_refused();
        small_disk_clear(&world.disk);
        assert_recovers(monotonic_ms(), round ? "nothing was left" : "little was left");
    }
    small_disk_fill(&world.disk, 0);
    write_until_full();
    assert_durable(); /* and a start on a full disk */
    assert_refused();
    small_disk_clear(&world.disk);
    assert_recovers(monotonic_ms(), "started on a full disk");
    assert_durable();
    assert_int_equal(process_stop(&world.node), 0);
    data_dir_check(world.data);
}

static void a_full_tmpfs_refuses_writes_and_recovers(void **state)
{
    (void)state;
    if (begin_disk(DISK_tmpfs, 96 * MIB))
        fills_and_recovers(4 * MIB);
}

static void a_full_ext4_refuses_writes_and_recovers(void **state)
{
    (void)state;
    if (begin_disk(DISK_ext4, 112 * MIB))
        fills_and_recovers(8 * MIB);
}

/* --- a disk that is too small ------------------------------------------------------------ */

static void backup(const char *to)
{
    const struct weir_reply *reply;
    if (weir_backup(world.client, to, &reply))
        fail_msg("%s", weir_error(world.client));
}

/* A node's data, backed up to a disk on which it has no room to write anything. */
static void serves_what_it_has(void)
{
    char elsewhere[64];
    data_dir_new(elsewhere);
    process_start(&world.node, elsewhere, NULL);
    put_and_fill();
    backup(world.data);
    process_kill(&world.node);
    data_dir_remove(elsewhere);
    process_start(&world.node, world.data, NULL);
    connect_clients();
    assert_int_equal(set(0), WEIR_STORE_FULL);
    assert_refused();
}

static void a_tmpfs_of_4_mib_is_read_and_written_when_it_grows(void **state)
{
    (void)state;
    if (!begin_disk(DISK_tmpfs, 4 * MIB))
        return;
    serves_what_it_has();
    assert_true(small_disk_resize(&world.disk, 96 * MIB));
    assert_recovers(monotonic_ms(), "it grew");
    assert_durable();
}

static void an_ext4_of_8_mib_is_read(void **state)
{
    (void)state;
    if (!begin_disk(DISK_ext4, 8 * MIB))
        return;
    serves_what_it_has();
    assert_durable();
    assert_refused();
}

/* Not by a signal either: LMDB's lock file is written through a map. */
static void a_first_start_on_a_full_disk_says_so(void **state)
{
    (void)state;
    if (!begin_disk(DISK_tmpfs, 4 * MIB))
        return;
    static const uint64_t left[] = {0, 4096, 8192, 16384, 32768, 65536};
    for (unsigned i = 0; i < sizeof left / sizeof left[0]; i++) {
        small_disk_fill(&world.disk, left[i]);
        bool ready = process_try(&world.node, world.data, NULL, NULL);
        if (!ready && (!WIFEXITED(world.node.status) || WEXITSTATUS(world.node.status) != 1))
            fail_msg("%u bytes left: status %x", (unsigned)left[i], (unsigned)world.node.status);
        if (ready)
            process_kill(&world.node);
        small_disk_clear(&world.disk);
    }
    process_start(&world.node, world.data, NULL);
}

/* --- limits ------------------------------------------------------------------------------ */

static void begin_folder(void)
{
    memset(&world, 0, sizeof world);
    assert_true(begin_disk(DISK_tmpfs, 128 * MIB));
}

/* What is removed makes room, and is not refused itself. */
static void a_full_max_store_refuses_writes_and_recovers_by_removing(void **state)
{
    (void)state;
    static const char *const options[] = {"--max-store", "6M", NULL};
    begin_folder();
    process_start(&world.node, world.data, options);
    put_and_fill();
    follow();
    write_until_full();
    assert_refused();
    for (unsigned i = 2; i < FIELDS + world.sent; i++) {
        if (!world.fields.acknowledged[i])
            continue;
        int rc = weir_map_remove(world.client, world.fields.key, weir_text(field_name(i).text));
        if (rc < 0)
            fail_msg("%s", weir_error(world.client));
        world.fields.acknowledged[i] = false;
    }
    assert_recovers(monotonic_ms(), "--max-store");
    assert_durable();
}

/* A limit on the size of files, which the system tells by a signal. */
static void a_limit_on_files_refuses_writes_and_recovers(void **state)
{
    (void)state;
    struct rlimit limit = {.rlim_cur = 8 * MIB, .rlim_max = RLIM_INFINITY}, before;
    static const char *const command[] = {"prlimit", "--fsize=8388608:", NULL};
    begin_folder();
    assert_true(process_try(&world.node, world.data, NULL, command));
    world.client = client_new();
    const struct weir_reply *reply;
    struct weir_bytes none = {0};
    assert_int_equal(weir_put(world.client, "map", none, none, &reply), WEIR_STORE_FULL);
    assert_false(process_ended(&world.node));
    assert_int_equal(prlimit(world.node.pid, RLIMIT_FSIZE, NULL, &before), 0);
    assert_int_equal(before.rlim_cur, limit.rlim_cur);
    limit.rlim_cur = before.rlim_max;
    limit.rlim_max = before.rlim_max;
    assert_int_equal(prlimit(world.node.pid, RLIMIT_FSIZE, &limit, NULL), 0);
    uint64_t since = monotonic_ms();
    while (weir_put(world.client, "map", none, none, &reply) == WEIR_STORE_FULL)
        assert_true(monotonic_ms() - since < RECOVER_MS);
    put_and_fill();
    assert_durable();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_full_tmpfs_refuses_writes_and_recovers, end_disk),
        cmocka_unit_test_teardown(a_full_ext4_refuses_writes_and_recovers, end_disk),
        cmocka_unit_test_teardown(a_tmpfs_of_4_mib_is_read_and_written_when_it_grows, end_disk),
        cmocka_unit_test_teardown(an_ext4_of_8_mib_is_read, end_disk),
        cmocka_unit_test_teardown(a_first_start_on_a_full_disk_says_so, end_disk),
        cmocka_unit_test_teardown(a_full_max_store_refuses_writes_and_recovers_by_removing,
                                  end_disk),
        cmocka_unit_test_teardown(a_limit_on_files_refuses_writes_and_recovers, end_disk),
    };
    if (!small_disk_begin()) {
        (void)fprintf(stderr, "no mount namespace can be made here: root, or a system that gives "
                              "users namespaces, is needed\n");
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
