/* heard: the EDITs of peers that this node heard lately, and what became of each. Made twice an
 * edit counts twice, so one that is asked again, since the connection that it went over ended as
 * the duplicate of another, is made only when it is known not to have been heard
 * (docs/decisions/0032-asked-again.md). A ring: past EDITS_HEARD_MAX the oldest is forgotten. Pure.
 */
#ifndef WEIR_ACTORS_HEARD_H
#define WEIR_ACTORS_HEARD_H

#include "proto/ring.h"
#include "store/store.h"

struct heard_edit {
    place_t asker;  /* of its node */
    uint64_t tx;    /* the asker's, never the same again, nor after a restart of the asker */
    uint64_t relay; /* of ours: the row that works on it */
    uint64_t heard_ms;
    struct fingerprint after; /* once it is done */
    int code;
    bool done, changed;
};

struct heard {
    struct heard_edit *edits; /* owned; NULL before the first */
    size_t count;             /* ever, or until it was emptied */
    uint64_t since_ms;        /* what was heard from then on is known */
    bool forgot;              /* that is not all of this run any more */
};

void heard_init(struct heard *self, uint64_t since_ms);
void heard_free(struct heard *self);

/* Notes one that is heard now. Returns its number; 0 without memory: then none is known any more.
 */
uint64_t heard_note(struct heard *self, place_t asker, uint64_t tx, uint64_t relay,
                    uint64_t now_ms);

/* It is done; nothing if it is not known any more. change may be NULL. */
void heard_done(struct heard *self, uint64_t number, int code, const struct store_change *change);

/* One that was heard; NULL: it was not, or is forgotten. */
const struct heard_edit *heard_find(const struct heard *self, place_t asker, uint64_t tx);

/* Would one that was first asked so long ago, of this run if this_run, be known here if it had been
 * heard? */
bool heard_would_know(const struct heard *self, uint64_t ago_ms, bool this_run, uint64_t now_ms);

#endif
