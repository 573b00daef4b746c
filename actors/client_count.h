/* client_count: how many connections clients have to their socket now, those that have not yet
 * shaken hands among them.
 *
 * libzmq tells of each that comes and goes (zmq_socket_monitor), and its own thread would wait for
 * whoever does not listen: so one thread of ours does nothing else, and counts. */
#ifndef WEIR_ACTORS_CLIENT_COUNT_H
#define WEIR_ACTORS_CLIENT_COUNT_H

#include "base/errors.h"

#include <stddef.h>

typedef struct client_count client_count_t;

/* Counts from here on: for a libzmq socket (borrowed) that is not bound yet. ERR_IO. */
MUST_USE int client_count_new(void *socket, client_count_t **count, struct reason *why);

/* While the socket is still there. NULL is let be. */
void client_count_destroy(client_count_t **self);

/* From any thread. */
size_t client_count_now(const client_count_t *self);

#endif
