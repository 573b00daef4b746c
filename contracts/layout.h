/* layout: the two heads that the entries of most kinds begin with, as docs/protocol.md has them.
 *
 *   stamped := stamp u64 · replica (8) · rest    last writer: clock first, then writer, then rest
 *   tagged  := seq u64 · tag u8 · rest           an event of one replica; a closing tag of the same
 *                                                seq is greater, a later event greater than both
 *
 * Big-endian throughout, so that byte order is the order meant and compare_bytes is the join. */
#ifndef WEIR_CONTRACTS_LAYOUT_H
#define WEIR_CONTRACTS_LAYOUT_H

#include "contracts/kind.h"

enum { STAMPED_BYTES = 8 + REPLICA_BYTES, TAGGED_BYTES = 9, TAG_ALIVE = 0, TAG_CLOSED = 1 };

static inline void append_stamp(struct buffer *out, uint64_t stamp, const struct editor *editor)
{
    buffer_append_u64(out, stamp);
    buffer_append(out, editor->replica, REPLICA_BYTES);
}

/* A value of at least STAMPED_BYTES with a legal stamp, or ERR_BAD_STATE. */
MUST_USE int stamped_check(struct slice bytes, const char *what, struct reason *why);

static inline void put_tagged(uint8_t out[TAGGED_BYTES], uint64_t seq, uint8_t tag)
{
    put_u64(out, seq);
    out[8] = tag;
}

static inline bool tagged_alive(struct slice value)
{
    return value.data[8] == TAG_ALIVE;
}

/* seq and tag are legal, and nothing follows a closing tag. */
MUST_USE int tagged_check(struct slice value, const char *what, struct reason *why);

#endif
