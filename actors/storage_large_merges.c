/* A merge of a large delta, slice by slice: first all of it is checked, then it is merged piece by
 * piece, waiting for a fold where there is no room. */
#include "actors/storage_jobs.h"

#include <stdlib.h>

bool storage_is_large(const struct contract *contract, struct slice delta)
{
    return delta.size > MERGE_SLICE_BYTES ||
           (contract_signed(contract) && delta.size > STORAGE_SIGNED_SLICE_BYTES);
}

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
    struct job *job = storage_job_new(self, request, STAGE_CHECK);
    if (!job) {
        storage_job_no_memory(request, out);
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

int storage_step_check(storage_t *self, struct job *job, bool *done)
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
    return rc ? rc : storage_make_ready(self, why);
}

int storage_step_merge(storage_t *self, struct job *job, struct now now, bool *done)
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
    if (rc)
        return rc;
    storage_took(self, request, &change, now);
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

void storage_finish_merge(storage_t *self, struct job *job, int rc, struct outbox *out)
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
