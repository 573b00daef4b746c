#include "actors/connections_state.h"

#include "base/base58.h"
#include "base/trace.h"
#include "proto/hello.h"

#include <stdio.h>
#include <stdlib.h>

/* --- making ------------------------------------------------------------------------------ */

/* The operator's gateways, and who was known in a former run. */
static bool note_all(connections_t *self, const struct peer_node *nodes, size_t count,
                     bool gateways)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(nodes[i].id, self->id.bytes, sizeof self->id.bytes) == 0)
            continue; /* lesson D5 */
        if (gateways && self->pinned_count >= PINNED_MAX)
            break;
        struct peer *peer = hearsay_note(self, &nodes[i], 0);
        if (!peer)
            return false;
        self->pinned_count += gateways && !peer->gateway;
        peer->gateway |= gateways;
        peer->vouched = true;
        peer->proven = true;
    }
    return true;
}

connections_t *connections_new(const struct connections_options *options)
{
    connections_t *self = (connections_t *)calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->id = options->id;
    self->role = options->role;
    self->alone = options->alone;
    self->peers_max = options->peers_max ? options->peers_max : PEERS_MAX_DEFAULT;
    self->random = options->seed;
    self->remember_for = options->remember_for;
    self->remember = options->remember;
    (void)snprintf(self->address, sizeof self->address, "%s",
                   options->address ? options->address : "");
    self->can_be_dialled = self->address[0] != 0;
    self->news_ms = self->join_ms = self->remember_ms = self->tell_ms = self->far_ms =
        self->life_ms = self->forgive_ms = NEVER;
    ring_view_init(&self->view, &self->id);
    if (!note_all(self, options->gateways, options->gateway_count, true) ||
        !note_all(self, options->known, options->known_count, false))
        connections_destroy(&self);
    return self;
}

void connections_destroy(connections_t **pointer)
{
    connections_t *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    memory_keep(self);
    asks_free(self);
    ring_view_free(&self->view);
    peers_free(&self->peers);
    free(self);
}

bool connections_is_networked(const struct connections_options *options)
{
    return options->gateway_count + options->known_count > 0;
}

