#include "base/buffer.h"

#include <stdlib.h>

static bool make_room(struct buffer *self, size_t capacity)
{
    if (capacity <= self->capacity)
        return true;
    uint8_t *data = (uint8_t *)realloc(self->data, capacity);
    if (!data) {
        self->failed = true;
        return false;
    }
    self->data = data;
    self->capacity = capacity;
    return true;
}

static uint8_t *extend(struct buffer *self, size_t n)
{
    if (self->failed || n > SIZE_MAX / 4 - self->size) {
        self->failed = true;
        return NULL;
    }
    size_t wanted = self->size + n;
    if (wanted > self->capacity) {
        size_t doubled = self->capacity * 2 > 64 ? self->capacity * 2 : 64;
        if (!make_room(self, wanted > doubled ? wanted : doubled))
            return NULL;
    }
    uint8_t *at = self->data ? self->data + self->size : NULL;
    self->size = wanted;
    return at;
}

uint8_t *buffer_grow(struct buffer *self, size_t n)
{
    uint8_t *at = extend(self, n);
    if (at && n)
        memset(at, 0, n);
    return at;
}

void buffer_append(struct buffer *self, const void *data, size_t n)
{
    if (n == 0)
        return;
    uint8_t *at = extend(self, n);
    if (at)
        memcpy(at, data, n);
}

void buffer_append_u8(struct buffer *self, uint8_t v)
{
    buffer_append(self, &v, 1);
}

void buffer_append_u32(struct buffer *self, uint32_t v)
{
    uint8_t bytes[4];
    put_u32(bytes, v);
    buffer_append(self, bytes, sizeof bytes);
}

void buffer_append_u64(struct buffer *self, uint64_t v)
{
    uint8_t bytes[8];
    put_u64(bytes, v);
    buffer_append(self, bytes, sizeof bytes);
}

void buffer_reserve(struct buffer *self, size_t n)
{
    if (n > SIZE_MAX / 4 - self->size) {
        self->failed = true;
        return;
    }
    (void)make_room(self, self->size + n);
}

uint8_t *buffer_steal(struct buffer *self)
{
    uint8_t *data = self->data;
    *self = (struct buffer){0};
    return data;
}

void buffer_free(struct buffer *self)
{
    free(self->data);
    *self = (struct buffer){0};
}
