#include "contracts/state.h"

#include "contracts/table.h"

#include <stdlib.h>

struct state {
    const struct contract *contract;
    struct table table;
    struct summary summary;
    struct merge merge; /* reused */
};

state_t *state_new(const struct contract *contract)
{
    state_t *self = (state_t *)calloc(1, sizeof *self);
    if (!self || table_init(&self->table)) {
        free(self);
        return NULL;
    }
    self->contract = contract;
    return self;
}

void state_destroy(state_t **self)
{
    state_t *state = *self;
    *self = NULL;
    if (!state)
        return;
    table_free(&state->table);
    merge_free(&state->merge);
    free(state);
}

static int take_changes(state_t *self, size_t *changed)
{
    int rc = table_apply(&self->table, self->merge.changes, self->merge.count);
    if (!rc && changed)
        *changed = self->merge.count;
    return rc;
}

int state_merge(state_t *self, struct slice delta, size_t *changed, struct reason *why)
{
    struct state_reader reader = state_reader(self);
    struct summary summary = self->summary;
    int rc = contract_merge(self->contract, &reader, delta, false, STATE_BYTES_CEILING, &summary,
                            &self->merge, why);
    if (!rc && take_changes(self, changed))
        rc = fail(why, ERR_NO_MEMORY, "no memory for the merged state");
    if (!rc)
        self->summary = summary;
    return rc;
}

int state_join(state_t *self, struct slice delta, size_t *changed)
{
    struct state_reader reader = state_reader(self);
    int rc = contract_join(self->contract, &reader, delta, &self->merge, NULL);
    return rc ? rc : take_changes(self, changed);
}

const struct change *state_changes(const state_t *self, size_t *count)
{
    *count = self->merge.count;
    return self->merge.changes;
}

const struct summary *state_summary(const state_t *self)
{
    return &self->summary;
}

static int reader_get(void *me, struct slice key, struct slice *value)
{
    const state_t *self = (const state_t *)me;
    struct entry entry;
    if (!table_at(&self->table, table_from(&self->table, key, false), &entry) ||
        !slice_equal(entry.key, key))
        return ERR_NOT_FOUND;
    *value = entry.value;
    return 0;
}

static int reader_seek(void *me, struct slice from, bool past, struct entry *entry)
{
    const state_t *self = (const state_t *)me;
    return table_at(&self->table, table_from(&self->table, from, past), entry) ? 0 : ERR_NOT_FOUND;
}

static uint64_t reader_count(void *me)
{
    const state_t *self = (const state_t *)me;
    return self->table.count;
}

struct state_reader state_reader(state_t *self)
{
    return (struct state_reader){self, reader_get, reader_seek, reader_count};
}

int state_encode(const state_t *self, struct buffer *out)
{
    struct entry entry;
    struct place place = {0};
    for (; place.chunk < self->table.chunk_count; place.chunk++, place.slot = 0)
        for (; table_at(&self->table, place, &entry); place.slot++)
            entry_append(out, entry.key, entry.value);
    return buffer_failed(out) ? ERR_NO_MEMORY : 0;
}
