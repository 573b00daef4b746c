/* fingerprint: a hash of a set of entries that can be kept up entry by entry.
 *
 * sum   = Σ expand (BLAKE2b-256 (encoded entry)) mod 2^2048, expand = 256 bytes of ChaCha20
 * keystream under that hash, nonce 0, read as a little-endian number shown = BLAKE2b-256 ("weir
 * fingerprint 1" · count (u64) · sum)
 *
 * An additive multiset hash over a wide group (Bellare & Micciancio 1997, "AdHash"; width chosen
 * against Wagner's k-list attack 2002, see design.md §3). The order of changes does not matter; a
 * change costs O(delta). */
#ifndef WEIR_CONTRACTS_FINGERPRINT_H
#define WEIR_CONTRACTS_FINGERPRINT_H

#include "base/slice.h"

enum { FINGERPRINT_BYTES = 32, FINGERPRINT_SUM_BYTES = 256 };

struct fingerprint {
    uint8_t bytes[FINGERPRINT_BYTES];
};

/* What a contract keeps beside its entries. Zero-initialised is the empty state's. */
struct summary {
    uint64_t count;                          /* entries */
    uint64_t state_bytes;                    /* size of the encoded state */
    uint64_t sum[FINGERPRINT_SUM_BYTES / 8]; /* little-endian words, least significant first */
};

/* Adds or takes away one entry: count, state_bytes and sum. */
void summary_add(struct summary *self, struct slice key, struct slice value);
void summary_remove(struct summary *self, struct slice key, struct slice value);

bool summary_equal(const struct summary *a, const struct summary *b);

/* The sum as 256 bytes, least significant first (the stored form), and back. */
void summary_sum_write(const struct summary *self, uint8_t bytes[FINGERPRINT_SUM_BYTES]);
void summary_sum_read(struct summary *self, const uint8_t bytes[FINGERPRINT_SUM_BYTES]);

struct fingerprint summary_fingerprint(const struct summary *self);

#endif
