/* CONNECT, which travels to the node nearest to a place, and ACCEPT, which goes back the same way:
 * how a node joins, finds its ring neighbours, and far links (docs/decisions/0015-ring.md). */
#include "actors/connections_state.h"

#include <stdlib.h>

/* --- CONNECT ------------------------------------------------------------------------------ */

static void send_accept(struct outbox *out, peer_t to, uint64_t tx, struct slice node)
{
    const struct peer_accept accept = {.tx = tx, .node = node};
    (void)peer_tell(out, to, LANE_control, PEER_ACCEPT, &accept);
}

/* The encoding of this node, or of one that is live here: it may not know how others see it. */
static void append_known(const connections_t *self, const struct peer_node *node,
                         struct buffer *out)
{
    struct node_id id;
    memcpy(id.bytes, node->id, sizeof id.bytes);
    const struct peer *peer = peers_find(&self->peers, &id);
    if (!peer || !peer_link_in(peer, PEER_live) || !gossip_append_node(peer, out))
        out->failed |= codec_encode(&peer_node_layout, node, out) != 0;
}

static void append_self(const connections_t *self, struct buffer *out)
{
    struct peer_node node = {.role = self->role, .address = slice_text(self->address)};
    memcpy(node.id, self->id.bytes, sizeof node.id);
    out->failed |= codec_encode(&peer_node_layout, &node, out) != 0;
}

/* No peer may take the table from the others, nor all of them from this node's own. */
static bool has_room_for_route(const connections_t *self, peer_t from)
{
    size_t of_it = 0, of_others = 0;
    for (size_t i = 0; i < self->route_count; i++) {
        of_it += self->routes[i].from == from;
        of_others += self->routes[i].from != 0;
    }
    if (from == 0)
        return self->route_count < ROUTES_MAX;
    return of_it < ROUTES_A_PEER_MAX && of_others < ROUTES_MAX - ROUTES_OWN;
}

/* Sends a CONNECT on and remembers where its answer goes. False when that cannot be. */
static bool send_connect(connections_t *self, struct route route, uint64_t place, uint8_t hops,
                         const struct buffer *joiner, struct now now, struct outbox *out)
{
    if (buffer_failed(joiner) || !has_room_for_route(self, route.from)) {
        self->counters.connects_refused += route.from != 0;
        return false;
    }
    route.tx = ++self->last_tx;
    route.until_ms = now.ms + ROUTE_MS;
    const struct peer_connect connect = {
        .tx = route.tx, .hops = hops, .place = place, .joiner = buffer_slice(joiner)};
    if (!peer_tell(out, route.to, LANE_control, PEER_CONNECT, &connect))
        return false;
    self->routes[self->route_count++] = route;
    connections_wake(self, route.until_ms);
    return true;
}

/* A CONNECT that ends here. */
static void accept_joiner(connections_t *self, const struct peer_mail *mail,
                          const struct peer_node *joiner, struct now now, struct outbox *out)
{
    struct node_id id;
    struct buffer own = {0};
    memcpy(id.bytes, joiner->id, sizeof id.bytes);
    bool joins_here = mail->body.connect.place == ring_place_of_node(&id);
    struct peer *peer = hearsay_note(self, joiner, now.ms);
    bool accepts = peer && (joins_here || peer->links || connections_room(self, peer));
    if (accepts) {
        peer->invited_until_ms = now.ms + INVITED_MS;
        append_self(self, &own);
        connections_replan(self);
    }
    send_accept(out, mail->number, mail->body.connect.tx,
                buffer_failed(&own) ? slice_of(NULL, 0) : buffer_slice(&own));
    buffer_free(&own);
}

