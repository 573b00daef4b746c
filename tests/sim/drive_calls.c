/* The calls that change files stand here before libc's, for LMDB too: what is done to a drive's
 * files is told to it before it is done. Its syncs are told and not done: who plays power cuts
 * needs none, and memory is as good a disk. A call that fails ends the program: these disks work.
 */
#undef _FORTIFY_SOURCE /* it would define open here already */
#include "tests/sim/drive_state.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VISIBLE    __attribute__((visibility("default")))
#define REAL(name) ((__typeof__(&(name)))(uintptr_t)dlsym(RTLD_NEXT, #name))

/* What an open descriptor is. */
struct opened {
    struct drive *drive; /* NULL: no drive's */
    int file;            /* DRIVE_FOLDER: the one named */
    bool alone;          /* opened with O_DSYNC: each write is sure at once */
    char name[DRIVE_NAME_MAX];
};

static struct opened *table;
static size_t table_size;

void drive_calls_link(void)
{
}

static void must(bool so, const char *what)
{
    if (so)
        return;
    perror(what);
    abort();
}

static struct opened *opened_at(int fd)
{
    struct opened *found = fd >= 0 && (size_t)fd < table_size ? &table[fd] : NULL;
    return found && found->drive ? found : NULL;
}

static void opened_set(int fd, const struct opened *opened)
{
    size_t size = table_size;
    while ((size_t)fd >= size)
        size = size ? 2 * size : 256;
    if (size > table_size) {
        struct opened *grown = (struct opened *)realloc(table, size * sizeof table[0]);
        must(grown, "drive");
        table = grown;
        memset(table + table_size, 0, (size - table_size) * sizeof table[0]);
        table_size = size;
    }
    table[fd] = *opened;
}

static bool is_there(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0;
}

/* --- opening ----------------------------------------------------------------------------- */

static void note_open(struct drive *drive, const char *name, int fd, int flags, bool made)
{
    struct opened opened = {.drive = drive, .file = DRIVE_FOLDER, .alone = flags & O_DSYNC};
    struct stat facts;
    (void)snprintf(opened.name, sizeof opened.name, "%s", name);
    must(fstat(fd, &facts) == 0, "drive: fstat");
    if (!S_ISDIR(facts.st_mode)) {
        if ((flags & O_ACCMODE) == O_RDONLY)
            return;
        opened.file = drive_opened(drive, name, made);
    }
    opened_set(fd, &opened);
}

VISIBLE int open(const char *path, int flags, ...)
{
    char name[DRIVE_NAME_MAX];
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    struct drive *drive = drive_of(path, name);
    bool there = drive && is_there(path);
    int fd = REAL(open)(path, drive ? flags & ~O_TRUNC : flags, mode);
    if (!drive || fd < 0)
        return fd;
    note_open(drive, name, fd, flags, !there);
    if (there && (flags & O_TRUNC))
        must(ftruncate(fd, 0) == 0, "drive: truncate");
    return fd;
}

VISIBLE int open64(const char *path, int flags, ...) __attribute__((alias("open")));

VISIBLE int close(int fd)
{
    struct opened *opened = opened_at(fd);
    if (opened)
        opened->drive = NULL;
    return REAL(close)(fd);
}

/* --- bytes ------------------------------------------------------------------------------- */

static bool note_write(int fd, const struct iovec *parts, int count, off_t at)
{
    const struct opened *opened = opened_at(fd);
    if (!opened)
        return false;
    must(at >= 0 && opened->file >= 0, "drive: write");
    drive_writes(opened->drive, opened->file, parts, count, (uint64_t)at, opened->alone);
    return true;
}

static struct iovec part_of(const void *data, size_t size)
{
    struct iovec part = {.iov_len = size};
    memcpy(&part.iov_base, &data, sizeof data);
    return part;
}

/* What was told was done, whole. */
static ssize_t whole(bool noted, ssize_t written, size_t size)
{
    must(!noted || (written >= 0 && (size_t)written == size), "drive: write");
    return written;
}

static size_t size_of(const struct iovec *parts, int count)
{
    size_t size = 0;
    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    return size;
}

VISIBLE ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    bool noted = note_write(fd, parts, count, at);
    return whole(noted, REAL(pwritev)(fd, parts, count, at), size_of(parts, count));
}

VISIBLE ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    struct iovec part = part_of(data, size);
    bool noted = note_write(fd, &part, 1, at);
    return whole(noted, REAL(pwrite)(fd, data, size, at), size);
}

VISIBLE ssize_t writev(int fd, const struct iovec *parts, int count)
{
    bool noted = opened_at(fd) && note_write(fd, parts, count, lseek(fd, 0, SEEK_CUR));
    return whole(noted, REAL(writev)(fd, parts, count), size_of(parts, count));
}

VISIBLE ssize_t write(int fd, const void *data, size_t size)
{
    struct iovec part = part_of(data, size);
    bool noted = opened_at(fd) && note_write(fd, &part, 1, lseek(fd, 0, SEEK_CUR));
    return whole(noted, REAL(write)(fd, data, size), size);
}

VISIBLE int ftruncate(int fd, off_t size)
{
    const struct opened *opened = opened_at(fd);
    if (opened)
        drive_resizes(opened->drive, opened->file, (uint64_t)size);
    return REAL(ftruncate)(fd, size);
}

VISIBLE int posix_fallocate(int fd, off_t at, off_t size)
{
    const struct opened *opened = opened_at(fd);
    struct stat facts;
    if (opened && fstat(fd, &facts) == 0 && facts.st_size < at + size)
        drive_resizes(opened->drive, opened->file, (uint64_t)(at + size));
    return REAL(posix_fallocate)(fd, at, size);
}

/* --- syncs and names --------------------------------------------------------------------- */

static bool note_sync(int fd)
{
    const struct opened *opened = opened_at(fd);
    if (opened && opened->file == DRIVE_FOLDER)
        drive_syncs_folder(opened->drive, opened->name);
    else if (opened)
        drive_syncs(opened->drive, opened->file);
    return opened != NULL;
}

VISIBLE int fdatasync(int fd)
{
    return note_sync(fd) ? 0 : REAL(fdatasync)(fd);
}

VISIBLE int fsync(int fd)
{
    return note_sync(fd) ? 0 : REAL(fsync)(fd);
}

VISIBLE int mkdir(const char *path, mode_t mode)
{
    char name[DRIVE_NAME_MAX];
    struct drive *drive = drive_of(path, name);
    if (drive && !is_there(path))
        drive_names_it(drive, name, DRIVE_FOLDER);
    return REAL(mkdir)(path, mode);
}

VISIBLE int unlink(const char *path)
{
    char name[DRIVE_NAME_MAX];
    struct drive *drive = drive_of(path, name);
    if (drive && is_there(path))
        drive_names_it(drive, name, DRIVE_NOTHING);
    return REAL(unlink)(path);
}

VISIBLE int rename(const char *from, const char *to)
{
    char name[DRIVE_NAME_MAX], after[DRIVE_NAME_MAX];
    struct drive *drive = drive_of(from, name);
    if (drive) {
        must(drive_of(to, after) == drive, "drive: rename");
        drive_renames(drive, name, after);
    }
    return REAL(rename)(from, to);
}
