/* stage: the actors of one node (actors/cast.h) in one thread, on a clock that is set from outside,
 * over a real store. Messages are handled in the order in which they were sent, until nothing
 * moves. Unit tests (host.h) and the simulator (tests/sim/) stand on it.
 *
 * Between actors of different workers a message may be made to take time, as it does between
 * threads: then, too, what goes to one worker arrives in the order in which it was sent. */
#ifndef WEIR_TESTS_STAGE_H
#define WEIR_TESTS_STAGE_H

#include "actors/cast.h"

typedef struct stage stage_t;

struct stage_options {
    struct cast_options cast;   /* its store is opened here: leave it NULL */
    const char *dir;            /* of the store; stays when the stage goes */
    uint64_t map_bytes;         /* of LMDB at first; 0: as a node has it */
    uint64_t log_segment_bytes; /* 0: as a node has it */
    int64_t clock_ms, wall_ms;  /* this node's clocks when `us` is 0 */
    void *watcher;              /* for both of these, each may be NULL: */
    /* Called with each message before it is handled. */
    void (*watch)(void *watcher, struct message *message);
    /* How long what one worker now sends to another is on its way. */
    uint64_t (*delay_us)(void *watcher, enum worker_id to);
};

/* Opens the store and makes the actors. The errors of store_open. */
MUST_USE int stage_new(const struct stage_options *options, uint64_t us, stage_t **stage,
                       struct reason *why);

/* As a kill does: what is on its way between the actors is lost, what the journal wrote stays. */
void stage_destroy(stage_t **self);

/* Delivers until nothing moves at this time, paused actors' mail aside. */
void stage_run(stage_t *self, uint64_t us);

/* When it wants to be run next without anything coming from outside; NEVER. */
uint64_t stage_wake_us(const stage_t *self);

/* Nothing is handled any more, from the running handler's return on: the process is no more. */
void stage_halt(stage_t *self);

/* Each turn of a worker handles one message and takes so long; what comes meanwhile waits. 0: all
 * that is there, in no time (the default). */
void stage_slow(stage_t *self, enum worker_id worker, uint64_t us);

/* The wall clock is set: to this when `us` was 0. */
void stage_set_wall(stage_t *self, int64_t wall_ms);

/* A message as an actor of this stage would send it; it is given away. Run the stage then. */
void stage_send(stage_t *self, enum actor_id from, enum actor_id to, enum message_kind kind,
                struct message *message);

void stage_pause(stage_t *self, enum actor_id actor, bool paused);
size_t stage_waiting(const stage_t *self, enum actor_id actor); /* messages of a paused actor */

store_t *stage_store(const stage_t *self);
struct now stage_now(const stage_t *self);
uint64_t stage_handled(const stage_t *self); /* messages, in all */

#endif
