/* files: the data directory: made, locked, marked with its format.
 *
 *   DATA/format        "weir data format 1": read before anything else is touched, written last
 *   DATA/lock          held (flock) while a node uses the data; its text is the node's pid
 *   DATA/state.mdb     LMDB
 *   DATA/log/N.log     the log's segments, N in 16 hex digits */
#ifndef WEIR_STORE_FILES_H
#define WEIR_STORE_FILES_H

#include "base/errors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define STATE_FILE       "state.mdb"
#define STATE_LOCK_FILE  "state.mdb-lock" /* LMDB's */
#define STATE_ASIDE_FILE "state.mdb.aside"
#define LOG_DIR          "log"

/* "dir/name", malloc'ed. NULL without memory. */
char *path_join(const char *dir, const char *name);

/* Makes the directory (0700) and those above it, where they are missing; what it made stays. */
MUST_USE int dir_make(const char *path, struct reason *why);

/* ERR_IO when there is something in it already; absent counts as empty. */
MUST_USE int dir_check_empty(const char *path, struct reason *why);

/* Syncs a directory, so that files made or renamed in it stay. */
MUST_USE int dir_sync(const char *path, struct reason *why);

/* Reads DIR/format. *format 0: there is none. ERR_NEWER_FORMAT, ERR_DAMAGED for one that is not
 * ours, ERR_IO. */
MUST_USE int format_read(const char *dir, unsigned *format, struct reason *why);

/* Writes DIR/format, the current one, synced. */
MUST_USE int format_write(const char *dir, struct reason *why);

/* Is that the name of something that a first start makes before the format file? */
bool is_of_first_start(const char *name);

/* Takes the lock; *fd holds it until it is closed. make: the lock file is made when it is missing
 * and gets our pid; otherwise nothing is written, and *fd is -1 where there is no lock file. */
MUST_USE int lock_take(const char *dir, bool make, int *fd, struct reason *why);

/* Size of a file; *found false when there is none. */
MUST_USE int file_size(const char *path, bool *found, uint64_t *size, struct reason *why);

/* Reads size bytes from offset on, whatever short reads and interruptions come. *got: how many
 * there are; fewer only at the end of the file. Returns 0 or errno. */
int file_read_at(int fd, void *to, size_t size, uint64_t offset, size_t *got);

/* Writes all of the iovecs at offset, however many, whatever short writes and interruptions come.
 * The iovecs are used up. Returns 0 or errno. */
int file_write_at(int fd, struct iovec *parts, size_t count, uint64_t offset);

/* Gives the first so many bytes of a file their place on the disk, as far as they have none.
 * Returns 0 or errno. */
int file_reserve(int fd, uint64_t bytes);

/* Bytes that a process of ours may still use on the disk of path; UINT64_MAX when unknown. */
uint64_t disk_free(const char *path);

#endif
