/* small_disk: a file system that is small, for a test and the processes that it starts, in a mount
 * namespace of their own: nothing of it is left when they have gone, however they went. */
#ifndef WEIR_TESTS_SUPPORT_SMALL_DISK_H
#define WEIR_TESTS_SUPPORT_SMALL_DISK_H

#include <stdbool.h>
#include <stdint.h>

enum small_disk_kind { DISK_tmpfs, DISK_ext4 };

struct small_disk {
    enum small_disk_kind kind;
    char at[64];    /* where it is mounted */
    char image[80]; /* DISK_ext4: the file that it lies in, behind a loop device */
};

/* Before all else, while the process has one thread. root, or anyone where users may have
 * namespaces. */
bool small_disk_begin(void);

/* Makes one and mounts it. ext4 needs root and a loop device. False: it cannot be. */
bool small_disk_make(struct small_disk *self, enum small_disk_kind kind, uint64_t bytes);
void small_disk_remove(struct small_disk *self);

/* A tmpfs gets another size. */
bool small_disk_resize(const struct small_disk *self, uint64_t bytes);

/* Fills it with a file until no more than so many bytes are left; 0: until nothing goes in. And
 * removes that file. */
void small_disk_fill(const struct small_disk *self, uint64_t left);
void small_disk_clear(const struct small_disk *self);
uint64_t small_disk_left(const struct small_disk *self);

#endif
