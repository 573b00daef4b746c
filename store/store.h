/* store: where merged states live. A log of changes first, LMDB behind it (design.md §2).
 *
 *            storage actor             journal actor              checkpoint actor
 *   merge →  live overlay  — record →  log: pwritev + fdatasync
 *               │ store_freeze                                     fold_run: one LMDB
 *            frozen overlay  ——————————— lent, read by both ————→  transaction, log position in it
 *               │ store_thaw           log_recycle  ←———————————   done
 *   read  =  live over frozen over LMDB snapshot
 *
 * Invariants: a record is in the log, synced, before anyone is told of it (the actors keep this, by
 * seq); LMDB's position P says that every record with seq <= P is folded; at open the records after
 * P are merged again, which is idempotent; what LMDB holds is never rewritten in place (default
 * flags).
 *
 * Types for threads: store_t (storage), log_t (journal), fold_t (checkpoint), db_t (checkpoint, and
 * keeper: db_check, db_backup).
 * A function belongs to the thread of its first argument; nothing here locks. */
#ifndef WEIR_STORE_STORE_H
#define WEIR_STORE_STORE_H

#include "base/blob.h"
#include "contracts/merge.h"

typedef struct store store_t;
typedef struct log log_t;
typedef struct db db_t;
typedef struct fold fold_t;

struct store_options {
    const char *data_dir;     /* made with mode 0700 when it is not there */
    uint64_t store_bytes_max; /* LMDB's used pages and the log; UINT64_MAX: the disk is the limit */
    uint64_t state_bytes_max; /* one contract */
    /* Of a file of the log: a multiple of LOG_ALIGN that the largest record fits into, at most
     * LOG_SEGMENT_BYTES, which is what 0 stands for. The simulator has many stores and small
     * changes. */
    uint64_t log_segment_bytes;
};

/* Opens or makes the data: takes the lock, checks the format, opens LMDB and the log, merges the
 * log's rest again. ERR_LOCKED, ERR_NEWER_FORMAT (nothing touched), ERR_DAMAGED, ERR_STORE_FULL,
 * ERR_IO, each with a sentence that names the file and what to do. */
MUST_USE int store_open(const struct store_options *options, store_t **store, struct reason *why);

/* Closes all three. No fold may be out. What is not folded stays in the log. */
void store_close(store_t **self);

/* The other threads' parts; borrowed, they live as long as the store. */
log_t *store_log(store_t *self);
db_t *store_db(store_t *self);

/* --- changes ----------------------------------------------------------------------------- */

/* What a merge did. `seq` must be flushed before anyone is told: of the record made, or, when
 * nothing changed, of the newest record of this contract that may be unflushed (0: none). */
struct store_change {
    struct fingerprint before, after;
    size_t changed; /* entries */
    bool created;   /* the contract was not known before */
    uint64_t seq;
    struct blob *record; /* for log_append: the caller's holder; NULL when nothing changed */
    struct slice delta;  /* the changed entries, canonical, inside record */
};

/* Merges delta (at most LOG_RECORD_BYTES_MAX / 2; larger ones come in pieces) into the contract.
 * `contract` must be initialised; with `create` an unknown contract is made (and recorded even with
 * an empty delta). ERR_NOT_FOUND; ERR_AGAIN when UNFOLDED_BYTES_MAX waits for the fold;
 * ERR_STORE_FULL; else as contract_merge. On an error nothing is changed and out is untouched. */
MUST_USE int store_merge(store_t *self, const struct contract *contract, bool create,
                         struct slice delta, struct store_change *out, struct reason *why);

/* EDIT: builds the delta from the state as it is now and merges it. ERR_DENIED for contracts with
 * listed writers; otherwise as kind_edit and store_merge. */
MUST_USE int store_edit(store_t *self, const struct contract_key *key, const struct editor *editor,
                        struct slice verb, const struct slice *operands, size_t count,
                        struct store_change *out, struct reason *why);

/* Removes a contract with all its entries, in one record of the log and at once for all who read;
 * LMDB's rows of it go with the next fold. A later store_merge with `create` makes it anew. *out:
 * `changed` is 0, `after` the empty state's. ERR_NOT_FOUND; ERR_AGAIN as store_merge. A full store
 * refuses no drop. */
MUST_USE int store_drop(store_t *self, const struct contract_key *key, struct store_change *out,
                        struct reason *why);

/* --- reads ------------------------------------------------------------------------------- */

