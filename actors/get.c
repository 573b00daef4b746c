/* get: reads a contract's state or a range of it.
 *
 *   takes GET (client_api), READ_DONE (storage); gives READ (storage), REPLY (client_api) */
#include "actors/operation.h"

static void receive(void *self, struct message *message, struct now now, struct outbox *out)
{
    struct request *request = (struct request *)message;
    if (message->kind == MESSAGE_GET)
        operation_start((operation_t *)self, request, MESSAGE_READ, now, out);
    else
        operation_finish((operation_t *)self, request, out);
}

const struct actor_spec get_spec = {
    .id = ACTOR_get,
    .receive = receive,
    .deadline_ms = operation_deadline_ms,
    .tick = operation_tick,
};
