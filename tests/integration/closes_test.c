/* Close truth: however a connection ends (FIN, RST, its process killed, a goodbye), and whatever
 * the node on the other side does at that moment, it reports the end once, with its reason, within
 * 100 ms of running (lesson L2). The far ends are played here; some are nodes of their own.
 *
 * CLOSES=n in all; WITHIN_MS=n: the bound on each (else one that only a fault reaches). */
#include "tests/integration/far_end.h"
#include "tests/support/node_log.h"
#include "tests/support/measures.h"
#include "tests/support/setting.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

enum {
    CLOSES = 280, /* in make check */
    CLOSES_MAX = 1000000,
    ONE_IN_NODES = 25, /* so many of them are ends of nodes */
    BATCH = 16,        /* at once */
    PATIENCE_MS = 30000,
    STOPPED_MS_MAX = 300,
    LOAD_WINDOW = 64,
    FIELDS = 500,
    VALUE_BYTES = 200,
};

/* What the receiver does then. opening: it has not been seen to admit the connection. */
enum receiver { RECEIVER_idle, RECEIVER_opening, RECEIVER_busy, RECEIVER_stopped, RECEIVER_COUNT };
static const char *const receivers[RECEIVER_COUNT] = {"idle", "opening", "busy", "stopped"};

static struct network network; /* 0: the receiver; 1: its neighbour; then nodes that end */
static struct node_log node_log;
static struct far_end ends[BATCH];
static size_t ends_count;
static size_t closes_wanted;
static int within_ms;

static int end_network(void **state)
{
    (void)state;
    node_log_close(&node_log);
    network_end(&network);
    return 0;
}

/* --- what the receiver reports ----------------------------------------------------------- */

static struct far_end *end_of(const char *text)
{
    for (size_t i = 0; i < ends_count; i++)
        if (strncmp(text, ends[i].id, strlen(ends[i].id)) == 0)
            return &ends[i];
    return NULL;
}

/* A line of the log. Of two connections between nodes that dialled each other one goes as a
 * duplicate. */
static void hear(const char *line, struct measures *samples)
{
    const char *text;
    int64_t at_ms = node_log_time_ms(line, &text);
    struct far_end *end = strncmp(text, "peer ", 5) == 0 ? end_of(text + 5) : NULL;
    if (!end)
        return;
    text += 5 + strlen(end->id);
    if (strncmp(text, " is live", 8) == 0) {
        assert_false(end->live || end->gone);
        end->live = true;
    } else if (strncmp(text, " is gone", 8) == 0) {
        assert_true(end->live);
        end->live = false;
        if (end->node && strstr(text, "another connection"))
            return;
        if (end->closed_ms == 0)
            fail_msg("reported before it was closed: %s", line);
        end->gone = true;
        measures_add(samples, at_ms > end->closed_ms ? at_ms - end->closed_ms : 0);
    }
}

static bool are_all(bool gone)
{
    for (size_t i = 0; i < ends_count; i++)
        if (gone ? !ends[i].gone : !ends[i].live)
            return false;
    return true;
}

static void hear_until_all_are(bool gone, struct measures *samples)
{
    int64_t until = network_now_ms() + PATIENCE_MS;
    char line[512];
    while (!are_all(gone)) {
        int64_t left = until - network_now_ms();
        if (left <= 0 || !node_log_line(&node_log, line, (int)left))
            fail_msg("%s is not reported %s", end_kinds[ends[0].kind].text, gone ? "gone" : "live");
        hear(line, samples);
    }
}

/* What STATUS counted of the reasons that this kind of end has. */
static int64_t counted(enum end_kind kind)
{
    int64_t count = 0;
    for (size_t i = 0; i < 2; i++)
        if (end_kinds[kind].counts[i][0])
            count += network_count(&network, 0, end_kinds[kind].counts[i]);
    return count;
}

/* --- the receiver ------------------------------------------------------------------------ */

struct load {
    uint8_t key[32];
    atomic_bool over;
    _Atomic uint64_t answered;
    pthread_t thread;
};

static void on_set(weir_t *w, const struct weir_reply *reply, void *argument)
{
    (void)w, (void)reply;
    atomic_fetch_add(&((struct load *)argument)->answered, 1);
}

/* Updates at the receiver and at its neighbour, as many as they take; each goes to the other too.
 */
static void *keep_busy(void *argument)
{
    struct load *load = (struct load *)argument;
    char value[VALUE_BYTES];
    weir_t *handles[2];
    memset(value, 'x', sizeof value);
    for (size_t i = 0; i < 2; i++) {
        struct weir_options options = {.endpoint = network.nodes[i].process.endpoint,
                                       .window = LOAD_WINDOW,
                                       .timeout_ms = PATIENCE_MS};
        handles[i] = weir_new(&options);
    }
    for (unsigned n = 0; !atomic_load(&load->over); n++) {
        char field[16];
        (void)snprintf(field, sizeof field, "%u", n % FIELDS);
        (void)snprintf(value, sizeof value, "%u", n);
        struct weir_bytes words[] = {weir_text(field), {value, sizeof value}};
        (void)weir_edit_async(handles[n % 2], load->key, "set", words, 2, on_set, load);
    }
    for (size_t i = 0; i < 2; i++) {
        (void)weir_drain(handles[i]);
        weir_destroy(&handles[i]);
    }
    return NULL;
}

