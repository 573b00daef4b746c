/* Changes of contracts that are not here: sent to a peer nearer to the key, whose one answer goes
 * back to whoever asked. */
#include "actors/update.h"

#include "contracts/entries.h"

/* --- what a peer is sent ----------------------------------------------------------------- */

/* EDIT's operation and operands, each with its size. */
static void encode_edit(const struct request *request, struct buffer *out)
{
    for (size_t i = 1; i < request->args_count; i++) {
        buffer_append_u32(out, (uint32_t)request->args[i].size);
        buffer_append_slice(out, request->args[i]);
    }
}

/* Whole entries from the front of rest, as many as one message holds: a delta of any size goes in
 * several, one after the other. */
static int cut_delta(struct slice rest, struct slice *piece, struct reason *why)
{
    struct slice left = rest;
    struct entry entry;
    while (left.size) {
        struct slice before = left;
        const char *fault = entry_take(&left, &entry);
        if (fault)
            return fail(why, ERR_BAD_STATE, "the delta is cut short or damaged: %s", fault);
        if ((size_t)(left.data - rest.data) > PEER_ENTRIES_BYTES_MAX) {
            left = before;
            break;
        }
    }
    if (rest.size && left.size == rest.size)
        return fail(why, ERR_TOO_LARGE, "an entry is too large to be sent to a peer");
    *piece = slice_of(rest.data, rest.size - left.size);
    return 0;
}

/* The arguments of the row's next message. edit: the caller's buffer, in which they may lie. */
static int next_args(const struct relay *row, struct buffer *edit, struct slice *args,
                     struct reason *why)
{
    const struct request *request = row->request;
    if (request->mail) {
        *args = request->mail->body.update.args;
        return 0;
    }
    if (request->verb != VERB_EDIT)
        return cut_delta(slice_after(request->args[1], row->done_bytes), args, why);
    encode_edit(request, edit);
    *args = buffer_slice(edit);
    if (args->size > PEER_ENTRIES_BYTES_MAX)
        return fail(why, ERR_TOO_LARGE,
                    "operands of %zu bytes in one EDIT: at most %u; send several", args->size,
                    PEER_ENTRIES_BYTES_MAX);
    return buffer_failed(edit) ? fail(why, ERR_INTERNAL, "out of memory") : 0;
}

/* An EDIT that goes to the peer again, since it went over another connection: how long ago that
 * was, and whether this one was open then, so that only the peer's present run can have heard it.
 */
static void tell_again(const struct relay *row, peer_t peer, struct now now,
                       struct peer_update *body)
{
    if (!row->edit || row->asked != peer)
        return;
    body->again_ms = (uint32_t)(now.ms - row->asked_ms) + 1;
    body->since_open = row->asked_ms > row->over_ms;
}

/* Sends the next message to the peer. An error is of the request, not of the peer. */
static int send_update(struct relay *row, peer_t peer, struct now now, struct reason *why,
                       struct outbox *out)
{
    struct buffer edit = {0};
    struct peer_update body = {.tx = row->number,
                               .hops = row->hops,
                               .deadline_ms = relay_left_ms(row, now.ms),
                               .edit = row->edit};
    int rc = next_args(row, &edit, &body.args, why);
    enum lane lane = body.args.size < PEER_BULK_BYTES ? LANE_small : LANE_bulk;
    memcpy(body.key, row->key.bytes, sizeof body.key);
    tell_again(row, peer, now, &body);
    if (rc == 0 && !peer_tell(out, peer, lane, PEER_UPDATE, &body))
        rc = fail(why, ERR_INTERNAL, "out of memory");
    row->sent_bytes = body.args.size;
    row->asked = peer;
    buffer_free(&edit);
    return rc;
}

/* --- what the asker is answered ---------------------------------------------------------- */

void update_tell(peer_t to, uint64_t tx, int code, const char *why,
                 const struct store_change *change, struct outbox *out)
{
    struct peer_updated body = {
        .tx = tx, .code = operation_code_to_wire(code), .why = slice_text(why)};
    if (change) {
        memcpy(body.fingerprint, change->after.bytes, FINGERPRINT_BYTES);
        body.changed = change->changed > 0;
    }
    (void)peer_tell(out, to, LANE_small, PEER_UPDATED, &body); /* without memory: TIMEOUT there */
}

void update_finish(operation_t *self, struct relay *row, int code, const char *why,
                   struct outbox *out)
{
    struct request *request = row->request;
    if (row->asker) {
        const struct store_change *change = request ? &request->change : NULL;
        heard_done(&self->heard, row->heard, code, change);
        update_tell(row->asker, row->asker_tx, code, why, change, out);
        relays_close(&self->relays, row);
        return;
    }
    request->code = fail(&request->why, code, "%s", why);
    row->request = NULL;
    relays_close(&self->relays, row);
    operation_finish(self, request, out);
}

/* A large delta of which a host has taken some already. */
static void finish_refused(operation_t *self, struct relay *row, int code, const char *why,
                           struct outbox *out)
{
    struct reason partly;
    if (row->done_bytes) {
        (void)fail(&partly, code, "%.150s (after %zu bytes, which are kept)", why, row->done_bytes);
        why = partly.text;
    }
    update_finish(self, row, code, why, out);
}

