/* net_pair: two nodes, A and B, and what goes between them. Prints `name value` lines.
 *
 *   net_pair A B live COUNT                    waits until both have so many live peers
 *   net_pair A B equal MAP                     waits until B has of the map what A has, durably
 *   net_pair A B append COUNT                  appends 256 bytes to a log, one after another, each
 *                                              followed at B: bytes on the wire an append
 *   net_pair A B cut PEER MAP FIELDS DIFFER    cuts the two apart, changes DIFFER of the map's
 *                                              fields, half of them at A and half at B, connects
 *                                              them again: until they have the same
 *
 * A and B are endpoints of clients, PEER is A as B dials it (ID@HOST:PORT). */
#include "bench/common/arguments.h"
#include "bench/common/clock.h"
#include "bench/common/die.h"
#include "bench/common/node.h"
#include "bench/common/world.h"

#include "contracts/entries.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { APPEND_BYTES = 256, SETTLE_MS = 300 };

struct pair {
    weir_t *a, *b;
};

static struct node_traffic traffic_since(weir_t *node, struct node_traffic before)
{
    struct node_traffic now = node_traffic(node);
    return (struct node_traffic){.in = now.in - before.in, .out = now.out - before.out};
}

static void wait_live(struct pair *pair, size_t live)
{
    node_wait_live(pair->a, live);
    node_wait_live(pair->b, live);
}

/* --- equal ----------------------------------------------------------------------------------- */

static void wait_equal(struct pair *pair, const char *map)
{
    struct world world;
    world_init(&world, 1, 1, 1, map);
    uint64_t began = now_ns();
    nodes_wait_equal(pair->a, pair->b, world.map.bytes);
    printf("wait_s %.4f\n", (double)(now_ns() - began) / 1e9);
    world_free(&world);
}

/* --- append ---------------------------------------------------------------------------------- */

static void on_event(weir_t *node, const struct weir_event *event, void *arg)
{
    uint64_t *deltas = arg;
    (void)node;
    *deltas += event->kind == WEIR_EVENT_DELTA;
}

static void append(struct pair *pair, uint64_t count)
{
    struct buffer params = {0};
    uint8_t key[32];
    char text[APPEND_BYTES];
    uint64_t told = 0;
    const struct weir_bytes data = {text, sizeof text};
    memset(text, 'x', sizeof text);
    entry_append(&params, slice_text("name"), slice_text("net-append"));
    node_put(pair->a, "log", buffer_slice(&params), slice_of(NULL, 0), key);
    if (weir_subscribe(pair->b, key, NULL, on_event, &told))
        die("subscribe: %s", weir_error(pair->b));
    node_pause_ms(SETTLE_MS);
    struct node_traffic before = node_traffic(pair->a);
    for (uint64_t i = 0; i < count; i++) {
        if (weir_log_append(pair->a, key, data) != 1)
            die("append: %s", weir_error(pair->a));
        while (told <= i)
            if (weir_step(pair->b, NODE_PATIENCE_S * 1000) <= 0)
                die("an append was not told in %d s", NODE_PATIENCE_S);
    }
    struct node_traffic used = traffic_since(pair->a, before);
    printf("bytes_out %.1f\n", (double)used.out / (double)count);
    printf("bytes_back %.1f\n", (double)used.in / (double)count);
    buffer_free(&params);
}

/* --- cut ------------------------------------------------------------------------------------- */

static void change(weir_t *node, struct world *world, uint32_t first, uint32_t step, uint32_t count)
{
    struct buffer delta = {0};
    for (uint32_t i = 0; i < count; i++)
        world_entry(world, first + i * step, &delta);
    if (count)
        node_update(node, world->map.bytes, buffer_slice(&delta));
    buffer_free(&delta);
}

static void cut(struct pair *pair, const char *peer, const char *map, uint32_t fields,
                uint32_t differ)
{
    struct world world;
    uint32_t step = differ ? fields / differ * 2 : 1;
    world_init(&world, fields, 8, 1, map);
    node_disconnect(pair->b, peer);
    node_wait_live(pair->a, 0);
    change(pair->a, &world, 0, step, differ / 2);
    change(pair->b, &world, step / 2, step, differ / 2);
    uint64_t began = now_ns();
    node_connect(pair->b, peer);
    nodes_wait_equal(pair->a, pair->b, world.map.bytes);
    printf("ms %.1f\n", (double)(now_ns() - began) / 1e6);
    node_pause_ms(SETTLE_MS); /* for the last messages */
    struct node_traffic used = node_traffic(pair->a);
    printf("bytes %" PRIu64 "\n", used.in + used.out);
    world_free(&world);
}

int main(int argc, char **argv)
{
    const char *what = argc > 4 ? argv[3] : "";
    struct pair pair = {0};
    if (argc > 4) {
        pair.a = node_open(argv[1]);
        pair.b = node_open(argv[2]);
    }
    if (strcmp(what, "live") == 0)
        wait_live(&pair, argument_number(argv[4], 10000));
    else if (strcmp(what, "equal") == 0)
        wait_equal(&pair, argv[4]);
    else if (strcmp(what, "append") == 0)
        append(&pair, argument_number(argv[4], UINT32_MAX));
    else if (strcmp(what, "cut") == 0 && argc == 8)
        cut(&pair, argv[4], argv[5], (uint32_t)argument_number(argv[6], UINT32_MAX),
            (uint32_t)argument_number(argv[7], 1000));
    else
        die("usage: see the top of bench/net_pair.c");
    weir_destroy(&pair.a);
    weir_destroy(&pair.b);
    return 0;
}
