/* disk: what a disk holds for sure at a place of a trace, and what may be on it or not.
 *
 * For sure is what was written before a sync of its file that is done; of names, what was done in a
 * directory before a sync of that directory. All the rest is pending: any of it may be there,
 * whatever came after it is (that of one name or one sector in its order, since the later stands
 * over the earlier). Sizes are like bytes: a sync of the file makes them sure. */
#ifndef DISK_H
#define DISK_H

#include "tests/crash/trace.h"

enum { DISK_NAMES_MAX = 128, DISK_FILES_MAX = 1024 };

/* A file, whatever its name is now. */
struct disk_file {
    bool directory;
    uint8_t *bytes; /* what is sure */
    size_t size, capacity;
    size_t seen; /* its size to a program, with what is pending */
};

struct disk_name {
    char path[TRACE_PATH_MAX];
    int file; /* -1: there is no such name */
};

struct disk_names {
    struct disk_name rows[DISK_NAMES_MAX];
    size_t count;
};

struct disk_pending {
    const struct trace_event *event;
    uint64_t place;
    int file; /* that is written, or named */
};

/* Bytes that changed for sure since someone looked. */
struct disk_range {
    int file;
    uint64_t at, size;
};

struct disk {
    const struct trace *trace;
    uint64_t next; /* place of the first event that did not happen */
    struct disk_file files[DISK_FILES_MAX];
    int file_count;
    struct disk_names sure, seen;
    struct disk_pending *pending;
    size_t pending_count, pending_capacity;
    struct disk_range *changed;
    size_t changed_count, changed_capacity;
};

/* An empty disk. Borrows the trace. */
void disk_init(struct disk *self, const struct trace *trace);
void disk_clear(struct disk *self);

/* Goes on to that place: all events before it happened. */
void disk_advance(struct disk *self, uint64_t place);

/* Notes that those bytes differ from what is sure, wherever they were written to. */
void disk_changed(struct disk *self, int file, uint64_t at, uint64_t size);

/* Does a pending change of names on those. */
void disk_apply_name(struct disk_names *names, const struct disk_pending *pending);
/* The file of a name there; -1: none. */
int disk_find(const struct disk_names *names, const char *path);

/* Is it a change of names, not of a file's bytes or size? */
static inline bool disk_is_naming(const struct disk_pending *pending)
{
    return pending->event->type == TRACE_MAKE || pending->event->type == TRACE_RENAME ||
           pending->event->type == TRACE_UNLINK;
}

#endif