void routes_connect(connections_t *self, const struct peer_mail *mail, struct now now,
                    struct outbox *out)
{
    const struct peer_connect *connect = &mail->body.connect;
    struct link *link = peers_link_find(&self->peers, mail->number);
    peer_t excluded[2] = {mail->number, 0};
    struct buffer known = {0};
    struct peer_node joiner;
    struct reason why;
    if (codec_decode(&peer_node_layout, connect->joiner, &joiner, &why) != 0) {
        life_blame(self, link->peer, "CONNECT holds what is no node", now, out);
        return;
    }
    append_known(self, &joiner, &known);
    if (!buffer_failed(&known) &&
        codec_decode(&peer_node_layout, buffer_slice(&known), &joiner, &why) != 0)
        known.failed = true;
    for (size_t i = 0; i < self->view.count; i++) /* the joiner does not route to itself */
        if (memcmp(self->view.peers[i].id.bytes, joiner.id, sizeof joiner.id) == 0)
            excluded[1] = self->view.peers[i].number;
    const struct ring_peer *next = ring_next(&self->view, connect->place, excluded, 2);
    struct route route = {.tx_before = connect->tx, .from = mail->number};
    uint8_t hops = connect->hops < PEER_HOPS ? connect->hops : PEER_HOPS;
    if (next)
        route.to = next->number;
    bool ends_here = !buffer_failed(&known) && (!next || hops == 0);
    if (ends_here)
        accept_joiner(self, mail, &joiner, now, out);
    else if (!send_connect(self, route, connect->place, (uint8_t)(hops - 1), &known, now, out))
        send_accept(out, mail->number, connect->tx, slice_of(NULL, 0)); /* by nobody */
    buffer_free(&known);
}

/* Somebody accepted a CONNECT of this node's own. */
static void accepted(connections_t *self, const struct route *route, const struct peer_node *node,
                     struct now now)
{
    struct peer *peer = hearsay_note(self, node, now.ms);
    if (!peer)
        return;
    peer->invited_until_ms = now.ms + INVITED_MS;
    if (route->purpose == ROUTE_far) {
        peer->far = true;
        self->far_pause_ms = FAR_EVERY_MS;
    }
    connections_replan(self);
}

void routes_accept(connections_t *self, const struct peer_mail *mail, struct now now,
                   struct outbox *out)
{
    const struct peer_accept *answer = &mail->body.accept;
    struct link *link = peers_link_find(&self->peers, mail->number);
    struct peer_node node;
    struct reason why;
    size_t at = 0;
    while (at < self->route_count &&
           (self->routes[at].tx != answer->tx || self->routes[at].to != mail->number))
        at++;
    if (at == self->route_count)
        return; /* too late, or never asked */
    struct route route = self->routes[at];
    self->routes[at] = self->routes[--self->route_count];
    bool somebody = answer->node.size != 0;
    if (somebody && codec_decode(&peer_node_layout, answer->node, &node, &why) != 0) {
        life_blame(self, link->peer, "ACCEPT holds what is no node", now, out);
        somebody = false;
    }
    struct buffer known = {0};
    if (somebody)
        append_known(self, &node, &known);
    if (route.from)
        send_accept(out, route.from, route.tx_before,
                    buffer_failed(&known) ? slice_of(NULL, 0) : buffer_slice(&known));
    else if (somebody)
        accepted(self, &route, &node, now);
    buffer_free(&known);
}

/* --- joining, far links ------------------------------------------------------------------- */

static void look_for(connections_t *self, enum route_purpose purpose, place_t place, peer_t via,
                     struct now now, struct outbox *out)
{
    struct buffer own = {0};
    append_self(self, &own);
    struct route route = {.to = via, .purpose = purpose};
    (void)send_connect(self, route, place, PEER_HOPS - 1, &own, now, out);
    buffer_free(&own);
}

/* Who is nearest to this node's own place: asked by the nearest live peer when it joins, later by
 * any, so that a ring that came apart is seen from elsewhere. */
