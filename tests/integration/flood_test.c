/* lessons C3, C4, C5 between processes: 10,000 updates a second are offered at a node while one of
 * the two that follow it is stopped 99 hundredths of the time. Nothing is lost, nobody dials, the
 * node's memory has a bound, and the healthy follower does not notice. */
#include "tests/support/rooted.h"
#include "tests/support/measures.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    SENDER,
    SLOW,
    HEALTHY,
    NODES,
    RATE_MS = 10, /* updates offered each millisecond */
    UPDATES = 20000,
    SLOW_UPDATES = 40000,
    UPDATE_BYTES = 200,
    WINDOW = 1024,
    STOPPED_MS = 495,
    RUNS_MS = 5,
    PROBES_MAX = 4096,
    PROBE_EVERY_MS = 10,
    NOISE_MS = 150, /* of a machine with other work: what is looked for takes seconds */
    SETTLE_MS = 60000,
    QUEUE_BYTES_MAX = 2 << 20,
    MEMORY_KIB_MAX = 128 << 10,
};

static struct network network;

static int end_network(void **state)
{
    (void)state;
    network_end(&network);
    return 0;
}

/* --- the flood ---------------------------------------------------------------------------- */

struct flood {
    const uint8_t *key;
    size_t count, first;
    size_t taken, failed;
    atomic_bool over;
};

static void on_taken(weir_t *w, const struct weir_reply *reply, void *argument)
{
    struct flood *flood = (struct flood *)argument;
    (void)w;
    flood->taken += reply->code == 0;
    flood->failed += reply->code != 0;
}

/* Offers so many each millisecond; a full window makes it wait, and what it could not offer
 * meanwhile comes at once then. */
static void *run_flood(void *argument)
{
    struct flood *flood = (struct flood *)argument;
    struct weir_options options = {.endpoint = network.nodes[SENDER].process.endpoint,
                                   .window = WINDOW,
                                   .timeout_ms = SETTLE_MS};
    weir_t *w = weir_new(&options);
    int64_t start = network_now_ms();
    for (size_t i = 0; i < flood->count; i++) {
        char text[UPDATE_BYTES];
        memset(text, 'x', sizeof text);
        (void)snprintf(text, sizeof text, "%zu", flood->first + i);
        struct weir_bytes data = {text, sizeof text};
        while ((int64_t)i >= (network_now_ms() - start + 1) * RATE_MS)
            (void)weir_step(w, 1);
        if (weir_edit_async(w, flood->key, "append", &data, 1, on_taken, flood) != 0)
            flood->failed++;
    }
    (void)weir_drain(w);
    weir_destroy(&w);
    atomic_store(&flood->over, true);
    return NULL;
}

struct slowing {
    pid_t pid;
    atomic_bool over;
};

static void *slow_down(void *argument)
{
    struct slowing *slowing = (struct slowing *)argument;
    while (!atomic_load(&slowing->over)) {
        (void)kill(slowing->pid, SIGSTOP);
        network_pause_ms(STOPPED_MS);
        (void)kill(slowing->pid, SIGCONT);
        network_pause_ms(RUNS_MS);
    }
    return NULL;
}

/* --- the healthy one ---------------------------------------------------------------------- */

static void on_event(weir_t *w, const struct weir_event *event, void *events)
{
    (void)w;
    assert_int_not_equal(event->kind, WEIR_EVENT_ENDED);
    ++*(size_t *)events;
}

/* An update at the sender until it is told at the healthy one, in ms. */
static int64_t probe(const uint8_t key[32], const size_t *events)
{
    static unsigned number;
    char value[16];
    size_t before = *events;
    int64_t start = network_now_ms();
    (void)snprintf(value, sizeof value, "%u", number++);
    assert_int_equal(
        weir_map_set(network.nodes[SENDER].client, key, weir_text("probe"), weir_text(value)), 1);
    while (*events == before) {
        if (network_now_ms() > start + SETTLE_MS)
            fail_msg("the healthy node is not told");
        assert_true(weir_step(network.nodes[HEALTHY].client, 1000) >= 0);
    }
    return network_now_ms() - start;
}

/* What the sender has waiting for one peer. */
static int64_t queue_for(size_t node)
{
    json_t *peers = network_peers(&network, SENDER), *peer;
    int64_t queue = 0;
    size_t i;
    json_array_foreach (peers, i, peer)
        if (strcmp(json_string_value(json_object_get(peer, "id")), network.nodes[node].id) == 0)
            queue = (int64_t)json_integer_value(json_object_get(peer, "queue"));
    json_decref(peers);
    return queue;
}

