#include "actors/keeper.h"

#include "actors/report.h"
#include "base/trace.h"

#include <stdlib.h>

struct keeper {
    db_t *db;
    struct progress *progress;
    atomic_bool *stop;
};

keeper_t *keeper_new(db_t *db, struct progress *progress, atomic_bool *stop)
{
    keeper_t *self = (keeper_t *)calloc(1, sizeof *self);
    if (self)
        *self = (struct keeper){db, progress, stop};
    return self;
}

void keeper_destroy(keeper_t **self)
{
    free(*self);
    *self = NULL;
}

static bool on_progress(void *actor, uint64_t done, uint64_t all)
{
    keeper_t *self = (keeper_t *)actor;
    atomic_store(&self->progress->done, done);
    atomic_store(&self->progress->all, all);
    return !atomic_load(self->stop);
}

static int backup(keeper_t *self, struct request *request)
{
    char dir[4097]; /* client_protocol bounds it at 4096 */
    struct slice path = request->args[0];
    if (path.size >= sizeof dir || path.data[0] != '/' || memchr(path.data, 0, path.size))
        return fail(&request->why, ERR_BAD_REQUEST, "the directory must be an absolute path");
    memcpy(dir, path.data, path.size);
    dir[path.size] = 0;
    uint64_t bytes = 0;
    int rc = db_backup(self->db, dir, on_progress, self, &bytes, &request->why);
    if (rc == 0)
        report_answer(request, report_backup(dir, bytes));
    return rc ? rc : request->code;
}

static int check(keeper_t *self, struct request *request)
{
    struct check_report report = {0};
    int rc = db_check(self->db, on_progress, self, &report, &request->why);
    if (rc == 0)
        report_answer(request, report_check(&report));
    return rc ? rc : request->code;
}

static void receive(void *actor, struct message *message, struct now now, struct outbox *out)
{
    keeper_t *self = (keeper_t *)actor;
    struct request *request = (struct request *)message;
    (void)now;
    request->code = request->verb == VERB_BACKUP ? backup(self, request) : check(self, request);
    struct slice told = request->code ? slice_text(request->why.text) : blob_slice(request->json);
    trace(TRACE_info, "%s: %.*s", client_verbs[request->verb].name, (int)told.size,
          (const char *)told.data);
    send_to(out, ACTOR_storage, MESSAGE_WORKED, message);
}

const struct actor_spec keeper_spec = {.id = ACTOR_keeper, .receive = receive};
