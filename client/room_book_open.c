/* Opening a book: who it is of, and what is in it. */
#include "base/limits.h"
#include "client/home_path.h"
#include "client/room_book_file.h"
#include "client/safe_text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_FILE_SUFFIX ".key"

enum { LISTED_MAX = 8 }; /* identities in a sentence */

/* NULL: none is named. */
static const char *named(const char *identity)
{
    const char *env = getenv("WEIR_IDENTITY");
    return identity ? identity : env && *env ? env : NULL;
}

static int take_identity(room_book_t *self, const char *identity, struct reason *why)
{
    const char *name = named(identity) ? named(identity) : "me";
    size_t size = strlen(name);
    if (size == 0 || size >= IDENTITY_ROOM || name[0] == '.' || name[0] == '-' ||
        strchr(name, '/') || !safe_text_is(weir_text(name)))
        return fail(why, ERR_BAD_REQUEST,
                    "an identity has no such name: up to %d bytes, no slash, "
                    "and no dot or dash in front",
                    IDENTITY_ROOM - 1);
    memcpy(self->identity, name, size + 1);
    return 0;
}

/* A path below the configuration's folder. */
static int path_of(char path[PATH_ROOM], struct reason *why, const char *folder, const char *name,
                   const char *end)
{
    char below[PATH_ROOM];
    snprintf(below, sizeof below, "%s%s%s", folder, name, end);
    return home_path_config(below, path, PATH_ROOM)
               ? 0
               : fail(why, ERR_IO, HOME_PATH_NONE "; set it, or XDG_CONFIG_HOME");
}

/* A new key pair, whole under its name or not there: written beside, then linked. */
static int make_key(const char *path, struct reason *why)
{
    char beside[PATH_ROOM + 32];
    snprintf(beside, sizeof beside, "%s.new-%ld", path, (long)getpid());
    weir_signer_t *signer = weir_signer_new();
    if (!signer)
        return fail(why, ERR_NO_MEMORY, "%s", error_text(ERR_NO_MEMORY));
    unlink(beside); /* of a program that was killed */
    int rc = weir_signer_save(signer, beside, (struct weir_reason *)why);
    weir_signer_destroy(&signer);
    if (!rc && link(beside, path) && errno != EEXIST)
        rc = fail(why, ERR_IO, "%s cannot be made: %s", path, strerror(errno));
    unlink(beside);
    return rc;
}

