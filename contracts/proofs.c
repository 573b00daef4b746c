#include "contracts/proofs.h"

#include <stdlib.h>

enum { SLOTS = 2048, PROOFS_MAX = SLOTS / 2 };

/* The slot that has the hash, or the free one where it would go. */
static uint8_t *slot_of(const struct proofs *self, const uint8_t hash[PROOF_BYTES])
{
    static const uint8_t none[PROOF_BYTES];
    size_t at = get_u16(hash) % SLOTS;
    while (memcmp(self->slots[at], hash, PROOF_BYTES) != 0 &&
           memcmp(self->slots[at], none, PROOF_BYTES) != 0)
        at = (at + 1) % SLOTS;
    return self->slots[at];
}

bool proofs_have(const struct proofs *self, const uint8_t hash[PROOF_BYTES])
{
    return self->slots && memcmp(slot_of(self, hash), hash, PROOF_BYTES) == 0;
}

void proofs_add(struct proofs *self, const uint8_t hash[PROOF_BYTES])
{
    if (!self->slots)
        self->slots = (uint8_t(*)[PROOF_BYTES])calloc(SLOTS, sizeof *self->slots);
    if (!self->slots || self->count == PROOFS_MAX)
        return;
    memcpy(slot_of(self, hash), hash, PROOF_BYTES);
    self->count++;
}

void proofs_free(struct proofs *self)
{
    free(self->slots);
    *self = (struct proofs){0};
}
