#include "contracts/table.h"

#include <stdlib.h>

enum { CHUNK_SLOTS = 128, CHUNK_SLOTS_MAX = 2 * CHUNK_SLOTS };

struct cell {
    uint32_t value_bytes;
    uint8_t key_bytes;
    uint8_t bytes[]; /* key, value */
};

static struct slice cell_key(const struct cell *cell)
{
    return slice_of(cell->bytes, cell->key_bytes);
}

static struct slice cell_value(const struct cell *cell)
{
    return slice_of(cell->bytes + cell->key_bytes, cell->value_bytes);
}

static struct cell *cell_new(struct slice key, struct slice value)
{
    struct cell *cell = (struct cell *)malloc(sizeof *cell + key.size + value.size);
    if (!cell)
        return NULL;
    cell->key_bytes = (uint8_t)key.size;
    cell->value_bytes = (uint32_t)value.size;
    if (key.size)
        memcpy(cell->bytes, key.data, key.size);
    if (value.size)
        memcpy(cell->bytes + key.size, value.data, value.size);
    return cell;
}

/* The first 8 bytes, 0 where there are none: where prefixes differ, keys differ the same way. */
static uint64_t prefix_of(struct slice key)
{
    uint8_t first[8] = {0};
    if (key.size)
        memcpy(first, key.data, key.size < 8 ? key.size : 8);
    return get_u64(first);
}

static int slot_compare(const struct slot *slot, uint64_t prefix, struct slice key)
{
    if (slot->prefix != prefix)
        return slot->prefix < prefix ? -1 : 1;
    return slice_compare(cell_key(slot->cell), key);
}

int table_init(struct table *self)
{
    *self = (struct table){.chunk_count = 1, .chunk_capacity = 1};
    self->chunks = (struct chunk *)calloc(1, sizeof *self->chunks);
    return self->chunks ? 0 : ERR_NO_MEMORY;
}

void table_free(struct table *self)
{
    for (size_t i = 0; i < self->chunk_count; i++) {
        for (size_t j = 0; j < self->chunks[i].count; j++)
            free(self->chunks[i].slots[j].cell);
        free(self->chunks[i].slots);
    }
    free(self->chunks);
    free(self->fresh);
    *self = (struct table){0};
}

/* The chunk that a key belongs to: the last one that starts at or before it, else the first. */
static size_t chunk_of(const struct table *self, uint64_t prefix, struct slice key)
{
    size_t from = 0, to = self->chunk_count;
    while (to - from > 1) {
        size_t middle = from + (to - from) / 2;
        if (slot_compare(&self->chunks[middle].slots[0], prefix, key) <= 0)
            from = middle;
        else
            to = middle;
    }
    return from;
}

