/* update: merges a delta into a contract (UPDATE), or has one built where it merges (EDIT): here
 * when the contract is here, else at a host that the live peers nearer to the key lead to. The
 * answer tells that the change is durable there.
 *
 * A delta merges twice as once, so an UPDATE that a peer took away with it, or says nothing to, is
 * sent to another as well, and the first answer counts. An EDIT is not like that (a counter's `add`
 * would count twice): once a peer may have made it, no other is asked. That one itself knows what
 * it has heard (heard.h), and is asked again when its connection is replaced by another (moves.h).
 *
 *   takes UPDATE (client_api), MERGED (storage), PEER_LIVE, PEER_SILENT, PEER_GONE (connections),
 *   PEER_MAIL of UPDATE, UPDATED (transport); gives MERGE (storage), REPLY (client_api), PEER_SEND
 *   (transport), BLAME (connections) */
#include "actors/update.h"

#include "contracts/dates.h"

#include <stdlib.h>

/* --- peers' changes ---------------------------------------------------------------------- */

/* The operation and operands of an EDIT: how many, and each where `args` has room for it. */
static int read_edit(struct slice rest, struct slice *args, size_t *count, struct reason *why)
{
    *count = 0;
    while (rest.size) {
        size_t size = rest.size < 4 ? SIZE_MAX : get_u32(rest.data);
        if (rest.size < 4 || size > rest.size - 4)
            return fail(why, ERR_BAD_REQUEST, "an EDIT's operand is cut short");
        if (*count == EDIT_OPERANDS_MAX)
            return fail(why, ERR_BAD_REQUEST, "an EDIT of more than %u operands",
                        EDIT_OPERANDS_MAX);
        if (args)
            args[*count] = slice_of(rest.data + 4, size);
        ++*count;
        rest = slice_after(rest, 4 + size);
    }
    return *count ? 0 : fail(why, ERR_BAD_REQUEST, "an EDIT without an operation");
}

/* The MERGE of a peer's change; its args lie in the mail, which the request is to take. */
static int request_of(const struct peer_update *update, const struct contract_key *key,
                      struct request **request, struct reason *why)
{
    size_t count = 1;
    int rc = update->edit ? read_edit(update->args, NULL, &count, why) : 0;
    if (rc)
        return rc;
    struct slice *args = (struct slice *)calloc(count + 1, sizeof(struct slice));
    if (!args)
        return fail(why, ERR_INTERNAL, "out of memory");
    args[0] = slice_of(update->key, sizeof update->key);
    args[1] = update->args;
    if (update->edit)
        rc = read_edit(update->args, args + 1, &count, why);
    if (rc == 0) {
        enum verb verb = update->edit ? VERB_EDIT : VERB_UPDATE;
        *request = request_new(ACTOR_update, verb, key, args, count + 1);
        rc = *request ? 0 : fail(why, ERR_INTERNAL, "out of memory");
    }
    free(args);
    return rc;
}

/* Opens the row and has the change merged here. The mail is taken when 0 is returned. */
static int start_for_peer(operation_t *self, struct peer_mail *mail, place_t asker, struct now now,
                          struct reason *why, struct outbox *out)
{
    const struct peer_update *update = &mail->body.update;
    struct contract_key key;
    struct request *request = NULL;
    memcpy(key.bytes, update->key, sizeof key.bytes);
    int rc = request_of(update, &key, &request, why);
    if (rc)
        return rc;
    struct relay *row =
        relays_open(&self->relays, mail->number, &key,
                    operation_deadline_of(update->deadline_ms, now), RELAY_changing);
    if (!row) {
        free(request);
        return fail(why, ERR_BUSY, "too many operations of peers are open");
    }
    row->asker_tx = update->tx;
    row->edit = update->edit != 0;
    row->hops = update->hops < PEER_HOPS ? update->hops : PEER_HOPS;
    request->relay = row->number;
    request->deadline_ms = row->deadline_ms;
    request->mail = mail; /* origin stays 0: whoever asked hears of it too, if it follows */
    if (row->edit)
        row->heard = heard_note(&self->heard, asker, update->tx, row->number, now.ms);
    send_to(out, ACTOR_storage, MESSAGE_MERGE, &request->head);
    return 0;
}

/* An EDIT that this node may have heard already: is it answered, or will it be? */
static bool answer_heard(operation_t *self, const struct peer_mail *mail, place_t asker,
                         struct now now, struct outbox *out)
{
    static const char unknown[] = "whether the edit was made is not known any more";
    const struct peer_update *update = &mail->body.update;
    if (!update->again_ms)
        return false;
    const struct heard_edit *edit = heard_find(&self->heard, asker, update->tx);
    if (!edit && heard_would_know(&self->heard, update->again_ms, update->since_open, now.ms))
        return false;
    if (edit && edit->done) {
        struct store_change change = {.after = edit->after, .changed = edit->changed};
        const char *why = edit->code ? error_text(edit->code) : "";
        update_tell(mail->number, update->tx, edit->code, why, &change, out);
    } else if (!edit || !relays_find(&self->relays, edit->relay)) {
        update_tell(mail->number, update->tx, ERR_NO_LIVE_PEER, unknown, NULL, out);
    }
    return true;
}

