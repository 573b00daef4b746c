/* check_state: a check under way, between check.c (a whole store), check_rows.c (its rows) and
 * check_log.c (its log). */
#ifndef WEIR_STORE_CHECK_STATE_H
#define WEIR_STORE_CHECK_STATE_H

#include "store/db.h"
#include "store/pages.h"
#include "store/scan.h"

/* A contract, as a record of the log tells that does not verify. */
struct suspect {
    struct contract_key key;
    bool known; /* there is such a contract */
};

struct check {
    const char *path;
    bool quick; /* entries are counted, their hashes not summed */
    progress_fn *progress;
    void *progress_self;
    uint64_t rows, all_rows;
    struct check_report report;
    struct meta_record meta;
    bool has_meta;
    uint64_t marks;       /* of the damaged: contracts that wait for a peer */
    uint64_t marks_found; /* rows that mark one, also damaged ones */
    struct pages pages;

    /* the contract whose entries come */
    bool open;
    struct header_record header;
    struct contract_key key;
    struct summary summary;

    struct contract_key whole[CHECK_NAMED_MAX], strays[CHECK_NAMED_MAX];
    size_t whole_count, strays_count; /* the first contracts that are there; that are cut off */

    struct suspect *suspects; /* by key; owned */
    size_t suspects_count;
};

/* --- check_rows.c --- */

/* Adds to the report's names. */
void check_name(struct check_report *report, const struct contract_key *key);

/* The next row of the table of states; of meta; one that damage cut off. */
void check_take_row(struct check *self, struct entry row);
void check_take_meta(struct check *self, struct entry row);
void check_take_stray(struct check *self, struct entry row);

/* A contract waits for what damage took: self->key. */
void check_take_mark(struct check *self);

/* At the end of a contract: are its entries those that its header counts? */
void check_close(struct check *self);

/* --- check_log.c --- */

/* Scans the log (scan: dir and salt set), if there is one, and collects the suspects. */
MUST_USE int check_scan(struct check *self, struct scan *scan, struct reason *why);

/* There is a contract with that key. */
void check_is_there(struct check *self, const uint8_t key[CONTRACT_KEY_BYTES]);

/* Counts what is lost of the records after `folded` and up to `synced`, and names whose they were.
 */
void check_lost(struct check *self, const struct scan *scan, uint64_t folded, uint64_t synced);

#endif
