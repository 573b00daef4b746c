/* check: what the store asks of itself before LMDB maps its file. The rest of checking is in
 * store/store.h. */
#ifndef WEIR_STORE_CHECK_H
#define WEIR_STORE_CHECK_H

#include "base/errors.h"

#include <stdbool.h>

/* Is LMDB's file whole, down to the checksum of every row? Contracts that are marked as damaged are
 * no fault of the file. When it is not, why says what is wrong with it. ERR_DAMAGED when it cannot
 * be looked at at all, ERR_IO, ERR_NO_MEMORY. */
MUST_USE int check_file(const char *path, bool *sound, struct reason *why);

#endif
