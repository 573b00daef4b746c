/* Real processes on loopback that are a network: who connects to whom, what a peer's end looks like
 * to the others, and contracts that go round. */
#include "base/base58.h"
#include "proto/ring.h"
#include "tests/support/fake_peer.h"
#include "tests/support/network.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    SETTLE_MS = 30000, /* only a fault takes that long */
    TOLD_MS = 100,     /* lesson L2 … */
    TOLD_ROUNDS = 4,   /* … of a machine that answers at once: see told_after */
    SILENT_MS = 60000, /* lesson L5: by pings that nobody answers, after 19 s */
    STOP_MS = 10000,   /* lesson L7: nobody is waited for longer than GOODBYE_ALL_MS */
    AT_ONCE_MS = 500,  /* lesson L1: of several times the shortest */
    AT_ONCE_TRIES = 10,
    QUIET_MS = 30000, /* lesson D2 */
};

static struct network network;

static int end_network(void **state)
{
    (void)state;
    network_end(&network);
    return 0;
}

static void id_of(const char *text, uint8_t id[32])
{
    assert_int_equal(base58_decode(slice_text(text), id, 32), 0);
}

/* Is that peer, as the node `own` shows it, live and dialled by the lower id of the two? */
static bool is_as_the_lower_id_dials(const uint8_t own[32], const json_t *peer)
{
    uint8_t other[32], dialler[32];
    id_of(json_string_value(json_object_get(peer, "id")), other);
    id_of(json_string_value(json_object_get(peer, "dialled_by")), dialler);
    bool own_is_lower = memcmp(own, other, sizeof other) < 0;
    const char *direction = json_string_value(json_object_get(peer, "direction"));
    return strcmp(direction, own_is_lower ? "out" : "in") == 0 &&
           (memcmp(own, dialler, sizeof dialler) == 0) == own_is_lower;
}

/* Each pair has one connection, seen from both ends, and the lower id dialled it (lesson D1). */
static bool is_full_mesh(void)
{
    bool full = true;
    for (size_t i = 0; i < network.count && full; i++) {
        json_t *peers = network_peers(&network, i), *peer;
        uint8_t own[32];
        size_t k;
        id_of(network.nodes[i].id, own);
        full = json_array_size(peers) == network.count - 1;
        json_array_foreach (peers, k, peer)
            full = full && is_as_the_lower_id_dials(own, peer);
        json_decref(peers);
    }
    return full;
}

/* Waits for it: of two that dialled each other both connections may be live for a moment. */
static bool becomes_full_mesh(void)
{
    int64_t end = network_now_ms() + SETTLE_MS;
    while (!is_full_mesh()) {
        if (network_now_ms() > end)
            return false;
        network_pause_ms(10);
    }
    return true;
}

static void mesh_of(size_t count)
{
    int64_t dials = 0, later = 0;
    network_start(&network, count, NULL);
    assert_true(network_settles(&network, count - 1, SETTLE_MS));
    assert_true(becomes_full_mesh());
    for (size_t i = 0; i < count; i++) {
        dials += network_count(&network, i, "dials");
        assert_int_equal(network_count(&network, i, "failed"), 0);
    }
    network_pause_ms(QUIET_MS);
    for (size_t i = 0; i < count; i++)
        later += network_count(&network, i, "dials");
    assert_int_equal(later, dials); /* lesson D2 */
    assert_true(is_full_mesh());
}

static void five_nodes_become_a_full_mesh(void **state)
{
    (void)state;
    mesh_of(5);
}

static void twenty_nodes_become_a_full_mesh(void **state)
{
    (void)state;
    mesh_of(20);
}

/* --- ends -------------------------------------------------------------------------------- */

/* Does the node hold the other for live? *longest_ms: the longest answer there was. */
static bool knows(size_t node, size_t other, int64_t *longest_ms)
{
    int64_t start = network_now_ms();
    bool live = network_is_live(&network, node, network.nodes[other].id);
    int64_t took = network_now_ms() - start;
    *longest_ms = took > *longest_ms ? took : *longest_ms;
    return live;
}

/* Do the others know in time that the node is gone? The thread that answers is the one that hears
 * of the end: on a machine with other work it may get its turn as late for that as it does for an
 * answer, so their time counts too. Pings take 19 s. */
static bool told(size_t gone)
{
    int64_t start = network_now_ms(), longest_ms = 0;
    for (;;) {
        bool known = false;
        for (size_t i = 0; i < network.count; i++)
            known |= i != gone && network.nodes[i].client && knows(i, gone, &longest_ms);
        if (!known)
            return true;
        if (network_now_ms() - start > TOLD_MS + TOLD_ROUNDS * longest_ms)
            return false;
        network_pause_ms(2);
    }
}

