/* room_book_file: one room of a book as a file. Text, so that people can look:
 *
 *   weir-room 1
 *   key BASE58               the room's
 *   read HEX                 the spot of the last message seen
 *   name NAME                what it goes by here
 *   card BASE64              may hold a secret: mode 0600
 *   sum HEX                  BLAKE2b-128 of all the lines before
 */
#ifndef WEIR_CLIENT_ROOM_BOOK_FILE_H
#define WEIR_CLIENT_ROOM_BOOK_FILE_H

#include "base/errors.h"
#include "client/room_book.h"

struct room_file {
    struct room_book_entry entry;
    uint8_t *card; /* malloc'ed */
    size_t card_size;
};

#define ROOM_FILE_SUFFIX ".room"

enum { PATH_ROOM = 4096, IDENTITY_ROOM = 64, DAMAGED_MAX = 100 };

/* What a room_book_t is. */
struct room_book {
    char identity[IDENTITY_ROOM];
    char dir[PATH_ROOM]; /* rooms/IDENTITY */
    weir_signer_t *me;
    struct room_file *rooms; /* ROOM_BOOK_ROOMS_MAX, in byte order of their names */
    size_t count;
    struct reason damaged[DAMAGED_MAX];
    size_t damaged_count;
};

/* Gives a room the name, with a number where another one has it. */
void room_book_name_freely(const struct room_book *book, struct room_file *room, const char *name);

void room_book_sort(struct room_book *book);

void room_file_free(struct room_file *file);

/* Is this a name that a room can go by? */
bool room_file_name_is_good(const char *name);

/* Reads one. ERR_NOT_FOUND, ERR_IO, ERR_DENIED when others may read it, ERR_BAD_REQUEST when it is
 * damaged; the reason names it. *file is new. */
MUST_USE int room_file_read(const char *path, struct room_file *file, struct reason *why);

/* Replaces dir/KEY.room whole, or makes it. ERR_IO, and what was there stays. */
MUST_USE int room_file_write(const char *dir, const struct room_file *file, struct reason *why);

/* Makes a folder of mode 0700 unless there is one. ERR_IO; ERR_DENIED when others may look into it.
 */
MUST_USE int room_folder_make(const char *path, struct reason *why);

/* What a rename or removal in it did is on disk afterwards. */
void room_folder_sync(const char *path);

#endif
