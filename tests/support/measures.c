#include "tests/support/measures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

void measures_add(struct measures *self, int64_t value)
{
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 64;
        self->values = (int64_t *)realloc(self->values, self->room * sizeof *self->values);
        assert_non_null(self->values);
    }
    self->values[self->count++] = value;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t measures_percent(struct measures *self, unsigned percent)
{
    if (self->count == 0)
        return 0;
    qsort(self->values, self->count, sizeof *self->values, by_size);
    size_t rank = (self->count * percent + 99) / 100;
    return self->values[rank ? rank - 1 : 0];
}

void measures_free(struct measures *self)
{
    free(self->values);
    *self = (struct measures){0};
}
