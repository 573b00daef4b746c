/* small_node: storage, journal and checkpoint over a real store, and one actor more if a test adds
 * it, in one thread. What they send to actors that are not there is kept for the test. */
#ifndef SMALL_NODE_H
#define SMALL_NODE_H

#include "actors/storage.h"
#include "contracts/state.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct small_node {
    char dir[SCRATCH_PATH_MAX];
    store_t *store;
    struct progress progress;
    storage_t *storage;
    struct small_actor {
        const struct actor_spec *spec; /* NULL: mail for it is kept */
        void *self;
        bool paused;
        struct mail mail;
    } actors[ACTOR_COUNT];
    struct mail queue;
    struct outbox outbox;
    struct now now;
};

void small_node_open(struct small_node *self);
/* With these limits of the store and of one state. */
void small_node_open_limited(struct small_node *self, uint64_t store_bytes_max,
                             uint64_t state_bytes_max);
/* Hosts an actor that the test owns. */
void small_node_add(struct small_node *self, const struct actor_spec *spec, void *actor);
void small_node_close(struct small_node *self);

/* Sends as `from` would; nothing moves yet. */
void small_node_send(struct small_node *self, enum actor_id from, enum actor_id to,
                     enum message_kind kind, struct message *message);

/* One round: all mail that is there is handled, and each actor has one turn of its own. False:
 * nothing moved. */
bool small_node_step(struct small_node *self);
void small_node_run(struct small_node *self);
void small_node_advance_ms(struct small_node *self, uint64_t ms);
void small_node_pause(struct small_node *self, enum actor_id actor, bool paused);

/* The next message for an actor that is not there, which must be of this kind; the test's. */
struct message *small_node_take(struct small_node *self, enum actor_id actor,
                                enum message_kind kind);

/* PUTs a delta, durably, as a peer's when origin is set. */
void small_node_put(struct small_node *self, const struct contract *contract, struct slice delta,
                    peer_t origin);
/* The same with fields "f000000" and so on of a map, count of them from there on, each with a value
 * of so many zero bytes. */
void small_node_put_fields(struct small_node *self, const struct contract *map, unsigned from,
                           unsigned count, size_t bytes);

/* The fingerprint of what it has, as ABOUT tells it. */
struct fingerprint small_node_fingerprint(struct small_node *self, const struct contract_key *key);

/* Is the contract here? */
bool small_node_has(struct small_node *self, const struct contract_key *key);

#endif
