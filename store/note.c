#include "store/note.h"

#include "store/files.h"
#include "store/schema.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTE_FILE     "state.note"
#define NOTE_FILE_NEW "state.note.new"

enum { NOTE_BYTES_MAX = 200 };

/* The note that the file would get now; its length, 0 when there is no file. */
static size_t describe(const char *dir, char text[NOTE_BYTES_MAX])
{
    struct stat now;
    char *path = path_join(dir, STATE_FILE);
    bool found = path && stat(path, &now) == 0;
    free(path);
    if (!found)
        return 0;
    int n = snprintf(text, NOTE_BYTES_MAX, "weir state %lld %llu %lld.%09ld %lld.%09ld\n",
                     (long long)now.st_size, (unsigned long long)now.st_ino,
                     (long long)now.st_mtim.tv_sec, now.st_mtim.tv_nsec,
                     (long long)now.st_ctim.tv_sec, now.st_ctim.tv_nsec);
    return n > 0 && n < NOTE_BYTES_MAX ? (size_t)n : 0;
}

bool note_fits(const char *dir)
{
    char now[NOTE_BYTES_MAX], noted[NOTE_BYTES_MAX];
    size_t size = describe(dir, now);
    char *path = path_join(dir, NOTE_FILE);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t n = fd < 0 ? -1 : read(fd, noted, sizeof noted);
    if (fd >= 0)
        (void)close(fd);
    free(path);
    return size && n == (ssize_t)size && memcmp(now, noted, size) == 0;
}

void note_forget(const char *dir)
{
    char *path = path_join(dir, NOTE_FILE);
    if (path)
        (void)unlink(path);
    free(path);
}

void note_write(const char *dir)
{
    char text[NOTE_BYTES_MAX];
    size_t size = describe(dir, text);
    char *path = path_join(dir, NOTE_FILE), *made = path_join(dir, NOTE_FILE_NEW);
    int fd = size && path && made ? open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) {
        bool written = write(fd, text, size) == (ssize_t)size;
        if (close(fd) == 0 && written)
            (void)rename(made, path);
    }
    free(path);
    free(made);
}
