#include "client/room_book.h"

#include "base/limits.h"
#include "client/room_book_file.h"
#include "client/safe_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_LETTERS_LEAST = 4 };

const weir_signer_t *room_book_me(const room_book_t *book)
{
    return book->me;
}

const char *room_book_identity(const room_book_t *book)
{
    return book->identity;
}

size_t room_book_count(const room_book_t *book)
{
    return book->count;
}

const struct room_book_entry *room_book_entry(const room_book_t *book, size_t i)
{
    return &book->rooms[i].entry;
}

size_t room_book_damaged_count(const room_book_t *book)
{
    return book->damaged_count;
}

const char *room_book_damaged(const room_book_t *book, size_t i)
{
    return book->damaged[i].text;
}

/* --- names ----------------------------------------------------------------------------------- */

static bool name_is_taken(const room_book_t *self, const char *name, const struct room_file *by)
{
    for (size_t i = 0; i < self->count; i++)
        if (&self->rooms[i] != by && strcmp(self->rooms[i].entry.name, name) == 0)
            return true;
    return false;
}

void room_book_name_freely(const room_book_t *self, struct room_file *room, const char *name)
{
    enum { NUMBER_ROOM = 8 };
    char wish[ROOM_BOOK_NAME];
    snprintf(wish, sizeof wish, "%s", name);
    for (size_t n = 2; name_is_taken(self, wish, room); n++) {
        size_t size = strnlen(name, ROOM_BOOK_NAME - NUMBER_ROOM);
        while (size && ((uint8_t)name[size] & 0xc0) == 0x80)
            size--; /* no half of a character */
        snprintf(wish, sizeof wish, "%.*s-%zu", (int)size, name, n);
    }
    memcpy(room->entry.name, wish, sizeof wish);
}

/* With letters of the key: nobody gives a room such a name. */
static void makeshift_name(const uint8_t *key, char name[ROOM_BOOK_NAME])
{
    char letters[WEIR_KEY_TEXT_MAX];
    weir_key_print(key, letters);
    snprintf(name, ROOM_BOOK_NAME, "room-%.8s", letters);
}

static bool is_makeshift(const uint8_t *key, const char *name)
{
    char makeshift[ROOM_BOOK_NAME];
    makeshift_name(key, makeshift);
    return strcmp(name, makeshift) == 0;
}

bool room_book_is_makeshift(const struct room_book_entry *entry)
{
    return is_makeshift(entry->key, entry->name);
}

/* The name that a room gives itself, as one that it can go by; false: none is known. */
static bool own_name(const weir_room_t *room, char name[ROOM_BOOK_NAME])
{
    struct weir_room_info info;
    weir_room_info(room, &info);
    safe_text_line(info.name, name, ROOM_BOOK_NAME);
    size_t dashes = strspn(name, "- ");
    memmove(name, name + dashes, strlen(name + dashes) + 1);
    return *name != 0;
}

static int by_name(const void *a, const void *b)
{
    const struct room_file *x = a, *y = b;
    int order = strcmp(x->entry.name, y->entry.name);
    return order ? order : memcmp(x->entry.key, y->entry.key, WEIR_KEY_BYTES);
}

void room_book_sort(room_book_t *self)
{
    qsort(self->rooms, self->count, sizeof self->rooms[0], by_name);
}

/* --- finding --------------------------------------------------------------------------------- */

static void list_names(const room_book_t *self, struct reason *why, size_t used)
{
    for (size_t i = 0; i < self->count; i++) {
        const char *name = self->rooms[i].entry.name;
        if (used + strlen(name) + 8 > sizeof why->text) {
            snprintf(why->text + used, sizeof why->text - used, ", …");
            return;
        }
        used += (size_t)snprintf(why->text + used, sizeof why->text - used, "%s %s", i ? "," : "",
                                 name);
    }
}

