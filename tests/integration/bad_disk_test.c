/* A disk that fails under the real process: after a sync that failed nothing is acknowledged until
 * a restart, also when later syncs succeed; a page that cannot be read ends the node by itself, not
 * by a signal. Nothing acknowledged is lost either way. */
#include "tests/support/fields.h"
#include "tests/support/process.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { FIELDS = 4000, WAIT_MS = 60000, FAILED_SYNC = 30, TRIES = 20 };

static struct world {
    char data[64], log[80];
    struct process node;
    weir_t *client;
    struct fields fields;
} world;

static int set_up(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    data_dir_new(world.data);
    (void)snprintf(world.log, sizeof world.log, "%s.log", world.data);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    weir_destroy(&world.client);
    if (world.node.pid > 0)
        process_kill(&world.node);
    data_dir_remove(world.data);
    (void)unlink(world.log);
    return 0;
}

static void pause_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void connect_client(void)
{
    struct weir_options options = {.endpoint = world.node.endpoint, .timeout_ms = WAIT_MS};
    weir_destroy(&world.client);
    world.client = weir_new(&options);
    assert_non_null(world.client);
    assert_int_equal(weir_connect(world.client), 0);
}

static void put(void)
{
    connect_client();
    fields_put(&world.fields, world.client);
}

static int set(unsigned number, size_t bytes)
{
    return fields_set(&world.fields, world.client, number, bytes);
}

/* One sync of the log fails, and none after it. */
static void after_a_failed_sync_nothing_is_acknowledged_until_a_restart(void **state)
{
    (void)state;
    char inject[64];
    (void)snprintf(inject, sizeof inject, "inject=fdatasync:error=EIO:when=%d", FAILED_SYNC);
    const char *const strace[] = {"strace",          "-D", "-f",   "-qq", "-o", "/dev/null", "-e",
                                  "trace=fdatasync", "-e", inject, NULL};
    assert_true(process_try(&world.node, world.data, NULL, strace));
    put();
    unsigned n = 0;
    int rc = 0;
    while (rc == 0 && n < FIELDS - TRIES)
        rc = set(n++, 100);
    assert_int_equal(rc, WEIR_INTERNAL);
    assert_non_null(strstr(weir_error(world.client), "restart"));
    assert_true(n >= 10);
    for (unsigned i = 0; i < TRIES; i++, n++)
        assert_int_equal(set(n, 100), WEIR_INTERNAL);
    assert_int_equal(set(0, 99), WEIR_INTERNAL);
    const struct weir_reply *reply;
    assert_int_equal(weir_status(world.client, &reply), 0);
    assert_non_null(memmem(reply->json.data, reply->json.size, "could not be written", 20));
    (void)process_stop(&world.node);
    data_dir_check(world.data);
    process_start(&world.node, world.data, NULL);
    connect_client();
    fields_assert_read(&world.fields, world.client);
    assert_int_equal(set(FIELDS - 1, 100), 0);
}

/* --- a page that cannot be read ---------------------------------------------------------- */

static bool has_text(const char *path, const char *text)
{
    static char bytes[1 << 16];
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, bytes, sizeof bytes - 1);
    (void)close(fd);
    return n > 0 && memmem(bytes, (size_t)n, text, strlen(text));
}

static void wait_until_folded(void)
{
    const struct weir_reply *reply;
    for (unsigned i = 0; i < WAIT_MS / 50; i++) {
        assert_int_equal(weir_status(world.client, &reply), 0);
        if (memmem(reply->json.data, reply->json.size, "\"unfolded_bytes\":0", 18))
            return;
        pause_ms(50);
    }
    fail_msg("it was not folded");
}

/* As a disk does that fails at these pages: the file is cut under the map. Later they are there
 * again, the bytes that were. */
static void a_page_that_cannot_be_read_ends_the_node_with_a_sentence(void **state)
{
    (void)state;
    char path[96], aside[96];
    int log = open(world.log, O_WRONLY | O_CREAT | O_TRUNC, 0600), standard = dup(STDERR_FILENO);
    assert_true(log >= 0 && dup2(log, STDERR_FILENO) >= 0);
    process_start(&world.node, world.data, NULL);
    (void)dup2(standard, STDERR_FILENO);
    put();
    for (unsigned i = 0; i < 300; i++)
        assert_int_equal(set(i, 2000), 0);
    wait_until_folded();
    (void)snprintf(path, sizeof path, "%s/state.mdb", world.data);
    (void)snprintf(aside, sizeof aside, "%s/aside", world.data);
    char copy[256];
    (void)snprintf(copy, sizeof copy, "cp %s %s", path, aside);
    assert_int_equal(system(copy), 0);
    assert_int_equal(truncate(path, 2 * 4096), 0);
    const struct weir_reply *reply;
    struct weir_options options = {.endpoint = world.node.endpoint, .timeout_ms = 1000};
    weir_t *client = weir_new(&options);
    for (unsigned i = 0; i < 50 && !process_ended(&world.node); i++)
        (void)weir_get(client, world.fields.key, &reply);
    weir_destroy(&client);
    assert_true(process_ended(&world.node));
    if (!WIFEXITED(world.node.status) || WEXITSTATUS(world.node.status) != 1)
        fail_msg("it ended with status %x", (unsigned)world.node.status);
    assert_true(has_text(world.log, "cannot read a page of"));
    assert_true(has_text(world.log, "state.mdb"));
    assert_int_equal(rename(aside, path), 0);
    data_dir_check(world.data);
    process_start(&world.node, world.data, NULL);
    connect_client();
    fields_assert_read(&world.fields, world.client);
    (void)close(log);
    (void)close(standard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        CASE(after_a_failed_sync_nothing_is_acknowledged_until_a_restart),
        CASE(a_page_that_cannot_be_read_ends_the_node_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
