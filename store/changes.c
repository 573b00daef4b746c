#include "store/store_state.h"

#include "store/record.h"

#include <assert.h>

/* One merge on its way through the functions below. */
struct merging {
    const struct contract *contract; /* the caller's, or the held one */
    const struct held *held;         /* NULL: the contract is new */
    struct summary summary;
    uint64_t seq, created_seq;
    bool replay; /* from the log: already checked, durable, and not refused for want of room */
};

/* The contract's kind and parameters go into its records until LMDB has them, so that no record
 * depends on another one. */
static uint64_t created_seq(const struct layers *view, const struct merging *merging)
{
    const struct overlay_contract *top = view->live ? view->live : view->frozen;
    if (!merging->held)
        return merging->seq;
    return top ? top->created_seq : 0;
}

static void gather_delta(store_t *self)
{
    buffer_clear(&self->delta);
    for (size_t i = 0; i < self->merge.count; i++)
        if (self->merge.changes[i].after.data)
            entry_append(&self->delta, self->merge.changes[i].key, self->merge.changes[i].after);
}

static int make_record(store_t *self, const struct merging *merging, struct blob **record,
                       struct slice *inside, struct reason *why)
{
    gather_delta(self);
    int rc = buffer_failed(&self->delta) ? ERR_NO_MEMORY : 0;
    if (rc == 0)
        rc = record_new(merging->contract, merging->created_seq > self->folded_seq, merging->seq,
                        self->log ? log_synced(self->log) : 0, self->db->salt,
                        buffer_slice(&self->delta), record, inside);
    return rc ? fail(why, rc, "no record could be made of the change: %s", error_text(rc)) : 0;
}

static struct overlay_contract *live_contract(store_t *self, const struct merging *merging)
{
    struct overlay_contract *live = self->view.live;
    if (!live || live->gone) {
        live = live ? overlay_replace(self->live, live, merging->contract)
                    : overlay_add(self->live, merging->contract);
        live->created_seq = merging->created_seq;
        live->is_new = !merging->held;
        live->base_count = merging->held ? merging->held->summary.count : 0;
        self->list_valid = false;
    }
    return live;
}

/* Keys of dropped entries stand in no record: one small blob has them all. */
static int dropped_keys(const struct merge *merge, struct blob **keys)
{
    size_t bytes = 0;
    *keys = NULL;
    for (size_t i = 0; i < merge->count; i++)
        bytes += merge->changes[i].after.data ? 0 : merge->changes[i].key.size + 1;
    if (bytes == 0)
        return 0;
    *keys = blob_new(bytes);
    return *keys ? 0 : ERR_NO_MEMORY;
}

/* Puts the changes into the live overlay; nothing here can fail any more. */
static void put_changes(store_t *self, struct overlay_contract *live, struct blob *record,
                        struct slice delta, struct blob *keys, uint64_t seq)
{
    uint8_t *key = keys ? keys->data : NULL;
    struct entries walk = entries_of(delta);
    for (size_t i = 0; i < self->merge.count; i++) {
        const struct change *change = &self->merge.changes[i];
        struct entry entry;
        if (change->after.data && entry_take(&walk.rest, &entry) == NULL) {
            overlay_put(self->live, live, entry.key, entry.value, record, seq);
            continue;
        }
        assert(key);
        memcpy(key, change->key.data, change->key.size);
        overlay_put(self->live, live, slice_of(key, change->key.size), slice_of(NULL, 0), keys,
                    seq);
        key += change->key.size;
    }
}

/* Makes the merge's result the state: a record, the live overlay, the counts. */
static int commit(store_t *self, const struct merging *merging, struct store_change *out,
                  struct reason *why)
{
    struct blob *record = NULL, *keys = NULL;
    struct slice inside = {0};
    uint64_t seq = merging->replay ? 0 : merging->seq; /* 0: flushed */
    if (!overlay_reserve(self->live, self->merge.count, merging->contract->params.size) ||
        dropped_keys(&self->merge, &keys))
        return fail(why, ERR_NO_MEMORY, "no memory for the change");
    int rc = make_record(self, merging, &record, &inside, why);
    if (rc) {
        blob_release(&keys);
        return rc;
    }
    if (merging->seq > self->last_seq)
        self->last_seq = merging->seq;
    struct overlay_contract *live = live_contract(self, merging);
    put_changes(self, live, record, inside, keys, seq);
    blob_release(&keys);
    self->live->bytes += record->size;
    self->merged_bytes += record->size;
    self->contracts += !merging->held;
    self->entries += merging->summary.count - (merging->held ? merging->held->summary.count : 0);
    live->held.summary = merging->summary;
    live->held.fingerprint = out->after;
    live->held.seq = seq;
    out->seq = seq;
    out->record = record;
    out->delta = inside;
    self->found_valid = false;
    return 0;
}

