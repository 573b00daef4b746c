/* room_keys: the keys of a private room that are held: opened from copies, and what follows.
 *
 * A key is trusted when the owner or a moderator made it, whoever passed it on: only such a key is
 * used. The others are opened to read with, after the trusted ones: a moderator that made one may
 * be none any more. A copy counts as received when it cannot be a sham: one by the owner or a
 * moderator, by the member itself, or by `me`. So whoever opened another one, or the invitation's,
 * writes a copy for itself. */
#include "client/room.h"
#include "contracts/rows.h"

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

int room_hold_keys(weir_room_t *self, const uint8_t *keys, size_t count)
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
    return rows_find(copies, ROOM_COPY_BYTES, member) != NULL;
}

bool room_received(const weir_room_t *self, const room_view_t *view, const uint8_t *key_id,
                   const uint8_t *member)
{
    for (size_t i = 0; i < room_view_grant_count(view); i++) {
        const struct room_grant *grant = room_view_grant(view, i);
        bool sure = grant->trusted || room_same_key(grant->author, member) ||
                    room_same_key(grant->author, self->me->public_key);
        if (sure && room_same_id(grant->key_id, key_id) && copies_have(grant->copies, member))
            return true;
    }
    return false;
}

static bool is_trusted(const room_view_t *view, const struct room_grant *grant)
{
    for (size_t i = room_view_grant_count(view); i && !grant->trusted; i--) {
        const struct room_grant *other = room_view_grant(view, i - 1);
        if (other->trusted && room_same_id(other->key_id, grant->key_id))
            return true;
    }
    return grant->trusted;
}

/* The invitation, from the i-th on, that a copy is for; NULL: none. */
static const struct room_invitation *invitation_of(const weir_room_t *self, size_t i,
                                                   const struct room_grant *grant)
{
    while (i < self->invitation_count && !copies_have(grant->copies, self->invitations[i].key))
        i++;
    return i < self->invitation_count ? &self->invitations[i] : NULL;
}

static bool is_for_me(const weir_room_t *self, const struct room_grant *grant)
{
    return copies_have(grant->copies, self->me->public_key) || invitation_of(self, 0, grant);
}

/* Opens the copy for `me`, or for an invitation. */
static bool open_copy(const weir_room_t *self, const struct room_grant *grant,
                      uint8_t key[ROOM_KEY_BYTES])
{
    uint8_t id[ROOM_KEY_ID_BYTES], public_key[WRITER_KEY_BYTES], secret[crypto_sign_SECRETKEYBYTES];
    int rc = room_copy_find(grant->copies, self->me->secret, key);
    const struct room_invitation *by = invitation_of(self, 0, grant);
    while (rc && by) {
        crypto_sign_seed_keypair(public_key, secret, by->seed);
        rc = room_copy_find(grant->copies, secret, key);
        sodium_memzero(secret, sizeof secret);
        by = invitation_of(self, (size_t)(by - self->invitations) + 1, grant);
    }
    if (!rc)
        room_key_id(room_contract(self), key, id);
    return !rc && room_same_id(id, grant->key_id);
}

static bool among(const uint8_t *keys, size_t count, const struct contract *contract,
                  const uint8_t *key_id)
{
    uint8_t id[ROOM_KEY_ID_BYTES];
    for (size_t i = 0; i < count; i++) {
        room_key_id(contract, keys + i * ROOM_KEY_BYTES, id);
        if (room_same_id(id, key_id))
            return true;
    }
    return false;
}

static bool is_to_be_opened(const weir_room_t *self, const struct room_grant *grant,
                            const uint8_t *keys, size_t count)
{
    return !room_held_key(self, grant->key_id) && is_for_me(self, grant) &&
           !among(keys, count, room_contract(self), grant->key_id);
}

/* Trusted ones first and of these the newest, so that they are held when there are too many. */
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
    for (size_t i = 2 * grants; i && count < room; i--) {
        bool trusted = i > grants;
        const struct room_grant *grant = room_view_grant(self->view, (i - 1) % grants);
        if (is_to_be_opened(self, grant, keys, count) && is_trusted(self->view, grant) == trusted &&
            open_copy(self, grant, keys + count * ROOM_KEY_BYTES))
            count++;
    }
    int rc = count ? room_hold_keys(self, keys, count) : 0;
    sodium_memzero(keys, room * ROOM_KEY_BYTES);
    free(keys);
    return rc;
}

