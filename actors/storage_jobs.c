/* Large work in slices: a merge of a large delta (checked whole, then merged piece by piece), a
 * read of a large state (on its own snapshot), the list of contracts. One slice a turn, the jobs in
 * rotation, so that none holds up the small requests between (lesson C5). */
#include "actors/report.h"
#include "actors/storage.h"

#include <stdlib.h>

enum job_stage { STAGE_CHECK, STAGE_MERGE, STAGE_READ, STAGE_LIST };

struct job {
    struct job *next;
    enum job_stage stage;
    bool blocked;    /* until a fold made room */
    uint64_t number; /* in order of coming */
    struct request *request;
    read_job_t *read;
    /* CHECK and MERGE: the walk over the delta; the contract with params of its own */
    struct contract contract;
    uint8_t *params;
    struct slice delta;
    struct entries walk;
    struct slice piece; /* cut and not yet merged */
    uint64_t growth, merged_bytes;
    size_t changed;
    bool created;
    struct fingerprint before;
    /* LIST */
    struct contract_key after;
    size_t listed;
    struct buffer json;
};

bool storage_is_large(const struct contract *contract, struct slice delta)
{
    return delta.size > MERGE_SLICE_BYTES ||
           (contract_signed(contract) && delta.size > STORAGE_SIGNED_SLICE_BYTES);
}

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

static struct job *job_new(storage_t *self, struct request *request, enum job_stage stage)
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

static void no_memory(struct request *request, struct outbox *out)
{
    int code = fail(&request->why, ERR_INTERNAL, "out of memory");
    if (request->head.kind == MESSAGE_ASK) {
        request->code = code;
        send_to(out, ACTOR_client_api, MESSAGE_REPLY, &request->head);
    } else {
        storage_answer(request, code, out);
    }
}

/* --- merges ------------------------------------------------------------------------------ */

/* The job's own copy of the contract, since the store's may go while the job waits. */
static int copy_contract(storage_t *self, struct job *job)
{
    struct request *request = job->request;
    const struct held *held;
    if (request->verb == VERB_PUT) { /* its params live in the request */
        job->contract = request->contract;
        return 0;
    }
    int rc = store_find(self->options.store, &request->key, &held, &request->why);
    if (rc)
        return rc;
    struct slice params = held->contract.params;
    job->params = (uint8_t *)malloc(params.size + 1);
    if (!job->params)
        return fail(&request->why, ERR_INTERNAL, "out of memory");
    if (params.size)
        memcpy(job->params, params.data, params.size);
    return contract_init(&job->contract, slice_text(held->contract.kind->name),
                         slice_of(job->params, params.size), &request->why);
}

void storage_job_merge(storage_t *self, struct request *request, struct outbox *out)
{
    struct job *job = job_new(self, request, STAGE_CHECK);
    if (!job) {
        no_memory(request, out);
        return;
    }
    job->delta = request->args[request->verb == VERB_PUT ? 2 : 1];
    job->walk = entries_of(job->delta);
    if (request->origin && job->delta.size <= PEER_PIECE_BYTES)
        job->stage = STAGE_MERGE; /* one piece: its merge is all or nothing */
}

/* Cuts the next piece off the walk: whole entries, of a size for one slice. Empty at the end. */
static int cut_piece(struct job *job, struct reason *why)
{
    const uint8_t *start = job->walk.rest.data;
    size_t entries = 0, size = 0;
    bool is_signed = contract_signed(&job->contract);
    while (size < MERGE_SLICE_BYTES && !(is_signed && entries == SIGNATURES_A_SLICE)) {
        struct entry entry;
        int rc = entries_next(&job->walk, &entry, why);
        if (rc < 0)
            return rc;
        if (rc == 0)
            break;
        entries++;
        size = (size_t)(job->walk.rest.data - start);
    }
    job->piece = slice_of(start, size);
    return 0;
}

/* How much larger the state would be with this piece; duplicates add nothing (lesson M3). */
static int add_growth(struct job *job, const struct state_reader *state, struct reason *why)
{
    struct entries walk = entries_of(job->piece);
    struct entry entry;
    struct slice old;
    int rc;
    while ((rc = entries_next(&walk, &entry, why)) == 1) {
        rc = state->get(state->self, entry.key, &old);
        if (rc == ERR_NOT_FOUND)
            job->growth += entry_size(entry.key, entry.value);
        else if (rc)
            return fail(why, rc, "the state could not be read: %s", error_text(rc));
        else if (entry.value.size > old.size)
            job->growth += entry.value.size - old.size;
    }
    return rc;
}

