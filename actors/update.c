/* update: merges a delta into a contract (UPDATE), or has one built where it merges (EDIT).
 *
 *   takes UPDATE (client_api), MERGED (storage); gives MERGE (storage), REPLY (client_api) */
#include "actors/operation.h"

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

static void receive(void *self, struct message *message, struct now now, struct outbox *out)
{
    struct request *request = (struct request *)message;
    if (message->kind == MESSAGE_MERGED) {
        operation_finish((operation_t *)self, request, out);
        return;
    }
    int rc = request->verb == VERB_EDIT ? check_edit(request) : 0;
    if (rc)
        operation_refuse(request, rc, out);
    else
        operation_start((operation_t *)self, request, MESSAGE_MERGE, now, out);
}

const struct actor_spec update_spec = {
    .id = ACTOR_update,
    .receive = receive,
    .deadline_ms = operation_deadline_ms,
    .tick = operation_tick,
};