static void put_map(uint8_t key[32])
{
    const struct weir_reply *reply;
    const struct weir_bytes none = {0};
    assert_int_equal(weir_put(network.nodes[0].client, "map", none, none, &reply), 0);
    memcpy(key, reply->key, 32);
    assert_int_equal(weir_get(network.nodes[1].client, key, &reply), 0);
}

static void begin_load(struct load *load)
{
    atomic_store(&load->over, false);
    uint64_t before = atomic_load(&load->answered);
    int64_t until = network_now_ms() + PATIENCE_MS;
    assert_int_equal(pthread_create(&load->thread, NULL, keep_busy, load), 0);
    while (atomic_load(&load->answered) < before + 4 * LOAD_WINDOW) {
        assert_true(network_now_ms() < until);
        network_pause_ms(1);
    }
}

static void end_load(struct load *load)
{
    atomic_store(&load->over, true);
    assert_int_equal(pthread_join(load->thread, NULL), 0);
}

static void stop_receiver(void)
{
    pid_t pid = network.nodes[0].process.pid;
    int status;
    assert_int_equal(kill(pid, SIGSTOP), 0);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
}

/* From here on the time of all that ended is counted. */
static void continue_receiver(int stopped_ms)
{
    network_pause_ms(stopped_ms);
    int64_t now = node_log_now_ms();
    for (size_t i = 0; i < ends_count; i++)
        ends[i].closed_ms = now;
    assert_int_equal(kill(network.nodes[0].process.pid, SIGCONT), 0);
}

/* --- batches ----------------------------------------------------------------------------- */

/* All at the same moment, as near as that can be; opening: each as soon as it is open. */
static void open_and_end(enum end_kind kind, enum receiver receiver, size_t count,
                         struct measures *samples)
{
    ends_count = 0;
    for (size_t i = 0; i < count; i++) {
        far_end_open(&ends[i], &network, kind);
        ends_count++;
        if (receiver == RECEIVER_opening)
            far_end_close(&ends[i]);
    }
    if (receiver == RECEIVER_opening)
        return;
    hear_until_all_are(false, samples);
    if (receiver == RECEIVER_stopped)
        stop_receiver();
    for (size_t i = 0; i < count; i++)
        far_end_close(&ends[i]);
    if (receiver == RECEIVER_stopped)
        continue_receiver((int)(samples->count * 7 % STOPPED_MS_MAX));
}

static void batch(enum end_kind kind, enum receiver receiver, size_t count,
                  struct measures *samples, struct load *load)
{
    int64_t before = counted(kind);
    if (receiver == RECEIVER_busy)
        begin_load(load);
    open_and_end(kind, receiver, count, samples);
    hear_until_all_are(true, samples);
    if (receiver == RECEIVER_busy)
        end_load(load);
    assert_int_equal(counted(kind), before + (int64_t)count);
    while (ends_count)
        far_end_forget(&ends[--ends_count], &network);
}

/* Of all closes, those of one row: of an end and a state of the receiver. */
static size_t share(enum end_kind kind, enum receiver receiver)
{
    size_t all = closes_wanted, nodes = all / ONE_IN_NODES;
    if (!is_node(kind))
        return (all - nodes + 4 * RECEIVER_COUNT - 1) / (4 * RECEIVER_COUNT);
    return receiver == RECEIVER_opening ? 0 : (nodes + 5) / 6;
}

static size_t row(enum end_kind kind, enum receiver receiver, struct load *load)
{
    struct measures samples = {0};
    size_t all = share(kind, receiver);
    size_t most = is_node(kind) ? BATCH / 4 : BATCH;
    for (size_t done = 0; done < all;) {
        size_t count = all - done < most ? all - done : most;
        batch(kind, receiver, count, &samples, load);
        done += count;
    }
    if (all)
        print_message(
            "%-15s %-8s %5zu  median %lld ms, p99 %lld ms, longest %lld ms\n", end_kinds[kind].text,
            receivers[receiver], samples.count, (long long)measures_percent(&samples, 50),
            (long long)measures_percent(&samples, 99), (long long)measures_percent(&samples, 100));
    assert_int_equal(samples.count, all);
    assert_true(measures_percent(&samples, 100) <= within_ms);
    measures_free(&samples);
    return all;
}

/* The receiver, whose log is read, and a neighbour that hosts what it hosts. */
static void start_both(void)
{
    static const char *const telling[] = {"--log-level", "info", NULL};
    node_log_open(&node_log);
    network_start_apart(&network, 1, telling);
    node_log_opened(&node_log);
    (void)network_add(&network, (const char *const[]){"--log-level", "error", NULL});
    assert_true(network_settles(&network, 1, PATIENCE_MS));
}

static void every_close_is_reported_once_and_by_its_reason(void **state) /* lesson L2 */
{
    (void)state;
    static struct load load;
    size_t closes = 0;
    start_both();
    put_map(load.key);
    for (int kind = 0; kind < END_KIND_COUNT; kind++)
        for (int receiver = 0; receiver < RECEIVER_COUNT; receiver++)
            closes += row((enum end_kind)kind, (enum receiver)receiver, &load);
    print_message("%zu closes, each reported once\n", closes);
    assert_int_equal(network_live(&network, 0), 1); /* its neighbour */
}

int main(void)
{
    closes_wanted = setting_number("CLOSES", CLOSES, 1, CLOSES_MAX);
    within_ms = (int)setting_number("WITHIN_MS", PATIENCE_MS, 1, PATIENCE_MS);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_close_is_reported_once_and_by_its_reason, end_network),
    };
    return cmocka_run_group_tests_name("closes", tests, NULL, NULL);
}
