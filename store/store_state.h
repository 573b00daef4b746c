/* store_state: what a store_t is, for the files of this room that make it up.
 *
 *   open.c     opening, replay, closing    layers.c  one view of live, frozen and LMDB
 *   store.c    finding, figures, room      read.c    states and ranges
 *   changes.c  merge, edit                 list.c    contracts in key order
 *   drop.c     a contract goes             freeze.c  freezing and thawing the overlay
 *   marks.c    contracts that are damaged  repair.c  a new file of LMDB from a damaged one
 *   note.c     what a clean stop left
 *   replay.c   the log's records again     fold*.c   what is frozen goes into LMDB */
#ifndef WEIR_STORE_STORE_STATE_H
#define WEIR_STORE_STORE_STATE_H

#include "store/db.h"
#include "store/log.h"
#include "store/marks.h"
#include "store/overlay.h"
#include "store/scan.h"

/* A contract as the three layers show it: what lies above hides what lies below. */
struct layers {
    struct store *store;
    struct contract_key key;
    struct overlay_contract *live, *frozen; /* NULL: the layer does not have it */
    bool stored;                            /* LMDB may have entries of it */
    bool gone;                              /* it was dropped: there is no such contract */
    uint64_t count;                         /* entries in all */
    struct reason why;                      /* of the last failure of LMDB */
};

/* How far a fold has come: contracts before that one are done, and of that one the entries before
 * `entry` (NULL: it is not begun). */
struct fold_place {
    size_t contract;
    const struct overlay_entry *entry;
};

/* Lent out between freeze and thaw; after a thaw that is done it only owns the overlay. */
struct fold {
    struct db *db;
    struct overlay *overlay;
    uint64_t seq; /* the last at the freeze */
    bool map_full;
    struct overlay_contract **order; /* its contracts in table order … */
    struct fold_place next; /* … of which those before are committed, also by a try before */
    size_t rows;
    struct marks marks; /* as LMDB is to have them, if they changed */
    char *trim_path;    /* of the map whose pages fold_destroy gives back; NULL: it does not */
};

struct store {
    struct store_options options;
    int lock;
    struct db *db;
    log_t *log;
    struct db_reader reader;

    struct overlay *live;
    struct fold *fold;        /* the frozen overlay; NULL: none */
    bool lent;                /* … is with the checkpoint thread */
    bool map_held;            /* store_hold_map */
    unsigned folds_untrimmed; /* since one gave memory back */
    size_t jobs;              /* reads that hold a snapshot */

    uint64_t last_seq, folded_seq;
    uint64_t contracts, entries;
    uint64_t used_bytes; /* LMDB's, as of the last fold */
    uint64_t replayed, damaged, unnamed;

    uint64_t disk_bytes;    /* free at the last look … */
    uint64_t disk_asked_at; /* … when this much had been merged */
    uint64_t merged_bytes;  /* of records, ever */
    uint64_t log_bytes;     /* of the log's segments that are not folded, at the last look */

    struct marks marks;     /* contracts that lack what damage took */
    struct reason repaired; /* why LMDB's file was repaired at the start; "" */

    struct held found; /* the last contract found in LMDB alone */
    bool found_valid;
    struct layers view; /* of store_reader, merge and edit */
    struct merge merge;
    struct buffer delta, edit;

    struct overlay_contract **list; /* for store_next: the overlays' contracts in key order */
    size_t list_count;
    bool list_valid;
};

/* store_open with another size of the map at first. */
MUST_USE int store_open_mapped(const struct store_options *options, uint64_t map_bytes,
                               store_t **store, struct reason *why);

/* A store on an open LMDB, without a log: merges replayed records and folds them. Takes db over. */
MUST_USE int store_begin(struct db *db, const struct store_options *options, store_t **store,
                         struct reason *why);

/* Does the log's records again, those that are not folded, in their order. One that cannot be done
 * is counted as damaged and is not fatal. The scan keeps its records and is sorted. */
MUST_USE int store_replay(store_t *self, const struct scan *scan, struct reason *why);

/* A record of a change, and of a drop. ERR_DAMAGED when it cannot be done. */
MUST_USE int store_replay_merge(store_t *self, const struct log_record *record, struct reason *why);
MUST_USE int store_replay_drop(store_t *self, const struct log_record *record, struct reason *why);

/* Folds all there is, now, on this thread. Nothing may be lent. */
MUST_USE int store_fold_now(store_t *self, struct fold_result *result, struct reason *why);

static inline struct overlay *store_frozen(const store_t *self)
{
    return self->fold ? self->fold->overlay : NULL;
}

/* Must a change wait for the fold? Looks at the log, which store_check_room does not do again. */
bool store_must_wait(store_t *self);

/* A change of that size must leave room for the fold of all that waits for it. One that shrinks its
 * state is how clients make room: the store's limit does not refuse it. After store_must_wait.
 * ERR_STORE_FULL. */
MUST_USE int store_check_room(store_t *self, size_t bytes, bool shrinks, struct reason *why);

/* --- layers --- */

/* Looks the contract up in the overlays; `stored` when LMDB's snapshot may have it as well. */
void layers_open(struct layers *self, store_t *store, const struct contract_key *key);

/* Its header in the uppermost overlay that has it, or NULL. */
const struct held *layers_held(const struct layers *self);

/* The same, or else from LMDB; borrowed until another is looked for. ERR_NOT_FOUND (without a
 * sentence), ERR_DENIED for one whose key begins like another's, ERR_DAMAGED, ERR_IO. */
MUST_USE int layers_find(const struct layers *self, const struct held **held, struct reason *why);

/* What contract_merge, contract_check and kinds see. Borrows self. */
struct state_reader layers_reader(struct layers *self);

#endif
