/* room_queue: what is written and not yet at the node, and who is who when that is taken. */
#include "client/room.h"

/* --- time ------------------------------------------------------------------------------------ */

/* Half of what nodes allow: theirs may be behind, and must still take what we date just after. */
void room_see_stamp(weir_room_t *self, uint64_t stamp)
{
    if (stamp > self->seen && clock_ms(stamp) <= unix_ms() + STAMP_DRAG_MS_MAX)
        self->seen = stamp;
}

bool room_is_ahead(uint64_t stamp)
{
    return clock_ms(stamp) > unix_ms() + STAMP_AHEAD_MS_MAX;
}

int room_stamp(weir_room_t *self, uint64_t after, uint64_t *stamp)
{
    uint64_t made;
    int rc = stamp_next(unix_ms(), self->seen, &made, &self->reason);
    if (!rc && made <= after)
        rc = sequence_next(after, &made, &self->reason);
    if (!rc && room_is_ahead(made))
        rc = fail(&self->reason, ERR_DENIED,
                  "it would follow what is dated more than %u minutes ahead of this machine's "
                  "clock: a node takes no such thing",
                  STAMP_AHEAD_MS_MAX / 60000);
    if (rc)
        return rc;
    room_see_stamp(self, made);
    *stamp = made;
    return 0;
}

/* --- what is pending ------------------------------------------------------------------------- */

struct room_pending_walk room_pending_walk(const weir_room_t *self)
{
    return (struct room_pending_walk){.sending = self->sending,
                                      .rest = self->sending ? buffer_slice(&self->sending->delta)
                                                            : buffer_slice(&self->queued),
                                      .in_queue = !self->sending};
}

bool room_pending_next(const weir_room_t *self, struct room_pending_walk *walk, struct entry *entry)
{
    while (!walk->rest.size || entry_take(&walk->rest, entry)) {
        if (walk->in_queue)
            return false;
        walk->sending = walk->sending->next;
        walk->in_queue = !walk->sending;
        walk->rest =
            walk->sending ? buffer_slice(&walk->sending->delta) : buffer_slice(&self->queued);
    }
    return true;
}

int room_pending(const weir_room_t *self, struct buffer *delta)
{
    struct room_pending_walk walk = room_pending_walk(self);
    struct buffer all = {0};
    struct entry entry;
    while (room_pending_next(self, &walk, &entry))
        entry_append(&all, entry.key, entry.value);
    int rc = buffer_failed(&all) ? ERR_NO_MEMORY : entries_sort_greatest(buffer_slice(&all), delta);
    buffer_free(&all);
    return rc;
}

static bool registers_are_pending(const weir_room_t *self)
{
    struct room_pending_walk walk = room_pending_walk(self);
    struct entry entry;
    while (room_pending_next(self, &walk, &entry))
        if (!room_is_timed(entry.key))
            return true;
    return false;
}

/* --- who is who then ------------------------------------------------------------------------- */

static int give_keys(const weir_room_t *self, room_view_t *view)
{
    int rc = 0;
    for (size_t i = 0; i < self->key_count && !rc; i++)
        rc = room_view_add_key(view, self->keys[i].key);
    return rc;
}

static int build_ahead(weir_room_t *self)
{
    struct buffer pending = {0};
    room_view_t *view = room_view_new(room_contract(self), ROOM_VIEW_WHOLE);
    int rc = view ? room_pending(self, &pending) : ERR_NO_MEMORY;
    if (!rc)
        rc = room_view_apply(view, room_view_registers(self->view), &self->reason);
    if (!rc)
        rc = room_view_apply(view, buffer_slice(&pending), &self->reason);
    if (!rc)
        rc = give_keys(self, view);
    buffer_free(&pending);
    if (rc)
        room_view_destroy(&view);
    self->ahead = view;
    return rc ? fail(&self->reason, rc, "no memory for what is queued") : 0;
}

int room_now(weir_room_t *self, const room_view_t **now)
{
    int rc = 0;
    if (self->ahead_stale) {
        room_view_destroy(&self->ahead);
        if (registers_are_pending(self))
            rc = build_ahead(self);
        self->ahead_stale = rc != 0;
    }
    if (!rc)
        *now = self->ahead ? self->ahead : self->view;
    return rc;
}

bool room_register(const weir_room_t *self, const room_view_t *view, enum room_section section,
                   struct slice a, struct slice b, struct room_record *record)
{
    uint8_t bytes[1 + 2 * WRITER_KEY_BYTES] = {(uint8_t)section};
    struct state_reader state = room_view_reader(view);
    struct slice value, key = slice_of(bytes, 1 + a.size + b.size);
    if (a.size)
        memcpy(bytes + 1, a.data, a.size);
    if (b.size)
        memcpy(bytes + 1 + a.size, b.data, b.size);
    /* The record's pointers into the key would dangle: the value's alone are for use. */
    bool found = state.get(state.self, key, &value) == 0 &&
                 room_record_read(room_contract(self), key, value, record, NULL) == 0;
    if (found)
        record->subject = NULL;
    return found;
}

/* --- writing --------------------------------------------------------------------------------- */

static struct slice own_key(const weir_room_t *self)
{
    return slice_of(self->me->public_key, WRITER_KEY_BYTES);
}

