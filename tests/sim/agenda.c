#include "tests/sim/agenda.h"

#include <stdlib.h>

static bool earlier(const struct appointment *a, const struct appointment *b)
{
    return a->us != b->us ? a->us < b->us : a->order < b->order;
}

void agenda_add(struct agenda *self, uint64_t us, agenda_fn *run, void *run_self, uint64_t a,
                uint64_t b)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : 256;
        self->heap =
            (struct appointment *)realloc(self->heap, self->capacity * sizeof self->heap[0]);
        if (!self->heap)
            abort();
    }
    const struct appointment new = {us, self->order++, run, run_self, a, b};
    size_t at = self->count++;
    for (; at > 0 && earlier(&new, &self->heap[(at - 1) / 2]); at = (at - 1) / 2)
        self->heap[at] = self->heap[(at - 1) / 2];
    self->heap[at] = new;
}

bool agenda_take(struct agenda *self, uint64_t until_us, struct appointment *next)
{
    if (!self->count || self->heap[0].us > until_us)
        return false;
    *next = self->heap[0];
    const struct appointment last = self->heap[--self->count];
    size_t at = 0;
    for (size_t child = 1; child < self->count; at = child, child = 2 * at + 1) {
        if (child + 1 < self->count && earlier(&self->heap[child + 1], &self->heap[child]))
            child++;
        if (!earlier(&self->heap[child], &last))
            break;
        self->heap[at] = self->heap[child];
    }
    if (self->count)
        self->heap[at] = last;
    return true;
}

void agenda_free(struct agenda *self)
{
    free(self->heap);
    *self = (struct agenda){0};
}
