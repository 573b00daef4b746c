/* The calls that write stand here before libc's, for LMDB too: what the store under test writes to
 * an image is noted, so that it can be undone. */
#include "tests/crash/image.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define VISIBLE    __attribute__((visibility("default")))
#define REAL(name) ((__typeof__(&(name)))(uintptr_t)dlsym(RTLD_NEXT, #name))

static struct images *watching;

void image_watch(struct images *images)
{
    watching = images;
}

ssize_t image_write(int fd, const struct iovec *parts, int count, off_t at)
{
    return REAL(pwritev)(fd, parts, count, at);
}

/* Notes a write to a file of the pool. */
static void note(int fd, off_t at, ssize_t written)
{
    struct stat facts;
    if (!watching || written <= 0 || at < 0 || fstat(fd, &facts))
        return;
    for (int i = 0; i < watching->file_count; i++)
        if (watching->inodes[i] == facts.st_ino)
            disk_changed(watching->disk, i, (uint64_t)at, (uint64_t)written);
}

VISIBLE ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    ssize_t n = REAL(pwritev)(fd, parts, count, at);
    note(fd, at, n);
    return n;
}

VISIBLE ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    ssize_t n = REAL(pwrite)(fd, data, size, at);
    note(fd, at, n);
    return n;
}

VISIBLE ssize_t writev(int fd, const struct iovec *parts, int count)
{
    off_t at = watching ? lseek(fd, 0, SEEK_CUR) : -1;
    ssize_t n = REAL(writev)(fd, parts, count);
    note(fd, at, n);
    return n;
}

VISIBLE ssize_t write(int fd, const void *data, size_t size)
{
    off_t at = watching ? lseek(fd, 0, SEEK_CUR) : -1;
    ssize_t n = REAL(write)(fd, data, size);
    note(fd, at, n);
    return n;
}
