#include "actors/node.h"

#include "actors/cast.h"
#include "actors/client_router.h"
#include "actors/descriptors.h"
#include "actors/identity.h"
#include "actors/node_peers.h"
#include "base/trace.h"
#include "store/files.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENDPOINTS_MAX = 32, SOCKET_PATH_MAX = 107 /* sun_path */ };

struct node {
    struct identity identity;
    struct descriptor_shares shares;
    store_t *store;
    client_router_t *router;
    struct node_peers peers;
    struct cast cast;
    runner_t *runner;
};

/* A directory with other things in it is somebody else's: nothing of ours is strewn there. What a
 * first start left that was cut short is ours. */
static int check_data_dir(const char *path, struct reason *why)
{
    char format[4200];
    DIR *dir = opendir(path);
    bool ours = true;
    if (!dir)
        return 0; /* made by the store, or refused there */
    for (struct dirent *e = readdir(dir); e && ours; e = readdir(dir))
        ours = e->d_name[0] == '.' || strcmp(e->d_name, "lost+found") == 0 ||
               is_of_first_start(e->d_name);
    closedir(dir);
    (void)snprintf(format, sizeof format, "%s/format", path);
    if (ours || access(format, F_OK) == 0)
        return 0;
    return fail(why, ERR_DENIED,
                "%s holds other files and no weir data; choose an empty or a new directory", path);
}

static int open_store(node_t *self, const struct node_options *options, struct reason *why)
{
    struct store_options store = {.data_dir = options->data_dir,
                                  .store_bytes_max = options->store_bytes_max,
                                  .state_bytes_max = options->state_bytes_max};
    struct store_stats stats;
    int rc = check_data_dir(options->data_dir, why);
    if (rc == 0)
        rc = store_open(&store, &self->store, why);
    if (rc)
        return rc;
    store_stats(self->store, &stats);
    trace(TRACE_info, "%llu contracts with %llu entries, %llu log records merged again",
          (unsigned long long)stats.contracts, (unsigned long long)stats.entries,
          (unsigned long long)stats.replayed);
    if (*store_repaired(self->store))
        trace(TRACE_error, "the data was damaged and is repaired: %s", store_repaired(self->store));
    if (stats.marked)
        trace(TRACE_error,
              "%llu contracts lost a part of their data to damage and wait for peers that have it; "
              "`weir check` names them",
              (unsigned long long)stats.marked);
    if (stats.damaged)
        trace(TRACE_error, "%llu log records are damaged and were passed over; run `weir check`",
              (unsigned long long)stats.damaged);
    if (stats.unnamed)
        trace(TRACE_error,
              "%llu more broken log records than were looked at: contracts that nothing names may "
              "lack changes; restore a backup, or let peers fill them in",
              (unsigned long long)stats.unnamed);
    return 0;
}

/* Where clients are served: the options' endpoints and a socket in the data directory. */
struct serving {
    char ipc[4200];
    const char *endpoints[ENDPOINTS_MAX + 2];
    struct client_router_options options;
};

static int list_endpoints(struct serving *self, const struct node_options *options,
                          struct reason *why)
{
    size_t count = 0;
    int size = snprintf(self->ipc, sizeof self->ipc, "ipc://%s/weir.sock", options->data_dir);
    if (size - 6 < SOCKET_PATH_MAX)
        self->endpoints[count++] = self->ipc;
    else
        trace(TRACE_warn, "no socket in %s: its path is too long for one", options->data_dir);
    for (const char *const *e = options->client_endpoints; *e; e++) {
        if (count > ENDPOINTS_MAX)
            return fail(why, ERR_TOO_LARGE, "at most %d --client endpoints", ENDPOINTS_MAX);
        self->endpoints[count++] = *e;
    }
    self->options = (struct client_router_options){.endpoints = self->endpoints,
                                                   .data_dir = options->data_dir,
                                                   .client_keys = options->client_keys,
                                                   .state_bytes_max = options->state_bytes_max};
    return client_router_check(&self->options, why);
}

static int start_actors(node_t *self, const struct node_options *options, struct reason *why)
{
    struct cast_options cast = {.store = self->store,
                                .client_wire = client_router_wire(self->router),
                                .state_bytes_max = options->state_bytes_max,
                                .started_ms = runner_now().ms,
                                .relaxed = options->relaxed};
    randombytes_buf(cast.replica, sizeof cast.replica); /* lesson M7 */
    node_peers_cast(&self->peers, &options->peers, &self->identity, &cast);
    cast.transport.connections_max = self->shares.peers;
    int rc = cast_make(&self->cast, &cast, why);
    if (rc)
        return rc;
    self->runner = runner_start(self->cast.actors);
    return self->runner ? 0 : fail(why, ERR_NO_MEMORY, "the node's threads could not be started");
}

int node_start(const struct node_options *options, node_t **node, struct reason *why)
{
    node_t *self = (node_t *)calloc(1, sizeof *self);
    if (!self || sodium_init() < 0) {
        free(self);
        return fail(why, ERR_NO_MEMORY, "out of memory");
    }
    struct serving serving = {.endpoints = {NULL}};
    int rc = descriptors_share(&self->shares, why);
    if (rc == 0)
        rc = list_endpoints(&serving, options, why);
    if (rc == 0)
        rc = node_peers_check(&self->peers, &options->peers, why);
    if (rc == 0)
        rc = open_store(self, options, why);
    if (rc == 0)
        rc = identity_load(options->data_dir, &self->identity, why);
    if (rc == 0)
        rc = node_peers_open(&self->peers, &options->peers, options->data_dir, why);
    serving.options.connections_max = self->shares.clients;
    if (rc == 0)
        rc = client_router_new(&serving.options, &self->router, why);
    if (rc == 0)
        rc = start_actors(self, options, why);
    if (rc) {
        node_stop(&self);
        return rc;
    }
    *node = self;
    return 0;
}

/* Threads first; then what they used, the other way round than it was made. */
void node_stop(node_t **pointer)
{
    node_t *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    atomic_store(&self->cast.stopping, true);
    runner_stop(&self->runner);
    cast_free(&self->cast);
    client_router_destroy(&self->router);
    node_peers_close(&self->peers);
    store_close(&self->store);
    identity_wipe(&self->identity);
    free(self);
}

const char *node_id(const node_t *self)
{
    return self->identity.id;
}

const char *node_client_endpoints(const node_t *self)
{
    return client_router_bound(self->router);
}

const char *node_peer_endpoint(const node_t *self)
{
    return self->peers.bound;
}

const char *node_client_public_key(const node_t *self)
{
    return client_router_public_key(self->router);
}
