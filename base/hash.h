/* hash: uthash, the one way to it. A table here that has no memory to grow does not take the row,
 * and is as it was before; the process goes on (uthash by itself ends it). So each HASH_ADD is
 * followed by a look at HASH_TOOK. */
#ifndef WEIR_BASE_HASH_H
#define WEIR_BASE_HASH_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Is the row, added by this handle a moment ago, in the table? */
#define HASH_TOOK(handle, row) ((row)->handle.tbl != NULL)

#endif
