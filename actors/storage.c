#include "actors/storage.h"

#include <stdlib.h>

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
    storage_forget_watched(self);
    free(self->changed); /* it was never sent: nothing is in it */
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
        storage_read(self, request, now, out);
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
        storage_ask(self, request, out);
        return;
    case MESSAGE_WORK:
        storage_work(self, request, out);
        return;
    case MESSAGE_WORKED:
        storage_worked(self, request, out);
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
    case MESSAGE_HEALED:
        storage_healed(self, (const struct watch *)message, now);
        break;
    case MESSAGE_WATCH:
        storage_watch(self, (struct watch *)message);
        return;
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
        storage_retry_reads(self, now, out);
    if (now.ms >= self->kept_until_ms)
        storage_forget_kept(self);
    storage_jobs_step(self, now, out);
    storage_walks_step(self, out);
}

static void turn_end(void *actor, struct now now, struct outbox *out)
{
    storage_t *self = (storage_t *)actor;
    if (self->batch && self->batch->count) {
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
