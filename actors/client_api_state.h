/* client_api_state: what a client_api_t is, for the files that make it up.
 *
 *   client_api.c        the actor
 *   client_admission.c  requests: what comes from clients
 *   client_delivery.c   replies and notifications: what goes to them
 *   client_sessions.c   the table of clients */
#ifndef WEIR_ACTORS_CLIENT_API_STATE_H
#define WEIR_ACTORS_CLIENT_API_STATE_H

#include "actors/client_api.h"
#include "actors/client_sessions.h"

struct client_api {
    struct client_api_options options;
    struct sessions sessions;
    struct client_counters counters;
    uint64_t open_bytes;
    uint64_t retry_at_ms; /* NEVER: nobody is stalled */
};

/* --- client_admission.c --- */

/* A request (taken over) of whoever its frames are from. */
void admission_frames(client_api_t *self, struct frames *frames, struct now now,
                      struct outbox *out);

/* --- client_delivery.c --- */

void delivery_reply(client_api_t *self, struct request *reply, struct now now, struct outbox *out);
void delivery_notify(client_api_t *self, struct notify *notify, struct now now, struct outbox *out);

/* Sends a reply or notification, given away, behind what is parked already. */
void delivery_send(client_api_t *self, struct session *session, struct message *message,
                   struct now now, struct outbox *out);

/* Tries to send what is parked. The session may be gone after it. */
void delivery_retry(client_api_t *self, struct session *session, struct outbox *out);

/* The client is gone, or made room: its session (taken out) and subscriptions end. */
void delivery_end(struct session *session, struct outbox *out);
void delivery_trace_refusal(const struct request *reply);

#endif
