/* drive_state: what drive.c (what happens), drive_settle.c (what is left of it) and drive_calls.c
 * (libc's calls) share. */
#ifndef WEIR_TESTS_DRIVE_STATE_H
#define WEIR_TESTS_DRIVE_STATE_H

#include "tests/sim/dice.h"
#include "tests/sim/drive.h"

#include <stddef.h>
#include <sys/uio.h>

enum { DRIVE_NAME_MAX = 40, DRIVE_NAMES_MAX = 128, DRIVE_DIR_MAX = 128, DRIVE_PATH_MAX = 200 };

/* What a name stands for: a file of the pool by its number, or: */
enum { DRIVE_NOTHING = -1, DRIVE_FOLDER = -2 };

struct drive_name {
    char path[DRIVE_NAME_MAX]; /* below the folder */
    int file;
};

struct drive_names {
    struct drive_name rows[DRIVE_NAMES_MAX];
    size_t count;
};

enum change_kind { CHANGE_write, CHANGE_size, CHANGE_name, CHANGE_rename };

struct change {
    enum change_kind kind;
    bool late; /* after the power went */
    int file;
    uint64_t at, size;         /* write: its range; size: the new one */
    uint64_t size_before;      /* of the file */
    uint8_t *bytes, *before;   /* owned. write: both; size: before, of what is cut off */
    char path[DRIVE_NAME_MAX]; /* name: now that of `file`; rename: no more … */
    char to[DRIVE_NAME_MAX];   /* … but this */
};

struct drive {
    struct drive *next;
    struct drive_options options;
    char dir[DRIVE_DIR_MAX], pool[DRIVE_DIR_MAX];
    struct dice dice;
    uint64_t cut_in; /* calls; 0: never */
    bool cut, settling;
    struct change *changes; /* owned: in the order in which they were made */
    size_t changes_count, changes_capacity;
    struct drive_names sure, seen;
    int files;
    struct drive_counts counts;
};

/* The drive that has this path, and what it is below it ("" is the folder itself); NULL: none, or
 * one that is left out. */
struct drive *drive_of(const char *path, char name[DRIVE_NAME_MAX]);

int drive_names_find(const struct drive_names *self, const char *path);
void drive_names_set(struct drive_names *self, const char *path, int file);
void drive_apply_name(struct drive_names *names, const struct change *change);
static inline bool change_is_naming(const struct change *self)
{
    return self->kind == CHANGE_name || self->kind == CHANGE_rename;
}
void change_free(struct change *self);

/* Where the pool has a file. */
void drive_pool_path(const struct drive *self, int file, char path[DRIVE_PATH_MAX]);
void drive_path(const struct drive *self, const char *name, char path[DRIVE_PATH_MAX]);

/* Called before libc does it. */
void drive_writes(struct drive *self, int file, const struct iovec *parts, int count, uint64_t at,
                  bool alone);
void drive_resizes(struct drive *self, int file, uint64_t size);
void drive_names_it(struct drive *self, const char *name, int file); /* DRIVE_NOTHING: unlink */
void drive_renames(struct drive *self, const char *name, const char *to);
void drive_syncs(struct drive *self, int file);
void drive_syncs_folder(struct drive *self, const char *name);

/* Called after libc opened it: its number. `made`: it was not there before. */
int drive_opened(struct drive *self, const char *name, bool made);

/* Has the calls of this program told to the drives; called by drive_new. */
void drive_calls_link(void);

#endif
