/* utf8: code points in bytes (RFC 3629), strictly: no form longer than need be, no surrogate,
 * nothing past U+10FFFF. Knows nothing of what a code point means, or where it is shown. */
#ifndef WEIR_BASE_UTF8_H
#define WEIR_BASE_UTF8_H

#include "base/buffer.h"

/* The code point at the front of text, which is not empty: how many bytes it takes, 1 to 4. 0 where
 * there is none; *point is untouched then. */
size_t utf8_point(struct slice text, uint32_t *point);

/* Is all of it UTF-8? The empty text is. */
bool utf8_is(struct slice text);

/* Appends a code point; nothing for what is none. */
void utf8_append(struct buffer *out, uint32_t point);

/* Is a code point in one of these ranges, both ends counted? */
struct utf8_range {
    uint32_t first, last;
};
bool utf8_among(uint32_t point, const struct utf8_range *ranges, size_t count);

#endif
