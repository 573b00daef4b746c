#include "client/chat_input.h"

#include "base/limits.h"

#include <assert.h>
#include <stdlib.h>

void chat_input_free(struct chat_input *self)
{
    for (size_t i = 0; i < self->past_count; i++)
        buffer_free(&self->past[i]);
    free(self->past);
    buffer_free(&self->text);
    buffer_free(&self->cut);
    buffer_free(&self->draft);
    *self = (struct chat_input){0};
}

/* --- changing -------------------------------------------------------------------------------- */

/* Replaces bytes [from, to) and puts the cursor behind what came in. Without memory the text stays
 * as it was. */
static void splice(struct chat_input *self, size_t from, size_t to, struct slice with)
{
    struct buffer made = {0};
    assert(from <= to && to <= self->text.size);
    buffer_append(&made, self->text.data, from);
    buffer_append_slice(&made, with);
    size_t cursor = made.size;
    buffer_append_slice(&made, slice_after(chat_input_text(self), to));
    if (buffer_failed(&made)) {
        buffer_free(&made);
        return;
    }
    buffer_free(&self->text);
    self->text = made;
    self->cursor = cursor;
}

void chat_input_set(struct chat_input *self, struct slice text)
{
    splice(self, 0, self->text.size, text);
}

/* What may stand in the text: \n for every line end, no other control character. */
static void filter(struct slice raw, struct buffer *out)
{
    while (raw.size) {
        size_t bytes;
        uint32_t point = chat_text_point(raw, &bytes);
        struct slice c = slice_of(raw.data, bytes);
        raw = slice_after(raw, bytes);
        bool broken = bytes == 1 && c.data[0] >= 0x80;
        if (point == '\r') {
            if (raw.size == 0 || raw.data[0] != '\n')
                buffer_append_u8(out, '\n');
        } else if (point == '\t') {
            buffer_append_slice(out, slice_text("    "));
        } else if (point == '\n' || (!broken && point >= 0x20 && (point < 0x7f || point >= 0xa0))) {
            buffer_append_slice(out, c);
        }
    }
}

static size_t room_left(const struct chat_input *self)
{
    size_t size = self->text.size;
    return size < CHAT_INPUT_BYTES_MAX ? CHAT_INPUT_BYTES_MAX - size : 0;
}

bool chat_input_insert(struct chat_input *self, struct slice text)
{
    struct buffer kept = {0};
    filter(text, &kept);
    size_t room = room_left(self), size = 0;
    struct slice in = buffer_slice(&kept);
    for (size_t next; size < in.size && (next = chat_text_next(in, size)) <= room;)
        size = next;
    splice(self, self->cursor, self->cursor, slice_of(in.data, size));
    bool whole = size == in.size;
    buffer_free(&kept);
    return whole;
}

bool chat_input_replace(struct chat_input *self, size_t start, struct slice with)
{
    size_t gone = self->cursor - start;
    if (with.size > gone && with.size - gone > room_left(self))
        return false;
    splice(self, start, self->cursor, with);
    return true;
}

/* --- moving ---------------------------------------------------------------------------------- */

static bool is_blank(const struct chat_input *self, size_t at)
{
    return self->text.data[at] == ' ' || self->text.data[at] == '\n';
}

static size_t word_left(const struct chat_input *self)
{
    size_t at = self->cursor;
    while (at > 0 && is_blank(self, at - 1))
        at--;
    while (at > 0 && !is_blank(self, at - 1))
        at--;
    return at;
}

static size_t word_right(const struct chat_input *self)
{
    size_t at = self->cursor;
    while (at < self->text.size && is_blank(self, at))
        at++;
    while (at < self->text.size && !is_blank(self, at))
        at++;
    return at;
}

static size_t line_start(const struct chat_input *self, size_t at)
{
    while (at > 0 && self->text.data[at - 1] != '\n')
        at--;
    return at;
}

static size_t line_end(const struct chat_input *self, size_t at)
{
    while (at < self->text.size && self->text.data[at] != '\n')
        at++;
    return at;
}

/* The place `characters` into the line that starts at `start`, or its end. */
static size_t place_in_line(const struct chat_input *self, size_t start, size_t characters)
{
    size_t end = line_end(self, start);
    while (characters-- > 0 && start < end)
        start = chat_text_next(chat_input_text(self), start);
    return start;
}

static size_t line_beside(const struct chat_input *self, bool up)
{
    size_t start = line_start(self, self->cursor), end = line_end(self, self->cursor), n = 0;
    if (up ? start == 0 : end == self->text.size)
        return self->cursor;
    for (size_t at = start; at < self->cursor; n++)
        at = chat_text_next(chat_input_text(self), at);
    return place_in_line(self, up ? line_start(self, start - 1) : end + 1, n);
}

