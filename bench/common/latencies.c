#include "bench/common/latencies.h"

#include "bench/common/die.h"

#include <stdlib.h>

void latencies_add(struct latencies *self, uint64_t ns)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : 1u << 16;
        self->ns = realloc(self->ns, self->capacity * sizeof *self->ns);
        if (!self->ns)
            die("no memory for %zu latencies", self->capacity);
    }
    self->ns[self->count++] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

double latencies_us(struct latencies *self, double share)
{
    if (self->count == 0)
        return 0;
    qsort(self->ns, self->count, sizeof *self->ns, compare);
    double exact = share * (double)self->count;
    size_t rank = (size_t)exact;
    rank += (double)rank < exact;
    return self->ns[rank ? rank - 1 : 0] / 1e3;
}

void latencies_free(struct latencies *self)
{
    free(self->ns);
    *self = (struct latencies){0};
}