/* What is known of a contract. Borrowed until the next store_* call. */
struct held {
    struct contract contract;
    struct summary summary;
    struct fingerprint fingerprint;
    uint64_t seq; /* newest record that touched it and may be unflushed; 0: none */
};

/* ERR_NOT_FOUND, ERR_DAMAGED, ERR_IO. */
MUST_USE int store_find(store_t *self, const struct contract_key *key, const struct held **held,
                        struct reason *why);

/* A view of the contract's entries for contract_check. Lives until the next store_merge,
 * store_edit, store_freeze or store_thaw. */
struct state_reader store_reader(store_t *self, const struct contract_key *key);

/* The contract after *after in key order (after NULL: the first). ERR_NOT_FOUND past the last. */
MUST_USE int store_next(store_t *self, const struct contract_key *after, const struct held **held,
                        struct reason *why);

/* A state or a range of it, read out. */
struct reading {
    const struct kind *kind;
    struct blob *bytes; /* the params, then the state's bytes; the caller's holder */
    size_t params_bytes;
    struct fingerprint fingerprint; /* of the whole state */
    /* Newest record among the entries read that may be unflushed; 0: none. Tell nobody before it is
     * flushed. Of the whole contract when the range is the whole. */
    uint64_t seq;
};

/* Reads the entries from first to last, both included (data NULL: open end). Small ones are done at
 * once (*job NULL, out filled). A large one becomes a job on its own snapshot: call read_step until
 * it is done. ERR_NOT_FOUND, ERR_DAMAGED (the entry is named), ERR_BUSY past READ_JOBS_MAX,
 * ERR_NO_MEMORY. */
typedef struct read_job read_job_t;
MUST_USE int store_read(store_t *self, const struct contract_key *key, struct slice first,
                        struct slice last, struct reading *out, read_job_t **job,
                        struct reason *why);

/* Goes on for about READ_SLICE_BYTES. ERR_AGAIN: call again; 0: out is filled; else an error. The
 * job is destroyed by read_job_destroy in every case. */
MUST_USE int read_step(read_job_t *self, struct reading *out, struct reason *why);
void read_job_destroy(read_job_t **self);

/* --- folding ----------------------------------------------------------------------------- */

size_t store_unfolded_bytes(const store_t *self); /* live and frozen */
bool store_foldable(const store_t *self);         /* something is live and no fold is out */

/* Turns the live overlay into a frozen one and lends it out until store_thaw. The map is grown here
 * when it could run short (no other transaction may run then; the store sees to it). NULL when not
 * foldable or when read jobs hold back a needed growth. */
fold_t *store_freeze(store_t *self);

struct fold_result {
    uint64_t seq;        /* all records up to it are folded: for log_recycle */
    uint64_t entries;    /* written */
    uint64_t used_bytes; /* LMDB's pages in use */
};

/* Checkpoint's: writes the fold into LMDB, in synced transactions of bounded size (LMDB keeps the
 * memory of the largest); each leaves whole contracts, and the position in the log moves with the
 * last. ERR_STORE_FULL, ERR_IO, ERR_AGAIN (the map was too small: thaw with done false, freeze
 * again); the position is as before then, and the next try goes on where this one ended. */
MUST_USE int fold_run(fold_t *self, struct fold_result *result, struct reason *why);

/* Takes the fold back. done: it is in LMDB, reads go there, the fold's memory is now the caller's
 * to fold_destroy (on another thread, it is long). Not done: it stays readable and counted, and the
 * next store_freeze lends the same one again. */
void store_thaw(store_t *self, fold_t *fold, bool done, const struct fold_result *result);
void fold_destroy(fold_t **self);

/* While held, store_freeze does not grow the map (db_check and db_backup read it on another
 * thread). */
void store_hold_map(store_t *self, bool held);

/* --- the log ----------------------------------------------------------------------------- */

/* Writes records in the order given, in one pwritev (aligned to LOG_ALIGN), and syncs. Records keep
 * their holders. ERR_STORE_FULL, ERR_NO_MEMORY: nothing was acknowledged; the same records are to
 * be appended again when there is room. ERR_IO: the log must not be used again (fsync's failure is
 * final). *log_bytes (may be NULL): bytes of the log in use. */
MUST_USE int log_append(log_t *self, struct blob *const *records, size_t count, bool sync,
                        uint64_t *log_bytes, struct reason *why);

/* Segments whose records all have seq <= folded are free again. */
void log_recycle(log_t *self, uint64_t folded);

