/* storage_jobs: what a job is, between storage_jobs.c (all of them, their turns) and
 * storage_large_merges.c (the steps of a merge). */
#ifndef WEIR_ACTORS_STORAGE_JOBS_H
#define WEIR_ACTORS_STORAGE_JOBS_H

#include "actors/storage.h"

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

/* A job for this request, behind the others. NULL without memory: then the request is to be
 * answered by storage_job_no_memory. */
struct job *storage_job_new(storage_t *self, struct request *request, enum job_stage stage);
void storage_job_no_memory(struct request *request, struct outbox *out);

/* One slice. *done: nothing is left to do. An error is the request's answer. */
MUST_USE int storage_step_check(storage_t *self, struct job *job, bool *done);
MUST_USE int storage_step_merge(storage_t *self, struct job *job, struct now now, bool *done);

/* Answers the job's request with this error, or as merged. */
void storage_finish_merge(storage_t *self, struct job *job, int rc, struct outbox *out);

#endif
