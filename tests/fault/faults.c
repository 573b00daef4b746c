#undef _FORTIFY_SOURCE /* it would define read and pread here already */

#include "tests/fault/faults.h"

#include "tests/unit/store_fixture.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#define PREFIX "/tmp/weir-store-test-"

const char *const fault_names[FAULTS] = {"EIO", "ENOSPC", "EINTR", "short write",
                                         "ENOSPC from there on"};

static struct {
    bool counting, reads;    /* reads: they are counted, and nothing else is */
    unsigned calls, fail_at; /* fail_at 0: none */
    enum fault mode;
} plan;

void faults_plan(unsigned n, enum fault fault)
{
    plan = (__typeof__(plan)){.counting = true, .fail_at = n, .mode = fault};
}

void faults_plan_reads(unsigned n, enum fault fault)
{
    faults_plan(n, fault);
    plan.reads = true;
}

unsigned faults_end(void)
{
    plan.counting = false;
    return plan.calls;
}

/* --- writes that no sync followed yet ---------------------------------------------------- */

struct pending {
    char path[96];
    uint64_t offset;
    size_t size;
    uint8_t *before;
};

static struct {
    bool on;
    struct pending *rows;
    size_t count, capacity;
} pending;

static void path_of(int fd, char path[96])
{
    char link[40];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, 95);
    path[n < 0 ? 0 : n] = 0;
}

static void note_write(int fd, uint64_t offset, size_t size)
{
    struct pending row = {.offset = offset, .size = size};
    path_of(fd, row.path);
    if (!pending.on || strncmp(row.path, PREFIX, strlen(PREFIX)) != 0 ||
        (fcntl(fd, F_GETFL) & O_DSYNC))
        return;
    row.before = (uint8_t *)calloc(1, size);
    int reader = open(row.path, O_RDONLY);
    if (reader < 0 || pread(reader, row.before, size, (off_t)offset) < 0)
        abort();
    (void)close(reader);
    if (pending.count == pending.capacity) {
        pending.capacity = pending.capacity ? 2 * pending.capacity : 64;
        pending.rows = (struct pending *)realloc(pending.rows, pending.capacity * sizeof row);
    }
    pending.rows[pending.count++] = row;
}

static void note_sync(int fd)
{
    char path[96];
    size_t kept = 0;
    path_of(fd, path);
    for (size_t i = 0; i < pending.count; i++)
        if (strcmp(pending.rows[i].path, path) == 0)
            free(pending.rows[i].before);
        else
            pending.rows[kept++] = pending.rows[i];
    pending.count = kept;
}

/* --- the calls --------------------------------------------------------------------------- */

#define VISIBLE __attribute__((visibility("default")))

/* Is this the call that fails? `partly`: it may also do less than it was asked. */
static bool is_due(bool reads, bool partly, bool *is_short)
{
    *is_short = false;
    if (!plan.counting || plan.reads != reads)
        return false;
    unsigned call = ++plan.calls;
    bool due = plan.mode == FAIL_FULL ? plan.fail_at && call >= plan.fail_at : call == plan.fail_at;
    if (!due)
        return false;
    switch (plan.mode) {
    case FAIL_EIO:
        errno = EIO;
        return true;
    case FAIL_ENOSPC:
    case FAIL_FULL:
        errno = ENOSPC;
        return partly;
    case FAIL_EINTR:
        errno = EINTR;
        return true;
    case FAIL_SHORT:
    case FAULTS:
        *is_short = partly;
        return false;
    }
    return false;
}

static bool fails(bool partly, bool *is_short)
{
    return is_due(false, partly, is_short);
}

#define REAL(name) ((__typeof__(&(name)))(uintptr_t)dlsym(RTLD_NEXT, #name))

VISIBLE ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    bool is_short;
    if (fails(true, &is_short))
        return -1;
    if (is_short) { /* half of the first part */
        note_write(fd, (uint64_t)offset, parts->iov_len / 2);
        return REAL(pwrite)(fd, parts->iov_base, parts->iov_len / 2, offset);
    }
    size_t size = 0;
    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    note_write(fd, (uint64_t)offset, size);
    return REAL(pwritev)(fd, parts, count, offset);
}

