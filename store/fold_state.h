/* fold_state: one transaction of a fold, for the files that write it.
 *
 *   fold.c        the contracts of a fold, transaction by transaction
 *   fold_rows.c   rows put, removed, and looked up
 *   fold_drop.c   what LMDB has of a contract that was dropped goes
 *   fold_parts.c  a contract with more changes than one transaction takes */
#ifndef WEIR_STORE_FOLD_STATE_H
#define WEIR_STORE_FOLD_STATE_H

#include "store/store_state.h"

struct folding {
    const struct db *db;
    MDB_txn *txn;
    MDB_cursor *cursor; /* on the table of states */
    struct meta_record meta;
    struct buffer row, former; /* reused */
    size_t rows, bytes;        /* written */
};

/* Is the transaction large enough? LMDB keeps the memory of the most pages that one ever touched;
 * and while a commit is synced, the log's sync waits for the disk. */
bool folding_is_full(const struct folding *self);

/* --- rows --- */

MUST_USE int folding_put_header(struct folding *self, const struct header_record *header,
                                struct reason *why);

/* The header as the overlay has it. */
struct header_record folding_header(const struct held *held);

/* The header that LMDB has, copied to self->former, since rows move when others are written.
 * ERR_NOT_FOUND; ERR_DAMAGED: it is there and does not verify. */
MUST_USE int folding_former_header(struct folding *self, const struct contract_key *contract,
                                   struct header_record *header, struct reason *why);

/* Puts an entry, or removes the one that the overlay hides. */
MUST_USE int folding_put_entry(struct folding *self, const struct overlay_entry *entry,
                               struct reason *why);

/* Removes a row, if it is there. */
MUST_USE int folding_drop_row(struct folding *self, const struct state_key *at, struct reason *why);

/* --- contracts of which the transaction may take a part; *left: there is more --- */

/* Removes what LMDB has of a contract that was dropped: its entries, then its header. */
MUST_USE int folding_drop_contract(struct folding *self, const struct contract_key *contract,
                                   bool *left, struct reason *why);

/* Can it, and must it, be written in parts? */
bool folding_takes_parts(const struct overlay_contract *contract);

/* Writes the entries from *entry on (NULL: from the first), and leaves there the first that is not
 * written; the header counts what is. */
MUST_USE int folding_put_part(struct folding *self, const struct overlay_contract *contract,
                              const struct overlay_entry **entry, bool *left, struct reason *why);

#endif
