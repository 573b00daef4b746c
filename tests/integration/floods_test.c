/* Floods: thousands of strangers at the door of a node, thousands of greedy clients at its other
 * one: its memory has a bound, who is live hardly notices, a peer still joins, and when they are
 * gone nothing is left of them.
 *
 * FLOOD_SECONDS, FLOOD_CONNECTIONS, FLOOD_A_SECOND: how long, how many, how many made a second.
 * FLOOD_BOUNDS=1: times are bounded too, and not only printed. */
#include "base/limits.h"
#include "tests/integration/probes.h"
#include "tests/support/attackers.h"
#include "tests/support/decoy.h"
#include "tests/support/fake_peer.h"
#include "tests/support/greedy_client.h"
#include "tests/support/setting.h"
#include "tests/support/vitals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

enum {
    BESIEGED,
    ONE,
    OTHER,
    JOINER,
    CONNECTIONS = 400,
    A_SECOND = 1000,
    SECONDS = 3,
    SECONDS_MAX = 86400,
    CONNECTIONS_WANTED_MAX = 100000,
    A_SECOND_MAX = 1000000,
    SETTLE_MS = 30000, /* only a fault takes that long */
    JOIN_MS_MAX = 5000,
    BACK_MS_MAX = 10000,
    GROWTH_KIB_MAX = 64 << 10,
    PROBE_EVERY_MS = 2,
    LARGE_BYTES = 1 << 19,
    SLACK_US = 1000, /* of a machine with two cores */
};

static struct {
    size_t seconds, connections;
    unsigned a_second;
    bool bounded;
} wanted;
static struct network network;
static struct attackers attackers;
static struct decoy decoy;
static struct greedy_client greedy;

static pid_t besieged_pid(void)
{
    return network.nodes[BESIEGED].process.pid;
}

static int end_network(void **state)
{
    (void)state;
    attackers_free(&attackers);
    decoy_stop(&decoy);
    greedy_client_stop(&greedy);
    network_end(&network);
    return 0;
}

/* --- who joins --------------------------------------------------------------------------- */

struct joins {
    int64_t began_ms; /* 0: nobody joins */
    size_t count;
    int64_t longest_ms;
};

/* A node of its own keys begins to join the besieged one, its gateway. */
static void begin_join(struct joins *self)
{
    static const char *const quietly[] = {"--log-level", "error", NULL};
    (void)network_add(&network, quietly);
    self->began_ms = network_now_ms();
}

/* Has it joined? Then it is gone again. */
static void look_at_join(struct joins *self)
{
    if (!network_is_live(&network, BESIEGED, network.nodes[JOINER].id)) {
        assert_true(network_now_ms() < self->began_ms + SETTLE_MS);
        return;
    }
    int64_t took_ms = network_now_ms() - self->began_ms;
    self->longest_ms = took_ms > self->longest_ms ? took_ms : self->longest_ms;
    self->count++;
    self->began_ms = 0;
    network_remove_last(&network);
}

/* --- a siege ----------------------------------------------------------------------------- */

struct latency {
    int64_t p50_us, p99_us;
};

struct siege {
    const char *name;
    void (*attack)(const struct siege *self);
    struct attack_plan plan; /* of attackers */
    uint8_t key[32];         /* of the greedy client: what it asks for */
    struct probes probes;
    struct joins joins;
    struct latency calm, beside, during; /* beside: such an attack on another */
    int64_t memory_kib, growth_kib;
    size_t sockets;
    int64_t back_ms;
    uint64_t asked;
};

/* Nodes join meanwhile, one after the other. */
static void probe_for(struct siege *self, size_t ms)
{
    int64_t end = network_now_ms() + (int64_t)ms;
    measures_free(&self->probes.took_us);
    self->joins = (struct joins){.count = 0};
    for (size_t i = 0; network_now_ms() < end || self->joins.began_ms; i++) {
        probes_take(&self->probes);
        network_pause_ms(PROBE_EVERY_MS);
        if (!self->joins.began_ms)
            begin_join(&self->joins);
        else if (i % 8 == 0)
            look_at_join(&self->joins);
    }
}

/* The besieged one is the gateway of the others. What waits for the disk says nothing of the
 * network. */
static void start_all(void)
{
    network_start(&network, JOINER,
                  (const char *const[]){"--log-level", "error", "--durability", "relaxed", NULL});
    assert_true(network_settles(&network, JOINER - 1, SETTLE_MS));
}