/* --- asking ------------------------------------------------------------------------------ */

/* A message is on its way: who says nothing to it is not waited for. An EDIT is asked of one alone.
 */
static void await_word(operation_t *self, struct relay *row, struct now now)
{
    relays_give_up_at(&self->relays, row, row->edit ? NEVER : now.ms + relay_patience_ms(row));
}

/* The next one, if there is any. True: it was asked, or the row is closed. */
static bool ask_next(operation_t *self, struct relay *row, struct now now, struct outbox *out)
{
    struct reason why;
    peer_t next = relay_next(row, &self->ring);
    if (!next && !row->asker) {
        row->beside = true;
        next = relay_next(row, &self->ring);
    }
    if (!next)
        return false;
    relay_move(row, RELAY_asking);
    row->done_bytes = 0;
    row->unanswered |= (uint8_t)(1u << (row->tried_count - 1));
    row->asked_ms = now.ms;
    int rc = send_update(row, next, now, &why, out);
    if (rc)
        update_finish(self, row, rc, why.text, out);
    else
        await_word(self, row, now);
    return true;
}

void update_ask(operation_t *self, struct relay *row, struct now now, struct outbox *out)
{
    if (ask_next(self, row, now, out))
        return;
    relays_give_up_at(&self->relays, row, NEVER);
    if (row->unanswered)
        return; /* until one of them says something, or goes, or the time is up */
    if (row->code)
        update_finish(self, row, row->code, row->why.text, out);
    else
        update_finish(self, row, ERR_NOT_FOUND, error_text(ERR_NOT_FOUND), out);
}

/* Errors after which nothing was done, or doing it again does no harm. A refusal is final: another
 * host would refuse it as well. */
static bool may_ask_another(const struct relay *row, int code)
{
    if (code == ERR_NOT_FOUND || code == ERR_BUSY)
        return true;
    return !row->edit && (code == ERR_NO_LIVE_PEER || code == ERR_TIMEOUT || code == ERR_INTERNAL);
}

/* Where it began, the next is asked at once; a node between leaves that to whom it began at, but
 * hears out those that it has asked. */
static void asked_failed(operation_t *self, struct relay *row, peer_t peer, int code,
                         const char *why, struct now now, struct outbox *out)
{
    bool waits = relay_is_out(row, peer, code, why);
    if (!may_ask_another(row, code) || (row->asker && !row->unanswered))
        finish_refused(self, row, code, why, out);
    else if (!waits && !row->asker)
        update_ask(self, row, now, out);
}

void update_on_gone(operation_t *self, struct relay *row, peer_t peer, struct now now,
                    struct outbox *out)
{
    if (row->state != RELAY_asking || !relay_unanswered_by(row, peer))
        return;
    if (row->edit)
        update_finish(self, row, ERR_NO_LIVE_PEER,
                      "the peer that was asked is gone: whether the edit was made is not known",
                      out);
    else if (!relay_is_out(row, peer, ERR_NO_LIVE_PEER, "the peer that was asked is gone"))
        update_ask(self, row, now, out);
}

void update_on_move(operation_t *self, struct relay *row, peer_t from, const struct peer_live *to,
                    struct now now, struct outbox *out)
{
    struct reason why;
    if (row->asker == from)
        relays_asker_moves(&self->relays, row, to->number);
    if (!relay_asked_moves(row, from, to->number))
        return;
    row->over_ms = to->opened_ms;
    int rc = send_update(row, to->number, now, &why, out);
    if (rc)
        finish_refused(self, row, rc, why.text, out);
    else
        await_word(self, row, now);
}

void update_on_updated(operation_t *self, const struct peer_mail *mail, struct now now,
                       struct outbox *out)
{
    const struct peer_updated *updated = &mail->body.updated;
    struct relay *row = relays_find(&self->relays, updated->tx);
    struct reason why;
    if (!row || row->state != RELAY_asking || !relay_unanswered_by(row, mail->number))
        return; /* it is done, or nobody asked */
    if (updated->code) {
        int code = operation_code_from_wire(updated->code, updated->why, &why);
        asked_failed(self, row, mail->number, code, why.text, now, out);
        return;
    }
    struct request *request = row->request;
    row->asked = mail->number; /* the first that takes it takes all of it */
    row->unanswered = relay_unanswered_by(row, mail->number);
    row->changed |= updated->changed != 0;
    row->done_bytes += row->sent_bytes;
    memcpy(request->change.after.bytes, updated->fingerprint, FINGERPRINT_BYTES);
    request->change.changed = row->changed;
    bool more = !row->asker && !row->edit && row->done_bytes < request->args[1].size;
    int rc = more ? send_update(row, mail->number, now, &why, out) : 0;
    if (rc)
        finish_refused(self, row, rc, why.text, out);
    else if (more)
        await_word(self, row, now); /* lesson L3: it may stop between two of them as well */
    else
        update_finish(self, row, 0, "", out);
}
