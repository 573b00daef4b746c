#include "client/chat_text.h"

#include "base/limits.h"
#include "base/utf8.h"

#include <wchar.h>

enum { REPLACEMENT = 0xfffd, JOINER = 0x200d, TAB_COLUMNS = 4 };

uint32_t chat_text_point(struct slice text, size_t *bytes)
{
    uint32_t point = REPLACEMENT;
    size_t size = utf8_point(text, &point);
    *bytes = size ? size : 1;
    return point;
}

/* --- what a code point is -------------------------------------------------------------------- */

static bool between(uint32_t point, uint32_t first, uint32_t last)
{
    return point >= first && point <= last;
}

static bool is_flag_half(uint32_t point)
{
    return between(point, 0x1f1e6, 0x1f1ff);
}

static bool is_skin(uint32_t point)
{
    return between(point, 0x1f3fb, 0x1f3ff);
}

/* Symbols, of which emoji are made; scripts that need joiners lie below. */
static bool is_symbol(uint32_t point)
{
    return point >= 0x2000;
}

/* Belongs to the character before it. */
static bool is_mark(uint32_t point)
{
    return point == JOINER || is_skin(point) || between(point, 0xfe00, 0xfe0f) ||
           between(point, 0xe0020, 0xe007f) || (point >= 0x300 && wcwidth((wchar_t)point) == 0);
}

/* Invisible, and turns what follows around (UAX #9), or means nothing here. */
static bool is_format(uint32_t point)
{
    return point == 0xad || point == 0x61c || point == 0x180e || point == 0x200b ||
           between(point, 0x200e, 0x200f) || between(point, 0x202a, 0x202e) ||
           between(point, 0x2060, 0x206f) || between(point, 0xfe00, 0xfe0f) || point == 0xfeff ||
           between(point, 0xfff9, 0xfffb) || between(point, 0xe0000, 0xe0fff);
}

/* --- cleaning -------------------------------------------------------------------------------- */

struct cleaner {
    struct buffer *out;
    uint32_t base; /* of the character under way; 0: none */
    size_t marks;  /* on it */
};

static void put_base(struct cleaner *self, uint32_t point)
{
    utf8_append(self->out, point);
    self->base = point;
    self->marks = 0;
}

static void put_mark(struct cleaner *self, uint32_t point)
{
    if (point == JOINER && (self->base == 0 || is_symbol(self->base)))
        return;
    if (self->base == 0)
        put_base(self, 0x25cc); /* the circle that stands for what is missing */
    if (self->marks++ < CHAT_MARKS_MAX)
        utf8_append(self->out, point);
}

static void clean_point(struct cleaner *self, uint32_t point, enum chat_lines_kept lines)
{
    if (point == '\n' || between(point, 0x2028, 0x2029)) {
        buffer_append_u8(self->out, lines == CHAT_LINES_KEPT ? '\n' : ' ');
        self->base = 0;
    } else if (point == '\t') {
        for (int i = 0; i < TAB_COLUMNS; i++)
            put_base(self, ' ');
    } else if (is_format(point) || (is_skin(point) && is_symbol(self->base))) {
        return;
    } else {
        int width = wcwidth((wchar_t)point);
        if (point == 0 || width < 0)
            put_base(self, REPLACEMENT);
        else if (width == 0)
            put_mark(self, point);
        else
            put_base(self, point);
    }
}

void chat_text_clean(struct slice raw, enum chat_lines_kept lines, struct buffer *out)
{
    struct cleaner self = {.out = out};
    while (raw.size) {
        size_t bytes;
        uint32_t point = chat_text_point(raw, &bytes);
        raw = slice_after(raw, bytes);
        if (point == '\r' && raw.size && raw.data[0] == '\n')
            continue;
        clean_point(&self, point, lines);
    }
}

/* --- characters ------------------------------------------------------------------------------ */

size_t chat_text_next(struct slice text, size_t at)
{
    size_t bytes;
    uint32_t first = chat_text_point(slice_after(text, at), &bytes), last = first;
    bool half = is_flag_half(first);
    at += bytes;
    while (first != '\n' && at < text.size) {
        uint32_t point = chat_text_point(slice_after(text, at), &bytes);
        bool joined = last == JOINER && is_symbol(first);
        bool second = half && is_flag_half(point);
        if (!is_mark(point) && !joined && !second)
            break;
        half = half && !second;
        last = point;
        at += bytes;
    }
    return at;
}

