#include "actors/client_api.h"

#include "actors/client_reply.h"
#include "actors/client_sessions.h"
#include "actors/report.h"
#include "base/trace.h"

#include <stdlib.h>

struct client_api {
    struct client_api_options options;
    struct sessions sessions;
    struct client_counters counters;
    uint64_t open_bytes;
    uint64_t retry_at_ms; /* NEVER: nobody is stalled */
};

client_api_t *client_api_new(const struct client_api_options *options)
{
    client_api_t *self = (client_api_t *)calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->options = *options;
    self->retry_at_ms = NEVER;
    return self;
}

void client_api_destroy(client_api_t **pointer)
{
    client_api_t *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    while (self->sessions.used) {
        struct session *session = self->sessions.used;
        sessions_take_out(&self->sessions, session);
        session_free(session);
    }
    free(self);
}

/* --- out --------------------------------------------------------------------------------- */

/* The client is gone, or made room: its session and subscriptions end. */
static void end_session(struct session *session, struct outbox *out)
{
    struct client *gone = (struct client *)message_new(sizeof *gone);
    if (gone) { /* else its subscriptions end at their next notification */
        gone->client = session->number;
        send_to(out, ACTOR_subscribe, MESSAGE_CLIENT_GONE, &gone->head);
    }
    session_free(session);
}

static void drop_session(client_api_t *self, struct session *session, struct outbox *out)
{
    sessions_take_out(&self->sessions, session);
    end_session(session, out);
}

static int send_message(client_api_t *self, struct session *session, const struct message *message)
{
    struct reply_parts parts;
    if (message->kind == MESSAGE_NOTIFY)
        client_notify_parts((const struct notify *)message, &parts);
    else
        client_reply_parts((const struct request *)message, &parts);
    const struct client_wire *wire = self->options.wire;
    return wire->send(wire->self, slice_of(session->from, session->from_size), parts.part,
                      parts.count, session->owed);
}

/* Keeps what the client does not take now. A state that makes it too much is given up for BUSY. */
static void park(client_api_t *self, struct session *session, struct message *message,
                 struct now now)
{
    if (message->kind == MESSAGE_REPLY) {
        struct request *reply = (struct request *)message;
        uint64_t bytes = blob_slice(reply->reading.bytes).size + blob_slice(reply->json).size;
        if (bytes && session->parked_bytes + bytes > CLIENT_OWED_BYTES_MAX) {
            reply->code = fail(&reply->why, ERR_BUSY, "you do not read your replies");
            blob_release(&reply->reading.bytes);
            blob_release(&reply->json);
            bytes = 0;
        }
        session->parked_bytes += bytes;
        if (reply->frames)
            reply->release(reply->frames);
        reply->frames = NULL;
    }
    mail_push(&session->parked, message);
    sessions_stall(&self->sessions, session, true);
    if (self->retry_at_ms == NEVER)
        self->retry_at_ms = now.ms + CLIENT_RETRY_MS;
}

/* Sends a reply or notification, given away, behind what is parked already. */
static void deliver(client_api_t *self, struct session *session, struct message *message,
                    struct now now, struct outbox *out)
{
    int rc = session->parked.first ? ERR_AGAIN : send_message(self, session, message);
    if (rc == ERR_AGAIN) {
        park(self, session, message, now);
        return;
    }
    if (rc)
        drop_session(self, session, out);
    message_free(&message);
}

static void finish_status(client_api_t *self, struct request *reply, struct now now)
{
    self->counters.clients = self->sessions.count;
    report_answer(reply, report_status(reply, &self->counters, self->options.node_id,
                                       now.ms - self->options.started_ms));
}

static void tell_refusal(const struct request *reply)
{
    if (reply->code)
        trace(TRACE_debug, "client %llu: %s refused: %s: %s", (unsigned long long)reply->client,
              reply->verb < VERB_COUNT ? client_verbs[reply->verb].name : "request",
              error_name(reply->code), reply->why.text);
}

static void on_reply(client_api_t *self, struct request *reply, struct now now, struct outbox *out)
{
    struct message *message = &reply->head;
    struct session *session = sessions_find(&self->sessions, reply->client);
    if (reply->admitted_bytes) {
        self->counters.open--;
        self->open_bytes -= reply->admitted_bytes;
        if (session)
            sessions_done(&self->sessions, session, reply->admitted_bytes);
    }
    self->counters.replies++;
    self->counters.refused += reply->code != 0;
    tell_refusal(reply);
    if (!session) {
        message_free(&message);
        return;
    }
    if (reply->verb == VERB_SUBSCRIBE && !reply->code)
        session->subscriptions++;
    else if (reply->verb == VERB_UNSUBSCRIBE && session->subscriptions)
        session->subscriptions--;
    if (reply->verb == VERB_STATUS && !reply->code)
        finish_status(self, reply, now);
    deliver(self, session, message, now, out);
}

