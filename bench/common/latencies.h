/* latencies: every single one is kept, so that a percentile is exact and not a bucket's edge. */
#ifndef WEIR_BENCH_LATENCIES_H
#define WEIR_BENCH_LATENCIES_H

#include <stddef.h>
#include <stdint.h>

struct latencies {
    uint32_t *ns; /* held at 4.29 s */
    size_t count, capacity;
};

/* Ends the program when there is no memory: a figure with samples left out is worth nothing. */
void latencies_add(struct latencies *self, uint64_t ns);

/* The smallest sample that at least share (0…1) of all do not exceed, in µs (nearest rank); 0 when
 * there is none. Sorts. */
double latencies_us(struct latencies *self, double share);

void latencies_free(struct latencies *self);

#endif
