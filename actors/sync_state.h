/* sync_state: what a sync_t is, for the files that make it up: sync.c (syncs that this node begins,
 * walks, time) and sync_answer.c (what peers send). */
#ifndef WEIR_ACTORS_SYNC_STATE_H
#define WEIR_ACTORS_SYNC_STATE_H

#include "actors/exchanges.h"
#include "actors/sync.h"

struct sync {
    struct exchanges table;
    struct mail waiting; /* orders, for a row to be free */
    uint64_t next_ms;    /* no later than the least deadline */
};

/* --- sync.c --- */

/* The peer has gone on with it: it has SYNC_TIMEOUT_MS again. */
void sync_heard(sync_t *self, struct exchange *row, struct now now);

/* The row goes; hosting is told; who waited for a row, or for this one to end, begins. */
void sync_end(sync_t *self, struct exchange *row, int code, const char *why, struct now now,
              struct outbox *out);

/* FILLED and STRAY. Without memory nothing is told: comparing fingerprints finds out as well, and a
 * stray change is told again. */
void sync_tell(enum message_kind kind, peer_t peer, const struct contract_key *key,
               struct outbox *out);

/* Hands the walk (given away; NULL: no memory) over the own state to storage. May end the row. */
void sync_start_walk(sync_t *self, struct exchange *row, sync_walk_t *read, struct now now,
                     struct outbox *out);

/* --- sync_answer.c --- */

/* Answers the peer's body, once all that it sent before is merged and there is room for the walk.
 * One walk a row: storage does not read a contract twice at once for one peer. May end the row. */
void sync_answer(sync_t *self, struct exchange *row, struct now now, struct outbox *out);

/* Answers those that waited for room, while there is some. */
void sync_go_on(sync_t *self, struct now now, struct outbox *out);

void sync_on_body(sync_t *self, struct peer_mail *mail, struct now now, struct outbox *out);
void sync_on_delta(sync_t *self, struct peer_mail *mail, struct outbox *out);
void sync_on_merged(sync_t *self, const struct request *merge, struct now now, struct outbox *out);

#endif
