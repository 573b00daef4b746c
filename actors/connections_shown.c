/* What operators are shown: PEERS, and the matrix of who is connected to whom (docs/protocol.md has
 * the JSON). */
#include "actors/connections_state.h"

#include "proto/hello.h"

#include <jansson.h>
#include <stdlib.h>

enum { MATRIX_ROW_BYTES = 33 };

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
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
    json_t *object =
        json_pack("{s:o, s:s, s:s, s:o, s:s, s:s}", "id", asks_id_text(peer->id.bytes), "address",
                  peer->address, "direction", link->inbound ? "in" : "out", "dialled_by",
                  asks_id_text(dialler), "role", peer->role == ROLE_gateway ? "gateway" : "peer",
                  "state", peer_state_names[link->state]);
    json_t *figures = json_pack(
        "{s:o, s:o, s:o, s:o, s:o}", "age_ms", number(now_ms - link->since_ms), "rtt_us",
        measured ? number(peer->rtt_us) : json_null(), "bytes_in", number(traffic->bytes_in),
        "bytes_out", number(traffic->bytes_out), "queue", number(traffic->queue));
    (void)json_object_update(object, figures);
    json_decref(figures);
    return object;
}

void shown_peers(connections_t *self, struct request *request, uint64_t now_ms, struct outbox *out)
{
    json_t *peers = json_array();
    for (const struct peer *p = self->peers.by_id; p; p = (const struct peer *)p->by_id.next) {
        const struct link *link = link_to_show(p);
        if (link)
            (void)json_array_append_new(peers, peer_object(p, link, self, now_ms));
    }
    asks_reply(request, peers, out);
}

/* --- the matrix --------------------------------------------------------------------------- */

static json_t *counts(const connections_t *self)
{
    json_t *closed = json_object();
    for (int r = 0; r < CLOSE_REASON_COUNT; r++)
        if (self->counters.closed[r])
            (void)json_object_set_new(closed, close_reasons[r].name,
                                      number(self->counters.closed[r]));
    return closed;
}

void shown_matrix(connections_t *self, struct node_request *place, struct outbox *out)
{
    json_t *answer =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "peers", (json_t *)place->matrix, "live",
                  number(self->view.count), "dials", number(self->counters.dials), "opened",
                  number(self->counters.opened), "failed", number(self->counters.failed), "closed",
                  counts(self));
    struct request *request = place->request;
    asks_clear_place(place);
    asks_reply(request, answer, out);
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
    json_t *live = json_array(), *shown = asks_id_text(id);
    size_t at = json_array_size(matrix);
    for (; row.size >= MATRIX_ROW_BYTES; row = slice_after(row, MATRIX_ROW_BYTES))
        (void)json_array_append_new(live, json_pack("{s:o, s:b}", "id", asks_id_text(row.data),
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

void shown_ask_matrix(connections_t *self, struct request *request, struct now now,
                      struct outbox *out)
{
    struct node_request *place = asks_free_place(self);
    peer_t *waits_for = (peer_t *)calloc(self->view.count + 1, sizeof *waits_for);
    struct buffer row = {0};
    if (!place || !waits_for) {
        free(waits_for);
        request->code = fail(&request->why, ERR_BUSY, "too many such requests wait");
        send_to(out, ACTOR_client_api, MESSAGE_REPLY, &request->head);
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
        shown_matrix(self, place, out);
}

/* The peer's row came, or it will not. */
static void waits_no_more(connections_t *self, struct node_request *place, peer_t number,
                          struct outbox *out)
{
    for (size_t i = 0; i < place->waits_count; i++)
        if (place->waits_for[i] == number) {
            place->waits_for[i] = place->waits_for[--place->waits_count];
            if (place->waits_count == 0)
                shown_matrix(self, place, out);
            return;
        }
}

void shown_on_matrix_ask(connections_t *self, const struct peer_mail *mail, struct outbox *out)
{
    struct buffer rows = {0};
    append_row(self, &rows);
    const struct peer_matrix answer = {.tx = mail->body.matrix_ask.tx, .rows = buffer_slice(&rows)};
    (void)peer_tell(out, mail->number, LANE_control, PEER_MATRIX, &answer);
    buffer_free(&rows);
}

void shown_on_matrix(connections_t *self, const struct peer_mail *mail, struct outbox *out)
{
    const struct peer *peer = peers_link_find(&self->peers, mail->number)->peer;
    for (size_t i = 0; i < NODE_REQUESTS_MAX; i++) {
        struct node_request *place = &self->requests[i];
        if (!place->request || place->tx != mail->body.matrix.tx ||
            !ring_is_among(mail->number, place->waits_for, place->waits_count))
            continue;
        add_row((json_t *)place->matrix, peer->id.bytes, mail->body.matrix.rows);
        waits_no_more(self, place, mail->number, out);
    }
}

void shown_gone(connections_t *self, peer_t number, struct outbox *out)
{
    for (size_t i = 0; i < NODE_REQUESTS_MAX; i++)
        if (self->requests[i].request && self->requests[i].tx)
            waits_no_more(self, &self->requests[i], number, out);
}
