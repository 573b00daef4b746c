/* dice: all that is random in a simulation, from one seed. Several streams, so that one more throw
 * in one place does not change all the others; libsodium's own is one of them. */
#ifndef WEIR_TESTS_DICE_H
#define WEIR_TESTS_DICE_H

#include <stdbool.h>
#include <stdint.h>

/* xoshiro256** (Blackman and Vigna 2018), seeded through splitmix64. */
struct dice {
    uint64_t state[4];
};

void dice_seed(struct dice *self, uint64_t seed, uint64_t stream);
uint64_t dice_throw(struct dice *self);
uint64_t dice_below(struct dice *self, uint64_t bound);                /* 0 … bound - 1 */
uint64_t dice_between(struct dice *self, uint64_t low, uint64_t high); /* both included */
bool dice_one_in(struct dice *self, uint64_t n);

/* Makes libsodium's random bytes come from dice, for the whole process; call it before sodium_init
 * (which it calls). Seed it again for each simulation. */
void dice_for_sodium(void);
void dice_seed_sodium(uint64_t seed);

#endif
