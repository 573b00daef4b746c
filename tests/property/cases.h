/* cases: random states of every kind for the property tests. The key space is small and clocks,
 * replicas and sequence numbers come from a handful of values, so that two states mostly hold the
 * same keys with other values, often under equal clocks (lesson M2). */
#ifndef PROPERTY_CASES_H
#define PROPERTY_CASES_H

#include "contracts/state.h"

#include <stdint.h>

/* splitmix64 (Steele et al. 2014): any seed will do. */
struct random {
    uint64_t state;
};

uint64_t random_bits(struct random *self);
uint64_t random_below(struct random *self, uint64_t bound);

/* $SEED, or one that differs each time; printed, so that a failure can be repeated. Asked once a
 * process. */
uint64_t seed_of_run(void);

/* A contract to try laws on. */
struct subject {
    char label[64];
    struct contract contract;
    struct buffer params;
    uint8_t secrets[2][64]; /* of its writers, when it has listed ones */
    struct buffer pool;     /* signed entries made beforehand: signing is slow */
    struct entry *pooled;
    size_t pooled_count;
};

enum { SUBJECTS = 16 };

/* Every kind, unsigned and signed, and log with the caps 0, 1 and 3. Made at the first call, from
 * the seed. */
struct subject *subjects(void);

/* Appends the state that comes of these deltas, in this order. 0 or the error of a merge. */
int merge_all(const struct contract *contract, const struct slice *deltas, size_t count,
              struct buffer *out);

/* The params of a contract of that kind: newest when it is not UINT64_MAX, writers when there are
 * some. */
void params_of(uint64_t newest, struct slice writers, struct buffer *out);

/* One entry that passes check_entry, unsigned. */
void random_inner(const struct contract *contract, struct random *random, struct buffer *out);

/* A delta of 0 … most entries, canonical and valid (signed where need be). */
void random_delta(const struct subject *subject, struct random *random, size_t most,
                  struct buffer *out);

#endif
