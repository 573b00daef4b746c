/* Asking peers for a contract, one after the other, and what they answer. */
#include "actors/get.h"

/* --- asking peers ------------------------------------------------------------------------ */

static bool ask(const struct relay *row, peer_t peer, struct now now, struct outbox *out)
{
    struct peer_get body = {
        .tx = row->number, .hops = row->hops, .deadline_ms = relay_left_ms(row, now.ms)};
    memcpy(body.key, row->key.bytes, sizeof body.key);
    if (row->has_known)
        body.known = slice_of(row->known.bytes, FINGERPRINT_BYTES);
    return peer_tell(out, peer, LANE_small, PEER_GET, &body);
}

void get_finish(operation_t *self, struct relay *row, struct request *request, struct outbox *out)
{
    row->request = NULL;
    relays_close(&self->relays, row);
    operation_finish(self, request, out);
}

void get_finish_with(operation_t *self, struct relay *row, int code, const char *why,
                     struct outbox *out)
{
    struct request *request = row->request;
    request->code = fail(&request->why, code, "%s", why);
    get_finish(self, row, request, out);
}

static void read_own(struct relay *row, struct outbox *out)
{
    struct request *request = row->request;
    row->request = NULL;
    request->durable_there = row->got;
    request->there = row->fingerprint;
    relay_move(row, RELAY_reading);
    operation_pass(request, ACTOR_storage, MESSAGE_READ, out);
}

/* For a client: what is here counts when nobody nearer has it, though it may be stale; and when
 * nothing is here, the peers beside. */
static void nobody_nearer(operation_t *self, struct relay *row, struct now now, struct outbox *out)
{
    bool half = row->pieces && !row->has_known; /* a peer went: what is here is not all of it */
    if (!row->own_read && !half) {
        read_own(row, out);
    } else if (!row->beside) {
        row->beside = true;
        get_ask(self, row, now, out);
    } else if (row->unanswered) {
        relay_move(row, RELAY_asking); /* one of them may only be slow */
    } else if (row->code) {
        get_finish_with(self, row, row->code, row->why.text, out);
    } else {
        get_finish_with(self, row, ERR_NO_LIVE_PEER, "no peer is live to ask", out);
    }
}

/* Nobody is left to be asked. A node between hears out those that it has asked. */
static void nobody_left(operation_t *self, struct relay *row, struct now now, struct outbox *out)
{
    relays_give_up_at(&self->relays, row, NEVER);
    if (!row->asker)
        nobody_nearer(self, row, now, out);
    else if (row->here || !row->unanswered)
        get_serve_nobody_left(self, row, out);
}

void get_ask(operation_t *self, struct relay *row, struct now now, struct outbox *out)
{
    for (peer_t next = relay_next(row, &self->ring); next; next = relay_next(row, &self->ring)) {
        relay_move(row, RELAY_asking);
        if (ask(row, next, now, out)) {
            row->asked = next;
            row->unanswered |= (uint8_t)(1u << (row->tried_count - 1));
            relays_give_up_at(&self->relays, row, now.ms + relay_patience_ms(row));
            return;
        }
        relay_failed(row, ERR_INTERNAL, "out of memory");
    }
    nobody_left(self, row, now, out);
}

void get_asked_failed(operation_t *self, struct relay *row, int code, const char *why, bool gone,
                      struct now now, struct outbox *out)
{
    (void)relay_is_out(row, row->asked, code, why);
    if (row->asker && !gone)
        nobody_left(self, row, now, out);
    else
        get_ask(self, row, now, out);
}

void get_asked_silent(operation_t *self, struct relay *row, struct now now, struct outbox *out)
{
    relay_failed(row, ERR_TIMEOUT, "the peers that were asked do not answer");
    get_ask(self, row, now, out);
}

/* One that is not waited for alone any more will not do it either. */
static void other_failed(operation_t *self, struct relay *row, peer_t peer, int code,
                         const char *why, struct now now, struct outbox *out)
{
    if (!relay_is_out(row, peer, code, why) && !row->unanswered)
        nobody_left(self, row, now, out);
}

void get_peer_gone(operation_t *self, struct relay *row, peer_t peer, struct now now,
                   struct outbox *out)
{
    static const char why[] = "the peer that was asked is gone";
    if (row->state != RELAY_asking)
        row->unanswered &= (uint8_t)~relay_unanswered_by(row, peer);
    else if (row->asked == peer)
        get_asked_failed(self, row, ERR_NO_LIVE_PEER, why, true, now, out);
    else if (relay_unanswered_by(row, peer))
        other_failed(self, row, peer, ERR_NO_LIVE_PEER, why, now, out);
}

void get_on_move(operation_t *self, struct relay *row, peer_t from, const struct peer_live *to,
                 struct now now, struct outbox *out)
{
    if (!relay_asked_moves(row, from, to->number))
        return;
    if (!ask(row, to->number, now, out))
        get_peer_gone(self, row, to->number, now, out);
    else
        relays_give_up_at(&self->relays, row, now.ms + relay_patience_ms(row));
}

/* --- what they answer -------------------------------------------------------------------- */

/* The row that waits for this peer's answer to tx; NULL: it is gone, or another answers it. An
 * answer that begins while the own copy is read lacks what came then: no more of it is waited for.
 */