VISIBLE ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    bool is_short;
    if (fails(true, &is_short))
        return -1;
    size = is_short ? size / 2 : size;
    note_write(fd, (uint64_t)offset, size);
    return REAL(pwrite)(fd, data, size, offset);
}

VISIBLE ssize_t writev(int fd, const struct iovec *parts, int count)
{
    bool is_short;
    if (fails(true, &is_short))
        return -1;
    count = is_short ? count - 1 : count;
    size_t size = 0;
    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at >= 0)
        note_write(fd, (uint64_t)at, size);
    return count ? REAL(writev)(fd, parts, count) : 0;
}

static int sync_with(int fd, int (*real)(int))
{
    bool is_short;
    if (fails(false, &is_short))
        return -1;
    int rc = real(fd);
    if (rc == 0)
        note_sync(fd);
    return rc;
}

VISIBLE int fdatasync(int fd)
{
    return sync_with(fd, REAL(fdatasync));
}

VISIBLE int fsync(int fd)
{
    return sync_with(fd, REAL(fsync));
}

VISIBLE int posix_fallocate(int fd, off_t offset, off_t size)
{
    bool is_short;
    if (fails(true, &is_short) || is_short)
        return is_short ? ENOSPC : errno;
    return REAL(posix_fallocate)(fd, offset, size);
}

VISIBLE int ftruncate(int fd, off_t size)
{
    bool is_short;
    return fails(true, &is_short) ? -1 : REAL(ftruncate)(fd, size);
}

VISIBLE ssize_t pread(int fd, void *data, size_t size, off_t offset)
{
    bool is_short;
    if (is_due(true, true, &is_short))
        return -1;
    return REAL(pread)(fd, data, is_short ? size / 2 : size, offset);
}

VISIBLE ssize_t read(int fd, void *data, size_t size)
{
    bool is_short;
    if (is_due(true, true, &is_short))
        return -1;
    return REAL(read)(fd, data, is_short ? size / 2 : size);
}

static uint64_t disk_told = UINT64_MAX;

void faults_disk(uint64_t bytes)
{
    disk_told = bytes;
}

VISIBLE int statvfs(const char *path, struct statvfs *facts)
{
    int rc = REAL(statvfs)(path, facts);
    if (disk_told != UINT64_MAX)
        facts->f_bavail = disk_told / facts->f_frsize;
    return rc;
}

/* --- power ------------------------------------------------------------------------------- */

enum { SECTOR = 512 };

/* One sector that a write touched, from `at` of the write on: back to what it was before, left as
 * it is, or (garbage) neither, the whole of it. */
static void lose_sector(int fd, const struct pending *row, size_t at, size_t size, bool garbage)
{
    uint64_t offset = row->offset + at;
    uint8_t rubbish[SECTOR];
    size_t fate = random_below(garbage ? 3 : 2);
    memset(rubbish, (int)random_below(256), sizeof rubbish);
    if (fate == 1)
        assert_int_equal(REAL(pwrite)(fd, row->before + at, size, (off_t)offset), size);
    else if (fate == 2)
        assert_int_equal(REAL(pwrite)(fd, rubbish, SECTOR, (off_t)(offset / SECTOR * SECTOR)),
                         SECTOR);
}

void power_watch(void)
{
    pending.on = true;
}

static void lose_sectors(const char *from, const char *to)
{
    for (size_t i = 0; i < pending.count; i++) {
        const struct pending *row = &pending.rows[i];
        char path[192];
        if (strncmp(row->path, from, strlen(from)) != 0)
            continue;
        (void)snprintf(path, sizeof path, "%s%s", to, row->path + strlen(from));
        int fd = open(path, O_WRONLY);
        assert_true(fd >= 0);
        for (size_t at = 0, size; at < row->size; at += size) {
            size = SECTOR - (row->offset + at) % SECTOR;
            size = row->size - at < size ? row->size - at : size;
            lose_sector(fd, row, at, size, strstr(path, ".log"));
        }
        (void)close(fd);
    }
}

static void forget_pending(void)
{
    while (pending.count)
        free(pending.rows[--pending.count].before);
}

void power_lose(const char *dir, const char *copy)
{
    lose_sectors(dir, copy);
    forget_pending();
    free(pending.rows);
    memset(&pending, 0, sizeof pending);
}
