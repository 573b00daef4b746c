/* runner: gives actors their threads and inboxes. The only loop of the node.
 *
 * A *worker* is a thread (a zactor) with one inbox (an inproc PULL socket) for the actors placed on
 * it. A message to an actor of the same worker goes through the worker's own queue; messages to
 * another worker are chained during a turn and leave as one frame that carries a pointer (ownership
 * goes along). Nothing inside can overflow, since work is admitted at the edges (design.md §2), so
 * inproc queues have no high-water mark and nobody blocks on anybody's inbox.
 *
 *   a turn: take the mail · pump the edge · handle until the queue is empty · ticks that are
 * due · turn_end of each actor · send the chains
 *
 * A worker with nothing to do blocks at once: polling on for a while was measured and cost more
 * than it brought (docs/decisions/0010-no-polling-on.md). */
#ifndef WEIR_ACTORS_RUNNER_H
#define WEIR_ACTORS_RUNNER_H

#include "actors/actor.h"

typedef struct runner runner_t;

/* Which actor runs on which worker. */
#define WORKERS(W) W(front) W(net) W(journal) W(checkpoint) W(keeper)
enum worker_id {
#define W(worker) WORKER_##worker,
    WORKERS(W)
#undef W
        WORKER_COUNT
};
extern const enum worker_id placement[ACTOR_COUNT];

/* One actor to host: its functions and its state, borrowed. */
struct hosted {
    const struct actor_spec *spec;
    void *self;
};

/* An actor without a spec is left out; nothing may be sent to it. Starts all workers; returns when
 * they run. NULL when a thread could not be made. */
runner_t *runner_start(const struct hosted hosted[ACTOR_COUNT]);

/* Stops them in order (front first, so that nothing new comes), frees the mail on its way. The
 * actors are the caller's to destroy then. */
void runner_stop(runner_t **self);

/* The runner's clock. */
struct now runner_now(void);

#endif
