/* measures: measured values, and how they are distributed. */
#ifndef WEIR_TESTS_SUPPORT_MEASURES_H
#define WEIR_TESTS_SUPPORT_MEASURES_H

#include <stddef.h>
#include <stdint.h>

/* Zero-initialise. */
struct measures {
    int64_t *values; /* owned */
    size_t count, room;
};

void measures_add(struct measures *self, int64_t value);
/* The value that `percent` of 100 of them do not exceed; 100: the greatest. 0 where there is none.
 */
int64_t measures_percent(struct measures *self, unsigned percent);
void measures_free(struct measures *self);

#endif
