/* state: a contract's state in memory, with its summary. What clients, tests and benchmarks merge
 * with; the node's own is store/. */
#ifndef WEIR_CONTRACTS_STATE_H
#define WEIR_CONTRACTS_STATE_H

#include "contracts/merge.h"

typedef struct state state_t;

/* A new empty state. The contract (and its params) must outlive it. NULL without memory. */
state_t *state_new(const struct contract *contract);
void state_destroy(state_t **self);

/* Merges a delta. *changed (may be NULL) is the number of changed entries. Errors as
 * contract_merge; the state is untouched then. */
MUST_USE int state_merge(state_t *self, struct slice delta, size_t *changed, struct reason *why);

/* The same for bytes known to be valid: join and caps alone, without the fingerprint (state_summary
 * is then not kept up and must not be asked). For measuring and for views that need no fingerprint.
 */
MUST_USE int state_join(state_t *self, struct slice delta, size_t *changed);

/* What the last merge or join changed, in key order. Keys, and whether there was a value before and
 * is one after: the bytes of `before` are gone, those of `after` are the delta's. Borrowed until
 * the next merge, and no longer than the delta. */
const struct change *state_changes(const state_t *self, size_t *count);

/* Borrowed until the next merge. */
const struct summary *state_summary(const state_t *self);
struct state_reader state_reader(state_t *self);

/* Appends the canonical bytes. */
MUST_USE int state_encode(const state_t *self, struct buffer *out);

#endif
