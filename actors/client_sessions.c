#include "actors/client_sessions.h"

#include <stdlib.h>
#include <utlist.h>

static bool is_full(const struct session *session)
{
    return !session->is_stalled && session->open >= CLIENT_OPEN_MAX;
}

struct session *sessions_find(const struct sessions *self, client_t number)
{
    struct session *session;
    HASH_FIND(by_number, self->by_number, &number, sizeof number, session);
    return session;
}

static void mark_used(struct sessions *self, struct session *session)
{
    if (self->used_last == session)
        return;
    DL_DELETE2(self->used, session, used_previous, used_next);
    DL_APPEND2(self->used, session, used_previous, used_next);
    self->used_last = session;
}

void session_free(struct session *session)
{
    mail_free(&session->parked);
    owed_release(&session->owed);
    free(session->from);
    free(session);
}

void sessions_take_out(struct sessions *self, struct session *session)
{
    sessions_stall(self, session, false);
    self->full -= is_full(session);
    DL_DELETE2(self->used, session, used_previous, used_next);
    self->used_last = self->used ? self->used->used_previous : NULL;
    HASH_DELETE(hh, self->by_from, session);
    HASH_DELETE(by_number, self->by_number, session);
    self->count--;
}

static struct session *idle_longest(const struct sessions *self)
{
    struct session *session, *follower = NULL;
    DL_FOREACH2 (self->used, session, used_next) {
        if (session->open || session->parked.first)
            continue;
        if (!session->subscriptions)
            return session;
        if (!follower)
            follower = session;
    }
    return follower;
}

/* To both tables, or to none. */
static bool add(struct sessions *self, struct session *session)
{
    HASH_ADD_KEYPTR(hh, self->by_from, session->from, session->from_size, session);
    if (!HASH_TOOK(hh, session))
        return false;
    HASH_ADD(by_number, self->by_number, number, sizeof session->number, session);
    if (HASH_TOOK(by_number, session))
        return true;
    HASH_DELETE(hh, self->by_from, session);
    return false;
}

static struct session *make(struct sessions *self, struct slice from)
{
    struct session *session = (struct session *)calloc(1, sizeof *session);
    if (!session)
        return NULL;
    session->from = (uint8_t *)malloc(from.size + 1);
    session->owed = owed_new();
    if (!session->from || !session->owed) {
        session_free(session);
        return NULL;
    }
    memcpy(session->from, from.data, from.size);
    session->from_size = from.size;
    session->number = ++self->next_number;
    if (!add(self, session)) {
        session_free(session);
        return NULL;
    }
    DL_APPEND2(self->used, session, used_previous, used_next);
    self->used_last = session;
    self->count++;
    return session;
}

struct session *sessions_of(struct sessions *self, struct slice from, struct session **evicted)
{
    struct session *session;
    HASH_FIND(hh, self->by_from, from.data, from.size, session);
    if (session) {
        mark_used(self, session);
        return session;
    }
    if (self->count >= CLIENTS_MAX) {
        struct session *idle = idle_longest(self);
        if (!idle)
            return NULL;
        sessions_take_out(self, idle);
        *evicted = idle;
    }
    return make(self, from);
}

void sessions_stall(struct sessions *self, struct session *session, bool stalled)
{
    if (session->is_stalled == stalled)
        return;
    self->full -= is_full(session);
    session->is_stalled = stalled;
    if (stalled)
        DL_APPEND2(self->stalled, session, stalled_previous, stalled_next);
    else
        DL_DELETE2(self->stalled, session, stalled_previous, stalled_next);
    self->full += is_full(session);
}

void sessions_open(struct sessions *self, struct session *session, uint64_t bytes)
{
    self->full -= is_full(session);
    session->open++;
    session->open_bytes += bytes;
    self->full += is_full(session);
}

void sessions_done(struct sessions *self, struct session *session, uint64_t bytes)
{
    self->full -= is_full(session);
    session->open--;
    session->open_bytes -= bytes < session->open_bytes ? bytes : session->open_bytes;
    self->full += is_full(session);
}
