/* room_node: rooms at a real node, through libweir. Prints `name value` lines.
 *
 *   room_node ENDPOINT make             creates room 0, of 1,000 messages and 200 members, and room
 *                                       1, with its owner alone
 *   room_node ENDPOINT say ROOM COUNT   so many messages into one of them, one after another
 *   room_node ENDPOINT join             a client that knows nothing receives room 0, verifies every
 *                                       signature and link of it, and has its view
 *   room_node ENDPOINT use COUNT        reads rooms 2, 3, … of bench/room_store.c once each, and
 *                                       writes one message into each */
#include "bench/common/arguments.h"
#include "bench/common/clock.h"
#include "bench/common/die.h"
#include "bench/common/latencies.h"
#include "bench/common/node.h"
#include "bench/common/room_world.h"

#include "contracts/merge.h"
#include "contracts/room_view.h"

#include <stdio.h>
#include <string.h>

enum { FULL, EMPTY, FIRST_HOSTED };

static uint64_t wall_ms(void)
{
    return clock_of(CLOCK_REALTIME) / 1000000;
}

static void make(weir_t *node, uint32_t number, size_t members, size_t messages)
{
    struct room_world world;
    struct buffer state = {0};
    uint8_t key[32];
    room_world_init(&world, number);
    room_world_state(&world, members, messages, false, &state);
    node_put(node, "room", buffer_slice(&world.params), buffer_slice(&state), key);
    buffer_free(&state);
    room_world_free(&world);
}

static void make_all(weir_t *node)
{
    make(node, FULL, ROOM_WORLD_MEMBERS, ROOM_WORLD_MESSAGES);
    make(node, EMPTY, 1, 0);
}

static void say(weir_t *node, uint32_t number, uint64_t count)
{
    struct room_world world;
    struct buffer delta = {0};
    struct latencies latencies = {0};
    uint64_t last = 0;
    room_world_init(&world, number);
    for (uint64_t i = 0; i < count; i++) {
        last = wall_ms() > last ? wall_ms() : last + 1;
        buffer_clear(&delta);
        room_world_say(&world, last, false, &delta);
        uint64_t began = now_ns();
        node_update(node, world.contract.key.bytes, buffer_slice(&delta));
        latencies_add(&latencies, now_ns() - began);
    }
    printf("p50_us %.1f\n", latencies_us(&latencies, 0.5));
    latencies_free(&latencies);
    buffer_free(&delta);
    room_world_free(&world);
}

static void join(const char *endpoint)
{
    struct room_world world;
    const struct weir_reply *reply;
    room_world_init(&world, FULL);
    uint64_t began = now_ns();
    weir_t *node = node_open(endpoint);
    if (weir_get(node, world.contract.key.bytes, &reply))
        die("get: %s", weir_error(node));
    uint64_t received = now_ns();
    struct slice state = slice_of(reply->state.data, reply->state.size);
    if (contract_check(&world.contract, NULL, state, NULL, NULL))
        die("what the node has of the room does not verify");
    uint64_t verified = now_ns();
    room_view_t *view = room_view_new(&world.contract, ROOM_VIEW_WHOLE);
    if (!view || room_view_apply(view, state, NULL))
        die("no memory for a view");
    printf("ms %.2f\n", (double)(now_ns() - began) / 1e6);
    printf("receive_ms %.2f\n", (double)(received - began) / 1e6);
    printf("verify_ms %.2f\n", (double)(verified - received) / 1e6);
    if (room_view_message_count(view) != ROOM_WORLD_MESSAGES ||
        room_view_member_count(view) != ROOM_WORLD_MEMBERS)
        die("it is not the room");
    room_view_destroy(&view);
    weir_destroy(&node);
    room_world_free(&world);
}

static void use(weir_t *node, uint32_t number)
{
    struct room_world world;
    struct buffer delta = {0};
    const struct weir_reply *reply;
    room_world_init(&world, number);
    if (weir_get(node, world.contract.key.bytes, &reply))
        die("get: %s", weir_error(node));
    if (reply->state.size < ROOM_WORLD_MESSAGES * WRITER_TRAILER_BYTES)
        die("a room of %zu bytes", reply->state.size);
    room_world_say(&world, wall_ms(), false, &delta);
    node_update(node, world.contract.key.bytes, buffer_slice(&delta));
    buffer_free(&delta);
    room_world_free(&world);
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[2] : "";
    if (strcmp(what, "join") == 0) {
        join(argv[1]);
        return 0;
    }
    weir_t *node = argc > 2 ? node_open(argv[1]) : NULL;
    if (strcmp(what, "make") == 0)
        make_all(node);
    else if (strcmp(what, "say") == 0 && argc == 5)
        say(node, (uint32_t)argument_number(argv[3], EMPTY), argument_number(argv[4], UINT32_MAX));
    else if (strcmp(what, "use") == 0 && argc == 4)
        for (uint32_t i = 0; i < (uint32_t)argument_number(argv[3], 100000); i++)
            use(node, FIRST_HOSTED + i);
    else
        die("usage: see the top of bench/room_node.c");
    weir_destroy(&node);
    return 0;
}
