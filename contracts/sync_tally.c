#include "contracts/sync_tally.h"

#include <stdlib.h>

enum { PARTS_FIRST = 2 };

void sync_tally_clear(struct sync_tally *self)
{
    self->count = 0;
    self->part_count = 0;
    self->part_entries = SYNC_PART_ENTRIES_MIN;
}

void sync_tally_free(struct sync_tally *self)
{
    free(self->parts);
    *self = (struct sync_tally){0};
}

/* Makes one part of each two. */
static void halve(struct sync_tally *self)
{
    self->part_count /= 2;
    self->part_entries *= 2;
    for (size_t i = 0; i < self->part_count; i++) {
        struct sync_part merged = self->parts[2 * i + 1];
        sync_sum_add(&merged.sum, self->parts[2 * i].sum);
        merged.count += self->parts[2 * i].count;
        self->parts[i] = merged;
    }
}

/* Ends a part at the shortest key that lies between: past last, not past key. */
static void end(struct sync_part *part, struct slice last, struct slice key)
{
    size_t shared = 0;
    while (shared < last.size && last.data[shared] == key.data[shared])
        shared++;
    sync_bound_set(&part->bound, slice_of(key.data, shared + 1));
}

/* Room for one more; NULL: no memory. */
static struct sync_part *next_part(struct sync_tally *self)
{
    if (self->part_count == self->part_capacity) {
        size_t capacity = self->part_capacity ? 2 * self->part_capacity : PARTS_FIRST;
        struct sync_part *parts =
            (struct sync_part *)realloc(self->parts, capacity * sizeof *parts);
        if (!parts)
            return NULL;
        self->parts = parts;
        self->part_capacity = capacity;
    }
    return &self->parts[self->part_count++];
}

/* The part that the next entry goes into; NULL: no memory. */
static struct sync_part *part_for(struct sync_tally *self, size_t parts_max, struct slice last,
                                  struct slice key)
{
    if (self->part_count > 0) {
        struct sync_part *open = &self->parts[self->part_count - 1];
        if (open->count < self->part_entries)
            return open;
        end(open, last, key);
        if (self->part_count == parts_max)
            halve(self);
    }
    struct sync_part *fresh = next_part(self);
    if (!fresh)
        return NULL;
    fresh->sum = (struct sync_sum){0, 0};
    fresh->count = 0;
    return fresh;
}

void sync_tally_add(struct sync_tally *self, size_t parts_max, struct slice last, struct slice key,
                    const uint8_t hash[SYNC_SUM_BYTES])
{
    struct sync_part *part = self->failed ? NULL : part_for(self, parts_max, last, key);
    self->failed = !part;
    if (!part)
        return;
    if (self->count < SYNC_LIST_MAX)
        memcpy(self->hashes + self->count * SYNC_HASH_BYTES, hash, SYNC_HASH_BYTES);
    sync_sum_add(&part->sum, sync_sum_read(hash));
    part->count++;
    self->count++;
}

struct sync_sum sync_tally_sum(const struct sync_tally *self)
{
    struct sync_sum sum = {0, 0};
    for (size_t i = 0; i < self->part_count; i++)
        sync_sum_add(&sum, self->parts[i].sum);
    return sum;
}
