/* drive: the disk of one simulated node. What the process does to the files below its folder is
 * noted as it does it (drive_calls.c stands before libc's calls, for LMDB too); when the process
 * has ended, the folder is made what a kill or a loss of power leaves.
 *
 *   sure     bytes and sizes before a sync of their file, names before a sync of their directory,
 *            writes to what was opened with O_DSYNC
 *   pending  the rest: the system has it in memory. A kill leaves all of it. A loss of power leaves
 *            any of it, sector by sector (docs/decisions/0022-crash-images.md)
 *
 * Power may go in the middle of what a handler does: drive_cut_at says in which of the coming
 * calls. The handler runs on to its end and sees what it writes, but none of that is on the disk.
 *
 * A sync costs no time. Lock files are left out: who has the lock makes what they hold anew. */
#ifndef WEIR_TESTS_DRIVE_H
#define WEIR_TESTS_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct drive drive_t;

struct drive_options {
    const char *dir;  /* the folder; what stands there now is sure */
    const char *pool; /* a folder on the same file system, for the drive's own use; there */
    uint64_t seed, stream;
    void *owner;
    void (*on_cut)(void *owner); /* the power went; may be NULL */
};

/* Several may be open, one a folder. Ends the program when it cannot. */
drive_t *drive_new(const struct drive_options *options);
void drive_destroy(drive_t **self);

/* The power goes in the n-th call from now on that changes something or syncs. 0: not at all. */
void drive_cut_at(drive_t *self, uint64_t calls);

/* Nothing reaches the disk from here on: the power goes, or the process is killed. */
void drive_cut(drive_t *self);
bool drive_is_cut(const drive_t *self);

/* After a cut, when the process has let go of all its files: the folder is what it would be after a
 * kill, or with `power` after a loss of power, and the disk works again. */
void drive_settle(drive_t *self, bool power);

struct drive_counts {
    uint64_t calls;   /* that changed something or synced, ever */
    uint64_t losses;  /* of power … */
    uint64_t torn;    /* … with something pending */
    uint64_t pending; /* changes that were pending then, in all */
};
struct drive_counts drive_counts(const drive_t *self);

#endif