/* Merges into what self->view shows, which is open on the contract. */
static int merge(store_t *self, struct merging *merging, struct slice delta,
                 struct store_change *out, struct reason *why)
{
    const struct held *held = merging->held;
    struct store_change change = {.created = !held};
    struct summary empty = {0};
    merging->summary = held ? held->summary : empty;
    change.before = held ? held->fingerprint : summary_fingerprint(&empty);
    self->view.count = merging->summary.count;
    merging->created_seq = created_seq(&self->view, merging);
    struct state_reader reader = layers_reader(&self->view);
    int rc = contract_merge(merging->contract, &reader, delta, merging->replay,
                            merging->replay ? UINT64_MAX : self->options.state_bytes_max,
                            &merging->summary, &self->merge, why);
    if (rc)
        return self->view.why.text[0] ? fail(why, rc, "%s", self->view.why.text) : rc;
    change.changed = self->merge.count;
    change.after = change.before;
    change.seq = held ? held->seq : 0;
    if (change.changed || change.created) {
        if (change.changed)
            change.after = summary_fingerprint(&merging->summary);
        bool shrinks = held && merging->summary.state_bytes < held->summary.state_bytes;
        rc = merging->replay ? 0 : store_check_room(self, delta.size, shrinks, why);
        if (rc == 0)
            rc = commit(self, merging, &change, why);
    }
    if (rc == 0)
        *out = change;
    return rc;
}

static int check_delta(store_t *self, struct slice delta, struct reason *why)
{
    if (delta.size > LOG_RECORD_BYTES_MAX / 2)
        return fail(why, ERR_TOO_LARGE, "a change of %zu bytes is over the %u of one merge",
                    delta.size, LOG_RECORD_BYTES_MAX / 2);
    if (store_must_wait(self))
        return fail(why, ERR_AGAIN, "the fold has to catch up");
    return 0;
}

int store_merge(store_t *self, const struct contract *contract, bool create, struct slice delta,
                struct store_change *out, struct reason *why)
{
    struct merging merging = {.contract = contract, .seq = self->last_seq + 1};
    int rc = check_delta(self, delta, why);
    if (rc)
        return rc;
    layers_open(&self->view, self, &contract->key);
    rc = layers_find(&self->view, &merging.held, why);
    if (rc == ERR_NOT_FOUND && !create)
        return fail(why, rc, "%s is not known here", name_contract(&contract->key).text);
    if (rc == ERR_NOT_FOUND) {
        merging.held = NULL;
        self->view.stored = false;
        rc = 0;
    } else if (rc == 0) {
        merging.contract = &merging.held->contract; /* the caller may know no more than its key */
    }
    return rc ? rc : merge(self, &merging, delta, out, why);
}

int store_edit(store_t *self, const struct contract_key *key, const struct editor *editor,
               struct slice verb, const struct slice *operands, size_t count,
               struct store_change *out, struct reason *why)
{
    struct merging merging = {.seq = self->last_seq + 1};
    if (store_is_damaged(self, key))
        return store_tell_damaged(self, key, why);
    int rc = store_find(self, key, &merging.held, why);
    if (rc)
        return rc;
    merging.contract = &merging.held->contract;
    if (merging.contract->writers.size)
        return fail(why, ERR_DENIED,
                    "the contract has listed writers, and takes signed deltas alone");
    buffer_clear(&self->edit);
    self->view.count = merging.held->summary.count;
    struct state_reader reader = layers_reader(&self->view);
    rc = kind_edit(merging.contract, &reader, editor, verb, operands, count, &self->edit, why);
    if (rc)
        return self->view.why.text[0] ? fail(why, rc, "%s", self->view.why.text) : rc;
    rc = check_delta(self, buffer_slice(&self->edit), why);
    return rc ? rc : merge(self, &merging, buffer_slice(&self->edit), out, why);
}

/* The record's contract: told by the record, or known. */
static int replayed_contract(store_t *self, const struct log_record *record,
                             struct contract *contract, struct reason *why)
{
    struct contract_key key;
    memcpy(key.bytes, record->contract, sizeof key.bytes);
    if (record->kind.size) {
        int rc = contract_init(contract, record->kind, record->params, why);
        return rc || memcmp(contract->key.bytes, key.bytes, sizeof key.bytes) ? ERR_DAMAGED : 0;
    }
    const struct held *held;
    int rc = store_find(self, &key, &held, why);
    if (rc == 0)
        *contract = held->contract;
    return rc == ERR_NOT_FOUND ? ERR_DAMAGED : rc;
}

int store_replay_merge(store_t *self, const struct log_record *record, struct reason *why)
{
    struct contract contract;
    int rc = replayed_contract(self, record, &contract, why);
    if (rc)
        return rc;
    struct merging merging = {.contract = &contract, .seq = record->seq, .replay = true};
    struct store_change change = {0};
    layers_open(&self->view, self, &contract.key);
    rc = layers_find(&self->view, &merging.held, why);
    if (rc && rc != ERR_NOT_FOUND)
        return rc;
    if (rc)
        merging.held = NULL;
    rc = merge(self, &merging, record->delta, &change, why);
    blob_release(&change.record);
    return rc == ERR_BAD_STATE || rc == ERR_TOO_LARGE ? ERR_DAMAGED : rc;
}
