/* net_bulk: a large state goes from A to B, which knows nothing yet, while small updates go the
 * same way: from CONNECT until B has all of it on its disk; and how long each small update took
 * meanwhile from A to a subscriber at B. Prints `name value` lines.
 *
 *   net_bulk A B PEER LARGE [SMALL]    A and B: endpoints of clients; PEER: A as B dials it; LARGE
 *                                      and SMALL: names of maps that A has; without SMALL there
 *                                      are no small updates */
#include "bench/common/clock.h"
#include "bench/common/die.h"
#include "bench/common/latencies.h"
#include "bench/common/node.h"
#include "bench/common/world.h"

#include <poll.h>
#include <stdio.h>

enum { VALUE_BYTES = 256, FIELDS = 1000, LOOK_EVERY_MS = 10 };

struct bulk {
    weir_t *a, *b, *looker; /* the last is B again: what it answers is no notification's time */
    struct world large, small;
    struct latencies notice;
    uint64_t sent_ns;
    bool told, answered; /* of the last small update: B's subscriber, its author */

    uint8_t wanted[32];
};

static void on_event(weir_t *node, const struct weir_event *event, void *arg)
{
    struct bulk *self = arg;
    (void)node;
    if (event->kind != WEIR_EVENT_DELTA || self->told)
        return;
    latencies_add(&self->notice, now_ns() - self->sent_ns);
    self->told = true;
}

static void on_updated(weir_t *node, const struct weir_reply *reply, void *arg)
{
    struct bulk *self = arg;
    if (reply->code)
        die("update: %s", weir_error(node));
    self->answered = true;
}

static void publish(struct bulk *self)
{
    struct buffer delta = {0};
    world_entry(&self->small, (uint32_t)(random_next(&self->small.random) % FIELDS), &delta);
    self->told = self->answered = false;
    self->sent_ns = now_ns();
    if (weir_update_async(self->a, self->small.map.bytes,
                          (struct weir_bytes){delta.data, delta.size}, on_updated, self))
        die("update: %s", weir_error(self->a));
    buffer_free(&delta);
}

/* One wait on both handles: one thread, and no turning round. */
static void step(struct bulk *self, int wait_ms)
{
    struct pollfd fds[] = {{weir_fd(self->a), POLLIN, 0}, {weir_fd(self->b), POLLIN, 0}};
    if (weir_step(self->a, 0) < 0 || weir_step(self->b, 0) < 0)
        die("a node is gone");
    if (self->told && self->answered)
        return;
    if (weir_wait_ms(self->a) != 0 && weir_wait_ms(self->b) != 0)
        (void)poll(fds, 2, wait_ms);
}

static bool is_whole(struct bulk *self)
{
    uint8_t fingerprint[32];
    return node_fingerprint(self->looker, self->large.map.bytes, fingerprint) &&
           memcmp(fingerprint, self->wanted, sizeof fingerprint) == 0;
}

/* The first moment after CONNECT nobody has told B yet what there is. */
static void follow(struct bulk *self)
{
    uint64_t end = now_ns() + NODE_PATIENCE_S * 1000000000ull;
    int rc;
    do
        rc = weir_subscribe(self->b, self->small.map.bytes, NULL, on_event, self);
    while ((rc == WEIR_NOT_FOUND || rc == WEIR_NO_LIVE_PEER) && now_ns() < end);
    if (rc)
        die("subscribe: %s", weir_error(self->b));
}

/* Small updates, one after the other, until B has all; looking must not stand in one's way. */
static void update_until_whole(struct bulk *self)
{
    uint64_t began = now_ns(), look = began;
    follow(self);
    publish(self);
    for (;;) {
        step(self, LOOK_EVERY_MS);
        if (now_ns() > began + NODE_PATIENCE_S * 1000000000ull)
            die("B does not have all of it after %d s", NODE_PATIENCE_S);
        if (!self->told || !self->answered)
            continue;
        if (now_ns() > look) {
            if (is_whole(self))
                return;
            look = now_ns() + LOOK_EVERY_MS * 1000000u;
        }
        publish(self);
    }
}

static void run(struct bulk *self, const char *peer, bool small)
{
    uint64_t began = now_ns();
    node_connect(self->b, peer);
    if (small)
        update_until_whole(self);
    nodes_wait_equal(self->a, self->looker, self->large.map.bytes); /* durable */
    printf("seconds %.4f\n", (double)(now_ns() - began) / 1e9);
    if (!small)
        return;
    printf("small %zu\n", self->notice.count);
    printf("small_p50_us %.1f\n", latencies_us(&self->notice, 0.5));
    printf("small_p99_us %.1f\n", latencies_us(&self->notice, 0.99));
    printf("small_max_us %.1f\n", latencies_us(&self->notice, 1));
}

int main(int argc, char **argv)
{
    static struct bulk bulk;
    if (argc != 5 && argc != 6)
        die("usage: net_bulk A B PEER LARGE [SMALL]");
    bulk.a = node_open(argv[1]);
    bulk.b = node_open(argv[2]);
    bulk.looker = node_open(argv[2]);
    world_init(&bulk.large, 1, 1, 1, argv[4]);
    world_init(&bulk.small, FIELDS, VALUE_BYTES, 1, argc == 6 ? argv[5] : "");
    if (!node_fingerprint(bulk.a, bulk.large.map.bytes, bulk.wanted))
        die("A has no map %s", argv[4]);
    run(&bulk, argv[3], argc == 6);
    latencies_free(&bulk.notice);
    world_free(&bulk.large);
    world_free(&bulk.small);
    weir_destroy(&bulk.a);
    weir_destroy(&bulk.b);
    weir_destroy(&bulk.looker);
    return 0;
}
