/* client_api: owns the clients' sessions: parses, admits, answers, and delivers notifications.
 *
 *   takes REPLY, NOTIFY; gives PUT, GET, UPDATE, SUBSCRIBE, ASK, WORK, NOTIFY_BACK, CLIENT_READY,
 *   CLIENT_GONE
 *
 * Admission. A client has at most CLIENT_OPEN_MAX requests under work, all together OPEN_MAX; at
 * either limit nothing more is read, and the far ends feel it through their sockets (lesson C3:
 * full makes the writer wait). Who does not read its replies is another matter: its replies are
 * parked, past CLIENT_PARKED_MAX it is answered BUSY, past CLIENT_PARKED_REFUSALS_MAX its requests
 * are discarded; it never stops the reading of others (lesson C5). */
#ifndef WEIR_ACTORS_CLIENT_API_H
#define WEIR_ACTORS_CLIENT_API_H

#include "actors/actor.h"
#include "actors/client_wire.h"
#include "actors/report.h"

struct client_api_options {
    const struct client_wire *wire; /* borrowed */
    uint64_t state_bytes_max;
    struct node_facts facts; /* for STATUS */
    uint64_t started_ms;     /* on the clock of now.ms */
};

typedef struct client_api client_api_t;
client_api_t *client_api_new(const struct client_api_options *options);
void client_api_destroy(client_api_t **self);
extern const struct actor_spec client_api_spec;

#endif
