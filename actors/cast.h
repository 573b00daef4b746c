/* cast: which actors a node has. Makes them in order and destroys them the other way round; the
 * node puts them on workers (runner.h), tests host them in one thread. */
#ifndef WEIR_ACTORS_CAST_H
#define WEIR_ACTORS_CAST_H

#include "actors/client_wire.h"
#include "actors/connections.h"
#include "actors/report.h"
#include "actors/runner.h"
#include "actors/storage.h"
#include "actors/transport.h"

/* All pointers are borrowed and must outlive the cast. */
struct cast_options {
    store_t *store;
    const struct client_wire *client_wire;
    struct node_facts facts; /* for STATUS */
    struct node_id id;       /* that of facts, as bytes */
    uint64_t state_bytes_max;
    uint64_t started_ms;                    /* on the clock of now.ms */
    uint8_t replica[REPLICA_BYTES];         /* fresh at this start (lesson M7) */
    bool relaxed;                           /* answer before the flush */
    bool networked;                         /* this node knows of others */
    struct connections_options connections; /* its id: the one above */
    struct transport_options transport;     /* without a wire: this node has no transport */
};

/* Not to be moved once made. */
struct cast {
    struct hosted actors[ACTOR_COUNT]; /* without a spec: a node has no such actor */
    struct progress progress;
    atomic_bool stopping; /* set: long work ends soon */
};

/* Makes all of them; without memory those there are stay for cast_free (ERR_NO_MEMORY). */
MUST_USE int cast_make(struct cast *self, const struct cast_options *options, struct reason *why);

/* No message may be on its way to them any more. Zeroed is let be. */
void cast_free(struct cast *self);

#endif