static int not_found(const room_book_t *self, const char *name, struct reason *why)
{
    char shown[64];
    if (!why)
        return ERR_NOT_FOUND;
    safe_text_line(weir_text(name), shown, sizeof shown);
    if (!self->count)
        return fail(why, ERR_NOT_FOUND, "there is no room yet");
    (void)fail(why, ERR_NOT_FOUND, "there is no room \"%s\"; there %s", shown,
               self->count == 1 ? "is" : "are");
    list_names(self, why, strlen(why->text));
    return ERR_NOT_FOUND;
}

int room_book_find(const room_book_t *book, const char *name, size_t *i, struct weir_reason *why)
{
    size_t size = strlen(name), found = 0, hits = 0;
    for (size_t at = 0; at < book->count; at++) {
        char key[WEIR_KEY_TEXT_MAX];
        if (strcmp(book->rooms[at].entry.name, name) == 0) {
            *i = at;
            return 0;
        }
        weir_key_print(book->rooms[at].entry.key, key);
        bool by_key = size >= KEY_LETTERS_LEAST && strncmp(key, name, size) == 0;
        if (by_key || is_makeshift(book->rooms[at].entry.key, name)) {
            found = at;
            hits++;
        }
    }
    if (hits > 1)
        return fail((struct reason *)why, ERR_BAD_REQUEST,
                    "the keys of %zu rooms begin with %.50s: give more of it", hits, name);
    if (!hits)
        return not_found(book, name, (struct reason *)why);
    *i = found;
    return 0;
}

size_t room_book_place(const room_book_t *book, const weir_room_t *room)
{
    const uint8_t *key = weir_contract_key(weir_room_contract(room));
    size_t i = 0;
    while (i < book->count && memcmp(book->rooms[i].entry.key, key, WEIR_KEY_BYTES) != 0)
        i++;
    return i;
}

/* --- rooms ----------------------------------------------------------------------------------- */

int room_book_load(const room_book_t *book, size_t i, weir_room_t **room, struct weir_reason *why)
{
    const struct room_file *file = &book->rooms[i];
    weir_room_t *found = NULL;
    int rc =
        weir_room_open((struct weir_bytes){file->card, file->card_size}, book->me, &found, why);
    if (rc)
        return rc;
    if (memcmp(weir_contract_key(weir_room_contract(found)), file->entry.key, WEIR_KEY_BYTES)) {
        weir_room_destroy(&found);
        return fail((struct reason *)why, ERR_BAD_REQUEST, "the card of %s is another room's",
                    file->entry.name);
    }
    *room = found;
    return 0;
}

int room_book_remember(const room_book_t *book, weir_room_t *room)
{
    size_t i = room_book_place(book, room);
    if (i == book->count)
        return 0;
    struct weir_bytes card = {book->rooms[i].card, book->rooms[i].card_size};
    int rc = weir_room_remember(room, card);
    return rc == WEIR_NO_MEMORY ? rc : 0; /* a card that is none has nothing */
}

static int file_path(const room_book_t *self, const uint8_t *key, char path[PATH_ROOM],
                     struct reason *why)
{
    char text[WEIR_KEY_TEXT_MAX];
    weir_key_print(key, text);
    int size = snprintf(path, PATH_ROOM, "%s/%s" ROOM_FILE_SUFFIX, self->dir, text);
    return size < 0 || size >= PATH_ROOM ? fail(why, ERR_IO, "the path is too long") : 0;
}

/* What is on disk of a room: another program may have read on. */
static int read_again(const room_book_t *self, const uint8_t *key, struct room_file *file,
                      struct reason *why)
{
    char path[PATH_ROOM];
    int rc = file_path(self, key, path, why);
    return rc ? rc : room_file_read(path, file, why);
}

