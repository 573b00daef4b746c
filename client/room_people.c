/* room_people: what is written about who is in a room, and what it is. */
#include "client/room.h"

#include "client/room_code.h"

#include <sodium.h>
#include <stdlib.h>

static struct slice key_slice(const uint8_t *key)
{
    return slice_of(key, WRITER_KEY_BYTES);
}

bool room_moderates(const weir_room_t *self, const room_view_t *view, const uint8_t *key)
{
    const struct room_member *member = room_view_find_member(view, key);
    return room_same_key(room_contract(self)->owner, key) || (member && member->moderator);
}

static int must_own(weir_room_t *self, const char *what)
{
    return room_is_owner(self)
               ? 0
               : fail(&self->reason, ERR_DENIED, "the owner of a room alone may %s", what);
}

/* --- names ----------------------------------------------------------------------------------- */

int room_queue_nickname(weir_room_t *self, struct room_writing *write, struct weir_bytes name)
{
    const struct slice none = {0};
    struct room_saying saying;
    uint64_t stamp;
    int rc = room_words(self, write, name, room_view_config(write->now)->nickname_bytes, "nickname",
                        &saying);
    if (!rc)
        rc = room_register_stamp(self, write, ROOM_INFO, key_slice(self->me->public_key), none,
                                 &stamp);
    return rc ? rc
              : room_write_nickname(&write->author, stamp, &saying.words, &self->queued,
                                    &self->reason);
}

static int queue_nickname(weir_room_t *self, struct room_writing *write, const void *arg)
{
    const struct weir_bytes *name = arg;
    return room_queue_nickname(self, write, *name);
}

int weir_room_nickname(weir_room_t *room, struct weir_bytes name)
{
    return room_write(room, queue_nickname, &name);
}

static int leave(weir_room_t *self, struct room_writing *write, const void *arg)
{
    (void)arg;
    if (room_is_owner(self))
        return fail(&self->reason, ERR_DENIED, "the owner of a room cannot leave it");
    int rc = room_queue_plain(self, write, ROOM_LEAVE);
    return rc ? rc : room_queue_member(self, write, false);
}

int weir_room_leave(weir_room_t *room)
{
    int rc = room_write(room, leave, NULL);
    room->joins &= rc != 0;
    return rc;
}

/* --- bans ------------------------------------------------------------------------------------ */

static bool has_ban(const weir_room_t *self, const room_view_t *view, const uint8_t *member)
{
    for (size_t i = 0; i < room_view_ban_count(view); i++) {
        const struct room_ban *ban = room_view_ban(view, i);
        if (room_same_key(ban->target, member) && room_same_key(ban->author, self->me->public_key))
            return true;
    }
    return false;
}

static int write_ban(weir_room_t *self, struct room_writing *write, const uint8_t *member,
                     bool in_force)
{
    uint64_t stamp;
    int rc = room_register_stamp(self, write, ROOM_BAN, key_slice(member),
                                 key_slice(self->me->public_key), &stamp);
    return rc ? rc
              : room_write_ban(&write->author, stamp, member, in_force, &self->queued,
                               &self->reason);
}

/* Whether a ban is in force is the view's to tell: it is written, looked at, and taken back. */
static int ban(weir_room_t *self, struct room_writing *write, const void *arg)
{
    const uint8_t *member = arg;
    const struct slice none = {0};
    struct room_record record;
    if (room_same_key(member, room_contract(self)->owner))
        return fail(&self->reason, ERR_DENIED, "nobody can ban the owner of a room");
    if (!room_register(self, write->now, ROOM_MEMBER, key_slice(member), none, &record))
        return fail(&self->reason, ERR_NOT_FOUND, "who is to be banned never was in this room");
    int rc = write_ban(self, write, member, true);
    if (!rc)
        rc = room_renew(self, write);
    if (!rc && !has_ban(self, write->now, member))
        rc = fail(&self->reason, ERR_DENIED,
                  "the owner bans, moderators do, and members whom they invited: this ban would "
                  "not count");
    if (!rc && room_is_private(self, write->now) &&
        room_moderates(self, write->now, self->me->public_key))
        rc = room_queue_rotation(self, write);
    return rc;
}

