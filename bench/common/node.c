#include "bench/common/node.h"

#include "bench/common/clock.h"
#include "bench/common/die.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_EVERY_MS = 2 };

void node_pause_ms(unsigned ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

static struct weir_bytes bytes_of(struct slice slice)
{
    return (struct weir_bytes){slice.data, slice.size};
}

weir_t *node_open(const char *endpoint)
{
    const struct weir_options options = {.endpoint = endpoint,
                                         .timeout_ms = NODE_PATIENCE_S * 1000};
    weir_t *node = weir_new(&options);
    if (!node || weir_connect(node))
        die("%s: %s", endpoint, node ? weir_error(node) : "no memory");
    return node;
}

uint32_t node_put(weir_t *node, const char *kind, struct slice params, struct slice state,
                  uint8_t key[32])
{
    const struct weir_reply *reply;
    if (weir_put(node, kind, bytes_of(params), bytes_of(state), &reply))
        die("put: %s", weir_error(node));
    memcpy(key, reply->key, 32);
    return reply->hosts;
}

void node_update(weir_t *node, const uint8_t key[32], struct slice delta)
{
    if (weir_update(node, key, bytes_of(delta), NULL))
        die("update: %s", weir_error(node));
}

static json_t *parse(const struct weir_reply *reply)
{
    json_t *json = json_loadb(reply->json.data, reply->json.size, 0, NULL);
    if (!json)
        die("a node's reply is no JSON");
    return json;
}

static void hex_bytes(const char *text, uint8_t bytes[32])
{
    for (size_t i = 0; i < 32; i++) {
        char byte[3] = {0}, *end = byte;
        if (text)
            memcpy(byte, text + 2 * i, 2);
        bytes[i] = (uint8_t)strtoul(byte, &end, 16);
        if (end != byte + 2)
            die("no fingerprint in CONTRACTS");
    }
}

bool node_fingerprint(weir_t *node, const uint8_t key[32], uint8_t fingerprint[32])
{
    const struct weir_reply *reply;
    char text[WEIR_KEY_TEXT_MAX];
    bool found = false;
    size_t i;
    weir_key_print(key, text);
    if (weir_contracts(node, &reply))
        die("contracts: %s", weir_error(node));
    json_t *contracts = parse(reply), *contract;
    json_array_foreach (contracts, i, contract) {
        const char *name = json_string_value(json_object_get(contract, "key"));
        if (!name || strcmp(name, text) != 0)
            continue;
        const json_t *hex = json_object_get(contract, "fingerprint");
        hex_bytes(json_string_length(hex) == 64 ? json_string_value(hex) : NULL, fingerprint);
        found = true;
    }
    json_decref(contracts);
    return found;
}

void nodes_wait_equal(weir_t *a, weir_t *b, const uint8_t key[32])
{
    static const struct weir_bytes last = {"\xff", 1};
    uint8_t own[32], other[32];
    uint64_t end = now_ns() + NODE_PATIENCE_S * 1000000000ull;
    while (!node_fingerprint(a, key, own) || !node_fingerprint(b, key, other) ||
           memcmp(own, other, sizeof own) != 0) {
        if (now_ns() > end)
            die("two nodes do not have the same after %d s", NODE_PATIENCE_S);
        node_pause_ms(LOOK_EVERY_MS);
    }
    /* a read waits for what it saw to be flushed */
    if (weir_get_range(b, key, last, &last, NULL))
        die("get: %s", weir_error(b));
}

/* PEERS, and how many of them are live. */
static json_t *live_peers(weir_t *node)
{
    const struct weir_reply *reply;
    if (weir_peers(node, &reply))
        die("peers: %s", weir_error(node));
    json_t *peers = parse(reply);
    for (size_t i = json_array_size(peers); i-- > 0;) {
        const char *state = json_string_value(json_object_get(json_array_get(peers, i), "state"));
        if (!state || strcmp(state, "live") != 0)
            json_array_remove(peers, i);
    }
    return peers;
}

void node_wait_live(weir_t *node, size_t live)
{
    uint64_t end = now_ns() + NODE_PATIENCE_S * 1000000000ull;
    for (;;) {
        json_t *peers = live_peers(node);
        size_t count = json_array_size(peers);
        json_decref(peers);
        if (count == live)
            return;
        if (now_ns() > end)
            die("%zu live peers after %d s, wanted %zu", count, NODE_PATIENCE_S, live);
        node_pause_ms(LOOK_EVERY_MS);
    }
}

struct node_traffic node_traffic(weir_t *node)
{
    struct node_traffic traffic = {0};
    json_t *peers = live_peers(node), *peer;
    size_t i;
    json_array_foreach (peers, i, peer) {
        traffic.in += (uint64_t)json_integer_value(json_object_get(peer, "bytes_in"));
        traffic.out += (uint64_t)json_integer_value(json_object_get(peer, "bytes_out"));
    }
    json_decref(peers);
    return traffic;
}

void node_connect(weir_t *node, const char *id_at_address)
{
    if (weir_peer_connect(node, id_at_address, NULL))
        die("connect %s: %s", id_at_address, weir_error(node));
}

void node_disconnect(weir_t *node, const char *id_at_address)
{
    char id[WEIR_KEY_TEXT_MAX];
    (void)snprintf(id, sizeof id, "%.*s", (int)strcspn(id_at_address, "@"), id_at_address);
    if (weir_peer_disconnect(node, id, NULL))
        die("disconnect %s: %s", id, weir_error(node));
    node_wait_live(node, 0);
}
