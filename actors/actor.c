#include "actors/actor.h"

#include <assert.h>

void send_to(struct outbox *out, enum actor_id to, enum message_kind kind, struct message *message)
{
    const struct message_row *row = &message_rows[kind];
    assert(row->from >> out->from & 1u && row->to >> to & 1u);
    message->kind = (uint8_t)kind;
    message->from = (uint8_t)out->from;
    message->to = (uint8_t)to;
    mail_push(&out->mail, message);
}

void send_watch(struct outbox *out, enum actor_id to, enum message_kind kind,
                const struct contract_key *key, bool on)
{
    struct watch *watch = (struct watch *)message_new(sizeof *watch);
    if (!watch)
        return;
    watch->key = *key;
    watch->on = on;
    send_to(out, to, kind, &watch->head);
}
