/* What the commands about rooms do. */
#include "client/chat.h"

#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>

char *chat_copy_text(struct slice text)
{
    char *copy = malloc(text.size + 1);
    if (copy) {
        memcpy(copy, text.data, text.size);
        copy[text.size] = 0;
    }
    return copy;
}

/* --- rooms ----------------------------------------------------------------------------------- */

void chat_do_create(struct chat *chat, struct slice args)
{
    struct slice rest, word = chat_first_word(args, &rest);
    struct weir_reason why = {""};
    struct weir_room_settings settings = {.is_private = rest.size && slice_is(word, "private")};
    weir_room_t *room = NULL;
    char *name = chat_copy_text(settings.is_private ? rest : args);
    settings.name = name;
    int rc =
        name ? weir_room_create(room_book_me(chat->book), &settings, &room, &why) : WEIR_NO_MEMORY;
    if (rc)
        chat_note(chat, true, "the room cannot be made: %s", why.text);
    else
        chat_take_room(chat, room, name);
    free(name);
}

void chat_do_join(struct chat *chat, struct slice args)
{
    struct weir_reason why = {""};
    weir_room_t *room = NULL;
    char *invitation = chat_copy_text(args);
    int rc = invitation ? weir_room_join(invitation, room_book_me(chat->book), &room, &why)
                        : WEIR_NO_MEMORY;
    if (rc)
        chat_note(chat, true, "no room to enter: %s", why.text);
    else
        chat_take_room(chat, room, NULL);
    free(invitation);
}

static void write_invitation(struct chat *chat, const char *path, const char *invitation)
{
    FILE *file = chat_create_file(path);
    bool failed = !file || fprintf(file, "%s\n", invitation) < 0;
    failed = (file && fclose(file)) || failed;
    if (failed)
        chat_note(chat, true, "it cannot be written (%m): %s", path);
    else
        chat_note(chat, false, "the invitation is in %s: whoever has it can enter", path);
}

void chat_do_invite(struct chat *chat, struct slice args)
{
    struct chat_room *room = chat_current(chat);
    char *invitation = NULL, title[192];
    int rc = weir_room_invite(room->room, &invitation);
    chat_do_queued(chat, rc);
    if (rc)
        return;
    if (args.size) {
        char *path = chat_copy_text(args);
        if (path)
            write_invitation(chat, path, invitation);
        free(path);
    } else {
        snprintf(title, sizeof title, "An invitation to %s", room->name);
        chat_page_open(chat, title);
        chat_page_add(chat,
                      slice_text("\nWhoever has this text can enter, with /join or `weir room "
                                 "join`. Blanks and line ends in it do not matter.\n\n"));
        chat_page_add(chat, slice_text(invitation));
    }
    weir_free(invitation);
}

/* Who was banned, or never came in, has nobody to tell. */
static bool may_forget(const struct chat_room *room)
{
    struct weir_room_info info;
    weir_room_info(room->room, &info);
    return !info.member;
}

static bool is_my_own(const struct chat_room *room)
{
    struct weir_room_info info;
    weir_room_info(room->room, &info);
    return memcmp(info.owner, weir_room_me(room->room), WEIR_KEY_BYTES) == 0;
}

/* An owner stays one, and its card has what the room is found by. */
static void tell_owner(struct chat *chat, const struct chat_room *room)
{
    char title[192], text[1024];
    snprintf(title, sizeof title, "%s is yours", room->name);
    snprintf(
        text, sizeof text,
        "\nIts owner cannot leave a room, and nothing closes one: it is with its members and "
        "with the nodes that hold it. Without you it goes on. They write and invite, its "
        "moderators ban and delete; but nobody else can change its settings, or who its "
        "moderators are.\n\nTo have it off this machine, end this and run\n\n  weir room leave "
        "'%s' --forget\n\nNobody is told of that. Your key is kept, so any invitation to the "
        "room brings it back, and you as its owner.\n",
        room->name);
    chat_page_open(chat, title);
    chat_page_add(chat, slice_text(text));
}

void chat_do_leave(struct chat *chat, struct slice args)
{
    struct chat_room *room = chat_current(chat);
    (void)args;
    if (is_my_own(room)) {
        tell_owner(chat, room);
        return;
    }
    if (!chat->asked_to_leave) {
        chat->asked_to_leave = true;
        chat_note(chat, false, "/leave once more to leave %s for good", room->name);
        return;
    }
    int rc = weir_room_leave(room->room);
    bool unheard = rc == WEIR_DENIED && may_forget(room);
    room->leaving = rc == 0 || unheard;
    if (!unheard)
        chat_do_queued(chat, rc);
}

void chat_do_rotate(struct chat *chat, struct slice args)
{
    (void)args;
    int rc = weir_room_rotate(chat_current(chat)->room);
    chat_do_queued(chat, rc);
    if (!rc)
        chat_note(chat, false, "the room has a new key");
}

/* --- settings -------------------------------------------------------------------------------- */

