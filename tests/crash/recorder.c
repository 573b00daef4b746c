/* recorder: a library that is preloaded into a node (LD_PRELOAD) and writes all that the node does
 * to the disk of its data into a trace. WEIR_TRACE names the trace, WEIR_TRACE_DATA the data folder
 * as the node is given it; without them it does nothing.
 *
 * Each of the calls that change a file stands here before libc's, for LMDB too. The lock files are
 * left out: what they hold is made anew by whoever has the lock. A call that fails, or a file that
 * shrinks, ends the program: a recording is made on a disk that works, and nothing of the store's
 * shrinks.
 *
 * Syncs take SYNC_US longer than they do, so that an answer that did not wait for them is in the
 * trace before they are. */
#include "tests/crash/trace.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VISIBLE    __attribute__((visibility("default")))
#define REAL(name) ((__typeof__(&(name)))(uintptr_t)dlsym(RTLD_NEXT, #name))

enum { DESCRIPTORS = 4096, SYNC_US = 300 };

static struct trace *trace;
static char data_dir[PATH_MAX];
static char paths[DESCRIPTORS][TRACE_PATH_MAX]; /* of open files of the data; "": not one */
static bool alone[DESCRIPTORS];                 /* opened with O_DSYNC: each write is synced */

__attribute__((constructor)) static void start(void)
{
    const char *name = getenv("WEIR_TRACE"), *data = getenv("WEIR_TRACE_DATA");
    if (!name || !data)
        return;
    (void)snprintf(data_dir, sizeof data_dir, "%s", data);
    trace = trace_open(name, false);
}

static void must(bool so, const char *what)
{
    if (so)
        return;
    perror(what);
    abort();
}

/* --- which files ------------------------------------------------------------------------- */

/* The path as the trace has it: below the data folder, "." for that and ".." for the one above.
 * False: it is none of those that are recorded. */
static bool traced(const char *path, char name[TRACE_PATH_MAX])
{
    static const char *const names[][2] = {
        {".", "."},
        {"..", ".."}, /* how the store names the folder above */
        {"log", "log"},
        {"log/..", "."},
        {"format", "format"},
        {"format.new", "format.new"},
        {"state.mdb", "state.mdb"},
    };
    size_t size = strlen(data_dir);
    const char *rest = path + size;
    if (!trace || strncmp(path, data_dir, size) != 0 || (*rest && *rest != '/'))
        return false;
    rest = *rest ? rest + 1 : ".";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(rest, names[i][0]) == 0) {
            (void)snprintf(name, TRACE_PATH_MAX, "%s", names[i][1]);
            return true;
        }
    (void)snprintf(name, TRACE_PATH_MAX, "%s", rest);
    return strncmp(rest, "log/", 4) == 0;
}

static const char *path_of(int fd)
{
    return trace && fd >= 0 && fd < DESCRIPTORS && paths[fd][0] ? paths[fd] : NULL;
}

static uint64_t size_of(int fd)
{
    struct stat facts;
    must(fstat(fd, &facts) == 0, "fstat");
    return (uint64_t)facts.st_size;
}

static bool is_there(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0;
}

/* --- opening ----------------------------------------------------------------------------- */

static int open_traced(const char *path, int flags, mode_t mode)
{
    char name[TRACE_PATH_MAX];
    bool ours = traced(path, name), there = is_there(path);
    if (ours && (flags & O_CREAT) && !there)
        (void)trace_note(trace, TRACE_MAKE, name, 0);
    int fd = REAL(open)(path, flags, mode);
    if (!ours)
        return fd;
    must(fd < DESCRIPTORS && !(there && (flags & O_TRUNC)), "recorder: open");
    if (fd >= 0) {
        alone[fd] = flags & O_DSYNC;
        memcpy(paths[fd], name, sizeof name);
    }
    return fd;
}

VISIBLE int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_traced(path, flags, mode);
}

VISIBLE int open64(const char *path, int flags, ...) __attribute__((alias("open")));

VISIBLE int close(int fd)
{
    if (path_of(fd))
        paths[fd][0] = 0;
    return REAL(close)(fd);
}

/* --- files ------------------------------------------------------------------------------- */

/* A write is about to be made. Returns its place in the trace. */
static uint64_t note_write(int fd, const struct iovec *parts, int count, off_t at)
{
    must(at >= 0, "recorder: write");
    return trace_append(trace, TRACE_WRITE, paths[fd], (uint64_t)at, parts, (size_t)count);
}

