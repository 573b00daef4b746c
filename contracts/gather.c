#include "contracts/gather.h"

#include <stdlib.h>

void gather_add(struct gather *self, struct slice value, const uint8_t *writer, bool removed)
{
    if (self->count == self->capacity) {
        size_t capacity = self->capacity ? self->capacity * 2 : 16;
        struct gathered *list =
            self->failed ? NULL : (struct gathered *)realloc(self->list, capacity * sizeof *list);
        if (!list) {
            self->failed = true;
            return;
        }
        self->list = list;
        self->capacity = capacity;
    }
    self->list[self->count++] = (struct gathered){value, writer, removed};
}

/* Alive before removed; then as they stand in the state, so that the order is total. */
static int by_value(const void *a, const void *b)
{
    const struct gathered *x = (const struct gathered *)a, *y = (const struct gathered *)b;
    int order = slice_compare(x->value, y->value);
    if (!order)
        order = x->removed - y->removed;
    return order ? order : (x->value.data > y->value.data) - (x->value.data < y->value.data);
}

int gather_tell(struct gather *self, view_fn *item, void *item_self)
{
    if (self->failed)
        return ERR_NO_MEMORY;
    if (self->count)
        qsort(self->list, self->count, sizeof *self->list, by_value);
    int rc = 0;
    for (size_t i = 0; i < self->count && !rc; i++) {
        const struct gathered *one = &self->list[i];
        if (i && slice_equal(one->value, one[-1].value))
            continue;
        rc = item(item_self, &(struct view_item){.value = one->value,
                                                 .writer = one->writer,
                                                 .removed = one->removed});
    }
    return rc;
}

void gather_free(struct gather *self)
{
    free(self->list);
    *self = (struct gather){0};
}
