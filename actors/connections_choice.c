/* Which connections are kept: of two to one peer, and when there is no room
 * (docs/decisions/0014-who-dials.md). */
#include "actors/connections_state.h"

#include "proto/hello.h"

bool connections_room(const connections_t *self, const struct peer *peer)
{
    size_t others = 0;
    if (is_reserved(peer) || peer->asked)
        return true; /* bounded by PINNED_MAX */
    for (size_t i = 0; i < self->view.count; i++)
        others += !is_reserved(peers_link_find(&self->peers, self->view.peers[i].number)->peer);
    return others < self->peers_max;
}

/* A slot for a peer where there is none: the oldest connection that is neither near nor reserved
 * goes. A gateway makes room for whoever comes, so that all can join through it. */
static bool make_room(connections_t *self, const struct peer *peer, struct now now,
                      struct outbox *out)
{
    struct link *oldest = NULL;
    upkeep_choose(self, now.ms);
    if (self->role != ROLE_gateway && peer->want < WANT_near)
        return false;
    for (size_t i = 0; i < self->view.count; i++) {
        struct link *link = peers_link_find(&self->peers, self->view.peers[i].number);
        if (is_reserved(link->peer) || link->peer->want == WANT_near ||
            now.ms < link->since_ms + SHED_AGE_MS)
            continue;
        if (!oldest || link->since_ms < oldest->since_ms)
            oldest = link;
    }
    if (!oldest)
        return false;
    oldest->peer->shed = true;
    connections_step(self, oldest, PEER_EVENT_dropped, CLOSE_full, "no room for more peers", now,
                     out);
    return true;
}

static bool dialled_by_lower(const connections_t *self, const struct link *link)
{
    return link->inbound != is_lower(self, link->peer);
}

static void turn_away(connections_t *self, struct link *link, enum close_reason reason,
                      const char *why, struct now now, struct outbox *out)
{
    connections_step(self, link, PEER_EVENT_turned_away, reason, why, now, out);
}

static const char duplicate_text[] = "another connection to the same peer is kept";

static void drop_duplicate(connections_t *self, struct link *link, struct now now,
                           struct outbox *out)
{
    connections_step(self, link, PEER_EVENT_dropped, CLOSE_duplicate, duplicate_text, now, out);
}

/* An inbound one that cannot be decided on yet; of several the last stays. */
static void wait_with(connections_t *self, struct link *link, struct now now, struct outbox *out)
{
    struct link *before = peer_link_in(link->peer, PEER_handshaking);
    connections_step(self, link, PEER_EVENT_waits, CLOSE_closed, NULL, now, out);
    if (before)
        drop_duplicate(self, before, now, out);
}

/* Opened while another one is live (docs/decisions/0014-who-dials.md). The lower id's dial is kept,
 * never the newer because it is newer (lesson C2). What the peer dials while this node holds a live
 * connection to it may be a restart: the old one has PROBE_MS to show life. */
static void opened_beside_live(connections_t *self, struct link *link, struct link *live,
                               struct now now, struct outbox *out)
{
    struct peer *peer = link->peer;
    if (dialled_by_lower(self, link) && !dialled_by_lower(self, live)) {
        drop_duplicate(self, live, now, out);
        connections_step(self, link, PEER_EVENT_kept, CLOSE_closed, NULL, now, out);
    } else if (!link->inbound) {
        turn_away(self, link, CLOSE_duplicate, duplicate_text, now, out);
    } else {
        wait_with(self, link, now, out);
        if (!peer->probed_ms) {
            peer->probed_ms = now.ms;
            life_ping(peer, live, now, out);
        }
        connections_look(self, now.ms + PROBE_MS);
    }
}

void connections_decide(connections_t *self, struct link *link, struct now now, struct outbox *out)
{
    struct peer *peer = link->peer;
    struct link *live = peer_link_in(peer, PEER_live);
    if (now.ms < peer->shunned_until_ms) {
        turn_away(self, link, peer->shunned_for, "refused for a while", now, out);
    } else if (live) {
        opened_beside_live(self, link, live, now, out);
    } else if (link->inbound && is_lower(self, peer) && peer_link_in(peer, PEER_dialling)) {
        wait_with(self, link, now, out); /* dials that cross: this node's is kept if it opens */
        connections_look(self, now.ms + CROSSING_MS);
    } else if (connections_room(self, peer) || make_room(self, peer, now, out)) {
        struct link *waits = peer_link_in(peer, PEER_handshaking);
        connections_step(self, link, PEER_EVENT_kept, CLOSE_closed, NULL, now, out);
        if (waits)
            drop_duplicate(self, waits, now, out);
    } else {
        turn_away(self, link, CLOSE_full, "no room for more peers", now, out);
    }
}

void connections_settle(connections_t *self, struct peer *peer, struct now now, struct outbox *out)
{
    struct link *waits = peer_link_in(peer, PEER_handshaking);
    struct link *live = peer_link_in(peer, PEER_live);
    if (!waits)
        return;
    if (live && (live->traffic->heard_ms > peer->probed_ms || live->traffic->paused)) {
        peer->probed_ms = 0;
        drop_duplicate(self, waits, now, out);
    } else if (live && now.ms >= peer->probed_ms + PROBE_MS) {
        connections_step(self, live, PEER_EVENT_dropped, CLOSE_silent,
                         "it came again, and the old connection is dead", now, out);
        connections_step(self, waits, PEER_EVENT_chosen, CLOSE_closed, NULL, now, out);
    } else if (live) {
        connections_look(self, peer->probed_ms + PROBE_MS);
    } else if (peer_link_in(peer, PEER_dialling) && now.ms < waits->since_ms + CROSSING_MS) {
        connections_look(self, waits->since_ms + CROSSING_MS);
    } else if (connections_room(self, peer) || make_room(self, peer, now, out)) {
        connections_step(self, waits, PEER_EVENT_chosen, CLOSE_closed, NULL, now, out);
    } else {
        connections_step(self, waits, PEER_EVENT_dropped, CLOSE_full, "no room for more peers", now,
                         out);
    }
}
