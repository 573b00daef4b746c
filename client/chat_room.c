#include "client/chat_room.h"

#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>

static void set_trouble(struct chat_room *self, const char *why, bool refused)
{
    snprintf(self->trouble, sizeof self->trouble, "%s", why ? why : "");
    self->refused = refused;
    self->held_up = false;
    self->changed = true;
}

static void tell_refusal(struct chat_room *self, const char *why)
{
    char text[sizeof self->trouble];
    why = *why ? why : chat_room_why_out(self);
    snprintf(text, sizeof text, "your message was refused%s%s", *why ? ": " : "", why);
    set_trouble(self, text, true);
}

/* --- what is waiting ------------------------------------------------------------------------- */

bool chat_room_has_waiting(const struct chat_room *self)
{
    return weir_room_pending(self->room).size > 0;
}

/* Those that wait no more: a refusal is told with the node's sentence ("": it gave none). */
static void settle_waiting(struct chat_room *self, const char *why)
{
    if (chat_waiting_settle(&self->waiting, self->room, self->flow))
        tell_refusal(self, why);
}

/* --- the flow's items ------------------------------------------------------------------------ */

struct gathering {
    struct chat_item *items;
    size_t count;
};

static void gather(struct gathering *self, const uint8_t *spot, const uint8_t *author,
                   uint64_t time_ms, bool said, bool apart)
{
    struct chat_item *item = &self->items[self->count++];
    *item = (struct chat_item){.time_ms = time_ms, .said = said, .apart = apart};
    memcpy(item->spot, spot, sizeof item->spot);
    memcpy(&item->author, author, sizeof item->author);
}

static int by_spot(const void *a, const void *b)
{
    const struct chat_item *x = a, *y = b;
    return memcmp(x->spot, y->spot, sizeof x->spot);
}

static void gather_all(struct chat_room *self, struct gathering *into, size_t messages,
                       size_t directs)
{
    for (size_t i = 0; i < messages; i++) {
        struct weir_room_message m;
        weir_room_message(self->room, i, &m);
        bool said = m.content == WEIR_ROOM_TEXT || m.content == WEIR_ROOM_REPLY;
        gather(into, m.spot, m.author, m.time_ms, said, false);
    }
    for (size_t i = 0; i < directs; i++) {
        struct weir_room_direct_message m;
        weir_room_direct_message(self->room, i, &m);
        gather(into, m.spot, m.author, m.time_ms, true, true);
    }
    uint64_t now = unix_ms();
    for (size_t i = 0; i < self->waiting.count; i++)
        gather(into, self->waiting.list[i].spot, weir_room_me(self->room), now, true, false);
}

static void set_flow(struct chat_room *self)
{
    size_t messages = weir_room_message_count(self->room);
    size_t directs = weir_room_direct_count(self->room);
    struct gathering all = {calloc(messages + directs + self->waiting.count + 1, sizeof *all.items),
                            0};
    if (!all.items)
        return;
    gather_all(self, &all, messages, directs);
    /* The view's are in order: what else there is makes it a little less so. */
    if (all.count > messages)
        qsort(all.items, all.count, sizeof *all.items, by_spot);
    uint64_t edge = unix_ms() + CHAT_AHEAD_MS;
    self->ahead_until_ms = 0;
    for (size_t i = all.count; i-- > 0 && all.items[i].time_ms > edge;)
        self->ahead_until_ms = all.items[i].time_ms - CHAT_AHEAD_MS;
    if (chat_flow_set(self->flow, all.items, all.count))
        set_trouble(self, "out of memory: not all is shown", true);
    free(all.items);
    self->changed = true;
}

/* --- at the node ----------------------------------------------------------------------------- */

static void on_sent(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct chat_room *self = arg;
    (void)w;
    self->sending--;
    if (!self->room)
        return;
    bool stays = chat_room_has_waiting(self);
    if (reply->code) {
        self->try_at_ms = unix_ms() + CHAT_RETRY_MS;
        set_trouble(self, reply->sentence, !stays);
        self->held_up = stays;
        self->leaving = self->leaving && stays; /* refused, it left nothing */
    } else if (self->held_up) {
        set_trouble(self, "", false);
    }
    chat_room_renew_people(self);
    settle_waiting(self, reply->sentence);
    set_flow(self);
}

static void send(struct chat_room *self)
{
    self->sending++;
    int rc = weir_room_send_async(self->w, self->room, on_sent, self);
    if (rc == 0)
        return;
    self->sending--;
    self->try_at_ms = unix_ms() + CHAT_RETRY_MS;
}

/* Messages that answer one of these show it. */
static void touch_answers(struct chat_room *self, const uint8_t *spots, size_t count)
{
    for (size_t i = weir_room_message_count(self->room); i-- > 0;) {
        struct weir_room_message m;
        weir_room_message(self->room, i, &m);
        for (size_t k = 0; m.reply_to && k < count; k++)
            if (memcmp(m.reply_to, spots + k * WEIR_SPOT_BYTES, WEIR_SPOT_BYTES) == 0)
                chat_flow_touch(self->flow, m.spot);
    }
}

