/* sync_tally: the own entries of one range, taken in one pass in key order: their sum, the short
 * hashes of the first few, and the range cut into parts of as many entries each, for a split. The
 * number of entries need not be known: when there are too many parts, each two become one. */
#ifndef WEIR_CONTRACTS_SYNC_TALLY_H
#define WEIR_CONTRACTS_SYNC_TALLY_H

#include "contracts/sync_body.h"

enum {
    SYNC_PARTS_MAX = 256,                      /* even */
    SYNC_PART_ENTRIES_MIN = SYNC_LIST_MAX / 2, /* finer than what is listed anyway is waste */
};

/* A number mod 2^128. */
struct sync_sum {
    uint64_t high, low;
};

static inline void sync_sum_add(struct sync_sum *to, struct sync_sum from)
{
    to->high += from.high + __builtin_add_overflow(to->low, from.low, &to->low);
}

static inline struct sync_sum sync_sum_read(const uint8_t bytes[SYNC_SUM_BYTES])
{
    return (struct sync_sum){get_u64(bytes), get_u64(bytes + 8)};
}

struct sync_part {
    struct sync_sum sum;
    uint64_t count;
    struct sync_bound bound; /* where it ends; set when the next part begins */
};

struct sync_tally {
    uint64_t count;
    uint8_t hashes[SYNC_LIST_MAX * SYNC_HASH_BYTES]; /* of the first entries, in key order */
    size_t part_count, part_capacity;
    uint64_t part_entries;   /* of every part but the last, which may have fewer */
    struct sync_part *parts; /* owned; as many as there were entries for, 288 bytes each */
    bool failed;             /* no memory: what was added from then on is missing */
};

/* For another range; zero-initialise before the first. The owner calls sync_tally_free. */
void sync_tally_clear(struct sync_tally *self);
void sync_tally_free(struct sync_tally *self);

/* The next entry's key and hash; last: the key before it (not looked at for the first entry). More
 * than parts_max parts (even, at most SYNC_PARTS_MAX, the same for all entries) are not made. */
void sync_tally_add(struct sync_tally *self, size_t parts_max, struct slice last, struct slice key,
                    const uint8_t hash[SYNC_SUM_BYTES]);

struct sync_sum sync_tally_sum(const struct sync_tally *self);

#endif
