/* What the actors that speak to peers share: encoding into a PEER_SEND, a connection's counters. */
#include "actors/actor.h"

#include <stdlib.h>

struct peer_send *peer_send_new(peer_t number, enum lane lane, enum peer_kind kind,
                                const void *body)
{
    struct buffer bytes = {0};
    struct peer_send *send = (struct peer_send *)message_new(sizeof *send);
    int rc = peer_encode(kind, body, &bytes);
    size_t size = bytes.size;
    if (send && rc == 0 && !buffer_failed(&bytes))
        send->bytes = blob_adopt(buffer_steal(&bytes), size);
    buffer_free(&bytes);
    if (!send || !send->bytes) {
        free(send);
        return NULL;
    }
    send->number = number;
    send->lane = lane;
    return send;
}

bool peer_tell(struct outbox *out, peer_t number, enum lane lane, enum peer_kind kind,
               const void *body)
{
    struct peer_send *send = peer_send_new(number, lane, kind, body);
    if (send)
        send_to(out, ACTOR_transport, MESSAGE_PEER_SEND, &send->head);
    return send != NULL;
}

void peer_leave(struct outbox *out, peer_t number, const struct contract_key *key)
{
    struct peer_leave body;
    memcpy(body.key, key->bytes, sizeof body.key);
    (void)peer_tell(out, number, LANE_small, PEER_LEAVE, &body);
}

struct request *request_new(enum actor_id asked_by, enum verb verb, const struct contract_key *key,
                            const struct slice *args, size_t count)
{
    struct with_args {
        struct request request;
        struct slice args[];
    } *self = (struct with_args *)message_new(sizeof *self + count * sizeof(struct slice));
    if (!self)
        return NULL;
    for (size_t i = 0; i < count; i++)
        self->args[i] = args[i];
    self->request.asked_by = asked_by;
    self->request.verb = verb;
    self->request.key = *key;
    self->request.args = self->args;
    self->request.args_count = count;
    return &self->request;
}

void peer_blame(struct outbox *out, peer_t number, const char *why)
{
    struct peer_order *blame = (struct peer_order *)message_new(sizeof *blame);
    if (!blame)
        return; /* it will do it again */
    blame->number = number;
    blame->reason = CLOSE_misbehaved;
    (void)fail(&blame->why, 0, "%s", why);
    send_to(out, ACTOR_connections, MESSAGE_BLAME, &blame->head);
}

struct peer_traffic *peer_traffic_new(void)
{
    struct peer_traffic *self = (struct peer_traffic *)calloc(1, sizeof *self);
    if (self)
        self->holders = 1;
    return self;
}

void peer_traffic_release(struct peer_traffic **self)
{
    struct peer_traffic *traffic = *self;
    *self = NULL;
    if (traffic && --traffic->holders == 0)
        free(traffic);
}
