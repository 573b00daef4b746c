/* storage: owns the current state of every contract (store/store.h): merges, answers reads, and
 * never waits for a disk. Answers leave when the record they rest on is flushed (design.md §2).
 *
 *   MERGE → store_merge → record into this turn's APPEND → FLUSHED(seq) → MERGED, CHANGED
 *   READ  → store_read  → at once, or after the flush of what was read → READ_DONE
 *
 * Work that is large (a state of many MiB) is a job, done in slices between other messages.
 *
 * This header is for storage's own files, the node and tests. */
#ifndef WEIR_ACTORS_STORAGE_H
#define WEIR_ACTORS_STORAGE_H

#include "actors/actor.h"

#include <stdatomic.h>

/* How far a backup or check is: written by keeper, read by storage. */
struct progress {
    atomic_ullong done, all;
};

struct storage_options {
    store_t *store;            /* borrowed */
    struct progress *progress; /* borrowed, shared with keeper */
    uint64_t state_bytes_max;
    bool relaxed;                   /* answer before the flush */
    uint8_t replica[REPLICA_BYTES]; /* fresh at this start (lesson M7) */
};

typedef struct storage storage_t;
storage_t *storage_new(const struct storage_options *options);
void storage_destroy(storage_t **self);
extern const struct actor_spec storage_spec;

/* --- between storage's files:
 *
 *   storage.c          the actor; what an answer waits for
 *   storage_merges.c   MERGE, DROP             storage_jobs.c          what is large, in slices
 *   storage_reads.c    READ                    storage_large_merges.c  a large merge's slices
 *   storage_peers.c    ABOUT, HOLDINGS, WALK    storage_durable.c       FLUSHED, folds
 *   storage_asks.c     ASK, WORK               storage_kept.c          the last large state read
 *   storage_watched.c  WATCH
 */

struct job;
struct watched_key;

struct storage {
    struct storage_options options;
    uint64_t last_seq, flushed_seq; /* of records made; of records known to be durable */
    struct append *batch;           /* records of this turn; NULL or empty: none */
    struct changed *changed;        /* the next one that is told; NULL: not made yet */
    struct mail for_flush;          /* CHANGED and MERGE, in order of their seq */
    struct mail reads_for_flush;    /* READ that saw unflushed records */
    struct mail reads_for_room;     /* large READs while others' replies fill the memory for them */
    uint64_t room_at_ms;            /* when they try again */
    struct mail for_fold;           /* MERGE, DROP that found the overlay full */
    struct mail walks;              /* WALK, in rotation … */
    struct mail walks_waiting;      /* … and those beyond WALKS_MAX */
    struct mail walks_for_flush;    /* WALK that saw unflushed records */
    struct job *jobs, **jobs_end;
    uint64_t jobs_made;
    size_t jobs_count, reads; /* reads: the jobs that read */
    struct reading kept;      /* the last large state read; bytes NULL: none … */
    struct contract_key kept_key;
    uint64_t kept_until_ms; /* … until then, if nobody asks for it again; NEVER: none */
    struct watched_key *watched;
    size_t watched_count;
    struct mail watches_waiting; /* WATCHes for which there was no memory */
    bool fold_out, disposing;    /* the checkpoint has a fold to write; to free */
    bool map_short;              /* the map is to be grown: no new large reads, which hold it */
    size_t lists;                /* jobs that list contracts */
    uint64_t fold_at_ms;         /* NEVER: nothing to fold */
    int fold_code;               /* of the last fold */
    struct reason fold_why;
    uint64_t log_bytes;
    int fault; /* the log failed: nothing is acknowledged any more */
    struct reason fault_why;
    uint64_t tell_full_at_ms; /* not told before that the store is full */
    const char *work;         /* keeper's, under way */
};

/* Sends the request back to who asked, with a code; with the fault's. */
void storage_answer(struct request *request, int code, struct outbox *out);
void storage_answer_fault(const storage_t *self, struct request *request, struct outbox *out);

/* Before the store is changed: all that storage_took needs is there, since a change that could not
 * be logged and told could not be taken back either. ERR_INTERNAL without memory. */