static size_t target(const struct chat_input *self, enum chat_move move)
{
    struct slice text = chat_input_text(self);
    size_t at = self->cursor;
    switch (move) {
    case CHAT_LEFT:
        return at > 0 ? chat_text_before(text, at) : 0;
    case CHAT_RIGHT:
        return at < text.size ? chat_text_next(text, at) : at;
    case CHAT_WORD_LEFT:
        return word_left(self);
    case CHAT_WORD_RIGHT:
        return word_right(self);
    case CHAT_LINE_START:
        return line_start(self, at);
    case CHAT_LINE_END:
        return line_end(self, at);
    case CHAT_LINE_UP:
        return line_beside(self, true);
    case CHAT_LINE_DOWN:
        return line_beside(self, false);
    }
    return at;
}

bool chat_input_move(struct chat_input *self, enum chat_move move)
{
    size_t to = target(self, move);
    bool moved = to != self->cursor;
    self->cursor = to;
    return moved;
}

void chat_input_kill(struct chat_input *self, enum chat_move move, bool keep)
{
    size_t to = target(self, move);
    size_t first = to < self->cursor ? to : self->cursor;
    size_t last = to < self->cursor ? self->cursor : to;
    if (first == last)
        return;
    if (keep) {
        buffer_clear(&self->cut);
        buffer_append(&self->cut, self->text.data + first, last - first);
    }
    splice(self, first, last, slice_of(NULL, 0));
}

void chat_input_yank(struct chat_input *self)
{
    if (self->cut.size <= room_left(self))
        splice(self, self->cursor, self->cursor, buffer_slice(&self->cut));
}

/* --- the past -------------------------------------------------------------------------------- */

static void remember(struct chat_input *self)
{
    struct slice text = chat_input_text(self);
    if (self->past_count && slice_equal(buffer_slice(&self->past[self->past_count - 1]), text))
        return;
    if (!self->past)
        self->past = calloc(CHAT_PAST_MAX, sizeof *self->past);
    if (!self->past)
        return;
    if (self->past_count == CHAT_PAST_MAX) {
        buffer_free(&self->past[0]);
        memmove(self->past, self->past + 1, (CHAT_PAST_MAX - 1) * sizeof *self->past);
        self->past_count--;
    }
    self->past[self->past_count] = (struct buffer){0};
    buffer_append_slice(&self->past[self->past_count++], text);
}

void chat_input_sent(struct chat_input *self)
{
    if (self->text.size)
        remember(self);
    self->past_at = self->past_count;
    buffer_clear(&self->draft);
    chat_input_set(self, slice_of(NULL, 0));
}

bool chat_input_recall(struct chat_input *self, int step)
{
    if (step < 0 ? self->past_at == 0 : self->past_at >= self->past_count)
        return false;
    if (self->past_at == self->past_count) {
        buffer_clear(&self->draft);
        buffer_append_slice(&self->draft, chat_input_text(self));
    }
    self->past_at = step < 0 ? self->past_at - 1 : self->past_at + 1;
    chat_input_set(self,
                   buffer_slice(self->past_at == self->past_count ? &self->draft
                                                                  : &self->past[self->past_at]));
    return true;
}

/* --- as it is shown -------------------------------------------------------------------------- */

struct chat_input_view chat_input_lay(const struct chat_input *self, size_t columns,
                                      struct buffer *rows)
{
    struct slice text = chat_input_text(self);
    struct chat_input_view view = {.rows = 1};
    struct buffer shown = {0};
    size_t used = 0;
    for (size_t at = 0, next; at <= text.size; at = next) {
        bool end = at == text.size, line = !end && text.data[at] == '\n';
        next = end ? at + 1 : chat_text_next(text, at);
        buffer_clear(&shown);
        if (!end && !line)
            chat_text_clean(slice_of(text.data + at, next - at), CHAT_ONE_LINE, &shown);
        size_t width = chat_text_columns(buffer_slice(&shown));
        bool cursor = self->cursor >= at && self->cursor < next;
        /* The cursor takes a column too. */
        if (used > 0 && used + (cursor && width == 0 ? 1 : width) > columns) {
            buffer_append_u8(rows, '\n');
            view.rows++;
            used = 0;
        }
        if (cursor) {
            view.cursor_row = view.rows - 1;
            view.cursor_column = used;
        }
        buffer_append_slice(rows, buffer_slice(&shown));
        used += width;
        if (line || end)
            buffer_append_u8(rows, '\n');
        view.rows += line;
        used = line ? 0 : used;
    }
    buffer_free(&shown);
    return view;
}