size_t chat_text_before(struct slice text, size_t at)
{
    /* Characters have no mark of their start that could be read backwards: flags are pairs counted
     * from the front. Lines are short. */
    size_t start = at - 1;
    while (start > 0 && text.data[start - 1] != '\n')
        start--;
    if (text.data[at - 1] == '\n')
        return at - 1;
    for (size_t next; (next = chat_text_next(text, start)) < at;)
        start = next;
    return start;
}

/* --- columns --------------------------------------------------------------------------------- */

static size_t point_columns(uint32_t point)
{
    int width = wcwidth((wchar_t)point);
    return width > 0 ? (size_t)width : 0;
}

size_t chat_text_columns(struct slice text)
{
    size_t columns = 0, bytes;
    for (; text.size; text = slice_after(text, bytes))
        columns += point_columns(chat_text_point(text, &bytes));
    return columns;
}

static struct slice character(struct slice text, size_t at)
{
    return slice_of(text.data + at, chat_text_next(text, at) - at);
}

size_t chat_text_fit(struct slice text, size_t columns)
{
    size_t at = 0;
    while (at < text.size) {
        struct slice c = character(text, at);
        size_t width = chat_text_columns(c);
        if (width > columns)
            break;
        columns -= width;
        at += c.size;
    }
    return at;
}

size_t chat_text_cut(struct slice text, size_t columns, struct buffer *out)
{
    size_t all = chat_text_columns(text);
    if (all <= columns) {
        buffer_append_slice(out, text);
        return all;
    }
    if (columns == 0)
        return 0;
    struct slice part = slice_of(text.data, chat_text_fit(text, columns - 1));
    buffer_append_slice(out, part);
    buffer_append_slice(out, slice_text("…"));
    return chat_text_columns(part) + 1;
}

size_t chat_text_cut_name(struct slice name, size_t columns, struct buffer *out)
{
    const uint8_t *mark = name.size ? memrchr(name.data, '~', name.size) : NULL;
    if (!mark || chat_text_columns(name) <= columns)
        return chat_text_cut(name, columns, out);
    struct slice nickname = slice_of(name.data, (size_t)(mark - name.data));
    struct slice key = slice_after(name, nickname.size);
    size_t taken = chat_text_columns(key);
    if (nickname.size == 0 || taken >= columns)
        return chat_text_cut(key, columns, out);
    taken += chat_text_cut(nickname, columns - taken, out);
    buffer_append_slice(out, key);
    return taken;
}

size_t chat_text_one_line(struct slice raw, chat_cut_fn *cut, size_t columns, struct buffer *out)
{
    struct buffer clean = {0};
    chat_text_clean(raw, CHAT_ONE_LINE, &clean);
    size_t taken = cut(buffer_slice(&clean), columns, out);
    buffer_free(&clean);
    return taken;
}

/* Only blanks may be past the border; those are not shown. */
static size_t without_overhang(struct slice text, size_t size, size_t used, size_t columns)
{
    return used > columns ? chat_text_fit(slice_of(text.data, size), columns) : size;
}

size_t chat_text_wrap(struct slice text, size_t columns, size_t *next)
{
    size_t used = 0, end = 0, after = 0; /* where the line may end, and the next one start */
    bool blank = false, wide = false;    /* the character before */
    for (size_t at = 0; at < text.size;) {
        struct slice c = character(text, at);
        size_t width = chat_text_columns(c);
        if (c.data[0] == '\n') {
            *next = at + 1;
            return without_overhang(text, at, used, columns);
        }
        if ((width == 2 || wide) && !blank && at > 0)
            end = after = at;
        if (c.data[0] == ' ') {
            end = blank ? end : at;
            after = at + c.size;
        } else if (used + width > columns) {
            *next = end > 0 ? after : at > 0 ? at : c.size;
            return end > 0 ? end : without_overhang(text, *next, used, columns);
        }
        blank = c.data[0] == ' ';
        wide = width == 2;
        used += width;
        at += c.size;
    }
    *next = text.size;
    return without_overhang(text, text.size, used, columns);
}
