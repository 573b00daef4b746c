/* What waits for a disk: answers for the log's flush, merges for the fold into LMDB. */
#include "actors/storage.h"
#include "base/trace.h"

#include <stdlib.h>

static uint64_t seq_of(const struct message *message)
{
    if (message->kind == MESSAGE_CHANGED)
        return ((const struct changed *)message)->seq;
    const struct request *request = (const struct request *)message;
    return message->kind == MESSAGE_READ ? request->reading.seq : request->change.seq;
}

/* What waited for the flush leaves; with a fault, merges are refused and changes are not told. */
static void release_flushed(storage_t *self, struct outbox *out)
{
    while (self->for_flush.first &&
           (self->fault || storage_is_durable(self, seq_of(self->for_flush.first)))) {
        struct message *message = mail_pop(&self->for_flush);
        if (message->kind == MESSAGE_CHANGED && self->fault) {
            message_free(&message);
        } else if (message->kind == MESSAGE_CHANGED) {
            send_to(out, ACTOR_subscribe, MESSAGE_CHANGED, message);
        } else {
            struct request *request = (struct request *)message;
            if (self->fault)
                storage_answer_fault(self, request, out);
            else
                storage_answer(request, 0, out);
        }
    }
}

static void release_reads(storage_t *self, struct outbox *out)
{
    struct mail waiting = self->reads_for_flush;
    self->reads_for_flush = (struct mail){0};
    for (struct message *m = mail_pop(&waiting); m; m = mail_pop(&waiting)) {
        struct request *request = (struct request *)m;
        if (self->fault) {
            storage_answer_fault(self, request, out);
        } else if (storage_is_durable(self, request->reading.seq)) {
            storage_answer(request, 0, out);
        } else {
            mail_push(&self->reads_for_flush, m);
        }
    }
}

void storage_flushed(storage_t *self, const struct flushed *flushed, struct outbox *out)
{
    if (flushed->code && !self->fault) {
        self->fault = flushed->code == ERR_STORE_FULL ? ERR_STORE_FULL : ERR_INTERNAL;
        (void)fail(&self->fault_why, self->fault, "the log could not be written: %.160s; restart",
                   flushed->why.text);
        trace(TRACE_error, "nothing is acknowledged from here on: %s", self->fault_why.text);
    }
    if (!flushed->code && flushed->seq > self->flushed_seq)
        self->flushed_seq = flushed->seq;
    self->log_bytes = flushed->log_bytes;
    release_flushed(self, out);
    release_reads(self, out);
    storage_walks_flushed(self, out);
}

static bool fold_is_due(const storage_t *self, struct now now)
{
    if (self->fold_out || self->disposing || self->fault || !store_foldable(self->options.store))
        return false; /* with a fault, nothing that was refused must reach LMDB */
    return now.ms >= self->fold_at_ms ||
           (self->fold_code == 0 && (store_unfolded_bytes(self->options.store) >= FOLD_AT_BYTES ||
                                     self->log_bytes >= LOG_FOLD_AT_BYTES));
}

void storage_fold_if_due(storage_t *self, struct now now, struct outbox *out)
{
    if (!fold_is_due(self, now))
        return;
    struct folding *order = (struct folding *)message_new(sizeof *order);
    fold_t *fold = order ? store_freeze(self->options.store) : NULL;
    bool order_made = order != NULL;
    if (!fold) { /* no memory, or large reads hold the map: soon again */
        free(order);
        self->fold_at_ms = now.ms + FOLD_RETRY_MS;
        self->map_short = order_made;
        return;
    }
    order->fold = fold;
    self->fold_out = true;
    self->map_short = false;
    self->fold_at_ms = NEVER;
    send_to(out, ACTOR_checkpoint, MESSAGE_FOLD, &order->head);
}

/* What waited for room goes on, until the overlay is full again. */
static void resume_merges(storage_t *self, struct now now, struct outbox *out)
{
    struct mail waiting = self->for_fold;
    self->for_fold = (struct mail){0};
    for (struct message *m = mail_pop(&waiting); m; m = mail_pop(&waiting))
        storage_merge(self, (struct request *)m, now, out);
    storage_jobs_unblock(self);
}

static void tell_fold(const struct folding *folded)
{
    if (folded->code)
        trace(folded->code == ERR_AGAIN ? TRACE_debug : TRACE_warn,
              "the log is not folded into LMDB, to be tried again: %s", folded->why.text);
    else
        trace(TRACE_debug, "folded %llu entries into LMDB, up to record %llu",
              (unsigned long long)folded->result.entries, (unsigned long long)folded->result.seq);
}

/* Hosting may know of contracts that nobody needs. */
static void tell_crowded(const storage_t *self, struct outbox *out)
{
    struct store_stats stats;
    store_stats(self->options.store, &stats);
    if (stats.used_bytes / EVICT_AT_PERCENT < stats.bytes_max / 100)
        return;
    struct crowded *crowded = (struct crowded *)message_new(sizeof *crowded);
    if (!crowded)
        return; /* the next fold tells */
    send_to(out, ACTOR_hosting, MESSAGE_CROWDED, &crowded->head);
}

/* The message goes on as DISPOSE when the fold is done. */
void storage_folded(storage_t *self, struct folding *folded, struct now now, struct outbox *out)
{
    struct message *message = &folded->head;
    bool done = folded->code == 0;
    store_thaw(self->options.store, folded->fold, done, done ? &folded->result : NULL);
    self->fold_out = false;
    self->fold_code = folded->code == ERR_AGAIN ? 0 : folded->code;
    self->fold_why = folded->why;
    tell_fold(folded);
    if (store_foldable(self->options.store))
        self->fold_at_ms = now.ms + (folded->code == ERR_AGAIN ? 0 : FOLD_EVERY_MS);
    if (done) {
        struct flushed *recycle = (struct flushed *)message_new(sizeof *recycle);
        if (recycle) { /* else the next fold's tells */
            recycle->seq = folded->result.seq;
            send_to(out, ACTOR_journal, MESSAGE_RECYCLE, &recycle->head);
        }
        self->disposing = true;
        send_to(out, ACTOR_checkpoint, MESSAGE_DISPOSE, message);
        tell_crowded(self, out);
    } else {
        message_free(&message);
    }
    resume_merges(self, now, out);
}
