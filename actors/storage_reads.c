/* READ: at once, as a job, or when there is memory for one more large reply. */
#include "actors/storage.h"

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

void storage_read(storage_t *self, struct request *request, struct now now, struct outbox *out)
{
    struct slice first = {NULL, 0}, last = {NULL, 0};
    request->read_at_seq = self->last_seq;
    if (store_is_damaged(self->options.store, &request->key)) {
        storage_answer(request,
                       store_tell_damaged(self->options.store, &request->key, &request->why), out);
        return;
    }
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
    if (rc == ERR_DENIED && request->verb == VERB_GET) {
        request->why.text[0] = 0; /* to who asks, a key nearly another's is just not known */
        rc = ERR_NOT_FOUND;
    }
    if (rc)
        storage_answer(request, rc, out);
    else if (job)
        storage_job_read(self, request, job, out);
    else
        storage_read_done(self, request, out);
}

/* The reads that waited for room try again, in their order. */
void storage_retry_reads(storage_t *self, struct now now, struct outbox *out)
{
    struct mail waiting = self->reads_for_room;
    self->reads_for_room = (struct mail){0};
    self->room_at_ms = NEVER;
    for (struct message *m = mail_pop(&waiting); m; m = mail_pop(&waiting)) {
        struct request *request = (struct request *)m;
        if (request->owed)
            --*owed_waiting(request->owed);
        storage_read(self, request, now, out);
    }
}
