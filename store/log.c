#include "store/log.h"

#include "store/failure.h"
#include "store/files.h"
#include "store/record.h"
#include "store/schema.h"
#include "store/shelf.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOG_SPARE_MAX = 3 };

struct log {
    char *dir;
    uint64_t salt, run;
    struct shelf shelf;
    struct segment *active; /* the one being written, or NULL */
    uint64_t at;            /* where the next flush goes in it */
    _Atomic uint64_t synced;
    bool failed;
    _Atomic bool full;   /* the last segment that was needed could not be made */
    struct iovec *parts; /* of one flush */
};

static const uint8_t zeros[LOG_ALIGN];

static uint64_t align_up(uint64_t n)
{
    return (n + LOG_ALIGN - 1) / LOG_ALIGN * LOG_ALIGN;
}

/* iovec has no const, though writing only reads. */
static struct iovec part_of(const void *data, size_t size)
{
    struct iovec part = {.iov_len = size};
    memcpy(&part.iov_base, &data, sizeof data);
    return part;
}

/* --- appending --------------------------------------------------------------------------- */

static uint64_t room(const log_t *self)
{
    return self->active ? self->shelf.segment_bytes - self->at : 0;
}

/* How many of the records go into one flush with that much room. */
static size_t fit(struct blob *const *records, size_t count, uint64_t bytes)
{
    size_t n = 0;
    for (; n < count && records[n]->size <= bytes; n++)
        bytes -= records[n]->size;
    return n;
}

/* Makes the segments that a batch needs before any of it is written, so that a full disk refuses a
 * batch whole. */
static int reserve(log_t *self, struct blob *const *records, size_t count, struct reason *why)
{
    size_t needed = 0, n = fit(records, count, room(self));
    for (; n < count; needed++) {
        size_t more = fit(records + n, count - n, self->shelf.segment_bytes - LOG_ALIGN);
        assert(more);
        n += more;
    }
    int rc = 0;
    while (rc == 0 && shelf_count_free(&self->shelf) < needed)
        rc = shelf_make(&self->shelf, why);
    atomic_store(&self->full, rc == ERR_STORE_FULL);
    return rc;
}

static void begin_segment(log_t *self, const struct blob *record, uint8_t page[LOG_ALIGN])
{
    struct segment_header header = {.magic = SEGMENT_MAGIC,
                                    .format = FORMAT_VERSION,
                                    .run = self->run,
                                    .base = record_seq(record)};
    segment_header_page(&header, self->salt, page);
    self->active = shelf_free(&self->shelf);
    assert(self->active); /* reserve saw to it */
    self->active->held = true;
    self->at = 0;
}

/* One flush: records that fit, from a boundary to a boundary, with page 0 before them in a segment
 * that begins. */
static int write_flush(log_t *self, struct blob *const *records, size_t count, size_t *written,
                       struct reason *why)
{
    uint8_t page[LOG_ALIGN];
    size_t parts = 0, n = fit(records, count, room(self));
    uint64_t bytes = 0;
    if (n == 0) {
        begin_segment(self, records[0], page);
        self->parts[parts++] = part_of(page, sizeof page);
        bytes = sizeof page;
        n = fit(records, count, self->shelf.segment_bytes - LOG_ALIGN);
    }
    for (size_t i = 0; i < n; i++) {
        self->parts[parts++] = part_of(records[i]->data, records[i]->size);
        bytes += records[i]->size;
    }
    self->parts[parts++] = part_of(zeros, align_up(bytes) - bytes);
    struct segment *place = self->active;
    place->dirty = true;
    int failed = file_write_at(place->fd, self->parts, parts, self->at);
    if (failed) {
        if (self->at == 0)
            self->active = NULL; /* page 0 may be torn: a repetition begins it again */
        place->held = self->active;
        return store_failure(why, failed, "write the log in", self->dir);
    }
    self->at += align_up(bytes);
    place->used = self->at;
    place->last = record_seq(records[n - 1]);
    *written = n;
    return 0;
}

static int sync_dirty(log_t *self, struct reason *why)
{
    for (size_t i = 0; i < SEGMENT_FILES_MAX; i++) {
        struct segment *place = &self->shelf.places[i];
        if (place->fd < 0 || !place->dirty)
            continue;
        int failed = sync_data(place->fd);
        if (failed)
            return store_failure(why, failed, "sync the log in", self->dir);
        place->dirty = false;
    }
    return 0;
}

static int append_all(log_t *self, struct blob *const *records, size_t count, struct reason *why)
{
    int rc = 0;
    while (rc == 0 && count) {
        size_t batch = count < LOG_BATCH_RECORDS_MAX ? count : LOG_BATCH_RECORDS_MAX;
        rc = reserve(self, records, batch, why);
        for (size_t n = 0; rc == 0 && batch; records += n, batch -= n, count -= n)
            rc = write_flush(self, records, batch, &n, why);
    }
    return rc;
}

int log_append(log_t *self, struct blob *const *records, size_t count, bool sync,
               uint64_t *log_bytes, struct reason *why)
{
    if (self->failed)
        return fail(why, ERR_IO, "the log in %s failed before; restart the node", self->dir);
    int rc = append_all(self, records, count, why);
    if (rc == ERR_STORE_FULL || rc == ERR_NO_MEMORY)
        return rc; /* what was written of it is written again */
    if (rc == 0 && sync)
        rc = sync_dirty(self, why);
    if (rc) {
        /* After a failed sync the kernel may have dropped pages that it calls clean: nothing may
         * build on this log any more. */
        self->failed = true;
        return ERR_IO;
    }
    if (sync && count)
        atomic_store(&self->synced, record_seq(records[count - 1]));
    if (log_bytes)
        *log_bytes = shelf_held_bytes(&self->shelf);
    return 0;
}

