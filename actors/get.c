/* get: reads a contract's state or a range of it. A copy that hosting calls live is read at once;
 * else the live peers nearer to the key are asked, one after the other, and what comes is checked
 * and merged here before the client is answered from the own store.
 *
 *   takes GET (client_api), READ_DONE, MERGED, WALKED (storage), HOSTED (hosting), PEER_LIVE,
 *   PEER_SILENT, PEER_GONE (connections), PEER_SENT, PEER_MAIL of GET, PIECE, GOT (transport);
 *   gives READ, MERGE, WALK (storage), HOST, KEPT (hosting), REPLY (client_api), PEER_SEND
 *   (transport), BLAME (connections) */
#include "actors/get.h"

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
        get_finish(self, row, request, out);
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

/* True when the mail was taken. */
static bool on_mail(operation_t *self, struct peer_mail *mail, struct now now, struct outbox *out)
{
    if (mail->kind == PEER_PIECE)
        return get_on_piece(self, mail, now, out);
    if (mail->kind == PEER_GET)
        get_serve_on_get(self, mail, now, out);
    else if (mail->kind == PEER_GOT)
        get_on_got(self, mail, now, out);
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
        get_on_merged(self, (const struct request *)message, now, out);
        break;
    case MESSAGE_PEER_SENT:
        get_serve_on_sent(self, (const struct peer_send *)message, now, out);
        break;
    case MESSAGE_PEER_LIVE:
        operation_on_arrival(self, (const struct peer_live *)message, get_on_move, now, out);
        break;
    case MESSAGE_PEER_SILENT:
        operation_on_silent(self, (const struct peer_silent *)message);
        break;
    case MESSAGE_PEER_GONE:
        operation_on_departure(self, (const struct peer_order *)message, get_peer_gone, now, out);
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
           (!row->asker || row->unanswered);
}

/* Rows first: they know better than a transaction what was waited for. */
static void tick(void *actor, struct now now, struct outbox *out)
{
    operation_t *self = (operation_t *)actor;
    operation_end_moves(self, get_peer_gone, now, out);
    for (struct relay *row; (row = relays_expired(&self->relays, now.ms));) {
        if (is_silent(row, now)) {
            get_asked_silent(self, row, now, out);
            continue;
        }
        const char *why = now.ms < row->deadline_ms ? "you do not read" : "no peer answered";
        if (row->asker && !row->ended)
            get_tell_got(row->asker, row->asker_tx, row->lane, ERR_TIMEOUT, why, NULL, out);
        if (row->request)
            get_finish_with(self, row, ERR_TIMEOUT, "no peer answered in time", out);
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
