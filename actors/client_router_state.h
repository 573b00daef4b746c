/* client_router_state: what client_router.c (requests and replies) and client_router_bind.c
 * (endpoints, CURVE) share. */
#ifndef WEIR_ACTORS_CLIENT_ROUTER_STATE_H
#define WEIR_ACTORS_CLIENT_ROUTER_STATE_H

#include "actors/client_count.h"
#include "actors/client_router.h"

#include <czmq.h>

struct client_router {
    zsock_t *socket;
    void *handle; /* the libzmq socket in it */
    zactor_t *auth;
    client_count_t *count;
    char *public_key;
    char bound[2048];
    struct client_wire wire;
};

/* Binds all endpoints, those that ask for CURVE last. ERR_IO. */
MUST_USE int client_router_bind(client_router_t *self, const struct client_router_options *options,
                                struct reason *why);

#endif
