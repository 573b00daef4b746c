#include "actors/journal.h"

#include <stdlib.h>

/* FULL_LOOK_MS: while nothing waits for room, and all that comes is refused. */
enum { PREPARE_AFTER_MS = 200, FULL_RETRY_MS = 100, FULL_LOOK_MS = 500 };

struct journal {
    log_t *log;
    bool sync;
    struct blob **records; /* holders gathered in this turn */
    size_t count, capacity;
    struct mail apart; /* APPENDs behind these for which there was no memory: written one by one */
    uint64_t last_seq, recycle_seq;
    uint64_t log_bytes;
    uint64_t prepare_at_ms; /* a spare segment is made when nothing else is to do */
    bool full;              /* no room on the disk, or no memory: records wait */
    int code;               /* the first failure is final: what fsync lost cannot be told */
    struct reason why;
};

journal_t *journal_new(log_t *log, bool sync)
{
    journal_t *self = (journal_t *)calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->log = log;
    self->sync = sync;
    self->prepare_at_ms = 0;
    return self;
}

static void release_records(journal_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        blob_release(&self->records[i]);
    self->count = 0;
    mail_free(&self->apart);
}

void journal_destroy(journal_t **self)
{
    if (!*self)
        return;
    release_records(*self);
    free((*self)->records);
    free(*self);
    *self = NULL;
}

static bool make_room(journal_t *self, size_t count)
{
    if (count <= self->capacity)
        return true;
    struct blob **records = (struct blob **)realloc(self->records, 2 * count * sizeof *records);
    if (!records)
        return false;
    self->records = records;
    self->capacity = 2 * count;
    return true;
}

static void on_append(journal_t *self, struct append *append)
{
    struct message *message = &append->head;
    self->last_seq = append->last_seq;
    if (self->apart.first || !make_room(self, self->count + append->count)) {
        mail_push(&self->apart, message);
        return;
    }
    memcpy(self->records + self->count, append->records, append->count * sizeof(struct blob *));
    self->count += append->count;
    append->count = 0; /* the holders are ours now */
    message_free(&message);
}

static void receive(void *actor, struct message *message, struct now now, struct outbox *out)
{
    journal_t *self = (journal_t *)actor;
    (void)out;
    self->prepare_at_ms = now.ms + (self->full ? FULL_RETRY_MS : PREPARE_AFTER_MS);
    if (message->kind == MESSAGE_APPEND) {
        on_append(self, (struct append *)message);
    } else {
        self->recycle_seq = ((const struct flushed *)message)->seq;
        message_free(&message);
    }
}

/* Writes records in batches. Those written are let go, and what is left moves up. */
static int write_records(journal_t *self, struct blob **records, size_t *count)
{
    size_t done = 0;
    int rc = 0;
    while (done < *count && rc == 0) {
        size_t left = *count - done;
        size_t batch = left < LOG_BATCH_RECORDS_MAX ? left : LOG_BATCH_RECORDS_MAX;
        rc = log_append(self->log, records + done, batch, self->sync, &self->log_bytes, &self->why);
        done += rc ? 0 : batch;
    }
    for (size_t i = 0; i < done; i++)
        blob_release(&records[i]);
    *count -= done;
    if (*count)
        memmove(records, records + done, *count * sizeof *records);
    return rc;
}

static int write_waiting(journal_t *self)
{
    int rc = write_records(self, self->records, &self->count);
    while (rc == 0 && self->apart.first) {
        struct append *append = (struct append *)self->apart.first;
        rc = write_records(self, append->records, &append->count);
        if (rc == 0) {
            struct message *written = mail_pop(&self->apart);
            message_free(&written);
        }
    }
    return rc;
}

/* When the disk is full, or there is no memory for the next segment, what is left stays and is
 * tried again: nothing is broken, and nobody was told anything yet. Any other failure is final. */
static void write_gathered(journal_t *self, struct now now)
{
    int rc = self->code ? self->code : write_waiting(self);
    self->full = rc == ERR_STORE_FULL || rc == ERR_NO_MEMORY;
    if (self->full)
        self->prepare_at_ms = now.ms + FULL_RETRY_MS;
    if (rc == 0 || self->full)
        return;
    self->code = rc;
    release_records(self);
}

static void turn_end(void *actor, struct now now, struct outbox *out)
{
    journal_t *self = (journal_t *)actor;
    if (self->count || self->apart.first) {
        struct flushed *flushed = (struct flushed *)message_new(sizeof *flushed);
        if (!flushed) { /* storage waits, and may have nothing more to write */
            self->prepare_at_ms = now.ms + FULL_RETRY_MS;
            return;
        }
        write_gathered(self, now);
        flushed->seq = self->full ? 0 : self->last_seq; /* 0: nothing new, but the log's size */
        flushed->log_bytes = self->log_bytes;
        flushed->code = self->code;
        flushed->why = self->why;
        send_to(out, ACTOR_storage, MESSAGE_FLUSHED, &flushed->head);
    }
    if (self->recycle_seq) {
        log_recycle(self->log, self->recycle_seq);
        self->recycle_seq = 0;
    }
}

static uint64_t deadline_ms(const void *actor)
{
    return ((const journal_t *)actor)->prepare_at_ms;
}

static void tick(void *actor, struct now now, struct outbox *out)
{
    journal_t *self = (journal_t *)actor;
    (void)out;
    if (self->full) /* turn_end tries again */
        self->prepare_at_ms = now.ms + FULL_RETRY_MS;
    else if (self->code || !log_prepare(self->log))
        self->prepare_at_ms = log_is_full(self->log) ? now.ms + FULL_LOOK_MS : NEVER;
}

const struct actor_spec journal_spec = {
    .id = ACTOR_journal,
    .receive = receive,
    .deadline_ms = deadline_ms,
    .tick = tick,
    .turn_end = turn_end,
};