static void killed_is_known_at_once(void **state) /* lesson L2 */
{
    (void)state;
    network_start(&network, 4, NULL);
    assert_true(network_settles(&network, 3, SETTLE_MS));
    network_node_kill(&network, 2);
    assert_true(told(2));
}

static void a_reset_is_known_at_once_and_by_name(void **state) /* lesson L2 */
{
    (void)state;
    enum { NODES = 3, FAKE = NODES };
    struct fake_peer fake;
    int ends[NODES];
    network_start(&network, NODES, NULL);
    assert_true(network_settles(&network, NODES - 1, SETTLE_MS));
    fake_peer_init(&fake);
    memcpy(network.nodes[FAKE].id, fake.id, sizeof network.nodes[FAKE].id); /* none of ours */
    for (size_t i = 0; i < NODES; i++)
        ends[i] = fake_peer_join(&fake, network.nodes[i].id, network.nodes[i].address, NULL);
    assert_true(network_settles(&network, NODES, SETTLE_MS));
    for (size_t i = 0; i < NODES; i++)
        fake_peer_reset(ends[i]);
    assert_true(told(FAKE));
    for (size_t i = 0; i < NODES; i++) {
        assert_int_equal(network_count(&network, i, "closed_reset"), 1);
        assert_int_equal(network_live(&network, i), NODES - 1);
    }
}

static void a_goodbye_is_known_at_once_and_by_name(void **state) /* lesson L7 */
{
    (void)state;
    network_start(&network, 3, NULL);
    assert_true(network_settles(&network, 2, SETTLE_MS));
    int64_t before = network_now_ms();
    weir_destroy(&network.nodes[2].client);
    assert_int_equal(process_stop(&network.nodes[2].process), 0);
    assert_true(network_now_ms() - before <= STOP_MS);
    assert_true(told(2));
    assert_true(network_count(&network, 0, "closed_goodbye") >= 1);
}

static void stop(size_t node)
{
    kill(network.nodes[node].process.pid, SIGSTOP);
    network.nodes[node].stopped = true;
}

static bool told_by_pings(size_t gone)
{
    int64_t end = network_now_ms() + SILENT_MS, longest_ms = 0;
    for (size_t i = 0; i < network.count; i++)
        while (i != gone && knows(i, gone, &longest_ms)) {
            if (network_now_ms() > end)
                return false;
            network_pause_ms(20);
        }
    return true;
}

static void stopped_is_known_by_its_silence(void **state) /* lesson L5 */
{
    (void)state;
    network_start(&network, 3, NULL);
    assert_true(network_settles(&network, 2, SETTLE_MS));
    stop(2);
    assert_true(told_by_pings(2));
    kill(network.nodes[2].process.pid, SIGCONT);
    network.nodes[2].stopped = false;
    assert_true(network_settles(&network, 2, SETTLE_MS));
    assert_true(becomes_full_mesh());
}

static void a_killed_gateway_is_dialled_again(void **state) /* lesson L4 */
{
    (void)state;
    network_start(&network, 3, NULL);
    assert_true(network_settles(&network, 2, SETTLE_MS));
    network_node_kill(&network, 0);
    assert_true(told(0));
    network_pause_ms(3000);
    network_node_start(&network, 0, NULL);
    assert_true(network_settles(&network, 2, SETTLE_MS));
    assert_true(becomes_full_mesh());
}

static void a_node_rejoins_by_the_peers_it_knew(void **state)
{
    (void)state;
    network_start(&network, 4, NULL);
    assert_true(network_settles(&network, 3, SETTLE_MS));
    char id[64];
    memcpy(id, network.nodes[3].id, sizeof id);
    weir_destroy(&network.nodes[3].client);
    assert_int_equal(process_stop(&network.nodes[3].process), 0);
    network_node_kill(&network, 0); /* the gateway is gone for good */
    network_node_start(&network, 3, NULL);
    assert_string_equal(network.nodes[3].id, id);
    assert_true(network_settles(&network, 2, SETTLE_MS));
}

/* --- contracts --------------------------------------------------------------------------- */

static void put_map(size_t node, const char *name, uint8_t key[32])
{
    const struct weir_reply *reply;
    weir_params_t *params = weir_params_new();
    struct weir_bytes none = {0};
    assert_int_equal(weir_params_set(params, "name", name, NULL), 0);
    weir_t *client = network.nodes[node].client;
    if (weir_put(client, "map", weir_params_bytes(params), none, &reply) != 0)
        fail_msg("put: %s", weir_error(client));
    memcpy(key, reply->key, 32);
    weir_params_destroy(&params);
}

static void set_field(size_t node, const uint8_t key[32], const char *name, const char *value)
{
    weir_t *client = network.nodes[node].client;
    if (weir_map_set(client, key, weir_text(name), weir_text(value)) != 1)
        fail_msg("set at node %zu: %s", node, weir_error(client));
}

