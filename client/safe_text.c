#include "client/safe_text.h"

#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

#define CUT "…"

/* The code point at `at` and the bytes it takes; 0 bytes where there is no UTF-8. */
static size_t point_at(struct weir_bytes text, size_t at, uint32_t *point)
{
    return utf8_point(slice_of((const uint8_t *)text.data + at, text.size - at), point);
}

/* Controls (C0, C1), what turns the direction of writing, line and paragraph ends, and what takes
 * no place on the screen and joins nothing. Emoji need U+FE0F. */
static bool is_unsafe(uint32_t point)
{
    static const struct utf8_range unsafe[] = {
        {0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},   {0x180e, 0x180e},
        {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f}, {0xfe00, 0xfe0e},
        {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
    };
    bool is_plain = point >= 0x20 && point < 0x7f; /* most are */
    return !is_plain && utf8_among(point, unsafe, sizeof unsafe / sizeof unsafe[0]);
}

size_t safe_text_next(struct weir_bytes text, size_t at, char piece[SAFE_TEXT_PIECE], bool *as_is)
{
    const uint8_t *bytes = (const uint8_t *)text.data + at;
    uint32_t point = 0;
    size_t size = point_at(text, at, &point);
    bool good = size && !is_unsafe(point);
    if (as_is)
        *as_is = good;
    if (good) {
        memcpy(piece, bytes, size);
        piece[size] = 0;
    } else if (size && point > 0xffff) {
        snprintf(piece, SAFE_TEXT_PIECE, "\\U%08x", (unsigned)point);
    } else if (size && point > 0xff) {
        snprintf(piece, SAFE_TEXT_PIECE, "\\u%04x", (unsigned)(point & 0xffff));
    } else {
        snprintf(piece, SAFE_TEXT_PIECE, "\\x%02x", size ? (unsigned)point & 0xff : bytes[0]);
    }
    return size ? size : 1;
}

bool safe_text_is(struct weir_bytes text)
{
    char piece[SAFE_TEXT_PIECE];
    bool good = true;
    for (size_t at = 0; good && at < text.size;)
        at += safe_text_next(text, at, piece, &good);
    return good;
}

static void print(FILE *out, struct weir_bytes text, bool with_lines)
{
    char piece[SAFE_TEXT_PIECE];
    for (size_t at = 0; at < text.size;) {
        char c = ((const char *)text.data)[at];
        at += safe_text_next(text, at, piece, NULL);
        if (with_lines && (c == '\n' || c == '\t'))
            fputc(c, out);
        else
            fputs(piece, out);
    }
}

void safe_text_print(FILE *out, struct weir_bytes text)
{
    print(out, text, false);
}

void safe_text_print_lines(FILE *out, struct weir_bytes text)
{
    print(out, text, true);
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void safe_text_line(struct weir_bytes text, char *line, size_t room)
{
    char piece[SAFE_TEXT_PIECE];
    const char *bytes = text.data;
    size_t used = 0, fits = 0; /* fits: what is left of it when a … must follow */
    bool gap = false, cut = false;
    for (size_t at = 0; !cut && at < text.size;) {
        if (is_white(bytes[at])) {
            gap = used > 0;
            at++;
            continue;
        }
        at += safe_text_next(text, at, piece, NULL);
        size_t size = strlen(piece) + gap;
        cut = used + size >= room;
        if (!cut) {
            used += (size_t)snprintf(line + used, room - used, "%s%s", gap ? " " : "", piece);
            fits = used + strlen(CUT) < room ? used : fits;
        }
        gap = false;
    }
    if (cut)
        used = fits + (size_t)snprintf(line + fits, room - fits, CUT);
    line[used] = 0;
}