static int lift(weir_room_t *self, struct room_writing *write, const void *arg)
{
    const uint8_t *member = arg;
    struct room_record record;
    bool there = room_register(self, write->now, ROOM_BAN, key_slice(member),
                               key_slice(self->me->public_key), &record);
    if (!there || !record.on)
        return fail(&self->reason, ERR_NOT_FOUND, "there is no ban of yours on this member");
    return write_ban(self, write, member, false);
}

int weir_room_ban(weir_room_t *room, const uint8_t *member, int lifted)
{
    return room_write(room, lifted ? lift : ban, member);
}

/* --- the configuration ----------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, WRITER_KEY_BYTES);
}

/* Copies the keys in order, each once. */
static int sort_moderators(weir_room_t *self, const struct weir_room_settings *settings,
                           uint8_t keys[ROOM_MODERATORS_MAX * WRITER_KEY_BYTES],
                           struct slice *moderators)
{
    size_t kept = 0;
    if (settings->moderator_count > ROOM_MODERATORS_MAX)
        return fail(&self->reason, ERR_BAD_REQUEST, "%zu moderators, the most is %u",
                    settings->moderator_count, ROOM_MODERATORS_MAX);
    memcpy(keys, settings->moderators, settings->moderator_count * WRITER_KEY_BYTES);
    qsort(keys, settings->moderator_count, WRITER_KEY_BYTES, by_key);
    for (size_t i = 0; i < settings->moderator_count; i++) {
        const uint8_t *key = keys + i * WRITER_KEY_BYTES;
        if (!kept || by_key(keys + (kept - 1) * WRITER_KEY_BYTES, key) != 0)
            memmove(keys + kept++ * WRITER_KEY_BYTES, key, WRITER_KEY_BYTES);
    }
    *moderators = slice_of(keys, kept * WRITER_KEY_BYTES);
    return 0;
}

static uint32_t chosen(unsigned wish, uint32_t held)
{
    return wish ? wish : held;
}

static struct weir_bytes chosen_text(const char *wish, struct slice held)
{
    return wish ? weir_text(wish) : slice_bytes(held);
}

/* Name and description, sealed under the key in use where the room is private now. */
static int config_words(weir_room_t *self, const struct room_writing *write,
                        const struct weir_room_settings *wish, struct room_saying *name,
                        struct room_saying *description)
{
    int rc = room_words(self, write, chosen_text(wish->name, room_view_name(write->now)),
                        ROOM_NAME_BYTES_MAX, "name", name);
    if (!rc)
        rc = room_words(self, write,
                        chosen_text(wish->description, room_view_description(write->now)),
                        ROOM_DESCRIPTION_BYTES_MAX, "description", description);
    return rc;
}

int room_queue_config(weir_room_t *self, struct room_writing *write,
                      const struct weir_room_settings *wish)
{
    const struct slice none = {0};
    uint8_t moderators[ROOM_MODERATORS_MAX * WRITER_KEY_BYTES];
    struct room_saying name, description;
    struct room_config held = *room_view_config(write->now);
    struct room_settings made = {.config = held};
    uint64_t stamp;
    made.config.is_private = write->becomes_private || room_is_private(self, write->now);
    made.config.messages = chosen(wish->messages, held.messages);
    made.config.members = chosen(wish->members, held.members);
    made.config.message_bytes = chosen(wish->message_bytes, held.message_bytes);
    made.config.nickname_bytes = chosen(wish->nickname_bytes, held.nickname_bytes);
    made.config.bans = chosen(wish->bans, held.bans);
    int rc =
        wish->moderators ? sort_moderators(self, wish, moderators, &made.config.moderators) : 0;
    if (!rc)
        rc = config_words(self, write, wish, &name, &description);
    if (!rc)
        rc = room_register_stamp(self, write, ROOM_CONFIG, none, none, &stamp);
    if (rc)
        return rc;
    made.name = name.words;
    made.description = description.words;
    return room_write_config(&write->author, stamp, &made, &self->queued, &self->reason);
}

