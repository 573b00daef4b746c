/* proofs: what was verified already within one check, by its hash, so that a signature that many
 * entries share is verified once. Not a cache between checks: it lives as long as one of them.
 * Zero-initialised is empty. */
#ifndef WEIR_CONTRACTS_PROOFS_H
#define WEIR_CONTRACTS_PROOFS_H

#include "base/slice.h"

enum { PROOF_BYTES = 32 };

struct proofs {
    uint8_t (*slots)[PROOF_BYTES]; /* allocated with the first; all zero: free */
    size_t count;
};

/* Was it added before? */
bool proofs_have(const struct proofs *self, const uint8_t hash[PROOF_BYTES]);

/* Without memory, or past a limit, it is not remembered: that costs another verification and
 * nothing else. The hash is one that nobody can steer (BLAKE2b of what was verified). */
void proofs_add(struct proofs *self, const uint8_t hash[PROOF_BYTES]);

void proofs_free(struct proofs *self);

#endif
