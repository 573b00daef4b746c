#include "base/codec.h"

#include <stdio.h>
#include <stdlib.h>

static const void *at(const void *message, const struct field *f)
{
    return (const uint8_t *)message + f->offset;
}

static uint64_t number(const void *message, const struct field *f)
{
    switch (f->kind) {
    case FIELD_u8:
        return *(const uint8_t *)at(message, f);
    case FIELD_u16:
        return *(const uint16_t *)at(message, f);
    case FIELD_u32:
        return *(const uint32_t *)at(message, f);
    case FIELD_u64:
        return *(const uint64_t *)at(message, f);
    case FIELD_fixed:
    case FIELD_bytes:
        break;
    }
    return 0;
}

/* Bytes of a number field; 0 for the others. */
static size_t width(const struct field *f)
{
    static const size_t widths[] = {1, 2, 4, 8, 0, 0};
    return widths[f->kind];
}

static struct slice content(const void *message, const struct field *f)
{
    if (f->kind == FIELD_fixed)
        return slice_of(at(message, f), f->bytes_max);
    return *(const struct slice *)at(message, f);
}

size_t codec_size(const struct layout *layout, const void *message)
{
    size_t size = 0;
    for (size_t i = 0; i < layout->count; i++) {
        const struct field *f = &layout->fields[i];
        size += width(f) ? width(f) : content(message, f).size + (f->kind == FIELD_bytes ? 4 : 0);
    }
    return size;
}

int codec_encode(const struct layout *layout, const void *message, struct buffer *out)
{
    for (size_t i = 0; i < layout->count; i++) {
        const struct field *f = &layout->fields[i];
        if (f->kind == FIELD_bytes && content(message, f).size > f->bytes_max)
            return ERR_TOO_LARGE;
    }
    for (size_t i = 0; i < layout->count; i++) {
        const struct field *f = &layout->fields[i];
        if (width(f)) {
            uint8_t bytes[8];
            put_u64(bytes, number(message, f));
            buffer_append(out, bytes + 8 - width(f), width(f));
            continue;
        }
        struct slice s = content(message, f);
        if (f->kind == FIELD_bytes)
            buffer_append_u32(out, (uint32_t)s.size);
        buffer_append_slice(out, s);
    }
    return buffer_failed(out) ? ERR_NO_MEMORY : 0;
}

/* Takes the bytes of one field off the input. Returns false when they are short or over the limit.
 */
static bool take(const struct field *f, struct slice *in, struct slice *bytes)
{
    size_t size = width(f) ? width(f) : f->bytes_max;
    if (f->kind == FIELD_bytes) {
        if (in->size < 4)
            return false;
        size = get_u32(in->data);
        *in = slice_after(*in, 4);
        if (size > f->bytes_max)
            return false;
    }
    if (size > in->size)
        return false;
    *bytes = slice_of(in->data, size);
    *in = slice_after(*in, size);
    return true;
}

static void store(const struct field *f, struct slice bytes, void *message)
{
    void *to = (uint8_t *)message + f->offset;
    switch (f->kind) {
    case FIELD_u8:
        *(uint8_t *)to = bytes.data[0];
        break;
    case FIELD_u16:
        *(uint16_t *)to = get_u16(bytes.data);
        break;
    case FIELD_u32:
        *(uint32_t *)to = get_u32(bytes.data);
        break;
    case FIELD_u64:
        *(uint64_t *)to = get_u64(bytes.data);
        break;
    case FIELD_fixed:
        memcpy(to, bytes.data, bytes.size);
        break;
    case FIELD_bytes:
        *(struct slice *)to = bytes;
        break;
    }
}

int codec_decode_prefix(const struct layout *layout, struct slice in, void *message, size_t *used,
                        struct reason *why)
{
    struct slice rest = in, bytes;
    for (size_t i = 0; i < layout->count; i++)
        if (!take(&layout->fields[i], &rest, &bytes))
            return fail(why, ERR_BAD_REQUEST, "%s: field %s is short or over its limit",
                        layout->name, layout->fields[i].name);
    *used = in.size - rest.size;
    rest = in;
    for (size_t i = 0; i < layout->count; i++)
        if (take(&layout->fields[i], &rest, &bytes))
            store(&layout->fields[i], bytes, message);
    return 0;
}

int codec_decode(const struct layout *layout, struct slice in, void *message, struct reason *why)
{
    struct slice rest = in, bytes;
    for (size_t i = 0; i < layout->count; i++)
        if (!take(&layout->fields[i], &rest, &bytes))
            return fail(why, ERR_BAD_REQUEST, "%s: field %s is short or over its limit",
                        layout->name, layout->fields[i].name);
    if (rest.size)
        return fail(why, ERR_BAD_REQUEST, "%s: %zu bytes after its end", layout->name, rest.size);
    size_t used;
    return codec_decode_prefix(layout, in, message, &used, why);
}

bool codec_equal(const struct layout *layout, const void *a, const void *b)
{
    for (size_t i = 0; i < layout->count; i++) {
        const struct field *f = &layout->fields[i];
        bool same =
            width(f) ? number(a, f) == number(b, f) : slice_equal(content(a, f), content(b, f));
        if (!same)
            return false;
    }
    return true;
}

void codec_print(const struct layout *layout, const void *message, struct buffer *out)
{
    char text[80];
    buffer_append_slice(out, slice_text(layout->name));
    for (size_t i = 0; i < layout->count; i++) {
        const struct field *f = &layout->fields[i];
        (void)snprintf(text, sizeof text, "%s%s=", i ? " " : "{", f->name);
        buffer_append_slice(out, slice_text(text));
        if (width(f)) {
            (void)snprintf(text, sizeof text, "%llu", (unsigned long long)number(message, f));
            buffer_append_slice(out, slice_text(text));
            continue;
        }
        struct slice s = content(message, f);
        for (size_t j = 0; j < s.size && j < 16; j++) {
            (void)snprintf(text, sizeof text, "%02x", s.data[j]);
            buffer_append_slice(out, slice_text(text));
        }
        if (s.size > 16)
            buffer_append_slice(out, slice_text("…"));
    }
    buffer_append_slice(out, slice_text("}"));
}
