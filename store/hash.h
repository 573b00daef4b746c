/* hash: finds items by a 64-bit hash. Open addressing, linear probing; items are put in or put in
 * another's place, and never taken out. It does not own them. Zero-initialised is empty. */
#ifndef WEIR_STORE_HASH_H
#define WEIR_STORE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_slot {
    uint64_t hash;
    void *item; /* NULL: empty */
};

struct hash {
    struct hash_slot *slots;
    size_t count, capacity; /* capacity is a power of two */
};

/* The item with this hash that `is` accepts, or NULL. */
typedef bool(hash_is)(const void *item, const void *wanted);
void *hash_find(const struct hash *self, uint64_t hash, hash_is *is, const void *wanted);

/* Makes room for n more. False without memory. */
bool hash_reserve(struct hash *self, size_t n);

/* Puts an item in for which there is room. */
void hash_put(struct hash *self, uint64_t hash, void *item);

/* Puts an item in the place of one that is there, under the same hash. */
void hash_replace(struct hash *self, uint64_t hash, const void *former, void *item);

void hash_free(struct hash *self);

#endif
