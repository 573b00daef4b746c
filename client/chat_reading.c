/* What a room's messages say to whoever reads them here, and what of them was read. Part of
 * client/chat_room.h. */
#include "client/chat_room.h"

#include "base/limits.h"

#include <stdlib.h>

/* --- what was read --------------------------------------------------------------------------- */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static bool is_letter(uint8_t c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c >= 0x80;
}

bool chat_room_mentions(struct slice text, struct slice name)
{
    for (size_t at = 0; name.size > 0 && at + name.size <= text.size; at++) {
        size_t i = 0, end = at + name.size;
        while (i < name.size && lower(text.data[at + i]) == lower(name.data[i]))
            i++;
        bool alone = (at == 0 || !is_letter(text.data[at - 1])) &&
                     (end == text.size || !is_letter(text.data[end]));
        if (i == name.size && alone)
            return true;
    }
    return false;
}

static struct slice slice_from(struct weir_bytes bytes)
{
    return slice_of(bytes.data, bytes.size);
}

static bool is_mine(const struct chat_room *self, const uint8_t *author)
{
    return memcmp(author, weir_room_me(self->room), WEIR_KEY_BYTES) == 0;
}

static bool mentions_me(const struct chat_room *self, const struct weir_room_message *m)
{
    struct weir_bytes name = weir_room_name_of(self->room, weir_room_me(self->room));
    size_t at;
    struct weir_room_message to;
    if (is_mine(self, m->author))
        return false;
    if (chat_room_mentions(slice_from(m->text), slice_from(name)))
        return true;
    if (!m->reply_to || weir_room_find_spot(self->room, m->reply_to, &at))
        return false;
    weir_room_message(self->room, at, &to);
    return is_mine(self, to.author);
}

void chat_room_count_unread(struct chat_room *self)
{
    uint64_t edge = unix_ms() + CHAT_AHEAD_MS;
    self->unread = self->mentions = 0;
    for (size_t i = weir_room_message_count(self->room); i-- > 0;) {
        struct weir_room_message m;
        weir_room_message(self->room, i, &m);
        if (memcmp(m.spot, self->read, sizeof self->read) <= 0)
            break;
        bool said = m.content == WEIR_ROOM_TEXT || m.content == WEIR_ROOM_REPLY;
        if (!said || m.deleted || is_mine(self, m.author) || m.time_ms > edge)
            continue;
        self->unread++;
        self->mentions += mentions_me(self, &m);
    }
    for (size_t i = weir_room_direct_count(self->room); i-- > 0;) {
        struct weir_room_direct_message m;
        weir_room_direct_message(self->room, i, &m);
        if (memcmp(m.spot, self->read, sizeof self->read) <= 0)
            break;
        bool counts = !is_mine(self, m.author) && m.time_ms <= edge;
        self->unread += counts;
        self->mentions += counts;
    }
}

void chat_room_show(struct chat_room *self, bool shown)
{
    static const uint8_t none[WEIR_SPOT_BYTES];
    bool before = memcmp(self->read, none, sizeof none) != 0;
    self->shown = shown;
    chat_flow_mark(self->flow, shown && before && self->unread ? self->read : NULL);
    chat_flow_choose_none(self->flow);
    self->changed = true;
}

/* The last one that is not dated ahead of now: else whatever comes before that date passed for
 * read. */
static bool last_read(const struct chat_room *self, uint8_t spot[WEIR_SPOT_BYTES])
{
    uint64_t edge = unix_ms() + CHAT_AHEAD_MS;
    size_t messages = weir_room_message_count(self->room);
    size_t directs = weir_room_direct_count(self->room);
    struct weir_room_message m = {.time_ms = UINT64_MAX};
    struct weir_room_direct_message d = {.time_ms = UINT64_MAX};
    while (messages > 0 && m.time_ms > edge)
        weir_room_message(self->room, --messages, &m);
    while (directs > 0 && d.time_ms > edge)
        weir_room_direct_message(self->room, --directs, &d);
    const uint8_t *last = m.time_ms <= edge ? m.spot : NULL;
    if (d.time_ms <= edge && (!last || memcmp(d.spot, last, WEIR_SPOT_BYTES) > 0))
        last = d.spot;
    if (last)
        memcpy(spot, last, WEIR_SPOT_BYTES);
    return last != NULL;
}

void chat_room_read(struct chat_room *self)
{
    uint8_t last[WEIR_SPOT_BYTES];
    self->unread = self->mentions = 0;
    if (!last_read(self, last) || memcmp(last, self->read, sizeof self->read) <= 0)
        return;
    memcpy(self->read, last, sizeof self->read);
    self->read_moved = true;
}

/* --- people ---------------------------------------------------------------------------------- */

struct slice chat_room_name(const struct chat_room *self, const uint8_t *key)
{
    return slice_text(self->names ? room_names_of(self->names, key) : "?");
}

