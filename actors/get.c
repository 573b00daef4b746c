/* get: reads a contract's state or a range of it. A copy that hosting calls live is read at once;
 * else the live peers nearer to the key are asked, one after the other, and what comes is checked
 * and merged here before the client is answered from the own store.
 *
 *   takes GET (client_api), READ_DONE, MERGED, WALKED (storage), HOSTED (hosting), PEER_LIVE,
 *   PEER_GONE (connections), PEER_SENT, PEER_MAIL of GET, PIECE, GOT (transport); gives READ,
 * MERGE, WALK (storage), HOST, KEPT (hosting), REPLY (client_api), PEER_SEND (transport), BLAME
 * (connections)
 */
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

/* The client's answer is in the request. */
static void finish(operation_t *self, struct relay *row, struct request *request,
                   struct outbox *out)
{
    row->request = NULL;
    relays_close(&self->relays, row);
    operation_finish(self, request, out);
}

static void finish_with(operation_t *self, struct relay *row, int code, const char *why,
                        struct outbox *out)
{
    struct request *request = row->request;
    request->code = fail(&request->why, code, "%s", why);
    finish(self, row, request, out);
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
    } else if (row->code) {
        finish_with(self, row, row->code, row->why.text, out);
    } else {
        finish_with(self, row, ERR_NO_LIVE_PEER, "no peer is live to ask", out);
    }
}

void get_ask(operation_t *self, struct relay *row, struct now now, struct outbox *out)
{
    for (peer_t next = relay_next(row, &self->ring); next; next = relay_next(row, &self->ring)) {
        relay_move(row, RELAY_asking);
        if (ask(row, next, now, out)) {
            row->asked = next;
            relays_give_up_at(&self->relays, row,
                              now.ms + (row->asker ? RELAY_PATIENCE_MS / 2 : RELAY_PATIENCE_MS));
            return;
        }
        relay_failed(row, ERR_INTERNAL, "out of memory");
    }
    relays_give_up_at(&self->relays, row, NEVER);
    if (row->asker)
        get_serve_nobody_left(self, row, out);
    else
        nobody_nearer(self, row, now, out);
}

/* The asked peer could not do it, or is gone. Where a GET began, the next is asked. A node that
 * relays tries another only for one that went: were it to do so for each NOT_FOUND, the messages
 * for a contract that is nowhere would double at every hop. */
static void asked_failed(operation_t *self, struct relay *row, int code, const char *why, bool gone,
                         struct now now, struct outbox *out)
{
    relay_failed(row, code, why);
    if (row->asker && !gone)
        get_serve_nobody_left(self, row, out);
    else
        get_ask(self, row, now, out);
}

/* --- what they answer -------------------------------------------------------------------- */

