#include "store/overlay.h"

#include "store/checksum.h"
#include "store/schema.h"

#include <assert.h>
#include <stdlib.h>

static int compare_entries(const struct overlay_entry *a, const struct overlay_entry *b)
{
    return slice_compare(overlay_key(a), overlay_key(b));
}

RB_GENERATE_INTERNAL(overlay_entries, overlay_entry, link, compare_entries,
                     __attribute__((unused)) static)

struct overlay *overlay_new(uint64_t seed)
{
    struct overlay *self = (struct overlay *)calloc(1, sizeof *self);
    if (self)
        self->seed = seed;
    return self;
}

void overlay_destroy(struct overlay **self)
{
    struct overlay *overlay = *self;
    if (!overlay)
        return;
    *self = NULL;
    for (size_t i = 0; i < overlay->entries.capacity; i++) {
        struct overlay_entry *entry = (struct overlay_entry *)overlay->entries.slots[i].item;
        if (entry)
            blob_release(&entry->record);
    }
    hash_free(&overlay->contracts);
    hash_free(&overlay->entries);
    arena_free(&overlay->arena);
    free(overlay->list);
    free(overlay);
}

static uint64_t contract_hash(const struct overlay *self, const struct contract_key *key)
{
    return checksum_of(slice_of(key->bytes, STATE_PREFIX_BYTES), self->seed);
}

static bool is_contract(const void *item, const void *key)
{
    const struct overlay_contract *contract = (const struct overlay_contract *)item;
    return memcmp(contract->held.contract.key.bytes, ((const struct contract_key *)key)->bytes,
                  STATE_PREFIX_BYTES) == 0;
}

struct overlay_contract *overlay_find(const struct overlay *self, const struct contract_key *key)
{
    return (struct overlay_contract *)hash_find(&self->contracts, contract_hash(self, key),
                                                is_contract, key);
}

static bool list_reserve(struct overlay *self)
{
    if (self->contracts.count < self->list_capacity)
        return true;
    size_t capacity = self->list_capacity ? 2 * self->list_capacity : 64;
    struct overlay_contract **list =
        (struct overlay_contract **)realloc(self->list, capacity * sizeof(self->list[0]));
    if (!list)
        return false;
    self->list = list;
    self->list_capacity = capacity;
    return true;
}

bool overlay_reserve(struct overlay *self, size_t n, size_t params_bytes)
{
    const size_t align = 16;
    return hash_reserve(&self->contracts, 1) && hash_reserve(&self->entries, n) &&
           list_reserve(self) &&
           arena_reserve(&self->arena, n * (sizeof(struct overlay_entry) + align) +
                                           sizeof(struct overlay_contract) + params_bytes +
                                           2 * align);
}

static struct overlay_contract *new_contract(struct overlay *self, const struct contract *contract)
{
    struct overlay_contract *added =
        (struct overlay_contract *)arena_take(&self->arena, sizeof *added);
    uint8_t *params = (uint8_t *)arena_take(&self->arena, contract->params.size);
    assert(added && params);
    RB_INIT(&added->entries);
    if (contract->params.size)
        memcpy(params, contract->params.data, contract->params.size);
    added->held.contract = contract_with_params(contract, params);
    self->bytes += sizeof *added + contract->params.size;
    return added;
}

struct overlay_contract *overlay_add(struct overlay *self, const struct contract *contract)
{
    struct overlay_contract *added = new_contract(self, contract);
    added->at = self->contracts.count;
    self->list[added->at] = added;
    hash_put(&self->contracts, contract_hash(self, &contract->key), added);
    return added;
}

struct overlay_contract *overlay_replace(struct overlay *self, struct overlay_contract *former,
                                         const struct contract *contract)
{
    struct overlay_contract *added = new_contract(self, contract);
    added->at = former->at;
    added->over = true;
    self->list[added->at] = added;
    hash_replace(&self->contracts, contract_hash(self, &contract->key), former, added);
    return added;
}

static uint64_t entry_hash(const struct overlay *self, const struct overlay_contract *contract,
                           struct slice key)
{
    return checksum_of(key, self->seed ^ get_u64(contract->held.contract.key.bytes));
}

static bool is_entry(const void *item, const void *wanted)
{
    const struct overlay_entry *a = (const struct overlay_entry *)item;
    const struct overlay_entry *b = (const struct overlay_entry *)wanted;
    return a->owner == b->owner && compare_entries(a, b) == 0;
}

/* RB and hash ask for entries: this one stands for a key. */
static struct overlay_entry probe_of(const struct overlay_contract *contract, struct slice key)
{
    struct overlay_entry probe;
    memcpy(&probe.owner, &contract, sizeof contract);
    probe.key = key.data;
    probe.key_bytes = (uint8_t)key.size;
    return probe;
}

static struct overlay_entry *find_entry(const struct overlay *self,
                                        const struct overlay_contract *contract, struct slice key,
                                        uint64_t hash)
{
    struct overlay_entry probe = probe_of(contract, key);
    return (struct overlay_entry *)hash_find(&self->entries, hash, is_entry, &probe);
}

const struct overlay_entry *overlay_get(const struct overlay *self,
                                        const struct overlay_contract *contract, struct slice key)
{
    return find_entry(self, contract, key, entry_hash(self, contract, key));
}

void overlay_put(struct overlay *self, struct overlay_contract *contract, struct slice key,
                 struct slice value, struct blob *record, uint64_t seq)
{
    uint64_t hash = entry_hash(self, contract, key);
    struct overlay_entry *entry = find_entry(self, contract, key, hash);
    struct blob *former = entry ? entry->record : NULL;
    bool made = !entry;
    if (made) {
        entry = (struct overlay_entry *)arena_take(&self->arena, sizeof *entry);
        assert(entry);
        entry->owner = contract;
        self->entry_count++;
        self->bytes += sizeof *entry;
    }
    entry->record = blob_hold(record);
    entry->key = key.data;
    entry->key_bytes = (uint8_t)key.size;
    entry->value = value.data;
    entry->value_bytes = (uint32_t)value.size;
    entry->seq = seq;
    if (made) {
        hash_put(&self->entries, hash, entry);
        (void)RB_INSERT(overlay_entries, &contract->entries, entry);
    }
    blob_release(&former);
}

const struct overlay_entry *overlay_seek(const struct overlay_contract *contract, struct slice from,
                                         bool past)
{
    const struct overlay_entry *at = RB_ROOT(&contract->entries), *found = NULL;
    while (at) {
        int order = slice_compare(overlay_key(at), from);
        bool after = past ? order > 0 : order >= 0;
        if (after)
            found = at;
        at = after ? RB_LEFT(at, link) : RB_RIGHT(at, link);
    }
    return found;
}

const struct overlay_entry *overlay_following(const struct overlay_entry *entry)
{
    const struct overlay_entry *at = RB_RIGHT(entry, link);
    if (at) {
        while (RB_LEFT(at, link))
            at = RB_LEFT(at, link);
        return at;
    }
    while ((at = RB_PARENT(entry, link)) && entry == RB_RIGHT(at, link))
        entry = at;
    return at;
}
