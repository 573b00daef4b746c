/* blob: immutable bytes with a count of holders, so that one change is logged, kept, sent and
 * folded without being copied. The last holder to let go frees it, on whatever thread that is. */
#ifndef WEIR_BASE_BLOB_H
#define WEIR_BASE_BLOB_H

#include "base/slice.h"

#include <stdatomic.h>

struct blob {
    atomic_uint holders;
    size_t size;
    uint8_t *data; /* inside the same allocation, or taken from a buffer */
};

/* A new blob with one holder and room for size bytes, to be filled before it is shared. NULL
 * without memory. */
struct blob *blob_new(size_t size);

/* A new blob that takes over data (malloc'ed, may be NULL with size 0). NULL without memory; data
 * is freed then. */
struct blob *blob_adopt(uint8_t *data, size_t size);

/* One holder more; returns self. */
struct blob *blob_hold(struct blob *self);

/* One holder less; *self becomes NULL. Nothing happens when it is NULL already. */
void blob_release(struct blob **self);

static inline struct slice blob_slice(const struct blob *self)
{
    return self ? slice_of(self->data, self->size) : slice_of(NULL, 0);
}

#endif
