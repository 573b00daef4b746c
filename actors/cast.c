#include "actors/cast.h"

#include "actors/checkpoint.h"
#include "actors/client_api.h"
#include "actors/hosting.h"
#include "actors/journal.h"
#include "actors/keeper.h"
#include "actors/operation.h"
#include "actors/subscribe.h"
#include "actors/sync.h"

#include <stdlib.h>

static void *make_client_api(struct cast *self, const struct cast_options *options)
{
    const struct client_api_options api = {.wire = options->client_wire,
                                           .state_bytes_max = options->state_bytes_max,
                                           .facts = options->facts,
                                           .started_ms = options->started_ms};
    (void)self;
    return client_api_new(&api);
}

/* Nobody can dial this node. */
static bool is_leaf(const struct cast_options *options)
{
    const char *address = options->connections.address;
    return !address || !*address;
}

static void *make_operation(struct cast *self, const struct cast_options *options)
{
    const struct operation_options operation = {.id = options->id,
                                                .networked = options->networked,
                                                .leaf = is_leaf(options),
                                                .life = get_u32(options->replica),
                                                .started_ms = options->started_ms};
    (void)self;
    return operation_new(&operation);
}

static void *make_subscribe(struct cast *self, const struct cast_options *options)
{
    (void)self;
    return subscribe_new(options->networked);
}

static void *make_hosting(struct cast *self, const struct cast_options *options)
{
    const struct hosting_options hosting = {
        .id = options->id, .networked = options->networked, .leaf = is_leaf(options)};
    (void)self;
    return hosting_new(&hosting);
}

static void *make_sync(struct cast *self, const struct cast_options *options)
{
    (void)self;
    (void)options;
    return sync_new();
}

static void *make_storage(struct cast *self, const struct cast_options *options)
{
    struct storage_options storage = {.store = options->store,
                                      .progress = &self->progress,
                                      .state_bytes_max = options->state_bytes_max,
                                      .relaxed = options->relaxed};
    memcpy(storage.replica, options->replica, sizeof storage.replica);
    return storage_new(&storage);
}

static void *make_journal(struct cast *self, const struct cast_options *options)
{
    (void)self;
    return journal_new(store_log(options->store), !options->relaxed);
}

static void *make_keeper(struct cast *self, const struct cast_options *options)
{
    return keeper_new(store_db(options->store), &self->progress, &self->stopping);
}

static void *make_connections(struct cast *self, const struct cast_options *options)
{
    struct connections_options connections = options->connections;
    (void)self;
    connections.id = options->id;
    connections.alone = !options->transport.wire;
    return connections_new(&connections);
}

static void *make_transport(struct cast *self, const struct cast_options *options)
{
    (void)self;
    return transport_new(&options->transport);
}

#define ENDING(type)                                                                               \
    static void end_##type(void *actor)                                                            \
    {                                                                                              \
        type##_t *self = (type##_t *)actor;                                                        \
        type##_destroy(&self);                                                                     \
    }
ENDING(client_api)
ENDING(operation)
ENDING(subscribe)
ENDING(hosting)
ENDING(sync)
ENDING(storage)
ENDING(journal)
ENDING(keeper)
ENDING(connections)
ENDING(transport)

/* In the order of making. */
static const struct part_row {
    const struct actor_spec *spec;
    void *(*make)(struct cast *self, const struct cast_options *options); /* NULL: no state */
    void (*end)(void *actor);
} parts[] = {
    {&client_api_spec, make_client_api, end_client_api},
    {&put_spec, make_operation, end_operation},
    {&get_spec, make_operation, end_operation},
    {&update_spec, make_operation, end_operation},
    {&subscribe_spec, make_subscribe, end_subscribe},
    {&hosting_spec, make_hosting, end_hosting},
    {&sync_spec, make_sync, end_sync},
    {&storage_spec, make_storage, end_storage},
    {&journal_spec, make_journal, end_journal},
    {&checkpoint_spec, NULL, NULL},
    {&keeper_spec, make_keeper, end_keeper},
    {&connections_spec, make_connections, end_connections},
    {&transport_spec, make_transport, end_transport},
};
enum { PARTS = sizeof parts / sizeof parts[0] };

int cast_make(struct cast *self, const struct cast_options *options, struct reason *why)
{
    for (size_t i = 0; i < PARTS; i++) {
        struct hosted *actor = &self->actors[parts[i].spec->id];
        if (parts[i].spec->id == ACTOR_transport && !options->transport.wire)
            continue;
        if (parts[i].make && !(actor->self = parts[i].make(self, options)))
            return fail(why, ERR_NO_MEMORY, "out of memory");
        actor->spec = parts[i].spec;
    }
    return 0;
}

void cast_free(struct cast *self)
{
    for (size_t i = PARTS; i-- > 0;) {
        struct hosted *actor = &self->actors[parts[i].spec->id];
        if (actor->self)
            parts[i].end(actor->self);
        *actor = (struct hosted){0};
    }
}