static struct relay *asked_of(const operation_t *self, const struct peer_mail *mail, uint64_t tx)
{
    struct relay *row = relays_find(&self->relays, tx);
    uint8_t unanswered = row ? relay_unanswered_by(row, mail->number) : 0;
    if (row && row->state == RELAY_asking)
        return row->asked == mail->number || unanswered ? row : NULL;
    if (row)
        row->unanswered &= (uint8_t)~unanswered;
    return NULL;
}

/* The first that has something to say is the one that is asked; what others say is too late. */
static void hear_out(struct relay *row, peer_t peer)
{
    row->asked = peer;
    row->unanswered = 0;
}

/* Kind and parameters must be the key's, or the piece belongs to another contract. */
static int check_piece(const struct relay *row, const struct peer_piece *piece,
                       struct contract *contract, struct reason *why)
{
    struct reason fault = {{0}};
    int rc = contract_init(contract, piece->kind, piece->params, &fault);
    if (rc)
        return fail(why, ERR_BAD_STATE, "a PIECE of no contract: %.200s", fault.text);
    if (memcmp(&contract->key, &row->key, sizeof row->key) != 0)
        return fail(why, ERR_BAD_STATE, "a PIECE of another contract than the one asked for");
    return 0;
}

/* Merges a piece; its window stays counted until that is done. */
static int merge_piece(struct relay *row, struct peer_mail *mail, const struct contract *contract,
                       struct outbox *out)
{
    const struct peer_piece *piece = &mail->body.piece;
    const struct slice args[] = {piece->kind, piece->params, piece->entries};
    struct request *request = request_new(ACTOR_get, VERB_PUT, &row->key, args, 3);
    if (!request)
        return ERR_INTERNAL;
    request->contract = *contract;
    request->mail = mail;
    request->origin = mail->number;
    request->durable_there = true;
    request->relay = row->number;
    request->deadline_ms = row->deadline_ms;
    row->merges++;
    send_to(out, ACTOR_storage, MESSAGE_MERGE, &request->head);
    return 0;
}

bool get_on_piece(operation_t *self, struct peer_mail *mail, struct now now, struct outbox *out)
{
    const struct peer_piece *piece = &mail->body.piece;
    struct relay *row = asked_of(self, mail, piece->tx);
    struct contract contract;
    struct reason why;
    if (!row)
        return false;
    hear_out(row, mail->number);
    if (check_piece(row, piece, &contract, &why) != 0) {
        peer_blame(out, mail->number, why.text);
        get_asked_failed(self, row, ERR_BAD_STATE, why.text, false, now, out);
        return false;
    }
    row->pieces++;
    relays_give_up_at(&self->relays, row, row->asker ? NEVER : now.ms + RELAY_STALL_MS);
    if (row->asker) {
        get_serve_pass(self, row, mail, now, out);
        return true;
    }
    if (merge_piece(row, mail, &contract, out) == 0)
        return true;
    get_finish_with(self, row, ERR_INTERNAL, "out of memory", out);
    return false;
}

/* All pieces came: the answer is read from the own store when they are merged. */
static void got_all(operation_t *self, struct relay *row, struct now now, struct outbox *out)
{
    if (row->pieces == 0 && !row->has_known) {
        get_asked_failed(self, row, ERR_NOT_FOUND, "the peer answered without a state", false, now,
                         out);
        return;
    }
    row->got = true;
    relays_give_up_at(&self->relays, row, NEVER);
    if (row->merges)
        relay_move(row, RELAY_merging);
    else
        read_own(row, out);
}

void get_on_got(operation_t *self, const struct peer_mail *mail, struct now now, struct outbox *out)
{
    const struct peer_got *got = &mail->body.got;
    struct relay *row = asked_of(self, mail, got->tx);
    struct reason why;
    if (!row)
        return;
    if (got->code) {
        int code = operation_code_from_wire(got->code, got->why, &why);
        if (row->asked == mail->number)
            get_asked_failed(self, row, code, why.text, false, now, out);
        else
            other_failed(self, row, mail->number, code, why.text, now, out);
        return;
    }
    hear_out(row, mail->number);
    memcpy(row->fingerprint.bytes, got->fingerprint, FINGERPRINT_BYTES);
    if (row->asker)
        get_serve_end(self, row, 0, "", out);
    else
        got_all(self, row, now, out);
}

/* A piece is merged, or was refused. Entries that are not valid are not held against the peer that
 * passed them on, which cannot know; another is asked. */
void get_on_merged(operation_t *self, const struct request *request, struct now now,
                   struct outbox *out)
{
    struct relay *row = relays_find(&self->relays, request->relay);
    if (request->code == 0 && request->change.created)
        operation_keep(&request->key, out); /* the next GET of it is answered here */
    if (!row)
        return;
    row->merges--;
    bool waits = row->state == RELAY_asking || row->state == RELAY_merging;
    if (request->code && waits && request->origin == row->asked) {
        if (request->code == ERR_BAD_STATE) {
            row->got = false;
            get_asked_failed(self, row, ERR_BAD_STATE, request->why.text, false, now, out);
        } else {
            get_finish_with(self, row, request->code, request->why.text, out);
        }
    } else if (row->state == RELAY_merging && row->merges == 0) {
        read_own(row, out);
    }
}
