/* A peer's GET: answered from the own store part by part, or passed on between the asker and the
 * peer asked in its stead. Nothing passed on is kept. A PIECE's window stays counted until the
 * asker's connection has taken it, so that a slow asker slows the host down (lesson C3); one that
 * takes nothing at all is given up, since what is kept for it takes from the window of others
 * (lesson C5).
 *
 * Lanes keep order within themselves only: an answer changes its lane, from small to bulk, when
 * nothing of it is on its way, and GOT goes in the lane of the last PIECE. */
#include "actors/get.h"

#include <stdlib.h>

/* --- GOT --------------------------------------------------------------------------------- */

void get_tell_got(peer_t to, uint64_t tx, enum lane lane, int code, const char *why,
                  const struct fingerprint *fingerprint, struct outbox *out)
{
    struct peer_got body = {.tx = tx, .code = operation_code_to_wire(code), .why = slice_text(why)};
    if (fingerprint)
        memcpy(body.fingerprint, fingerprint->bytes, FINGERPRINT_BYTES);
    (void)peer_tell(out, to, lane, PEER_GOT, &body); /* without memory: its deadline tells */
}

static void refuse(const struct peer_mail *mail, int code, const char *why, struct outbox *out)
{
    get_tell_got(mail->number, mail->body.get.tx, LANE_small, code, why, NULL, out);
}

/* --- passing on -------------------------------------------------------------------------- */

static bool tell_piece(struct relay *row, const struct peer_piece *piece, enum lane lane,
                       struct outbox *out)
{
    struct peer_send *send = peer_send_new(row->asker, lane, PEER_PIECE, piece);
    if (!send)
        return false;
    send->tell = true;
    send->token[0] = row->number;
    row->outstanding++;
    row->lane = lane;
    send_to(out, ACTOR_transport, MESSAGE_PEER_SEND, &send->head);
    return true;
}

/* Passes on what may go now: all of one lane. False without memory. */
static bool pass_waiting(struct relay *row, struct outbox *out)
{
    while (row->waiting.first) {
        const struct peer_mail *mail = (const struct peer_mail *)row->waiting.first;
        struct peer_piece piece = mail->body.piece;
        bool bulk = row->lane == LANE_bulk || piece.entries.size >= PEER_BULK_BYTES;
        enum lane lane = bulk ? LANE_bulk : LANE_small;
        if (row->outstanding && lane != row->lane)
            return true;
        piece.tx = row->asker_tx;
        if (!tell_piece(row, &piece, lane, out))
            return false;
        mail_push(&row->passed, mail_pop(&row->waiting));
    }
    return true;
}

static void tell_end(struct relay *row, struct outbox *out)
{
    get_tell_got(row->asker, row->asker_tx, row->lane, row->code, row->why.text, &row->fingerprint,
                 out);
    row->ended = true;
}

/* Moves the row on: pieces, then GOT; it closes when no window waits for it. */
static void pump(operation_t *self, struct relay *row, struct outbox *out)
{
    if (!pass_waiting(row, out)) {
        mail_free(&row->waiting);
        row->code = fail(&row->why, ERR_INTERNAL, "out of memory at a node on the way");
        row->ending = true;
        if (row->state != RELAY_passing)
            relay_move(row, RELAY_passing);
    }
    if (row->ending && !row->ended && !row->waiting.first)
        tell_end(row, out);
    if (row->ended && !row->passed.first)
        relays_close(&self->relays, row);
}

void get_serve_pass(operation_t *self, struct relay *row, struct peer_mail *piece, struct now now,
                    struct outbox *out)
{
    if (row->give_up_ms == NEVER)
        relays_give_up_at(&self->relays, row, now.ms + RELAY_STALL_MS);
    mail_push(&row->waiting, &piece->head);
    pump(self, row, out);
}

void get_serve_end(operation_t *self, struct relay *row, int code, const char *why,
                   struct outbox *out)
{
    relay_move(row, RELAY_passing);
    row->asked = 0;
    row->code = fail(&row->why, code, "%s", why);
    row->ending = true;
    pump(self, row, out);
}

/* --- the own store ----------------------------------------------------------------------- */

static void walk_on(struct walk *walk, struct outbox *out)
{
    buffer_clear(&walk->entries);
    send_to(out, ACTOR_storage, MESSAGE_WALK, &walk->head);
}

static void serve(operation_t *self, struct relay *row, struct outbox *out)
{
    struct walk *walk = (struct walk *)message_new(sizeof *walk);
    sync_walk_t *all = walk ? sync_walk_all() : NULL;
    relay_move(row, RELAY_serving);
    if (!all) {
        free(walk);
        get_serve_end(self, row, ERR_INTERNAL, "out of memory", out);
        return;
    }
    walk->asked_by = ACTOR_get;
    walk->key = row->key;
    walk->walk = all;
    walk->tokens[0] = row->number;
    walk_on(walk, out);
}