/* The name that the room is to go by. `known`: its place in the book, or NULL. */
static int choose_name(const room_book_t *self, const weir_room_t *room,
                       const struct room_file *known, const char *name, struct room_file *file,
                       struct reason *why)
{
    char own[ROOM_BOOK_NAME];
    if (name && !room_file_name_is_good(name))
        return fail(why, ERR_BAD_REQUEST,
                    "a room cannot go by that name: up to %d bytes of text, "
                    "no dash or blank in front",
                    ROOM_BOOK_NAME - 1);
    if (name && name_is_taken(self, name, known))
        return fail(why, ERR_BAD_REQUEST, "another room goes by the name %s already", name);
    if (name)
        memcpy(file->entry.name, name, strlen(name) + 1);
    bool has_name = name || (known && !room_book_is_makeshift(&known->entry));
    if (has_name)
        return 0;
    bool is_known = own_name(room, own);
    if (!is_known)
        makeshift_name(file->entry.key, own);
    if (is_known || !known)
        room_book_name_freely(self, file, own);
    return 0;
}

static bool same(const struct room_file *a, const struct room_file *b)
{
    return strcmp(a->entry.name, b->entry.name) == 0 && a->card_size == b->card_size &&
           memcmp(a->card, b->card, a->card_size) == 0;
}

/* Takes the file into the book, in place of what it had of that room. */
static void take_room(room_book_t *self, struct room_file *known, const struct room_file *file)
{
    if (known)
        room_file_free(known);
    else
        known = &self->rooms[self->count++];
    *known = *file;
    room_book_sort(self);
}

int room_book_save(room_book_t *book, const weir_room_t *room, const char *name,
                   struct weir_reason *why)
{
    struct reason *reason = (struct reason *)why;
    const uint8_t *key = weir_contract_key(weir_room_contract(room));
    size_t place = room_book_place(book, room);
    struct room_file *known = place < book->count ? &book->rooms[place] : NULL;
    struct room_file file = {0}, held = {0};
    if (!known && book->count == ROOM_BOOK_ROOMS_MAX)
        return fail(reason, ERR_TOO_LARGE, "a book holds %u rooms; forget one",
                    ROOM_BOOK_ROOMS_MAX);
    bool there = read_again(book, key, &held, NULL) == 0;
    if (there)
        file.entry = held.entry;
    else if (known)
        file.entry = known->entry;
    memcpy(file.entry.key, key, WEIR_KEY_BYTES);
    if (known)
        memcpy(file.entry.name, known->entry.name, ROOM_BOOK_NAME);
    int rc = choose_name(book, room, known, name, &file, reason);
    if (!rc)
        rc = weir_room_card(room, &file.card, &file.card_size);
    if (!rc && !(there && same(&file, &held)))
        rc = room_file_write(book->dir, &file, reason);
    room_file_free(&held);
    if (rc)
        room_file_free(&file);
    else
        take_room(book, known, &file);
    return rc;
}

int room_book_mark_read(room_book_t *book, size_t i, const uint8_t spot[WEIR_SPOT_BYTES],
                        struct weir_reason *why)
{
    struct room_file held = {0};
    struct room_book_entry *entry = &book->rooms[i].entry;
    int rc = read_again(book, entry->key, &held, (struct reason *)why);
    if (!rc) {
        memcpy(held.entry.read, spot, WEIR_SPOT_BYTES);
        rc = room_file_write(book->dir, &held, (struct reason *)why);
    }
    if (!rc)
        memcpy(entry->read, spot, WEIR_SPOT_BYTES);
    room_file_free(&held);
    return rc;
}

int room_book_forget(room_book_t *book, size_t i, struct weir_reason *why)
{
    char path[PATH_ROOM];
    int rc = file_path(book, book->rooms[i].entry.key, path, (struct reason *)why);
    if (rc)
        return rc;
    if (unlink(path) && errno != ENOENT)
        return fail((struct reason *)why, ERR_IO, "%s cannot be removed: %s", path,
                    strerror(errno));
    room_folder_sync(book->dir);
    room_file_free(&book->rooms[i]);
    memmove(&book->rooms[i], &book->rooms[i + 1], (book->count - i - 1) * sizeof book->rooms[0]);
    book->count--;
    return 0;
}