static size_t slot_from(const struct chunk *chunk, size_t end, uint64_t prefix, struct slice key,
                        bool past)
{
    size_t from = 0, to = end;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = slot_compare(&chunk->slots[middle], prefix, key);
        if (order < 0 || (past && order == 0))
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct place table_from(const struct table *self, struct slice key, bool past)
{
    uint64_t prefix = prefix_of(key);
    struct place place = {.chunk = chunk_of(self, prefix, key)};
    const struct chunk *chunk = &self->chunks[place.chunk];
    place.slot = slot_from(chunk, chunk->count, prefix, key, past);
    if (place.slot == chunk->count && place.chunk + 1 < self->chunk_count)
        place = (struct place){place.chunk + 1, 0};
    return place;
}

bool table_at(const struct table *self, struct place place, struct entry *entry)
{
    const struct chunk *chunk = &self->chunks[place.chunk];
    if (place.slot >= chunk->count)
        return false;
    const struct cell *cell = chunk->slots[place.slot].cell;
    *entry = (struct entry){cell_key(cell), cell_value(cell)};
    return true;
}

/* Of changes [0, end), those that go where the last one goes: returns where they start. */
static size_t same_chunk(const struct table *self, const struct change *changes, size_t end,
                         size_t *chunk)
{
    struct slice last = changes[end - 1].key;
    *chunk = chunk_of(self, prefix_of(last), last);
    size_t start = end - 1;
    if (*chunk == 0)
        return 0;
    const struct slot *first = &self->chunks[*chunk].slots[0];
    while (start > 0 &&
           slot_compare(first, prefix_of(changes[start - 1].key), changes[start - 1].key) <= 0)
        start--;
    return start;
}

static bool is_insert(const struct change *change)
{
    return !change->before.data;
}

static int chunk_reserve(struct chunk *chunk, const struct change *changes, size_t count)
{
    size_t wanted = chunk->count;
    for (size_t i = 0; i < count; i++)
        wanted += is_insert(&changes[i]);
    if (wanted <= chunk->capacity)
        return 0;
    size_t capacity = chunk->capacity * 2 > 8 ? chunk->capacity * 2 : 8;
    if (capacity < wanted)
        capacity = wanted;
    struct slot *slots = (struct slot *)realloc(chunk->slots, capacity * sizeof *slots);
    if (!slots)
        return ERR_NO_MEMORY;
    chunk->slots = slots;
    chunk->capacity = capacity;
    return 0;
}

/* Everything that can fail: a new cell where one is needed, room in the chunks. */
static int prepare(struct table *self, const struct change *changes, size_t count)
{
    if (count > self->fresh_capacity) {
        struct cell **fresh = (struct cell **)realloc(self->fresh, count * sizeof *fresh);
        if (!fresh)
            return ERR_NO_MEMORY;
        self->fresh = fresh;
        self->fresh_capacity = count;
    }
    for (size_t end = count, start, chunk; end; end = start) {
        start = same_chunk(self, changes, end, &chunk);
        if (chunk_reserve(&self->chunks[chunk], changes + start, end - start))
            return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        const struct change *change = &changes[i];
        bool fits = !is_insert(change) && change->before.size == change->after.size;
        self->fresh[i] = NULL;
        if (!change->after.data || fits)
            continue;
        self->fresh[i] = cell_new(change->key, change->after);
        if (!self->fresh[i]) {
            while (i--)
                free(self->fresh[i]);
            return ERR_NO_MEMORY;
        }
    }
    return 0;
}

static void chunk_replace(struct chunk *chunk, const struct change *change, struct cell *fresh)
{
    size_t at = slot_from(chunk, chunk->count, prefix_of(change->key), change->key, false);
    struct cell *cell = chunk->slots[at].cell;
    if (change->after.data && !fresh) {
        if (change->after.size)
            memcpy(cell->bytes + cell->key_bytes, change->after.data, change->after.size);
        return;
    }
    free(cell);
    chunk->slots[at].cell = fresh;
    if (!fresh) {
        chunk->count--;
        memmove(chunk->slots + at, chunk->slots + at + 1,
                (chunk->count - at) * sizeof *chunk->slots);
    }
}

/* Inserts from the last to the first, so that each slot moves once, to where it stays. */
static void chunk_insert(struct chunk *chunk, const struct change *changes, struct cell **fresh,
                         size_t count)
{
    size_t gap = 0, end = chunk->count;
    for (size_t i = 0; i < count; i++)
        gap += is_insert(&changes[i]);
    chunk->count += gap;
    for (size_t i = count; gap; i--) {
        struct slice key = changes[i - 1].key;
        if (!is_insert(&changes[i - 1]))
            continue;
        size_t at = slot_from(chunk, end, prefix_of(key), key, false);
        memmove(chunk->slots + at + gap, chunk->slots + at, (end - at) * sizeof *chunk->slots);
        gap--;
        chunk->slots[at + gap] = (struct slot){prefix_of(key), fresh[i - 1]};
        end = at;
    }
}

static void chunk_drop(struct table *self, size_t chunk)
{
    free(self->chunks[chunk].slots);
    self->chunk_count--;
    memmove(self->chunks + chunk, self->chunks + chunk + 1,
            (self->chunk_count - chunk) * sizeof *self->chunks);
}

/* New chunks that hold all but the first CHUNK_SLOTS slots of a long one; NULL without memory. */
static struct chunk *parts_of(const struct chunk *whole, size_t parts)
{
    struct chunk *list = (struct chunk *)calloc(parts, sizeof *list);
    for (size_t i = 0, from = CHUNK_SLOTS; list && i < parts; i++, from += CHUNK_SLOTS) {
        list[i] = (struct chunk){.count = i + 1 < parts ? CHUNK_SLOTS : whole->count - from,
                                 .capacity = CHUNK_SLOTS_MAX};
        list[i].slots = (struct slot *)malloc(CHUNK_SLOTS_MAX * sizeof *list[i].slots);
        if (!list[i].slots) {
            while (i--)
                free(list[i].slots);
            free(list);
            return NULL;
        }
        memcpy(list[i].slots, whole->slots + from, list[i].count * sizeof *list[i].slots);
    }
    return list;
}

static bool make_chunk_room(struct table *self, size_t more)
{
    if (more <= self->chunk_capacity - self->chunk_count)
        return true;
    size_t capacity = 2 * (self->chunk_count + more);
    struct chunk *chunks = (struct chunk *)realloc(self->chunks, capacity * sizeof *chunks);
    if (!chunks)
        return false;
    self->chunks = chunks;
    self->chunk_capacity = capacity;
    return true;
}

/* Cuts a chunk that is too long. Without memory it stays long, which is slower and no worse. */
static void chunk_split(struct table *self, size_t chunk)
{
    size_t more = self->chunks[chunk].count / CHUNK_SLOTS - 1;
    struct chunk *parts = make_chunk_room(self, more) ? parts_of(&self->chunks[chunk], more) : NULL;
    if (!parts)
        return;
    struct chunk *whole = &self->chunks[chunk];
    memmove(whole + 1 + more, whole + 1, (self->chunk_count - chunk - 1) * sizeof *whole);
    memcpy(whole + 1, parts, more * sizeof *parts);
    self->chunk_count += more;
    free(parts);
    whole->count = CHUNK_SLOTS;
    struct slot *slots =
        (struct slot *)realloc(whole->slots, CHUNK_SLOTS_MAX * sizeof *whole->slots);
    if (slots) {
        whole->slots = slots;
        whole->capacity = CHUNK_SLOTS_MAX;
    }
}

static void chunk_apply(struct table *self, size_t at, const struct change *changes,
                        struct cell **fresh, size_t count)
{
    struct chunk *chunk = &self->chunks[at];
    size_t before = chunk->count;
    for (size_t i = 0; i < count; i++)
        if (!is_insert(&changes[i]))
            chunk_replace(chunk, &changes[i], fresh[i]);
    chunk_insert(chunk, changes, fresh, count);
    self->count += chunk->count;
    self->count -= before;
    if (chunk->count > CHUNK_SLOTS_MAX)
        chunk_split(self, at);
    else if (chunk->count == 0 && self->chunk_count > 1)
        chunk_drop(self, at);
}

int table_apply(struct table *self, const struct change *changes, size_t count)
{
    int rc = prepare(self, changes, count);
    if (rc)
        return rc;
    /* from the last chunk to the first: a split or a drop moves only what is done */
    for (size_t end = count, start, chunk; end; end = start) {
        start = same_chunk(self, changes, end, &chunk);
        chunk_apply(self, chunk, changes + start, self->fresh + start, end - start);
    }
    return 0;
}
