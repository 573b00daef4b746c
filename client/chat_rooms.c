/* The rooms of the chat: those of the book, in order of their names; going from one to another,
 * entering new ones, leaving. */
#include "client/chat.h"

#include <stdio.h>
#include <stdlib.h>

/* --- rooms ----------------------------------------------------------------------------------- */

static void swap_draft(struct chat *chat, struct chat_room *from, struct chat_room *to)
{
    chat_complete_end(&chat->complete); /* it is of the line that goes */
    if (chat->mode == CHAT_MODE_EDIT)
        chat_input_set(&chat->input, slice_of(NULL, 0)); /* what was edited is still there */
    chat->mode = CHAT_MODE_SAY;
    if (from) {
        buffer_clear(&from->draft);
        buffer_append_slice(&from->draft, chat_input_text(&chat->input));
    }
    chat_input_set(&chat->input, to ? buffer_slice(&to->draft) : slice_of(NULL, 0));
}

static void show_room(struct chat *chat, size_t i)
{
    chat->current = i;
    chat->asked_to_leave = false;
    chat_room_show(chat->rooms[i], true);
    chat->dirty = true;
}

void chat_go(struct chat *chat, size_t i)
{
    struct chat_room *from = chat_current(chat);
    if (i >= chat->room_count || i == chat->current)
        return;
    swap_draft(chat, from, chat->rooms[i]);
    chat_room_show(from, false);
    chat_note(chat, false, "%s", "");
    show_room(chat, i);
}

/* Puts a room in its place among the others; the current one stays the current one. */
static int insert_room(struct chat *chat, struct chat_room *room, size_t *place)
{
    struct chat_room **rooms = reallocarray(chat->rooms, chat->room_count + 1, sizeof *rooms);
    size_t i = 0;
    if (!rooms)
        return ERR_NO_MEMORY;
    while (i < chat->room_count && strcmp(rooms[i]->name, room->name) < 0)
        i++;
    memmove(rooms + i + 1, rooms + i, (chat->room_count - i) * sizeof *rooms);
    rooms[i] = room;
    chat->rooms = rooms;
    chat->current += chat->room_count > 0 && i <= chat->current;
    chat->room_count++;
    *place = i;
    return 0;
}

/* Its memory stays while a reply to it may come. */
static void remove_room(struct chat *chat, size_t i)
{
    struct chat_room *room = chat->rooms[i];
    bool was_current = i == chat->current;
    if (was_current)
        swap_draft(chat, room, NULL);
    chat_room_close(room);
    room->next_gone = chat->gone;
    chat->gone = room;
    chat->room_count--;
    memmove(chat->rooms + i, chat->rooms + i + 1, (chat->room_count - i) * sizeof *chat->rooms);
    if (i < chat->current || chat->current == chat->room_count)
        chat->current -= chat->current > 0;
    if (was_current && chat->room_count) {
        swap_draft(chat, NULL, chat->rooms[chat->current]);
        show_room(chat, chat->current);
    }
    chat->dirty = true;
}

static const uint8_t *key_of(const weir_room_t *room)
{
    return weir_contract_key(weir_room_contract(room));
}

/* The room of a key: its place, or the count. */
static size_t find_room(const struct chat *chat, const uint8_t *key)
{
    size_t i = 0;
    while (i < chat->room_count && memcmp(key_of(chat->rooms[i]->room), key, WEIR_KEY_BYTES) != 0)
        i++;
    return i;
}

/* As far as is known: of one that was not read yet it is not. */
static bool is_usable(const struct chat_room *room)
{
    struct weir_room_info info;
    weir_room_info(room->room, &info);
    return !room->leaving && (room->state != CHAT_ROOM_FOLLOWED || (info.member && info.readable));
}

