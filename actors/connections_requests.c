/* What operators ask of connections: CONNECT, DISCONNECT (docs/protocol.md has the JSON). */
#include "actors/connections_state.h"
#include "actors/report.h"

#include "base/base58.h"
#include "proto/hello.h"

#include <jansson.h>
#include <stdlib.h>

static void reply(struct request *request, struct outbox *out)
{
    send_to(out, ACTOR_client_api, MESSAGE_REPLY, &request->head);
}

void asks_reply(struct request *request, json_t *json, struct outbox *out)
{
    report_answer(request, json ? json_dumps(json, JSON_COMPACT) : NULL);
    json_decref(json);
    reply(request, out);
}

json_t *asks_id_text(const uint8_t id[NODE_ID_BYTES])
{
    char text[BASE58_TEXT_MAX];
    base58_encode(id, NODE_ID_BYTES, text);
    return json_string(text);
}

/* The answer of CONNECT and DISCONNECT. */
static void reply_state(struct request *request, const struct node_id *id, const char *state,
                        struct outbox *out)
{
    asks_reply(request, json_pack("{s:o, s:s}", "id", asks_id_text(id->bytes), "state", state),
               out);
}

struct node_request *asks_free_place(connections_t *self)
{
    for (size_t i = 0; i < NODE_REQUESTS_MAX; i++)
        if (!self->requests[i].request)
            return &self->requests[i];
    return NULL;
}

void asks_clear_place(struct node_request *place)
{
    free(place->waits_for);
    *place = (struct node_request){0};
}

/* --- CONNECT ------------------------------------------------------------------------------ */

/* ID@HOST:PORT. */
static int parse_peer(struct slice text, struct peer_node *node, struct reason *why)
{
    const uint8_t *at = (const uint8_t *)memchr(text.data, '@', text.size);
    *node = (struct peer_node){.role = ROLE_peer};
    size_t id_size = at ? (size_t)(at - text.data) : 0;
    if (!at || base58_decode(slice_of(text.data, id_size), node->id, sizeof node->id) != 0)
        return fail(why, ERR_BAD_REQUEST, "ID@HOST:PORT is wanted, with a node's id in base58");
    node->address = slice_after(text, id_size + 1);
    if (!hello_is_address(node->address))
        return fail(why, ERR_BAD_REQUEST, "ID@HOST:PORT is wanted, with an address to dial");
    return 0;
}

/* lesson C2: what is under way is not touched; its end is waited for. */
static bool is_under_way(const struct peer *peer)
{
    enum peer_state state = peer ? peer_state_of(peer) : PEER_absent;
    return state == PEER_dialling || state == PEER_handshaking;
}

/* The peer that an operator names, freed of what kept this node from dialling it. */
static struct peer *name_peer(connections_t *self, const struct peer_node *node, struct now now)
{
    struct peer *peer = hearsay_note(self, node, now.ms);
    if (!peer || !peer_set_address(peer, node->address))
        return NULL;
    peer_drop_hearsay(peer);
    peer->asked = true;
    peer->tries = 0;
    peer->shunned_until_ms = peer->away_until_ms = peer->pause_ms = 0;
    return peer;
}

static void take_connect(connections_t *self, struct request *request, struct now now,
                         struct outbox *out)
{
    struct peer_node node;
    struct node_id id;
    struct node_request *place = asks_free_place(self);
    request->code = parse_peer(request->args[0], &node, &request->why);
    if (!request->code && memcmp(node.id, self->id.bytes, sizeof node.id) == 0)
        request->code = fail(&request->why, ERR_BAD_REQUEST, "that is this node itself"); /* D5 */
    if (!request->code && self->alone)
        request->code = fail(&request->why, ERR_NO_LIVE_PEER, "this node serves clients only");
    if (request->code) {
        reply(request, out);
        return;
    }
    memcpy(id.bytes, node.id, sizeof id.bytes);
    struct peer *peer = peers_find(&self->peers, &id);
    bool under_way = is_under_way(peer);
    if (peer && peer_state_of(peer) == PEER_live) { /* lesson C2: nor is what is there */
        reply_state(request, &id, "already connected", out);
        return;
    }
    if (under_way && !place) {
        reply_state(request, &id, "already under way", out);
        return;
    }
    if (!under_way)
        peer = place && self->pinned_count < PINNED_MAX ? name_peer(self, &node, now) : NULL;
    if (!peer) {
        request->code = fail(&request->why, ERR_BUSY, "too many peers are named, or being dialled");
        reply(request, out);
        return;
    }
    *place = (struct node_request){
        .request = request, .id = id, .under_way = under_way, .until_ms = now.ms + CONNECT_WAIT_MS};
    connections_wake(self, place->until_ms);
    connections_replan(self);
}

static struct node_request *connect_for(connections_t *self, const struct peer *peer)
{
    for (size_t i = 0; i < NODE_REQUESTS_MAX; i++) {
        struct node_request *place = &self->requests[i];
        if (place->request && !place->tx && memcmp(&place->id, &peer->id, sizeof place->id) == 0)
            return place;
    }
    return NULL;
}

