/* far_clients: the far side of a node's client wire: what clients asked, and what they were sent.
 * A client is a name. */
#ifndef WEIR_TESTS_FAR_CLIENTS_H
#define WEIR_TESTS_FAR_CLIENTS_H

#include "actors/client_wire.h"

typedef struct far_clients far_clients_t;

far_clients_t *far_clients_new(void);
void far_clients_destroy(far_clients_t **self); /* the node is gone, or has let go of all frames */
const struct client_wire *far_clients_wire(const far_clients_t *self);

/* A request: its frames are copied and wait for the node. */
void far_clients_ask(far_clients_t *self, const char *client, const struct slice *frames,
                     size_t count);

/* How many requests the node has not taken off the wire. */
size_t far_clients_untaken(const far_clients_t *self);

/* The next message that was sent to the client: its frames, borrowed until the next call for any
 * client; 0 when none. */
size_t far_clients_take(far_clients_t *self, const char *client, const struct slice **frames);

/* How many messages were ever sent to all clients. */
uint64_t far_clients_sent(const far_clients_t *self);

/* The client takes at most `queue` messages and reads none (SIZE_MAX: reads all, the default). */
void far_clients_stop_reading(far_clients_t *self, const char *client, size_t queue);
void far_clients_hang_up(far_clients_t *self, const char *client); /* sends to it fail: gone */
void far_clients_forget(far_clients_t *self, const char *client); /* frees what it has, its place */

#endif
