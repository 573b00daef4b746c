#include "contracts/merge.h"

#include "contracts/writers.h"

#include <stdlib.h>

int contract_compare(const struct contract *contract, struct slice a, struct slice b)
{
    int order = contract->kind->compare(writers_inner(contract, a), writers_inner(contract, b));
    if (order || !contract_signed(contract))
        return order;
    return slice_compare(a, b); /* equal inner values: the trailers decide */
}

static int add_change(struct merge *self, struct change change)
{
    if (self->count == self->capacity) {
        size_t capacity = self->capacity ? self->capacity * 2 : 16;
        struct change *changes =
            (struct change *)realloc(self->changes, capacity * sizeof *changes);
        if (!changes)
            return ERR_NO_MEMORY;
        self->changes = changes;
        self->capacity = capacity;
    }
    self->changes[self->count++] = change;
    return 0;
}

/* What settle looks at: the joined changes over the base. */
struct merged {
    const struct state_reader *base;
    struct merge *merge;
    size_t joined; /* changes from the join, in key order; after them come base entries dropped */
    uint64_t inserted; /* of the joined, those whose key is new */
};

static int join(const struct contract *contract, struct slice delta, struct merged *self,
                struct reason *why)
{
    struct entries walk = entries_of(delta);
    struct entry entry;
    int more;
    while ((more = entries_next(&walk, &entry, why)) > 0) {
        struct change change = {.key = entry.key, .after = entry.value};
        int found = reader_find(self->base, entry.key, &change.before);
        if (found < 0)
            return fail(why, found, "the state could not be read: %s", error_text(found));
        if (found && contract_compare(contract, entry.value, change.before) <= 0)
            continue;
        self->inserted += !found;
        if (add_change(self->merge, change))
            return fail(why, ERR_NO_MEMORY, "no memory for the changes of a merge");
    }
    self->joined = self->merge->count;
    return more;
}

/* The first joined change with key >= (past: >) the given one. */
static size_t joined_from(const struct merged *self, struct slice key, bool past)
{
    size_t from = 0, to = self->joined;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = slice_compare(self->merge->changes[middle].key, key);
        if (order < 0 || (past && order == 0))
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static struct change *joined_find(const struct merged *self, struct slice key)
{
    size_t at = joined_from(self, key, false);
    if (at == self->joined || !slice_equal(self->merge->changes[at].key, key))
        return NULL;
    return &self->merge->changes[at];
}

static int merged_get(void *me, struct slice key, struct slice *value)
{
    const struct merged *self = (const struct merged *)me;
    const struct change *change = joined_find(self, key);
    if (!change)
        return self->base->get(self->base->self, key, value);
    *value = change->after;
    return 0;
}

static int merged_seek(void *me, struct slice from, bool past, struct entry *entry)
{
    const struct merged *self = (const struct merged *)me;
    size_t at = joined_from(self, from, past);
    int rc = self->base->seek(self->base->self, from, past, entry);
    if ((rc && rc != ERR_NOT_FOUND) || at == self->joined)
        return rc;
    const struct change *change = &self->merge->changes[at];
    if (rc || slice_compare(change->key, entry->key) <= 0)
        *entry = (struct entry){change->key, change->after};
    return 0;
}

static uint64_t merged_count(void *me)
{
    const struct merged *self = (const struct merged *)me;
    return self->base->count(self->base->self) + self->inserted;
}

static int drop(void *me, struct slice key)
{
    struct merged *self = (struct merged *)me;
    struct change *joined = joined_find(self, key);
    if (joined) {
        joined->after = slice_of(NULL, 0);
        return 0;
    }
    struct change change = {.key = key};
    int rc = self->base->get(self->base->self, key, &change.before);
    if (rc)
        return rc;
    buffer_append_slice(&self->merge->keys, key);
    return buffer_failed(&self->merge->keys) ? ERR_NO_MEMORY : add_change(self->merge, change);
}

static int by_key(const void *a, const void *b)
{
    return slice_compare(((const struct change *)a)->key, ((const struct change *)b)->key);
}

/* Points the dropped base entries at their copied keys, puts all in key order, and forgets entries
 * that were inserted and dropped at once. */
static void tidy(struct merged *self)
{
    struct merge *merge = self->merge;
    const uint8_t *key = merge->keys.data;
    for (size_t i = self->joined; i < merge->count; i++) {
        merge->changes[i].key.data = key;
        key += merge->changes[i].key.size;
    }
    if (merge->count > self->joined)
        qsort(merge->changes, merge->count, sizeof *merge->changes, by_key);
    size_t kept = 0;
    for (size_t i = 0; i < merge->count; i++)
        if (merge->changes[i].before.data || merge->changes[i].after.data)
            merge->changes[kept++] = merge->changes[i];
    merge->count = kept;
}

static int settle(const struct contract *contract, struct merged *self, struct reason *why)
{
    if (!contract->kind->settle)
        return 0;
    struct state_reader view = {self, merged_get, merged_seek, merged_count};
    struct drops drops = {self, drop};
    int rc = contract->kind->settle(contract, &view, &drops);
    if (rc)
        return fail(why, rc, "the caps could not be applied: %s", error_text(rc));
    tidy(self);
    return 0;
}

int contract_join(const struct contract *contract, const struct state_reader *state,
                  struct slice delta, struct merge *result, struct reason *why)
{
    struct merged self = {.base = state, .merge = result};
    result->count = 0;
    buffer_clear(&result->keys);
    int rc = join(contract, delta, &self, why);
    if (!rc)
        rc = settle(contract, &self, why);
    if (rc)
        result->count = 0;
    return rc;
}

static uint64_t bytes_after(const struct summary *summary, const struct merge *merge)
{
    uint64_t bytes = summary->state_bytes;
    for (size_t i = 0; i < merge->count; i++) {
        const struct change *change = &merge->changes[i];
        if (change->after.data)
            bytes += entry_size(change->key, change->after);
        if (change->before.data)
            bytes -= entry_size(change->key, change->before);
    }
    return bytes;
}

static void sum_up(struct summary *summary, const struct merge *merge)
{
    for (size_t i = 0; i < merge->count; i++) {
        const struct change *change = &merge->changes[i];
        if (change->before.data)
            summary_remove(summary, change->key, change->before);
        if (change->after.data)
            summary_add(summary, change->key, change->after);
    }
}

int contract_merge(const struct contract *contract, const struct state_reader *state,
                   struct slice delta, bool checked, uint64_t state_bytes_max,
                   struct summary *summary, struct merge *result, struct reason *why)
{
    result->count = 0;
    int rc = checked ? 0 : contract_check(contract, state, delta, NULL, why);
    if (!rc)
        rc = contract_join(contract, state, delta, result, why);
    if (rc)
        return rc;
    uint64_t bytes = bytes_after(summary, result);
    if (bytes > state_bytes_max && bytes > summary->state_bytes) {
        result->count = 0;
        return fail(why, ERR_TOO_LARGE, "the state would have %llu bytes, the most is %llu",
                    (unsigned long long)bytes, (unsigned long long)state_bytes_max);
    }
    sum_up(summary, result);
    return 0;
}

void merge_free(struct merge *self)
{
    free(self->changes);
    buffer_free(&self->keys);
    *self = (struct merge){0};
}