void get_serve_nobody_left(operation_t *self, struct relay *row, struct outbox *out)
{
    struct reason why = row->why;
    if (row->here)
        serve(self, row, out);
    else if (row->code)
        get_serve_end(self, row, row->code, why.text, out);
    else
        get_serve_end(self, row, ERR_NOT_FOUND, error_text(ERR_NOT_FOUND), out);
}

/* One PIECE of a walk; an empty state gives one too. What does not fit one fragment is bulk. */
static bool tell_part(struct relay *row, const struct walk *walk, struct outbox *out)
{
    struct peer_piece piece = {.tx = row->asker_tx,
                               .kind = slice_text(walk->kind->name),
                               .params = blob_slice(walk->params),
                               .entries = buffer_slice(&walk->entries)};
    if (piece.entries.size == 0 && row->pieces)
        return true;
    bool small = walk->end && row->pieces == 0 && piece.entries.size < PEER_BULK_BYTES;
    row->pieces++;
    return tell_piece(row, &piece, small ? LANE_small : LANE_bulk, out);
}

/* A part is here. True: the walk goes on, or waits in the row. */
static bool take_part(operation_t *self, struct relay *row, struct walk *walk, struct outbox *out)
{
    row->fingerprint = walk->fingerprint;
    bool same = row->has_known && row->pieces == 0 &&
                memcmp(&row->known, &walk->fingerprint, sizeof row->known) == 0;
    if (walk->code == 0 && !same && !tell_part(row, walk, out))
        walk->code = fail(&walk->why, ERR_INTERNAL, "out of memory");
    if (walk->code == 0 && !same && !walk->end)
        return true;
    struct reason why = row->why;
    if (walk->code == ERR_NOT_FOUND && row->code) /* nor did the others have it */
        get_serve_end(self, row, row->code, why.text, out);
    else
        get_serve_end(self, row, walk->code, walk->why.text, out);
    return false;
}

void get_serve_on_walked(operation_t *self, struct walk *walk, struct outbox *out)
{
    struct relay *row = relays_find(&self->relays, walk->tokens[0]);
    struct message *message = &walk->head;
    if (!row || !take_part(self, row, walk, out))
        message_free(&message);
    else if (row->outstanding < PIECES_OUT_MAX)
        walk_on(walk, out);
    else
        row->walk = walk;
}

/* --- the asker --------------------------------------------------------------------------- */

void get_serve_on_get(operation_t *self, const struct peer_mail *mail, struct now now,
                      struct outbox *out)
{
    const struct peer_get *get = &mail->body.get;
    struct contract_key key;
    memcpy(key.bytes, get->key, sizeof key.bytes);
    if (get->deadline_ms == 0) {
        refuse(mail, ERR_TIMEOUT, "no time was left", out);
        return;
    }
    struct request *request = request_new(ACTOR_get, VERB_GET, &key, NULL, 0);
    struct relay *row =
        request ? relays_open(&self->relays, mail->number, &key,
                              operation_deadline_of(get->deadline_ms, now), RELAY_locating)
                : NULL;
    if (!row) {
        free(request);
        refuse(mail, ERR_BUSY, "too many operations of peers are open", out);
        return;
    }
    row->asker_tx = get->tx;
    row->hops = get->hops < PEER_HOPS ? get->hops : PEER_HOPS;
    row->lane = LANE_small;
    row->has_known = get->known.size == FINGERPRINT_BYTES;
    if (row->has_known)
        memcpy(row->known.bytes, get->known.data, FINGERPRINT_BYTES);
    request->relay = row->number;
    request->deadline_ms = row->deadline_ms;
    send_to(out, ACTOR_hosting, MESSAGE_HOST, &request->head);
}

void get_serve_on_hosted(operation_t *self, const struct request *request, struct now now,
                         struct outbox *out)
{
    struct relay *row = relays_find(&self->relays, request->relay);
    if (!row)
        return;
    row->here = request->code == 0 || request->code == ERR_AGAIN;
    if (request->code == 0 || row->hops == 0) {
        get_serve_nobody_left(self, row, out);
        return;
    }
    row->hops--;
    get_ask(self, row, now, out);
}

void get_serve_on_sent(operation_t *self, const struct peer_send *sent, struct now now,
                       struct outbox *out)
{
    struct relay *row = relays_find(&self->relays, sent->token[0]);
    if (!row)
        return;
    row->outstanding--;
    struct message *passed = mail_pop(&row->passed);
    message_free(&passed);
    bool waits = row->passed.first || row->waiting.first;
    relays_give_up_at(&self->relays, row, waits ? now.ms + RELAY_STALL_MS : NEVER);
    if (row->walk) {
        struct walk *walk = row->walk;
        row->walk = NULL;
        walk_on(walk, out);
    }
    pump(self, row, out);
}
