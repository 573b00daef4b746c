/* view: what a state means to people: each kind's value read out of its entries, one call per item.
 * Works on states and on deltas (a delta is a small state), in one pass; entries that do not count
 * (a superseded value) are passed over; removals come with `removed` set, and most callers skip
 * them. */
#ifndef WEIR_CONTRACTS_VIEW_H
#define WEIR_CONTRACTS_VIEW_H

#include "contracts/kind.h"

struct view_item {
    struct slice name;     /* map: the field; empty otherwise */
    struct slice value;    /* register, multi-register, set (the element), map, log: the bytes */
    uint64_t time_ms;      /* register, map, log: when it was written; else 0 */
    const uint8_t *writer; /* signed contracts: who wrote it, 32 bytes; else NULL */
    int64_t number;        /* counter: its value, held at the bounds of 64 bits */
    bool removed; /* set, map: the element or field that this entry takes away (deltas show it) */
};

/* Calls item for each, in byte order of what it lists (set: elements; multi-register: values, equal
 * ones once; map: fields; log: time). counter calls it once (0 for the empty state), register at
 * most once (one never written has no item). Slices live as long as state. ERR_BAD_STATE when the
 * bytes are not canonical or not valid entries of the kind, ERR_NO_MEMORY, or what item returned if
 * that is not 0 (the walk stops then). */
MUST_USE int view_items(const struct contract *contract, struct slice state, view_fn *item,
                        void *self, struct reason *why);

/* For kinds: the next entry of a state being viewed, checked by its kind, its value already the
 * inner one. 1, 0 at the end, ERR_BAD_STATE. *writer as in struct view_item. */
MUST_USE int view_next(const struct contract *contract, struct entries *walk, struct entry *entry,
                       const uint8_t **writer, struct reason *why);

/* For kinds of which each entry is an item: tells what `of` makes of each, with its writer. Errors
 * as view_items. */
typedef struct view_item view_item_of(const struct entry *entry);
MUST_USE int view_each(const struct contract *contract, struct slice state, view_item_of *of,
                       view_fn *item, void *self, struct reason *why);

#endif
