/* The life of one connection: what is done when it steps from one state into the next
 * (proto/peer_state.h), and who is told. */
#include "actors/connections_state.h"

#include "base/base58.h"
#include "base/trace.h"

#include <stdio.h>
#include <stdlib.h>

static void send_order(struct peer_order *order, struct outbox *out, enum actor_id to,
                       enum message_kind kind, peer_t number, enum close_reason reason,
                       const char *why)
{
    order->number = number;
    order->reason = reason;
    if (why)
        (void)snprintf(order->why.text, sizeof order->why.text, "%s", why);
    send_to(out, to, kind, &order->head);
}

void connections_order(struct outbox *out, enum message_kind kind, peer_t number,
                       enum close_reason reason, const char *why)
{
    struct peer_order *order = (struct peer_order *)message_new(sizeof *order);
    if (order) /* else transport's next event, or the pings, find the connection again */
        send_order(order, out, ACTOR_transport, kind, number, reason, why);
}

/* PEER_LIVE for all, and what is needed to tell all of its end: all of it, or nothing is sent. A
 * peer that some never hear the end of would be asked for ever. False without memory. */
static bool tell_live(struct link *link, struct outbox *out)
{
    struct peer_live *lives[ACTOR_COUNT] = {NULL};
    bool whole = true;
    for (int a = 0; a < ACTOR_COUNT; a++) {
        bool is_told = TOLD_OF_PEERS >> a & 1;
        struct message *gone = is_told ? message_new(sizeof(struct peer_order)) : NULL;
        lives[a] = is_told ? message_new(sizeof *lives[a]) : NULL;
        whole = whole && (!is_told || (gone && lives[a]));
        if (gone)
            mail_push(&link->gone, gone);
    }
    for (int a = 0; a < ACTOR_COUNT; a++) {
        if (!lives[a])
            continue;
        lives[a]->number = link->number;
        lives[a]->id = link->peer->id;
        lives[a]->role = link->peer->role;
        lives[a]->leaf = !link->peer->address[0];
        lives[a]->opened_ms = link->opened_ms;
        if (whole)
            send_to(out, (enum actor_id)a, MESSAGE_PEER_LIVE, &lives[a]->head);
        else
            free(lives[a]);
    }
    if (!whole)
        link_drop_gone(link);
    return whole;
}

static void log_link(const struct link *link, const char *what, const char *why)
{
    char id[BASE58_TEXT_MAX];
    base58_encode(link->peer->id.bytes, sizeof link->peer->id.bytes, id);
    trace(TRACE_info, "peer %s %s (%s, connection %llu)%s%s", id, what,
          link->inbound ? "it dialled" : "dialled from here", (unsigned long long)link->number,
          why && *why ? ": " : "", why ? why : "");
}

static void admit(connections_t *self, struct link *link, struct now now, struct outbox *out)
{
    link->peer->told_failed = 0;
    struct peer *peer = link->peer;
    bool added = ring_view_add(&self->view, link->number, &peer->id, false) == 0;
    if (!added || !tell_live(link, out)) {
        if (added)
            ring_view_remove(&self->view, link->number);
        connections_step(self, link, PEER_EVENT_dropped, CLOSE_local_fault, "out of memory", now,
                         out);
        return;
    }
    peer->was_live = true;
    peer->heard_ms = now.ms;
    peer->away_until_ms = 0;
    peer->shed = peer->left = false;
    peer->pings = 0;
    peer->probed_ms = peer->still_ms = peer->doubted_ms = peer->rtt_at_ms = peer->steady_ms = 0;
    if (peer->silent)
        peer->back_ms = now.ms;
    peer->silent = false;
    peer->news = true;
    peer->greeted = false;
    connections_order(out, MESSAGE_ADMIT, link->number, CLOSE_closed, NULL);
    log_link(link, "is live", NULL);
    life_ping(peer, link, now, out);
    connections_look(self, now.ms + PING_AFTER_MS);
    asks_admitted(self, peer);
    self->remembering = self->live_changed = true;
    connections_replan(self);
}

static void tell_gone(connections_t *self, struct link *link, enum close_reason reason,
                      const char *why, struct outbox *out)
{
    peer_t number = link->number;
    bool replaced = reason == CLOSE_duplicate || peer_link_in(link->peer, PEER_handshaking);
    ring_view_remove(&self->view, number);
    for (int a = 0; a < ACTOR_COUNT; a++) {
        if (!(TOLD_OF_PEERS >> a & 1) || !link->gone.first)
            continue;
        struct peer_order *gone = (struct peer_order *)mail_pop(&link->gone);
        gone->replaced = replaced;
        send_order(gone, out, (enum actor_id)a, MESSAGE_PEER_GONE, number, reason, why);
    }
    log_link(link, "is gone", why);
    gossip_gone(self, link->peer);
    routes_gone(self, link->peer, number, out);
    shown_gone(self, number, out);
    self->remembering = self->live_changed = true;
}