/* Will someone be no moderator any more? */
static bool demotes(const struct room_config *held, const struct weir_room_settings *wish)
{
    bool found = true;
    for (size_t i = 0; wish->moderators && found && i < held->moderators.size;
         i += WRITER_KEY_BYTES) {
        found = false;
        for (size_t k = 0; k < wish->moderator_count; k++)
            found |=
                room_same_key(held->moderators.data + i, wish->moderators + k * WRITER_KEY_BYTES);
    }
    return !found;
}

/* A public room that becomes private gets its first key, and what is told of it is sealed. A key
 * that a moderator made is not used once it is none: a new one takes its place before. */
static int configure(weir_room_t *self, struct room_writing *write, const void *arg)
{
    const struct weir_room_settings *wish = arg;
    int rc = must_own(self, "configure it");
    if (!rc)
        rc = room_must_know(self);
    bool is_private = room_is_private(self, write->now);
    if (!rc && wish->is_private && !is_private) {
        rc = room_queue_rotation(self, write);
        write->becomes_private = true;
    } else if (!rc && is_private && demotes(room_view_config(write->now), wish)) {
        rc = room_queue_rotation(self, write);
    }
    return rc ? rc : room_queue_config(self, write, wish);
}

int weir_room_configure(weir_room_t *room, const struct weir_room_settings *settings)
{
    return room_write(room, configure, settings);
}

static int upgrade(weir_room_t *self, struct room_writing *write, const void *next)
{
    const struct slice none = {0};
    uint64_t stamp;
    int rc = must_own(self, "name its next one");
    if (!rc)
        rc = room_register_stamp(self, write, ROOM_UPGRADE, none, none, &stamp);
    return rc ? rc : room_write_upgrade(&write->author, stamp, next, &self->queued, &self->reason);
}

int weir_room_upgrade(weir_room_t *room, const uint8_t next[WEIR_KEY_BYTES])
{
    return room_write(room, upgrade, next);
}

/* --- invitations ----------------------------------------------------------------------------- */

/* The chain to a fresh key, whose seed is the invitation. */
static int invite(weir_room_t *self, struct room_writing *write, const uint8_t *seed,
                  struct buffer *chain)
{
    uint8_t public_key[WRITER_KEY_BYTES], secret[crypto_sign_SECRETKEYBYTES];
    uint64_t stamp;
    /* The invitation's link, and the one of who comes by it. */
    if (room_links(write->author.chain) + 2 > ROOM_LINKS_MAX)
        return fail(&self->reason, ERR_DENIED,
                    "your own chain of invitations has %zu of at most %u links: let someone "
                    "nearer to the owner invite",
                    room_links(write->author.chain), ROOM_LINKS_MAX);
    int rc = room_stamp(self, 0, &stamp);
    if (rc)
        return rc;
    crypto_sign_seed_keypair(public_key, secret, seed);
    sodium_memzero(secret, sizeof secret);
    room_write_link(&write->author, public_key, stamp, chain);
    if (buffer_failed(chain))
        return fail(&self->reason, ERR_NO_MEMORY, "no memory for an invitation");
    return room_is_private(self, write->now) ? room_queue_copies(self, write, public_key, 1) : 0;
}

int weir_room_invite(weir_room_t *room, char **text)
{
    struct room_writing write;
    struct buffer chain = {0};
    uint8_t seed[ROOM_SEED_BYTES];
    char *made = NULL;
    int rc = room_begin(room, &write);
    randombytes_buf(seed, sizeof seed);
    if (!rc)
        rc = invite(room, &write, seed, &chain);
    if (!rc) {
        struct room_code code = {.is_private = room_is_private(room, write.now),
                                 .params = room_contract(room)->params,
                                 .chain = buffer_slice(&chain),
                                 .seed = seed};
        rc = room_invitation_print(&code, &made);
        if (rc)
            rc = fail(&room->reason, rc, "the invitation could not be made: %s", error_text(rc));
    }
    sodium_memzero(seed, sizeof seed);
    buffer_free(&chain);
    rc = room_end(room, &write, rc);
    if (!rc)
        *text = made;
    return rc;
}