/* splitmix64 (Steele, Lea, Flood 2014): from a seed, so that a simulation repeats. */
uint64_t connections_random(connections_t *self)
{
    uint64_t z = self->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t connections_jitter(connections_t *self, uint64_t ms)
{
    return ms - ms / 4 + connections_random(self) % (ms / 2 + 1);
}

/* --- one connection ---------------------------------------------------------------------- */

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

static void order(struct outbox *out, enum actor_id to, enum message_kind kind, peer_t number,
                  enum close_reason reason, const char *why)
{
    struct peer_order *order = (struct peer_order *)message_new(sizeof *order);
    if (order) /* else transport's next event, or the pings, find the connection again */
        send_order(order, out, to, kind, number, reason, why);
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
    peer->probed_ms = peer->still_ms = peer->rtt_at_ms = 0;
    peer->news = true;
    peer->greeted = false;
    order(out, ACTOR_transport, MESSAGE_ADMIT, link->number, CLOSE_closed, NULL);
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
    ring_view_remove(&self->view, number);
    for (int a = 0; a < ACTOR_COUNT; a++)
        if (TOLD_OF_PEERS >> a & 1 && link->gone.first)
            send_order((struct peer_order *)mail_pop(&link->gone), out, (enum actor_id)a,
                       MESSAGE_PEER_GONE, number, reason, why);
    log_link(link, "is gone", why);
    gossip_gone(self, number, out);
    asks_gone(self, number, out);
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
    if (left == PEER_absent || left == PEER_closing)
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
        order(out, ACTOR_transport, MESSAGE_HANG_UP, link->number, reason, why);
        ended(self, peer, before, reason, why, lived_ms, now, out);
        break;
    case PEER_DO_hang_up:
        order(out, ACTOR_transport, MESSAGE_HANG_UP, link->number, reason, why);
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

/* --- what transport tells ---------------------------------------------------------------- */

/* Where the peer can be dialled. It may listen at every address of its machine and not know how
 * others see it: then the host it comes from, with its own port. */
static bool set_address(struct peer *peer, const struct opened *opened)
{
    char text[2 * sizeof opened->remote];
    struct slice address = slice_text(opened->address);
    const char *colon = strrchr(opened->remote, ':');
    if (!hello_is_address(address))
        return true;
    if (!colon || !hello_is_any_host(address))
        return peer_set_address(peer, address);
    (void)snprintf(text, sizeof text, "%.*s%s", (int)(colon - opened->remote), opened->remote,
                   strrchr(opened->address, ':'));
    return strlen(text) > PEER_ADDRESS_BYTES_MAX || peer_set_address(peer, slice_text(text));
}

/* Its own word of where it is, or that it was reached there, stands above what others tell. */
static void learn_address(struct peer *peer, const struct opened *opened)
{
    if (peer->gateway || peer->asked)
        return; /* as the operator says */
    if (!set_address(peer, opened)) {
        trace(TRACE_warn, "out of memory: a peer's address is not kept");
        return;
    }
    bool reached = !opened->inbound && !peer->dials_hearsay;
    peer->proven |= peer->address[0] && (opened->address[0] || reached);
    peer->dials_hearsay = false;
    if (peer->proven)
        peer_drop_hearsay(peer);
}

/* A connection nobody keeps a record of: its CLOSED says nothing new then. */
static void refuse(peer_t number, enum close_reason reason, const char *why, struct outbox *out)
{
    order(out, ACTOR_transport, MESSAGE_HANG_UP, number, reason, why);
}

static void on_opened(connections_t *self, struct opened *opened, struct now now,
                      struct outbox *out)
{
    struct link *link = peers_link_find(&self->peers, opened->number);
    if (!link && memcmp(opened->id.bytes, self->id.bytes, sizeof self->id.bytes) == 0) {
        refuse(opened->number, CLOSE_refused, "a node does not connect to itself", out); /* D5 */
        return;
    }
    if (!link && !opened->inbound)
        return; /* a dial that was given up, and is closing */
    struct peer *peer = link ? link->peer : peers_of(&self->peers, &opened->id);
    if (!link)
        link = peer ? peers_link(&self->peers, peer, opened->number, true) : NULL;
    if (!link) {
        refuse(opened->number, peer ? CLOSE_duplicate : CLOSE_full, "no room for more", out);
        return;
    }
    self->counters.opened++;
    peer->role = opened->role;
    learn_address(peer, opened);
    peer_traffic_release(&link->traffic);
    link->traffic = opened->traffic;
    opened->traffic = NULL;
    if (link->traffic && link->state != PEER_closing)
        connections_decide(self, link, now, out);
    connections_replan(self);
}

static void on_closed(connections_t *self, const struct closed *closed, struct now now,
                      struct outbox *out)
{
    struct link *link = peers_link_find(&self->peers, closed->number);
    if (!link)
        return; /* it was refused at once */
    struct peer *peer = link->peer;
    if (closed->reason == CLOSE_bad_record || closed->reason == CLOSE_misbehaved)
        life_blame(self, peer, closed->why.text, now, out);
    connections_step(self, link, PEER_EVENT_closed, closed->reason, closed->why.text, now, out);
    connections_settle(self, peer, now, out);
}

static void on_mail(connections_t *self, const struct peer_mail *mail, struct now now,
                    struct outbox *out)
{
    struct link *link = peers_link_find(&self->peers, mail->number);
    struct peer_pong pong = {.sent_us = mail->body.ping.sent_us};
    if (!link || link->state != PEER_live)
        return; /* hung up on meanwhile */
    switch (mail->kind) {
    case PEER_PING:
        (void)peer_tell(out, mail->number, LANE_control, PEER_PONG, &pong);
        break;
    case PEER_PONG:
        life_pong(self, link, &mail->body.pong, now, out);
        break;
    case PEER_NEIGHBOURS:
        gossip_neighbours(self, mail, now, out);
        break;
    case PEER_CONNECT:
        gossip_connect(self, mail, now, out);
        break;
    case PEER_ACCEPT:
        gossip_accept(self, mail, now, out);
        break;
    case PEER_MATRIX_ASK:
        asks_matrix_ask(self, mail, out);
        break;
    case PEER_MATRIX:
        asks_matrix(self, mail, out);
        break;
    default: /* the table of kinds sends others elsewhere */
        break;
    }
}

/* Our part of STATUS; the rest is that of transport, where there is one, and storage. */
static void tell_status(const connections_t *self, struct request *request, struct outbox *out)
{
    request->peers = self->counters;
    request->peers.live = self->view.count;
    request->peers.known = self->peers.count;
    send_to(out, self->alone ? ACTOR_storage : ACTOR_transport, MESSAGE_ASK, &request->head);
}

/* --- as an actor ------------------------------------------------------------------------- */

static void receive(void *actor, struct message *message, struct now now, struct outbox *out)
{
    connections_t *self = (connections_t *)actor;
    if (message->kind == MESSAGE_ASK && ((struct request *)message)->verb == VERB_STATUS) {
        tell_status(self, (struct request *)message, out);
        return;
    }
    if (message->kind == MESSAGE_ASK) {
        asks_take(self, (struct request *)message, now, out);
        return;
    }
    if (message->kind == MESSAGE_OPENED) {
        on_opened(self, (struct opened *)message, now, out);
    } else if (message->kind == MESSAGE_CLOSED) {
        on_closed(self, (const struct closed *)message, now, out);
    } else if (message->kind == MESSAGE_PEER_MAIL) {
        on_mail(self, (const struct peer_mail *)message, now, out);
    } else if (message->kind == MESSAGE_BLAME) {
        const struct peer_order *blame = (const struct peer_order *)message;
        struct link *link = peers_link_find(&self->peers, blame->number);
        if (link)
            life_blame(self, link->peer, blame->why.text, now, out);
    }
    message_free(&message);
}

static uint64_t deadline_ms(const void *actor)
{
    return ((const connections_t *)actor)->wake_ms;
}

static void tick(void *actor, struct now now, struct outbox *out)
{
    connections_t *self = (connections_t *)actor;
    self->wake_ms = NEVER;
    life_tick(self, now, out);
    asks_tick(self, now.ms, out);
    upkeep_tick(self, now, out);
    gossip_tick(self, now, out);
}

const struct actor_spec connections_spec = {
    .id = ACTOR_connections, .receive = receive, .deadline_ms = deadline_ms, .tick = tick};
