/* buffer: bytes that grow at the end. Zero-initialised is empty. The owner calls buffer_free, or
 * takes the data away with buffer_steal. An append that finds no memory is remembered: later
 * appends do nothing, and buffer_failed tells, so that a builder checks once at its end. */
#ifndef WEIR_BASE_BUFFER_H
#define WEIR_BASE_BUFFER_H

#include "base/slice.h"

struct buffer {
    uint8_t *data;
    size_t size, capacity;
    bool failed;
};

/* Appends n zero bytes and returns where they start, or NULL without memory. The pointer lives
 * until the next append. */
uint8_t *buffer_grow(struct buffer *self, size_t n);

void buffer_append(struct buffer *self, const void *data, size_t n);

static inline void buffer_append_slice(struct buffer *self, struct slice s)
{
    buffer_append(self, s.data, s.size);
}

void buffer_append_u8(struct buffer *self, uint8_t v);
void buffer_append_u32(struct buffer *self, uint32_t v);
void buffer_append_u64(struct buffer *self, uint64_t v);

/* Makes room for n more bytes, exactly, when the final size is known. */
void buffer_reserve(struct buffer *self, size_t n);

static inline bool buffer_failed(const struct buffer *self)
{
    return self->failed;
}

static inline struct slice buffer_slice(const struct buffer *self)
{
    return slice_of(self->data, self->size);
}

/* Keeps the memory, forgets the content. */
static inline void buffer_clear(struct buffer *self)
{
    self->size = 0;
    self->failed = false;
}

/* Returns the malloc'ed data (NULL when empty), which the caller frees; the buffer is empty after.
 */
uint8_t *buffer_steal(struct buffer *self);

void buffer_free(struct buffer *self);

#endif
