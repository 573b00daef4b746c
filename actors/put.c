/* put: creates a contract, or merges into one that is there.
 *
 *   takes PUT (client_api), MERGED (storage); gives MERGE (storage), REPLY (client_api) */
#include "actors/operation.h"

static void on_put(operation_t *self, struct request *request, struct now now, struct outbox *out)
{
    struct slice kind = request->args[0], params = request->args[1];
    int rc = contract_init(&request->contract, kind, params, &request->why);
    if (rc) {
        operation_refuse(request, rc, out);
        return;
    }
    request->key = request->contract.key;
    operation_start(self, request, MESSAGE_MERGE, now, out);
}

static void receive(void *self, struct message *message, struct now now, struct outbox *out)
{
    struct request *request = (struct request *)message;
    if (message->kind == MESSAGE_PUT)
        on_put((operation_t *)self, request, now, out);
    else
        operation_finish((operation_t *)self, request, out);
}

const struct actor_spec put_spec = {
    .id = ACTOR_put,
    .receive = receive,
    .deadline_ms = operation_deadline_ms,
    .tick = operation_tick,
};
