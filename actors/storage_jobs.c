/* Large work in slices, one a turn, the jobs in rotation, so that none holds up the small requests
 * between (lesson C5). The jobs that read are here: of a large state (on its own snapshot), of the
 * list of contracts; storage_large_merges.c has those that merge. */
#include "actors/report.h"
#include "actors/storage_jobs.h"

#include <stdlib.h>

static void job_free(struct job *job)
{
    read_job_destroy(&job->read);
    free(job->params);
    buffer_free(&job->json);
    struct message *message = job->request ? &job->request->head : NULL;
    message_free(&message);
    free(job);
}

void storage_jobs_free(storage_t *self)
{
    while (self->jobs) {
        struct job *job = self->jobs;
        self->jobs = job->next;
        job_free(job);
    }
    self->jobs_end = &self->jobs;
    self->jobs_count = 0;
}

static void append_job(storage_t *self, struct job *job)
{
    job->next = NULL;
    *self->jobs_end = job;
    self->jobs_end = &job->next;
    self->jobs_count++;
}

struct job *storage_job_new(storage_t *self, struct request *request, enum job_stage stage)
{
    struct job *job = (struct job *)calloc(1, sizeof *job);
    if (!job)
        return NULL;
    job->request = request;
    job->stage = stage;
    job->number = ++self->jobs_made;
    append_job(self, job);
    return job;
}

void storage_job_no_memory(struct request *request, struct outbox *out)
{
    int code = fail(&request->why, ERR_INTERNAL, "out of memory");
    if (request->head.kind == MESSAGE_ASK) {
        request->code = code;
        send_to(out, ACTOR_client_api, MESSAGE_REPLY, &request->head);
    } else {
        storage_answer(request, code, out);
    }
}

/* --- reads ------------------------------------------------------------------------------- */

void storage_job_read(storage_t *self, struct request *request, read_job_t *read,
                      struct outbox *out)
{
    struct job *job = storage_job_new(self, request, STAGE_READ);
    if (!job) {
        read_job_destroy(&read);
        storage_job_no_memory(request, out);
        return;
    }
    job->read = read;
    self->reads++;
}

static void finish_read(storage_t *self, struct job *job, int rc, struct now now,
                        struct outbox *out)
{
    struct request *request = job->request;
    job->request = NULL;
    if (rc) {
        storage_answer(request, rc, out);
        return;
    }
    storage_keep(self, request, now);
    storage_read_done(self, request, out);
}

void storage_job_list(storage_t *self, struct request *request, struct outbox *out)
{
    struct job *job = storage_job_new(self, request, STAGE_LIST);
    if (!job) {
        storage_job_no_memory(request, out);
        return;
    }
    self->lists++;
    buffer_append_u8(&job->json, '[');
}

static int step_list(storage_t *self, struct job *job, bool *done)
{
    const struct held *held;
    struct reason *why = &job->request->why;
    for (size_t i = 0; i < CONTRACTS_A_SLICE; i++) {
        int rc = store_next(self->options.store, job->listed ? &job->after : NULL, &held, why);
        if (rc == ERR_NOT_FOUND) {
            buffer_append_u8(&job->json, ']');
            *done = true;
            return buffer_failed(&job->json) ? fail(why, ERR_INTERNAL, "out of memory") : 0;
        }
        if (rc)
            return rc;
        if (job->listed++)
            buffer_append_u8(&job->json, ',');
        job->after = held->contract.key;
        report_contract(held, &job->json);
    }
    *done = false;
    return buffer_failed(&job->json) ? fail(why, ERR_INTERNAL, "out of memory") : 0;
}

static void finish_list(struct job *job, int rc, struct outbox *out)
{
    struct request *request = job->request;
    job->request = NULL;
    size_t size = job->json.size;
    if (rc == 0)
        request->json = blob_adopt(buffer_steal(&job->json), size);
    request->code = rc || request->json ? rc : fail(&request->why, ERR_INTERNAL, "out of memory");
    send_to(out, ACTOR_client_api, MESSAGE_REPLY, &request->head);
}

/* --- rotation ---------------------------------------------------------------------------- */

static bool is_merge(const struct job *job)
{
    return job->stage == STAGE_CHECK || job->stage == STAGE_MERGE;
}

bool storage_jobs_merge(const storage_t *self, const struct contract_key *key)
{
    for (const struct job *job = self->jobs; job; job = job->next)
        if (is_merge(job) && memcmp(&job->request->key, key, sizeof *key) == 0)
            return true;
    return false;
}

/* Large merges into one contract go one after the other: what the first brings counts for the size
 * check of the second. */
static bool can_go(const storage_t *self, const struct job *job)
{
    if (job->blocked)
        return false;
    for (const struct job *other = self->jobs; is_merge(job) && other; other = other->next)
        if (other->number < job->number && is_merge(other) &&
            memcmp(&other->request->key, &job->request->key, sizeof job->request->key) == 0)
            return false;
    return true;
}

bool storage_jobs_ready(const storage_t *self)
{
    for (const struct job *job = self->jobs; job; job = job->next)
        if (can_go(self, job))
            return true;
    return false;
}

void storage_jobs_unblock(storage_t *self)
{
    for (struct job *job = self->jobs; job; job = job->next)
        job->blocked = false;
}

/* Takes the first job that can go on out of the list. */
static struct job *take_ready(storage_t *self)
{
    struct job **at = &self->jobs;
    while (*at && !can_go(self, *at))
        at = &(*at)->next;
    struct job *job = *at;
    if (!job)
        return NULL;
    *at = job->next;
    if (!*at)
        self->jobs_end = at;
    self->jobs_count--;
    return job;
}

/* One slice. Returns an error or 0; *done: nothing is left to do. */
static int step(storage_t *self, struct job *job, struct now now, bool *done)
{
    *done = false;
    switch (job->stage) {
    case STAGE_CHECK:
        return storage_step_check(self, job, done);
    case STAGE_MERGE:
        return self->fault ? self->fault : storage_step_merge(self, job, now, done);
    case STAGE_READ: {
        int rc = read_step(job->read, &job->request->reading, &job->request->why);
        *done = rc == 0;
        return rc == ERR_AGAIN ? 0 : rc;
    }
    case STAGE_LIST:
        return step_list(self, job, done);
    }
    return ERR_INTERNAL;
}

static void finish(storage_t *self, struct job *job, int rc, struct now now, struct outbox *out)
{
    switch (job->stage) {
    case STAGE_CHECK:
    case STAGE_MERGE:
        if (rc && rc == self->fault)
            job->request->why = self->fault_why;
        storage_finish_merge(self, job, rc, out);
        break;
    case STAGE_READ:
        self->reads--;
        finish_read(self, job, rc, now, out);
        break;
    case STAGE_LIST:
        self->lists--;
        finish_list(job, rc, out);
        break;
    }
    job_free(job);
}

void storage_jobs_step(storage_t *self, struct now now, struct outbox *out)
{
    struct job *job = take_ready(self);
    if (!job)
        return;
    bool done;
    int rc = step(self, job, now, &done);
    if (rc || done)
        finish(self, job, rc, now, out);
    else
        append_job(self, job);
}
