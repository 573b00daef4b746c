#include "client/room_names_look.h"

#include "base/utf8.h"

/* What a safe text may have and nobody sees: joiners, fillers, blanks, marks of variants. */
static bool is_invisible(uint32_t point)
{
    static const struct utf8_range invisible[] = {
        {0x20, 0x20},     {0xa0, 0xa0},     {0x34f, 0x34f},   {0x115f, 0x1160},
        {0x1680, 0x1680}, {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x2000, 0x200a},
        {0x200c, 0x200d}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x2800, 0x2800},
        {0x3000, 0x3000}, {0x3164, 0x3164}, {0xfe0f, 0xfe0f}, {0xffa0, 0xffa0},
    };
    return utf8_among(point, invisible, sizeof invisible / sizeof invisible[0]);
}

/* --- case ------------------------------------------------------------------------------------ */

/* A capital, and behind it its small letter: the capital even, and odd. */
static const struct utf8_range even[] = {{0x100, 0x137},  {0x14a, 0x177}, {0x460, 0x481},
                                         {0x48a, 0x4bf},  {0x4d0, 0x52f}, {0x1e00, 0x1e95},
                                         {0x1ea0, 0x1eff}};
static const struct utf8_range odd[] = {{0x139, 0x148}, {0x179, 0x17e}, {0x4c1, 0x4ce}};

/* Others, how far from them their small letters are; Ohm, Kelvin and Angstrom are letters, too. */
static const struct {
    struct utf8_range capitals;
    int32_t to_small;
} rows[] = {
    {{'A', 'Z'}, 32},          {{0xc0, 0xd6}, 32},        {{0xd8, 0xde}, 32},
    {{0x178, 0x178}, -121},    {{0x386, 0x386}, 38},      {{0x388, 0x38a}, 37},
    {{0x38c, 0x38c}, 64},      {{0x38e, 0x38f}, 63},      {{0x391, 0x3ab}, 32},
    {{0x400, 0x40f}, 80},      {{0x410, 0x42f}, 32},      {{0x4c0, 0x4c0}, 15},
    {{0x531, 0x556}, 48},      {{0x2126, 0x2126}, -7517}, {{0x212a, 0x212a}, -8383},
    {{0x212b, 0x212b}, -8262},
};

static uint32_t small(uint32_t point)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (point >= rows[i].capitals.first && point <= rows[i].capitals.last)
            return (uint32_t)((int32_t)point + rows[i].to_small);
    if (utf8_among(point, even, sizeof even / sizeof even[0]))
        return point | 1;
    return utf8_among(point, odd, sizeof odd / sizeof odd[0]) ? (point + 1) & ~1u : point;
}

/* --- letters that are drawn alike ------------------------------------------------------------ */

/* Each small letter of `drawn` that, or whose capital, is drawn as the Latin one at its place. */
static const struct {
    const char *drawn, *as;
} alike[] = {
    {"авеѕіјкмнорстухԁԛԝһӏ", "abesijkmhopctyxdqwhi"}, /* Cyrillic */
    {"αβεζηικμµνορτυχ", "abezhikmmnoptyx"},           /* Greek */
};

/* The Latin letter that a Greek or Cyrillic one passes for, else itself. */
static uint32_t as_latin(uint32_t point)
{
    for (size_t i = 0; i < sizeof alike / sizeof alike[0]; i++) {
        struct slice drawn = slice_text(alike[i].drawn);
        for (size_t k = 0; drawn.size; k++) {
            uint32_t letter = 0;
            drawn = slice_after(drawn, utf8_point(drawn, &letter));
            if (letter == point)
                return (uint8_t)alike[i].as[k];
        }
    }
    return point;
}

/* --- a look ---------------------------------------------------------------------------------- */

/* Wide forms of ASCII are ASCII. l, I and 1 are one, O and 0, and n and v: the Greek Nu is drawn as
 * an N, and as a v when it is small. */
static uint32_t as_read(uint32_t point)
{
    if (point >= 0xff01 && point <= 0xff5e)
        point -= 0xfee0;
    point = as_latin(small(point));
    if (point == '1' || point == 'l' || point == '|')
        return 'i';
    return point == '0' ? 'o' : point == 'v' ? 'n' : point;
}

void room_names_look(const char *line, char *look)
{
    struct slice rest = slice_text(line);
    struct buffer read = {0};
    for (size_t size; rest.size; rest = slice_after(rest, size)) {
        uint32_t point = 0;
        size = utf8_point(rest, &point);
        if (!size)
            size = 1;
        else if (!is_invisible(point))
            utf8_append(&read, as_read(point));
    }
    if (read.size)
        memcpy(look, read.data, read.size);
    look[read.size] = 0;
    buffer_free(&read);
}

bool room_names_deceives(const char *line)
{
    static const struct utf8_range latin[] = {
        {'A', 'Z'}, {'a', 'z'}, {0xc0, 0x24f}, {0x1e00, 0x1eff}};
    static const struct utf8_range others[] = {{0x370, 0x3ff}, {0x400, 0x52f}, {0x1f00, 0x1fff}};
    static const struct utf8_range parts[] = {{0x300, 0x36f}, {0x1100, 0x11ff}, {0x3099, 0x309a}};
    struct slice rest = slice_text(line);
    bool has_latin = false, has_other = false, has_part = false;
    for (size_t size; rest.size; rest = slice_after(rest, size)) {
        uint32_t point = 0;
        size = utf8_point(rest, &point);
        size = size ? size : 1;
        has_latin |= utf8_among(point, latin, sizeof latin / sizeof latin[0]);
        has_other |= utf8_among(point, others, sizeof others / sizeof others[0]);
        has_part |= utf8_among(point, parts, sizeof parts / sizeof parts[0]);
    }
    return has_part || (has_latin && has_other);
}
