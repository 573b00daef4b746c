#include "actors/identity.h"

#include "base/trace.h"
#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_key(int fd, const char *path, struct identity *self, struct reason *why)
{
    char text[BASE58_TEXT_MAX + 1];
    ssize_t size = read(fd, text, sizeof text);
    while (size > 0 && text[size - 1] == '\n')
        size--;
    int rc = size > 0 ? base58_decode(slice_of(text, (size_t)size), self->secret_key,
                                      sizeof self->secret_key)
                      : ERR_BAD_REQUEST;
    sodium_memzero(text, sizeof text);
    if (rc)
        return fail(why, ERR_DAMAGED,
                    "%s is not a node's key; restore it, or remove it to get a new identity", path);
    return 0;
}

/* Written under another name first, so that a crash leaves a whole key or none; and synced with its
 * directory, since others are told of it. */
static int write_key(const char *data_dir, const char *path, struct identity *self,
                     struct reason *why)
{
    char text[BASE58_TEXT_MAX], draft[4200];
    (void)snprintf(draft, sizeof draft, "%s.new", path);
    randombytes_buf(self->secret_key, sizeof self->secret_key);
    base58_encode(self->secret_key, sizeof self->secret_key, text);
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && dprintf(fd, "%s\n", text) > 0 && fsync(fd) == 0;
    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    sodium_memzero(text, sizeof text);
    if (!ok || rename(draft, path) != 0)
        return fail(why, ERR_IO, "%s could not be written: %s", path, strerror(errno));
    return dir_sync(data_dir, why);
}

/* The folder is closed to others, unless somebody opened it: no reason not to start. */
static void tell_open(int fd, const char *path)
{
    struct stat about;
    if (fstat(fd, &about) == 0 && about.st_mode & (S_IRWXG | S_IRWXO))
        trace(TRACE_warn, "%s is open to others; run chmod 600 on it", path);
}

int identity_load(const char *data_dir, struct identity *self, struct reason *why)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/node.key", data_dir) >= (int)sizeof path)
        return fail(why, ERR_IO, "the data directory's path is too long");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT)
        return fail(why, ERR_IO, "%s could not be read: %s", path, strerror(errno));
    int rc = fd < 0 ? write_key(data_dir, path, self, why) : read_key(fd, path, self, why);
    if (fd >= 0) {
        tell_open(fd, path);
        close(fd);
    }
    if (rc == 0) {
        (void)crypto_scalarmult_base(self->public_key, self->secret_key);
        base58_encode(self->public_key, sizeof self->public_key, self->id);
    }
    return rc;
}

void identity_wipe(struct identity *self)
{
    sodium_memzero(self, sizeof *self);
}
