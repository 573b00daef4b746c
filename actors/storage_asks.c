/* What operators ask of storage: CONTRACTS, STATUS, BACKUP, CHECK. */
#include "actors/storage.h"

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

void storage_ask(storage_t *self, struct request *request, struct outbox *out)
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
void storage_work(storage_t *self, struct request *request, struct outbox *out)
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

void storage_worked(storage_t *self, struct request *request, struct outbox *out)
{
    self->work = NULL;
    store_hold_map(self->options.store, false);
    send_to(out, ACTOR_client_api, MESSAGE_REPLY, &request->head);
}