/* --- recycling --------------------------------------------------------------------------- */

void log_recycle(log_t *self, uint64_t folded)
{
    for (size_t i = 0; i < SEGMENT_FILES_MAX; i++) {
        struct segment *place = &self->shelf.places[i];
        if (place->fd < 0 || !place->held || place->last > folded)
            continue;
        place->held = false;
        if (place == self->active)
            self->active = NULL;
        else if (shelf_count_free(&self->shelf) > LOG_SPARE_MAX)
            shelf_drop(&self->shelf, place);
    }
}

/* Writes the next blocks of a segment that was only reserved; what is before `used` is. */
static bool fill_segment(log_t *self, struct segment *place, uint64_t used)
{
    uint64_t from = used > place->filled ? used : place->filled, to = self->shelf.segment_bytes;
    if (to - from > SEGMENT_FILL_BYTES)
        to = from + SEGMENT_FILL_BYTES;
    if (segment_fill(place->fd, from, to))
        return false;
    if (sync_data(place->fd)) {
        self->failed = self->failed || place->held; /* as in log_append */
        return false;
    }
    place->filled = to;
    return true;
}

bool log_prepare(log_t *self)
{
    uint64_t whole = self->shelf.segment_bytes;
    if (self->failed)
        return false;
    if (self->active && self->at < whole && self->active->filled < whole)
        return fill_segment(self, self->active, self->at);
    struct segment *spare = log_ready(self, NULL) == 0 ? shelf_free(&self->shelf) : NULL;
    return spare && spare->filled < whole && fill_segment(self, spare, 0);
}

/* --- opening ----------------------------------------------------------------------------- */

static int open_segments(log_t *self, struct scan *scan, struct reason *why)
{
    struct segment_list list;
    int rc = segment_list(self->dir, &list, why);
    scan->cut = rc == 0 ? segments_cut(self->dir, &list, self->shelf.segment_bytes) : 0;
    for (size_t i = 0; rc == 0 && i < list.count; i++) {
        struct scan_found found;
        rc = scan_segment(scan, list.numbers[i], &found, why);
        if (rc)
            break;
        int fd = segment_open(self->dir, list.numbers[i]);
        if (fd < 0)
            return store_failure(why, errno, "open a log segment in", self->dir);
        if (scan->cut)
            (void)posix_fallocate(fd, 0, (off_t)self->shelf.segment_bytes); /* full length again */
        struct segment *place = shelf_add(&self->shelf, fd, list.numbers[i]);
        assert(place); /* the list is no longer than the table */
        place->held = found.last > scan->after;
        /* After a kill they may be in memory only, and they are shown as if they were flushed. */
        int failed = place->held ? sync_data(fd) : 0;
        if (failed)
            return store_failure(why, failed, "sync the log in", self->dir);
        place->last = found.last;
        place->used = align_up(found.end);
    }
    return rc;
}

int log_open(struct scan *scan, uint64_t segment_bytes, log_t **log, struct reason *why)
{
    log_t *self = (log_t *)calloc(1, sizeof *self);
    if (!self)
        return fail(why, ERR_NO_MEMORY, "out of memory");
    self->salt = scan->salt;
    self->dir = strdup(scan->dir);
    shelf_init(&self->shelf, self->dir, segment_bytes);
    self->parts = (struct iovec *)calloc(LOG_BATCH_RECORDS_MAX + 2, sizeof self->parts[0]);
    int rc = self->dir && self->parts ? dir_make(self->dir, why)
                                      : fail(why, ERR_NO_MEMORY, "out of memory");
    if (rc == 0)
        rc = open_segments(self, scan, why);
    if (rc) {
        log_close(&self);
        return rc;
    }
    scan_sort(scan);
    *log = self;
    return 0;
}

void log_start(log_t *self, uint64_t seq)
{
    self->run = seq;
}

int log_ready(log_t *self, struct reason *why)
{
    int rc = shelf_free(&self->shelf) ? 0 : shelf_make(&self->shelf, why);
    atomic_store(&self->full, rc == ERR_STORE_FULL && room(self) == 0);
    return rc;
}

void log_close(log_t **self)
{
    if (!*self)
        return;
    shelf_clear(&(*self)->shelf);
    free((*self)->parts);
    free((*self)->dir);
    free(*self);
    *self = NULL;
}

/* --- for other threads ------------------------------------------------------------------- */

uint64_t log_synced(const log_t *self)
{
    return atomic_load_explicit(&self->synced, memory_order_relaxed);
}

bool log_is_full(const log_t *self)
{
    return atomic_load_explicit(&self->full, memory_order_relaxed);
}

uint64_t log_held(const log_t *self, uint64_t folded, size_t *segments)
{
    uint64_t bytes = 0;
    *segments = 0;
    for (size_t i = 0; i < SEGMENT_FILES_MAX; i++) {
        const struct segment *place = &self->shelf.places[i];
        if (atomic_load_explicit(&place->last, memory_order_relaxed) <= folded)
            continue;
        bytes += atomic_load_explicit(&place->used, memory_order_relaxed);
        (*segments)++;
    }
    return bytes;
}

size_t log_segments(const log_t *self)
{
    return atomic_load_explicit(&self->shelf.count, memory_order_relaxed);
}
