/* What storage does for other nodes: the facts of a contract, the list of all, and walks, which
 * read entries for a sync or a far GET part by part.
 *
 * A walk has no snapshot: each slice looks at the state as it is then, which may have changed, or
 * have gone, since the last one. A part leaves when all that may be in it is flushed: nothing is
 * told to others before it is durable here. */
#include "actors/storage.h"
#include "base/trace.h"

int storage_read_facts(const struct held *held, struct reading *reading)
{
    struct slice params = held->contract.params;
    reading->bytes = blob_new(params.size);
    if (!reading->bytes)
        return ERR_NO_MEMORY;
    if (params.size)
        memcpy(reading->bytes->data, params.data, params.size);
    reading->params_bytes = params.size;
    reading->kind = held->contract.kind;
    reading->fingerprint = held->fingerprint;
    reading->seq = held->seq;
    return 0;
}

void storage_healed(storage_t *self, const struct watch *healed, struct now now)
{
    if (!store_is_damaged(self->options.store, &healed->key))
        return;
    store_healed(self->options.store, &healed->key);
    if (self->fold_at_ms == NEVER)
        self->fold_at_ms = now.ms + FOLD_EVERY_MS;
    trace(TRACE_info, "a damaged contract is whole again, from a peer");
}

void storage_about(storage_t *self, struct request *request, struct outbox *out)
{
    const struct held *held;
    int rc = store_find(self->options.store, &request->key, &held, &request->why);
    request->damaged = store_is_damaged(self->options.store, &request->key);
    if (rc == 0 && storage_read_facts(held, &request->reading) != 0)
        rc = fail(&request->why, ERR_NO_MEMORY, "out of memory");
    if (rc)
        storage_answer(request, rc, out);
    else
        storage_read_done(self, request, out);
}

/* Contracts of which no more is left than their keys: hosting looks for them. Nobody can look for
 * half a key. */
static void add_lost(const storage_t *self, struct holdings *holdings)
{
    const struct held *held;
    struct contract_key key;
    bool half;
    while (holdings->count < HOLDINGS_A_SLICE &&
           store_damaged_at(self->options.store, holdings->lost_next, &key, &half)) {
        holdings->lost_next++;
        if (half || store_find(self->options.store, &key, &held, NULL) != ERR_NOT_FOUND)
            continue;
        holdings->keys[holdings->count++] = key;
        holdings->lost++;
    }
    holdings->end = holdings->count < HOLDINGS_A_SLICE;
}

/* Those behind the last one that was told. */
static void add_stored(const storage_t *self, struct holdings *holdings)
{
    const struct held *held;
    struct reason why;
    int rc = 0;
    while (rc == 0 && holdings->count < HOLDINGS_A_SLICE) {
        const struct contract_key *after = holdings->count ? &holdings->keys[holdings->count - 1]
                                           : holdings->started ? &holdings->after
                                                               : NULL;
        rc = store_next(self->options.store, after, &held, &why);
        if (rc == 0)
            holdings->keys[holdings->count++] = held->contract.key;
    }
    if (rc && rc != ERR_NOT_FOUND)
        trace(TRACE_error, "not all stored contracts are shared: %s", why.text);
    holdings->stored_end = rc != 0;
}

void storage_holdings(storage_t *self, struct holdings *holdings, struct outbox *out)
{
    holdings->count = holdings->lost = 0;
    holdings->end = false;
    if (!holdings->stored_end)
        add_stored(self, holdings);
    if (holdings->stored_end)
        add_lost(self, holdings);
    send_to(out, ACTOR_hosting, MESSAGE_HELD, &holdings->head);
}

/* --- walks ------------------------------------------------------------------------------- */

static void answer_walk(struct walk *walk, struct outbox *out)
{
    send_to(out, walk->asked_by, MESSAGE_WALKED, &walk->head);
}

/* A part is full, the walk is at its end, or failed. */
static void finish_part(storage_t *self, struct walk *walk, struct outbox *out)
{
    if (walk->code == 0 && !storage_is_durable(self, walk->seq)) {
        if (!self->fault) {
            mail_push(&self->walks_for_flush, &walk->head);
            return;
        }
        walk->code = self->fault;
        walk->why = self->fault_why;
    }
    answer_walk(walk, out);
}

void storage_walks_flushed(storage_t *self, struct outbox *out)
{
    struct mail waiting = self->walks_for_flush;
    self->walks_for_flush = (struct mail){0};
    for (struct message *m = mail_pop(&waiting); m; m = mail_pop(&waiting))
        finish_part(self, (struct walk *)m, out);
}

static int take_facts(struct walk *walk, const struct held *held)
{
    struct slice params = held->contract.params;
    if (!walk->params) {
        walk->params = blob_new(params.size);
        if (!walk->params)
            return fail(&walk->why, ERR_NO_MEMORY, "out of memory");
        if (params.size)
            memcpy(walk->params->data, params.data, params.size);
    }
    walk->kind = held->contract.kind;
    walk->fingerprint = held->fingerprint;
    walk->seq = held->seq;
    return 0;
}

/* How many entries of this state's usual size are a slice. */
static size_t slice_entries(const struct summary *summary)
{
    uint64_t usual = summary->count ? summary->state_bytes / summary->count : 0;
    uint64_t entries = WALK_SLICE_BYTES / (usual + 1);
    if (entries > WALK_SLICE_ENTRIES_MAX)
        entries = WALK_SLICE_ENTRIES_MAX;
    return entries ? (size_t)entries : 1;
}

/* One slice. True: a part is to be answered. */
static bool step_walk(storage_t *self, struct walk *walk)
{
    const struct held *held;
    size_t before = walk->entries.size;
    walk->code = store_find(self->options.store, &walk->key, &held, &walk->why);
    if (walk->asked_by == ACTOR_get && store_is_damaged(self->options.store, &walk->key))
        walk->code = store_tell_damaged(self->options.store, &walk->key, &walk->why);
    if (walk->code == 0)
        walk->code = take_facts(walk, held);
    if (walk->code)
        return true;
    size_t budget = slice_entries(&held->summary);
    struct state_reader state = store_reader(self->options.store, &walk->key);
    int rc =
        sync_walk_step(walk->walk, &state, budget, PEER_PIECE_BYTES, &walk->entries, &walk->why);
    if (rc == ERR_AGAIN) /* nothing came to what there is: the next entry has no room, or is far */
        return walk->entries.size >= PEER_PIECE_BYTES || (before && walk->entries.size == before);
    walk->code = rc;
    walk->end = rc == 0;
    return true;
}

void storage_walk(storage_t *self, struct walk *walk, struct outbox *out)
{
    buffer_clear(&walk->entries);
    walk->end = false;
    if (step_walk(self, walk))
        finish_part(self, walk, out);
    else
        mail_push(self->walks.count < WALKS_MAX ? &self->walks : &self->walks_waiting, &walk->head);
}

void storage_walks_step(storage_t *self, struct outbox *out)
{
    struct walk *walk = (struct walk *)mail_pop(&self->walks);
    if (!walk)
        return;
    if (step_walk(self, walk)) {
        finish_part(self, walk, out);
        struct message *next = mail_pop(&self->walks_waiting);
        if (next)
            mail_push(&self->walks, next);
    } else {
        mail_push(&self->walks, &walk->head);
    }
}
