#include "actors/storage.h"

#include <stdlib.h>
#include <uthash.h>

struct watched_key {
    struct contract_key key;
    UT_hash_handle hh;
};

storage_t *storage_new(const struct storage_options *options)
{
    storage_t *self = (storage_t *)calloc(1, sizeof *self);
    if (!self)
        return NULL;
    struct store_stats stats;
    store_stats(options->store, &stats);
    self->options = *options;
    self->last_seq = self->flushed_seq = stats.last_seq;
    self->fold_at_ms = store_foldable(options->store) ? 0 : NEVER; /* the log's rest, at once */
    self->jobs_end = &self->jobs;
    self->room_at_ms = self->kept_until_ms = NEVER;
    return self;
}

void storage_destroy(storage_t **pointer)
{
    storage_t *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    storage_jobs_free(self);
    storage_forget_kept(self);
    mail_free(&self->for_flush);
    mail_free(&self->reads_for_flush);
    mail_free(&self->reads_for_room);
    mail_free(&self->for_fold);
    mail_free(&self->walks);
    mail_free(&self->walks_waiting);
    mail_free(&self->walks_for_flush);
    struct watched_key *row, *next;
    HASH_ITER (hh, self->watched, row, next) {
        HASH_DEL(self->watched, row);
        free(row);
    }
    struct message *batch = (struct message *)self->batch;
    if (batch) {
        batch->kind = MESSAGE_APPEND;
        message_free(&batch);
    }
    free(self);
}

/* --- answers ----------------------------------------------------------------------------- */

void storage_answer(struct request *request, int code, struct outbox *out)
{
    enum message_kind asked = (enum message_kind)request->head.kind;
    enum message_kind answer = asked == MESSAGE_READ    ? MESSAGE_READ_DONE
                               : asked == MESSAGE_ABOUT ? MESSAGE_ABOUT_DONE
                               : asked == MESSAGE_DROP  ? MESSAGE_DROPPED
                                                        : MESSAGE_MERGED;
    request->code = code;
    send_to(out, request->asked_by, answer, &request->head);
}

void storage_answer_fault(const storage_t *self, struct request *request, struct outbox *out)
{
    request->why = self->fault_why;
    storage_answer(request, self->fault, out);
}

bool storage_is_durable(const storage_t *self, uint64_t seq)
{
    return self->options.relaxed || seq <= self->flushed_seq;
}

void storage_merged(storage_t *self, struct request *request, struct outbox *out)
{
    if (request->durable_there ||
        (storage_is_durable(self, request->change.seq) && !self->for_flush.first))
        storage_answer(request, 0, out);
    else
        mail_push(&self->for_flush, &request->head);
}

void storage_read_done(storage_t *self, struct request *request, struct outbox *out)
{
    bool there = request->durable_there &&
                 memcmp(&request->there, &request->reading.fingerprint, sizeof request->there) == 0;
    if (there || storage_is_durable(self, request->reading.seq)) {
        storage_answer(request, 0, out);
    } else if (self->fault) { /* no flush will come */
        storage_answer_fault(self, request, out);
    } else {
        mail_push(&self->reads_for_flush, &request->head);
    }
}

/* --- merges ------------------------------------------------------------------------------ */

static bool is_watched(const storage_t *self, const struct contract_key *key)
{
    struct watched_key *row;
    HASH_FIND(hh, self->watched, key, sizeof *key, row);
    return row != NULL;
}

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

/* Without memory for the log's list or a subscriber's message the change is in memory but can be
 * neither logged nor told: that is a fault, and nothing more is acknowledged. */
static int out_of_memory(storage_t *self)
{
    self->fault = ERR_INTERNAL;
    return fail(&self->fault_why, ERR_INTERNAL, "out of memory; restart the node");
}