MUST_USE int storage_make_ready(storage_t *self, struct reason *why);

/* Takes what a merge did, behind storage_make_ready: its record goes to the log; a watched
 * contract's change waits for the flush. */
void storage_took(storage_t *self, const struct request *request, struct store_change *change,
                  struct now now);

/* A merge is done: the request waits for seq to be flushed, or is answered. */
void storage_merged(storage_t *self, struct request *request, struct outbox *out);

/* A read is done: the same. */
void storage_read_done(storage_t *self, struct request *request, struct outbox *out);

/* A MERGE or DROP, now or behind those that wait for room. */
void storage_merge(storage_t *self, struct request *request, struct now now, struct outbox *out);

/* A READ; and those that waited for room try again, in their order. */
void storage_read(storage_t *self, struct request *request, struct now now, struct outbox *out);
void storage_retry_reads(storage_t *self, struct now now, struct outbox *out);

/* ASK; WORK, which goes on to keeper, and WORKED. */
void storage_ask(storage_t *self, struct request *request, struct outbox *out);
void storage_work(storage_t *self, struct request *request, struct outbox *out);
void storage_worked(storage_t *self, struct request *request, struct outbox *out);

/* WATCH; is this contract watched? */
void storage_watch(storage_t *self, struct watch *watch); /* given away */
bool storage_is_watched(storage_t *self, const struct contract_key *key);
void storage_forget_watched(storage_t *self);

/* May anyone be told of this record? */
bool storage_is_durable(const storage_t *self, uint64_t seq);

/* storage_durable.c: FLUSHED; FOLDED (given away again); is it time to fold? */
void storage_flushed(storage_t *self, const struct flushed *flushed, struct outbox *out);
void storage_folded(storage_t *self, struct folding *folded, struct now now, struct outbox *out);
void storage_fold_if_due(storage_t *self, struct now now, struct outbox *out);

/* Begins a job for a merge that is too large for one go. */
void storage_job_merge(storage_t *self, struct request *request, struct outbox *out);
void storage_job_read(storage_t *self, struct request *request, read_job_t *read,
                      struct outbox *out);
void storage_job_list(storage_t *self, struct request *request, struct outbox *out);

/* Is there a job that merges into this contract? */
bool storage_jobs_merge(const storage_t *self, const struct contract_key *key);

/* One slice of the first job that can go on. */
void storage_jobs_step(storage_t *self, struct now now, struct outbox *out);
/* The fold made room: blocked jobs may go on. */
void storage_jobs_unblock(storage_t *self);
/* Is there a job that can go on now? */
bool storage_jobs_ready(const storage_t *self);
void storage_jobs_free(storage_t *self);

/* storage_kept.c: keeps what a large READ brought; answers a READ from it (true: reading is filled)
 * when the contract still has that state; lets it go. */
void storage_keep(storage_t *self, const struct request *request, struct now now);
bool storage_read_kept(storage_t *self, struct request *request, struct now now);
void storage_forget_kept(storage_t *self);

/* storage_peers.c: ABOUT, HEALED, HOLDINGS, WALK. */
void storage_about(storage_t *self, struct request *request, struct outbox *out);
void storage_healed(storage_t *self, const struct watch *healed, struct now now);
void storage_holdings(storage_t *self, struct holdings *holdings, struct outbox *out);
void storage_walk(storage_t *self, struct walk *walk, struct outbox *out);

/* One slice of the next walk; after a flush: those that waited for it are answered. */
void storage_walks_step(storage_t *self, struct outbox *out);
void storage_walks_flushed(storage_t *self, struct outbox *out);

/* Kind, parameters, fingerprint and seq of a contract, without entries. ERR_NO_MEMORY. */
MUST_USE int storage_read_facts(const struct held *held, struct reading *reading);

/* Unsigned deltas are jobs from MERGE_SLICE_BYTES on, signed ones from this on: so many signatures.
 */
enum { STORAGE_SIGNED_SLICE_BYTES = SIGNATURES_A_SLICE * (ENTRY_OVERHEAD + WRITER_KEY_BYTES + 64) };

/* Must this delta be a job? */
bool storage_is_large(const struct contract *contract, struct slice delta);

#endif