const char *chat_room_why_out(const struct chat_room *self)
{
    static const char *const why_out[] = {
        [WEIR_ROOM_IN] = "",
        [WEIR_ROOM_STRANGER] = "you are no member here",
        [WEIR_ROOM_GONE] = "you left this room",
        [WEIR_ROOM_BANNED] = "you are banned from this room",
        [WEIR_ROOM_CUT_OFF] = "you are out: somebody by whose invitation you came is banned",
        [WEIR_ROOM_CROWDED] = "you are not in: the room is full",
    };
    return why_out[self->standing];
}

void chat_room_renew_people(struct chat_room *self)
{
    room_names_t *names = room_names_new(self->room);
    if (!names)
        return; /* those from before */
    room_names_destroy(&self->names);
    self->names = names;
    (void)weir_room_standing(self->room, weir_room_me(self->room), &self->standing);
}

unsigned chat_room_colour(const uint8_t *key)
{
    return key[0] % CHAT_PEOPLE; /* keys are as good as random */
}

/* --- what a message says --------------------------------------------------------------------- */

static void fill_author(struct chat_room *self, const uint8_t *author, uint64_t time_ms,
                        struct chat_message *m)
{
    m->author = chat_room_name(self, author);
    m->colour = chat_room_colour(author);
    m->mine = is_mine(self, author);
    m->time_ms = time_ms;
    m->ahead = time_ms > unix_ms() + CHAT_AHEAD_MS;
}

static void fill_reply(struct chat_room *self, const uint8_t *to, struct chat_message *m)
{
    struct weir_room_message r;
    size_t at;
    m->is_reply = true;
    if (weir_room_find_spot(self->room, to, &at))
        return;
    weir_room_message(self->room, at, &r);
    m->reply_author = chat_room_name(self, r.author);
    m->reply_text = r.deleted ? slice_text("(deleted)") : slice_from(r.text);
}

static void fill_reactions(struct chat_room *self, size_t i, size_t count, struct chat_message *m)
{
    if (count > self->reaction_room) {
        struct chat_reaction *more = reallocarray(self->reactions, count, sizeof *more);
        if (!more)
            return;
        self->reactions = more;
        self->reaction_room = count;
    }
    for (size_t r = 0; r < count; r++) {
        struct weir_room_reaction reaction;
        weir_room_reaction(self->room, i, r, &reaction);
        self->reactions[r] =
            (struct chat_reaction){slice_from(reaction.text), reaction.count, reaction.mine != 0};
    }
    m->reactions = self->reactions;
    m->reaction_count = count;
}

static void fill_message(struct chat_room *self, size_t i, struct chat_message *m)
{
    struct weir_room_message from;
    weir_room_message(self->room, i, &from);
    fill_author(self, from.author, from.time_ms, m);
    m->kind = from.content == WEIR_ROOM_JOIN    ? CHAT_JOINED
              : from.content == WEIR_ROOM_LEAVE ? CHAT_LEFT_ROOM
                                                : CHAT_SAID;
    m->text = slice_from(from.text);
    m->sealed = from.sealed != 0;
    m->edited = from.edited != 0;
    m->deleted = from.deleted != 0;
    m->mentions_me = !m->deleted && mentions_me(self, &from);
    if (from.reply_to)
        fill_reply(self, from.reply_to, m);
    fill_reactions(self, i, from.reaction_count, m);
}

static void fill_waiting(struct chat_room *self, const struct chat_waiting_text *from,
                         struct chat_message *m)
{
    fill_author(self, weir_room_me(self->room), unix_ms(), m);
    m->text = buffer_slice(&from->text);
    m->waiting = true;
    if (from->is_reply)
        fill_reply(self, from->reply_to, m);
}

static void fill_direct(struct chat_room *self, const uint8_t *spot, struct chat_message *m)
{
    for (size_t i = weir_room_direct_count(self->room); i-- > 0;) {
        struct weir_room_direct_message from;
        weir_room_direct_message(self->room, i, &from);
        if (memcmp(from.spot, spot, WEIR_SPOT_BYTES) != 0)
            continue;
        fill_author(self, from.author, from.time_ms, m);
        m->kind = CHAT_DIRECT;
        m->text = slice_from(from.text);
        m->mentions_me = !m->mine;
        if (m->mine)
            m->direct_to = chat_room_name(self, from.recipient);
        return;
    }
}

void chat_room_message(void *arg, const uint8_t *spot, struct chat_message *message)
{
    struct chat_room *self = arg;
    const struct chat_waiting_text *waiting = chat_waiting_find(&self->waiting, spot);
    size_t at;
    if (weir_room_find_spot(self->room, spot, &at) == 0)
        fill_message(self, at, message);
    else if (waiting)
        fill_waiting(self, waiting, message);
    else
        fill_direct(self, spot, message);
}
