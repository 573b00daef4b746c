#include "client/chat_sight.h"

#include <stdlib.h>

enum { GROUP_MS = 300000 };

chat_flow_t *chat_flow_new(chat_flow_fn *message, void *arg)
{
    chat_flow_t *self = calloc(1, sizeof *self);
    if (self)
        *self = (struct chat_flow){
            .message = message, .arg = arg, .rows = 1, .columns = 10, .at_end = true};
    return self;
}

static void free_entries(struct chat_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        chat_block_free(&entries[i].block);
    free(entries);
}

void chat_flow_destroy(chat_flow_t **self)
{
    if (!*self)
        return;
    free_entries((*self)->entries, (*self)->count);
    chat_block_free(&(*self)->top);
    free(*self);
    *self = NULL;
}

static int compare(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, CHAT_SPOT_BYTES);
}

size_t chat_flow_from(const chat_flow_t *self, const uint8_t *spot)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(self->entries[middle].item.spot, spot) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool chat_flow_is_at(const chat_flow_t *self, size_t i, const uint8_t *spot)
{
    return i < self->count && compare(self->entries[i].item.spot, spot) == 0;
}

/* --- what there is --------------------------------------------------------------------------- */

static void set_flag(struct chat_entry *e, bool *flag, bool value)
{
    e->stale = e->stale || *flag != value;
    *flag = value;
}

/* What an entry shows because of the one before it. */
static void look_around(chat_flow_t *self)
{
    size_t marked = self->has_mark ? chat_flow_from(self, self->mark) : self->count;
    if (chat_flow_is_at(self, marked, self->mark))
        marked++;
    for (size_t i = 0; i < self->count; i++) {
        struct chat_entry *e = &self->entries[i], *before = i ? e - 1 : NULL;
        set_flag(e, &e->first_of_day, !before || e->day != before->day);
        set_flag(e, &e->first_unread, i == marked && i > 0);
        set_flag(e, &e->grouped,
                 before && e->item.said && before->item.said && !e->item.apart &&
                     !before->item.apart && !e->first_of_day && !e->first_unread &&
                     e->item.author == before->item.author &&
                     e->item.time_ms - before->item.time_ms < GROUP_MS);
    }
}

int chat_flow_set(chat_flow_t *self, const struct chat_item *items, size_t count)
{
    struct chat_entry *entries = calloc(count ? count : 1, sizeof *entries);
    size_t old = 0, bottom = self->at_end ? self->count : chat_flow_from(self, self->bottom);
    if (!entries)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct chat_entry *e = &entries[i];
        while (old < self->count && compare(self->entries[old].item.spot, items[i].spot) < 0)
            chat_block_free(&self->entries[old++].block);
        if (chat_flow_is_at(self, old, items[i].spot)) {
            *e = self->entries[old++];
        } else {
            *e = (struct chat_entry){.stale = true, .day = chat_day(items[i].time_ms)};
            self->came += !self->at_end && old > bottom;
        }
        e->item = items[i];
    }
    while (old < self->count)
        chat_block_free(&self->entries[old++].block);
    free(self->entries);
    self->entries = entries;
    self->count = count;
    if (self->has_chosen &&
        !chat_flow_is_at(self, chat_flow_from(self, self->chosen), self->chosen))
        self->has_chosen = false;
    look_around(self);
    return 0;
}

void chat_flow_touch(chat_flow_t *self, const uint8_t *spot)
{
    size_t i = chat_flow_from(self, spot);
    if (chat_flow_is_at(self, i, spot))
        self->entries[i].stale = true;
}

void chat_flow_touch_all(chat_flow_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        self->entries[i].stale = true;
}

void chat_flow_mark(chat_flow_t *self, const uint8_t *spot)
{
    self->has_mark = spot != NULL;
    if (spot)
        memcpy(self->mark, spot, sizeof self->mark);
    look_around(self);
}

void chat_flow_size(chat_flow_t *self, size_t rows, size_t columns)
{
    if (columns != self->columns)
        chat_flow_touch_all(self);
    self->rows = rows ? rows : 1;
    self->columns = columns;
}
