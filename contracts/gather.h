/* gather: items of a view whose order is not the order of their keys. Takes them, sorts them by
 * value, tells each value once. Zero-initialised is empty. */
#ifndef WEIR_CONTRACTS_GATHER_H
#define WEIR_CONTRACTS_GATHER_H

#include "contracts/view.h"

struct gathered {
    struct slice value;
    const uint8_t *writer;
    bool removed;
};

struct gather {
    struct gathered *list;
    size_t count, capacity;
    bool failed;
};

/* Borrows value and writer. Missing memory is remembered for gather_tell. */
void gather_add(struct gather *self, struct slice value, const uint8_t *writer, bool removed);

/* Calls item for each value, in byte order; it counts as removed only if all that were added with
 * this value are. Among equal ones the writer of the first in the state is told. ERR_NO_MEMORY, or
 * what item returned. */
MUST_USE int gather_tell(struct gather *self, view_fn *item, void *item_self);

void gather_free(struct gather *self);

#endif
