/* How long connections last, and what their end means for the next attempt. */
#include "actors/connections_state.h"

#include "base/base58.h"
#include "base/trace.h"

/* --- signs of life ----------------------------------------------------------------------- */

void life_ping(struct peer *peer, struct link *link, struct now now, struct outbox *out)
{
    silence_ask(link, now, out);
    peer->pinged_ms = now.ms;
    peer->pings++;
}

void life_pong(connections_t *self, struct link *link, const struct peer_pong *pong, struct now now,
               struct outbox *out)
{
    struct peer *peer = link->peer;
    if (pong->sent_us > now.us)
        return; /* not one of ours */
    peer->rtt_us = now.us - pong->sent_us;
    peer->rtt_at_ms = now.ms;
    asks_live(self, peer, out);
    if (peer->doubted_ms && link->traffic->watched)
        silence_look(self, link, now, out);
    if (peer->probed_ms)
        connections_settle(self, peer, now, out);
}

/* When its silence began; moved on while it is not read, since its silence says nothing then. */
static uint64_t silent_since(struct peer *peer, const struct link *link, uint64_t now_ms)
{
    uint64_t since = link->traffic->heard_ms;
    if (link->traffic->paused)
        peer->still_ms = now_ms;
    if (peer->still_ms > since)
        since = peer->still_ms;
    return since > link->since_ms ? since : link->since_ms;
}

/* lesson L5: a ping after PING_AFTER_MS of silence and each so long again, dead after PINGS_MAX. */
static void care(connections_t *self, struct link *link, struct now now, struct outbox *out)
{
    struct peer *peer = link->peer;
    uint64_t since = silent_since(peer, link, now.ms);
    if (since >= peer->pinged_ms)
        peer->pings = 0; /* any record counts as life */
    uint64_t next = (peer->pings ? peer->pinged_ms : since) +
                    (peer->pings < PINGS_MAX ? PING_AFTER_MS : PING_ANSWER_MS);
    if (link->traffic->paused && now.ms >= peer->pinged_ms + PING_AFTER_MS) {
        life_ping(peer, link, now, out); /* it is to hear of us, though we do not hear it */
        peer->pings = 0;
    }
    bool remeasure = !peer->pings && now.ms >= peer->pinged_ms + ROUND_TRIP_MS;
    if (now.ms >= next && peer->pings >= PINGS_MAX) {
        connections_step(self, link, PEER_EVENT_dropped, CLOSE_silent, "no answer to pings", now,
                         out);
        return;
    }
    if (now.ms >= next || remeasure) {
        life_ping(peer, link, now, out);
        next = now.ms + (peer->pings < PINGS_MAX ? PING_AFTER_MS : PING_ANSWER_MS);
    }
    connections_look(self, next);
    silence_look(self, link, now, out);
}

/* Who is refused for a while is let in again. */
static void forgive(connections_t *self, uint64_t now_ms)
{
    self->forgive_ms = NEVER;
    for (struct peer *p = self->peers.by_id; p; p = (struct peer *)p->by_id.next) {
        if (p->shunned_until_ms && now_ms >= p->shunned_until_ms)
            p->shunned_until_ms = 0;
        else if (p->shunned_until_ms && p->shunned_until_ms < self->forgive_ms)
            self->forgive_ms = p->shunned_until_ms;
    }
}

void life_tick(connections_t *self, struct now now, struct outbox *out)
{
    if (now.ms >= self->forgive_ms)
        forgive(self, now.ms);
    connections_wake(self, self->forgive_ms);
    if (now.ms < self->life_ms) {
        connections_wake(self, self->life_ms);
        return;
    }
    size_t count = 0;
    peer_t numbers[CONNECTIONS_MAX]; /* looking at one may end another */
    self->life_ms = NEVER;
    for (struct link *l = self->peers.by_number; l && count < CONNECTIONS_MAX;
         l = (struct link *)l->by_number.next)
        numbers[count++] = l->number;
    for (size_t i = 0; i < count; i++) {
        struct link *link = peers_link_find(&self->peers, numbers[i]);
        struct peer *peer = link ? link->peer : NULL;
        if (link && link->state == PEER_live)
            care(self, link, now, out);
        if (peer)
            connections_settle(self, peer, now, out);
    }
}

/* --- ends -------------------------------------------------------------------------------- */

/* Who cannot have this node now is left alone; gateways and pinned peers are only tried later. */
static void stay_away(connections_t *self, struct peer *peer, uint64_t ms, struct now now)
{
    uint64_t until = now.ms + connections_jitter(self, ms);
    if (is_reserved(peer))
        peer->dial_at_ms = until;
    else
        peer->away_until_ms = until;
}