/* A gateway that this node cannot join through is for its operator to know: once for each reason.
 */
static void tell_failed(struct peer *peer, enum close_reason reason, const char *why)
{
    char id[BASE58_TEXT_MAX];
    if (!peer->gateway || peer->told_failed == (int)reason + 1)
        return;
    peer->told_failed = (int)reason + 1;
    base58_encode(peer->id.bytes, sizeof peer->id.bytes, id);
    trace(TRACE_warn, "gateway %s at %s cannot be joined through: %s; tried again by and by", id,
          peer->address, why && *why ? why : "no answer");
}

/* Counts, plans the next attempt, and tells who waits for it. The link is in its new state, or
 * unlinked. */
static void ended(connections_t *self, struct peer *peer, enum peer_state before,
                  enum close_reason reason, const char *why, uint64_t lived_ms, struct now now,
                  struct outbox *out)
{
    self->counters.closed[reason]++;
    if (before == PEER_dialling && reason != CLOSE_duplicate) {
        self->counters.failed++;
        tell_failed(peer, reason, why);
    }
    if (!peer_link_in(peer, PEER_live) && !peer_link_in(peer, PEER_handshaking))
        life_ended(self, peer, reason, before, lived_ms, now);
    enum peer_state left = peer_state_of(peer);
    /* A duplicate of one that has not come yet: the other end has it already. */
    if ((left == PEER_absent || left == PEER_closing) && reason != CLOSE_duplicate)
        asks_failed(self, peer, reason, why, out);
    connections_replan(self);
}

static void send_dial(connections_t *self, struct link *link, struct now now, struct outbox *out)
{
    struct dial *dial = (struct dial *)message_new(sizeof *dial);
    if (dial)
        dial->closed = (struct closed *)message_new(sizeof *dial->closed);
    if (!dial || !dial->closed) {
        free(dial);
        link->peer->dial_at_ms = now.ms + REDIAL_MS_MAX;
        peers_unlink(&self->peers, link);
        return;
    }
    link->peer->dialled_ms = now.ms;
    dial->number = link->number;
    dial->id = link->peer->id;
    (void)snprintf(dial->address, sizeof dial->address, "%s", peer_to_dial(link->peer));
    self->counters.dials++;
    send_to(out, ACTOR_transport, MESSAGE_DIAL, &dial->head);
}

void connections_step(connections_t *self, struct link *link, enum peer_event event,
                      enum close_reason reason, const char *why, struct now now, struct outbox *out)
{
    enum peer_state before = link->state;
    struct peer_step step = peer_step(before, event);
    struct peer *peer = link->peer;
    uint64_t lived_ms = now.ms - link->since_ms;
    if (step.next != before)
        link->since_ms = now.ms;
    link->state = step.next;
    switch (step.deed) {
    case PEER_DO_nothing:
    case PEER_DO_wait:
        break;
    case PEER_DO_dial:
        send_dial(self, link, now, out);
        break;
    case PEER_DO_admit:
        admit(self, link, now, out);
        break;
    case PEER_DO_end:
        tell_gone(self, link, reason, why, out);
        connections_order(out, MESSAGE_HANG_UP, link->number, reason, why);
        ended(self, peer, before, reason, why, lived_ms, now, out);
        break;
    case PEER_DO_hang_up:
        connections_order(out, MESSAGE_HANG_UP, link->number, reason, why);
        ended(self, peer, before, reason, why, lived_ms, now, out);
        break;
    case PEER_DO_gone:
        tell_gone(self, link, reason, why, out);
        peers_unlink(&self->peers, link);
        ended(self, peer, before, reason, why, lived_ms, now, out);
        break;
    case PEER_DO_forget:
        peers_unlink(&self->peers, link);
        if (before != PEER_closing) /* counted when this node hung up */
            ended(self, peer, before, reason, why, lived_ms, now, out);
        connections_replan(self);
        break;
    case PEER_DO_fault:
        trace(TRACE_error, "connection %llu: %s cannot be while %s",
              (unsigned long long)link->number, peer_event_names[event], peer_state_names[before]);
        break;
    case PEER_DEED_COUNT:
        break;
    }
}

void connections_dial(connections_t *self, struct peer *peer, struct now now, struct outbox *out)
{
    self->last_number += 2;
    struct link *link = peers_link(&self->peers, peer, self->last_number, false);
    if (link)
        connections_step(self, link, PEER_EVENT_dial, CLOSE_closed, NULL, now, out);
}