static int refuse(weir_room_t *self, const room_view_t *now)
{
    static const char *const why[] = {[ROOM_IN] = "",
                                      [ROOM_STRANGER] = ": nothing here says so",
                                      [ROOM_LEFT_IT] = ": you left it",
                                      [ROOM_BANNED] = ": you were banned",
                                      [ROOM_CUT_OFF] =
                                          ": who invited you, or stands above them, was banned",
                                      [ROOM_CROWDED] = ": it is full, and others came before you"};
    return fail(&self->reason, ERR_DENIED, "you are no member of this room now%s",
                why[room_view_place(now, self->me->public_key)]);
}

static int enter(weir_room_t *self, struct room_writing *write)
{
    struct room_record record;
    int rc = room_now(self, &write->now);
    if (rc || room_is_owner(self))
        return rc;
    if (!room_register(self, write->now, ROOM_MEMBER, own_key(self), slice_of(NULL, 0), &record)) {
        rc = room_queue_member(self, write, true);
        if (!rc)
            rc = room_renew(self, write);
    }
    if (!rc && !room_view_find_member(write->now, self->me->public_key))
        rc = refuse(self, write->now);
    return rc;
}

static struct room_writing writing_of(const weir_room_t *self)
{
    return (struct room_writing){
        .author = {room_contract(self), self->me->secret, buffer_slice(&self->chain)},
        .mark = self->queued.size};
}

int room_join_again(weir_room_t *self)
{
    struct room_writing write = writing_of(self);
    struct reason before = self->reason;
    struct room_record record;
    int rc = self->joins ? room_now(self, &write.now) : 0;
    if (!rc && self->joins &&
        room_register(self, write.now, ROOM_MEMBER, own_key(self), slice_of(NULL, 0), &record) &&
        !record.on)
        rc = room_queue_member(self, &write, true);
    rc = room_end(self, &write, rc);
    if (rc == ERR_NO_MEMORY)
        return rc;
    self->reason = before;
    return 0;
}

int room_begin(weir_room_t *self, struct room_writing *write)
{
    *write = writing_of(self);
    if (self->broken)
        return fail(&self->reason, self->broken, "no memory for the room's view");
    if (self->queued.size > ROOM_QUEUE_BYTES_MAX)
        return fail(&self->reason, ERR_BUSY, "%zu bytes are queued for this room: send them first",
                    self->queued.size);
    return enter(self, write);
}

int room_end(weir_room_t *self, const struct room_writing *write, int rc)
{
    struct slice added = slice_of(NULL, 0);
    struct entry entry;
    if (self->queued.size > write->mark)
        added = slice_after(buffer_slice(&self->queued), write->mark);
    if (rc && (added.size || buffer_failed(&self->queued))) {
        self->queued.size = write->mark;
        self->queued.failed = false;
        self->ahead_stale = true;
        return rc;
    }
    while (added.size && !entry_take(&added, &entry))
        self->ahead_stale |= !room_is_timed(entry.key);
    return rc;
}

int room_write(weir_room_t *self, room_queue_fn *queue, const void *arg)
{
    struct room_writing write;
    int rc = room_begin(self, &write);
    if (!rc)
        rc = queue(self, &write, arg);
    return room_end(self, &write, rc);
}

int room_renew(weir_room_t *self, struct room_writing *write)
{
    self->ahead_stale = true;
    return room_now(self, &write->now);
}

int room_register_stamp(weir_room_t *self, const struct room_writing *write,
                        enum room_section section, struct slice a, struct slice b, uint64_t *stamp)
{
    struct room_record record;
    bool there = room_register(self, write->now, section, a, b, &record);
    return room_stamp(self, there ? record.stamp : 0, stamp);
}

int room_queue_member(weir_room_t *self, struct room_writing *write, bool here)
{
    uint64_t stamp;
    int rc =
        room_register_stamp(self, write, ROOM_MEMBER, own_key(self), slice_of(NULL, 0), &stamp);
    return rc ? rc : room_write_member(&write->author, stamp, here, &self->queued, &self->reason);
}

int room_queue_plain(weir_room_t *self, struct room_writing *write, enum room_content content)
{
    uint64_t stamp;
    int rc = room_stamp(self, 0, &stamp);
    return rc ? rc
              : room_write_message(&write->author, stamp, content, NULL, NULL, NULL, &self->queued,
                                   &self->reason);
}

static bool is_own_join(const weir_room_t *self, const struct entry *entry)
{
    struct room_record record;
    return entry->key.data[0] == ROOM_MESSAGE &&
           room_record_read(room_contract(self), entry->key, entry->value, &record, NULL) == 0 &&
           record.content == ROOM_JOIN && room_same_key(record.author, self->me->public_key);
}

int room_drop_second_join(weir_room_t *self)
{
    struct buffer kept = {0};
    struct slice rest = buffer_slice(&self->queued);
    struct entry entry;
    if (!self->joins || room_view_place(self->view, self->me->public_key) != ROOM_IN)
        return 0;
    while (rest.size && !entry_take(&rest, &entry))
        if (!is_own_join(self, &entry))
            entry_append(&kept, entry.key, entry.value);
    if (buffer_failed(&kept))
        return fail(&self->reason, ERR_NO_MEMORY, "no memory for what is queued");
    buffer_free(&self->queued);
    self->queued = kept;
    return 0;
}

/* --- without a node -------------------------------------------------------------------------- */

struct weir_bytes weir_room_pending(weir_room_t *room)
{
    buffer_clear(&room->pending);
    if (room_pending(room, &room->pending))
        buffer_clear(&room->pending);
    return slice_bytes(buffer_slice(&room->pending));
}

void weir_room_forget_pending(weir_room_t *room)
{
    buffer_clear(&room->queued);
    room->ahead_stale = true;
}
