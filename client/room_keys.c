/* room_keys: the keys of a private room: opened from copies, made anew, passed on.
 *
 * A key is trusted when the owner or a moderator made it: only such a key is used or opened,
 * whoever passed it on. A copy counts as received when it cannot be a sham: one by the owner or a
 * moderator, by the member itself, or by `me`. So whoever opened another one, or the invitation's,
 * writes a copy for itself. */
#include "client/room.h"

#include <sodium.h>
#include <stdlib.h>

bool room_is_private(const weir_room_t *self, const room_view_t *view)
{
    struct room_record record;
    struct slice none = {0};
    if (room_register(self, view, ROOM_CONFIG, none, none, &record))
        return room_view_config(view)->is_private;
    return self->said_private;
}

const uint8_t *room_held_key(const weir_room_t *self, const uint8_t *id)
{
    for (size_t i = self->key_count; i; i--)
        if (memcmp(self->keys[i - 1].id, id, ROOM_KEY_ID_BYTES) == 0)
            return self->keys[i - 1].key;
    return NULL;
}

const uint8_t *room_sealing_key(const weir_room_t *self, const room_view_t *now)
{
    const struct room_grant *grant = room_view_key_in_use(now);
    return grant ? room_held_key(self, grant->key_id) : NULL;
}

/* --- keys that are held ---------------------------------------------------------------------- */

/* Adds keys that are not held, side by side, to the ring and the view. */
static int hold_keys(weir_room_t *self, const uint8_t *keys, size_t count)
{
    struct room_held_key *list = malloc((self->key_count + count + 1) * sizeof *list);
    if (!list)
        return fail(&self->reason, ERR_NO_MEMORY, "no memory for the room's keys");
    if (self->key_count) {
        memcpy(list, self->keys, self->key_count * sizeof *list);
        sodium_memzero(self->keys, self->key_count * sizeof *list);
    }
    free(self->keys);
    self->keys = list;
    for (size_t i = 0; i < count; i++) {
        struct room_held_key *held = &list[self->key_count++];
        memcpy(held->key, keys + i * ROOM_KEY_BYTES, ROOM_KEY_BYTES);
        room_key_id(room_contract(self), held->key, held->id);
    }
    self->ahead_stale = true;
    self->broken = room_view_add_keys(self->view, keys, count);
    return self->broken ? fail(&self->reason, self->broken, "no memory for the room's view") : 0;
}

/* --- copies ---------------------------------------------------------------------------------- */

static bool copies_have(struct slice copies, const uint8_t *member)
{
    size_t from = 0, to = copies.size / ROOM_COPY_BYTES;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = memcmp(copies.data + middle * ROOM_COPY_BYTES, member, WRITER_KEY_BYTES);
        if (order == 0)
            return true;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return false;
}

static bool same_id(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, ROOM_KEY_ID_BYTES) == 0;
}

/* Has this member a copy of the key that cannot be a sham? */
static bool received(const weir_room_t *self, const room_view_t *view, const uint8_t *key_id,
                     const uint8_t *member)
{
    for (size_t i = 0; i < room_view_grant_count(view); i++) {
        const struct room_grant *grant = room_view_grant(view, i);
        bool sure = grant->trusted || room_same_key(grant->author, member) ||
                    room_same_key(grant->author, self->me->public_key);
        if (sure && same_id(grant->key_id, key_id) && copies_have(grant->copies, member))
            return true;
    }
    return false;
}

static bool is_trusted(const room_view_t *view, const struct room_grant *grant)
{
    for (size_t i = room_view_grant_count(view); i && !grant->trusted; i--) {
        const struct room_grant *other = room_view_grant(view, i - 1);
        if (other->trusted && same_id(other->key_id, grant->key_id))
            return true;
    }
    return grant->trusted;
}

/* Opens the copy for `me`, or for the invitation. */
static bool open_copy(const weir_room_t *self, const struct room_grant *grant,
                      uint8_t key[ROOM_KEY_BYTES])
{
    uint8_t id[ROOM_KEY_ID_BYTES], public_key[WRITER_KEY_BYTES], secret[crypto_sign_SECRETKEYBYTES];
    int rc = room_copy_find(grant->copies, self->me->secret, key);
    if (rc && self->invitation_seed && copies_have(grant->copies, self->invitation_key)) {
        crypto_sign_seed_keypair(public_key, secret, self->invitation_seed);
        rc = room_copy_find(grant->copies, secret, key);
        sodium_memzero(secret, sizeof secret);
    }
    if (!rc)
        room_key_id(room_contract(self), key, id);
    return !rc && same_id(id, grant->key_id);
}

static bool among(const uint8_t *keys, size_t count, const struct contract *contract,
                  const uint8_t *key_id)
{
    uint8_t id[ROOM_KEY_ID_BYTES];
    for (size_t i = 0; i < count; i++) {
        room_key_id(contract, keys + i * ROOM_KEY_BYTES, id);
        if (same_id(id, key_id))
            return true;
    }
    return false;
}

