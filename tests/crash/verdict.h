/* verdict: what a folder is worth that a crash left. */
#ifndef VERDICT_H
#define VERDICT_H

#include "tests/crash/claims.h"
#include "store/store_state.h"

/* `weir check` is clean (where a first start came to its end), the store opens, finds no damage and
 * has all that was told before that place of the trace. goes_on: it also takes a change, folds it,
 * is clean, and opens again. An error with a sentence when not. */
MUST_USE int verdict(const struct store_options *options, uint64_t map_bytes,
                     const struct claims *claims, uint64_t place, bool goes_on, struct reason *why);

#endif
