#include "tests/crash/loads.h"

#include "tests/crash/client_load.h"
#include "tests/support/process.h"
#include "tests/unit/store_fixture.h"

/* Enough for several segments of the log and several folds; a kill after the first half. */
enum { HALF_BYTES = 26 << 20, OPEN = 128, VALUE_MAX = 12000, FIELDS = 150 };

static void send_half(struct client_load *client)
{
    for (size_t sent = 0, bytes; sent < (size_t)HALF_BYTES; sent += bytes)
        assert_int_equal(client_load_ask(client, &bytes), 0);
}

static void start(struct process *node, const char *trace_path, const char *data_dir,
                  const char *recorder)
{
    recording_begin(recorder, trace_path, data_dir);
    process_start(node, data_dir, NULL);
    recording_end();
}

void node_load(struct trace *trace, const char *trace_path, const char *data_dir,
               const char *recorder)
{
    struct client_load client = {.trace = trace, .fields = FIELDS, .value_max = VALUE_MAX};
    struct process node;
    start(&node, trace_path, data_dir, recorder);
    assert_int_equal(client_load_open(&client, node.endpoint, OPEN), 0);
    send_half(&client);
    trace_hold(trace); /* the node writes no event now */
    process_kill(&node);
    trace_let_go(trace);
    client_load_close(&client);
    start(&node, trace_path, data_dir, recorder);
    assert_int_equal(client_load_open(&client, node.endpoint, OPEN), 0);
    send_half(&client);
    assert_int_equal(weir_drain(client.w), 0);
    client_load_close(&client);
    assert_int_equal(process_stop(&node), 0);
}
