/* slice: borrowed bytes with their length. A slice never owns; the comment of whoever returns one
 * tells how long it lives. */
#ifndef WEIR_BASE_SLICE_H
#define WEIR_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *data;
    size_t size;
};

static inline struct slice slice_of(const void *data, size_t size)
{
    return (struct slice){(const uint8_t *)data, size};
}

static inline struct slice slice_text(const char *text)
{
    return slice_of(text, strlen(text));
}

/* Byte order; a proper prefix sorts first. */
static inline int slice_compare(struct slice a, struct slice b)
{
    size_t shared = a.size < b.size ? a.size : b.size;
    int order = shared ? memcmp(a.data, b.data, shared) : 0;
    if (order)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool slice_is(struct slice a, const char *text)
{
    return slice_equal(a, slice_text(text));
}

/* The bytes after the first n; n must not be over the size. (C lets nobody add 0 to NULL.) */
static inline struct slice slice_after(struct slice a, size_t n)
{
    return slice_of(n ? a.data + n : a.data, a.size - n);
}

/* Big-endian numbers, as everywhere in weir: byte order is numeric order. */
static inline void put_u16(uint8_t *to, uint16_t v)
{
    to[0] = (uint8_t)(v >> 8);
    to[1] = (uint8_t)v;
}

static inline void put_u32(uint8_t *to, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(to, &v, sizeof v);
}

static inline void put_u64(uint8_t *to, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(to, &v, sizeof v);
}

static inline uint16_t get_u16(const uint8_t *from)
{
    return (uint16_t)(from[0] << 8 | from[1]);
}

static inline uint32_t get_u32(const uint8_t *from)
{
    uint32_t v;
    memcpy(&v, from, sizeof v);
    return __builtin_bswap32(v);
}

static inline uint64_t get_u64(const uint8_t *from)
{
    uint64_t v;
    memcpy(&v, from, sizeof v);
    return __builtin_bswap64(v);
}

#endif
