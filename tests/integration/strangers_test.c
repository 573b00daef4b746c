/* Strangers at the door of a real node: whatever they say, they are closed in time, cost little,
 * and a peer that comes meanwhile gets in. And a node that may open few descriptors. */
#include "tests/support/network.h"
#include "tests/support/setting.h"
#include "tests/support/vitals.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    STRANGERS = 200,
    CROWD = 400,
    PATIENCE_MS = 30000, /* they are closed after 5 s; a byte a second goes on for 96 s */
    SETTLE_MS = 30000,
    GROWTH_KIB_MAX = STRANGERS * 16 + 4096, /* 16 KiB each, and the peer that joins meanwhile */
    FEW_DESCRIPTORS = 256,
    CPU_TICKS_MAX = 150, /* of 1/100 s, in some seconds of a crowd; one that spins takes them all */
};

static struct network network;
static uint64_t seed;
static const char *const quietly[] = {"--log-level", "error", NULL};

static int end_network(void **state)
{
    (void)state;
    network_end(&network);
    return 0;
}

/* --- strangers --------------------------------------------------------------------------- */

struct stranger {
    int fd; /* -1: it was closed */
    bool slow;
    int64_t said_ms, closed_after_ms;
};

/* As long as a first message: a point of the curve, and nothing that anyone could open. */
static const char for_nobody[2 + 96] = {0, 96, 9};

static const struct saying {
    const char *bytes;
    size_t size; /* 0: random bytes; 1: one of them a second */
} sayings[] = {
    {"", 0},
    {"GET / HTTP/1.1\r\nHost: weir\r\n\r\n", 30},
    {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11},
    {"\xff\0\0\0\0\0\0\0\1\x7f\3\1NULL", 16},
    {for_nobody, sizeof for_nobody},
    {"\2", 1}, /* the length of a message that might be */
};
enum { SAYINGS = sizeof sayings / sizeof sayings[0] };

