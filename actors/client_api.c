#include "actors/client_api_state.h"

#include <stdlib.h>

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

/* --- as an actor ------------------------------------------------------------------------- */

static void receive(void *actor, struct message *message, struct now now, struct outbox *out)
{
    client_api_t *self = (client_api_t *)actor;
    if (message->kind == MESSAGE_REPLY)
        delivery_reply(self, (struct request *)message, now, out);
    else
        delivery_notify(self, (struct notify *)message, now, out);
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
        delivery_retry(self, session, out);
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
        admission_frames(self, frames, now, out);
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
