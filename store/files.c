#include "store/files.h"

#include "store/failure.h"
#include "store/schema.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FORMAT_FILE     "format"
#define FORMAT_FILE_NEW "format.new"
#define LOCK_FILE       "lock"
#define FORMAT_WORDS    "weir data format "

char *path_join(const char *dir, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

/* Syncs the directory that this one stands in. One that may not be read cannot be synced either,
 * and stays as sure as its owner made it. */
static int parent_sync(const char *path)
{
    char *parent = path_join(path, "..");
    if (!parent)
        return ENOMEM;
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed = fd < 0 ? (errno == EACCES ? 0 : errno) : fsync(fd) ? errno : 0;
    if (fd >= 0)
        (void)close(fd);
    free(parent);
    return failed;
}

/* Returns 0 or errno. */
static int make_one(const char *path)
{
    if (mkdir(path, 0700) == 0)
        return parent_sync(path);
    return errno == EEXIST ? 0 : errno;
}

int dir_make(const char *path, struct reason *why)
{
    char *copy = strdup(path);
    if (!copy)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    int failed = 0;
    for (char *at = copy + 1; !failed && *at; at++)
        if (*at == '/') {
            *at = 0;
            failed = make_one(copy);
            *at = '/';
        }
    if (!failed)
        failed = make_one(copy);
    free(copy);
    return failed ? store_failure(why, failed, "make directory", path) : 0;
}

int dir_check_empty(const char *path, struct reason *why)
{
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT ? 0 : store_failure(why, errno, "read directory", path);
    int rc = 0;
    for (struct dirent *row; rc == 0 && (row = readdir(dir));)
        if (strcmp(row->d_name, ".") != 0 && strcmp(row->d_name, "..") != 0)
            rc = fail(why, ERR_IO, "%s is not empty", path);
    (void)closedir(dir);
    return rc;
}

int dir_sync(const char *path, struct reason *why)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return store_failure(why, errno, "open", path);
    int failed = fsync(fd) ? errno : 0;
    (void)close(fd);
    return failed ? store_failure(why, failed, "sync", path) : 0;
}

/* Opens, reads at most size - 1 bytes as text, closes. *found false when there is no such file. */
static int read_text(const char *path, char *text, size_t size, bool *found, struct reason *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *found = fd >= 0;
    text[0] = 0;
    if (fd < 0)
        return errno == ENOENT ? 0 : store_failure(why, errno, "open", path);
    size_t got = 0;
    int failed = file_read_at(fd, text, size - 1, 0, &got);
    (void)close(fd);
    text[got] = 0;
    return failed ? store_failure(why, failed, "read", path) : 0;
}

/* The number behind FORMAT_WORDS, alone on its line; 0 when that is not what the text is. */
static unsigned long format_number(const char *text)
{
    if (strncmp(text, FORMAT_WORDS, strlen(FORMAT_WORDS)) != 0)
        return 0;
    const char *digits = text + strlen(FORMAT_WORDS);
    char *end;
    if (*digits < '1' || *digits > '9')
        return 0;
    unsigned long number = strtoul(digits, &end, 10);
    return *end == '\n' ? number : 0;
}

int format_read(const char *dir, unsigned *format, struct reason *why)
{
    bool found;
    char text[64], *path = path_join(dir, FORMAT_FILE);
    if (!path)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    int rc = read_text(path, text, sizeof text, &found, why);
    unsigned long number = rc == 0 && found ? format_number(text) : 0;
    if (rc == 0 && found && number == 0)
        rc = fail(why, ERR_DAMAGED, "%s is not a format file of weir; is this its data?", path);
    if (rc == 0 && found && number > FORMAT_VERSION)
        rc = fail(why, ERR_NEWER_FORMAT,
                  "%s has data format %lu, this weir knows formats up to %d; use the newer weir",
                  dir, number, FORMAT_VERSION);
    if (rc == 0)
        *format = (unsigned)number;
    free(path);
    return rc;
}

/* Makes or replaces a file's text, and syncs it. */
static int write_text(const char *path, char *text, struct reason *why)
{
    struct iovec part = {text, strlen(text)};
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return store_failure(why, errno, "make", path);
    int failed = file_write_at(fd, &part, 1, 0);
    if (!failed && fsync(fd))
        failed = errno;
    if (close(fd) && !failed)
        failed = errno;
    return failed ? store_failure(why, failed, "write", path) : 0;
}