static int configure(struct chat *chat, const struct weir_room_settings *settings)
{
    int rc = weir_room_configure(chat_current(chat)->room, settings);
    chat_do_queued(chat, rc);
    return rc;
}

void chat_do_topic(struct chat *chat, struct slice args)
{
    struct weir_room_info info;
    weir_room_info(chat_current(chat)->room, &info);
    if (args.size == 0) {
        chat_page_open(chat, chat_current(chat)->name);
        chat_page_add(chat, info.description.size
                                ? slice_of(info.description.data, info.description.size)
                                : slice_text("There is no topic."));
        return;
    }
    char *text = chat_copy_text(slice_is(args, "\"\"") ? slice_of(args.data, 0) : args);
    if (text)
        configure(chat, &(struct weir_room_settings){.description = text});
    free(text);
}

static const struct {
    const char *name, *doc;
    size_t at; /* in weir_room_settings */
} numbers[] = {
    {"messages", "the newest shown", offsetof(struct weir_room_settings, messages)},
    {"members", "how many there may be", offsetof(struct weir_room_settings, members)},
    {"message-bytes", "of a message", offsetof(struct weir_room_settings, message_bytes)},
    {"nickname-bytes", "of a nickname", offsetof(struct weir_room_settings, nickname_bytes)},
    {"bans", "how many there may be", offsetof(struct weir_room_settings, bans)},
};
enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

const char *chat_setting(size_t i)
{
    static const char *const others[] = {"name", "moderator"};
    return i < NUMBERS ? numbers[i].name : i - NUMBERS < 2 ? others[i - NUMBERS] : NULL;
}

static void show_settings(struct chat *chat)
{
    struct weir_room_info info;
    char line[128];
    weir_room_info(chat_current(chat)->room, &info);
    const unsigned values[NUMBERS] = {info.messages, info.members, info.message_bytes,
                                      info.nickname_bytes, info.bans};
    chat_page_open(chat, "The room's settings");
    chat_page_add(chat, slice_text("  name            "));
    chat_page_add(chat, slice_of(info.name.data, info.name.size));
    chat_page_add(chat, slice_text(info.is_private ? "\n  private\n" : "\n  public\n"));
    for (size_t i = 0; i < NUMBERS; i++) {
        snprintf(line, sizeof line, "  %-15s %u  %s\n", numbers[i].name, values[i], numbers[i].doc);
        chat_page_add(chat, slice_text(line));
    }
    chat_page_add(chat, slice_text("  moderator       MEMBER makes one, -MEMBER takes it back\n"));
}

static void set_number(struct chat *chat, size_t i, const char *text)
{
    struct weir_room_settings settings = {0};
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*end || end == text || number == 0 || number > UINT32_MAX) {
        chat_note(chat, true, "%s is no number from 1", text);
        return;
    }
    unsigned value = (unsigned)number;
    memcpy((char *)&settings + numbers[i].at, &value, sizeof value);
    if (!configure(chat, &settings))
        chat_note(chat, false, "%s is %u", numbers[i].name, value);
}

/* --- /config --------------------------------------------------------------------------------- */

/* Adds a moderator to those there are, or with a - before it takes it away. */
static void set_moderator(struct chat *chat, struct slice name)
{
    struct weir_room_info info;
    uint8_t key[WEIR_KEY_BYTES], keys[(ROOM_MODERATORS_MAX + 1) * WEIR_KEY_BYTES];
    bool remove = name.size > 0 && name.data[0] == '-';
    size_t count = 0;
    struct slice rest;
    if (!chat_find_person(chat, remove ? slice_after(name, 1) : name, key, &rest))
        return;
    weir_room_info(chat_current(chat)->room, &info);
    for (size_t i = 0; i < info.moderator_count; i++) {
        const uint8_t *one = info.moderators + i * WEIR_KEY_BYTES;
        if (memcmp(one, key, WEIR_KEY_BYTES) != 0)
            memcpy(keys + count++ * WEIR_KEY_BYTES, one, WEIR_KEY_BYTES);
    }
    if (!remove)
        memcpy(keys + count++ * WEIR_KEY_BYTES, key, WEIR_KEY_BYTES);
    configure(chat, &(struct weir_room_settings){.moderators = keys, .moderator_count = count});
}

void chat_do_config(struct chat *chat, struct slice args)
{
    struct slice value, name = chat_first_word(args, &value);
    if (args.size == 0) {
        show_settings(chat);
        return;
    }
    char *text = chat_copy_text(value);
    size_t i = 0;
    while (i < NUMBERS && !slice_is(name, numbers[i].name))
        i++;
    if (!text || value.size == 0)
        chat_note(chat, true, "usage: /config SETTING VALUE");
    else if (i < NUMBERS)
        set_number(chat, i, text);
    else if (slice_is(name, "name"))
        configure(chat, &(struct weir_room_settings){.name = text});
    else if (slice_is(name, "moderator"))
        set_moderator(chat, value);
    else
        chat_note(chat, true, "there is no such setting; /config lists them");
    free(text);
}
