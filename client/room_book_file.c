#include "client/room_book_file.h"

#include "base/buffer.h"
#include "base/limits.h"
#include "client/safe_text.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TITLE "weir-room 1\n"

enum { SUM_BYTES = 16 };

void room_file_free(struct room_file *file)
{
    if (file->card)
        sodium_memzero(file->card, file->card_size);
    free(file->card);
    *file = (struct room_file){0};
}

bool room_file_name_is_good(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && size < ROOM_BOOK_NAME && name[0] != '-' && name[0] != ' ' &&
           name[size - 1] != ' ' && safe_text_is(weir_text(name));
}

/* --- reading --------------------------------------------------------------------------------- */

/* All of a file that its owner alone may read, terminated: new bytes in *text. */
static int read_private(int fd, const char *path, char **text, struct reason *why)
{
    struct stat facts;
    size_t used = 0;
    ssize_t n = 1;
    if (fstat(fd, &facts))
        return fail(why, ERR_IO, "%s cannot be read: %s", path, strerror(errno));
    if (facts.st_mode & (S_IRWXG | S_IRWXO))
        return fail(why, ERR_DENIED, "%s is open to others; run chmod 600 on it", path);
    if (facts.st_size > (off_t)ROOM_FILE_BYTES_MAX)
        return fail(why, ERR_BAD_REQUEST, "%s is too large to be a room's file", path);
    size_t size = (size_t)facts.st_size;
    char *all = malloc(size + 1);
    if (!all)
        return fail(why, ERR_NO_MEMORY, "%s", error_text(ERR_NO_MEMORY));
    while (used < size && (n = read(fd, all + used, size - used)) > 0)
        used += (size_t)n;
    all[used] = 0;
    *text = all;
    return n < 0 ? fail(why, ERR_IO, "%s cannot be read: %s", path, strerror(errno)) : 0;
}

/* Ends the line at *at and moves on to the next: what follows `name` in it, NULL when it is
 * another line. */
static char *take_line(char **at, const char *name)
{
    char *line = *at, *end = strchr(line, '\n');
    size_t size = strlen(name);
    if (!end || strncmp(line, name, size) != 0)
        return NULL;
    *end = 0;
    *at = end + 1;
    return line + size;
}

static bool hex(const char *text, uint8_t *bytes, size_t size)
{
    size_t got = 0;
    return text && strlen(text) == 2 * size &&
           sodium_hex2bin(bytes, size, text, 2 * size, NULL, &got, NULL) == 0 && got == size;
}

static bool sum_is_good(const char *text)
{
    uint8_t sum[SUM_BYTES], written[SUM_BYTES];
    const char *last = strstr(text, "\nsum ");
    size_t size = last ? (size_t)(last + 1 - text) : 0;
    if (!last || strlen(last) != strlen("\nsum ") + 2 * SUM_BYTES + 1)
        return false;
    char digits[2 * SUM_BYTES + 1] = "";
    memcpy(digits, last + strlen("\nsum "), 2 * SUM_BYTES);
    crypto_generichash(sum, sizeof sum, (const uint8_t *)text, size, NULL, 0);
    return hex(digits, written, sizeof written) && memcmp(sum, written, sizeof sum) == 0;
}

