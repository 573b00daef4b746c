/* What operations here want of hosting: a contract to be here and fed (SUBSCRIBE), copies to be
 * made (PUT), or only to know whether what is here is up to date (GET). */
#include "actors/hosting_state.h"

static void answer(struct request *request, int code, struct outbox *out)
{
    request->code = code;
    send_to(out, request->asked_by, MESSAGE_HOSTED, &request->head);
}

/* A PUT waits for the copies that it counts, a GET for what is here to be up to date, the others
 * for the contract alone. */
static bool may_answer(const hosting_t *self, const struct holding *row,
                       const struct request *request, struct now now)
{
    if (row->presence != PRESENCE_stored)
        return false;
    if (now.ms >= request->host_until_ms)
        return request->verb != VERB_GET;
    if (row->hollow || row->state == FEED_syncing || row->state == FEED_asking)
        return false;
    return request->verb != VERB_PUT || hosting_count(self, row) > children_copies_wanted(self);
}

/* What a GET is told of a copy that may be behind. One that was never filled is not to be read. */
static int not_current(const struct holding *row)
{
    return row->hollow || row->creating ? ERR_NO_LIVE_PEER : ERR_AGAIN;
}

void hosting_answer(hosting_t *self, struct holding *row, int code, const char *why, struct now now,
                    struct outbox *out)
{
    struct mail waiting = row->waiting;
    row->waiting = (struct mail){0};
    row->waiting_until_ms = NEVER;
    for (struct message *m = mail_pop(&waiting); m; m = mail_pop(&waiting)) {
        struct request *request = (struct request *)m;
        bool waits = code == 0 && !may_answer(self, row, request, now);
        if (waits && now.ms < request->host_until_ms) {
            mail_push(&row->waiting, m);
            if (request->host_until_ms < row->waiting_until_ms)
                row->waiting_until_ms = request->host_until_ms;
            continue;
        }
        int rc = code;
        if (waits) {
            rc = request->verb == VERB_GET ? not_current(row) : ERR_TIMEOUT;
            why = "no answer from the nodes nearer to the contract";
        }
        if (rc)
            (void)fail(&request->why, rc, "%s", why ? why : error_text(rc));
        request->hosts = hosting_count(self, row);
        answer(request, rc, out);
    }
}

/* Answers whom it can; the others' time is looked at. */
static void answer_or_wait(hosting_t *self, struct holding *row, struct now now, struct outbox *out)
{
    hosting_answer(self, row, 0, NULL, now, out);
    if (row->waiting.first)
        holding_due(&self->table, row, row->waiting_until_ms);
}

/* Is there something here, or about to be, that somebody is to bring up to date? */
static bool is_being_fed(const struct holding *row)
{
    bool here = row->presence == PRESENCE_stored || row->creating;
    return here && (row->feed || (row->children_count && (row->hollow || row->creating)));
}

/* A GET wants to know only whether what is here is kept up to date. A client's waits a while for it
 * to be: a sync brings what is missing, a peer that is asked would send all of it (lesson M6). */
static void on_get(hosting_t *self, struct request *request, struct now now, struct outbox *out)
{
    struct holding *row = holding_find(&self->table, &request->key);
    int code = ERR_AGAIN;
    if (row)
        row->asked_ms = now.ms;
    bool moves = self->moves.count > 0; /* the root may be about to be live again */
    if (row && row->presence == PRESENCE_stored && !row->hollow &&
        (row->state == FEED_live || (hosting_is_root(self, row) && !moves))) {
        code = 0;
    } else if (row && is_being_fed(row) && !request->relay) {
        request->host_until_ms = now.ms + GET_WAIT_MS;
        mail_push(&row->waiting, &request->head);
        answer_or_wait(self, row, now, out);
        return;
    } else if (row && row->presence == PRESENCE_absent && !row->creating) {
        code = ERR_NOT_FOUND;
    } else if (row) {
        code = not_current(row);
    }
    answer(request, code, out);
}

void requests_on_host(hosting_t *self, struct request *request, struct now now, struct outbox *out)
{
    if (request->verb == VERB_GET) {
        on_get(self, request, now, out);
        return;
    }
    struct holding *row = holding_of(&self->table, &request->key);
    if (!row) {
        (void)fail(&request->why, 0, "no room to keep another contract fed");
        answer(request, ERR_BUSY, out);
        return;
    }
    row->asked_ms = now.ms;
    if (request->verb == VERB_PUT) {
        holding_is_stored(&self->table, row); /* it has just been merged */
        if (row->hollow && row->children_count)
            hosting_ask(self, row, out);
        row->hollow = false;
    } else if (row->presence == PRESENCE_stored && !row->hollow) {
        answer(request, 0, out); /* what is missing comes as a change */
        return;
    }
    request->host_until_ms = now.ms + (request->verb == VERB_PUT ? PLACING_MS : JOIN_WAIT_MS);
    mail_push(&row->waiting, &request->head);
    if (row->presence == PRESENCE_unknown)
        hosting_ask(self, row, out);
    else
        feed_choose(self, row, now, out);
    answer_or_wait(self, row, now, out);
    holding_remove_idle(&self->table, row);
}

void requests_on_kept(hosting_t *self, const struct watch *kept, struct now now, struct outbox *out)
{
    struct holding *row = holding_of(&self->table, &kept->key);
    if (!row)
        return;
    holding_is_stored(&self->table, row);
    row->asked_ms = now.ms;
    feed_choose(self, row, now, out);
    holding_remove_idle(&self->table, row);
}

void requests_on_needed(hosting_t *self, const struct watch *needed)
{
    struct holding *row = needed->on ? holding_of(&self->table, &needed->key)
                                     : holding_find(&self->table, &needed->key);
    if (!row)
        return;
    row->needed = needed->on;
    holding_remove_idle(&self->table, row);
}