void asks_admitted(connections_t *self, struct peer *peer)
{
    if (!peer->asked)
        return;
    self->pinned_count += !is_reserved(peer);
    peer->pinned = true; /* from here on it is kept */
    peer->asked = false;
}

void asks_live(connections_t *self, const struct peer *peer, struct outbox *out)
{
    for (struct node_request *p = connect_for(self, peer); p; p = connect_for(self, peer)) {
        struct request *request = p->request;
        const char *state = p->under_way ? "already connected" : "live";
        asks_clear_place(p);
        reply_state(request, &peer->id, state, out);
    }
}

/* Why a dial failed, in a sentence. What was found (`why`) is one, but for the system's word on an
 * address, and what was wrong with the bytes of a handshake. */
static void explain(struct reason *text, enum close_reason reason, const char *why)
{
    bool alone = reason != CLOSE_unreachable && reason != CLOSE_bad_handshake;
    const char *what = close_reasons[reason].text;
    if (!why || !*why || strcmp(why, what) == 0)
        (void)fail(text, 0, "%s", what);
    else if (alone)
        (void)fail(text, 0, "%.200s", why);
    else
        (void)fail(text, 0, "%s: %.150s", what, why);
}

void asks_failed(connections_t *self, const struct peer *peer, enum close_reason reason,
                 const char *why, struct outbox *out)
{
    struct peer *asked = peers_find(&self->peers, &peer->id);
    if (asked->asked && !asked->was_live && !asked->vouched)
        asked->tries = DIAL_TRIES; /* the operator was told: it is not tried on */
    asked->asked = false;
    for (struct node_request *p = connect_for(self, peer); p; p = connect_for(self, peer)) {
        struct request *request = p->request;
        asks_clear_place(p);
        request->code = ERR_NO_LIVE_PEER;
        explain(&request->why, reason, why);
        reply(request, out);
    }
}

/* --- DISCONNECT --------------------------------------------------------------------------- */

/* It is neither dialled nor let in until somebody asks for it, or this node starts anew (lesson
 * L6). */
static void take_disconnect(connections_t *self, struct request *request, struct now now,
                            struct outbox *out)
{
    struct node_id id;
    struct peer *peer = NULL;
    request->code = base58_decode(request->args[0], id.bytes, sizeof id.bytes);
    if (request->code)
        (void)fail(&request->why, ERR_BAD_REQUEST, "a node's id in base58 is wanted");
    else if (!(peer = peers_find(&self->peers, &id)))
        request->code = fail(&request->why, ERR_NOT_FOUND, "no peer with that id is known");
    if (!peer) {
        reply(request, out);
        return;
    }
    bool was = peer->links != NULL;
    self->pinned_count -= is_reserved(peer);
    peer->pinned = peer->gateway = peer->asked = false;
    life_shun(self, peer, CLOSE_removed, "an operator removed it", now, out);
    peer->away_until_ms = peer->shunned_until_ms = NEVER;
    peer->full = false;
    reply_state(request, &id, was ? "removed" : "was not connected", out);
}

/* --- all ---------------------------------------------------------------------------------- */

void asks_take(connections_t *self, struct request *request, struct now now, struct outbox *out)
{
    if (request->verb == VERB_CONNECT) {
        take_connect(self, request, now, out);
    } else if (request->verb == VERB_DISCONNECT) {
        take_disconnect(self, request, now, out);
    } else if (request->args_count == 0) {
        shown_peers(self, request, now.ms, out);
    } else if (slice_is(request->args[0], "matrix")) {
        shown_ask_matrix(self, request, now, out);
    } else {
        request->code = fail(&request->why, ERR_BAD_REQUEST, "PEERS takes nothing, or `matrix`");
        reply(request, out);
    }
}

void asks_tick(connections_t *self, uint64_t now_ms, struct outbox *out)
{
    for (size_t i = 0; i < NODE_REQUESTS_MAX; i++) {
        struct node_request *place = &self->requests[i];
        struct request *request = place->request;
        if (request && now_ms < place->until_ms) {
            connections_wake(self, place->until_ms);
        } else if (request && place->tx) {
            shown_matrix(self, place, out); /* with the rows that came */
        } else if (request) {
            struct peer *peer = peers_find(&self->peers, &place->id);
            if (peer)
                peer->asked = false;
            asks_clear_place(place);
            request->code = fail(&request->why, ERR_TIMEOUT, "not connected after %u s",
                                 CONNECT_WAIT_MS / 1000);
            reply(request, out);
        }
    }
}

void asks_free(connections_t *self)
{
    for (size_t i = 0; i < NODE_REQUESTS_MAX; i++) {
        struct node_request *place = &self->requests[i];
        struct message *message = place->request ? &place->request->head : NULL;
        json_decref((json_t *)place->matrix);
        asks_clear_place(place);
        message_free(&message);
    }
}