static int reach(const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    to.sin_port = htons((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    if (connect(fd, (const struct sockaddr *)(const void *)&to, sizeof to) != 0)
        fail_msg("connect: %s", strerror(errno));
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(void)
{
    uint64_t z = seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void say(struct stranger *stranger, const struct saying *saying)
{
    uint8_t random[600];
    for (size_t i = 0; i < sizeof random; i++)
        random[i] = (uint8_t)draw();
    const void *bytes = saying->size ? (const void *)saying->bytes : random;
    size_t size = saying->size ? saying->size : 2 + (size_t)draw() % (sizeof random - 2);
    stranger->slow = saying->size == 1;
    stranger->said_ms = network_now_ms();
    (void)send(stranger->fd, bytes, size, MSG_NOSIGNAL); /* it may be closed already */
}

/* One more byte each second, and a look at whether it was closed. Nothing is ever answered. */
static void go_on(struct stranger *stranger, int64_t start_ms)
{
    uint8_t byte = 2;
    int64_t now = network_now_ms();
    if (stranger->slow && now >= stranger->said_ms + 1000) {
        (void)send(stranger->fd, &byte, 1, MSG_NOSIGNAL);
        stranger->said_ms = now;
    }
    ssize_t got = recv(stranger->fd, &byte, 1, 0);
    assert_true(got <= 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    stranger->closed_after_ms = now - start_ms;
    (void)close(stranger->fd);
    stranger->fd = -1;
}

static size_t go_on_all(struct stranger *strangers, size_t count, int64_t start_ms)
{
    size_t open = 0;
    for (size_t i = 0; i < count; i++) {
        if (strangers[i].fd >= 0)
            go_on(&strangers[i], start_ms);
        open += strangers[i].fd >= 0;
    }
    return open;
}

/* --- claims ------------------------------------------------------------------------------ */

/* A second node, which knows of nobody. */
static void start_another(void)
{
    struct network_node *peer = &network.nodes[1];
    data_dir_new(peer->data);
    peer->apart = true;
    network.count = 2;
    network_node_start(&network, 1, quietly);
}

/* It joins the first, as its operator says. How often that was tried: a handshake takes too long on
 * a machine with other work. */
static int64_t join(void)
{
    const struct weir_reply *reply;
    char first[200];
    int64_t tries = 0, end = network_now_ms() + SETTLE_MS;
    int rc = -1;
    (void)snprintf(first, sizeof first, "%s@%s", network.nodes[0].id, network.nodes[0].address);
    for (; rc && network_now_ms() < end; tries++)
        rc = weir_peer_connect(network.nodes[1].client, first, &reply);
    if (rc)
        fail_msg("the peer does not get in: %s", weir_error(network.nodes[1].client));
    return tries;
}

static void two_hundred_strangers_are_closed_in_time_while_a_peer_joins(void **state)
{
    (void)state;
    static struct stranger strangers[STRANGERS];
    network_start(&network, 1, quietly);
    start_another();
    assert_int_equal(network_live(&network, 0), 0);
    int64_t before_kib = network_memory_peak_kib(&network, 0);
    int64_t start = network_now_ms();
    for (size_t i = 0; i < STRANGERS; i++) {
        strangers[i].fd = reach(network.nodes[0].address);
        say(&strangers[i], &sayings[i % SAYINGS]);
    }
    assert_true(go_on_all(strangers, STRANGERS, start) > 0); /* they are still there */
    int64_t tries = join();
    assert_true(network_settles(&network, 1, SETTLE_MS));
    while (go_on_all(strangers, STRANGERS, start) && network_now_ms() < start + PATIENCE_MS)
        network_pause_ms(5);
    for (size_t i = 0; i < STRANGERS; i++)
        if (strangers[i].fd >= 0)
            fail_msg("stranger %zu, of kind %zu, is not closed", i, i % SAYINGS);
    assert_true(network_memory_peak_kib(&network, 0) - before_kib < GROWTH_KIB_MAX);
    int64_t counted = network_count(&network, 0, "strangers_slow") +
                      network_count(&network, 0, "strangers_broken") +
                      network_count(&network, 0, "strangers_refused");
    assert_in_range(counted, STRANGERS, STRANGERS + tries - 1);
    assert_true(network_count(&network, 0, "strangers_refused") >= STRANGERS / SAYINGS);
    assert_true(network_count(&network, 0, "strangers_slow") >= STRANGERS / SAYINGS);
    assert_int_equal(network_live(&network, 0), 1);
}

/* A crowd at one of its addresses, larger than it may have connections: it lets some wait or turns
 * them away, does not spin, still serves its clients, and lets a peer in when they are gone. */
static void stays_calm(const char *(*address)(void))
{
    int crowd[CROWD];
    process_limit_descriptors(FEW_DESCRIPTORS);
    network_start(&network, 1, quietly);
    process_limit_descriptors(0);
    assert_int_equal(network_live(&network, 0), 0);
    long ticks = vitals_cpu_ticks(network.nodes[0].process.pid);
    int64_t start = network_now_ms();
    for (size_t i = 0; i < CROWD; i++)
        crowd[i] = reach(address());
    for (; network_now_ms() < start + 3000; network_pause_ms(100))
        assert_int_equal(network_live(&network, 0), 0); /* a client is answered */
    assert_true(vitals_cpu_ticks(network.nodes[0].process.pid) - ticks < CPU_TICKS_MAX);
    for (size_t i = 0; i < CROWD; i++)
        (void)close(crowd[i]);
    start_another();
    (void)join();
    assert_true(network_settles(&network, 1, SETTLE_MS));
}

static const char *for_peers(void)
{
    return network.nodes[0].address;
}

static const char *for_clients(void)
{
    return network.nodes[0].tcp;
}

static void a_node_with_few_descriptors_stays_calm_in_a_crowd_of_strangers(void **state)
{
    (void)state;
    stays_calm(for_peers);
}

/* libzmq would take all descriptors, and then turn without rest. */
static void a_node_with_few_descriptors_stays_calm_in_a_crowd_of_clients(void **state)
{
    (void)state;
    stays_calm(for_clients);
    assert_true(network_count_clients(&network, 0, "turned_away") > 0);
}

int main(void)
{
    seed = setting_number("SEED", (uint64_t)network_now_ms(), 0, UINT64_MAX);
    print_message("SEED=%llu\n", (unsigned long long)seed);
#define CLAIM(name) cmocka_unit_test_teardown(name, end_network)
    const struct CMUnitTest tests[] = {
        CLAIM(two_hundred_strangers_are_closed_in_time_while_a_peer_joins),
        CLAIM(a_node_with_few_descriptors_stays_calm_in_a_crowd_of_strangers),
        CLAIM(a_node_with_few_descriptors_stays_calm_in_a_crowd_of_clients),
    };
    return cmocka_run_group_tests_name("strangers", tests, NULL, NULL);
}
