/* repair_state: a repair under way, for the files that do it.
 *
 *   repair.c        the files: the copy is made, and takes the damaged one's place
 *   repair_rows.c   what is whole is copied
 *   repair_marks.c  what the copy lacks is marked */
#ifndef WEIR_STORE_REPAIR_STATE_H
#define WEIR_STORE_REPAIR_STATE_H

#include "store/marks.h"
#include "store/pages.h"

struct repair {
    struct db *to;
    MDB_txn *txn;
    uint64_t txn_bytes;
    uint64_t counted; /* contracts, by the damaged file */
    struct meta_record meta;
    bool has_meta, old_meta; /* old: of a stray page */
    struct pages pages;
    struct marks marks;
    uint64_t marks_found; /* in the damaged file */
    struct marks kept;    /* of those, the ones that have a header */
    struct buffer row;
    struct reason *why;
};

/* The copy's transaction. */
MUST_USE int repair_begin(struct repair *self);
MUST_USE int repair_commit(struct repair *self);

/* Copies the row, if it verifies. For pages_walk. */
page_row_fn repair_take_row;

MUST_USE int repair_put_header(struct repair *self, struct slice name,
                               const struct header_record *header, unsigned flags);

/* Holds each contract of the copy against its header. What lacks entries is marked, and its header
 * counts what is left; entries without a header go. */
MUST_USE int repair_mark_damaged(struct repair *self);

#endif