int storage_took(storage_t *self, const struct request *request, struct store_change *change,
                 struct now now)
{
    if (!change->record)
        return 0;
    struct append *batch = batch_with_room(self);
    if (!batch) {
        blob_release(&change->record);
        return out_of_memory(self);
    }
    if (change->changed && is_watched(self, &request->key)) {
        struct changed *told = (struct changed *)message_new(sizeof *told);
        if (!told) {
            blob_release(&change->record);
            return out_of_memory(self);
        }
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
    return 0;
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

static void start_merge(storage_t *self, struct request *request, struct now now,
                        struct outbox *out)
{
    if (self->fault) {
        storage_answer_fault(self, request, out);
        return;
    }
    if (request->deadline_ms &&
        now.ms >= request->deadline_ms) { /* answered TIMEOUT: not done now */
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
    if (rc == ERR_AGAIN && self->fold_code) {
        refuse_for_fold(self, request, out);
    } else if (rc == ERR_AGAIN) {
        mail_push(&self->for_fold, &request->head);
    } else {
        if (rc == 0)
            rc = storage_took(self, request, &request->change, now);
        if (rc)
            storage_answer(request, rc, out);
        else
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

/* --- reads ------------------------------------------------------------------------------- */

/* A subscriber that has the state already gets no state. True when it was answered so. */
static bool read_nothing_new(storage_t *self, struct request *request, struct outbox *out)
{
    const struct held *held;
    if (request->verb != VERB_SUBSCRIBE || request->args_count < 2 ||
        request->args[1].size != FINGERPRINT_BYTES)
        return false;
    if (store_find(self->options.store, &request->key, &held, NULL) != 0 ||
        memcmp(held->fingerprint.bytes, request->args[1].data, FINGERPRINT_BYTES) != 0)
        return false;
    if (storage_read_facts(held, &request->reading) != 0)
        return false;
    storage_read_done(self, request, out);
    return true;
}

/* A large read takes memory until its client has taken the reply. Whoever has one like that to
 * take, or finds all memory for them in use, waits. */
static bool must_wait_for_room(const storage_t *self, const struct request *request)
{
    const struct held *held;
    bool room = owed_bytes(request->owed) == 0 && self->reads < READ_JOBS_MAX && !self->map_short &&
                owed_bytes_of_all() < OWED_BYTES_MAX;
    return !room && store_find(self->options.store, &request->key, &held, NULL) == 0 &&
           held->summary.state_bytes > READ_SLICE_BYTES;
}

static void wait_for_room(storage_t *self, struct request *request, struct now now,
                          struct outbox *out)
{
    unsigned *waiting = request->owed ? owed_waiting(request->owed) : NULL;
    if (request->deadline_ms && now.ms >= request->deadline_ms) {
        storage_answer(request, ERR_TIMEOUT, out);
        return;
    }
    if (waiting && *waiting >= LARGE_READS_WAITING_MAX) {
        int code = fail(&request->why, ERR_BUSY, "%u large reads wait for you to take the last one",
                        *waiting);
        storage_answer(request, code, out);
        return;
    }
    if (waiting)
        ++*waiting;
    mail_push(&self->reads_for_room, &request->head);
    if (self->room_at_ms == NEVER)
        self->room_at_ms = now.ms + READ_RETRY_MS;
}

static void on_read(storage_t *self, struct request *request, struct now now, struct outbox *out)
{
    struct slice first = {NULL, 0}, last = {NULL, 0};
    request->read_at_seq = self->last_seq;
    if (read_nothing_new(self, request, out))
        return;
    if (must_wait_for_room(self, request)) {
        wait_for_room(self, request, now, out);
        return;
    }
    if (storage_read_kept(self, request, now)) {
        storage_read_done(self, request, out);
        return;
    }
    if (request->verb == VERB_GET && request->args_count == 3) {
        first = request->args[1];
        if (request->args[2].size)
            last = request->args[2];
    }
    read_job_t *job = NULL;
    int rc = store_read(self->options.store, &request->key, first, last, &request->reading, &job,
                        &request->why);
    if (rc)
        storage_answer(request, rc, out);
    else if (job)
        storage_job_read(self, request, job, out);
    else
        storage_read_done(self, request, out);
}

/* The reads that waited for room try again, in their order. */
static void retry_reads(storage_t *self, struct now now, struct outbox *out)
{
    struct mail waiting = self->reads_for_room;
    self->reads_for_room = (struct mail){0};
    self->room_at_ms = NEVER;
    for (struct message *m = mail_pop(&waiting); m; m = mail_pop(&waiting)) {
        struct request *request = (struct request *)m;
        if (request->owed)
            --*owed_waiting(request->owed);
        on_read(self, request, now, out);
    }
}

static void on_watch(storage_t *self, const struct watch *watch)
{
    struct watched_key *row;
    HASH_FIND(hh, self->watched, &watch->key, sizeof watch->key, row);
    if (watch->on && !row) {
        row = (struct watched_key *)malloc(sizeof *row);
        if (!row)
            return;
        row->key = watch->key;
        HASH_ADD(hh, self->watched, key, sizeof row->key, row);
        self->watched_count++;
    } else if (!watch->on && row) {
        HASH_DEL(self->watched, row);
        free(row);
        self->watched_count--;
    }
}

/* --- the node's questions ---------------------------------------------------------------- */

/* The list is large where there are many contracts: as with large reads, one at a time for each
 * client. */
static void on_list(storage_t *self, struct request *request, struct outbox *out)
{
    if (self->lists < LIST_JOBS_MAX && owed_bytes(request->owed) == 0) {
        storage_job_list(self, request, out);
        return;
    }
    request->code = fail(&request->why, ERR_BUSY, "lists are under way; try again after them");
    send_to(out, ACTOR_client_api, MESSAGE_REPLY, &request->head);
}

static void on_ask(storage_t *self, struct request *request, struct outbox *out)
{
    if (request->verb == VERB_CONTRACTS) {
        on_list(self, request, out);
        return;
    }
    struct storage_report *report = &request->report;
    store_stats(self->options.store, &report->stats);
    report->log_bytes = self->log_bytes;
    report->waiting_for_fold = self->for_fold.count;
    report->waiting_for_room = self->reads_for_room.count;
    report->jobs = self->jobs_count;
    report->watched = self->watched_count;
    report->relaxed = self->options.relaxed;
    report->fault = self->fault ? self->fault_why : (struct reason){{0}};
    if (!self->fault && self->fold_code)
        report->fault = self->fold_why;
    report->work = self->work;
    report->work_done = atomic_load(&self->options.progress->done);
    report->work_all = atomic_load(&self->options.progress->all);
    send_to(out, ACTOR_client_api, MESSAGE_REPLY, &request->head);
}

/* The keeper reads LMDB beside us: the map must not be moved meanwhile. */
static void on_work(storage_t *self, struct request *request, struct outbox *out)
{
    if (self->work) {
        request->code =
            fail(&request->why, ERR_BUSY, "a %s is under way; try again after it", self->work);
        send_to(out, ACTOR_client_api, MESSAGE_REPLY, &request->head);
        return;
    }
    self->work = request->verb == VERB_BACKUP ? "backup" : "check";
    atomic_store(&self->options.progress->done, 0);
    atomic_store(&self->options.progress->all, 0);
    store_hold_map(self->options.store, true);
    send_to(out, ACTOR_keeper, MESSAGE_WORK, &request->head);
}

static void on_worked(storage_t *self, struct request *request, struct outbox *out)
{
    self->work = NULL;
    store_hold_map(self->options.store, false);
    send_to(out, ACTOR_client_api, MESSAGE_REPLY, &request->head);
}

/* --- as an actor ------------------------------------------------------------------------- */

static void receive(void *actor, struct message *message, struct now now, struct outbox *out)
{
    storage_t *self = (storage_t *)actor;
    struct request *request = (struct request *)message;
    switch ((enum message_kind)message->kind) {
    case MESSAGE_MERGE:
    case MESSAGE_DROP:
        storage_merge(self, request, now, out);
        return;
    case MESSAGE_READ:
        on_read(self, request, now, out);
        return;
    case MESSAGE_ABOUT:
        storage_about(self, request, out);
        return;
    case MESSAGE_HOLDINGS:
        storage_holdings(self, (struct holdings *)message, out);
        return;
    case MESSAGE_WALK:
        storage_walk(self, (struct walk *)message, out);
        return;
    case MESSAGE_ASK:
        on_ask(self, request, out);
        return;
    case MESSAGE_WORK:
        on_work(self, request, out);
        return;
    case MESSAGE_WORKED:
        on_worked(self, request, out);
        return;
    case MESSAGE_FOLDED:
        storage_folded(self, (struct folding *)message, now, out);
        return;
    case MESSAGE_DISPOSED:
        self->disposing = false;
        break;
    case MESSAGE_FLUSHED:
        storage_flushed(self, (const struct flushed *)message, out);
        break;
    case MESSAGE_WATCH:
        on_watch(self, (const struct watch *)message);
        break;
    default:
        break; /* send_to asserts that nothing else comes */
    }
    message_free(&message);
}

static uint64_t deadline_ms(const void *actor)
{
    const storage_t *self = (const storage_t *)actor;
    if (storage_jobs_ready(self) || self->walks.first)
        return 0;
    bool cannot = self->fold_out || self->disposing || self->fault;
    uint64_t fold_at_ms = cannot ? NEVER : self->fold_at_ms;
    uint64_t next_ms = fold_at_ms < self->room_at_ms ? fold_at_ms : self->room_at_ms;
    return next_ms < self->kept_until_ms ? next_ms : self->kept_until_ms;
}

static void tick(void *actor, struct now now, struct outbox *out)
{
    storage_t *self = (storage_t *)actor;
    if (now.ms >= self->room_at_ms)
        retry_reads(self, now, out);
    if (now.ms >= self->kept_until_ms)
        storage_forget_kept(self);
    storage_jobs_step(self, now, out);
    storage_walks_step(self, out);
}

static void turn_end(void *actor, struct now now, struct outbox *out)
{
    storage_t *self = (storage_t *)actor;
    if (self->batch) {
        send_to(out, ACTOR_journal, MESSAGE_APPEND, &self->batch->head);
        self->batch = NULL;
    }
    storage_fold_if_due(self, now, out);
}

const struct actor_spec storage_spec = {
    .id = ACTOR_storage,
    .receive = receive,
    .deadline_ms = deadline_ms,
    .tick = tick,
    .turn_end = turn_end,
};