/* Saves a room under a name; with a number behind it, or its own one, where that cannot be. */
static int save_named(struct chat *chat, const weir_room_t *room, const char *name,
                      struct weir_reason *why)
{
    char numbered[ROOM_BOOK_NAME];
    int rc = name ? room_book_save(chat->book, room, name, why) : WEIR_BAD_REQUEST;
    for (int n = 2; rc == WEIR_BAD_REQUEST && name && n < 10; n++) {
        snprintf(numbered, sizeof numbered, "%.*s-%d", ROOM_BOOK_NAME - 4, name, n);
        rc = room_book_save(chat->book, room, numbered, why);
    }
    return rc == WEIR_BAD_REQUEST ? room_book_save(chat->book, room, NULL, why) : rc;
}

void chat_take_room(struct chat *chat, weir_room_t *room, const char *name)
{
    struct weir_reason why = {""};
    struct chat_room *taken = NULL, *from;
    size_t place = 0, there = find_room(chat, key_of(room));
    if (there < chat->room_count && is_usable(chat->rooms[there])) {
        weir_room_destroy(&room);
        chat_go(chat, there);
        chat_note(chat, false, "you are in %s already", chat->rooms[there]->name);
        return;
    }
    bool known = room_book_place(chat->book, room) < room_book_count(chat->book);
    int rc = room_book_remember(chat->book, room);
    if (!rc)
        rc = save_named(chat, room, name, &why);
    size_t entry = rc ? 0 : room_book_place(chat->book, room);
    if (rc || entry == room_book_count(chat->book)) {
        chat_note(chat, true, "the room cannot be saved: %s", why.text);
        weir_room_destroy(&room);
        return;
    }
    if (there < chat->room_count)
        remove_room(chat, there);
    from = chat_current(chat);
    rc = chat_room_new(chat->w, room, room_book_entry(chat->book, entry), &taken);
    if (!rc)
        rc = insert_room(chat, taken, &place);
    if (rc) {
        chat_room_destroy(&taken);
        chat_note(chat, true, "%s", weir_error_text(rc));
        return;
    }
    taken->is_new = true;
    taken->keeps_name = known;
    swap_draft(chat, from, taken);
    if (from)
        chat_room_show(from, false);
    show_room(chat, place);
}

/* --- rooms that are new here ----------------------------------------------------------------- */

/* The name that `me` has in another room, or the identity's, or the user's. */
static struct weir_bytes my_name(const struct chat *chat)
{
    for (size_t i = 0; i < chat->room_count; i++) {
        weir_room_t *room = chat->rooms[i]->room;
        struct weir_bytes name = weir_room_name_of(room, weir_room_me(room));
        if (name.size)
            return name;
    }
    const char *identity = room_book_identity(chat->book), *user = getenv("USER");
    if (strcmp(identity, "me") == 0 && user && *user)
        return weir_text(user);
    return weir_text(identity);
}

/* Takes the room's own name for the book's, now that it is known. */
static void rename_room(struct chat *chat, size_t i)
{
    struct chat_room *room = chat->rooms[i];
    struct weir_room_info info;
    char name[ROOM_BOOK_NAME];
    weir_room_info(room->room, &info);
    room->is_makeshift &= info.name.size == 0;
    snprintf(name, sizeof name, "%.*s", (int)info.name.size, (const char *)info.name.data);
    if (info.name.size == 0 || strcmp(name, room->name) == 0 ||
        save_named(chat, room->room, name, NULL))
        return;
    size_t entry = room_book_place(chat->book, room->room);
    if (entry == room_book_count(chat->book))
        return;
    bool shown = room->shown;
    memcpy(room->name, room_book_entry(chat->book, entry)->name, sizeof room->name);
    chat->room_count--;
    memmove(chat->rooms + i, chat->rooms + i + 1, (chat->room_count - i) * sizeof *chat->rooms);
    chat->current -= i < chat->current;
    size_t place;
    if (insert_room(chat, room, &place) == 0 && shown)
        chat->current = place;
}

static void greet(struct chat *chat, size_t i)
{
    struct chat_room *room = chat->rooms[i];
    struct weir_room_info info;
    weir_room_info(room->room, &info);
    if (room->state != CHAT_ROOM_FOLLOWED || !info.member || !info.readable)
        return;
    room->is_new = false;
    if (weir_room_name_of(room->room, weir_room_me(room->room)).size == 0 &&
        weir_room_nickname(room->room, my_name(chat)) == 0)
        chat_room_queued(room, NULL, NULL, slice_of(NULL, 0), chat->connected);
    if (!room->keeps_name || room->is_makeshift)
        rename_room(chat, i);
}

