/* How nodes hear of each other: NEIGHBOURS, from whoever is live with both
 * (docs/decisions/0015-ring.md). */
#include "actors/connections_state.h"

#include <stdlib.h>

enum { ALL_TOLD_UP_TO = PEERS_WANTED + 8 }; /* with so few live, everybody is told of everybody */

/* --- NEIGHBOURS --------------------------------------------------------------------------- */

struct peer *gossip_live_at(const connections_t *self, size_t index)
{
    return peers_link_find(&self->peers, self->view.peers[index].number)->peer;
}

bool gossip_append_node(const struct peer *peer, struct buffer *out)
{
    struct peer_node node = {.role = peer->role, .address = slice_text(peer->address)};
    memcpy(node.id, peer->id.bytes, sizeof node.id);
    return codec_encode(&peer_node_layout, &node, out) == 0;
}

static void send_nodes(const connections_t *self, size_t to, const struct buffer *nodes,
                       struct outbox *out)
{
    const struct peer_neighbours told = {.nodes = buffer_slice(nodes)};
    if (nodes->size && !buffer_failed(nodes))
        (void)peer_tell(out, self->view.peers[to].number, LANE_control, PEER_NEIGHBOURS, &told);
}

/* Tells the live peer at this index of those around its place; only_news: of newcomers only. The
 * view is in the order of places, so around it is around it in the array. */
static void tell(const connections_t *self, size_t to, bool only_news, struct outbox *out)
{
    struct buffer nodes = {0};
    size_t others = self->view.count - 1;
    size_t reach = others + 1 <= ALL_TOLD_UP_TO ? others : 2 * TOLD_A_SIDE;
    for (size_t k = 1; k <= reach; k++) {
        size_t step = (k + 1) / 2; /* one after it, one before it, … */
        size_t at = (k % 2 ? to + step : to + self->view.count - step) % self->view.count;
        const struct peer *peer = gossip_live_at(self, at);
        if ((!only_news || peer->news) && !gossip_append_node(peer, &nodes))
            break;
    }
    send_nodes(self, to, &nodes, out);
    buffer_free(&nodes);
}

/* Newcomers hear of others at once; the others hear of newcomers a little later, many at a time. */
static void tell_news(connections_t *self, uint64_t now_ms, struct outbox *out)
{
    bool due = now_ms >= self->news_ms;
    if (!due && !self->live_changed) {
        connections_wake(self, self->news_ms);
        return;
    }
    for (size_t i = 0; i < self->view.count; i++) {
        struct peer *peer = gossip_live_at(self, i);
        if (!peer->greeted)
            tell(self, i, false, out);
        else if (due)
            tell(self, i, true, out);
        if (!peer->greeted && self->news_ms == NEVER)
            self->news_ms = now_ms + NEWS_MS;
        peer->greeted = true;
    }
    for (size_t i = 0; due && i < self->view.count; i++)
        gossip_live_at(self, i)->news = false;
    if (due)
        self->news_ms = NEVER;
    connections_wake(self, self->news_ms);
}

/* Ring neighbours are told again of each other when one of them went, and now and then. */
static void tell_again(connections_t *self, uint64_t now_ms, struct outbox *out)
{
    if (self->tell_ms == NEVER && self->view.count)
        self->tell_ms = now_ms + connections_jitter(self, TELL_AGAIN_MS);
    if (now_ms >= self->tell_ms) {
        self->tell_ms = now_ms + connections_jitter(self, TELL_AGAIN_MS);
        for (size_t i = 0; i < self->view.count; i++)
            if (gossip_live_at(self, i)->want == WANT_near || is_reserved(gossip_live_at(self, i)))
                tell(self, i, false, out);
    }
    connections_wake(self, self->tell_ms);
}

void gossip_neighbours(connections_t *self, const struct peer_mail *mail, struct now now,
                       struct outbox *out)
{
    struct slice rest = mail->body.neighbours.nodes;
    struct link *link = peers_link_find(&self->peers, mail->number);
    for (size_t i = 0; rest.size && i < NODES_TOLD_MAX; i++) {
        struct peer_node node;
        struct reason why;
        size_t used;
        if (codec_decode_prefix(&peer_node_layout, rest, &node, &used, &why) != 0) {
            life_blame(self, link->peer, "NEIGHBOURS holds what is no node", now, out);
            return;
        }
        (void)hearsay_note(self, &node, now.ms);
        rest = slice_after(rest, used);
    }
}

void gossip_gone(connections_t *self, struct peer *peer)
{
    if (peer->want == WANT_near)
        self->tell_ms = 0; /* the ring is to be repaired */
}

void gossip_tick(connections_t *self, struct now now, struct outbox *out)
{
    tell_news(self, now.ms, out);
    tell_again(self, now.ms, out);
}
