/* base58: how people write 32-byte keys and ids (Bitcoin's alphabet: no 0, O, I, l). */
#ifndef WEIR_BASE_BASE58_H
#define WEIR_BASE_BASE58_H

#include "base/errors.h"
#include "base/slice.h"

enum { BASE58_BYTES_MAX = 64, BASE58_TEXT_MAX = 90 }; /* 64 bytes are at most 88 characters */

/* Writes the terminated text of size (<= BASE58_BYTES_MAX) bytes. */
void base58_encode(const uint8_t *bytes, size_t size, char text[BASE58_TEXT_MAX]);

/* Reads text (size characters, not terminated) as exactly `size` bytes of output. ERR_BAD_REQUEST
 * for a character outside the alphabet or any other length; bytes are untouched then. */
MUST_USE int base58_decode(struct slice text, uint8_t *bytes, size_t size);

#endif
