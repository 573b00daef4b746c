/* scan: what the log's segments hold beyond LMDB's position, and what is missing from it.
 *
 * A flush that a crash cut short leaves records that do not verify: nobody was told of them, they
 * are no loss. Damage is told apart by later records: each carries the highest seq known to be
 * synced when it was made. A missing seq that a later record of the same run (start of the node)
 * counts as synced was acknowledged, and is lost. */
#ifndef WEIR_STORE_SCAN_H
#define WEIR_STORE_SCAN_H

#include "store/segment.h"

struct scanned {
    uint64_t seq, synced, run;
    struct blob *record; /* NULL unless asked for */
};

/* One that does not verify, as far as it can be told what it was. */
struct broken_record {
    uint64_t seq;
    struct contract_key contract;
};
enum { SCAN_BROKEN_MAX = 1024 }; /* a disk that breaks more than that is for a backup … */

struct scan {
    const char *dir; /* of the log */
    uint64_t salt;
    uint64_t after; /* records up to this seq are passed over */
    bool keep;      /* copy the records */

    struct scanned *rows;
    size_t count, capacity;
    uint64_t whole; /* records that verified, folded ones too */
    uint64_t last;  /* highest seq among them */
    uint64_t cut;   /* segments that are shorter than they were made */
    struct broken_record *broken;
    size_t broken_count;
    uint64_t broken_more; /* … and this tells how many more: whose they were is not asked */
};

/* Adds the records of one segment. *found (may be NULL): the highest seq in it (0: empty), and
 * where the last record ends that was not passed over. */
struct scan_found {
    uint64_t last, end;
};
MUST_USE int scan_segment(struct scan *self, uint64_t number, struct scan_found *found,
                          struct reason *why);

/* Adds those of all segments in the directory, and sorts. */
MUST_USE int scan_all(struct scan *self, struct reason *why);

void scan_sort(struct scan *self);

/* How many records are lost, of those after `after` and up to `upto`; a page 0 counts as one. The
 * scan is sorted. */
uint64_t scan_lost(const struct scan *self, uint64_t after, uint64_t upto);

/* Is this one of them? */
bool scan_is_lost(const struct scan *self, uint64_t after, uint64_t seq);

void scan_free(struct scan *self);

#endif
