/* client_count: how many connections clients have to their socket now, those that have not yet
 * shaken hands among them; and an end of those that come when there are as many as may be.
 *
 * libzmq tells of each that comes and goes (zmq_socket_monitor), and its own thread would wait for
 * whoever does not listen: so one thread of ours does nothing else, and counts. libzmq itself knows
 * no limit. */
#ifndef WEIR_ACTORS_CLIENT_COUNT_H
#define WEIR_ACTORS_CLIENT_COUNT_H

#include "base/errors.h"

#include <stddef.h>
#include <stdint.h>

typedef struct client_count client_count_t;

/* Counts from here on: for a libzmq socket (borrowed) that is not bound yet. most: connections at
 * once. ERR_IO. */
MUST_USE int client_count_new(void *socket, size_t most, client_count_t **count,
                              struct reason *why);

/* While the socket is still there. NULL is let be. */
void client_count_destroy(client_count_t **self);

/* From any thread: connections now; those that were turned away since the start. */
size_t client_count_now(const client_count_t *self);
uint64_t client_count_turned_away(const client_count_t *self);

#endif
