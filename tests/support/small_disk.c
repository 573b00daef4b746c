#include "tests/support/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

enum { PIECE = 64 << 10 };

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        (void)close(fd);
    return done;
}

/* As root of a user namespace, which mounts in it need. */
static bool become_root(uid_t uid, gid_t gid)
{
    char users[64], groups[64];
    (void)snprintf(users, sizeof users, "0 %u 1", uid);
    (void)snprintf(groups, sizeof groups, "0 %u 1", gid);
    return write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/uid_map", users) &&
           write_text("/proc/self/gid_map", groups);
}

bool small_disk_begin(void)
{
    uid_t uid = getuid();
    gid_t gid = getgid();
    if (unshare(CLONE_NEWNS | (uid ? CLONE_NEWUSER : 0)) || (uid && !become_root(uid, gid)))
        return false;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool make_ext4(struct small_disk *self, uint64_t bytes)
{
    char command[512];
    (void)snprintf(self->image, sizeof self->image, "%s.image", self->at);
    (void)snprintf(command, sizeof command,
                   "{ truncate -s %llu %s && mkfs.ext4 -q -F -m 0 %s && mount -o loop %s %s; } "
                   ">/dev/null 2>&1",
                   (unsigned long long)bytes, self->image, self->image, self->image, self->at);
    return system(command) == 0;
}

bool small_disk_make(struct small_disk *self, enum small_disk_kind kind, uint64_t bytes)
{
    char size[32];
    *self = (struct small_disk){.kind = kind};
    (void)snprintf(self->at, sizeof self->at, "/tmp/weir-disk-XXXXXX");
    assert_non_null(mkdtemp(self->at));
    (void)snprintf(size, sizeof size, "size=%llu", (unsigned long long)bytes);
    bool made = kind == DISK_tmpfs ? mount("none", self->at, "tmpfs", 0, size) == 0
                                   : make_ext4(self, bytes);
    if (!made) {
        (void)rmdir(self->at);
        (void)unlink(self->image);
    }
    return made;
}

void small_disk_remove(struct small_disk *self)
{
    (void)umount2(self->at, MNT_DETACH);
    (void)rmdir(self->at);
    if (*self->image)
        (void)unlink(self->image);
    *self->at = 0;
}

bool small_disk_resize(const struct small_disk *self, uint64_t bytes)
{
    char size[32];
    (void)snprintf(size, sizeof size, "size=%llu", (unsigned long long)bytes);
    return mount("none", self->at, "tmpfs", MS_REMOUNT, size) == 0;
}

uint64_t small_disk_left(const struct small_disk *self)
{
    struct statvfs facts;
    assert_int_equal(statvfs(self->at, &facts), 0);
    return (uint64_t)facts.f_bavail * facts.f_frsize;
}

static void ballast_of(const struct small_disk *self, char path[80])
{
    (void)snprintf(path, 80, "%s/ballast", self->at);
}

void small_disk_fill(const struct small_disk *self, uint64_t left)
{
    static const uint8_t bytes[PIECE];
    char path[80];
    ballast_of(self, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(fd >= 0);
    for (size_t piece = PIECE; piece && small_disk_left(self) > left;)
        if (write(fd, bytes, piece) <= 0)
            piece /= 2;
    (void)close(fd);
}

void small_disk_clear(const struct small_disk *self)
{
    char path[80];
    ballast_of(self, path);
    (void)unlink(path);
}
