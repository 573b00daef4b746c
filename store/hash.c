#include "store/hash.h"

#include <assert.h>
#include <stdlib.h>

void *hash_find(const struct hash *self, uint64_t hash, hash_is *is, const void *wanted)
{
    if (!self->capacity)
        return NULL;
    for (size_t i = hash & (self->capacity - 1); self->slots[i].item;
         i = (i + 1) & (self->capacity - 1))
        if (self->slots[i].hash == hash && is(self->slots[i].item, wanted))
            return self->slots[i].item;
    return NULL;
}

static void place(struct hash *self, struct hash_slot slot)
{
    size_t i = slot.hash & (self->capacity - 1);
    while (self->slots[i].item)
        i = (i + 1) & (self->capacity - 1);
    self->slots[i] = slot;
}

bool hash_reserve(struct hash *self, size_t n)
{
    if (self->count + n <= self->capacity / 4 * 3)
        return true;
    struct hash larger = {.count = self->count, .capacity = self->capacity ? self->capacity : 64};
    while (self->count + n > larger.capacity / 2)
        larger.capacity *= 2;
    larger.slots = (struct hash_slot *)calloc(larger.capacity, sizeof larger.slots[0]);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < self->capacity; i++)
        if (self->slots[i].item)
            place(&larger, self->slots[i]);
    free(self->slots);
    *self = larger;
    return true;
}

void hash_put(struct hash *self, uint64_t hash, void *item)
{
    assert(self->count < self->capacity);
    place(self, (struct hash_slot){hash, item});
    self->count++;
}

void hash_replace(struct hash *self, uint64_t hash, const void *former, void *item)
{
    size_t i = hash & (self->capacity - 1);
    while (self->slots[i].item != former)
        i = (i + 1) & (self->capacity - 1);
    self->slots[i].item = item;
}

void hash_free(struct hash *self)
{
    free(self->slots);
    *self = (struct hash){0};
}
