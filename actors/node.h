/* node: a whole node in one call: store, actors, workers, client socket. */
#ifndef WEIR_ACTORS_NODE_H
#define WEIR_ACTORS_NODE_H

#include "base/errors.h"

#include <stdbool.h>
#include <stdint.h>

struct node_peer_options {
    const char *listen;          /* HOST:PORT for peers; port 0: a free one; NULL: no inbound */
    const char *advertise;       /* HOST:PORT that peers are told; NULL: what it listens on */
    const char *const *gateways; /* ID@HOST:PORT, NULL-terminated */
    const char *network;         /* nodes of other networks are refused */
    bool is_gateway;
    size_t peers_max;
};

struct node_options {
    const char *data_dir;
    const char *const *client_endpoints; /* NULL-terminated; the ipc socket in data_dir is added */
    const char *client_keys;             /* directory of remote clients' certificates, or NULL */
    uint64_t store_bytes_max;            /* UINT64_MAX: the disk is the limit */
    uint64_t state_bytes_max;
    bool relaxed;
    struct node_peer_options peers;
};

typedef struct node node_t;

/* Starts a node: what it returns has opened its data and serves clients. The
 * options' texts are borrowed until node_stop. Errors as store_open and client_router_new. */
MUST_USE int node_start(const struct node_options *options, node_t **node, struct reason *why);

/* Stops it. What was acknowledged stays; what is under work gets no answer. */
void node_stop(node_t **self);

/* Borrowed until node_stop. */
const char *node_id(const node_t *self);
const char *node_client_endpoints(const node_t *self);
const char *node_peer_endpoint(const node_t *self);     /* HOST:PORT; "none" without inbound */
const char *node_client_public_key(const node_t *self); /* CURVE; NULL without remote clients */

#endif
