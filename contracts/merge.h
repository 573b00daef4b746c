/* merge: the one operation on states. Merges a delta into what a reader shows and tells what
 * changed; the caller (memory, store) then puts the changes where the state is. */
#ifndef WEIR_CONTRACTS_MERGE_H
#define WEIR_CONTRACTS_MERGE_H

#include "contracts/fingerprint.h"
#include "contracts/kind.h"

/* One key whose value is another one after the merge. */
struct change {
    struct slice key;
    struct slice before; /* data NULL: there was no such entry */
    struct slice after;  /* data NULL: dropped by settle */
};

/* The result, reusable: zero-initialise once, merge_free at the end. Changes are in key order.
 * Slices borrow from the delta and from the reader's state (before), or from the merge's own
 * memory. */
struct merge {
    struct change *changes;
    size_t count, capacity;
    struct buffer keys; /* copies of dropped keys */
};

/* Is this entry valid for the kind and, with listed writers, long enough for its trailer? The
 * signature is not verified. ERR_BAD_STATE. */
MUST_USE int contract_check_entry(const struct contract *contract, struct slice key,
                                  struct slice value, struct reason *why);

/* The next entry of a walk, checked so: 1, 0 at the end, ERR_BAD_STATE with the entry named. */
MUST_USE int contract_next(const struct contract *contract, struct entries *walk,
                           struct entry *entry, struct reason *why);

/* Is every entry of the delta canonical, within limits, valid for the kind and signed by a listed
 * writer? Signatures of entries that `state` holds byte for byte are not verified again; state may
 * be NULL. ERR_BAD_STATE with the entry and the reason. *entries (may be NULL) is their number. */
MUST_USE int contract_check(const struct contract *contract, const struct state_reader *state,
                            struct slice delta, uint64_t *entries, struct reason *why);

/* Checks and merges: fills `result` and brings `summary` (of the state as the reader shows it) up
 * to the merged state's. On an error both are as if nothing had been asked (result is empty).
 * `checked` skips contract_check for bytes that passed it before (the node's own log).
 * ERR_BAD_STATE, ERR_TOO_LARGE when the merged state would be larger than state_bytes_max and
 * larger than it is now, ERR_NO_MEMORY, an error of the reader. */
MUST_USE int contract_merge(const struct contract *contract, const struct state_reader *state,
                            struct slice delta, bool checked, uint64_t state_bytes_max,
                            struct summary *summary, struct merge *result, struct reason *why);

/* Join and caps alone, for bytes that passed contract_check: fills result. ERR_NO_MEMORY,
 * ERR_BAD_STATE for bytes that are no state, an error of the reader. */
MUST_USE int contract_join(const struct contract *contract, const struct state_reader *state,
                           struct slice delta, struct merge *result, struct reason *why);

/* The order on whole values (inner value by the kind, then the trailer): which of two wins. */
int contract_compare(const struct contract *contract, struct slice a, struct slice b);

void merge_free(struct merge *self);

#endif
