/* What the commands about people do. */
#include "client/chat.h"

#include <stdio.h>
#include <stdlib.h>

/* Does text begin with a name, alone? */
static bool begins_with_name(struct slice text, struct slice name)
{
    return name.size > 0 && text.size >= name.size &&
           memcmp(text.data, name.data, name.size) == 0 &&
           (text.size == name.size || text.data[name.size] == ' ');
}

/* How many members text begins with the name of: names may have blanks in them, so `ann lee` is one
 * or `ann`, and what is said to her. In quotes it is that name and no other. */
static size_t find_named(const struct chat_room *room, struct slice text, uint8_t *key,
                         struct slice *rest)
{
    bool quoted = text.size && text.data[0] == '"';
    struct slice after, word = chat_first_word(text, &after);
    size_t found = 0;
    for (size_t i = 0; i < weir_room_member_count(room->room); i++) {
        struct weir_room_member m;
        weir_room_member(room->room, i, &m);
        struct slice name = chat_room_name(room, m.key);
        if (quoted ? !slice_equal(word, name) : !begins_with_name(text, name))
            continue;
        found++;
        memcpy(key, m.key, WEIR_KEY_BYTES);
        *rest = quoted ? after : chat_trim(slice_after(text, name.size));
    }
    return found;
}

bool chat_find_person(struct chat *chat, struct slice text, uint8_t key[WEIR_KEY_BYTES],
                      struct slice *rest)
{
    const struct chat_room *room = chat_current(chat);
    size_t found = find_named(room, text, key, rest);
    if (found > 1)
        chat_note(chat, true, "that may be %zu members: give the name in quotes, or the key",
                  found);
    if (found)
        return found == 1;
    char *name = chat_copy_text(chat_first_word(text, rest));
    int rc = name ? room_names_find(room->room, name, key) : WEIR_NO_MEMORY;
    free(name);
    if (rc)
        chat_note(chat, true, "%s", weir_room_error(room->room));
    return rc == 0;
}

void chat_do_dm(struct chat *chat, struct slice args)
{
    uint8_t key[WEIR_KEY_BYTES];
    struct slice text;
    if (!chat_find_person(chat, args, key, &text))
        return;
    if (text.size == 0) {
        chat_note(chat, true, "usage: /dm MEMBER TEXT");
        return;
    }
    chat_do_queued(chat, weir_room_direct(chat_current(chat)->room, key,
                                          (struct weir_bytes){text.data, text.size}));
}

static void ban(struct chat *chat, struct slice args, bool lift)
{
    uint8_t key[WEIR_KEY_BYTES];
    struct slice rest;
    char name[128];
    if (!chat_find_person(chat, args, key, &rest))
        return;
    struct slice called = chat_room_name(chat_current(chat), key);
    snprintf(name, sizeof name, "%.*s", (int)called.size, (const char *)called.data);
    int rc = weir_room_ban(chat_current(chat)->room, key, lift);
    chat_do_queued(chat, rc);
    if (rc == 0)
        chat_note(chat, false, lift ? "your ban of %s is lifted" : "%s is banned", name);
}

void chat_do_ban(struct chat *chat, struct slice args)
{
    ban(chat, args, false);
}

void chat_do_unban(struct chat *chat, struct slice args)
{
    ban(chat, args, true);
}

void chat_do_nick(struct chat *chat, struct slice args)
{
    chat_do_queued(chat, weir_room_nickname(chat_current(chat)->room,
                                            (struct weir_bytes){args.data, args.size}));
}

static void add_person(struct chat *chat, const char *before, const uint8_t *key)
{
    chat_page_add(chat, slice_text(before));
    chat_page_add(chat, chat_room_name(chat_current(chat), key));
}

void chat_do_members(struct chat *chat, struct slice args)
{
    weir_room_t *room = chat_current(chat)->room;
    (void)args;
    chat_page_open(chat, "Who is here");
    for (size_t i = 0; i < weir_room_member_count(room); i++) {
        struct weir_room_member m;
        char key[WEIR_KEY_TEXT_MAX];
        weir_room_member(room, i, &m);
        weir_key_print(m.key, key);
        add_person(chat, m.inviter ? m.moderator ? "◆ " : "  " : "★ ", m.key);
        chat_page_add(chat, slice_text(!m.inviter    ? ", the owner"
                                       : m.moderator ? ", moderator"
                                                     : ""));
        if (m.inviter)
            add_person(chat, ", invited by ", m.inviter);
        chat_page_add(chat, slice_text("\n    "));
        chat_page_add(chat, slice_text(key));
        chat_page_add(chat, slice_text("\n"));
    }
    for (size_t i = 0; i < weir_room_ban_count(room); i++) {
        struct weir_room_ban b;
        weir_room_banned(room, i, &b);
        add_person(chat, i ? "✗ " : "\nBanned\n✗ ", b.target);
        add_person(chat, " by ", b.author);
        chat_page_add(chat, slice_text("\n"));
    }
}
