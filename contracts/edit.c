#include "contracts/kind.h"
#include "contracts/writers.h"

#include <stdio.h>
#include <stdlib.h>

/* A signed state as its kind sees it: without trailers. */
struct stripped {
    const struct contract *contract;
    const struct state_reader *state;
};

static int stripped_get(void *me, struct slice key, struct slice *value)
{
    const struct stripped *self = (const struct stripped *)me;
    struct slice whole;
    int rc = self->state->get(self->state->self, key, &whole);
    if (!rc)
        *value = writers_inner(self->contract, whole);
    return rc;
}

static int stripped_seek(void *me, struct slice from, bool past, struct entry *entry)
{
    const struct stripped *self = (const struct stripped *)me;
    int rc = self->state->seek(self->state->self, from, past, entry);
    if (!rc)
        entry->value = writers_inner(self->contract, entry->value);
    return rc;
}

static uint64_t stripped_count(void *me)
{
    const struct stripped *self = (const struct stripped *)me;
    return self->state->count(self->state->self);
}

static const struct edit_verb *find_verb(const struct kind *kind, struct slice name)
{
    for (const struct edit_verb *row = kind->verbs; row->name; row++)
        if (slice_is(name, row->name))
            return row;
    return NULL;
}

static int refuse_verb(const struct kind *kind, struct slice verb, struct reason *why)
{
    char known[128] = "";
    if (!kind->verbs->name)
        return fail(why, ERR_BAD_KIND,
                    "a %s's entries are signed by their authors: `weir room` or libweir "
                    "(weir_room.h) writes them",
                    kind->name);
    for (const struct edit_verb *row = kind->verbs; row->name; row++) {
        size_t used = strlen(known);
        (void)snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", row->name);
    }
    return fail(why, ERR_BAD_KIND, "a %s knows no '%.*s'; it knows: %s", kind->name,
                (int)(verb.size < 32 ? verb.size : 32), (const char *)verb.data, known);
}

/* The kind's row for a verb with so many operands. */
static int take_verb(const struct kind *kind, struct slice name, size_t count,
                     const struct edit_verb **row, struct reason *why)
{
    const struct edit_verb *verb = find_verb(kind, name);
    if (!verb)
        return refuse_verb(kind, name, why);
    if (count < verb->operands_min || count > verb->operands_max || count % verb->operands_step)
        return fail(why, ERR_BAD_REQUEST, "%s %s takes %s, not %zu operands", kind->name,
                    verb->name, verb->operands, count);
    *row = verb;
    return 0;
}

int edit_check_value(const struct contract *contract, size_t inner_bytes, struct reason *why)
{
    size_t max = ENTRY_VALUE_BYTES_MAX - (contract_signed(contract) ? WRITER_TRAILER_BYTES : 0);
    if (inner_bytes > max)
        return fail(why, ERR_TOO_LARGE, "an entry's value of %zu bytes, the most is %zu",
                    inner_bytes, max);
    return 0;
}

struct numbered {
    struct entry entry;
    size_t number;
};

static int by_key_then_number(const void *a, const void *b)
{
    const struct numbered *x = (const struct numbered *)a, *y = (const struct numbered *)b;
    int order = slice_compare(x->entry.key, y->entry.key);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

static int by_key_then_value(const void *a, const void *b)
{
    const struct numbered *x = (const struct numbered *)a, *y = (const struct numbered *)b;
    int order = slice_compare(x->entry.key, y->entry.key);
    return order ? order : slice_compare(x->entry.value, y->entry.value);
}

/* Of a key given more than once the last in that order. */
static int sort_by(struct slice made, int (*order)(const void *, const void *),
                   struct buffer *delta)
{
    size_t count = 0;
    struct slice rest = made;
    struct entry entry;
    while (rest.size && !entry_take(&rest, &entry))
        count++;
    struct numbered *list = (struct numbered *)calloc(count + 1, sizeof *list);
    if (!list)
        return ERR_NO_MEMORY;
    rest = made;
    for (size_t i = 0; i < count; i++) {
        (void)entry_take(&rest, &list[i].entry);
        list[i].number = i;
    }
    qsort(list, count, sizeof *list, order);
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || !slice_equal(list[i].entry.key, list[i + 1].entry.key))
            entry_append(delta, list[i].entry.key, list[i].entry.value);
    free(list);
    return buffer_failed(delta) ? ERR_NO_MEMORY : 0;
}

int entries_sort(struct slice made, struct buffer *delta)
{
    return sort_by(made, by_key_then_number, delta);
}

int entries_sort_greatest(struct slice made, struct buffer *delta)
{
    return sort_by(made, by_key_then_value, delta);
}

/* A kind gives the sentence for what it refuses; memory and readers give codes alone. */
static int explain(int rc, struct reason *why)
{
    if (!rc || rc == ERR_BAD_REQUEST || rc == ERR_TOO_LARGE)
        return rc;
    return fail(why, rc, "the delta could not be built: %s", error_text(rc));
}

int kind_edit(const struct contract *contract, const struct state_reader *state,
              const struct editor *editor, struct slice verb, const struct slice *operands,
              size_t count, struct buffer *delta, struct reason *why)
{
    const struct edit_verb *row = NULL;
    int rc = take_verb(contract->kind, verb, count, &row, why);
    if (rc)
        return rc;
    struct stripped stripped = {contract, state};
    struct state_reader inner = {&stripped, stripped_get, stripped_seek, stripped_count};
    struct buffer made = {0};
    rc = contract->kind->edit(contract, contract_signed(contract) ? &inner : state, editor, row,
                              operands, count, &made, why);
    if (!rc && buffer_failed(&made))
        rc = ERR_NO_MEMORY;
    if (!rc)
        rc = entries_sort(buffer_slice(&made), delta);
    buffer_free(&made);
    return explain(rc, why);
}

int kind_edit_ranges(const struct contract *contract, const struct editor *editor,
                     struct slice verb, const struct slice *operands, size_t count, range_fn *range,
                     void *self, struct reason *why)
{
    const struct edit_verb *row = NULL;
    int rc = take_verb(contract->kind, verb, count, &row, why);
    if (rc)
        return rc;
    return contract->kind->reads(contract, editor, row, operands, count, range, self, why);
}
