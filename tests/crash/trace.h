/* trace: what happened to a folder of data, in the order in which it happened: each call that
 * changed a file or a directory, with its bytes, each sync, and what clients asked for and were
 * told. It is one file, mapped by all who write to it: the recorder inside the node, and the test.
 *
 *   event   bytes · type · at · size · path · data, up to the next 8 bytes
 *
 * An event that changes something stands before the call is made; a sync has one event before it
 * and one when it is done. What a client is told stands in the trace after it was told, and what it
 * asks for before it is sent: so a disk as of some event must have all that was told before that
 * event. */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum trace_type {
    TRACE_END,    /* nothing stands here yet */
    TRACE_MAKE,   /* a file; with any data: a directory */
    TRACE_WRITE,  /* data at `at` */
    TRACE_SIZE,   /* the file grows to `at` bytes */
    TRACE_RENAME, /* data: the new path */
    TRACE_UNLINK,
    TRACE_SYNC,   /* begins, of a file or a directory */
    TRACE_SYNCED, /* the TRACE_SYNC at `at` is done, or the TRACE_WRITE there, which was synced
                     alone */
    TRACE_ASK,    /* data: struct asked; `at`: its number */
    TRACE_TELL    /* `at`: the number of what was told to be done */
};

enum { TRACE_PATH_MAX = 40 };

struct trace_event {
    uint32_t bytes, type;
    uint64_t at, size; /* size: of the data that follow */
    char path[TRACE_PATH_MAX];
};

struct trace;

/* Maps a trace; `make`: a new one, in memory as long as nothing is written. Ends the program when
 * it cannot. */
struct trace *trace_open(const char *path, bool make);
void trace_close(struct trace **self);

/* Appends an event with those data. Returns its place. From any thread and process. */
uint64_t trace_append(struct trace *self, enum trace_type type, const char *path, uint64_t at,
                      const struct iovec *parts, size_t count);
uint64_t trace_note(struct trace *self, enum trace_type type, const char *path, uint64_t at);

/* One more each time, from 1: the number of what is asked for. */
uint64_t trace_number(struct trace *self);

/* While it is held nobody appends: a writer that is killed then leaves no half event. */
void trace_hold(struct trace *self);
void trace_let_go(struct trace *self);

/* The event at a place, and the place behind it; TRACE_END at the end. The first place is
 * trace_first. */
uint64_t trace_first(void);
uint64_t trace_used(const struct trace *self); /* the end */
const struct trace_event *trace_at(const struct trace *self, uint64_t place);

static inline const uint8_t *trace_data(const struct trace_event *event)
{
    return (const uint8_t *)(event + 1);
}

#endif