/* --- what follows from the keys that are held ------------------------------------------------ */

/* The newest grant of a key, NULL when the view has none. */
static const struct room_grant *grant_of(const room_view_t *view, const uint8_t *key_id)
{
    for (size_t i = room_view_grant_count(view); i; i--)
        if (room_same_id(room_view_grant(view, i - 1)->key_id, key_id))
            return room_view_grant(view, i - 1);
    return NULL;
}

/* Queues a copy for `me` of each trusted key that there is no sure one of: what the owner or a
 * moderator passes on is trusted. */
static int keep_copies(weir_room_t *self, struct room_writing *write)
{
    const uint8_t *me = self->me->public_key;
    int rc = 0;
    for (size_t i = 0; i < self->key_count && !rc; i++) {
        const struct room_grant *grant = grant_of(write->now, self->keys[i].id);
        if (!grant || !is_trusted(write->now, grant) ||
            room_received(self, write->now, grant->key_id, me))
            continue;
        rc = room_pass_on(self, write, grant, me, 1);
        if (!rc)
            rc = room_renew(self, write);
    }
    return rc;
}

/* Is this text as the key in use seals it? */
static bool is_current(const struct room_text *text, const struct room_grant *in_use)
{
    return text->sealed && room_same_id(text->key_id, in_use->key_id);
}

/* Those who come later have no older keys. */
static bool is_to_be_sealed(const weir_room_t *self, const room_view_t *now,
                            const struct room_text *text, struct slice plain)
{
    const struct room_grant *in_use = room_view_key_in_use(now);
    return plain.size && in_use && room_held_key(self, in_use->key_id) && !is_current(text, in_use);
}

int room_reseal(weir_room_t *self, struct room_writing *write)
{
    static const struct weir_room_settings as_it_is;
    const struct slice none = {0}, me = slice_of(self->me->public_key, WRITER_KEY_BYTES);
    const struct room_config *config = room_view_config(write->now);
    struct slice name = room_view_nickname(write->now, me.data);
    struct room_record record;
    int rc = 0;
    if (!config->is_private)
        return 0;
    if (room_register(self, write->now, ROOM_INFO, me, none, &record) &&
        is_to_be_sealed(self, write->now, &record.text, name))
        rc = room_queue_nickname(self, write, slice_bytes(name));
    if (!rc && room_is_owner(self) &&
        is_to_be_sealed(self, write->now, &config->name, room_view_name(write->now)))
        rc = room_queue_config(self, write, &as_it_is);
    return rc;
}

/* Own copies, and own names under the key in use. Who is no member any more, or has too much
 * queued, goes without. */
static int keep_up(weir_room_t *self)
{
    struct reason before = self->reason;
    struct room_writing write;
    int rc = room_begin(self, &write);
    if (!rc)
        rc = keep_copies(self, &write);
    if (!rc)
        rc = room_reseal(self, &write);
    rc = room_end(self, &write, rc);
    if (rc == ERR_NO_MEMORY)
        return rc;
    self->reason = before;
    return 0;
}

int room_absorb_keys(weir_room_t *self)
{
    int rc = open_copies(self);
    return rc || !self->key_count ? rc : keep_up(self);
}

bool room_is_settled(const weir_room_t *self, const struct room_invitation *invitation)
{
    struct slice none = {0};
    struct room_record record;
    if (!room_register(self, self->view, ROOM_CONFIG, none, none, &record) ||
        !room_view_find_member(self->view, self->me->public_key))
        return false;
    for (size_t i = 0; i < room_view_grant_count(self->view); i++) {
        const struct room_grant *grant = room_view_grant(self->view, i);
        if (copies_have(grant->copies, invitation->key) &&
            !room_received(self, self->view, grant->key_id, self->me->public_key))
            return false;
    }
    return true;
}
