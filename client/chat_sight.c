#include "client/chat_sight.h"

enum { WIDE_FROM = 56, NAME_COLUMNS = 10, ROOMY_FROM = 90, ROOMY_NAMES = 14 };

/* --- lines ----------------------------------------------------------------------------------- */

static size_t name_columns(const chat_flow_t *self)
{
    return self->columns >= ROOMY_FROM  ? ROOMY_NAMES
           : self->columns >= WIDE_FROM ? NAME_COLUMNS
                                        : 0;
}

/* What an entry says. */
static struct chat_message message_of(const chat_flow_t *self, const struct chat_entry *e)
{
    struct chat_message message = {0};
    self->message(self->arg, e->item.spot, &message);
    message.grouped = e->grouped;
    message.first_of_day = e->first_of_day;
    message.first_unread = e->first_unread;
    return message;
}

static size_t lines_of(chat_flow_t *self, size_t i)
{
    struct chat_entry *e = &self->entries[i];
    if (!e->stale)
        return e->block.lines;
    struct chat_message message = message_of(self, e);
    chat_block_lay(&e->block, &message, self->columns, name_columns(self));
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
    size_t i = chat_flow_from(self, self->bottom);
    if (!chat_flow_is_at(self, i, self->bottom))
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

/* The author of the first row stands in it, where the row that has it is above the screen. Not
 * where there is no column for it and it would take the place of text. */
static void name_first(chat_flow_t *self, size_t i, struct chat_row *rows, size_t count)
{
    struct chat_entry *e = &self->entries[i];
    if (!e->item.said || (rows[0].line == 0 && !e->grouped))
        return;
    struct chat_message message = message_of(self, e);
    message.named = true;
    message.named_line = rows[0].line;
    chat_block_lay(&self->top, &message, self->columns, name_columns(self));
    for (size_t row = 0; self->top.lines == e->block.lines && row < count; row++)
        if (rows[row].block == &e->block)
            rows[row].block = &self->top;
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
        const struct chat_entry *e = &self->entries[i];
        rows[--row] = (struct chat_row){&e->block, line - 1,
                                        self->has_chosen && chat_flow_is_at(self, i, self->chosen)};
    }
    name_first(self, i, rows, wanted);
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
    size_t now = self->has_chosen ? chat_flow_from(self, self->chosen) : edge_now(self).i + 1;
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
