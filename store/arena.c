#include "store/arena.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 << 10, PIECE_ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    max_align_t data[];
};

static size_t round_up(size_t bytes)
{
    return (bytes + PIECE_ALIGN - 1) / PIECE_ALIGN * PIECE_ALIGN;
}

/* What was left of the former block is given up: blocks are large against pieces. */
bool arena_reserve(struct arena *self, size_t bytes)
{
    if (self->left >= bytes)
        return true;
    size_t size = bytes > BLOCK_BYTES / 4 ? bytes : BLOCK_BYTES;
    struct arena_block *block = (struct arena_block *)malloc(sizeof *block + size);
    if (!block)
        return false;
    block->next = self->blocks;
    self->blocks = block;
    self->at = (uint8_t *)block->data;
    self->left = size;
    return true;
}

void *arena_take(struct arena *self, size_t bytes)
{
    bytes = round_up(bytes);
    if (!arena_reserve(self, bytes))
        return NULL;
    void *piece = self->at;
    self->at += bytes;
    self->left -= bytes;
    return memset(piece, 0, bytes);
}

void arena_free(struct arena *self)
{
    while (self->blocks) {
        struct arena_block *next = self->blocks->next;
        free(self->blocks);
        self->blocks = next;
    }
    *self = (struct arena){0};
}
