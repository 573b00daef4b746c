/* client_router: the clients' ROUTER socket: ipc and tcp; CURVE on addresses that are not loopback.
 */
#ifndef WEIR_ACTORS_CLIENT_ROUTER_H
#define WEIR_ACTORS_CLIENT_ROUTER_H

#include "actors/client_wire.h"
#include "base/errors.h"

struct client_router_options {
    /* NULL-terminated: ipc://…, tcp://ADDRESS:PORT (port 0 or *: any) */
    const char *const *endpoints;
    const char *data_dir;     /* the server's CURVE certificate lives there */
    const char *client_keys;  /* directory of clients' public certificates (zcert); NULL: none */
    uint64_t state_bytes_max; /* frames over this (and a little) close the connection */
    size_t connections_max;   /* at once; who comes then is turned away */
};

typedef struct client_router client_router_t;

/* Can these be served at all? Touches nothing. ERR_BAD_REQUEST for what is no endpoint of these
 * two, ERR_DENIED for an address that is not loopback without client_keys, ERR_IO when client_keys
 * is not there. */
MUST_USE int client_router_check(const struct client_router_options *options, struct reason *why);

/* Binds all endpoints, which were checked. ERR_IO for one that cannot be bound. */
MUST_USE int client_router_new(const struct client_router_options *options,
                               client_router_t **router, struct reason *why);
void client_router_destroy(client_router_t **self);

/* The endpoints as bound (ports known), separated by commas. Borrowed. */
const char *client_router_bound(const client_router_t *self);

/* The CURVE key that remote clients need (Z85), or NULL when none is used. Borrowed. */
const char *client_router_public_key(const client_router_t *self);

const struct client_wire *client_router_wire(const client_router_t *self);

#endif