/* The row that waits for this peer's answer to tx; NULL: it is gone, or asks somebody else now. */
static struct relay *asked_of(const operation_t *self, const struct peer_mail *mail, uint64_t tx)
{
    struct relay *row = relays_find(&self->relays, tx);
    return row && row->state == RELAY_asking && row->asked == mail->number ? row : NULL;
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

/* True when the mail was taken. */
static bool on_piece(operation_t *self, struct peer_mail *mail, struct now now, struct outbox *out)
{
    const struct peer_piece *piece = &mail->body.piece;
    struct relay *row = asked_of(self, mail, piece->tx);
    struct contract contract;
    struct reason why;
    if (!row)
        return false;
    if (check_piece(row, piece, &contract, &why) != 0) {
        peer_blame(out, mail->number, why.text);
        asked_failed(self, row, ERR_BAD_STATE, why.text, false, now, out);
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
    finish_with(self, row, ERR_INTERNAL, "out of memory", out);
    return false;
}

/* All pieces came: the answer is read from the own store when they are merged. */
static void got_all(operation_t *self, struct relay *row, struct now now, struct outbox *out)
{
    if (row->pieces == 0 && !row->has_known) {
        asked_failed(self, row, ERR_NOT_FOUND, "the peer answered without a state", false, now,
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

static void on_got(operation_t *self, const struct peer_mail *mail, struct now now,
                   struct outbox *out)
{
    const struct peer_got *got = &mail->body.got;
    struct relay *row = asked_of(self, mail, got->tx);
    struct reason why;
    if (!row)
        return;
    if (got->code) {
        int code = operation_code_from_wire(got->code, got->why, &why);
        asked_failed(self, row, code, why.text, false, now, out);
        return;
    }
    memcpy(row->fingerprint.bytes, got->fingerprint, FINGERPRINT_BYTES);
    if (row->asker)
        get_serve_end(self, row, 0, "", out);
    else
        got_all(self, row, now, out);
}

/* A piece is merged, or was refused. Entries that are not valid are not held against the peer that
 * passed them on, which cannot know; another is asked. */
static void on_merged(operation_t *self, const struct request *request, struct now now,
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
            asked_failed(self, row, ERR_BAD_STATE, request->why.text, false, now, out);
        } else {
            finish_with(self, row, request->code, request->why.text, out);
        }
    } else if (row->state == RELAY_merging && row->merges == 0) {
        read_own(row, out);
    }
}

/* --- clients ----------------------------------------------------------------------------- */

static void on_get(operation_t *self, struct request *request, struct now now, struct outbox *out)
{
    if (!operation_open(self, request, now, out))
        return;
    if (self->ring.count)
        operation_pass(request, ACTOR_hosting, MESSAGE_HOST, out);
    else
        operation_pass(request, ACTOR_storage, MESSAGE_READ, out);
}

/* A client's GET goes to the peers. */
static void ask_for_client(operation_t *self, struct request *request, bool own_read,
                           struct now now, struct outbox *out)
{
    static const struct fingerprint none;
    struct relay *row =
        relays_open(&self->relays, 0, &request->key, request->deadline_ms, RELAY_asking);
    if (!row) {
        request->code = fail(&request->why, ERR_BUSY, "no memory to ask peers; try again");
        operation_finish(self, request, out);
        return;
    }
    row->hops = PEER_HOPS;
    row->own_read = own_read;
    row->request = request;
    request->relay = row->number;
    row->known = request->reading.fingerprint; /* hosting tells it of a copy that is not fed */
    row->has_known = memcmp(&row->known, &none, sizeof none) != 0;
    get_ask(self, row, now, out);
}

static void on_hosted(operation_t *self, struct request *request, struct now now,
                      struct outbox *out)
{
    struct message *message = &request->head;
    if (request->relay) {
        get_serve_on_hosted(self, request, now, out);
        message_free(&message);
    } else if (request->code == 0) {
        operation_pass(request, ACTOR_storage, MESSAGE_READ, out);
    } else {
        ask_for_client(self, request, request->code == ERR_NO_LIVE_PEER, now, out);
    }
}

static void on_read_done(operation_t *self, struct request *request, struct now now,
                         struct outbox *out)
{
    struct relay *row = relays_find(&self->relays, request->relay);
    bool missing = request->code == ERR_NOT_FOUND;
    if (row && missing && !row->got) {
        row->own_read = true;
        row->request = request;
        get_ask(self, row, now, out);
    } else if (row) {
        finish(self, row, request, out);
    } else if (missing && request->relay == 0 && self->ring.count) {
        request->reading.fingerprint = (struct fingerprint){{0}};
        ask_for_client(self, request, true, now, out);
    } else {
        if (missing)
            operation_nobody_live(self, request);
        operation_finish(self, request, out);
    }
}

/* --- as an actor ------------------------------------------------------------------------- */

/* A connection ended: whom it was asked of is asked elsewhere, who asked over it is answered no
 * more (lesson L3). */
static void on_gone(operation_t *self, const struct peer_order *gone, struct now now,
                    struct outbox *out)
{
    uint32_t at = 0;
    operation_on_gone(self, gone);
    for (struct relay *row = relays_each(&self->relays, &at); row;
         row = relays_each(&self->relays, &at)) {
        if (row->asker == gone->number)
            relays_close(&self->relays, row);
        else if (row->state == RELAY_asking && row->asked == gone->number)
            asked_failed(self, row, ERR_NO_LIVE_PEER, "the peer that was asked is gone", true, now,
                         out);
    }
}

/* True when the mail was taken. */
static bool on_mail(operation_t *self, struct peer_mail *mail, struct now now, struct outbox *out)
{
    if (mail->kind == PEER_PIECE)
        return on_piece(self, mail, now, out);
    if (mail->kind == PEER_GET)
        get_serve_on_get(self, mail, now, out);
    else if (mail->kind == PEER_GOT)
        on_got(self, mail, now, out);
    return false;
}

/* Messages that are given on. */
static bool receive_given(operation_t *self, struct message *message, struct now now,
                          struct outbox *out)
{
    struct request *request = (struct request *)message;
    switch ((enum message_kind)message->kind) {
    case MESSAGE_GET:
        on_get(self, request, now, out);
        return true;
    case MESSAGE_HOSTED:
        on_hosted(self, request, now, out);
        return true;
    case MESSAGE_READ_DONE:
        on_read_done(self, request, now, out);
        return true;
    case MESSAGE_WALKED:
        get_serve_on_walked(self, (struct walk *)message, out);
        return true;
    case MESSAGE_PEER_MAIL:
        return on_mail(self, (struct peer_mail *)message, now, out);
    default:
        return false;
    }
}

static void receive(void *actor, struct message *message, struct now now, struct outbox *out)
{
    operation_t *self = (operation_t *)actor;
    if (receive_given(self, message, now, out))
        return;
    switch ((enum message_kind)message->kind) {
    case MESSAGE_MERGED:
        on_merged(self, (const struct request *)message, now, out);
        break;
    case MESSAGE_PEER_SENT:
        get_serve_on_sent(self, (const struct peer_send *)message, now, out);
        break;
    case MESSAGE_PEER_LIVE:
        operation_on_live(self, (const struct peer_live *)message);
        break;
    case MESSAGE_PEER_GONE:
        on_gone(self, (const struct peer_order *)message, now, out);
        break;
    default:
        break; /* send_to asserts that nothing else comes */
    }
    message_free(&message);
}

/* The asked peer says nothing, though it is live: it may have stopped, which its pings tell only
 * after a while (lesson L3). */
static bool is_silent(const struct relay *row, struct now now)
{
    return row->state == RELAY_asking && row->asked && now.ms < row->deadline_ms &&
           (!row->asker || row->pieces == 0);
}

/* Rows first: they know better than a transaction what was waited for. */
static void tick(void *actor, struct now now, struct outbox *out)
{
    operation_t *self = (operation_t *)actor;
    for (struct relay *row; (row = relays_expired(&self->relays, now.ms));) {
        if (is_silent(row, now)) {
            asked_failed(self, row, ERR_TIMEOUT, "the peers that were asked do not answer", true,
                         now, out);
            continue;
        }
        const char *why = now.ms < row->deadline_ms ? "you do not read" : "no peer answered";
        if (row->asker && !row->ended)
            get_tell_got(row->asker, row->asker_tx, row->lane, ERR_TIMEOUT, why, NULL, out);
        if (row->request)
            finish_with(self, row, ERR_TIMEOUT, "no peer answered in time", out);
        else
            relays_close(&self->relays, row);
    }
    operation_tick(actor, now, out);
}

const struct actor_spec get_spec = {
    .id = ACTOR_get,
    .receive = receive,
    .deadline_ms = operation_deadline_ms,
    .tick = tick,
};