/* Was there no room on the disk for the segment that comes next? Changes are refused meanwhile;
 * log_prepare tries again. From any thread. */
bool log_is_full(const log_t *self);

/* Makes one spare segment ready if there is none, a piece a call (a few ms: for idle moments). True
 * if it did; false when there is nothing left to do. */
bool log_prepare(log_t *self);

/* --- whole-store work, on the checkpoint thread or in a process of its own --------------- */

/* Called now and then with the bytes done and in all. Returning false stops the work (ERR_TIMEOUT).
 */
typedef bool(progress_fn)(void *self, uint64_t done, uint64_t all);

enum { CHECK_NAMED_MAX = 16 };
struct check_report {
    uint64_t contracts, entries, bytes, records; /* read and found whole */
    uint64_t damaged;                            /* found broken; the first is named in `first` */
    struct reason first;
    struct contract_key named[CHECK_NAMED_MAX]; /* the first contracts that are concerned; … */
    size_t named_count; /* … zeros stand for the half of a key that cannot be told */
};

/* Reads every record of LMDB and of the log, verifies checksums, counts and fingerprints. 0 also
 * when damage was found (see the report); an error when it could not look. */
MUST_USE int db_check(db_t *self, progress_fn *progress, void *progress_self,
                      struct check_report *report, struct reason *why);

/* The same for data that no node uses now. Takes the lock; writes nothing. */
MUST_USE int store_check_dir(const char *data_dir, progress_fn *progress, void *progress_self,
                             struct check_report *report, struct reason *why);

/* Copies everything acknowledged before the call into to_dir (made; must be empty or absent), as
 * data that a node can start on. ERR_IO, ERR_STORE_FULL. */
MUST_USE int db_backup(db_t *self, const char *to_dir, progress_fn *progress, void *progress_self,
                       uint64_t *bytes, struct reason *why);

/* --- damage ------------------------------------------------------------------------------ */

/* Did damage take a part of this contract, which no peer has given back yet? What is left can be
 * merged into, found, and walked for a sync; store_read and store_edit answer ERR_DAMAGED. */
bool store_is_damaged(const store_t *self, const struct contract_key *key);

/* ERR_DAMAGED, and the sentence that names it. */
int store_tell_damaged(const store_t *self, const struct contract_key *key, struct reason *why);

/* The i-th of them. False: there are no more. Half of a key is all that is left of some. */
bool store_damaged_at(const store_t *self, size_t i, struct contract_key *key, bool *half);

/* It has been made equal with a peer that has all of it. The next fold writes that down. */
void store_healed(store_t *self, const struct contract_key *key);

/* Why LMDB's file was repaired at this start; "": it was not. Lives as long as the store. */
const char *store_repaired(const store_t *self);

/* --- figures for status ------------------------------------------------------------------ */
struct store_stats {
    uint64_t contracts, entries;    /* known here */
    uint64_t used_bytes, map_bytes; /* LMDB */
    uint64_t bytes_max;             /* as opened with */
    uint64_t unfolded_bytes, log_segments;
    uint64_t folded_seq, last_seq;
    uint64_t replayed; /* records merged again at open */
    uint64_t damaged;  /* records found broken at open … */
    uint64_t unnamed;  /* … beyond those whose contracts were looked for */
    uint64_t marked;   /* contracts that lack what damage took */
};
void store_stats(const store_t *self, struct store_stats *stats);

/* --- records: the log's unit, shown for tests and docs ----------------------------------- */
#include "base/codec.h"
#define LOG_RECORD_FIELDS(F, M)                                                                    \
    F(M, u32, magic, 0, "0x77656972")                                                              \
    F(M, u32, size, 0, "bytes of the whole record, this header included")                          \
    F(M, u64, checksum, 0, "XXH3-64 of everything after this field, seeded with the salt")         \
    F(M, u64, seq, 0, "one more than the record before")                                           \
    F(M, u64, synced, 0, "highest seq known to be synced when this was made")                      \
    F(M, fixed, contract, CONTRACT_KEY_BYTES, "contract key")                                      \
    F(M, bytes, kind, KIND_NAME_BYTES_MAX, "kind; empty: an earlier record told; (drop): it goes") \
    F(M, bytes, params, PARAMS_BYTES_MAX, "its parameters")                                        \
    F(M, bytes, delta, LOG_RECORD_BYTES_MAX, "changed entries as a state; joins, so order-free")
CODEC_STRUCT(log_record, LOG_RECORD_FIELDS)

#endif
