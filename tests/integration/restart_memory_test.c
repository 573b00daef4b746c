/* A node that was killed reads what its log has beyond LMDB, a segment at a time, when it starts
 * again; it does not keep the memory that this took. */
#include "client/weir.h"
#include "tests/support/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { KIB_MAX = 12 << 10 }; /* it has about 4 MiB; a segment has 16 */

static void write_something(const struct process *node)
{
    const struct weir_options options = {.endpoint = node->endpoint};
    const struct weir_bytes none = {0};
    const struct weir_reply *reply;
    weir_t *client = weir_new(&options);
    if (weir_put(client, "counter", none, none, &reply) != 0)
        fail_msg("put: %s", weir_error(client));
    weir_destroy(&client);
}

static void a_start_gives_back_what_it_read_of_the_log(void **state)
{
    (void)state;
    char dir[64];
    struct process node;
    data_dir_new(dir);
    process_start(&node, dir, NULL);
    write_something(&node);
    process_kill(&node);
    process_start(&node, dir, NULL);
    double kib = process_memory_kib(&node);
    process_kill(&node);
    data_dir_remove(dir);
    if (kib > KIB_MAX)
        fail_msg("%.0f KiB after a start, more than %d", kib, KIB_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_gives_back_what_it_read_of_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
