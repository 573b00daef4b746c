/* MERGE and DROP: what is small is merged at once, its record goes into this turn's APPEND; what is
 * large becomes a job; what finds the overlay full waits for the fold, in order. */
#include "actors/storage.h"
#include "base/limits.h"
#include "base/trace.h"

#include <stdlib.h>

/* This turn's APPEND, with room for one more record. */
static struct append *batch_with_room(storage_t *self)
{
    if (!self->batch)
        self->batch = (struct append *)message_new(sizeof *self->batch);
    struct append *batch = self->batch;
    if (!batch || batch->count < batch->capacity)
        return batch;
    size_t capacity = batch->capacity ? batch->capacity * 2 : 16;
    struct blob **records =
        (struct blob **)realloc(batch->records, capacity * sizeof(struct blob *));
    if (!records)
        return NULL;
    batch->records = records;
    batch->capacity = capacity;
    return batch;
}

int storage_make_ready(storage_t *self, struct reason *why)
{
    if (!self->changed)
        self->changed = (struct changed *)message_new(sizeof *self->changed);
    return self->changed && batch_with_room(self) ? 0 : fail(why, ERR_INTERNAL, "out of memory");
}

void storage_took(storage_t *self, const struct request *request, struct store_change *change,
                  struct now now)
{
    struct append *batch = self->batch;
    if (!change->record)
        return;
    if (change->changed && storage_is_watched(self, &request->key)) {
        struct changed *told = self->changed;
        self->changed = NULL;
        told->head.kind = MESSAGE_CHANGED;
        told->key = request->key;
        told->origin = request->origin;
        told->before = change->before;
        told->after = change->after;
        told->record = blob_hold(change->record);
        told->delta = change->delta;
        told->seq = change->seq;
        mail_push(&self->for_flush, &told->head);
    }
    batch->records[batch->count++] = change->record;
    batch->last_seq = self->last_seq = change->seq;
    change->record = NULL;
    if (self->fold_at_ms == NEVER)
        self->fold_at_ms = now.ms + FOLD_EVERY_MS;
}

/* What was merged since hosting saw its fingerprint, and was told as durable, does not go. */
static int drop(store_t *store, struct request *request)
{
    const struct fingerprint *seen = &request->reading.fingerprint;
    const struct held *held;
    int rc = store_find(store, &request->key, &held, &request->why);
    if (rc == 0 && memcmp(seen, &held->fingerprint, sizeof *seen) != 0)
        return fail(&request->why, ERR_BUSY, "the contract has changed since it was looked at");
    return rc ? rc : store_drop(store, &request->key, &request->change, &request->why);
}

/* The merge of one request that is small enough for one go, or a drop. */
static int merge_now(storage_t *self, struct request *request, struct now now)
{
    store_t *store = self->options.store;
    struct store_change *change = &request->change;
    int ready = storage_make_ready(self, &request->why);
    if (ready)
        return ready;
    if (request->head.kind == MESSAGE_DROP)
        return drop(store, request);
    if (request->verb == VERB_PUT)
        return store_merge(store, &request->contract, true, request->args[2], change,
                           &request->why);
    if (request->verb == VERB_UPDATE) {
        struct contract by_key = {.key = request->key};
        return store_merge(store, &by_key, false, request->args[1], change, &request->why);
    }
    struct editor editor = {.now_ms = now.wall_ms};
    memcpy(editor.replica, self->options.replica, sizeof editor.replica);
    return store_edit(store, &request->key, &editor, request->args[1], request->args + 2,
                      request->args_count - 2, change, &request->why);
}

/* What a peer sends in bulk may come faster than it is merged: what is small does not wait behind
 * all of it (lesson C5). */
static bool is_bulk(const struct request *request, struct slice delta)
{
    return request->origin && delta.size >= PEER_BULK_BYTES;
}

/* Is it a job? (A contract that is not known is merge_now's to refuse.) */
static bool is_large(storage_t *self, const struct request *request)
{
    const struct held *held;
    if (request->head.kind == MESSAGE_DROP)
        return false;
    if (request->verb == VERB_PUT)
        return is_bulk(request, request->args[2]) ||
               storage_is_large(&request->contract, request->args[2]);
    if (request->verb != VERB_UPDATE || request->args[1].size <= STORAGE_SIGNED_SLICE_BYTES)
        return false;
    return store_find(self->options.store, &request->key, &held, NULL) == 0 &&
           (is_bulk(request, request->args[1]) ||
            storage_is_large(&held->contract, request->args[1]));
}

static void refuse_for_fold(storage_t *self, struct request *request, struct outbox *out)
{
    int code = fail(&request->why, self->fold_code, "%s", self->fold_why.text);
    storage_answer(request, code, out);
}

/* What lost a part is written to by none but those who give it back. */
static bool is_refused(const storage_t *self, const struct request *request)
{
    bool gives_back = request->asked_by == ACTOR_sync || request->asked_by == ACTOR_hosting;
    return !gives_back && store_is_damaged(self->options.store, &request->key);
}

/* Who runs the node hears of it from its log, and not with each change that is refused. */
static void tell_full(storage_t *self, const struct request *request, struct now now)
{
    if (now.ms < self->tell_full_at_ms)
        return;
    self->tell_full_at_ms = now.ms + TELL_FULL_EVERY_MS;
    trace(TRACE_warn, "changes are refused: %s", request->why.text);
}

static void start_merge(storage_t *self, struct request *request, struct now now,
                        struct outbox *out)
{
    if (self->fault) {
        storage_answer_fault(self, request, out);
        return;
    }
    if (is_refused(self, request)) {
        int code = store_tell_damaged(self->options.store, &request->key, &request->why);
        storage_answer(request, code, out);
        return;
    }
    if (request->deadline_ms && now.ms >= request->deadline_ms) { /* told TIMEOUT: not done now */
        storage_answer(request, ERR_TIMEOUT, out);
        return;
    }
    if (request->head.kind == MESSAGE_DROP && storage_jobs_merge(self, &request->key)) {
        int code = fail(&request->why, ERR_BUSY, "a large merge is under way; drop it after that");
        storage_answer(request, code, out);
        return;
    }
    if (is_large(self, request)) {
        storage_job_merge(self, request, out);
        return;
    }
    int rc = merge_now(self, request, now);
    if (rc == ERR_STORE_FULL)
        tell_full(self, request, now);
    if (rc == ERR_AGAIN && self->fold_code) {
        refuse_for_fold(self, request, out);
    } else if (rc == ERR_AGAIN) {
        mail_push(&self->for_fold, &request->head);
    } else {
        if (rc) {
            storage_answer(request, rc, out);
            return;
        }
        storage_took(self, request, &request->change, now);
        storage_merged(self, request, out);
    }
}

void storage_merge(storage_t *self, struct request *request, struct now now, struct outbox *out)
{
    if (self->for_fold.first && !self->fault)
        mail_push(&self->for_fold, &request->head); /* behind those who wait already */
    else
        start_merge(self, request, now, out);
}
