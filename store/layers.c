#include "store/store_state.h"

void layers_open(struct layers *self, store_t *store, const struct contract_key *key)
{
    const struct overlay *frozen = store_frozen(store);
    self->store = store;
    self->key = *key;
    self->live = overlay_find(store->live, key);
    bool over = self->live && self->live->over;
    self->frozen = frozen && !over ? overlay_find(frozen, key) : NULL;
    over = over || (self->frozen && self->frozen->over);
    const struct overlay_contract *top = self->live ? self->live : self->frozen;
    self->stored = !over && (!top || top->created_seq <= store->folded_seq);
    self->gone = top && top->gone;
    self->count = top ? top->held.summary.count : 0;
    self->why.text[0] = 0;
}

const struct held *layers_held(const struct layers *self)
{
    const struct overlay_contract *top = self->live ? self->live : self->frozen;
    if (!top || self->gone ||
        memcmp(top->held.contract.key.bytes, self->key.bytes, CONTRACT_KEY_BYTES) != 0)
        return NULL;
    return &top->held;
}

/* 0 with *entry NULL: neither overlay has it. */
static const struct overlay_entry *overlays_get(const struct layers *self, struct slice key)
{
    const struct overlay_entry *entry =
        self->live ? overlay_get(self->store->live, self->live, key) : NULL;
    if (!entry && self->frozen)
        entry = overlay_get(store_frozen(self->store), self->frozen, key);
    return entry;
}

static int layers_get(void *me, struct slice key, struct slice *value)
{
    struct layers *self = (struct layers *)me;
    const struct overlay_entry *entry = overlays_get(self, key);
    if (entry && !entry->value)
        return ERR_NOT_FOUND;
    if (entry) {
        *value = overlay_value(entry);
        return 0;
    }
    if (!self->stored)
        return ERR_NOT_FOUND;
    return reader_entry(&self->store->reader, &self->key, key, value, &self->why);
}

/* LMDB's first entry from there on. */
static int stored_seek(struct layers *self, struct slice from, bool past, struct entry *entry)
{
    if (!self->stored)
        return ERR_NOT_FOUND;
    struct db_reader *reader = &self->store->reader;
    struct state_key at = state_key_of(&self->key, ROW_ENTRY, from);
    struct entry row;
    int rc = reader_row(reader, state_key_slice(&at), true, &row, &self->why);
    if (rc == 0 && past && slice_equal(row.key, state_key_slice(&at)))
        rc = reader_following(reader, &row, &self->why);
    if (rc == 0 && !state_key_is_entry(row.key, &self->key))
        return ERR_NOT_FOUND;
    return rc ? rc : reader_decode(reader, &self->key, row, entry, &self->why);
}

/* The least of the three from there on; `dropped` when the uppermost layer that has it hides it. */
static int least(struct layers *self, struct slice from, bool past, struct entry *entry,
                 bool *dropped)
{
    const struct overlay_contract *overlays[] = {self->live, self->frozen};
    int rc = stored_seek(self, from, past, entry);
    if (rc && rc != ERR_NOT_FOUND)
        return rc;
    *dropped = false;
    for (int i = 1; i >= 0; i--) {
        const struct overlay_entry *at = overlays[i] ? overlay_seek(overlays[i], from, past) : NULL;
        if (!at || (rc == 0 && slice_compare(overlay_key(at), entry->key) > 0))
            continue;
        *entry = (struct entry){overlay_key(at), overlay_value(at)};
        *dropped = !at->value;
        rc = 0;
    }
    return rc;
}

static int layers_seek(void *me, struct slice from, bool past, struct entry *entry)
{
    struct layers *self = (struct layers *)me;
    bool dropped;
    int rc = least(self, from, past, entry, &dropped);
    while (rc == 0 && dropped)
        rc = least(self, entry->key, true, entry, &dropped);
    return rc;
}

static uint64_t layers_count(void *me)
{
    return ((const struct layers *)me)->count;
}

struct state_reader layers_reader(struct layers *self)
{
    return (struct state_reader){
        .self = self, .get = layers_get, .seek = layers_seek, .count = layers_count};
}
