/* What comes from clients: each request is checked, counted against its client's limits and those
 * of all, and given to the actor that does it. */
#include "actors/client_api_state.h"
#include "base/trace.h"

/* Where each verb's request goes. */
static const struct route {
    enum actor_id actor;
    enum message_kind kind;
} routes[VERB_COUNT] = {
    [VERB_PUT] = {ACTOR_put, MESSAGE_PUT},
    [VERB_GET] = {ACTOR_get, MESSAGE_GET},
    [VERB_UPDATE] = {ACTOR_update, MESSAGE_UPDATE},
    [VERB_EDIT] = {ACTOR_update, MESSAGE_UPDATE},
    [VERB_SUBSCRIBE] = {ACTOR_subscribe, MESSAGE_SUBSCRIBE},
    [VERB_UNSUBSCRIBE] = {ACTOR_subscribe, MESSAGE_SUBSCRIBE},
    [VERB_STATUS] = {ACTOR_connections, MESSAGE_ASK}, /* then transport, then storage */
    [VERB_PEERS] = {ACTOR_connections, MESSAGE_ASK},
    [VERB_CONTRACTS] = {ACTOR_storage, MESSAGE_ASK},
    [VERB_CONNECT] = {ACTOR_connections, MESSAGE_ASK},
    [VERB_DISCONNECT] = {ACTOR_connections, MESSAGE_ASK},
    [VERB_BACKUP] = {ACTOR_storage, MESSAGE_WORK},
    [VERB_CHECK] = {ACTOR_storage, MESSAGE_WORK},
};

/* A request to answer with an error, at once. */
static void refuse(client_api_t *self, struct session *session, struct request *request, int code,
                   struct now now, struct outbox *out)
{
    request->code = code;
    request->head.kind = MESSAGE_REPLY;
    self->counters.refused++;
    delivery_trace_refusal(request);
    delivery_send(self, session, &request->head, now, out);
}

/* The request of these frames (given away), without looking at its verb; NULL without memory. */
static struct request *request_of(client_api_t *self, struct session *session,
                                  struct frames *frames)
{
    struct request *request = (struct request *)message_new(sizeof *request);
    if (!request) {
        self->options.wire->release(frames);
        return NULL;
    }
    struct slice id;
    request->client = session->number;
    request->frames = frames;
    request->release = self->options.wire->release;
    if (client_request_id(frames->slices, frames->count, &id)) {
        memcpy(request->id, id.data, id.size);
        request->id_size = (uint8_t)id.size;
    }
    return request;
}

static int check_request(const client_api_t *self, const struct session *session,
                         struct request *request)
{
    const struct frames *frames = request->frames;
    if (frames->cut)
        return fail(&request->why, ERR_TOO_LARGE, "a request has at most %u arguments",
                    EDIT_OPERANDS_MAX);
    int rc = client_request_check(frames->slices, frames->count, self->options.state_bytes_max,
                                  &request->verb, &request->why);
    if (rc)
        return rc;
    request->args = frames->slices + 3;
    request->args_count = frames->count - 3;
    if (client_verbs[request->verb].sizes[0] == 'k')
        memcpy(request->key.bytes, request->args[0].data, sizeof request->key.bytes);
    if (session->open && session->open_bytes + frames->bytes > CLIENT_OPEN_BYTES_MAX)
        return fail(&request->why, ERR_BUSY, "requests of %llu bytes are open; wait for answers",
                    (unsigned long long)session->open_bytes);
    if (request->verb == VERB_BACKUP && !self->options.wire->is_local(frames))
        return fail(&request->why, ERR_DENIED, "backup is for clients on the node's own machine");
    return 0;
}

/* Does this client read too little to be given anything more? Past the last cap its request is
 * dropped. */
static bool too_far_behind(client_api_t *self, struct session *session, struct request *request,
                           int *code)
{
    if (session->parked.count < CLIENT_PARKED_MAX)
        return false;
    *code = fail(&request->why, ERR_BUSY, "you do not read your replies");
    struct message *message = &request->head;
    if (session->parked.count >= CLIENT_PARKED_REFUSALS_MAX) {
        if (!session->told_discards)
            trace(TRACE_warn, "client %llu reads no replies: its requests are discarded",
                  (unsigned long long)session->number);
        session->told_discards = true;
        self->counters.discarded++;
        message->kind = MESSAGE_REPLY;
        message_free(&message);
        *code = 0;
    } else { /* what is parked must be small */
        request->release(request->frames);
        request->frames = NULL;
    }
    return true;
}

void admission_frames(client_api_t *self, struct frames *frames, struct now now, struct outbox *out)
{
    struct session *evicted = NULL;
    struct session *session = sessions_of(&self->sessions, frames->from, &evicted);
    self->counters.requests++;
    if (evicted)
        delivery_end(evicted, out);
    if (!session) {
        self->counters.discarded++;
        self->options.wire->release(frames);
        return;
    }
    struct request *request = request_of(self, session, frames);
    if (!request)
        return;
    int rc;
    if (!too_far_behind(self, session, request, &rc))
        rc = check_request(self, session, request);
    else if (rc == 0)
        return;
    if (rc) {
        refuse(self, session, request, rc, now, out);
        return;
    }
    request->owed = owed_hold(session->owed);
    request->admitted_bytes = frames->bytes ? frames->bytes : 1;
    sessions_open(&self->sessions, session, request->admitted_bytes);
    self->counters.open++;
    self->open_bytes += request->admitted_bytes;
    const struct route *route = &routes[request->verb];
    send_to(out, route->actor, route->kind, &request->head);
}
