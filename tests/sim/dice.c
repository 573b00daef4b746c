#include "tests/sim/dice.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static uint64_t rotated(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void dice_seed(struct dice *self, uint64_t seed, uint64_t stream)
{
    uint64_t state = seed ^ rotated(stream * 0xd1342543de82ef95u, 32);
    for (int i = 0; i < 4; i++)
        self->state[i] = splitmix(&state);
}

uint64_t dice_throw(struct dice *self)
{
    uint64_t *s = self->state, result = rotated(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotated(s[3], 45);
    return result;
}

uint64_t dice_below(struct dice *self, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)dice_throw(self) * bound) >> 64);
}

uint64_t dice_between(struct dice *self, uint64_t low, uint64_t high)
{
    return low + dice_below(self, high - low + 1);
}

bool dice_one_in(struct dice *self, uint64_t n)
{
    return dice_below(self, n) == 0;
}

/* --- libsodium --------------------------------------------------------------------------- */

static struct dice sodium_dice;

static const char *name(void)
{
    return "dice";
}

static void fill(void *to, size_t size)
{
    uint8_t *at = (uint8_t *)to;
    while (size) {
        uint64_t word = dice_throw(&sodium_dice);
        size_t n = size < sizeof word ? size : sizeof word;
        memcpy(at, &word, n);
        at += n;
        size -= n;
    }
}

static uint32_t word(void)
{
    return (uint32_t)(dice_throw(&sodium_dice) >> 32);
}

void dice_for_sodium(void)
{
    static randombytes_implementation dice = {
        .implementation_name = name, .random = word, .buf = fill};
    if (randombytes_set_implementation(&dice) != 0 || sodium_init() < 0)
        abort();
}

void dice_seed_sodium(uint64_t seed)
{
    dice_seed(&sodium_dice, seed, 0x736f6469756d);
}
