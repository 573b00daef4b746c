#include "actors/node.h"

#include "actors/checkpoint.h"
#include "actors/client_api.h"
#include "actors/client_router.h"
#include "actors/identity.h"
#include "actors/journal.h"
#include "actors/keeper.h"
#include "actors/operation.h"
#include "actors/runner.h"
#include "actors/storage.h"
#include "actors/subscribe.h"
#include "base/trace.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENDPOINTS_MAX = 32, SOCKET_PATH_MAX = 107 /* sun_path */ };

struct node {
    struct identity identity;
    store_t *store;
    client_router_t *router;
    client_api_t *client_api;
    operation_t *put, *get, *update;
    subscribe_t *subscribe;
    storage_t *storage;
    journal_t *journal;
    keeper_t *keeper;
    struct progress progress;
    atomic_bool stopping;
    runner_t *runner;
};

/* A directory with other things in it is somebody else's: nothing of ours is strewn there. */
static int check_data_dir(const char *path, struct reason *why)
{
    char format[4200];
    DIR *dir = opendir(path);
    bool empty = true;
    if (!dir)
        return 0; /* made by the store, or refused there */
    for (struct dirent *e = readdir(dir); e && empty; e = readdir(dir))
        empty = e->d_name[0] == '.' || strcmp(e->d_name, "lost+found") == 0;
    closedir(dir);
    (void)snprintf(format, sizeof format, "%s/format", path);
    if (empty || access(format, F_OK) == 0)
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
    if (stats.damaged)
        trace(TRACE_error, "%llu log records are damaged and were passed over; run `weir check`",
              (unsigned long long)stats.damaged);
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

static bool make_actors(node_t *self, const struct node_options *options)
{
    struct client_api_options api = {.wire = client_router_wire(self->router),
                                     .state_bytes_max = options->state_bytes_max,
                                     .node_id = self->identity.id,
                                     .started_ms = runner_now().ms};
    struct storage_options storage = {.store = self->store,
                                      .progress = &self->progress,
                                      .state_bytes_max = options->state_bytes_max,
                                      .relaxed = options->relaxed};
    randombytes_buf(storage.replica, sizeof storage.replica); /* lesson M7 */
    self->client_api = client_api_new(&api);
    self->put = operation_new();
    self->get = operation_new();
    self->update = operation_new();
    self->subscribe = subscribe_new(false);
    self->storage = storage_new(&storage);
    self->journal = journal_new(store_log(self->store), !options->relaxed);
    self->keeper = keeper_new(store_db(self->store), &self->progress, &self->stopping);
    return self->client_api && self->put && self->get && self->update && self->subscribe &&
           self->storage && self->journal && self->keeper;
}

static bool start_runner(node_t *self)
{
    const struct hosted hosted[ACTOR_COUNT] = {
        [ACTOR_client_api] = {&client_api_spec, self->client_api},
        [ACTOR_put] = {&put_spec, self->put},
        [ACTOR_get] = {&get_spec, self->get},
        [ACTOR_update] = {&update_spec, self->update},
        [ACTOR_subscribe] = {&subscribe_spec, self->subscribe},
        [ACTOR_storage] = {&storage_spec, self->storage},
        [ACTOR_journal] = {&journal_spec, self->journal},
        [ACTOR_checkpoint] = {&checkpoint_spec, NULL},
        [ACTOR_keeper] = {&keeper_spec, self->keeper},
    };
    self->runner = runner_start(hosted);
    return self->runner != NULL;
}

int node_start(const struct node_options *options, node_t **node, struct reason *why)
{
    node_t *self = (node_t *)calloc(1, sizeof *self);
    if (!self || sodium_init() < 0) {
        free(self);
        return fail(why, ERR_NO_MEMORY, "out of memory");
    }
    struct serving serving = {.endpoints = {NULL}};
    int rc = list_endpoints(&serving, options, why);
    if (rc == 0)
        rc = open_store(self, options, why);
    if (rc == 0)
        rc = identity_load(options->data_dir, &self->identity, why);
    if (rc == 0)
        rc = client_router_new(&serving.options, &self->router, why);
    if (rc == 0 && !(make_actors(self, options) && start_runner(self)))
        rc = fail(why, ERR_NO_MEMORY, "the node's threads could not be started");
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
    atomic_store(&self->stopping, true);
    runner_stop(&self->runner);
    keeper_destroy(&self->keeper);
    journal_destroy(&self->journal);
    storage_destroy(&self->storage);
    subscribe_destroy(&self->subscribe);
    operation_destroy(&self->update);
    operation_destroy(&self->get);
    operation_destroy(&self->put);
    client_api_destroy(&self->client_api);
    client_router_destroy(&self->router);
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

const char *node_client_public_key(const node_t *self)
{
    return client_router_public_key(self->router);
}
