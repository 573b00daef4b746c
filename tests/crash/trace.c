#include "tests/crash/trace.h"

#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A file that long has only the pages that were written. */
#define TRACE_BYTES_MAX ((uint64_t)2 << 30)

struct trace {
    _Atomic uint32_t held;
    _Atomic uint64_t used, numbers;
};

static void give_up(const char *what)
{
    perror(what);
    abort();
}

struct trace *trace_open(const char *path, bool make)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | (make ? O_CREAT | O_EXCL : 0), 0600);
    if (fd < 0)
        give_up(path);
    if (ftruncate(fd, (off_t)TRACE_BYTES_MAX)) /* also of one that was kept, cut to its length */
        give_up(path);
    void *map =
        mmap(NULL, TRACE_BYTES_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (map == MAP_FAILED)
        give_up(path);
    (void)close(fd);
    struct trace *self = (struct trace *)map;
    if (make)
        atomic_store(&self->used, trace_first());
    return self;
}

void trace_close(struct trace **self)
{
    if (*self)
        (void)munmap(*self, TRACE_BYTES_MAX);
    *self = NULL;
}

void trace_hold(struct trace *self)
{
    while (atomic_exchange_explicit(&self->held, 1, memory_order_acquire))
        (void)sched_yield();
}

void trace_let_go(struct trace *self)
{
    atomic_store_explicit(&self->held, 0, memory_order_release);
}

uint64_t trace_append(struct trace *self, enum trace_type type, const char *path, uint64_t at,
                      const struct iovec *parts, size_t count)
{
    struct trace_event event = {.type = type, .at = at};
    for (size_t i = 0; i < count; i++)
        event.size += parts[i].iov_len;
    event.bytes = (uint32_t)((sizeof event + event.size + 7) / 8 * 8);
    (void)snprintf(event.path, sizeof event.path, "%s", path);
    trace_hold(self);
    uint64_t place = self->used;
    if (event.bytes > TRACE_BYTES_MAX - place - sizeof event)
        give_up("the trace is full");
    uint8_t *to = (uint8_t *)self + place;
    memcpy(to, &event, sizeof event);
    to += sizeof event;
    for (size_t i = 0; i < count; i++) {
        memcpy(to, parts[i].iov_base, parts[i].iov_len);
        to += parts[i].iov_len;
    }
    self->used = place + event.bytes;
    trace_let_go(self);
    return place;
}

uint64_t trace_note(struct trace *self, enum trace_type type, const char *path, uint64_t at)
{
    return trace_append(self, type, path, at, NULL, 0);
}

uint64_t trace_number(struct trace *self)
{
    return ++self->numbers;
}

uint64_t trace_first(void)
{
    return (sizeof(struct trace) + 7) / 8 * 8;
}

uint64_t trace_used(const struct trace *self)
{
    return self->used;
}

const struct trace_event *trace_at(const struct trace *self, uint64_t place)
{
    static const struct trace_event end = {.type = TRACE_END};
    if (place >= self->used)
        return &end;
    return (const struct trace_event *)(const void *)((const uint8_t *)self + place);
}
