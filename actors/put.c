/* put: creates a contract, or merges into one that is there; then sees that it is hosted where it
 * belongs. Once it is durable here nothing more can make it fail: the answer tells how many nodes
 * are known to hold it.
 *
 *   takes PUT (client_api), MERGED (storage), HOSTED (hosting), PEER_LIVE, PEER_GONE (connections);
 *   gives MERGE (storage), HOST, KEPT (hosting), REPLY (client_api) */
#include "actors/operation.h"
#include "contracts/dates.h"

static void on_put(operation_t *self, struct request *request, struct now now, struct outbox *out)
{
    struct slice kind = request->args[0], params = request->args[1];
    int rc = contract_init(&request->contract, kind, params, &request->why);
    if (rc) {
        operation_refuse(request, rc, out);
        return;
    }
    request->key = request->contract.key;
    rc = dates_check(&request->key, request->contract.kind, request->args[2], now.wall_ms,
                     &request->why);
    if (rc) {
        operation_refuse(request, rc, out);
        return;
    }
    if (operation_open(self, request, now, out))
        operation_pass(request, ACTOR_storage, MESSAGE_MERGE, out);
}

static void on_merged(operation_t *self, struct request *request, struct outbox *out)
{
    request->hosts = 1;
    if (request->code == 0 && self->ring.count) {
        operation_pass(request, ACTOR_hosting, MESSAGE_HOST, out);
        return;
    }
    if (request->code == 0)
        operation_keep(&request->key, out); /* for when a peer comes */
    operation_finish(self, request, out);
}

static void on_hosted(operation_t *self, struct request *request, struct outbox *out)
{
    request->code = 0;
    if (request->hosts == 0)
        request->hosts = 1; /* this node */
    operation_finish(self, request, out);
}

static void receive(void *actor, struct message *message, struct now now, struct outbox *out)
{
    operation_t *self = (operation_t *)actor;
    struct request *request = (struct request *)message;
    switch ((enum message_kind)message->kind) {
    case MESSAGE_PUT:
        on_put(self, request, now, out);
        return;
    case MESSAGE_MERGED:
        on_merged(self, request, out);
        return;
    case MESSAGE_HOSTED:
        on_hosted(self, request, out);
        return;
    case MESSAGE_PEER_LIVE:
        operation_on_live(self, (const struct peer_live *)message);
        break;
    case MESSAGE_PEER_GONE:
        operation_on_gone(self, (const struct peer_order *)message);
        break;
    default:
        break; /* send_to asserts that nothing else comes */
    }
    message_free(&message);
}

const struct actor_spec put_spec = {
    .id = ACTOR_put,
    .receive = receive,
    .deadline_ms = operation_deadline_ms,
    .tick = operation_tick,
};