static bool fingerprint_at(size_t node, const uint8_t key[32], uint8_t fingerprint[32])
{
    const struct weir_reply *reply;
    if (weir_get(network.nodes[node].client, key, &reply) != 0)
        return false;
    memcpy(fingerprint, reply->fingerprint, 32);
    return true;
}

/* Waits until all running nodes answer GET with the same state. */
static bool all_equal(const uint8_t key[32], int within_ms)
{
    int64_t end = network_now_ms() + within_ms;
    for (;;) {
        uint8_t first[32] = {0}, other[32] = {0};
        bool equal = true, any = false;
        for (size_t i = 0; i < network.count && equal; i++) {
            if (!network.nodes[i].client || network.nodes[i].stopped)
                continue;
            equal = fingerprint_at(i, key, any ? other : first) &&
                    (!any || memcmp(first, other, sizeof first) == 0);
            any = true;
        }
        if (equal || network_now_ms() > end)
            return equal;
        network_pause_ms(5);
    }
}

static void what_is_put_at_one_is_found_at_all(void **state)
{
    (void)state;
    uint8_t key[32], fingerprint[32];
    network_start(&network, 5, NULL);
    assert_true(network_settles(&network, 4, SETTLE_MS));
    put_map(1, "found", key);
    set_field(1, key, "a", "1");
    for (size_t i = 0; i < 5; i++)
        assert_true(fingerprint_at(i, key, fingerprint));
    for (size_t i = 0; i < 5; i++)
        set_field(i, key, network.nodes[i].id, "here");
    assert_true(all_equal(key, SETTLE_MS));
}

static void count_items(const struct weir_reply *reply, size_t *count)
{
    /* entries: u8 key size, key, u32 value size, value */
    size_t at = 0;
    *count = 0;
    while (at < reply->state.size) {
        const uint8_t *bytes = reply->state.data;
        at += 1u + bytes[at];
        at += 4u + ((size_t)bytes[at] << 24 | (size_t)bytes[at + 1] << 16 |
                    (size_t)bytes[at + 2] << 8 | bytes[at + 3]);
        ++*count;
    }
}

static void writers_at_three_nodes_lose_nothing_when_nodes_die(void **state)
{
    (void)state;
    enum { ROUNDS = 60 };
    uint8_t key[32];
    network_start(&network, 6, NULL);
    assert_true(network_settles(&network, 5, SETTLE_MS));
    put_map(0, "writers", key);
    for (size_t round = 0; round < ROUNDS; round++) {
        char name[32];
        if (round == ROUNDS / 3)
            network_node_kill(&network, 4);
        if (round == 2 * ROUNDS / 3)
            network_node_start(&network, 4, NULL);
        for (size_t writer = 1; writer <= 3; writer++) {
            (void)snprintf(name, sizeof name, "w%zu-%zu", writer, round);
            set_field(writer, key, name, "x");
        }
    }
    assert_true(network_settles(&network, 5, SETTLE_MS));
    assert_true(all_equal(key, SETTLE_MS));
    for (size_t i = 0; i < network.count; i++) {
        const struct weir_reply *reply;
        size_t count;
        assert_int_equal(weir_get(network.nodes[i].client, key, &reply), 0);
        count_items(reply, &count);
        assert_int_equal(count, 3 * ROUNDS);
    }
}

/* The nodes in the order of nearness to the key. */
static void by_nearness(const uint8_t key[32], size_t order[NETWORK_NODES_MAX])
{
    place_t to = ring_place_of_contract(key);
    for (size_t i = 0; i < network.count; i++) {
        size_t at = i;
        struct node_id id, before;
        id_of(network.nodes[i].id, id.bytes);
        for (; at > 0; at--, order[at + 1] = order[at]) {
            id_of(network.nodes[order[at - 1]].id, before.bytes);
            if (!ring_is_nearer(to, &id, ring_place_of_node(&id), &before,
                                ring_place_of_node(&before)))
                break;
        }
        order[at] = i;
    }
}

static void ignore_event(weir_t *w, const struct weir_event *event, void *arg)
{
    (void)w, (void)event, (void)arg;
}

/* Has the node an answer of the other over their connection? (Its row of the matrix.) */
static bool hears(size_t node, size_t other)
{
    const struct weir_reply *reply;
    bool any = false;
    if (weir_peers_matrix(network.nodes[node].client, &reply) != 0)
        return false;
    json_t *matrix = json_loadb((const char *)reply->json.data, reply->json.size, 0, NULL), *row;
    size_t k;
    json_array_foreach (json_object_get(matrix, "peers"), k, row) {
        const char *id = json_string_value(json_object_get(row, "id"));
        any |= id && strcmp(id, network.nodes[other].id) == 0;
    }
    json_decref(matrix);
    return any;
}

