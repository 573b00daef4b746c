/* room_node: a room at a node: read, followed, sent to.
 *
 *   queued ──weir_room_send──▶ on its way ──taken──▶ the view
 *      ▲                            │ refused for its content: dropped
 *      └────────any other end───────┘
 */
#include "client/room.h"

#include <stdlib.h>

static const uint8_t *key_of(const weir_room_t *self)
{
    return weir_contract_key(self->contract);
}

/* A node's sentence becomes the room's. */
static int tell(weir_room_t *self, int code, const char *sentence)
{
    return fail(&self->reason, code, "%s", sentence && *sentence ? sentence : error_text(code));
}

int weir_room_fetch(weir_t *w, weir_room_t *room)
{
    const struct weir_reply *reply;
    int rc = weir_get(w, key_of(room), &reply);
    if (rc)
        return tell(room, rc, weir_error(w));
    room->is_new = false;
    return room_take_whole(room, bytes_slice(reply->state));
}

/* --- following ------------------------------------------------------------------------------- */

static void stop(weir_room_t *self)
{
    if (self->asking)
        self->asking->room = NULL;
    self->asking = NULL;
    self->followed_by = NULL;
    self->changed = NULL;
}

/* The last event; its sentence is the room's. */
static void end(weir_t *w, weir_room_t *self, int code)
{
    struct reason why = self->reason;
    struct weir_room_event event = {
        .kind = WEIR_EVENT_ENDED, .code = code, .sentence = why.text, .people_changed = 1};
    weir_room_fn *changed = self->changed;
    stop(self);
    if (changed)
        changed(w, self, &event, self->changed_arg);
}

/* The room may be gone when `changed` returns. */
static void tell_change(weir_t *w, weir_room_t *self, const struct weir_event *from)
{
    struct weir_room_event event = {.kind = from->kind, .sentence = ""};
    struct buffer spots = {0};
    bool people = true;
    int rc = from->kind == WEIR_EVENT_STATE ? room_take_whole(self, bytes_slice(from->delta))
                                            : room_take(self, bytes_slice(from->delta));
    if (!rc && room_delta_spots(self, bytes_slice(from->delta), &spots, &people))
        rc = tell(self, ERR_NO_MEMORY, NULL);
    if (rc) {
        (void)weir_unsubscribe(w, key_of(self));
        end(w, self, rc);
    } else if (self->changed) {
        event.people_changed = people;
        event.spots = spots.data;
        event.spot_count = spots.size / ROOM_SPOT_BYTES;
        self->changed(w, self, &event, self->changed_arg);
    }
    buffer_free(&spots);
}

static void on_event(weir_t *w, const struct weir_event *event, void *arg)
{
    weir_room_t *self = arg;
    self->is_new = false;
    if (event->kind == WEIR_EVENT_ENDED)
        end(w, self, tell(self, event->code, event->sentence));
    else
        tell_change(w, self, event);
}

/* Sets up for a subscription that is about to be asked for. */
static int start(weir_t *w, weir_room_t *self, weir_room_fn *changed, void *arg)
{
    if (self->followed_by)
        return fail(&self->reason, ERR_BAD_REQUEST, "the room is followed already");
    self->followed_by = w;
    self->changed = changed;
    self->changed_arg = arg;
    return 0;
}

int weir_room_follow(weir_t *w, weir_room_t *room, weir_room_fn *changed, void *arg)
{
    int rc = start(w, room, changed, arg);
    if (rc)
        return rc;
    rc = weir_subscribe(w, key_of(room), NULL, on_event, room);
    if (rc) {
        stop(room);
        return tell(room, rc, weir_error(w));
    }
    return 0;
}

/* What is followed tells the rest by events. */
static void on_first_answer(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct room_asking *asking = arg;
    weir_room_t *self = asking->room;
    free(asking);
    if (!self)
        return;
    self->asking = NULL;
    if (reply->code)
        end(w, self, tell(self, reply->code, reply->sentence));
}

int weir_room_follow_async(weir_t *w, weir_room_t *room, weir_room_fn *changed, void *arg)
{
    int rc = start(w, room, changed, arg);
    if (rc)
        return rc;
    struct room_asking *asking = malloc(sizeof *asking);
    if (!asking) {
        stop(room);
        return tell(room, ERR_NO_MEMORY, NULL);
    }
    asking->room = room;
    rc = weir_subscribe_async(w, key_of(room), NULL, on_event, room, on_first_answer, asking);
    if (rc) {
        free(asking);
        stop(room);
        return tell(room, rc, weir_error(w));
    }
    room->asking = asking;
    return 0;
}

int weir_room_unfollow(weir_t *w, weir_room_t *room)
{
    if (room->followed_by != w)
        return fail(&room->reason, ERR_NOT_FOUND, "the room is not followed by this handle");
    int rc = weir_unsubscribe(w, key_of(room));
    stop(room);
    return rc ? tell(room, rc, weir_error(w)) : 0;
}

/* --- sending --------------------------------------------------------------------------------- */

void room_let_go(weir_room_t *self)
{
    if (self->asking)
        self->asking->room = NULL;
    for (struct room_sending *sending = self->sending; sending; sending = sending->next)
        sending->room = NULL;
}

