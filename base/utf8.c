#include "base/utf8.h"

static bool is_point(uint32_t point)
{
    return point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

/* What a first byte announces; 0 for none. */
static size_t announced(uint8_t first)
{
    return first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t utf8_point(struct slice text, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = text.data[0];
    size_t size = announced(first);
    if (!size || size > text.size || first > 0xf7)
        return 0;
    uint32_t found = size == 1 ? first : first & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text.data[i] & 0xc0) != 0x80)
            return 0;
        found = found << 6 | (text.data[i] & 0x3fu);
    }
    if (found < least[size] || !is_point(found))
        return 0;
    *point = found;
    return size;
}

bool utf8_is(struct slice text)
{
    uint32_t point;
    for (size_t size; text.size; text = slice_after(text, size)) {
        size = utf8_point(text, &point);
        if (!size)
            return false;
    }
    return true;
}

void utf8_append(struct buffer *out, uint32_t point)
{
    if (!is_point(point))
        return;
    if (point < 0x80) {
        buffer_append_u8(out, (uint8_t)point);
        return;
    }
    unsigned more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    buffer_append_u8(out, (uint8_t)(0xf00u >> (more + 1) | point >> 6 * more));
    while (more--)
        buffer_append_u8(out, (uint8_t)(0x80 | (point >> 6 * more & 0x3f)));
}

bool utf8_among(uint32_t point, const struct utf8_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return false;
}
