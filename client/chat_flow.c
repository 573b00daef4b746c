#include "client/chat_flow.h"

#include <stdlib.h>

enum { GROUP_MS = 300000, WIDE_FROM = 56, NAME_COLUMNS = 10, ROOMY_FROM = 90, ROOMY_NAMES = 14 };

struct entry {
    struct chat_item item;
    struct chat_block block;
    int day;
    bool stale, first_of_day, first_unread, grouped;
};

struct chat_flow {
    chat_flow_fn *message;
    void *arg;
    struct entry *entries;
    size_t count, rows, columns;
    bool at_end, has_mark, has_chosen;
    uint8_t bottom[CHAT_SPOT_BYTES]; /* not at the end: the last one in sight … */
    size_t hidden;                   /* … and how many of its lines are below the screen */
    uint8_t mark[CHAT_SPOT_BYTES], chosen[CHAT_SPOT_BYTES];
    size_t came, laid;
};

chat_flow_t *chat_flow_new(chat_flow_fn *message, void *arg)
{
    chat_flow_t *self = calloc(1, sizeof *self);
    if (self)
        *self = (struct chat_flow){
            .message = message, .arg = arg, .rows = 1, .columns = 10, .at_end = true};
    return self;
}

static void free_entries(struct entry *entries, size_t count)
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
    free(*self);
    *self = NULL;
}

static int compare(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, CHAT_SPOT_BYTES);
}

/* The first entry at or after a spot. */
static size_t from(const chat_flow_t *self, const uint8_t *spot)
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

static bool is_at(const chat_flow_t *self, size_t i, const uint8_t *spot)
{
    return i < self->count && compare(self->entries[i].item.spot, spot) == 0;
}

/* --- what there is --------------------------------------------------------------------------- */

static void set_flag(struct entry *e, bool *flag, bool value)
{
    e->stale = e->stale || *flag != value;
    *flag = value;
}

/* What an entry shows because of the one before it. */
static void look_around(chat_flow_t *self)
{
    size_t marked = self->has_mark ? from(self, self->mark) : self->count;
    if (is_at(self, marked, self->mark))
        marked++;
    for (size_t i = 0; i < self->count; i++) {
        struct entry *e = &self->entries[i], *before = i ? e - 1 : NULL;
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
    struct entry *entries = calloc(count ? count : 1, sizeof *entries);
    size_t old = 0, bottom = self->at_end ? self->count : from(self, self->bottom);
    if (!entries)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct entry *e = &entries[i];
        while (old < self->count && compare(self->entries[old].item.spot, items[i].spot) < 0)
            chat_block_free(&self->entries[old++].block);
        if (is_at(self, old, items[i].spot)) {
            *e = self->entries[old++];
        } else {
            *e = (struct entry){.stale = true, .day = chat_day(items[i].time_ms)};
            self->came += !self->at_end && old > bottom;
        }
        e->item = items[i];
    }
    while (old < self->count)
        chat_block_free(&self->entries[old++].block);
    free(self->entries);
    self->entries = entries;
    self->count = count;
    if (self->has_chosen && !is_at(self, from(self, self->chosen), self->chosen))
        self->has_chosen = false;
    look_around(self);
    return 0;
}