static void unlink_sending(weir_room_t *self, const struct room_sending *sending)
{
    struct room_sending **at = &self->sending;
    while (*at && *at != sending)
        at = &(*at)->next;
    if (*at)
        *at = sending->next;
}

static void sending_free(struct room_sending *sending)
{
    buffer_free(&sending->delta);
    free(sending);
}

/* Is the delta itself what the node does not take? */
static bool is_verdict(int code)
{
    return code == ERR_BAD_REQUEST || code == ERR_BAD_KIND || code == ERR_BAD_PARAMS ||
           code == ERR_BAD_STATE || code == ERR_TOO_LARGE || code == ERR_DENIED;
}

/* Back into the queue. What was sent later may be there before it: entries_sort_greatest finds the
 * newest. */
static int requeue(weir_room_t *self, struct room_sending *sending)
{
    buffer_append_slice(&sending->delta, buffer_slice(&self->queued));
    if (buffer_failed(&sending->delta))
        return tell(self, ERR_NO_MEMORY, NULL);
    buffer_free(&self->queued);
    self->queued = sending->delta;
    sending->delta = (struct buffer){0};
    return 0;
}

/* The delta is at the node, or not. Where the link itself is refused no node looked at it. */
static int settle(const weir_t *w, weir_room_t *self, struct room_sending *sending,
                  const struct weir_reply *reply)
{
    unlink_sending(self, sending);
    self->ahead_stale = true;
    if (!reply->code) {
        self->is_new &= !sending->put;
        return room_take(self, buffer_slice(&sending->delta));
    }
    if (!is_verdict(reply->code) || !weir_connected(w))
        (void)requeue(self, sending);
    return tell(self, reply->code, reply->sentence);
}

static void on_sent(weir_t *w, const struct weir_reply *reply, void *arg);

static int open_request(weir_t *w, weir_room_t *self, struct room_sending *sending)
{
    struct weir_bytes delta = slice_bytes(buffer_slice(&sending->delta));
    return sending->put ? weir_put_async(w, "room", weir_contract_params(self->contract), delta,
                                         on_sent, sending)
                        : weir_update_async(w, key_of(self), delta, on_sent, sending);
}

static void on_sent(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct room_sending *sending = arg;
    weir_room_t *self = sending->room;
    bool again = self && reply->code == ERR_NOT_FOUND && !sending->put && room_is_owner(self);
    if (again) {
        sending->put = true;
        if (open_request(w, self, sending) == 0)
            return;
    }
    int code = self ? settle(w, self, sending, reply) : reply->code;
    struct weir_reply told = *reply;
    if (code && !reply->code) {
        told = (struct weir_reply){.code = code, .sentence = self->reason.text};
        reply = &told;
    }
    weir_done_fn *done = sending->done;
    void *done_arg = sending->arg;
    sending_free(sending);
    if (done)
        done(w, reply, done_arg); /* the room may be gone after it */
}

/* Waiting for room in the window runs callbacks: these may queue more, and send it. */
static int send_queued(weir_t *w, weir_room_t *self, weir_done_fn *done, void *arg)
{
    struct room_sending *sending = calloc(1, sizeof *sending), **last = &self->sending;
    if (!sending || entries_sort_greatest(buffer_slice(&self->queued), &sending->delta)) {
        if (sending)
            sending_free(sending);
        return tell(self, ERR_NO_MEMORY, NULL);
    }
    while (*last)
        last = &(*last)->next;
    *last = sending;
    sending->room = self;
    sending->put = self->is_new;
    sending->done = done;
    sending->arg = arg;
    buffer_clear(&self->queued);
    int rc = open_request(w, self, sending);
    if (!rc)
        return 0;
    if (sending->room) {
        unlink_sending(self, sending);
        (void)requeue(self, sending);
        (void)tell(self, rc, weir_error(w));
    }
    sending_free(sending);
    return rc;
}

int weir_room_send_async(weir_t *w, weir_room_t *room, weir_done_fn *done, void *arg)
{
    const struct weir_reply nothing = {.sentence = ""};
    if (room->queued.size)
        return send_queued(w, room, done, arg);
    if (done)
        call_done(w, done, arg, &nothing);
    return 0;
}

struct waiter {
    bool done;
    int code;
};

static void on_waited(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct waiter *waiter = arg;
    (void)w;
    waiter->done = true;
    waiter->code = reply->code;
}

/* A waiter that is given up must not be called. */
static void forget(weir_room_t *self, const struct waiter *waiter)
{
    for (struct room_sending *sending = self->sending; sending; sending = sending->next)
        if (sending->arg == waiter)
            sending->done = NULL;
}

int weir_room_send(weir_t *w, weir_room_t *room)
{
    struct waiter waiter = {0};
    if (!room->queued.size)
        return 0;
    int rc = weir_step(w, 0); /* where one cannot wait, nothing is to be sent */
    if (rc < 0)
        return tell(room, rc, weir_error(w));
    if (!room->queued.size)
        return 0;
    rc = send_queued(w, room, on_waited, &waiter);
    while (!rc && !waiter.done) {
        int stepped = weir_step(w, -1);
        rc = stepped < 0 ? stepped : 0;
    }
    if (waiter.done)
        return waiter.code;
    forget(room, &waiter);
    return rc;
}
