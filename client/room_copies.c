/* room_copies: the keys of a private room written: made anew, and passed on. */
#include "client/room.h"

#include <sodium.h>
#include <stdlib.h>

static int by_member(const void *a, const void *b)
{
    return memcmp(a, b, WRITER_KEY_BYTES);
}

static int write_copies(weir_room_t *self, struct room_writing *write, uint64_t number,
                        const uint8_t *key, struct buffer *copies)
{
    uint8_t number_bytes[8];
    uint64_t stamp;
    put_u64(number_bytes, number);
    if (buffer_failed(copies))
        return fail(&self->reason, ERR_NO_MEMORY, "no memory for copies of a key");
    if (copies->size)
        qsort(copies->data, copies->size / ROOM_COPY_BYTES, ROOM_COPY_BYTES, by_member);
    int rc = room_register_stamp(self, write, ROOM_KEYS, slice_of(number_bytes, 8),
                                 slice_of(self->me->public_key, WRITER_KEY_BYTES), &stamp);
    return rc ? rc
              : room_write_keys(&write->author, stamp, number, key, buffer_slice(copies),
                                &self->queued, &self->reason);
}

static void add_copy(const uint8_t *key, const uint8_t *member, struct buffer *copies)
{
    uint8_t seed[32];
    randombytes_buf(seed, sizeof seed);
    int none = room_copy_seal(key, member, seed, copies);
    (void)none; /* a key that nothing can be sealed to is nobody's: its member has signed nothing */
    sodium_memzero(seed, sizeof seed);
}

/* The own entry that has copies of this key, or the place for one: that of its number, or of one
 * after it where the own entry is about another key. */
static int own_copies(weir_room_t *self, const struct room_writing *write,
                      const struct room_grant *grant, uint64_t *number, struct buffer *copies)
{
    const struct slice own = slice_of(self->me->public_key, WRITER_KEY_BYTES);
    struct room_record record;
    uint8_t bytes[8];
    for (*number = grant->number; *number < STAMP_MAX; ++*number) {
        put_u64(bytes, *number);
        if (!room_register(self, write->now, ROOM_KEYS, slice_of(bytes, 8), own, &record))
            return 0;
        if (room_same_id(record.body.data, grant->key_id)) {
            buffer_append_slice(copies, slice_after(record.body, ROOM_KEY_ID_BYTES + 2));
            return 0;
        }
    }
    return fail(&self->reason, ERR_BAD_REQUEST, "there is no number left for a key");
}

int room_pass_on(weir_room_t *self, struct room_writing *write, const struct room_grant *grant,
                 const uint8_t *members, size_t count)
{
    struct buffer copies = {0};
    uint8_t key[ROOM_KEY_BYTES];
    uint64_t number;
    memcpy(key, room_held_key(self, grant->key_id), sizeof key);
    int rc = own_copies(self, write, grant, &number, &copies);
    for (size_t i = 0; i < count && !rc; i++)
        if (copies.size < (size_t)ROOM_MEMBERS_MAX * ROOM_COPY_BYTES)
            add_copy(key, members + i * WRITER_KEY_BYTES, &copies);
        else
            rc = fail(&self->reason, ERR_TOO_LARGE,
                      "%u copies of a key are the most: the owner or a moderator must rotate the "
                      "room's key",
                      ROOM_MEMBERS_MAX);
    if (!rc)
        rc = write_copies(self, write, number, key, &copies);
    sodium_memzero(key, sizeof key);
    buffer_free(&copies);
    return rc;
}

int room_queue_copies(weir_room_t *self, struct room_writing *write, const uint8_t *members,
                      size_t count)
{
    if (!room_sealing_key(self, write->now))
        return fail(&self->reason, ERR_DENIED,
                    "the key of this private room is not here yet: a member must share it");
    return room_pass_on(self, write, room_view_key_in_use(write->now), members, count);
}

/* The members of write->now who have no copy of the key in use. */
static int those_without(weir_room_t *self, const struct room_writing *write,
                         struct buffer *members)
{
    const struct room_grant *grant = room_view_key_in_use(write->now);
    for (size_t i = 0; i < room_view_member_count(write->now); i++) {
        const uint8_t *key = room_view_member(write->now, i)->key;
        if (!room_received(self, write->now, grant->key_id, key))
            buffer_append(members, key, WRITER_KEY_BYTES);
    }
    return buffer_failed(members)
               ? fail(&self->reason, ERR_NO_MEMORY, "no memory for copies of a key")
               : 0;
}

/* Queues copies for all members without one; *count of them. */
static int share(weir_room_t *self, struct room_writing *write, size_t *count)
{
    struct buffer members = {0};
    int rc = those_without(self, write, &members);
    *count = members.size / WRITER_KEY_BYTES;
    if (!rc && *count)
        rc = room_queue_copies(self, write, members.data, *count);
    buffer_free(&members);
    return rc;
}

int weir_room_share_keys(weir_room_t *room)
{
    struct room_writing write;
    size_t count = 0;
    int rc = room_begin(room, &write);
    if (!rc && room_is_private(room, write.now) && room_sealing_key(room, write.now))
        rc = share(room, &write, &count);
    rc = room_end(room, &write, rc);
    return rc ? rc : (int)count;
}

int room_must_know(weir_room_t *self)
{
    struct state_reader state = room_view_reader(self->view);
    return self->is_new || state.count(state.self)
               ? 0
               : fail(&self->reason, ERR_NOT_FOUND, "the room is not here yet: fetch it first");
}

int room_queue_rotation(weir_room_t *self, struct room_writing *write)
{
    const struct room_grant *grant = room_view_key_in_use(write->now);
    uint8_t key[ROOM_KEY_BYTES];
    struct buffer copies = {0};
    uint64_t number;
    int rc = sequence_next(grant ? grant->number : 0, &number, &self->reason);
    if (rc)
        return rc;
    randombytes_buf(key, sizeof key);
    size_t count = room_view_member_count(write->now);
    for (size_t i = 0; i < count && i < ROOM_MEMBERS_MAX; i++)
        add_copy(key, room_view_member(write->now, i)->key, &copies);
    rc = write_copies(self, write, number, key, &copies);
    if (!rc)
        rc = room_hold_keys(self, key, 1);
    sodium_memzero(key, sizeof key);
    buffer_free(&copies);
    if (!rc)
        rc = room_renew(self, write);
    return rc ? rc : room_reseal(self, write);
}

static int rotate(weir_room_t *self, struct room_writing *write, const void *arg)
{
    size_t count;
    (void)arg;
    if (!room_is_private(self, write->now))
        return fail(&self->reason, ERR_BAD_REQUEST, "a public room has no key");
    if (!room_moderates(self, write->now, self->me->public_key))
        return fail(&self->reason, ERR_DENIED, "the key is changed by the owner and moderators");
    /* Who is a member already goes on reading what was said under the old one. */
    int rc = room_must_know(self);
    if (!rc && room_sealing_key(self, write->now))
        rc = share(self, write, &count);
    if (!rc)
        rc = room_renew(self, write);
    return rc ? rc : room_queue_rotation(self, write);
}

int weir_room_rotate(weir_room_t *room)
{
    return room_write(room, rotate, NULL);
}
