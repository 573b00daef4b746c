/* rows: a table of rows of one size, in ascending order of the key of 32 bytes that each begins
 * with. Pure; whoever takes the table checks its order. */
#ifndef WEIR_CONTRACTS_ROWS_H
#define WEIR_CONTRACTS_ROWS_H

#include "base/slice.h"

enum { ROW_KEY_BYTES = 32 };

/* The row of this key, inside rows; NULL: there is none. */
const uint8_t *rows_find(struct slice rows, size_t row_bytes, const uint8_t key[ROW_KEY_BYTES]);

#endif
