#include "tests/crash/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool so, const struct trace_event *event)
{
    if (so)
        return;
    (void)fprintf(stderr, "the trace cannot be: event %u of %s\n", event->type, event->path);
    abort();
}

/* Room for one more. */
static void *grown(void *rows, size_t count, size_t *capacity, size_t row_bytes)
{
    if (count < *capacity)
        return rows;
    *capacity = *capacity ? 2 * *capacity : 256;
    rows = realloc(rows, *capacity * row_bytes);
    if (!rows)
        abort();
    return rows;
}

void disk_init(struct disk *self, const struct trace *trace)
{
    memset(self, 0, sizeof *self);
    self->trace = trace;
    self->next = trace_first();
}

void disk_clear(struct disk *self)
{
    for (int i = 0; i < self->file_count; i++)
        free(self->files[i].bytes);
    free(self->pending);
    free(self->changed);
}

void disk_changed(struct disk *self, int file, uint64_t at, uint64_t size)
{
    self->changed = (struct disk_range *)grown(self->changed, self->changed_count,
                                               &self->changed_capacity, sizeof *self->changed);
    self->changed[self->changed_count++] = (struct disk_range){file, at, size};
}

/* --- names ------------------------------------------------------------------------------- */

static struct disk_name *row_of(struct disk_names *names, const char *path)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->rows[i].path, path) == 0)
            return &names->rows[i];
    if (names->count == DISK_NAMES_MAX)
        abort();
    struct disk_name *row = &names->rows[names->count++];
    (void)snprintf(row->path, sizeof row->path, "%s", path);
    row->file = -1;
    return row;
}

int disk_find(const struct disk_names *names, const char *path)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->rows[i].path, path) == 0)
            return names->rows[i].file;
    return -1;
}

void disk_apply_name(struct disk_names *names, const struct disk_pending *pending)
{
    const struct trace_event *event = pending->event;
    bool made = event->type == TRACE_MAKE;
    row_of(names, event->path)->file = made ? pending->file : -1;
    if (event->type == TRACE_RENAME)
        row_of(names, (const char *)trace_data(event))->file = pending->file;
}

/* The directory that a name stands in, as its syncs are written in the trace. */
static bool stands_in(const char *path, const char *directory)
{
    const char *slash = strrchr(path, '/');
    if (strcmp(path, ".") == 0)
        return strcmp(directory, "..") == 0;
    if (!slash)
        return strcmp(directory, ".") == 0;
    return strlen(directory) == (size_t)(slash - path) &&
           strncmp(path, directory, strlen(directory)) == 0;
}

/* --- what becomes sure ------------------------------------------------------------------- */

static void file_reach(struct disk_file *file, size_t size)
{
    if (size > file->capacity) {
        size_t capacity = size > 2 * file->capacity ? size : 2 * file->capacity;
        file->bytes = (uint8_t *)realloc(file->bytes, capacity);
        if (!file->bytes)
            abort();
        memset(file->bytes + file->capacity, 0, capacity - file->capacity);
        file->capacity = capacity;
    }
    if (size > file->size)
        file->size = size;
}

static void settle(struct disk *self, const struct disk_pending *pending)
{
    const struct trace_event *event = pending->event;
    struct disk_file *file = &self->files[pending->file];
    if (disk_is_naming(pending)) {
        disk_apply_name(&self->sure, pending);
        return;
    }
    if (event->type == TRACE_SIZE) {
        file_reach(file, event->at);
        return;
    }
    file_reach(file, event->at + event->size);
    memcpy(file->bytes + event->at, trace_data(event), event->size);
    disk_changed(self, pending->file, event->at, event->size);
}

/* A sync that began at `place` is done; or that write alone. */
static void on_synced(struct disk *self, uint64_t place)
{
    const struct trace_event *sync = trace_at(self->trace, place);
    int file = disk_find(&self->seen, sync->path);
    size_t kept = 0;
    for (size_t i = 0; i < self->pending_count; i++) {
        struct disk_pending *row = &self->pending[i];
        bool sure = sync->type == TRACE_WRITE ? row->place == place
                    : row->place > place      ? false
                    : disk_is_naming(row)     ? stands_in(row->event->path, sync->path)
                                              : row->file == file;
        if (sure)
            settle(self, row);
        else
            self->pending[kept++] = *row;
    }
    self->pending_count = kept;
}

/* --- what happens ------------------------------------------------------------------------ */

static int new_file(struct disk *self, const struct trace_event *event)
{
    must(self->file_count < DISK_FILES_MAX, event);
    self->files[self->file_count].directory = event->size > 0;
    return self->file_count++;
}

static void see(struct disk *self, const struct trace_event *event, int file)
{
    uint64_t end = event->type == TRACE_WRITE ? event->at + event->size : event->at;
    if (!self->files[file].directory && end > self->files[file].seen)
        self->files[file].seen = end;
}

static void on_change(struct disk *self, const struct trace_event *event)
{
    bool makes = event->type == TRACE_MAKE;
    int file = makes ? new_file(self, event) : disk_find(&self->seen, event->path);
    must(file >= 0, event);
    self->pending = (struct disk_pending *)grown(self->pending, self->pending_count,
                                                 &self->pending_capacity, sizeof *self->pending);
    struct disk_pending *row = &self->pending[self->pending_count++];
    *row = (struct disk_pending){.event = event, .place = self->next, .file = file};
    if (disk_is_naming(row))
        disk_apply_name(&self->seen, row);
    else
        see(self, event, file);
}

void disk_advance(struct disk *self, uint64_t place)
{
    while (self->next < place) {
        const struct trace_event *event = trace_at(self->trace, self->next);
        switch ((enum trace_type)event->type) {
        case TRACE_MAKE:
        case TRACE_WRITE:
        case TRACE_SIZE:
        case TRACE_RENAME:
        case TRACE_UNLINK:
            on_change(self, event);
            break;
        case TRACE_SYNCED:
            on_synced(self, event->at);
            break;
        case TRACE_SYNC:
        case TRACE_ASK:
        case TRACE_TELL:
            break;
        case TRACE_END:
            return;
        }
        self->next += event->bytes;
    }
}