/* One more pause, twice the last. */
static void pause_longer(connections_t *self, struct peer *peer, struct now now)
{
    peer->pause_ms = peer->pause_ms ? peer->pause_ms * 2 : REDIAL_MS;
    if (peer->pause_ms > REDIAL_MS_MAX)
        peer->pause_ms = REDIAL_MS_MAX;
    peer->dial_at_ms = now.ms + connections_jitter(self, peer->pause_ms);
}

static void no_room(connections_t *self, struct peer *peer, struct now now)
{
    peer->shed = true;
    if (self->view.count == 0)
        return; /* there is nobody else: the pause of a redial is enough */
    peer->full = true;
    peer->full_pause_ms = peer->full_pause_ms ? peer->full_pause_ms * 2 : FULL_MS;
    if (peer->full_pause_ms > FULL_MS_MAX)
        peer->full_pause_ms = FULL_MS_MAX;
    stay_away(self, peer, peer->full_pause_ms, now);
}

/* A goodbye over a connection that was live since then may be of the peer's last run: it has been
 * here since, not long ago, and that one was taken for one too many. */
static bool is_back(const struct peer *peer, uint64_t since_ms, uint64_t now_ms)
{
    return peer->came_ms > since_ms && now_ms < peer->came_ms + GRACE_MS;
}

void life_ended(connections_t *self, struct peer *peer, enum close_reason reason,
                enum peer_state before, uint64_t lived_ms, struct now now)
{
    bool was_live = before == PEER_live;
    if (was_live && lived_ms >= REDIAL_RESET_MS) {
        peer->pause_ms = peer->full_pause_ms = 0;
        peer->tries = 0;
    }
    peer->wanted_ms = now.ms; /* the grace period of the side that is to dial begins */
    peer->left = peer->full = peer->unwelcome = false;
    if (was_live)
        peer->gone_ms = now.ms;
    pause_longer(self, peer, now);
    if (before == PEER_dialling && hearsay_failed(peer, reason)) {
        peer->tries++;
        return;
    }
    switch (reason) {
    case CLOSE_duplicate:
        break;
    case CLOSE_goodbye:
    case CLOSE_stopping:
        if (was_live && is_back(peer, now.ms - lived_ms, now.ms))
            break;
        stay_away(self, peer, is_reserved(peer) ? peer->pause_ms : LEFT_MS, now);
        peer->left = true;
        break;
    case CLOSE_full:
        no_room(self, peer, now);
        break;
    case CLOSE_removed:
        stay_away(self, peer, is_reserved(peer) ? REDIAL_MS_MAX : REMOVED_MS, now);
        peer->unwelcome = true;
        break;
    case CLOSE_refused: /* lesson D7: it backs off */
    case CLOSE_misbehaved:
        stay_away(self, peer, is_reserved(peer) ? REDIAL_MS_MAX : GIVEN_UP_MS, now);
        peer->unwelcome = true;
        break;
    default:
        peer->tries += !was_live;
        break;
    }
}

/* --- conduct ----------------------------------------------------------------------------- */

void life_shun(connections_t *self, struct peer *peer, enum close_reason reason, const char *why,
               struct now now, struct outbox *out)
{
    peer->shunned_until_ms = now.ms + SHUNNED_MS;
    peer->shunned_for = reason;
    for (struct link *l = peer->links, *next; l; l = next) {
        next = l->next;
        connections_step(self, l, PEER_EVENT_dropped, reason, why, now, out);
    }
    if (peer->shunned_until_ms < self->forgive_ms)
        self->forgive_ms = peer->shunned_until_ms;
    connections_wake(self, self->forgive_ms);
}

void life_blame(connections_t *self, struct peer *peer, const char *why, struct now now,
                struct outbox *out)
{
    char id[BASE58_TEXT_MAX];
    base58_encode(peer->id.bytes, sizeof peer->id.bytes, id);
    if (peer->blames && now.ms >= peer->blamed_ms + BLAME_MS)
        peer->blames = 0;
    peer->blamed_ms = now.ms;
    peer->blames++;
    trace(TRACE_warn, "peer %s broke a rule (%u times): %s", id, peer->blames, why);
    if (peer->blames < BLAMES_MAX)
        return;
    peer->blames = 0;
    life_shun(self, peer, CLOSE_misbehaved, "too many broken rules", now, out);
}
