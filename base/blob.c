#include "base/blob.h"

#include <stdlib.h>

struct blob *blob_new(size_t size)
{
    struct blob *self = (struct blob *)malloc(sizeof *self + size);
    if (!self)
        return NULL;
    atomic_init(&self->holders, 1);
    self->size = size;
    self->data = (uint8_t *)(self + 1);
    return self;
}

struct blob *blob_adopt(uint8_t *data, size_t size)
{
    struct blob *self = (struct blob *)malloc(sizeof *self);
    if (!self) {
        free(data);
        return NULL;
    }
    atomic_init(&self->holders, 1);
    self->size = size;
    self->data = data;
    return self;
}

struct blob *blob_hold(struct blob *self)
{
    atomic_fetch_add_explicit(&self->holders, 1, memory_order_relaxed);
    return self;
}

void blob_release(struct blob **self)
{
    struct blob *blob = *self;
    *self = NULL;
    if (!blob || atomic_fetch_sub_explicit(&blob->holders, 1, memory_order_acq_rel) != 1)
        return;
    if (blob->data != (uint8_t *)(blob + 1))
        free(blob->data);
    free(blob);
}
