/* room_book: what `weir room` and `weir chat` keep on this machine: identities, and the rooms that
 * each is in. Under $XDG_CONFIG_HOME/weir, else ~/.config/weir; folders 0700, files 0600:
 *
 *   keys/IDENTITY.key            a key pair, as weir_signer_save writes it
 *   rooms/IDENTITY/KEY.room      a room's card, the name it goes by here, and how far it was read
 *
 * A file is replaced whole (written beside, synced, renamed), so a crash leaves the old or the new
 * one. Two programs of one identity may have it open; the last to save a room wins. */
#ifndef WEIR_CLIENT_ROOM_BOOK_H
#define WEIR_CLIENT_ROOM_BOOK_H

#include "client/weir_room.h"

#include <stdbool.h>

typedef struct room_book room_book_t;

enum { ROOM_BOOK_NAME = 128 }; /* room for a room's name here, and its end */

/* One room of the book. `name` is unique in it, and safe on a terminal. */
struct room_book_entry {
    char name[ROOM_BOOK_NAME];
    uint8_t key[WEIR_KEY_BYTES];
    uint8_t read[WEIR_SPOT_BYTES]; /* the last message that was seen; zeros: none */
};

/* Opens the book of an identity (NULL: $WEIR_IDENTITY, else "me"); `make`: makes its key pair when
 * there is none, *made tells it (may be NULL). WEIR_NOT_FOUND without one, `why` lists those that
 * there are, WEIR_IO, WEIR_DENIED when others may read the key, WEIR_BAD_REQUEST for a name that
 * makes no file name. *book is new. */
int room_book_open(const char *identity, bool make, bool *made, room_book_t **book,
                   struct weir_reason *why);
/* Is it for who is nobody on this machine yet: none is named, and there is none? */
bool room_book_is_first(const char *identity);
void room_book_destroy(room_book_t **book);

const weir_signer_t *room_book_me(const room_book_t *book); /* lives as long as the book */
const char *room_book_identity(const room_book_t *book);

/* In byte order of their names. */
size_t room_book_count(const room_book_t *book);
const struct room_book_entry *room_book_entry(const room_book_t *book, size_t i);

/* Files of the book that could not be read are passed over; a sentence for each that names it. */
size_t room_book_damaged_count(const room_book_t *book);
const char *room_book_damaged(const room_book_t *book, size_t i);

/* Does the room go by a name that stands for its own one, which was not known (of a private room,
 * to who has no key yet)? room_book_save without a name puts the own one in its place. */
bool room_book_is_makeshift(const struct room_book_entry *entry);

/* The place of a room's entry; the count when the book has none. */
size_t room_book_place(const room_book_t *book, const weir_room_t *room);

/* By name, by the makeshift one that it had, or by the room's key in base58 or its beginning (4
 * letters at least). WEIR_NOT_FOUND, WEIR_BAD_REQUEST when ambiguous; `why` lists what there is. */
int room_book_find(const room_book_t *book, const char *name, size_t *i, struct weir_reason *why);

/* A room that was joined now takes over what the book's card of it may be needed for still
 * (weir_room_remember); one that the book does not have takes nothing. WEIR_NO_MEMORY. */
int room_book_remember(const room_book_t *book, weir_room_t *room);

/* The room of an entry. *room is new. */
int room_book_load(const room_book_t *book, size_t i, weir_room_t **room, struct weir_reason *why);

/* Saves a room under a name, or under the one that it has (NULL; a new room then takes its own
 * name, with a number where that is taken). WEIR_BAD_REQUEST when another room has the name, or it
 * is none: empty, with a dash or blank in front, or not for a terminal. Entries may move. */
int room_book_save(room_book_t *book, const weir_room_t *room, const char *name,
                   struct weir_reason *why);
/* How far a room was read, beside what another program saved meanwhile. WEIR_NOT_FOUND when that
 * one has forgotten the room. */
int room_book_mark_read(room_book_t *book, size_t i, const uint8_t spot[WEIR_SPOT_BYTES],
                        struct weir_reason *why);
int room_book_forget(room_book_t *book, size_t i, struct weir_reason *why);

#endif