/* And was made, whole. */
static ssize_t end_write(int fd, uint64_t place, ssize_t written)
{
    must(written >= 0 && (uint64_t)written == trace_at(trace, place)->size, "recorder: write");
    if (alone[fd])
        (void)trace_note(trace, TRACE_SYNCED, paths[fd], place);
    return written;
}

static struct iovec part_of(const void *data, size_t size)
{
    struct iovec part = {.iov_len = size};
    memcpy(&part.iov_base, &data, sizeof data);
    return part;
}

VISIBLE ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    if (!path_of(fd))
        return REAL(pwritev)(fd, parts, count, at);
    uint64_t place = note_write(fd, parts, count, at);
    return end_write(fd, place, REAL(pwritev)(fd, parts, count, at));
}

VISIBLE ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    if (!path_of(fd))
        return REAL(pwrite)(fd, data, size, at);
    struct iovec part = part_of(data, size);
    uint64_t place = note_write(fd, &part, 1, at);
    return end_write(fd, place, REAL(pwrite)(fd, data, size, at));
}

VISIBLE ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (!path_of(fd))
        return REAL(writev)(fd, parts, count);
    uint64_t place = note_write(fd, parts, count, lseek(fd, 0, SEEK_CUR));
    return end_write(fd, place, REAL(writev)(fd, parts, count));
}

VISIBLE ssize_t write(int fd, const void *data, size_t size)
{
    if (!path_of(fd))
        return REAL(write)(fd, data, size);
    struct iovec part = part_of(data, size);
    uint64_t place = note_write(fd, &part, 1, lseek(fd, 0, SEEK_CUR));
    return end_write(fd, place, REAL(write)(fd, data, size));
}

/* The file will have at least that many bytes. */
static void note_size(int fd, uint64_t bytes)
{
    if (path_of(fd) && bytes > size_of(fd))
        (void)trace_note(trace, TRACE_SIZE, paths[fd], bytes);
}

VISIBLE int ftruncate(int fd, off_t size)
{
    must(!path_of(fd) || (uint64_t)size >= size_of(fd), "recorder: a file shrinks");
    note_size(fd, (uint64_t)size);
    return REAL(ftruncate)(fd, size);
}

VISIBLE int posix_fallocate(int fd, off_t at, off_t size)
{
    note_size(fd, (uint64_t)(at + size));
    return REAL(posix_fallocate)(fd, at, size);
}

VISIBLE int fallocate(int fd, int mode, off_t at, off_t size)
{
    must(!path_of(fd) || mode == 0, "recorder: fallocate");
    note_size(fd, (uint64_t)(at + size));
    return REAL(fallocate)(fd, mode, at, size);
}

/* --- syncs and directories --------------------------------------------------------------- */

static int sync_with(int fd, int (*real)(int))
{
    if (!path_of(fd))
        return real(fd);
    uint64_t place = trace_note(trace, TRACE_SYNC, paths[fd], 0);
    must(real(fd) == 0, "recorder: sync");
    (void)usleep(SYNC_US);
    (void)trace_note(trace, TRACE_SYNCED, paths[fd], place);
    return 0;
}

VISIBLE int fdatasync(int fd)
{
    return sync_with(fd, REAL(fdatasync));
}

VISIBLE int fsync(int fd)
{
    return sync_with(fd, REAL(fsync));
}

VISIBLE int mkdir(const char *path, mode_t mode)
{
    char name[TRACE_PATH_MAX];
    uint8_t directory = 1;
    struct iovec part = {&directory, 1};
    if (traced(path, name) && !is_there(path))
        (void)trace_append(trace, TRACE_MAKE, name, 0, &part, 1);
    return REAL(mkdir)(path, mode);
}

VISIBLE int unlink(const char *path)
{
    char name[TRACE_PATH_MAX];
    if (traced(path, name) && is_there(path))
        (void)trace_note(trace, TRACE_UNLINK, name, 0);
    return REAL(unlink)(path);
}

VISIBLE int rename(const char *from, const char *to)
{
    char name[TRACE_PATH_MAX], after[TRACE_PATH_MAX];
    if (traced(from, name)) {
        must(traced(to, after), "recorder: rename");
        struct iovec part = part_of(after, sizeof after);
        (void)trace_append(trace, TRACE_RENAME, name, 0, &part, 1);
        for (int fd = 0; fd < DESCRIPTORS; fd++) /* what is open goes on under its new name */
            if (strcmp(paths[fd], name) == 0)
                memcpy(paths[fd], after, sizeof after);
    }
    return REAL(rename)(from, to);
}