/* A client that is behind gets nothing more to queue: the notification goes back and is merged with
 * those that follow. The first one that finds the queue full is parked here, to try again with. */
static void on_notify(client_api_t *self, struct notify *notify, struct now now, struct outbox *out)
{
    struct message *message = &notify->head;
    struct session *session = sessions_find(&self->sessions, notify->client);
    if (!session) {
        message_free(&message);
        return;
    }
    bool behind =
        session->slow || session->parked.first || owed_bytes(session->owed) > CLIENT_OWED_BYTES_MAX;
    if (!behind) {
        self->counters.notifications++;
        deliver(self, session, message, now, out);
        return;
    }
    session->slow = true;
    sessions_stall(&self->sessions, session, true);
    if (self->retry_at_ms == NEVER)
        self->retry_at_ms = now.ms + CLIENT_RETRY_MS;
    send_to(out, ACTOR_subscribe, MESSAGE_NOTIFY_BACK, message);
}

/* Tries to send what is parked. False when the client is gone. */
static bool retry(client_api_t *self, struct session *session, struct outbox *out)
{
    while (session->parked.first) {
        int rc = send_message(self, session, session->parked.first);
        if (rc == ERR_AGAIN)
            return true;
        if (rc) {
            drop_session(self, session, out);
            return false;
        }
        struct message *sent = mail_pop(&session->parked);
        message_free(&sent);
    }
    session->parked_bytes = 0;
    session->told_discards = false;
    if (owed_bytes(session->owed) > CLIENT_OWED_BYTES_MAX)
        return true;
    sessions_stall(&self->sessions, session, false);
    struct client *ready = session->slow ? (struct client *)message_new(sizeof *ready) : NULL;
    if (ready) {
        session->slow = false;
        ready->client = session->number;
        send_to(out, ACTOR_subscribe, MESSAGE_CLIENT_READY, &ready->head);
    }
    return true;
}

/* --- in ---------------------------------------------------------------------------------- */

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
    tell_refusal(request);
    deliver(self, session, &request->head, now, out);
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

static void on_frames(client_api_t *self, struct frames *frames, struct now now, struct outbox *out)
{
    struct session *evicted = NULL;
    struct session *session = sessions_of(&self->sessions, frames->from, &evicted);
    self->counters.requests++;
    if (evicted)
        end_session(evicted, out);
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

/* --- as an actor ------------------------------------------------------------------------- */

static void receive(void *actor, struct message *message, struct now now, struct outbox *out)
{
    client_api_t *self = (client_api_t *)actor;
    if (message->kind == MESSAGE_REPLY)
        on_reply(self, (struct request *)message, now, out);
    else
        on_notify(self, (struct notify *)message, now, out);
}

static uint64_t deadline_ms(const void *actor)
{
    return ((const client_api_t *)actor)->retry_at_ms;
}

static void tick(void *actor, struct now now, struct outbox *out)
{
    client_api_t *self = (client_api_t *)actor;
    for (struct session *session = self->sessions.stalled, *next; session; session = next) {
        next = session->stalled_next;
        (void)retry(self, session, out);
    }
    self->retry_at_ms = self->sessions.stalled ? now.ms + CLIENT_RETRY_MS : NEVER;
}

static int descriptor(const void *actor)
{
    const struct client_wire *wire = ((const client_api_t *)actor)->options.wire;
    return wire->descriptor(wire->self);
}

static bool wants_input(const void *actor)
{
    const client_api_t *self = (const client_api_t *)actor;
    return !self->sessions.full && self->counters.open < OPEN_MAX &&
           self->open_bytes < OPEN_BYTES_MAX;
}

static bool pump(void *actor, struct now now, struct outbox *out)
{
    client_api_t *self = (client_api_t *)actor;
    const struct client_wire *wire = self->options.wire;
    size_t taken = 0;
    while (taken < PUMP_REQUESTS && wants_input(self)) {
        struct frames *frames = wire->receive(wire->self);
        if (!frames)
            break;
        taken++;
        on_frames(self, frames, now, out);
    }
    return taken > 0;
}

const struct actor_spec client_api_spec = {
    .id = ACTOR_client_api,
    .receive = receive,
    .deadline_ms = deadline_ms,
    .tick = tick,
    .descriptor = descriptor,
    .wants_input = wants_input,
    .pump = pump,
};