/* True when the mail was taken. */
static bool on_peer_update(operation_t *self, struct peer_mail *mail, struct now now,
                           struct outbox *out)
{
    const struct peer_update *update = &mail->body.update;
    const struct ring_peer *peer = ring_view_find(&self->ring, mail->number);
    struct reason why;
    int rc = 0;
    if (!peer) /* the last mail of a connection that ended: what is asked again comes after it */
        rc = fail(&why, ERR_BUSY, "no room for another peer");
    else if (update->edit && answer_heard(self, mail, peer->place, now, out))
        return false;
    else if (!update->deadline_ms)
        rc = fail(&why, ERR_TIMEOUT, "no time was left");
    else
        rc = start_for_peer(self, mail, peer->place, now, &why, out);
    if (rc == 0)
        return true;
    if (rc == ERR_BAD_REQUEST)
        peer_blame(out, mail->number, why.text);
    update_tell(mail->number, update->tx, rc, why.text, NULL, out);
    return false;
}

/* Merged here, refused here, or not here: then a peer nearer to the key is asked. */
static void on_merged_for_peer(operation_t *self, struct request *request, struct now now,
                               struct outbox *out)
{
    struct relay *row = relays_find(&self->relays, request->relay);
    struct message *message = &request->head;
    if (!row) {
        message_free(&message);
        return;
    }
    row->request = request;
    if (request->code == ERR_NOT_FOUND && row->hops) {
        row->hops--;
        update_ask(self, row, now, out);
    } else {
        update_finish(self, row, request->code, request->why.text, out);
    }
}

/* --- clients ----------------------------------------------------------------------------- */

/* An edit is done in one go, so its size is how long others wait for it. */
static int check_edit(struct request *request)
{
    size_t bytes = 0;
    for (size_t i = 2; i < request->args_count; i++)
        bytes += request->args[i].size;
    if (bytes > EDIT_BYTES_MAX)
        return fail(&request->why, ERR_TOO_LARGE,
                    "operands of %zu bytes in one EDIT: at most %u; send several", bytes,
                    EDIT_BYTES_MAX);
    return 0;
}

/* Of a contract that may not be here, which only a client's own node asks: what peers send is taken
 * whatever its date (lesson M5). */
static int check_dates(struct request *request, struct now now)
{
    return dates_check(&request->key, NULL, request->args[1], now.wall_ms, &request->why);
}

static void on_update(operation_t *self, struct request *request, struct now now,
                      struct outbox *out)
{
    int rc = request->verb == VERB_EDIT ? check_edit(request) : check_dates(request, now);
    if (rc)
        operation_refuse(request, rc, out);
    else if (operation_open(self, request, now, out))
        operation_pass(request, ACTOR_storage, MESSAGE_MERGE, out);
}

static void on_merged(operation_t *self, struct request *request, struct now now,
                      struct outbox *out)
{
    struct relay *row = NULL;
    if (request->code == ERR_NOT_FOUND && self->ring.count)
        row = relays_open(&self->relays, 0, &request->key, request->deadline_ms, RELAY_asking);
    else if (request->code == ERR_NOT_FOUND)
        operation_nobody_live(self, request);
    if (!row) {
        operation_finish(self, request, out);
        return;
    }
    row->hops = PEER_HOPS;
    row->edit = request->verb == VERB_EDIT;
    row->request = request;
    update_ask(self, row, now, out);
}

/* --- as an actor ------------------------------------------------------------------------- */

static void receive(void *actor, struct message *message, struct now now, struct outbox *out)
{
    operation_t *self = (operation_t *)actor;
    struct request *request = (struct request *)message;
    struct peer_mail *mail = (struct peer_mail *)message;
    switch ((enum message_kind)message->kind) {
    case MESSAGE_UPDATE:
        on_update(self, request, now, out);
        return;
    case MESSAGE_MERGED:
        if (request->relay)
            on_merged_for_peer(self, request, now, out);
        else
            on_merged(self, request, now, out);
        return;
    case MESSAGE_PEER_MAIL:
        if (mail->kind == PEER_UPDATE && on_peer_update(self, mail, now, out))
            return;
        if (mail->kind == PEER_UPDATED)
            update_on_updated(self, mail, now, out);
        break;
    case MESSAGE_PEER_LIVE:
        operation_on_arrival(self, (const struct peer_live *)message, update_on_move, now, out);
        break;
    case MESSAGE_PEER_SILENT:
        operation_on_silent(self, (const struct peer_silent *)message);
        break;
    case MESSAGE_PEER_GONE:
        operation_on_departure(self, (const struct peer_order *)message, update_on_gone, now, out);
        break;
    default:
        break; /* send_to asserts that nothing else comes */
    }
    message_free(&message);
}

/* Rows first: they know better than a transaction what was waited for. */
static void tick(void *actor, struct now now, struct outbox *out)
{
    operation_t *self = (operation_t *)actor;
    operation_end_moves(self, update_on_gone, now, out);
    for (struct relay *row; (row = relays_expired(&self->relays, now.ms));)
        if (now.ms < row->deadline_ms) /* it says nothing, though it is live: it may have stopped */
            update_ask(self, row, now, out);
        else
            update_finish(self, row, ERR_TIMEOUT,
                          "no host answered in time; the change may still be made", out);
    operation_tick(actor, now, out);
}

const struct actor_spec update_spec = {
    .id = ACTOR_update,
    .receive = receive,
    .deadline_ms = operation_deadline_ms,
    .tick = tick,
};
