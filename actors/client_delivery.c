/* What goes to clients: replies and notifications, parked while a client does not take them. */
#include "actors/client_api_state.h"
#include "actors/client_reply.h"
#include "base/trace.h"

/* The client is gone, or made room: its session and subscriptions end. */
void delivery_end(struct session *session, struct outbox *out)
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
    delivery_end(session, out);
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
void delivery_send(client_api_t *self, struct session *session, struct message *message,
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
    const struct client_wire *wire = self->options.wire;
    self->counters.connected = wire->connected(wire->self, &self->counters.turned_away);
    report_answer(reply, report_status(reply, &self->counters, &self->options.facts,
                                       now.ms - self->options.started_ms));
}

void delivery_trace_refusal(const struct request *reply)
{
    if (reply->code)
        trace(TRACE_debug, "client %llu: %s refused: %s: %s", (unsigned long long)reply->client,
              reply->verb < VERB_COUNT ? client_verbs[reply->verb].name : "request",
              error_name(reply->code), reply->why.text);
}

void delivery_reply(client_api_t *self, struct request *reply, struct now now, struct outbox *out)
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
    delivery_trace_refusal(reply);
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
    delivery_send(self, session, message, now, out);
}

/* A client that is behind gets nothing more to queue: the notification goes back and is merged with
 * those that follow. The first one that finds the queue full is parked here, to try again with. */
void delivery_notify(client_api_t *self, struct notify *notify, struct now now, struct outbox *out)
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
        delivery_send(self, session, message, now, out);
        return;
    }
    session->slow = true;
    sessions_stall(&self->sessions, session, true);
    if (self->retry_at_ms == NEVER)
        self->retry_at_ms = now.ms + CLIENT_RETRY_MS;
    send_to(out, ACTOR_subscribe, MESSAGE_NOTIFY_BACK, message);
}

void delivery_retry(client_api_t *self, struct session *session, struct outbox *out)
{
    while (session->parked.first) {
        int rc = send_message(self, session, session->parked.first);
        if (rc == ERR_AGAIN)
            return;
        if (rc) {
            drop_session(self, session, out);
            return;
        }
        struct message *sent = mail_pop(&session->parked);
        message_free(&sent);
    }
    session->parked_bytes = 0;
    session->told_discards = false;
    if (owed_bytes(session->owed) > CLIENT_OWED_BYTES_MAX)
        return;
    sessions_stall(&self->sessions, session, false);
    struct client *ready = session->slow ? (struct client *)message_new(sizeof *ready) : NULL;
    if (ready) {
        session->slow = false;
        ready->client = session->number;
        send_to(out, ACTOR_subscribe, MESSAGE_CLIENT_READY, &ready->head);
    }
}