/* The name of the identity whose key the file is; false: it is none's. */
static bool is_key_file(const char *file, char name[IDENTITY_ROOM])
{
    size_t size = strlen(file), end = strlen(KEY_FILE_SUFFIX);
    if (file[0] == '.' || size <= end || size - end >= IDENTITY_ROOM ||
        strcmp(file + size - end, KEY_FILE_SUFFIX) != 0)
        return false;
    snprintf(name, IDENTITY_ROOM, "%.*s", (int)(size - end), file);
    return safe_text_is(weir_text(name));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The names of the identities that there are, in order, at most LISTED_MAX of them; how many there
 * are. */
static size_t list_identities(char names[LISTED_MAX][IDENTITY_ROOM])
{
    char path[PATH_ROOM], name[IDENTITY_ROOM];
    DIR *dir = path_of(path, NULL, "keys", "", "") ? NULL : opendir(path);
    size_t count = 0;
    for (struct dirent *found; dir && (found = readdir(dir));)
        if (is_key_file(found->d_name, name) && count++ < LISTED_MAX)
            memcpy(names[count - 1], name, sizeof name);
    if (dir)
        closedir(dir);
    qsort(names, count < LISTED_MAX ? count : LISTED_MAX, IDENTITY_ROOM, by_name);
    return count;
}

bool room_book_is_first(const char *identity)
{
    char names[LISTED_MAX][IDENTITY_ROOM];
    return !named(identity) && list_identities(names) == 0;
}

static int no_identity(const char *identity, struct reason *why)
{
    char names[LISTED_MAX][IDENTITY_ROOM], list[LISTED_MAX * (IDENTITY_ROOM + 2) + 8];
    size_t count = list_identities(names), used = 0;
    if (!count)
        return fail(why, ERR_NOT_FOUND, "there is no identity %s on this machine", identity);
    for (size_t i = 0; i < count && i < LISTED_MAX; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s %s", i ? "," : "", names[i]);
    return fail(why, ERR_NOT_FOUND, "there is no identity %s on this machine; there %s%s%s",
                identity, count == 1 ? "is" : "are", list, count > LISTED_MAX ? ", …" : "");
}

static int open_key(room_book_t *self, bool make, bool *made, struct reason *why)
{
    char path[PATH_ROOM], dir[PATH_ROOM];
    int rc = path_of(path, why, "keys/", self->identity, KEY_FILE_SUFFIX);
    if (!rc)
        rc = path_of(dir, why, "keys", "", "");
    if (rc)
        return rc;
    bool there = access(path, F_OK) == 0;
    if (!there && !make)
        return no_identity(self->identity, why);
    if (!there)
        home_path_make(path);
    rc = room_folder_make(dir, why);
    if (!rc && !there)
        rc = make_key(path, why);
    if (!rc && !there)
        room_folder_sync(dir);
    if (!rc)
        rc = weir_signer_load(path, &self->me, (struct weir_reason *)why);
    if (!rc && made)
        *made = !there;
    return rc;
}

static int make_rooms_folder(room_book_t *self, struct reason *why)
{
    char rooms[PATH_ROOM];
    int rc = path_of(rooms, why, "rooms", "", "");
    if (!rc)
        rc = room_folder_make(rooms, why);
    if (!rc)
        rc = path_of(self->dir, why, "rooms/", self->identity, "");
    return rc ? rc : room_folder_make(self->dir, why);
}

static int check_file(const room_book_t *self, const char *path, const char *name,
                      const struct room_file *file, struct reason *why)
{
    char key[WEIR_KEY_TEXT_MAX];
    size_t size = strlen(name) - strlen(ROOM_FILE_SUFFIX);
    weir_key_print(file->entry.key, key);
    if (strlen(key) != size || memcmp(key, name, size) != 0)
        return fail(why, ERR_BAD_REQUEST, "%s is of the room %s, and not named after it", path,
                    key);
    if (self->count == ROOM_BOOK_ROOMS_MAX)
        return fail(why, ERR_TOO_LARGE, "%s is one room more than the %u that a book holds", path,
                    ROOM_BOOK_ROOMS_MAX);
    return 0;
}

static void take_file(room_book_t *self, const char *name)
{
    char path[PATH_ROOM + 300];
    struct room_file file = {0};
    struct reason why = {""};
    snprintf(path, sizeof path, "%s/%s", self->dir, name);
    int rc = room_file_read(path, &file, &why);
    if (!rc)
        rc = check_file(self, path, name, &file, &why);
    if (!rc) {
        self->rooms[self->count++] = file;
        return;
    }
    room_file_free(&file);
    if (rc != ERR_NOT_FOUND && self->damaged_count < DAMAGED_MAX)
        self->damaged[self->damaged_count++] = why;
}

static bool is_room_file(const char *name)
{
    size_t size = strlen(name);
    return name[0] != '.' && size > strlen(ROOM_FILE_SUFFIX) &&
           strcmp(name + size - strlen(ROOM_FILE_SUFFIX), ROOM_FILE_SUFFIX) == 0;
}

static int read_rooms(room_book_t *self, struct reason *why)
{
    DIR *dir = opendir(self->dir);
    if (!dir)
        return fail(why, ERR_IO, "%s cannot be read: %s", self->dir, strerror(errno));
    for (struct dirent *found; (found = readdir(dir));)
        if (is_room_file(found->d_name))
            take_file(self, found->d_name);
    closedir(dir);
    room_book_sort(self);
    /* Two programs may have given a name at once. */
    for (size_t i = 1, first = 0; i < self->count; i++) {
        if (strcmp(self->rooms[i].entry.name, self->rooms[first].entry.name) == 0)
            room_book_name_freely(self, &self->rooms[i], self->rooms[i].entry.name);
        else
            first = i;
    }
    room_book_sort(self);
    return 0;
}

int room_book_open(const char *identity, bool make, bool *made, room_book_t **book,
                   struct weir_reason *why)
{
    struct reason *reason = (struct reason *)why;
    room_book_t *self = calloc(1, sizeof *self);
    if (self)
        self->rooms = calloc(ROOM_BOOK_ROOMS_MAX, sizeof *self->rooms);
    int rc = self && self->rooms ? take_identity(self, identity, reason)
                                 : fail(reason, ERR_NO_MEMORY, "%s", error_text(ERR_NO_MEMORY));
    if (!rc)
        rc = open_key(self, make, made, reason);
    if (!rc)
        rc = make_rooms_folder(self, reason);
    if (!rc)
        rc = read_rooms(self, reason);
    if (rc)
        room_book_destroy(&self);
    else
        *book = self;
    return rc;
}

void room_book_destroy(room_book_t **book)
{
    room_book_t *self = *book;
    *book = NULL;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        room_file_free(&self->rooms[i]);
    weir_signer_destroy(&self->me);
    free(self->rooms);
    free(self);
}