/* Who wrote may be nobody that was known. */
static void meet_authors(struct chat_room *self, const uint8_t *spots, size_t count)
{
    size_t at;
    bool met = false;
    for (size_t i = 0; i < count && !met; i++) {
        struct weir_room_message m;
        if (weir_room_find_spot(self->room, spots + i * WEIR_SPOT_BYTES, &at))
            continue;
        weir_room_message(self->room, at, &m);
        met = slice_is(chat_room_name(self, m.author), "?");
    }
    if (met)
        chat_room_renew_people(self);
}

static void take_changes(struct chat_room *self, const struct weir_room_event *event)
{
    if (event->kind != WEIR_EVENT_DELTA || event->people_changed) {
        chat_room_renew_people(self);
        chat_flow_touch_all(self->flow);
        self->share_at_ms = 0;
    } else {
        meet_authors(self, event->spots, event->spot_count);
        for (size_t i = 0; i < event->spot_count; i++)
            chat_flow_touch(self->flow, event->spots + i * WEIR_SPOT_BYTES);
        touch_answers(self, event->spots, event->spot_count);
    }
    settle_waiting(self, "");
    set_flow(self);
    chat_room_count_unread(self);
}

static void on_event(weir_t *w, weir_room_t *room, const struct weir_room_event *event, void *arg)
{
    struct chat_room *self = arg;
    (void)w, (void)room;
    if (event->kind != WEIR_EVENT_ENDED) {
        if (self->state != CHAT_ROOM_FOLLOWED)
            set_trouble(self, "", false);
        self->state = CHAT_ROOM_FOLLOWED;
        take_changes(self, event);
        return;
    }
    self->state = CHAT_ROOM_IDLE;
    self->is_nowhere = event->code == WEIR_NOT_FOUND;
    if (self->is_nowhere && chat_room_has_waiting(self))
        return; /* the next tick makes it there */
    self->try_at_ms = unix_ms() + CHAT_RETRY_MS;
    set_trouble(self, event->sentence, false);
}

static void follow(struct chat_room *self)
{
    int rc = weir_room_follow_async(self->w, self->room, on_event, self);
    if (rc == 0) {
        self->state = CHAT_ROOM_ASKED;
        return;
    }
    self->try_at_ms = unix_ms() + CHAT_RETRY_MS;
    set_trouble(self, weir_room_error(self->room), false);
}

/* Members who have no key of a private room get it from who has. */
static void share_keys(struct chat_room *self, uint64_t now_ms)
{
    struct weir_room_info info;
    weir_room_info(self->room, &info);
    self->share_at_ms = now_ms + CHAT_SHARE_MS;
    if (info.is_private && info.readable && info.member && weir_room_share_keys(self->room) > 0)
        send(self);
}

void chat_room_tick(struct chat_room *self, uint64_t now_ms, bool connected)
{
    if (self->ahead_until_ms && now_ms >= self->ahead_until_ms) {
        chat_flow_touch_all(self->flow);
        set_flow(self);
        chat_room_count_unread(self);
    }
    if (!connected)
        return;
    bool in_time = now_ms >= self->try_at_ms;
    bool ready = self->state == CHAT_ROOM_FOLLOWED || self->is_nowhere;
    if (ready && in_time && self->sending == 0 && chat_room_has_waiting(self))
        send(self);
    if (self->state == CHAT_ROOM_IDLE && in_time && self->sending == 0)
        follow(self);
    if (self->state == CHAT_ROOM_FOLLOWED && now_ms >= self->share_at_ms)
        share_keys(self, now_ms);
}

void chat_room_queued(struct chat_room *self, const uint8_t *spot, const uint8_t *reply_to,
                      struct slice text, bool connected)
{
    if (spot)
        chat_waiting_add(&self->waiting, spot, reply_to, text);
    self->refused = false;
    if (self->state == CHAT_ROOM_FOLLOWED)
        set_trouble(self, "", false);
    set_flow(self);
    if (connected && self->state == CHAT_ROOM_FOLLOWED)
        send(self);
}

/* --- its life -------------------------------------------------------------------------------- */

int chat_room_new(weir_t *w, weir_room_t *room, const struct room_book_entry *entry,
                  struct chat_room **out)
{
    struct chat_room *self = calloc(1, sizeof *self);
    if (self)
        self->flow = chat_flow_new(chat_room_message, self);
    if (!self || !self->flow) {
        free(self);
        weir_room_destroy(&room);
        return ERR_NO_MEMORY;
    }
    self->w = w;
    self->room = room;
    memcpy(self->name, entry->name, sizeof self->name);
    memcpy(self->read, entry->read, sizeof self->read);
    self->is_makeshift = room_book_is_makeshift(entry);
    chat_room_renew_people(self);
    set_flow(self);
    *out = self;
    return 0;
}

void chat_room_close(struct chat_room *self)
{
    weir_room_destroy(&self->room);
    self->state = CHAT_ROOM_IDLE;
}

void chat_room_destroy(struct chat_room **out)
{
    struct chat_room *self = *out;
    if (!self)
        return;
    chat_room_close(self);
    chat_waiting_free(&self->waiting);
    chat_flow_destroy(&self->flow);
    buffer_free(&self->draft);
    room_names_destroy(&self->names);
    free(self->reactions);
    free(self);
    *out = NULL;
}
