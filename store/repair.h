/* repair: a new file of LMDB from what is whole in a damaged one (decision 0023).
 *
 * Rows that verify are copied; contracts whose entries are not those that their header counts, or
 * whose header is lost, are marked (store/marks.h) and keep what is left of them. The damaged file
 * stays beside the new one as state.mdb.damaged, for whoever wants to look; the next repair takes
 * its place. */
#ifndef WEIR_STORE_REPAIR_H
#define WEIR_STORE_REPAIR_H

#include "base/errors.h"

#include <stdint.h>

/* Looks at DIR/state.mdb, and repairs it when it is not whole. *marked: contracts that are damaged
 * since then; *damage says what was found ("" : nothing). ERR_DAMAGED when there is nothing to
 * repair it from, ERR_STORE_FULL, ERR_IO. The caller has the lock. */
MUST_USE int repair_if_damaged(const char *dir, uint64_t *marked, struct reason *damage,
                               struct reason *why);

#endif
