/* arena: memory that is given out in small pieces and goes away all at once. Zero-initialised is
 * empty. */
#ifndef WEIR_STORE_ARENA_H
#define WEIR_STORE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
    struct arena_block *blocks;
    uint8_t *at;
    size_t left;
};

/* Makes sure that pieces of `bytes` in all can be taken without failing, if no single one is
 * larger than `bytes`. False without memory. */
bool arena_reserve(struct arena *self, size_t bytes);

/* A piece, zeroed, aligned for any type. NULL without memory (never after a reserve). */
void *arena_take(struct arena *self, size_t bytes);

void arena_free(struct arena *self);

#endif
