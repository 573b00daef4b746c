#include "actors/client_wire.h"

#include <stdatomic.h>
#include <stdlib.h>

struct owed {
    atomic_uint holders;
    atomic_ullong bytes;
    unsigned waiting;
    struct owed *all; /* owned holder; NULL: counted in bytes_of_all */
};

static atomic_ullong bytes_of_all;

struct owed *owed_new(void)
{
    struct owed *self = (struct owed *)malloc(sizeof *self);
    if (self) {
        atomic_init(&self->holders, 1);
        atomic_init(&self->bytes, 0);
        self->waiting = 0;
        self->all = NULL;
    }
    return self;
}

struct owed *owed_new_within(struct owed *all)
{
    struct owed *self = owed_new();
    if (self)
        self->all = owed_hold(all);
    return self;
}

struct owed *owed_hold(struct owed *self)
{
    atomic_fetch_add(&self->holders, 1);
    return self;
}

void owed_release(struct owed **self)
{
    struct owed *owed = *self;
    *self = NULL;
    if (!owed || atomic_fetch_sub(&owed->holders, 1) != 1)
        return;
    owed_release(&owed->all);
    free(owed);
}

uint64_t owed_bytes(const struct owed *self)
{
    return self ? atomic_load(&self->bytes) : 0;
}

uint64_t owed_bytes_of_all(void)
{
    return atomic_load(&bytes_of_all);
}

unsigned *owed_waiting(struct owed *self)
{
    return &self->waiting;
}

void owed_add(struct owed *self, uint64_t bytes)
{
    atomic_fetch_add(&self->bytes, bytes);
    atomic_fetch_add(self->all ? &self->all->bytes : &bytes_of_all, bytes);
}

void owed_take(struct owed *self, uint64_t bytes)
{
    atomic_fetch_sub(&self->bytes, bytes);
    atomic_fetch_sub(self->all ? &self->all->bytes : &bytes_of_all, bytes);
}
