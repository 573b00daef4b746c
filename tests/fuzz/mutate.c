#include "tests/fuzz/mutate.h"

#include "tests/fuzz/must.h"

enum { LIST_MAX = 128, GROWTH = 64 };

struct list {
    struct entry at[LIST_MAX];
    size_t count;
    struct slice tail; /* what is no entry, or past LIST_MAX of them */
};

uint64_t draw_u64(struct draws *self)
{
    uint64_t z = self->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t draw_below(struct draws *self, uint64_t count)
{
    return draw_u64(self) % count;
}

/* --- lists ----------------------------------------------------------------------------------- */

static struct list list_of(struct slice bytes)
{
    struct list list = {.tail = bytes};
    while (list.count < LIST_MAX && list.tail.size && !entry_take(&list.tail, &list.at[list.count]))
        list.count++;
    return list;
}

static struct entry take_out(struct list *list, size_t i)
{
    struct entry taken = list->at[i];
    memmove(list->at + i, list->at + i + 1, (--list->count - i) * sizeof list->at[0]);
    return taken;
}

static void put_in(struct list *list, size_t i, struct entry entry)
{
    if (list->count == LIST_MAX)
        return;
    memmove(list->at + i + 1, list->at + i, (list->count++ - i) * sizeof list->at[0]);
    list->at[i] = entry;
}

/* The bytes changed by libFuzzer, in the buffer. */
static struct slice changed(struct slice bytes, size_t size_max, struct buffer *buffer)
{
    size_t room = bytes.size + GROWTH < size_max ? bytes.size + GROWTH : size_max;
    buffer_append_slice(buffer, bytes);
    MUST(buffer_grow(buffer, room - bytes.size));
    buffer->size = LLVMFuzzerMutate(buffer->data, bytes.size, room);
    return buffer_slice(buffer);
}

/* --- mutations ------------------------------------------------------------------------------- */

enum mutation { DROP, REPEAT, MOVE, SWAP_VALUES, KEY_OF_ANOTHER, KEY, VALUE, CHANGES };

static void change_one(struct draws *draws, struct list *list, struct buffer *spare)
{
    size_t i = draw_below(draws, list->count), j = draw_below(draws, list->count);
    struct slice value = list->at[i].value;
    switch ((enum mutation)draw_below(draws, CHANGES)) {
    case DROP:
        (void)take_out(list, i);
        break;
    case REPEAT:
        put_in(list, j, list->at[i]);
        break;
    case MOVE:
        put_in(list, j, take_out(list, i));
        break;
    case SWAP_VALUES:
        list->at[i].value = list->at[j].value;
        list->at[j].value = value;
        break;
    case KEY_OF_ANOTHER:
        list->at[i].key = list->at[j].key;
        break;
    case KEY:
        list->at[i].key = changed(list->at[i].key, ENTRY_KEY_BYTES_MAX, spare);
        break;
    default:
        list->at[i].value = changed(value, ENTRY_VALUE_BYTES_MAX, spare);
    }
}

static void append_list(const struct list *list, struct buffer *out)
{
    for (size_t i = 0; i < list->count; i++)
        entry_append(out, list->at[i].key, list->at[i].value);
}

/* In the order that a decoder wants, most of the time. */
static void sort(struct draws *draws, struct buffer *bytes)
{
    struct buffer sorted = {0};
    if (draw_below(draws, 8) == 0)
        return;
    MUST(entries_sort(buffer_slice(bytes), &sorted) == 0);
    buffer_free(bytes);
    *bytes = sorted;
}

size_t mutate_entries(struct draws *draws, const struct contract *contract, write_fn *write,
                      uint8_t *list_bytes, size_t size, size_t size_max)
{
    struct buffer out = {0}, spare = {0};
    struct list list = list_of(slice_of(list_bytes, size));
    if (draw_below(draws, 8) == 0)
        return LLVMFuzzerMutate(list_bytes, size, size_max);
    if (list.count && draw_below(draws, 2) == 0)
        change_one(draws, &list, &spare);
    append_list(&list, &out);
    if (write && draw_below(draws, 2) == 0) {
        struct buffer state = {0};
        MUST(entries_sort(buffer_slice(&out), &state) == 0);
        if (draw_below(draws, 8) == 0)
            buffer_clear(&out);
        write(draws, contract, buffer_slice(&state), &out);
        buffer_free(&state);
    }
    sort(draws, &out);
    if (draw_below(draws, 4) == 0)
        buffer_append_slice(&out, list.tail);
    size = out.size < size_max ? out.size : size_max;
    if (size)
        memcpy(list_bytes, out.data, size);
    buffer_free(&out);
    buffer_free(&spare);
    return size;
}

/* --- what the verbs write -------------------------------------------------------------------- */

static struct slice draw_operand(struct draws *draws)
{
    static const char *const operands[] = {"",   "1", "-1", "0",   "9223372036854775807",
                                           "-9", "a", "b",  "a\n", "-9223372036854775808"};
    return slice_text(operands[draw_below(draws, sizeof operands / sizeof operands[0])]);
}

void write_edit(struct draws *draws, const struct contract *contract, struct slice state,
                struct buffer *out)
{
    static const uint64_t times[] = {0, 1, 1700000000000, 1700000000001, STAMP_MAX >> 16};
    struct editor editor = {.replica = "replicaA",
                            .now_ms = times[draw_below(draws, sizeof times / sizeof times[0])]};
    struct slice operands[4];
    struct buffer delta = {0};
    state_t *on = state_new(contract);
    MUST(on);
    editor.replica[7] = (uint8_t)('A' + draw_below(draws, 3));
    (void)!state_merge(on, state, NULL, NULL); /* else on the empty one */
    struct state_reader reader = state_reader(on);
    const struct edit_verb *verb = contract->kind->verbs;
    for (uint64_t n = draw_below(draws, 4); n && verb[1].name; n--)
        verb++;
    size_t count = verb->operands_min * (1 + draw_below(draws, 2));
    for (size_t i = 0; i < count; i++)
        operands[i] = draw_operand(draws);
    (void)!kind_edit(contract, &reader, &editor, slice_text(verb->name), operands, count, &delta,
                     NULL);
    buffer_append_slice(out, buffer_slice(&delta));
    buffer_free(&delta);
    state_destroy(&on);
}