static struct latency latency_of(struct siege *self)
{
    return (struct latency){measures_percent(&self->probes.took_us, 50),
                            measures_percent(&self->probes.took_us, 99)};
}

/* Waits until half of them have been there. */
static void attack_by(const struct attack_plan *plan)
{
    attackers_start(&attackers, plan);
    while (attackers.counts->made < plan->connections / 2)
        network_pause_ms(10);
}

static void attack_with_many(const struct siege *self)
{
    attack_by(&self->plan);
}

/* What such an attack costs on this machine whomever it is meant for. */
static void beside(struct siege *self, size_t ms)
{
    struct attack_plan elsewhere = self->plan;
    decoy_start(&decoy);
    attack_at(&elsewhere, decoy.address);
    attack_by(&elsewhere);
    probe_for(self, ms);
    attackers_free(&attackers);
    decoy_stop(&decoy);
    self->beside = latency_of(self);
}

static void before(struct siege *self, size_t ms)
{
    probes_begin(&self->probes, &network, BESIEGED, (const size_t[2]){ONE, OTHER});
    probe_for(self, ms / 10); /* what grows at first has grown */
    probe_for(self, ms);
    self->calm = latency_of(self);
    self->memory_kib = vitals_memory_kib(besieged_pid());
    self->sockets = vitals_sockets(besieged_pid());
}

static void during(struct siege *self, size_t ms)
{
    self->attack(self);
    probe_for(self, ms);
    self->during = latency_of(self);
    self->growth_kib = vitals_memory_peak_kib(besieged_pid()) - self->memory_kib;
}

static void afterwards(struct siege *self)
{
    attackers_stop(&attackers);
    uint64_t asked = greedy.pid ? greedy.asks->count : 0;
    greedy_client_stop(&greedy);
    int64_t start = network_now_ms();
    while (vitals_sockets(besieged_pid()) > self->sockets) {
        assert_true(network_now_ms() < start + SETTLE_MS);
        network_pause_ms(20);
    }
    self->back_ms = network_now_ms() - start;
    self->asked = asked;
}

static void print(const struct siege *self)
{
    const struct attack_counts *counts = attackers.counts;
    print_message("%s:\n", self->name);
    if (counts)
        print_message("  %llu connections made, %llu failed, %llu speeches, %llu closed by the "
                      "node, at most %llu open\n",
                      (unsigned long long)counts->made, (unsigned long long)counts->failed,
                      (unsigned long long)counts->spoken, (unsigned long long)counts->closed,
                      (unsigned long long)counts->most_open);
    else
        print_message("  %llu requests sent\n", (unsigned long long)self->asked);
    print_message("  memory: +%lld KiB (at most %d) over %lld\n", (long long)self->growth_kib,
                  GROWTH_KIB_MAX, (long long)self->memory_kib);
    print_message("  live peers: p50 %lld us, p99 %lld us; beside such an attack on another %lld "
                  "and %lld (at most twice); before %lld and %lld\n",
                  (long long)self->during.p50_us, (long long)self->during.p99_us,
                  (long long)self->beside.p50_us, (long long)self->beside.p99_us,
                  (long long)self->calm.p50_us, (long long)self->calm.p99_us);
    print_message("  %zu joined, in at most %lld ms (at most %d)\n", self->joins.count,
                  (long long)self->joins.longest_ms, JOIN_MS_MAX);
    print_message("  descriptors back after %lld ms (at most %d)\n", (long long)self->back_ms,
                  BACK_MS_MAX);
}

static void besiege(struct siege *self)
{
    size_t ms = 1000 * wanted.seconds;
    size_t shorter = ms < 10000 ? ms : 10000;
    before(self, shorter);
    if (wanted.bounded && self->plan.connections)
        beside(self, shorter);
    else
        self->beside = self->calm;
    during(self, ms);
    afterwards(self);
    print(self);
    measures_free(&self->probes.took_us);
    assert_true(self->growth_kib <= GROWTH_KIB_MAX);
    assert_true(self->joins.count > 0);
    if (!wanted.bounded)
        return;
    assert_true(self->during.p99_us <= 2 * self->beside.p99_us + SLACK_US);
    assert_true(self->joins.longest_ms <= JOIN_MS_MAX);
    assert_true(self->back_ms <= BACK_MS_MAX);
}

static void plan(struct siege *self, const char *name, const char *address)
{
    *self = (struct siege){.name = name, .attack = attack_with_many};
    attack_at(&self->plan, address);
    self->plan.connections = wanted.connections;
    self->plan.a_second = wanted.a_second;
    self->plan.again_ms = 500;
}