/* The text is cut into lines. */
static bool parse(char *text, struct room_file *file)
{
    if (!sum_is_good(text) || strncmp(text, TITLE, strlen(TITLE)) != 0)
        return false;
    char *at = text + strlen(TITLE);
    const char *key = take_line(&at, "key "), *read = take_line(&at, "read "),
               *name = take_line(&at, "name "), *card = take_line(&at, "card ");
    if (!key || !read || !name || !card || weir_key_parse(key, file->entry.key) ||
        !hex(read, file->entry.read, WEIR_SPOT_BYTES) || !room_file_name_is_good(name))
        return false;
    memcpy(file->entry.name, name, strlen(name) + 1);
    size_t size = strlen(card);
    file->card = malloc(size + 1);
    return file->card &&
           sodium_base642bin(file->card, size + 1, card, size, NULL, &file->card_size, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           file->card_size > 0;
}

int room_file_read(const char *path, struct room_file *file, struct reason *why)
{
    struct room_file found = {0};
    char *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(why, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s cannot be read: %s", path,
                    strerror(errno));
    int rc = read_private(fd, path, &text, why);
    close(fd);
    if (!rc && !parse(text, &found))
        rc =
            fail(why, ERR_BAD_REQUEST, "%s is damaged: join the room again by an invitation", path);
    if (text)
        sodium_memzero(text, strlen(text));
    free(text);
    if (rc)
        room_file_free(&found);
    else
        *file = found;
    return rc;
}

/* --- writing --------------------------------------------------------------------------------- */

static void append_line(struct buffer *out, const char *name, const char *text)
{
    buffer_append(out, name, strlen(name));
    buffer_append(out, text, strlen(text));
    buffer_append(out, "\n", 1);
}

static int print_file(const struct room_file *file, struct buffer *out)
{
    char key[WEIR_KEY_TEXT_MAX], digits[2 * WEIR_SPOT_BYTES + 1];
    uint8_t sum[SUM_BYTES];
    size_t room = sodium_base64_ENCODED_LEN(file->card_size, sodium_base64_VARIANT_ORIGINAL);
    char *card = malloc(room);
    if (!card)
        return ERR_NO_MEMORY;
    weir_key_print(file->entry.key, key);
    sodium_bin2hex(digits, sizeof digits, file->entry.read, WEIR_SPOT_BYTES);
    sodium_bin2base64(card, room, file->card, file->card_size, sodium_base64_VARIANT_ORIGINAL);
    buffer_reserve(out, room + 512); /* no copies of a secret left behind by growing */
    buffer_append(out, TITLE, strlen(TITLE));
    append_line(out, "key ", key);
    append_line(out, "read ", digits);
    append_line(out, "name ", file->entry.name);
    append_line(out, "card ", card);
    crypto_generichash(sum, sizeof sum, out->data, out->size, NULL, 0);
    sodium_bin2hex(digits, sizeof digits, sum, sizeof sum);
    append_line(out, "sum ", digits);
    sodium_memzero(card, room);
    free(card);
    return buffer_failed(out) ? ERR_NO_MEMORY : 0;
}

static bool write_all(int fd, const uint8_t *data, size_t size)
{
    ssize_t n = 0;
    for (size_t used = 0; used < size && n >= 0;) {
        n = write(fd, data + used, size - used);
        used += n > 0 ? (size_t)n : 0;
    }
    return n >= 0 && fsync(fd) == 0;
}

/* Written beside and renamed: a crash leaves the old file or the new one. */
static int replace(const char *dir, const char *path, const struct buffer *text, struct reason *why)
{
    char beside[PATH_ROOM + 16];
    snprintf(beside, sizeof beside, "%s/.new-XXXXXX", dir);
    int fd = mkostemp(beside, O_CLOEXEC); /* of mode 0600 */
    if (fd < 0)
        return fail(why, ERR_IO, "%s cannot be made: %s", path, strerror(errno));
    bool good = write_all(fd, text->data, text->size);
    int error = errno;
    if (close(fd) && good) {
        good = false;
        error = errno;
    }
    if (good && rename(beside, path)) {
        good = false;
        error = errno;
    }
    if (!good) {
        unlink(beside);
        return fail(why, ERR_IO, "%s cannot be written: %s", path, strerror(error));
    }
    room_folder_sync(dir);
    return 0;
}

int room_file_write(const char *dir, const struct room_file *file, struct reason *why)
{
    char path[PATH_ROOM], key[WEIR_KEY_TEXT_MAX];
    struct buffer text = {0};
    weir_key_print(file->entry.key, key);
    int size = snprintf(path, sizeof path, "%s/%s" ROOM_FILE_SUFFIX, dir, key);
    if (size < 0 || (size_t)size >= sizeof path)
        return fail(why, ERR_IO, "the path is too long");
    int rc = print_file(file, &text);
    if (rc)
        rc = fail(why, rc, "%s", error_text(rc));
    else if (text.size > ROOM_FILE_BYTES_MAX)
        rc = fail(why, ERR_TOO_LARGE, "%s would be too large for a room's file", path);
    else
        rc = replace(dir, path, &text, why);
    if (text.data)
        sodium_memzero(text.data, text.size);
    buffer_free(&text);
    return rc;
}

/* --- folders --------------------------------------------------------------------------------- */

int room_folder_make(const char *path, struct reason *why)
{
    struct stat facts;
    if (mkdir(path, 0700) && errno != EEXIST)
        return fail(why, ERR_IO, "%s cannot be made: %s", path, strerror(errno));
    if (stat(path, &facts) || !S_ISDIR(facts.st_mode))
        return fail(why, ERR_IO, "%s is no folder", path);
    if (facts.st_mode & (S_IRWXG | S_IRWXO))
        return fail(why, ERR_DENIED, "%s is open to others; run chmod 700 on it", path);
    return 0;
}

void room_folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return; /* what is in it is readable still; after a power cut the old file may be back */
    (void)fsync(fd);
    close(fd);
}
