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
    connections_order(out, MESSAGE_HANG_UP, number, reason, why);
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
    if (opened->inbound)
        peer->came_ms = now.ms;
    learn_address(peer, opened);
    peer_traffic_release(&link->traffic);
    link->traffic = opened->traffic;
    link->opened_ms = now.ms;
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
        routes_connect(self, mail, now, out);
        break;
    case PEER_ACCEPT:
        routes_accept(self, mail, now, out);
        break;
    case PEER_DOUBT:
        silence_told(self, &mail->body.doubt, now, out);
        break;
    case PEER_MATRIX_ASK:
        shown_on_matrix_ask(self, mail, out);
        break;
    case PEER_MATRIX:
        shown_on_matrix(self, mail, out);
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
    } else if (message->kind == MESSAGE_SPOKEN_TO) {
        connections_look(self, now.ms + DOUBT_MS);
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
    routes_tick(self, now, out);
    self->live_changed = false;
}

const struct actor_spec connections_spec = {
    .id = ACTOR_connections, .receive = receive, .deadline_ms = deadline_ms, .tick = tick};
