/* lesson D3 between two processes: both are told to connect to the other at the same moment, a
 * thousand times; each time one connection is left, that of the lower id, and none was reset. */
#include "base/base58.h"
#include "tests/support/network.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    CROSSINGS = 1000,
    ROUNDS_MAX = 3 * CROSSINGS, /* not each is one: a side may hear of the other before it dials */
    SETTLE_MS = 60000,          /* only a fault takes that long */
};

static struct network network;
static size_t lower; /* which node has the lower id */

/* One side's operator, a thread for each round's two. */
struct side {
    struct network_node *from;
    char to[200]; /* ID@HOST:PORT */
    pthread_barrier_t *start;
    char why[256]; /* of the failure, or "" */
};

/* Who dials before the other's operator has spoken meets the removal that ended the round before:
 * it is told so, and asks again, until the other has had its turn of the machine. */
static void *connect_side(void *argument)
{
    struct side *side = (struct side *)argument;
    const struct weir_reply *reply;
    int rc = -1;
    (void)pthread_barrier_wait(side->start);
    for (int64_t end = network_now_ms() + SETTLE_MS; rc && network_now_ms() < end;) {
        rc = weir_peer_connect(side->from->client, side->to, &reply);
        if (rc && rc != WEIR_NO_LIVE_PEER)
            break;
    }
    side->why[0] = 0;
    if (rc)
        (void)snprintf(side->why, sizeof side->why, "%s", weir_error(side->from->client));
    return NULL;
}

static void connect_both(struct side sides[2])
{
    pthread_t thread;
    pthread_barrier_t start;
    assert_int_equal(pthread_barrier_init(&start, NULL, 2), 0);
    sides[0].start = sides[1].start = &start;
    assert_int_equal(pthread_create(&thread, NULL, connect_side, &sides[1]), 0);
    (void)connect_side(&sides[0]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)pthread_barrier_destroy(&start);
    assert_string_equal(sides[0].why, "");
    assert_string_equal(sides[1].why, "");
}

static bool is(const json_t *peer, const char *field, const char *value)
{
    return strcmp(json_string_value(json_object_get(peer, field)), value) == 0;
}

/* Both have this many connections (0 or 1), and the one is live and dialled by the lower id. */
static bool both_have(size_t count)
{
    bool all = true;
    for (size_t n = 0; n < 2 && all; n++) {
        json_t *peers = network_peers(&network, n);
        const json_t *peer = json_array_get(peers, 0);
        all = json_array_size(peers) == count &&
              (!peer ||
               (is(peer, "state", "live") && is(peer, "direction", n == lower ? "out" : "in") &&
                is(peer, "dialled_by", network.nodes[lower].id)));
        json_decref(peers);
    }
    return all;
}

static bool both_come_to_have(size_t count)
{
    int64_t end = network_now_ms() + SETTLE_MS;
    while (!both_have(count))
        if (network_now_ms() > end)
            return false;
    return true;
}

static void part(void)
{
    for (size_t n = 0; n < 2; n++) {
        const struct weir_reply *reply;
        weir_t *client = network.nodes[n].client;
        if (weir_peer_disconnect(client, network.nodes[!n].id, &reply) != 0)
            fail_msg("disconnect: %s", weir_error(client));
    }
}

static int64_t dials_of(size_t node)
{
    return network_count(&network, node, "dials");
}

static void find_lower(void)
{
    uint8_t ids[2][32];
    for (size_t n = 0; n < 2; n++)
        assert_int_equal(base58_decode(slice_text(network.nodes[n].id), ids[n], 32), 0);
    lower = memcmp(ids[0], ids[1], 32) > 0;
}

static size_t descriptors_of(size_t node)
{
    char path[64];
    size_t count = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)network.nodes[node].process.pid);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    (void)closedir(dir);
    return count;
}

/* Of its sockets, half open ones included. */
static bool nothing_is_left(size_t node, size_t before)
{
    int64_t end = network_now_ms() + SETTLE_MS;
    while (descriptors_of(node) != before && network_now_ms() < end)
        network_pause_ms(10);
    return descriptors_of(node) == before;
}

static void of_dials_that_cross_the_lower_ids_is_kept_and_none_is_reset(void **state)
{
    (void)state;
    struct side sides[2];
    size_t crossed = 0, rounds = 0;
    int64_t dials[2] = {0};
    size_t descriptors[2];
    static const char *const quietly[] = {"--log-level", "warn", NULL};
    network_start_apart(&network, 2, quietly);
    find_lower();
    for (size_t n = 0; n < 2; n++) {
        sides[n].from = &network.nodes[n];
        (void)snprintf(sides[n].to, sizeof sides[n].to, "%s@%s", network.nodes[!n].id,
                       network.nodes[!n].address);
    }
    for (size_t n = 0; n < 2; n++) {
        (void)dials_of(n); /* its client is connected */
        descriptors[n] = descriptors_of(n);
    }
    for (; crossed < CROSSINGS && rounds < ROUNDS_MAX; rounds++) {
        connect_both(sides);
        if (!both_come_to_have(1))
            fail_msg("round %zu did not end in one connection of the lower id", rounds);
        bool both_dialled = true;
        for (size_t n = 0; n < 2; n++) {
            int64_t now = dials_of(n);
            both_dialled = both_dialled && now > dials[n];
            dials[n] = now;
        }
        crossed += both_dialled;
        part();
        if (!both_come_to_have(0))
            fail_msg("round %zu: they are not parted", rounds);
    }
    int64_t duplicates = network_count(&network, 0, "closed_duplicate") +
                         network_count(&network, 1, "closed_duplicate");
    print_message("%zu of %zu rounds crossed, %lld duplicates closed\n", crossed, rounds,
                  (long long)duplicates);
    assert_true(duplicates > CROSSINGS / 2); /* handshakes over when the other's was */
    assert_int_equal(crossed, CROSSINGS);
    for (size_t n = 0; n < 2; n++) {
        assert_int_equal(network_count(&network, n, "closed_reset"), 0);
        assert_true(nothing_is_left(n, descriptors[n]));
    }
    network_end(&network);
}

static int end_network(void **state)
{
    (void)state;
    network_end(&network);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(of_dials_that_cross_the_lower_ids_is_kept_and_none_is_reset,
                                  end_network),
    };
    return cmocka_run_group_tests_name("peer_dials", tests, NULL, NULL);
}