static void forget_room(struct chat *chat, size_t i)
{
    struct weir_reason why = {""};
    size_t entry = room_book_place(chat->book, chat->rooms[i]->room);
    char name[sizeof chat->rooms[i]->name];
    memcpy(name, chat->rooms[i]->name, sizeof name);
    remove_room(chat, i);
    if (entry < room_book_count(chat->book) && room_book_forget(chat->book, entry, &why))
        chat_note(chat, true, "%s", why.text);
    else
        chat_note(chat, false, "you left %s", name);
}

/* --- as time goes ---------------------------------------------------------------------------- */

void chat_rooms_save(struct chat *chat)
{
    for (size_t i = 0; i < chat->room_count; i++) {
        struct chat_room *room = chat->rooms[i];
        struct weir_reason why = {""};
        size_t entry = room->read_moved ? room_book_place(chat->book, room->room) : 0;
        if (!room->read_moved || entry == room_book_count(chat->book))
            continue;
        room->read_moved = false;
        if (room_book_mark_read(chat->book, entry, room->read, &why))
            chat_note(chat, true, "what was read cannot be saved: %s", why.text);
    }
}

static void tick_room(struct chat *chat, size_t i, uint64_t now_ms)
{
    struct chat_room *room = chat->rooms[i];
    chat_room_tick(room, now_ms, chat->connected);
    chat->dirty = chat->dirty || room->changed;
    room->changed = false;
    if (room->is_new)
        greet(chat, i);
    else if (room->leaving && !chat_room_has_waiting(room))
        forget_room(chat, i);
    else if (room->is_makeshift && room->state == CHAT_ROOM_FOLLOWED)
        rename_room(chat, i);
}

void chat_rooms_tick(struct chat *chat, uint64_t now_ms)
{
    for (size_t i = chat->room_count; i-- > 0;)
        tick_room(chat, i, now_ms);
}

/* --- in and out ------------------------------------------------------------------------------ */

static int open_room(struct chat *chat, size_t entry, struct weir_reason *why)
{
    weir_room_t *room = NULL;
    struct chat_room *one = NULL;
    size_t place;
    int rc = room_book_load(chat->book, entry, &room, why);
    if (!rc)
        rc = chat_room_new(chat->w, room, room_book_entry(chat->book, entry), &one);
    if (!rc)
        rc = insert_room(chat, one, &place);
    if (rc)
        chat_room_destroy(&one);
    return rc;
}

int chat_rooms_open(struct chat *chat, const char *name, struct weir_reason *why)
{
    size_t chosen = 0;
    int rc = name ? room_book_find(chat->book, name, &chosen, why) : 0;
    if (rc)
        return rc;
    for (size_t i = 0; i < room_book_damaged_count(chat->book); i++)
        chat_note(chat, true, "%s", room_book_damaged(chat->book, i));
    for (size_t i = 0; i < room_book_count(chat->book); i++) {
        struct weir_reason unusable = {""};
        rc = open_room(chat, i, &unusable);
        if (rc)
            chat_note(chat, true, "%s cannot be opened: %s", room_book_entry(chat->book, i)->name,
                      *unusable.text ? unusable.text : weir_error_text(rc));
    }
    chat->current = 0;
    if (!chat->room_count)
        return 0;
    size_t there = find_room(chat, room_book_entry(chat->book, chosen)->key);
    show_room(chat, there < chat->room_count ? there : 0);
    return 0;
}

void chat_rooms_close(struct chat *chat)
{
    for (size_t i = 0; i < chat->room_count; i++)
        chat_room_close(chat->rooms[i]);
}

void chat_rooms_free(struct chat *chat)
{
    for (size_t i = 0; i < chat->room_count; i++)
        chat_room_destroy(&chat->rooms[i]);
    free(chat->rooms);
    while (chat->gone) {
        struct chat_room *next = chat->gone->next_gone;
        chat_room_destroy(&chat->gone);
        chat->gone = next;
    }
}
