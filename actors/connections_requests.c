/* What operators ask of connections: PEERS, CONNECT, DISCONNECT (docs/protocol.md has the JSON). */
#include "actors/connections_state.h"
#include "actors/report.h"

#include "base/base58.h"
#include "proto/hello.h"

#include <jansson.h>
#include <stdlib.h>

enum { MATRIX_ROW_BYTES = 33 };

static void reply(struct request *request, struct outbox *out)
{
    send_to(out, ACTOR_client_api, MESSAGE_REPLY, &request->head);
}

static void reply_json(struct request *request, json_t *json, struct outbox *out)
{
    report_answer(request, json ? json_dumps(json, JSON_COMPACT) : NULL);
    json_decref(json);
    reply(request, out);
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *id_text(const uint8_t id[NODE_ID_BYTES])
{
    char text[BASE58_TEXT_MAX];
    base58_encode(id, NODE_ID_BYTES, text);
    return json_string(text);
}

/* The answer of CONNECT and DISCONNECT. */
static void reply_state(struct request *request, const struct node_id *id, const char *state,
                        struct outbox *out)
{
    reply_json(request, json_pack("{s:o, s:s}", "id", id_text(id->bytes), "state", state), out);
}

/* --- PEERS -------------------------------------------------------------------------------- */

static const struct link *link_to_show(const struct peer *peer)
{
    return peer_link_in(peer, peer_state_of(peer));
}

/* The fields as shared/cli.md has them. A round trip not measured yet is null. */
static json_t *peer_object(const struct peer *peer, const struct link *link,
                           const connections_t *self, uint64_t now_ms)
{
    const struct peer_traffic none = {0};
    const struct peer_traffic *traffic = link->traffic ? link->traffic : &none;
    const uint8_t *dialler = link->inbound ? peer->id.bytes : self->id.bytes;
    bool measured = link->state == PEER_live && peer->rtt_at_ms;
    json_t *object = json_pack(
        "{s:o, s:s, s:s, s:o, s:s, s:s}", "id", id_text(peer->id.bytes), "address", peer->address,
        "direction", link->inbound ? "in" : "out", "dialled_by", id_text(dialler), "role",
        peer->role == ROLE_gateway ? "gateway" : "peer", "state", peer_state_names[link->state]);
    json_t *figures = json_pack(
        "{s:o, s:o, s:o, s:o, s:o}", "age_ms", number(now_ms - link->since_ms), "rtt_us",
        measured ? number(peer->rtt_us) : json_null(), "bytes_in", number(traffic->bytes_in),
        "bytes_out", number(traffic->bytes_out), "queue", number(traffic->queue));
    (void)json_object_update(object, figures);
    json_decref(figures);
    return object;
}

static void answer_peers(connections_t *self, struct request *request, uint64_t now_ms,
                         struct outbox *out)
{
    json_t *peers = json_array();
    for (const struct peer *p = self->peers.by_id; p; p = (const struct peer *)p->by_id.next) {
        const struct link *link = link_to_show(p);
        if (link)
            (void)json_array_append_new(peers, peer_object(p, link, self, now_ms));
    }
    reply_json(request, peers, out);
}

/* --- the matrix --------------------------------------------------------------------------- */

static struct node_request *free_place(connections_t *self)
{
    for (size_t i = 0; i < NODE_REQUESTS_MAX; i++)
        if (!self->requests[i].request)
            return &self->requests[i];
    return NULL;
}

static void clear_place(struct node_request *place)
{
    free(place->waits_for);
    *place = (struct node_request){0};
}

static json_t *counts(const connections_t *self)
{
    json_t *closed = json_object();
    for (int r = 0; r < CLOSE_REASON_COUNT; r++)
        if (self->counters.closed[r])
            (void)json_object_set_new(closed, close_reasons[r].name,
                                      number(self->counters.closed[r]));
    return closed;
}

static void answer_matrix(connections_t *self, struct node_request *place, struct outbox *out)
{
    json_t *answer =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "peers", (json_t *)place->matrix, "live",
                  number(self->view.count), "dials", number(self->counters.dials), "opened",
                  number(self->counters.opened), "failed", number(self->counters.failed), "closed",
                  counts(self));
    struct request *request = place->request;
    clear_place(place);
    reply_json(request, answer, out);
}

static bool is_after(const json_t *row, const json_t *id)
{
    const char *a = json_string_value(json_object_get(row, "id")), *b = json_string_value(id);
    return a && b && strcmp(a, b) > 0;
}

/* This node's own row comes first, the others behind it by their ids as they are shown, so that
 * the square is the same each time. */