static void join(connections_t *self, struct now now, struct outbox *out)
{
    if (self->view.count == 0) {
        self->join_ms = NEVER;
        self->join_pause_ms = 0;
        return;
    }
    if (self->join_ms == NEVER)
        self->join_ms = now.ms;
    if (now.ms >= self->join_ms) {
        const struct ring_peer *via = NULL;
        if (!self->join_pause_ms)
            (void)ring_nearest(&self->view, self->view.place, &via, 1);
        if (!via)
            via = &self->view.peers[connections_random(self) % self->view.count];
        look_for(self, ROUTE_own_place, self->view.place, via->number, now, out);
        self->join_pause_ms = self->join_pause_ms ? self->join_pause_ms * 2 : 1000;
        if (self->join_pause_ms > JOIN_EVERY_MS_MAX)
            self->join_pause_ms = JOIN_EVERY_MS_MAX;
        self->join_ms = now.ms + connections_jitter(self, self->join_pause_ms);
    }
    connections_wake(self, self->join_ms);
}

/* How many nodes there are, from how dense the near ones lie. */
static uint64_t guess_nodes(const connections_t *self)
{
    const struct ring_peer *nearest[2 * NEAR_A_SIDE] = {NULL};
    place_t places[2 * NEAR_A_SIDE];
    size_t count = ring_nearest(&self->view, self->view.place, nearest, 2 * NEAR_A_SIDE);
    for (size_t i = 0; i < count; i++)
        places[i] = nearest[i]->place;
    return ring_guess_nodes(self->view.place, places, count);
}

/* ~log2 n far links make greedy routing short; a network where all are connected needs none. */
static bool wants_far_link(const connections_t *self)
{
    uint64_t nodes = guess_nodes(self), wanted = 63u - (unsigned)__builtin_clzll(nodes | 1);
    uint64_t far = 0;
    if (self->view.count < PEERS_WANTED / 2 || nodes <= self->view.count)
        return false;
    for (size_t i = 0; i < self->view.count; i++)
        far += gossip_live_at(self, i)->far;
    return far < wanted && self->view.count < self->peers_max;
}

static void look_far(connections_t *self, struct now now, struct outbox *out)
{
    if (now.ms < self->far_ms && !self->live_changed) {
        connections_wake(self, self->far_ms);
        return;
    }
    if (!wants_far_link(self)) {
        self->far_ms = NEVER;
        return;
    }
    if (self->far_ms == NEVER) {
        self->far_pause_ms = FAR_EVERY_MS;
        self->far_ms = now.ms + connections_jitter(self, FAR_EVERY_MS);
    }
    if (now.ms >= self->far_ms) {
        place_t place =
            ring_far_place(self->view.place, connections_random(self), guess_nodes(self));
        const struct ring_peer *next = ring_next(&self->view, place, NULL, 0);
        self->far_ms = now.ms + connections_jitter(self, self->far_pause_ms);
        self->far_pause_ms =
            self->far_pause_ms * 2 < FAR_EVERY_MS_MAX ? self->far_pause_ms * 2 : FAR_EVERY_MS_MAX;
        if (next)
            look_for(self, ROUTE_far, place, next->number, now, out);
    }
    connections_wake(self, self->far_ms);
}

/* --- time, and peers that go -------------------------------------------------------------- */

static void forget_route(connections_t *self, size_t at, struct outbox *out)
{
    struct route route = self->routes[at];
    self->routes[at] = self->routes[--self->route_count];
    if (route.from && ring_view_find(&self->view, route.from))
        send_accept(out, route.from, route.tx_before, slice_of(NULL, 0));
}

void routes_gone(connections_t *self, struct peer *peer, peer_t number, struct outbox *out)
{
    for (size_t i = self->route_count; i-- > 0;)
        if (self->routes[i].to == number || self->routes[i].from == number)
            forget_route(self, i, out);
    peer->far = false;
    if (peer->want == WANT_near) { /* the ring is to be repaired */
        self->join_ms = self->view.count ? 0 : NEVER;
        self->join_pause_ms = 0;
    }
}

void routes_tick(connections_t *self, struct now now, struct outbox *out)
{
    for (size_t i = self->route_count; i-- > 0;)
        if (now.ms >= self->routes[i].until_ms)
            forget_route(self, i, out);
    for (size_t i = 0; i < self->route_count; i++)
        connections_wake(self, self->routes[i].until_ms);
    join(self, now, out);
    look_far(self, now, out);
}
