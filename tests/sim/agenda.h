/* agenda: what happens when, in a simulation: a heap of things to do by virtual time. Two of the
 * same time are done in the order in which they were put down. */
#ifndef WEIR_TESTS_AGENDA_H
#define WEIR_TESTS_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void(agenda_fn)(void *self, uint64_t a, uint64_t b);

struct appointment {
    uint64_t us, order;
    agenda_fn *run;
    void *self;
    uint64_t a, b;
};

/* Zero-initialised is empty. */
struct agenda {
    struct appointment *heap; /* owned */
    size_t count, capacity;
    uint64_t order;
};

void agenda_add(struct agenda *self, uint64_t us, agenda_fn *run, void *run_self, uint64_t a,
                uint64_t b);
/* Takes the next one, if it is due at or before `until_us`. */
bool agenda_take(struct agenda *self, uint64_t until_us, struct appointment *next);
void agenda_free(struct agenda *self);

#endif
