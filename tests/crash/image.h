/* image: a folder as a crash may leave it, made of a disk (tests/crash/disk.h) and chance.
 *
 * Files are kept in a pool and linked into the folder of each image. What an image changed in them,
 * and what the store under test writes then, is undone for the next one by writing over those
 * ranges alone: so an image costs what is pending, and not what there is. */
#ifndef IMAGE_H
#define IMAGE_H

#include "tests/crash/disk.h"

#include <sys/types.h>

/* Which of the pending writes are on the disk. */
enum image_choice {
    IMAGE_NONE,     /* none */
    IMAGE_ALL,      /* all, as after SIGKILL */
    IMAGE_PREFIX,   /* those before some moment */
    IMAGE_SOME,     /* each sector by chance */
    IMAGE_ONE_LOST, /* all sectors but one */
    IMAGE_ONE_KEPT, /* one sector */
    IMAGE_CHOICES
};

enum { IMAGE_PATH_MAX = 96 };

struct images {
    struct disk *disk;
    char root[64], folder[IMAGE_PATH_MAX];
    int fds[DISK_FILES_MAX];
    ino_t inodes[DISK_FILES_MAX];
    int file_count;
    char made_of[96]; /* the last image's choices, for people */
};

/* Keeps its files in a new folder. Borrows the disk. One at a time in a process. */
void images_open(struct images *self, struct disk *disk);
void images_close(struct images *self);

/* Makes an image of the disk as it is, in self->folder. Chance is random_below's. */
void image_make(struct images *self);
void image_clear(struct images *self);

/* From now on what this process writes to files of the pool is noted (NULL: no more); and a write
 * that is not. */
void image_watch(struct images *images);
ssize_t image_write(int fd, const struct iovec *parts, int count, off_t at);

#endif
