/* What is stored here, as storage tells it, and contracts that are made because peers have them. */
#include "actors/hosting_state.h"

#include <stdlib.h>

static void send_abouts(hosting_t *self, struct outbox *out)
{
    struct holding_table *table = &self->table;
    while (table->abouts && table->abouts_out < ABOUTS_OUT_MAX) {
        struct holding *row = table->abouts;
        struct request *about = request_new(ACTOR_hosting, VERB_GET, &row->key, NULL, 0);
        if (!about)
            return; /* the next one tries again */
        table->abouts = row->about_next;
        if (!table->abouts)
            table->abouts_last = &table->abouts;
        row->about_queued = false;
        row->about_out = true;
        table->abouts_out++;
        send_to(out, ACTOR_storage, MESSAGE_ABOUT, &about->head);
    }
}

void hosting_ask(hosting_t *self, struct holding *row, struct outbox *out)
{
    if (row->about_out || row->creating) {
        row->about_again = true;
        return;
    }
    if (!row->about_queued) {
        row->about_queued = true;
        row->about_next = NULL;
        *self->table.abouts_last = row;
        self->table.abouts_last = &row->about_next;
    }
    send_abouts(self, out);
}

void stored_on_about_done(hosting_t *self, struct request *about, struct now now,
                          struct outbox *out)
{
    struct holding *row = holding_find(&self->table, &about->key);
    self->table.abouts_out--;
    if (row) {
        row->about_out = false;
        row->damaged = about->damaged;
        if (row->about_again) {
            row->about_again = false;
            hosting_ask(self, row, out);
        } else if (about->code && about->code != ERR_NOT_FOUND) {
            hosting_answer(self, row, about->code, about->why.text, now, out);
            children_refuse(row, about->code, out);
        } else {
            if (about->code)
                row->presence = PRESENCE_absent;
            else
                holding_is_stored(&self->table, row);
            feed_on_about(self, row, about->code ? NULL : &about->reading, now, out);
        }
    }
    send_abouts(self, out);
}

bool hosting_create(struct holding *row, struct peer_mail *mail, struct slice kind,
                    struct slice params, struct outbox *out)
{
    struct message *message = &mail->head;
    struct slice args[] = {kind, params, slice_of(NULL, 0)};
    struct request *put = request_new(ACTOR_hosting, VERB_PUT, &row->key, args, 3);
    struct reason why;
    int rc = put ? contract_init(&put->contract, kind, params, &why)
                 : fail(&why, ERR_NO_MEMORY, "out of memory");
    if (rc == 0 && memcmp(&put->contract.key, &row->key, sizeof row->key) == 0) {
        put->mail = mail; /* kind and params lie in it */
        row->creating = true;
        send_to(out, ACTOR_storage, MESSAGE_MERGE, &put->head);
        return true;
    }
    if (rc != ERR_NO_MEMORY)
        peer_blame(out, mail->number, "kind and parameters are not those of the contract's key");
    free(put);
    message_free(&message);
    return false;
}

void stored_on_created(hosting_t *self, const struct request *put, struct now now,
                       struct outbox *out)
{
    struct holding *row = holding_find(&self->table, &put->key);
    if (!row)
        return;
    row->creating = false;
    if (put->code) { /* no room, say: whoever wants it here is told */
        hosting_answer(self, row, put->code, put->why.text, now, out);
        children_refuse(row, put->code, out);
        if (row->feed)
            feed_failed(self, row, now, out);
        return;
    }
    row->hollow = row->presence != PRESENCE_stored; /* a PUT may have come meanwhile */
    holding_is_stored(&self->table, row);
    feed_on_created(self, row, now, out);
}

/* All that is stored is kept fed, and what is lost is looked for. */
void stored_on_held(hosting_t *self, struct holdings *held, struct now now, struct outbox *out)
{
    struct message *message = &held->head;
    for (size_t i = 0; i < held->count; i++) {
        struct holding *row = holding_of(&self->table, &held->keys[i]);
        if (!row)
            break;
        if (i < held->count - held->lost)
            holding_is_stored(&self->table, row);
        else
            row->damaged = true; /* what presence it has, storage tells */
        if (!row->asked_ms)
            row->asked_ms = now.ms; /* it may have been, without a row */
        feed_choose(self, row, now, out);
    }
    if (held->end || !held->count) {
        message_free(&message);
        return;
    }
    held->after = held->keys[held->count - 1];
    held->started = true;
    held->count = 0;
    send_to(out, ACTOR_storage, MESSAGE_HOLDINGS, message);
}

void stored_list(hosting_t *self, struct outbox *out)
{
    struct holdings *ask =
        self->table.keeps_stored ? NULL : (struct holdings *)message_new(sizeof *ask);
    if (!ask)
        return;
    self->table.keeps_stored = true;
    send_to(out, ACTOR_storage, MESSAGE_HOLDINGS, &ask->head);
}
