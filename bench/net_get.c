/* net_get: GETs over several hops. The nodes, a full mesh at first, are made a line: of the
 * connections only those between neighbours are left. The line's last node holds a fresh contract
 * for each sample and its neighbour a copy, so a GET at the one before it takes 1 hop, and so on.
 * Prints `hops_N.p50_us value` lines.
 *
 *   net_get SAMPLES ID@ENDPOINT…      at least 3 nodes
 *
 * A GET goes to a node nearer to the key only. So the line is the order of the nodes by nearness to
 * some place (that order which most places have), and names are tried until a key has such a place.
 * What a GET brought is kept, so no key serves twice. */
#include "base/base58.h"
#include "bench/common/arguments.h"
#include "bench/common/clock.h"
#include "bench/common/die.h"
#include "bench/common/latencies.h"
#include "bench/common/node.h"
#include "bench/common/world.h"
#include "proto/ring.h"

#include "contracts/entries.h"

#include <stdio.h>
#include <string.h>

enum { NODES_MAX = 8, VALUE_BYTES = 1024, WARM_SAMPLES = 20 };

struct line_node {
    weir_t *weir;
    place_t place;
    char id[WEIR_KEY_TEXT_MAX];
};

struct line {
    struct line_node nodes[NODES_MAX];
    size_t count;
    uint64_t names; /* tried so far */
    struct world world;
    struct latencies latencies[NODES_MAX]; /* by hops */
};

/* ID@ENDPOINT */
static void add_node(struct line *self, const char *text)
{
    const char *at = strchr(text, '@');
    struct node_id id;
    if (!at || self->count == NODES_MAX ||
        base58_decode(slice_of(text, (size_t)(at - text)), id.bytes, sizeof id.bytes))
        die("%s is not ID@ENDPOINT, or there are more than %d", text, NODES_MAX);
    struct line_node *node = &self->nodes[self->count++];
    node->place = ring_place_of_node(&id);
    node->weir = node_open(at + 1);
    weir_key_print(id.bytes, node->id);
}

/* Is each node nearer to the place than the one before it? */
static bool leads_to(const struct line *self, place_t place)
{
    for (size_t i = 1; i < self->count; i++)
        if (ring_distance(self->nodes[i].place, place) >=
            ring_distance(self->nodes[i - 1].place, place))
            return false;
    return true;
}

/* Sorts by nearness, the nearest last. */
static void order_by(struct line *self, place_t place)
{
    for (size_t i = 1; i < self->count; i++)
        for (size_t k = i; k > 0 && ring_distance(self->nodes[k].place, place) >
                                        ring_distance(self->nodes[k - 1].place, place);
             k--) {
            struct line_node node = self->nodes[k];
            self->nodes[k] = self->nodes[k - 1];
            self->nodes[k - 1] = node;
        }
}

/* The order that most places have; the same in every run over the same nodes. */
static void order(struct line *self)
{
    enum { ORDERS = 200, PLACES = 2000 };
    place_t best_place = 0;
    unsigned best = 0;
    uint64_t random = 1;
    for (int i = 0; i < ORDERS; i++) {
        uint64_t places = random;
        unsigned count = 0;
        place_t place = random_next(&random);
        order_by(self, place);
        for (int k = 0; k < PLACES; k++)
            count += leads_to(self, random_next(&places));
        if (count > best) {
            best = count;
            best_place = place;
        }
    }
    order_by(self, best_place);
}

static void make_line(struct line *self)
{
    for (size_t i = 0; i < self->count; i++)
        for (size_t k = 0; k < self->count; k++)
            if ((k > i + 1 || i > k + 1) &&
                weir_peer_disconnect(self->nodes[i].weir, self->nodes[k].id, NULL))
                die("disconnect: %s", weir_error(self->nodes[i].weir));
    for (size_t i = 0; i < self->count; i++)
        node_wait_live(self->nodes[i].weir, i == 0 || i == self->count - 1 ? 1 : 2);
}

/* Parameters of a contract that lies at the line's end. */
static void fresh_params(struct line *self, struct buffer *params)
{
    struct contract contract;
    struct reason why;
    do {
        char name[64];
        (void)snprintf(name, sizeof name, "hops-%llx-%llu",
                       (unsigned long long)get_u64(self->world.replica),
                       (unsigned long long)self->names++);
        buffer_clear(params);
        entry_append(params, slice_text("name"), slice_text(name));
        if (contract_init(&contract, slice_text("map"), buffer_slice(params), &why))
            die("contract_init: %s", why.text);
    } while (!leads_to(self, ring_place_of_contract(contract.key.bytes)));
}

static void sample(struct line *self, size_t hops)
{
    struct buffer params = {0}, state = {0};
    const struct weir_reply *reply;
    uint8_t key[32];
    size_t last = self->count - 1;
    fresh_params(self, &params);
    world_entry(&self->world, 0, &state);
    uint32_t hosts =
        node_put(self->nodes[last].weir, "map", buffer_slice(&params), buffer_slice(&state), key);
    if (hosts < 2)
        die("a contract has no copy beside its first node");
    weir_t *node = self->nodes[hops ? last - 1 - hops : last].weir;
    uint64_t began = now_ns();
    if (weir_get(node, key, &reply))
        die("get over %zu hops: %s", hops, weir_error(node));
    latencies_add(&self->latencies[hops], now_ns() - began);
    if (reply->state.size != state.size)
        die("a state of %zu bytes, wanted %zu", reply->state.size, state.size);
    buffer_free(&params);
    buffer_free(&state);
}

int main(int argc, char **argv)
{
    static struct line line;
    uint64_t samples = argc > 4 ? argument_number(argv[1], 100000) : 0;
    if (samples == 0)
        die("usage: net_get SAMPLES ID@ENDPOINT... (3 or more)");
    for (int i = 2; i < argc; i++)
        add_node(&line, argv[i]);
    size_t most = line.count - 2;
    order(&line);
    make_line(&line);
    world_init(&line.world, 1, VALUE_BYTES, 1, "hops");
    for (uint64_t i = 0; i < samples + WARM_SAMPLES; i++) {
        for (size_t hops = 0; hops <= most; hops++) {
            if (i == WARM_SAMPLES)
                line.latencies[hops].count = 0;
            sample(&line, hops);
        }
    }
    for (size_t hops = 0; hops <= most; hops++) {
        printf("hops_%zu.p50_us %.1f\n", hops, latencies_us(&line.latencies[hops], 0.5));
        printf("hops_%zu.p99_us %.1f\n", hops, latencies_us(&line.latencies[hops], 0.99));
        latencies_free(&line.latencies[hops]);
    }
    for (size_t i = 0; i < line.count; i++)
        weir_destroy(&line.nodes[i].weir);
    world_free(&line.world);
    return 0;
}
