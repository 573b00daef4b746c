/* host: all actors of a node in one thread, on a clock that the test sets, with a client wire that
 * the test is the far side of. Messages are delivered in order until nothing moves; an actor can be
 * paused, so that a test sees what happens before its answer. The store is a real one in a fresh
 * directory. */
#ifndef WEIR_TESTS_HOST_H
#define WEIR_TESTS_HOST_H

#include "actors/actor.h"

typedef struct host host_t;

host_t *host_new(bool relaxed);
void host_destroy(host_t **self);

/* Delivers until nothing moves, paused actors' mail aside. */
void host_run(host_t *self);
void host_pause(host_t *self, enum actor_id actor, bool paused);
void host_advance_ms(host_t *self, uint64_t ms);              /* moves the clock, then runs */
size_t host_waiting(const host_t *self, enum actor_id actor); /* messages of a paused actor */

/* The journal's next flush fails (with ERR_IO). */
void host_break_log(host_t *self);

/* A client's request: "c1" asks with frames given as slices, ended by one with data NULL. The id is
 * `id`. Queued; host_run takes it. */
void host_ask(host_t *self, const char *client, const char *id, const char *verb, ...);
void host_ask_frames(host_t *self, const char *client, const struct slice *frames, size_t count);

/* A client that asks once, without arguments, and is not looked at again: what it was answered is
 * dropped. */
void host_visit(host_t *self, const char *client, const char *verb);

/* How many requests the node has not taken off the wire. */
size_t host_untaken(const host_t *self);

/* A client that takes at most `queue` messages and reads none (SIZE_MAX: reads all, the default).
 */
void host_stop_reading(host_t *self, const char *client, size_t queue);
void host_hang_up(host_t *self, const char *client); /* sends to it fail as to one that is gone */

/* The next message that was sent to the client: its frames, borrowed until the next call for any
 * client; 0 when none. */
size_t host_take(host_t *self, const char *client, const struct slice **frames);

/* Takes the next message, which must be the reply to `id` with this word (OK or a code); returns
 * the fields. */
size_t host_expect(host_t *self, const char *client, const char *id, const char *word,
                   const struct slice **fields);

/* The canonical parameters with this name, static until the next call. */
struct slice host_params(const char *name);

#endif
