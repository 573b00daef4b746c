#include "tests/fuzz/file.h"

#include "tests/fuzz/must.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void write_all(int fd, struct slice bytes)
{
    while (bytes.size) {
        ssize_t n = write(fd, bytes.data, bytes.size);
        MUST(n > 0);
        bytes = slice_after(bytes, (size_t)n);
    }
}

int file_of(struct slice bytes, char path[64])
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    MUST(fd >= 0 && fchmod(fd, 0600) == 0);
    write_all(fd, bytes);
    (void)snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    (void)about, (void)type, (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *file_folder(void)
{
    if (folder[0])
        return folder;
    (void)snprintf(folder, sizeof folder, "/dev/shm/weir-fuzz-XXXXXX");
    if (!mkdtemp(folder)) {
        (void)snprintf(folder, sizeof folder, "/tmp/weir-fuzz-XXXXXX");
        MUST(mkdtemp(folder));
    }
    (void)atexit(remove_folder);
    return folder;
}

void file_put(const char *name, struct slice bytes)
{
    char path[320];
    (void)snprintf(path, sizeof path, "%s/%s", file_folder(), name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    MUST(fd >= 0);
    write_all(fd, bytes);
    (void)close(fd);
}