/* Floods, and meanwhile probes. Returns the median in ms. */
static int64_t flood_and_probe(struct flood *flood, const uint8_t probed[32], size_t *events)
{
    struct measures took = {0};
    int64_t waiting = 0;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_flood, flood), 0);
    while (!atomic_load(&flood->over) && took.count < PROBES_MAX) {
        measures_add(&took, probe(probed, events));
        int64_t queue = queue_for(SLOW);
        waiting = queue > waiting ? queue : waiting;
        network_pause_ms(PROBE_EVERY_MS);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(flood->failed, 0);
    assert_int_equal(flood->taken, flood->count);
    int64_t median = measures_percent(&took, 50);
    print_message("%zu updates, %zu probes: median %lld ms, longest %lld ms; %lld bytes waited\n",
                  flood->count, took.count, (long long)median,
                  (long long)measures_percent(&took, 100), (long long)waiting);
    measures_free(&took);
    assert_true(waiting < QUEUE_BYTES_MAX);
    return median;
}

/* --- afterwards --------------------------------------------------------------------------- */

static int count_item(void *count, const struct weir_item *item)
{
    (void)item;
    ++*(size_t *)count;
    return 0;
}

static size_t entries_at(size_t node, const uint8_t key[32])
{
    const struct weir_reply *reply;
    weir_contract_t *contract;
    size_t count = 0;
    assert_int_equal(weir_get(network.nodes[node].client, key, &reply), 0);
    assert_int_equal(weir_contract_new(reply->kind, reply->params, &contract, NULL), 0);
    assert_int_equal(weir_items(contract, reply->state, count_item, &count, NULL), 0);
    weir_contract_destroy(&contract);
    return count;
}

static bool all_have(size_t count, const uint8_t key[32])
{
    int64_t end = network_now_ms() + SETTLE_MS;
    for (size_t node = 0; node < NODES; node++)
        while (entries_at(node, key) != count) {
            if (network_now_ms() > end)
                return false;
            network_pause_ms(50);
        }
    return true;
}

static void assert_equal_fingerprints(const uint8_t key[32])
{
    uint8_t first[32];
    for (size_t node = 0; node < NODES; node++) {
        const struct weir_reply *reply;
        assert_int_equal(weir_get(network.nodes[node].client, key, &reply), 0);
        if (node == 0)
            memcpy(first, reply->fingerprint, sizeof first);
        assert_memory_equal(first, reply->fingerprint, sizeof first);
    }
}

static int64_t connections_made(void)
{
    int64_t made = 0;
    for (size_t node = 0; node < NODES; node++)
        made += network_count(&network, node, "dials") + network_count(&network, node, "opened");
    return made;
}

static void a_flood_slows_its_sender_and_nobody_else(void **state)
{
    (void)state;
    uint8_t flooded[32], probed[32];
    size_t events = 0;
    network_start(&network, NODES, (const char *const[]){"--log-level", "warn", NULL});
    assert_true(network_settles(&network, NODES - 1, SETTLE_MS));
    rooted_put(&network, SENDER, "log", flooded); /* both others follow it, not each other */
    rooted_put(&network, SENDER, "map", probed);
    assert_int_equal(weir_subscribe(network.nodes[HEALTHY].client, probed, NULL, on_event, &events),
                     0);
    struct flood flood = {.key = flooded, .count = UPDATES};
    int64_t with_all_well = flood_and_probe(&flood, probed, &events);
    int64_t made = connections_made();

    struct slowing slowing = {.pid = network.nodes[SLOW].process.pid};
    struct flood second = {.key = flooded, .count = SLOW_UPDATES, .first = UPDATES};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, slow_down, &slowing), 0);
    int64_t beside_slow = flood_and_probe(&second, probed, &events);
    atomic_store(&slowing.over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);

    assert_true(beside_slow <= 2 * with_all_well + NOISE_MS); /* lesson C5 */
    int64_t over = network_now_ms();
    assert_true(all_have(UPDATES + SLOW_UPDATES, flooded)); /* lesson C3: none is lost … */
    print_message("all have all after %lld ms\n", (long long)(network_now_ms() - over));
    assert_equal_fingerprints(flooded);
    assert_int_equal(connections_made(), made); /* … and no connection is opened for it */
    int64_t memory = network_memory_peak_kib(&network, SENDER);
    print_message("the sender's memory: at most %lld KiB\n", (long long)memory);
    assert_true(memory < MEMORY_KIB_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_flood_slows_its_sender_and_nobody_else, end_network),
    };
    return cmocka_run_group_tests_name("flood", tests, NULL, NULL);
}