/* The newest first, so that these are held when there are too many. */
static int open_copies(weir_room_t *self)
{
    size_t grants = room_view_grant_count(self->view), count = 0;
    if (!grants || self->key_count >= ROOM_KEYS_HELD_MAX)
        return 0;
    size_t room = ROOM_KEYS_HELD_MAX - self->key_count;
    room = grants < room ? grants : room;
    uint8_t *keys = malloc(room * ROOM_KEY_BYTES);
    if (!keys)
        return fail(&self->reason, ERR_NO_MEMORY, "no memory for the room's keys");
    for (size_t i = grants; i && count < room; i--) {
        const struct room_grant *grant = room_view_grant(self->view, i - 1);
        if (!room_held_key(self, grant->key_id) &&
            !among(keys, count, room_contract(self), grant->key_id) &&
            is_trusted(self->view, grant) && open_copy(self, grant, keys + count * ROOM_KEY_BYTES))
            count++;
    }
    int rc = count ? hold_keys(self, keys, count) : 0;
    sodium_memzero(keys, room * ROOM_KEY_BYTES);
    free(keys);
    return rc;
}

/* --- writing copies -------------------------------------------------------------------------- */

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
        if (same_id(record.body.data, grant->key_id)) {
            buffer_append_slice(copies, slice_after(record.body, ROOM_KEY_ID_BYTES + 2));
            return 0;
        }
    }
    return fail(&self->reason, ERR_BAD_REQUEST, "there is no number left for a key");
}

/* Copies of one key, which is held, for these members, beside those that the own entry has. */
static int pass_on(weir_room_t *self, struct room_writing *write, const struct room_grant *grant,
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
            rc = fail(&self->reason, ERR_TOO_LARGE, "%u copies of a key are the most",
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
    return pass_on(self, write, room_view_key_in_use(write->now), members, count);
}

/* The members of write->now who have no copy of the key in use. */
static int those_without(weir_room_t *self, const struct room_writing *write,
                         struct buffer *members)
{
    const struct room_grant *grant = room_view_key_in_use(write->now);
    for (size_t i = 0; i < room_view_member_count(write->now); i++) {
        const uint8_t *key = room_view_member(write->now, i)->key;
        if (!received(self, write->now, grant->key_id, key))
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

/* --- opening and rotation -------------------------------------------------------------------- */

/* The newest grant of a key, NULL when the view has none. */
static const struct room_grant *grant_of(const room_view_t *view, const uint8_t *key_id)
{
    for (size_t i = room_view_grant_count(view); i; i--)
        if (same_id(room_view_grant(view, i - 1)->key_id, key_id))
            return room_view_grant(view, i - 1);
    return NULL;
}

static int keep_copies(weir_room_t *self, struct room_writing *write)
{
    const uint8_t *me = self->me->public_key;
    int rc = 0;
    for (size_t i = 0; i < self->key_count && !rc; i++) {
        const struct room_grant *grant = grant_of(write->now, self->keys[i].id);
        if (!grant || received(self, write->now, grant->key_id, me))
            continue;
        rc = pass_on(self, write, grant, me, 1);
        if (!rc)
            rc = room_renew(self, write);
    }
    return rc;
}

/* Queues a copy for `me` of each key that the view has no sure one of. Who is no member any more,
 * or has too much queued, goes without. */
static int keep_own_copies(weir_room_t *self)
{
    struct reason before = self->reason;
    struct room_writing write;
    int rc = room_begin(self, &write);
    if (!rc)
        rc = keep_copies(self, &write);
    rc = room_end(self, &write, rc);
    if (rc == ERR_NO_MEMORY)
        return rc;
    self->reason = before;
    return 0;
}

int room_absorb_keys(weir_room_t *self)
{
    bool missing = false;
    int rc = open_copies(self);
    for (size_t i = 0; i < self->key_count && !missing; i++)
        missing = !received(self, self->view, self->keys[i].id, self->me->public_key);
    return rc || !missing ? rc : keep_own_copies(self);
}

bool room_is_settled(const weir_room_t *self)
{
    struct slice none = {0};
    struct room_record record;
    if (!room_register(self, self->view, ROOM_CONFIG, none, none, &record) ||
        !room_view_find_member(self->view, self->me->public_key))
        return false;
    for (size_t i = 0; i < room_view_grant_count(self->view); i++) {
        const struct room_grant *grant = room_view_grant(self->view, i);
        if (copies_have(grant->copies, self->invitation_key) &&
            !received(self, self->view, grant->key_id, self->me->public_key))
            return false;
    }
    return true;
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
        rc = hold_keys(self, key, 1);
    sodium_memzero(key, sizeof key);
    buffer_free(&copies);
    return rc;
}

static int rotate(weir_room_t *self, struct room_writing *write)
{
    size_t count;
    if (!room_is_private(self, write->now))
        return fail(&self->reason, ERR_BAD_REQUEST, "a public room has no key");
    if (!room_moderates(self, write->now, self->me->public_key))
        return fail(&self->reason, ERR_DENIED, "the key is changed by the owner and moderators");
    /* Who is a member already goes on reading what was said under the old one. */
    int rc = room_sealing_key(self, write->now) ? share(self, write, &count) : 0;
    if (!rc)
        rc = room_renew(self, write);
    return rc ? rc : room_queue_rotation(self, write);
}

int weir_room_rotate(weir_room_t *room)
{
    struct room_writing write;
    int rc = room_begin(room, &write);
    if (!rc)
        rc = rotate(room, &write);
    return room_end(room, &write, rc);
}