/* It runs again, and all others have heard of it: their 19 s begin anew. */
static void go_on(size_t node)
{
    int64_t end = network_now_ms() + SETTLE_MS;
    kill(network.nodes[node].process.pid, SIGCONT);
    network.nodes[node].stopped = false;
    for (size_t i = 0; i < network.count; i++)
        while (i != node && !hears(i, node))
            assert_true(network_now_ms() < end);
}

/* An operation that would wait for a stopped node's going waits for an event: so it is done while
 * its own node still holds that one for live. */
static void assert_not_known_gone(size_t node, size_t stopped)
{
    assert_true(network_is_live(&network, node, network.nodes[stopped].id));
}

/* lesson L3: its pings tell after 19 s; operations do not wait for them. */
static void operations_move_on_from_a_stopped_node(void **state)
{
    (void)state;
    uint8_t key[32];
    size_t order[NETWORK_NODES_MAX] = {0};
    const struct weir_reply *reply;
    network_start(&network, 7, NULL);
    assert_true(network_settles(&network, 6, SETTLE_MS));
    put_map(0, "stopped", key);
    by_nearness(key, order);
    set_field(order[0], key, "a", "1");
    assert_int_equal(weir_get(network.nodes[order[0]].client, key, &reply), 0);
    size_t size = reply->state.size;
    uint8_t *delta = (uint8_t *)malloc(size);
    assert_non_null(delta);
    memcpy(delta, reply->state.data, size);
    for (size_t i = 1; i < network.count; i++) {
        weir_t *client = network.nodes[order[i]].client;
        stop(order[0]);
        if (i >= 5) /* the first three host it, and where it was put */
            assert_int_equal(weir_update(client, key, (struct weir_bytes){delta, size}, &reply), 0);
        else if (i == 4)
            assert_int_equal(weir_get(client, key, &reply), 0);
        else
            assert_int_equal(weir_subscribe(client, key, NULL, ignore_event, NULL), 0);
        assert_not_known_gone(order[i], order[0]);
        go_on(order[0]);
    }
    free(delta);
}

/* lesson L3: hosts take what changes from each other, though the one that they took it from says
 * nothing and is not known to be gone. */
static void what_changes_goes_round_a_stopped_root(void **state)
{
    (void)state;
    uint8_t key[32];
    size_t order[NETWORK_NODES_MAX] = {0};
    network_start(&network, 5, NULL);
    assert_true(network_settles(&network, 4, SETTLE_MS));
    put_map(0, "round", key);
    by_nearness(key, order);
    set_field(order[0], key, "a", "1");
    for (size_t i = 1; i < network.count; i++)
        assert_int_equal(
            weir_subscribe(network.nodes[order[i]].client, key, NULL, ignore_event, NULL), 0);
    assert_true(all_equal(key, SETTLE_MS));
    stop(order[0]);
    set_field(order[3], key, "b", "2");
    assert_true(all_equal(key, SETTLE_MS));
    for (size_t i = 1; i < network.count; i++)
        assert_not_known_gone(order[i], order[0]);
    go_on(order[0]);
    assert_true(all_equal(key, SETTLE_MS)); /* it hears of it, too */
}

static void alone_it_says_so_at_once(void **state) /* lesson L1 */
{
    (void)state;
    uint8_t key[32] = {7};
    const struct weir_reply *reply;
    network_start(&network, 2, NULL);
    assert_true(network_settles(&network, 1, SETTLE_MS));
    network_node_kill(&network, 0);
    assert_true(told(0));
    int64_t shortest_ms = INT64_MAX;
    for (int i = 0; i < AT_ONCE_TRIES; i++) {
        int64_t start = network_now_ms();
        assert_int_equal(weir_get(network.nodes[1].client, key, &reply), WEIR_NO_LIVE_PEER);
        int64_t took = network_now_ms() - start;
        shortest_ms = took < shortest_ms ? took : shortest_ms;
    }
    assert_true(shortest_ms < AT_ONCE_MS);
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_teardown(name, end_network)
    const struct CMUnitTest tests[] = {
        CLAIM(five_nodes_become_a_full_mesh),
        CLAIM(twenty_nodes_become_a_full_mesh),
        CLAIM(killed_is_known_at_once),
        CLAIM(a_reset_is_known_at_once_and_by_name),
        CLAIM(a_goodbye_is_known_at_once_and_by_name),
        CLAIM(stopped_is_known_by_its_silence),
        CLAIM(a_killed_gateway_is_dialled_again),
        CLAIM(a_node_rejoins_by_the_peers_it_knew),
        CLAIM(what_is_put_at_one_is_found_at_all),
        CLAIM(writers_at_three_nodes_lose_nothing_when_nodes_die),
        CLAIM(operations_move_on_from_a_stopped_node),
        CLAIM(what_changes_goes_round_a_stopped_root),
        CLAIM(alone_it_says_so_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