static void add_row(json_t *matrix, const uint8_t id[NODE_ID_BYTES], struct slice row)
{
    json_t *live = json_array(), *shown = id_text(id);
    size_t at = json_array_size(matrix);
    for (; row.size >= MATRIX_ROW_BYTES; row = slice_after(row, MATRIX_ROW_BYTES))
        (void)json_array_append_new(live, json_pack("{s:o, s:b}", "id", id_text(row.data),
                                                    "dialled", row.data[NODE_ID_BYTES] == 1));
    while (at > 1 && is_after(json_array_get(matrix, at - 1), shown))
        at--;
    (void)json_array_insert_new(matrix, at, json_pack("{s:o, s:o}", "id", shown, "live", live));
}

/* This node's own row. */
static void append_row(const connections_t *self, struct buffer *out)
{
    size_t most = PEER_NODES_BYTES_MAX / MATRIX_ROW_BYTES;
    for (size_t i = 0; i < self->view.count && i < most; i++) {
        const struct ring_peer *p = &self->view.peers[i];
        buffer_append(out, p->id.bytes, sizeof p->id.bytes);
        buffer_append_u8(out, !peers_link_find(&self->peers, p->number)->inbound);
    }
}

static void ask_matrix(connections_t *self, struct request *request, struct now now,
                       struct outbox *out)
{
    struct node_request *place = free_place(self);
    peer_t *waits_for = (peer_t *)calloc(self->view.count + 1, sizeof *waits_for);
    struct buffer row = {0};
    if (!place || !waits_for) {
        free(waits_for);
        request->code = fail(&request->why, ERR_BUSY, "too many such requests wait");
        reply(request, out);
        return;
    }
    *place = (struct node_request){.request = request,
                                   .tx = ++self->last_tx,
                                   .until_ms = now.ms + MATRIX_WAIT_MS,
                                   .matrix = json_array(),
                                   .waits_for = waits_for};
    append_row(self, &row);
    add_row((json_t *)place->matrix, self->id.bytes, buffer_slice(&row));
    buffer_free(&row);
    const struct peer_matrix_ask ask = {.tx = place->tx};
    for (size_t i = 0; i < self->view.count; i++)
        if (peer_tell(out, self->view.peers[i].number, LANE_control, PEER_MATRIX_ASK, &ask))
            waits_for[place->waits_count++] = self->view.peers[i].number;
    connections_wake(self, place->until_ms);
    if (place->waits_count == 0)
        answer_matrix(self, place, out);
}

/* The peer's row came, or it will not. */
static void waits_no_more(connections_t *self, struct node_request *place, peer_t number,
                          struct outbox *out)
{
    for (size_t i = 0; i < place->waits_count; i++)
        if (place->waits_for[i] == number) {
            place->waits_for[i] = place->waits_for[--place->waits_count];
            if (place->waits_count == 0)
                answer_matrix(self, place, out);
            return;
        }
}

void asks_matrix_ask(connections_t *self, const struct peer_mail *mail, struct outbox *out)
{
    struct buffer rows = {0};
    append_row(self, &rows);
    const struct peer_matrix answer = {.tx = mail->body.matrix_ask.tx, .rows = buffer_slice(&rows)};
    (void)peer_tell(out, mail->number, LANE_control, PEER_MATRIX, &answer);
    buffer_free(&rows);
}

static bool is_awaited(const struct node_request *place, peer_t number)
{
    for (size_t i = 0; i < place->waits_count; i++)
        if (place->waits_for[i] == number)
            return true;
    return false;
}

void asks_matrix(connections_t *self, const struct peer_mail *mail, struct outbox *out)
{
    const struct peer *peer = peers_link_find(&self->peers, mail->number)->peer;
    for (size_t i = 0; i < NODE_REQUESTS_MAX; i++) {
        struct node_request *place = &self->requests[i];
        if (!place->request || place->tx != mail->body.matrix.tx ||
            !is_awaited(place, mail->number))
            continue;
        add_row((json_t *)place->matrix, peer->id.bytes, mail->body.matrix.rows);
        waits_no_more(self, place, mail->number, out);
    }
}

void asks_gone(connections_t *self, peer_t number, struct outbox *out)
{
    for (size_t i = 0; i < NODE_REQUESTS_MAX; i++)
        if (self->requests[i].request && self->requests[i].tx)
            waits_no_more(self, &self->requests[i], number, out);
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
    struct node_request *place = free_place(self);
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
        clear_place(p);
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
        clear_place(p);
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
        answer_peers(self, request, now.ms, out);
    } else if (slice_is(request->args[0], "matrix")) {
        ask_matrix(self, request, now, out);
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
            answer_matrix(self, place, out); /* with the rows that came */
        } else if (request) {
            struct peer *peer = peers_find(&self->peers, &place->id);
            if (peer)
                peer->asked = false;
            clear_place(place);
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
        clear_place(place);
        message_free(&message);
    }
}