int format_write(const char *dir, struct reason *why)
{
    char text[64], *path = path_join(dir, FORMAT_FILE), *made = path_join(dir, FORMAT_FILE_NEW);
    (void)snprintf(text, sizeof text, FORMAT_WORDS "%d\n", FORMAT_VERSION);
    int rc = path && made ? write_text(made, text, why) : fail(why, ERR_NO_MEMORY, "out of memory");
    if (rc == 0 && rename(made, path))
        rc = store_failure(why, errno, "rename to", path);
    if (rc == 0)
        rc = dir_sync(dir, why);
    free(path);
    free(made);
    return rc;
}

bool is_of_first_start(const char *name)
{
    static const char *const names[] = {LOCK_FILE, STATE_FILE,      STATE_LOCK_FILE,
                                        LOG_DIR,   FORMAT_FILE_NEW, STATE_ASIDE_FILE};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static int refuse_locked(int fd, const char *dir, struct reason *why)
{
    char pid[24];
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
    pid[n < 0 ? 0 : n] = 0;
    return fail(why, ERR_LOCKED,
                "another weir node (pid %.*s) uses %s; stop it or choose another --data",
                (int)strcspn(pid, "\n"), pid, dir);
}

static void lock_sign(int fd)
{
    char pid[24];
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    /* The pid only makes a refusal clearer; without it the lock is as good. */
    if (ftruncate(fd, 0) || pwrite(fd, pid, (size_t)n, 0) != n)
        return;
}

int lock_take(const char *dir, bool make, int *fd, struct reason *why)
{
    char *path = path_join(dir, LOCK_FILE);
    if (!path)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    int rc = 0, lock = open(path, make ? O_RDWR | O_CREAT | O_CLOEXEC : O_RDONLY | O_CLOEXEC, 0600);
    if (lock < 0 && (make || errno != ENOENT))
        rc = store_failure(why, errno, "open", path);
    else if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB))
        rc = errno == EWOULDBLOCK ? refuse_locked(lock, dir, why)
                                  : store_failure(why, errno, "lock", path);
    free(path);
    if (rc) {
        if (lock >= 0)
            (void)close(lock);
        return rc;
    }
    if (make)
        lock_sign(lock);
    *fd = lock;
    return 0;
}

int file_size(const char *path, bool *found, uint64_t *size, struct reason *why)
{
    struct stat facts;
    *found = stat(path, &facts) == 0;
    *size = *found ? (uint64_t)facts.st_size : 0;
    return *found || errno == ENOENT ? 0 : store_failure(why, errno, "look at", path);
}

int file_read_at(int fd, void *to, size_t size, uint64_t offset, size_t *got)
{
    *got = 0;
    while (*got < size) {
        ssize_t n = pread(fd, (uint8_t *)to + *got, size - *got, (off_t)(offset + *got));
        if (n < 0 && errno != EINTR)
            return errno;
        if (n == 0)
            break;
        *got += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* Passes over what was written: whole parts, and the start of the next. */
static void parts_pass(struct iovec **parts, size_t *count, size_t written)
{
    while (*count && written >= (*parts)->iov_len) {
        written -= (*parts)->iov_len;
        (*parts)++;
        (*count)--;
    }
    if (*count) {
        (*parts)->iov_base = (uint8_t *)(*parts)->iov_base + written;
        (*parts)->iov_len -= written;
    }
}

int file_write_at(int fd, struct iovec *parts, size_t count, uint64_t offset)
{
    parts_pass(&parts, &count, 0);
    while (count) {
        ssize_t n = pwritev(fd, parts, (int)(count < IOV_MAX ? count : IOV_MAX), (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        offset += (uint64_t)n;
        parts_pass(&parts, &count, (size_t)n);
    }
    return 0;
}

int file_reserve(int fd, uint64_t bytes)
{
    struct stat facts;
    int failed;
    if (fstat(fd, &facts))
        return errno;
    if ((uint64_t)facts.st_size >= bytes && (uint64_t)facts.st_blocks * 512 >= bytes)
        return 0; /* a full disk may refuse even what changes nothing */
    do
        failed = posix_fallocate(fd, 0, (off_t)bytes);
    while (failed == EINTR);
    return failed;
}

uint64_t disk_free(const char *path)
{
    struct statvfs facts;
    if (statvfs(path, &facts))
        return UINT64_MAX;
    return (uint64_t)facts.f_bavail * facts.f_frsize;
}