/* --- claims ------------------------------------------------------------------------------ */

static void strangers_cost_little_and_peers_come_and_go(void **state)
{
    (void)state;
    static struct siege siege;
    static struct buffer words[SPEECHES_MAX];
    start_all();
    plan(&siege, "strangers", network.nodes[BESIEGED].address);
    siege.plan.slow = slice_of("\0\x60\x09", 3);
    for (size_t i = 0; i < SPEECHES_MAX; i++) {
        struct fake_peer one;
        fake_peer_init(&one);
        fake_peer_first_words(&one, network.nodes[BESIEGED].id, &words[i]);
        siege.plan.speeches[i] = buffer_slice(&words[i]);
    }
    siege.plan.speeches_count = SPEECHES_MAX;
    besiege(&siege);
    for (size_t i = 0; i < SPEECHES_MAX; i++)
        buffer_free(&words[i]);
}

/* What a DEALER of ZMTP 3 begins with: its greeting with the mechanism NULL, and READY. */
enum { GREETING_BYTES = 64, READY_BYTES = 30 };
static const uint8_t zmtp[GREETING_BYTES + READY_BYTES] = {
    0xff, [8] = 1, 0x7f, 3,   0,   'N', 'U', 'L', 'L', [GREETING_BYTES] = 4,
    28,   5,       'R',  'E', 'A', 'D', 'Y', 11,  'S', 'o',
    'c',  'k',     'e',  't', '-', 'T', 'y', 'p', 'e', 0,
    0,    0,       6,    'D', 'E', 'A', 'L', 'E', 'R'};

static void clients(const char *name, const char *endpoint)
{
    static struct siege siege;
    plan(&siege, name, endpoint);
    siege.plan.slow = slice_of(zmtp, GREETING_BYTES);
    siege.plan.speeches[0] = slice_of(zmtp, sizeof zmtp);
    siege.plan.speeches_count = 1;
    besiege(&siege);
}

static void greedy_clients_cost_little_over_tcp(void **state)
{
    (void)state;
    start_all();
    clients("clients over tcp", network.nodes[BESIEGED].tcp);
}

static void greedy_clients_cost_little_over_a_socket_file(void **state)
{
    (void)state;
    start_all();
    clients("clients over ipc", network.nodes[BESIEGED].process.endpoint);
}

/* A state that a socket's buffers do not hold. */
static void put_large(uint8_t key[32])
{
    static char data[LARGE_BYTES];
    const struct weir_reply *reply;
    const struct weir_bytes none = {0};
    weir_t *client = network.nodes[BESIEGED].client;
    memset(data, 'x', sizeof data);
    assert_int_equal(weir_put(client, "log", none, none, &reply), 0);
    memcpy(key, reply->key, 32);
    assert_int_equal(weir_log_append(client, key, (struct weir_bytes){data, sizeof data}), 1);
}

static void ask_and_read_nothing(const struct siege *self)
{
    greedy_client_start(&greedy, network.nodes[BESIEGED].process.endpoint, self->key);
    while (greedy.asks->count < CLIENT_PARKED_MAX)
        network_pause_ms(10);
}

static void who_asks_and_reads_nothing_costs_little(void **state)
{
    (void)state;
    static struct siege siege;
    siege = (struct siege){.name = "a client that does not read", .attack = ask_and_read_nothing};
    start_all();
    put_large(siege.key);
    besiege(&siege);
}

int main(void)
{
    wanted.bounded = setting_number("FLOOD_BOUNDS", 0, 0, 1);
    wanted.seconds = setting_number("FLOOD_SECONDS", SECONDS, 1, SECONDS_MAX);
    wanted.connections =
        setting_number("FLOOD_CONNECTIONS", CONNECTIONS, 1, CONNECTIONS_WANTED_MAX);
    wanted.a_second = (unsigned)setting_number("FLOOD_A_SECOND", A_SECOND, 1, A_SECOND_MAX);
#define CLAIM(name) cmocka_unit_test_teardown(name, end_network)
    const struct CMUnitTest tests[] = {
        CLAIM(strangers_cost_little_and_peers_come_and_go),
        CLAIM(greedy_clients_cost_little_over_tcp),
        CLAIM(greedy_clients_cost_little_over_a_socket_file),
        CLAIM(who_asks_and_reads_nothing_costs_little),
    };
    return cmocka_run_group_tests_name("floods", tests, NULL, NULL);
}
