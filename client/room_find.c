/* room_find: messages and people by what is typed for them. */
#include "base/base58.h"
#include "client/room.h"

#include <ctype.h>

enum { LETTERS_MIN = 4 }; /* of the beginning of a name: fewer are mistakes more often than names */

_Static_assert(WEIR_SPOT_TEXT == 2 * ROOM_ID_BYTES + 1, "weir_room.h and room_record.h");

void weir_room_spot_name(const uint8_t *spot, char text[WEIR_SPOT_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *id = spot + 8;
    for (size_t i = 0; i < ROOM_ID_BYTES; i++) {
        text[2 * i] = digits[id[i] >> 4];
        text[2 * i + 1] = digits[id[i] & 15];
    }
    text[2 * (size_t)ROOM_ID_BYTES] = 0;
}

/* Does this name begin so? Hexadecimal digits are the same in capitals. */
static bool begins(const char *name, const char *with)
{
    while (*with && tolower((unsigned char)*with) == *name)
        with++, name++;
    return !*with;
}

int weir_room_find_message(weir_room_t *room, const char *name, uint8_t spot[WEIR_SPOT_BYTES])
{
    char text[WEIR_SPOT_TEXT];
    size_t length = strnlen(name, WEIR_SPOT_TEXT), found = 0;
    const uint8_t *first = NULL;
    if (length < LETTERS_MIN || length >= WEIR_SPOT_TEXT ||
        strspn(name, "0123456789abcdefABCDEF") != length)
        return fail(&room->reason, ERR_BAD_REQUEST,
                    "a message is named by %d to %d hexadecimal digits", LETTERS_MIN,
                    2 * ROOM_ID_BYTES);
    for (size_t i = room_view_message_count(room->view); i; i--) {
        const uint8_t *one = room_view_message(room->view, i - 1)->spot;
        weir_room_spot_name(one, text);
        if (!begins(text, name))
            continue;
        first = first ? first : one;
        found++;
    }
    if (!found)
        return fail(&room->reason, ERR_NOT_FOUND,
                    "no message shown here has a name that begins "
                    "with %s",
                    name);
    if (found > 1)
        return fail(&room->reason, ERR_BAD_REQUEST,
                    "%zu messages have names that begin with %s: give more of it", found, name);
    memcpy(spot, first, WEIR_SPOT_BYTES);
    return 0;
}

/* --- people ---------------------------------------------------------------------------------- */

struct search {
    const char *name;
    const uint8_t *found;
    size_t count; /* of different keys */
};

static void look_at(const weir_room_t *self, struct search *search, const uint8_t *key)
{
    char text[BASE58_TEXT_MAX];
    size_t length = strlen(search->name);
    struct slice nickname = room_view_nickname(self->view, key);
    base58_encode(key, WRITER_KEY_BYTES, text);
    bool by_name = nickname.size && slice_is(nickname, search->name);
    bool by_key = length >= LETTERS_MIN && strncmp(text, search->name, length) == 0;
    if ((!by_name && !by_key) || (search->found && room_same_key(search->found, key)))
        return;
    search->found = key;
    search->count++;
}

/* A whole key is nobody else's, whatever name someone took. */
static bool is_whole_key(const char *name, uint8_t key[WRITER_KEY_BYTES])
{
    return base58_decode(slice_text(name), key, WRITER_KEY_BYTES) == 0;
}

/* Members, and bans, of which one member may have several side by side. */
int weir_room_find_person(weir_room_t *room, const char *name, uint8_t key[WEIR_KEY_BYTES])
{
    struct search search = {.name = name};
    uint8_t whole[WRITER_KEY_BYTES];
    bool is_whole = is_whole_key(name, whole);
    for (size_t i = 0; i < room_view_member_count(room->view); i++) {
        const uint8_t *one = room_view_member(room->view, i)->key;
        if (!is_whole || room_same_key(one, whole))
            look_at(room, &search, one);
    }
    for (size_t i = 0; i < room_view_ban_count(room->view); i++) {
        const uint8_t *one = room_view_ban(room->view, i)->target;
        if (!is_whole || room_same_key(one, whole))
            look_at(room, &search, one);
    }
    if (!search.count)
        return fail(&room->reason, ERR_NOT_FOUND,
                    "nobody in this room has the nickname %.60s, nor a key that begins so", name);
    if (search.count > 1)
        return fail(&room->reason, ERR_BAD_REQUEST,
                    "%zu people are meant by %.60s: give the beginning of a key", search.count,
                    name);
    memcpy(key, search.found, WEIR_KEY_BYTES);
    return 0;
}
