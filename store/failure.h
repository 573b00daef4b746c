/* failure: foreign codes (errno > 0, LMDB's MDB_* < 0) as ours, in one place, with the file named.
 */
#ifndef WEIR_STORE_FAILURE_H
#define WEIR_STORE_FAILURE_H

#include "base/errors.h"

/* Returns our code for `code` and writes "cannot DOING PATH: why; what to do". `doing` reads after
 * "cannot". A full disk is ERR_STORE_FULL, LMDB's full map ERR_AGAIN, broken structure ERR_DAMAGED,
 * the rest ERR_IO. */
MUST_USE int store_failure(struct reason *why, int code, const char *doing, const char *path);

#endif
