/* What of the peers is worth writing down for the next run: those that can be dialled and were live
 * once, the live ones first. */
#include "actors/connections_state.h"

#include <stdlib.h>

static bool is_connected(const struct peer *peer)
{
    return peer_link_in(peer, PEER_live) != NULL;
}

static int by_worth(const void *a, const void *b)
{
    const struct peer *x = *(struct peer *const *)a, *y = *(struct peer *const *)b;
    if (is_connected(x) != is_connected(y))
        return is_connected(x) ? -1 : 1;
    if (x->heard_ms != y->heard_ms)
        return x->heard_ms > y->heard_ms ? -1 : 1;
    return memcmp(x->id.bytes, y->id.bytes, sizeof x->id.bytes);
}

/* A sum over nodes that does not depend on their order (FNV-1a of each). */
static uint64_t sum_of(const struct peer_node *nodes, size_t count)
{
    uint64_t sum = count;
    for (size_t i = 0; i < count; i++) {
        uint64_t hash = 0xcbf29ce484222325u;
        for (size_t b = 0; b < sizeof nodes[i].id; b++)
            hash = (hash ^ nodes[i].id[b]) * 0x100000001b3u;
        for (size_t b = 0; b < nodes[i].address.size; b++)
            hash = (hash ^ nodes[i].address.data[b]) * 0x100000001b3u;
        sum += hash;
    }
    return sum;
}

void memory_keep(connections_t *self)
{
    struct peer_node nodes[KNOWN_PEERS_MAX];
    size_t count = 0, kept = 0;
    struct peer **worth = self->remember && self->remembering
                              ? (struct peer **)calloc(self->peers.count + 1, sizeof(struct peer *))
                              : NULL;
    if (!worth)
        return;
    self->remembering = false;
    for (struct peer *p = self->peers.by_id; p; p = (struct peer *)p->by_id.next)
        if (p->address[0] && (p->was_live || p->vouched))
            worth[count++] = p;
    qsort(worth, count, sizeof *worth, by_worth);
    for (; kept < count && kept < KNOWN_PEERS_MAX; kept++) {
        nodes[kept].role = worth[kept]->role;
        nodes[kept].address = slice_text(worth[kept]->address);
        memcpy(nodes[kept].id, worth[kept]->id.bytes, sizeof nodes[kept].id);
    }
    uint64_t sum = sum_of(nodes, kept);
    if (sum != self->remembered_sum)
        self->remember(self->remember_for, nodes, kept);
    self->remembered_sum = sum;
    free(worth);
}

void memory_tick(connections_t *self, uint64_t now_ms)
{
    if (!self->remembering || !self->remember)
        return;
    if (self->remember_ms == NEVER)
        self->remember_ms = self->remembered_ms + REMEMBER_EVERY_MS > now_ms
                                ? self->remembered_ms + REMEMBER_EVERY_MS
                                : now_ms + NEWS_MS;
    if (now_ms >= self->remember_ms) {
        self->remember_ms = NEVER;
        self->remembered_ms = now_ms;
        memory_keep(self);
    } else {
        connections_wake(self, self->remember_ms);
    }
}
