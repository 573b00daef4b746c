/* What peers send: bodies of syncs, which are answered by walks, and deltas, which are merged. */
#include "actors/sync_state.h"

void sync_answer(sync_t *self, struct exchange *row, struct now now, struct outbox *out)
{
    if (!row->body || row->walking || row->merges[1 - row->since])
        return;
    size_t size = row->body->body.sync.body.size;
    if (size && !exchanges_charge(&self->table, row, size))
        return; /* its mail waits in the peer's window meanwhile */
    struct message *message = &row->body->head;
    const struct peer_sync *sync = &row->body->body.sync;
    struct reason why;
    int rc = 0;
    row->body = NULL;
    row->round = (uint8_t)(sync->round + 1);
    if (sync->body.size == 0) {
        sync_end(self, row, 0, NULL, now, out);
    } else if (sync->round >= SYNC_ROUNDS_MAX) {
        sync_end(self, row, ERR_BAD_REQUEST, "it goes on for too long", now, out);
    } else {
        sync_walk_t *walk = sync_walk_answer(row->salt, sync->body, &rc, &why);
        if (rc == ERR_BAD_REQUEST)
            peer_blame(out, row->key.peer, why.text);
        if (walk)
            sync_start_walk(self, row, walk, now, out);
        else
            sync_end(self, row, rc, why.text, now, out);
    }
    message_free(&message);
}

/* The peer begins; an older sync of its own is over then, but for a walk that storage still has. */
static struct exchange *row_anew(sync_t *self, struct exchange *row, peer_t peer,
                                 const struct contract_key *key)
{
    if (row && row->walking && !row->walk) {
        struct message *body = row->body ? &row->body->head : NULL;
        message_free(&body);
        row->body = NULL;
        row->anew = true;
        row->sent_entries = false;
        return row;
    }
    if (row)
        exchanges_remove(&self->table, row);
    return exchanges_add(&self->table, peer, key, false);
}

/* The row that this body belongs to; NULL: of a sync that is over here. */
static struct exchange *row_of(sync_t *self, const struct peer_mail *mail)
{
    const struct peer_sync *sync = &mail->body.sync;
    struct contract_key key;
    memcpy(key.bytes, sync->key, sizeof key.bytes);
    struct exchange *row = exchanges_find(&self->table, mail->number, &key, sync->round % 2 == 1);
    if (sync->round == 0) {
        row = row_anew(self, row, mail->number, &key);
        if (row)
            memcpy(row->salt, sync->salt, sizeof row->salt);
    }
    return row && memcmp(row->salt, sync->salt, sizeof row->salt) == 0 ? row : NULL;
}

void sync_on_body(sync_t *self, struct peer_mail *mail, struct now now, struct outbox *out)
{
    struct message *message = &mail->head;
    struct exchange *row = row_of(self, mail);
    bool in_turn = row && !row->body && (!row->walking || row->anew);
    if (!in_turn) { /* (a peer that says two things at once is not answered twice) */
        message_free(&message);
        return;
    }
    sync_heard(self, row, now);
    row->body = mail;
    row->since = 1 - row->since; /* where there are many writers, some change is always under way */
    sync_answer(self, row, now, out);
}

/* A change told by the peer, or a part of a sync, which then waits for it to be merged. */
void sync_on_delta(sync_t *self, struct peer_mail *mail, struct outbox *out)
{
    struct message *message = &mail->head;
    struct contract_key key;
    memcpy(key.bytes, mail->body.delta.key, sizeof key.bytes);
    struct slice args[] = {slice_of(mail->body.delta.key, sizeof key.bytes),
                           mail->body.delta.entries};
    struct request *merge = request_new(ACTOR_sync, VERB_UPDATE, &key, args, 2);
    if (!merge) { /* lost: the next comparison of fingerprints finds it */
        message_free(&message);
        return;
    }
    merge->mail = mail;
    merge->origin = mail->number;
    for (int opened_here = 0; opened_here < 2; opened_here++) {
        struct exchange *row = exchanges_find(&self->table, mail->number, &key, opened_here != 0);
        if (row) {
            row->merges[row->since]++;
            merge->transaction = row->number << 1 | row->since;
            break;
        }
    }
    send_to(out, ACTOR_storage, MESSAGE_MERGE, &merge->head);
}

void sync_on_merged(sync_t *self, const struct request *merge, struct now now, struct outbox *out)
{
    struct exchange *row = exchanges_numbered(&self->table, merge->transaction >> 1);
    if (merge->code == ERR_NOT_FOUND)
        sync_tell(MESSAGE_STRAY, merge->origin, &merge->key, out); /* was it to? hosting knows */
    else if (merge->code == ERR_BAD_STATE) /* TOO_LARGE may be so of two states that each are not */
        peer_blame(out, merge->origin, merge->why.text);
    if (!row)
        return;
    row->merges[merge->transaction & 1]--;
    sync_heard(self, row, now);
    if (merge->code)
        sync_end(self, row, merge->code, merge->why.text, now, out);
    else
        sync_answer(self, row, now, out);
}

void sync_go_on(sync_t *self, struct now now, struct outbox *out)
{
    for (struct exchange *row; (row = exchanges_waiting(&self->table));)
        sync_answer(self, row, now, out);
}