void chat_flow_touch(chat_flow_t *self, const uint8_t *spot)
{
    size_t i = from(self, spot);
    if (is_at(self, i, spot))
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

/* --- lines ----------------------------------------------------------------------------------- */

static size_t lines_of(chat_flow_t *self, size_t i)
{
    struct entry *e = &self->entries[i];
    if (!e->stale)
        return e->block.lines;
    struct chat_message message = {0};
    size_t names = self->columns >= ROOMY_FROM  ? ROOMY_NAMES
                   : self->columns >= WIDE_FROM ? NAME_COLUMNS
                                                : 0;
    self->message(self->arg, e->item.spot, &message);
    message.grouped = e->grouped;
    message.first_of_day = e->first_of_day;
    message.first_unread = e->first_unread;
    chat_block_lay(&e->block, &message, self->columns, names);
    e->stale = false;
    self->laid++;
    return e->block.lines;
}

/* The bottom of the screen: an entry, and how many of its lines are below. */
struct edge {
    size_t i, hidden;
};

static struct edge end_edge(const chat_flow_t *self)
{
    return (struct edge){self->count - 1, 0};
}

static struct edge up(chat_flow_t *self, struct edge at, size_t lines)
{
    for (;;) {
        size_t left = lines_of(self, at.i) - at.hidden; /* of it in sight */
        if (lines < left) {
            at.hidden += lines;
            return at;
        }
        if (at.i == 0) {
            at.hidden += left - 1;
            return at;
        }
        lines -= left;
        at = (struct edge){at.i - 1, 0};
    }
}

static struct edge down(chat_flow_t *self, struct edge at, size_t lines)
{
    while (lines > at.hidden && at.i + 1 < self->count) {
        lines -= at.hidden;
        at.i++;
        at.hidden = lines_of(self, at.i);
    }
    at.hidden -= lines < at.hidden ? lines : at.hidden;
    return at;
}

/* How many lines there are down to the edge, counted up to the size of the screen. */
static size_t lines_above(chat_flow_t *self, struct edge at)
{
    size_t lines = lines_of(self, at.i) - at.hidden;
    while (lines < self->rows && at.i > 0)
        lines += lines_of(self, --at.i);
    return lines;
}

static struct edge edge_now(chat_flow_t *self)
{
    if (self->at_end)
        return end_edge(self);
    size_t i = from(self, self->bottom);
    if (!is_at(self, i, self->bottom))
        return i < self->count ? (struct edge){i, 0} : end_edge(self);
    size_t lines = lines_of(self, i);
    return (struct edge){i, self->hidden < lines ? self->hidden : lines - 1};
}

/* Holds the edge, moved down so far that no row above stays empty. */
static void hold(chat_flow_t *self, struct edge at)
{
    size_t lines = lines_above(self, at);
    if (lines < self->rows)
        at = down(self, at, self->rows - lines);
    self->at_end = at.i + 1 == self->count && at.hidden == 0;
    memcpy(self->bottom, self->entries[at.i].item.spot, sizeof self->bottom);
    self->hidden = at.hidden;
    if (self->at_end)
        self->came = 0;
}

size_t chat_flow_rows(chat_flow_t *self, struct chat_row *rows)
{
    if (self->count == 0)
        return 0;
    hold(self, edge_now(self));
    struct edge at = edge_now(self);
    size_t wanted = lines_above(self, at), i = at.i;
    if (wanted > self->rows)
        wanted = self->rows;
    for (size_t row = wanted, line = lines_of(self, i) - at.hidden; row > 0; line--) {
        while (line == 0)
            line = lines_of(self, --i);
        const struct entry *e = &self->entries[i];
        rows[--row] = (struct chat_row){
            &e->block, line - 1, self->has_chosen && compare(e->item.spot, self->chosen) == 0};
    }
    return wanted;
}

/* --- moving ---------------------------------------------------------------------------------- */

void chat_flow_scroll(chat_flow_t *self, long lines)
{
    if (self->count == 0)
        return;
    struct edge at = edge_now(self);
    hold(self, lines < 0 ? up(self, at, (size_t)-lines) : down(self, at, (size_t)lines));
}

void chat_flow_to_start(chat_flow_t *self)
{
    if (self->count)
        hold(self, (struct edge){0, lines_of(self, 0) - 1});
}

void chat_flow_to_end(chat_flow_t *self)
{
    self->at_end = true;
    self->came = 0;
}

bool chat_flow_at_end(const chat_flow_t *self)
{
    return self->at_end;
}

size_t chat_flow_came(const chat_flow_t *self)
{
    return self->came;
}

size_t chat_flow_laid(const chat_flow_t *self)
{
    return self->laid;
}

/* --- choosing -------------------------------------------------------------------------------- */

static void bring_in_sight(chat_flow_t *self, size_t i)
{
    struct edge at = edge_now(self);
    if (i > at.i || (i == at.i && at.hidden > 0)) {
        hold(self, (struct edge){i, 0});
        return;
    }
    size_t lines = lines_of(self, at.i) - at.hidden;
    for (size_t k = i; k < at.i; k++)
        lines += lines_of(self, k);
    if (lines > self->rows)
        hold(self, up(self, at, lines - self->rows));
}

/* The nearest text at `i` or further in the direction of step; count: none. */
static size_t nearest_said(const chat_flow_t *self, size_t i, int step)
{
    while (i < self->count && !self->entries[i].item.said)
        i = step < 0 ? i - 1 : i + 1; /* below 0 it is past the count */
    return i < self->count ? i : self->count;
}

bool chat_flow_choose(chat_flow_t *self, int step)
{
    if (self->count == 0 || (step > 0 && !self->has_chosen))
        return false;
    size_t now = self->has_chosen ? from(self, self->chosen) : edge_now(self).i + 1;
    size_t i = nearest_said(self, step < 0 ? now - 1 : now + 1, step);
    if (i == self->count) {
        self->has_chosen = self->has_chosen && step < 0;
        return self->has_chosen;
    }
    memcpy(self->chosen, self->entries[i].item.spot, sizeof self->chosen);
    self->has_chosen = true;
    bring_in_sight(self, i);
    return true;
}

void chat_flow_choose_none(chat_flow_t *self)
{
    self->has_chosen = false;
}

const uint8_t *chat_flow_chosen(const chat_flow_t *self)
{
    return self->has_chosen ? self->chosen : NULL;
}
