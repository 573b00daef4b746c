/* sync_body: what one side says to the other in a sync by ranges (contracts/sync.h): items that
 * tile the key space from its start, each about the range from where the one before it ended
 * (included) to its own bound (not included).
 *
 *   body   := item*              no bytes: nothing more to say
 *   item   := u8 kind · bound · payload
 *   bound  := u8 shared · u8 size · that many bytes     shared: leading bytes as in the bound
 * before | u8 255                                    the end of all keys; of the last item only
 *
 *   kind 0 SKIP  ·                    nothing to say here; never last, never two in a row
 *        1 NONE  ·                    I have no entry here: send yours
 *        2 SUM   · sum (16)           the sum of my entries' hashes
 *        3 LIST  · u8 n · n × 8       the short hashes of my entries, in key order; n 1 … 32
 *        4 WANT  · u8 n · n × 8       send your entries that have these; n 1 … 32
 *        5 ASK   ·                    tell me what you have here
 *
 * What follows the last bound is skipped. `shared` is as large as it can be and bounds ascend, so a
 * body has one encoding. */
#ifndef WEIR_CONTRACTS_SYNC_BODY_H
#define WEIR_CONTRACTS_SYNC_BODY_H

#include "base/buffer.h"
#include "base/errors.h"
#include "base/limits.h"

enum { SYNC_SUM_BYTES = 16, SYNC_HASH_BYTES = 8, SYNC_LIST_MAX = 32 };

enum sync_kind { SYNC_SKIP, SYNC_NONE, SYNC_SUM, SYNC_LIST, SYNC_WANT, SYNC_ASK, SYNC_KINDS };

/* Where a range ends: before this key, or (end) after all keys. Zero-initialised is the start. */
struct sync_bound {
    bool end;
    uint8_t size;
    uint8_t key[ENTRY_KEY_BYTES_MAX];
};

static inline struct slice sync_bound_key(const struct sync_bound *self)
{
    return slice_of(self->key, self->size);
}

static inline struct sync_bound sync_bound_end(void)
{
    return (struct sync_bound){.end = true};
}

/* The key of a bound, at most ENTRY_KEY_BYTES_MAX long; copied. */
void sync_bound_set(struct sync_bound *self, struct slice key);

/* One item; its range ends at the reader's bound. */
struct sync_item {
    enum sync_kind kind;
    struct slice payload; /* SUM: the sum; LIST, WANT: the hashes; else empty. Of the body. */
};

struct sync_reader {
    struct slice rest;
    struct sync_bound bound; /* of the last item taken */
    bool skipped;            /* that was a SKIP */
};

static inline struct sync_reader sync_reader_of(struct slice body)
{
    return (struct sync_reader){.rest = body};
}

/* Takes the next item: 1, 0 at the end, or ERR_BAD_REQUEST (and why) for bytes that are no body. */
MUST_USE int sync_reader_next(struct sync_reader *self, struct sync_item *item, struct reason *why);

/* A body under construction. Zero-initialise; the owner frees bytes. */
struct sync_writer {
    struct buffer bytes;
    struct sync_bound bound;   /* of the last item written */
    struct sync_bound skip_to; /* past it: to be skipped when something follows */
    bool skips;
};

/* Nothing to say up to there. Bounds of calls ascend. */
void sync_writer_skip(struct sync_writer *self, const struct sync_bound *bound);

/* Appends an item up to there with its payload (of the size that its kind has). */
void sync_writer_put(struct sync_writer *self, enum sync_kind kind, const struct sync_bound *bound,
                     struct slice payload);

#endif
