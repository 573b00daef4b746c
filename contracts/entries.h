/* entries: the one canonical encoding of states, deltas and parameters.
 *
 *   state := entry*          keys strictly ascending in byte order; the empty state is no bytes
 *   entry := u8 key size · key · u32 value size (big-endian) · value
 *
 * A delta is a small state. Equal states are equal bytes because there is one order and one way to
 * write an entry. */
#ifndef WEIR_CONTRACTS_ENTRIES_H
#define WEIR_CONTRACTS_ENTRIES_H

#include "base/buffer.h"
#include "base/errors.h"
#include "base/limits.h"

struct entry {
    struct slice key, value;
};

#define ENTRY_OVERHEAD 5u /* bytes of an entry's encoding besides its key and value */

static inline size_t entry_size(struct slice key, struct slice value)
{
    return ENTRY_OVERHEAD + key.size + value.size;
}

/* A walk over encoded entries. `encoded` is where the current entry's bytes stand. */
struct entries {
    struct slice rest;
    struct slice encoded;
    struct slice last_key;
    bool started;
    uint64_t number; /* of the current entry, from 1 */
};

static inline struct entries entries_of(struct slice state)
{
    return (struct entries){.rest = state};
}

/* Takes one entry off the front of rest, whatever its key. NULL, or static text that says what is
 * wrong with it (nothing is taken then). */
const char *entry_take(struct slice *rest, struct entry *entry);

/* Takes the next entry. 1: *entry is set, borrowing from the state; 0: at the end; ERR_BAD_STATE
 * (and why) for bytes that are short, over a limit (ENTRY_KEY_BYTES_MAX is in the type,
 * ENTRY_VALUE_BYTES_MAX), out of order or a repeated key. */
MUST_USE int entries_next(struct entries *self, struct entry *entry, struct reason *why);

/* Names the entry (the number-th) in front of what `why`, if there is one, has against it. Returns
 * code. */
int entry_blame(uint64_t number, struct slice key, int code, struct reason *why);

/* Writes what stands before the value in an entry's encoding; returns its size. For hashing an
 * entry without encoding it. */
enum { ENTRY_HEAD_BYTES_MAX = ENTRY_OVERHEAD + ENTRY_KEY_BYTES_MAX };
size_t entry_head(uint8_t head[ENTRY_HEAD_BYTES_MAX], struct slice key, struct slice value);

/* Appends one entry. The caller appends in key order; limits are the reader's to check. */
void entry_append(struct buffer *out, struct slice key, struct slice value);

#endif
