#include "actors/operation.h"

#include <stdlib.h>

struct operation {
    struct transactions transactions;
};

operation_t *operation_new(void)
{
    operation_t *self = (operation_t *)calloc(1, sizeof *self);
    if (self)
        transactions_init(&self->transactions);
    return self;
}

void operation_destroy(operation_t **self)
{
    if (!*self)
        return;
    transactions_free(&(*self)->transactions);
    free(*self);
    *self = NULL;
}

void operation_refuse(struct request *request, int code, struct outbox *out)
{
    request->code = code;
    send_to(out, ACTOR_client_api, MESSAGE_REPLY, &request->head);
}

void operation_start(operation_t *self, struct request *request, enum message_kind kind,
                     struct now now, struct outbox *out)
{
    if (!transactions_open(&self->transactions, request, now.ms)) {
        int code = fail(&request->why, ERR_BUSY, "%u operations are open; try again", OPEN_MAX);
        operation_refuse(request, code, out);
        return;
    }
    request->asked_by = out->from;
    send_to(out, ACTOR_storage, kind, &request->head);
}

void operation_finish(operation_t *self, struct request *request, struct outbox *out)
{
    struct message *message = &request->head;
    if (transactions_close(&self->transactions, request))
        send_to(out, ACTOR_client_api, MESSAGE_REPLY, message);
    else
        message_free(&message);
}

uint64_t operation_deadline_ms(const void *self)
{
    return transactions_deadline_ms(&((const operation_t *)self)->transactions);
}

void operation_tick(void *self, struct now now, struct outbox *out)
{
    transactions_expire(&((operation_t *)self)->transactions, now.ms, out);
}