/* All pieces are valid: would the state be too large? (Where caps drop entries, the merge itself
 * tells.) */
static int check_growth(storage_t *self, struct job *job, struct reason *why)
{
    const struct held *held;
    uint64_t now_bytes = 0;
    if (store_find(self->options.store, &job->request->key, &held, NULL) == 0)
        now_bytes = held->summary.state_bytes;
    if (job->growth == 0 || job->contract.newest != UINT64_MAX ||
        now_bytes + job->growth <= self->options.state_bytes_max)
        return 0;
    return fail(why, ERR_TOO_LARGE, "the state would have up to %llu bytes: at most %llu",
                (unsigned long long)(now_bytes + job->growth),
                (unsigned long long)self->options.state_bytes_max);
}

static int step_check(storage_t *self, struct job *job, bool *done)
{
    struct request *request = job->request;
    struct reason *why = &request->why;
    int rc = job->contract.kind ? 0 : copy_contract(self, job);
    if (rc == 0)
        rc = cut_piece(job, why);
    if (rc)
        return rc;
    if (job->piece.size == 0) {
        job->stage = STAGE_MERGE;
        job->walk = entries_of(job->delta);
        return check_growth(self, job, why);
    }
    struct state_reader state = store_reader(self->options.store, &request->key);
    rc = contract_check(&job->contract, &state, job->piece, NULL, why);
    if (rc == 0)
        rc = add_growth(job, &state, why);
    *done = false;
    return rc;
}

/* The contract and the next piece, where they are not there. */
static int prepare_merge(storage_t *self, struct job *job, struct reason *why)
{
    int rc = job->contract.kind ? 0 : copy_contract(self, job);
    if (rc == 0 && job->piece.size == 0)
        rc = cut_piece(job, why);
    return rc;
}

static int step_merge(storage_t *self, struct job *job, struct now now, bool *done)
{
    struct request *request = job->request;
    struct reason *why = &request->why;
    struct store_change change = {0};
    if (!self->fold_code && store_unfolded_bytes(self->options.store) >= UNFOLDED_LARGE_MAX) {
        job->blocked = true;
        return 0;
    }
    int ready = prepare_merge(self, job, why);
    if (ready)
        return ready;
    bool last = job->walk.rest.size == 0;
    int rc = store_merge(self->options.store, &job->contract, request->verb == VERB_PUT, job->piece,
                         &change, why);
    if (rc == ERR_AGAIN && !self->fold_code) {
        job->blocked = true;
        return 0;
    }
    if (rc == ERR_AGAIN) {
        *why = self->fold_why;
        rc = self->fold_code;
    }
    if (rc == ERR_STORE_FULL && job->merged_bytes)
        (void)fail(why, rc, "no room after %llu of %zu bytes, which are kept; send it again later",
                   (unsigned long long)job->merged_bytes, job->delta.size);
    if (rc == 0)
        rc = storage_took(self, request, &change, now);
    if (rc)
        return rc;
    if (job->merged_bytes == 0)
        job->before = change.before;
    job->merged_bytes += job->piece.size;
    job->changed += change.changed;
    job->created |= change.created;
    job->piece = slice_of(NULL, 0);
    request->change = change;
    *done = last;
    return 0;
}

static void finish_merge(storage_t *self, struct job *job, int rc, struct outbox *out)
{
    struct request *request = job->request;
    job->request = NULL;
    if (rc) {
        storage_answer(request, rc, out);
        return;
    }
    request->change.before = job->before;
    request->change.changed = job->changed;
    request->change.created = job->created;
    storage_merged(self, request, out);
}

/* --- reads ------------------------------------------------------------------------------- */

void storage_job_read(storage_t *self, struct request *request, read_job_t *read,
                      struct outbox *out)
{
    struct job *job = job_new(self, request, STAGE_READ);
    if (!job) {
        read_job_destroy(&read);
        no_memory(request, out);
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
    struct job *job = job_new(self, request, STAGE_LIST);
    if (!job) {
        no_memory(request, out);
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
        return step_check(self, job, done);
    case STAGE_MERGE:
        return self->fault ? self->fault : step_merge(self, job, now, done);
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
        finish_merge(self, job, rc, out);
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
