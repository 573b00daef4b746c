/* room_look: what a room's view shows, as weir_room.h words it. */
#include "client/room.h"

#include <stdlib.h>

#define SAME(a, b) _Static_assert((int)(a) == (int)(b), "weir_room.h and contracts/room_record.h");
SAME(WEIR_SPOT_BYTES, ROOM_SPOT_BYTES)
SAME(WEIR_ROOM_TEXT, ROOM_TEXT)
SAME(WEIR_ROOM_REPLY, ROOM_REPLY)
SAME(WEIR_ROOM_JOIN, ROOM_JOIN)
SAME(WEIR_ROOM_LEAVE, ROOM_LEAVE)
SAME(WEIR_ROOM_IN, ROOM_IN)
SAME(WEIR_ROOM_STRANGER, ROOM_STRANGER)
SAME(WEIR_ROOM_GONE, ROOM_LEFT_IT)
SAME(WEIR_ROOM_BANNED, ROOM_BANNED)
SAME(WEIR_ROOM_CUT_OFF, ROOM_CUT_OFF)
SAME(WEIR_ROOM_CROWDED, ROOM_CROWDED)

void weir_room_info(const weir_room_t *room, struct weir_room_info *info)
{
    const room_view_t *view = room->view;
    const struct room_config *config = room_view_config(view);
    const uint8_t *me = room->me->public_key;
    bool is_private = room_is_private(room, view);
    *info = (struct weir_room_info){
        .name = slice_bytes(room_view_name(view)),
        .description = slice_bytes(room_view_description(view)),
        .is_private = is_private,
        .readable = !is_private || room_sealing_key(room, view),
        .member = room_view_find_member(view, me) != NULL,
        .moderator = room_moderates(room, view, me),
        .messages = config->messages,
        .members = config->members,
        .message_bytes = config->message_bytes,
        .nickname_bytes = config->nickname_bytes,
        .bans = config->bans,
        .owner = room_contract(room)->owner,
        .moderators = config->moderators.data,
        .moderator_count = config->moderators.size / WRITER_KEY_BYTES,
        .upgrade = room_view_upgrade(view),
    };
}

/* --- messages -------------------------------------------------------------------------------- */

size_t weir_room_message_count(const weir_room_t *room)
{
    return room_view_message_count(room->view);
}

void weir_room_message(const weir_room_t *room, size_t i, struct weir_room_message *message)
{
    const struct room_message *from = room_view_message(room->view, i);
    *message = (struct weir_room_message){
        .spot = from->spot,
        .author = from->author,
        .time_ms = clock_ms(get_u64(from->spot)),
        .content = (enum weir_room_content)from->content,
        .reply_to = from->reply_to,
        .text = slice_bytes(from->text),
        .sealed = from->sealed,
        .edited = from->edited,
        .deleted = from->deleted,
        .reaction_count = from->reaction_count,
    };
}

void weir_room_reaction(const weir_room_t *room, size_t i, size_t r,
                        struct weir_room_reaction *reaction)
{
    const struct room_reaction *from = &room_view_message(room->view, i)->reactions[r];
    *reaction = (struct weir_room_reaction){.text = slice_bytes(from->text), .count = from->count};
    for (size_t a = 0; a < from->count; a++)
        if (room_same_key(from->authors[a], room->me->public_key))
            reaction->mine = 1;
}

const uint8_t *weir_room_reaction_author(const weir_room_t *room, size_t i, size_t r, size_t a)
{
    return room_view_message(room->view, i)->reactions[r].authors[a];
}

int weir_room_find_spot(const weir_room_t *room, const uint8_t *spot, size_t *i)
{
    size_t from = 0, to = room_view_message_count(room->view);
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = memcmp(room_view_message(room->view, middle)->spot, spot, ROOM_SPOT_BYTES);
        if (order == 0) {
            *i = middle;
            return 0;
        }
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return ERR_NOT_FOUND;
}

/* --- people ---------------------------------------------------------------------------------- */

size_t weir_room_member_count(const weir_room_t *room)
{
    return room_view_member_count(room->view);
}

/* The nearest above in its chain who ever was in the room: the links between are invitations. */
static const uint8_t *inviter_of(const weir_room_t *room, const struct room_member *member)
{
    const struct slice none = {0};
    struct room_record record, above;
    if (!member->inviter || !room_register(room, room->view, ROOM_MEMBER,
                                           slice_of(member->key, WRITER_KEY_BYTES), none, &record))
        return member->inviter;
    for (size_t i = room_links(record.chain); i > 1; i--) {
        const uint8_t *key = room_link(record.chain, i - 2);
        if (room_register(room, room->view, ROOM_MEMBER, slice_of(key, WRITER_KEY_BYTES), none,
                          &above))
            return key;
    }
    return room_contract(room)->owner;
}

void weir_room_member(const weir_room_t *room, size_t i, struct weir_room_member *member)
{
    const struct room_member *from = room_view_member(room->view, i);
    *member = (struct weir_room_member){
        .key = from->key,
        .inviter = inviter_of(room, from),
        .invited_ms = clock_ms(from->invited),
        .nickname = slice_bytes(from->nickname),
        .moderator = from->moderator,
    };
}

struct weir_bytes weir_room_name_of(const weir_room_t *room, const uint8_t *key)
{
    return slice_bytes(room_view_nickname(room->view, key));
}

int weir_room_standing(weir_room_t *room, const uint8_t *key, enum weir_room_standing *standing)
{
    const room_view_t *now;
    int rc = room_now(room, &now);
    if (!rc)
        *standing = (enum weir_room_standing)room_view_place(now, key);
    return rc;
}

size_t weir_room_ban_count(const weir_room_t *room)
{
    return room_view_ban_count(room->view);
}

void weir_room_banned(const weir_room_t *room, size_t i, struct weir_room_ban *ban)
{
    const struct room_ban *from = room_view_ban(room->view, i);
    *ban = (struct weir_room_ban){from->target, from->author, clock_ms(from->stamp)};
}

/* --- direct messages, and all as text -------------------------------------------------------- */

size_t weir_room_direct_count(const weir_room_t *room)
{
    return room->opened_count;
}

void weir_room_direct_message(const weir_room_t *room, size_t i,
                              struct weir_room_direct_message *message)
{
    *message = room->opened[i]->shown;
}

int weir_room_print(const weir_room_t *room, char **text, size_t *size)
{
    struct buffer out = {0};
    int rc = room_view_print(room->view, &out);
    buffer_append_u8(&out, 0); /* for who takes it for a C string */
    if (!rc && buffer_failed(&out))
        rc = ERR_NO_MEMORY;
    if (!rc) {
        *size = out.size - 1;
        *text = (char *)buffer_steal(&out);
    }
    buffer_free(&out);
    return rc;
}
