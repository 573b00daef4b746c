#include "store/shelf.h"

#include "store/files.h"

#include <stdlib.h>
#include <unistd.h>

void shelf_init(struct shelf *self, char *dir, uint64_t segment_bytes)
{
    for (size_t i = 0; i < SEGMENT_FILES_MAX; i++)
        self->places[i].fd = -1;
    self->dir = dir;
    self->segment_bytes = segment_bytes;
    self->next_number = 1;
}

void shelf_clear(struct shelf *self)
{
    for (size_t i = 0; i < SEGMENT_FILES_MAX; i++)
        if (self->places[i].fd >= 0)
            (void)close(self->places[i].fd);
}

struct segment *shelf_add(struct shelf *self, int fd, uint64_t number)
{
    for (size_t i = 0; i < SEGMENT_FILES_MAX; i++) {
        struct segment *place = &self->places[i];
        if (place->fd >= 0)
            continue;
        place->fd = fd;
        place->number = number;
        place->held = place->dirty = false;
        place->filled = segment_filled(fd, self->segment_bytes);
        place->last = place->used = 0;
        self->count++;
        if (number >= self->next_number)
            self->next_number = number + 1;
        return place;
    }
    return NULL;
}

void shelf_drop(struct shelf *self, struct segment *place)
{
    char *path = path_join(self->dir, segment_name(place->number).text);
    if (path)
        (void)unlink(path); /* else it would be found free at the next open */
    free(path);
    (void)close(place->fd);
    place->last = place->used = 0;
    place->fd = -1;
    self->count--;
}

int shelf_make(struct shelf *self, struct reason *why)
{
    int fd;
    if (self->count >= LOG_SEGMENTS_MAX)
        return fail(why, ERR_STORE_FULL, "the log in %s is full: nothing was folded for long",
                    self->dir);
    int rc = segment_make(self->dir, self->next_number, self->segment_bytes, &fd, why);
    if (rc == 0)
        (void)shelf_add(self, fd, self->next_number);
    return rc;
}

struct segment *shelf_free(struct shelf *self)
{
    struct segment *found = NULL;
    for (size_t i = 0; i < SEGMENT_FILES_MAX; i++) {
        struct segment *place = &self->places[i];
        if (place->fd >= 0 && !place->held && (!found || place->filled > found->filled))
            found = place;
    }
    return found;
}

size_t shelf_count_free(const struct shelf *self)
{
    size_t n = 0;
    for (size_t i = 0; i < SEGMENT_FILES_MAX; i++)
        n += self->places[i].fd >= 0 && !self->places[i].held;
    return n;
}

uint64_t shelf_held_bytes(const struct shelf *self)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < SEGMENT_FILES_MAX; i++)
        bytes += self->places[i].held ? self->places[i].used : 0;
    return bytes;
}
