/* check_entry of each kind (counter, register, multi-register, set, map, log): one entry from
 * outside. First byte: the kind, in the order of the table; second: size of the key; then key and
 * value. An entry that is accepted merges, shows, and can be edited on. */
#include "contracts/state.h"
#include "contracts/view.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/mutate.h"

static const struct kind *kind_of(uint8_t byte)
{
    size_t count = 0;
    while (kinds[count]->verbs->name) /* then rooms: room_fuzz.c */
        count++;
    return kinds[byte % count];
}

static int count_item(void *self, const struct view_item *item)
{
    size_t *items = (size_t *)self;
    MUST(item->value.size <= ENTRY_VALUE_BYTES_MAX && item->name.size <= ENTRY_KEY_BYTES_MAX);
    ++*items;
    return 0;
}

static int refuse_item(void *self, const struct view_item *item)
{
    (void)self, (void)item;
    return ERR_BUSY;
}

static void check_view(const struct contract *contract, struct slice state)
{
    size_t items = 0;
    MUST(view_items(contract, state, count_item, &items, NULL) == 0);
    MUST(items <= 1);
    MUST(view_items(contract, state, refuse_item, NULL, NULL) == (items ? ERR_BUSY : 0));
}

/* Each verb gives a delta that is valid and merges, or a refusal with a sentence. */
static void check_edits(const struct contract *contract, state_t *state)
{
    static const struct slice operands[] = {{(const uint8_t *)"1", 1}, {(const uint8_t *)"2", 1}};
    struct editor editor = {.replica = "replica", .now_ms = 1700000000000};
    struct state_reader reader = state_reader(state);
    for (const struct edit_verb *verb = contract->kind->verbs; verb->name; verb++) {
        struct buffer delta = {0};
        struct reason why = {""};
        int rc = kind_edit(contract, &reader, &editor, slice_text(verb->name), operands,
                           verb->operands_min, &delta, &why);
        MUST(rc == 0 || (rc == ERR_BAD_REQUEST && why.text[0]));
        MUST(rc || state_merge(state, buffer_slice(&delta), NULL, &why) == 0);
        buffer_free(&delta);
    }
}

static void check_accepted(const struct contract *contract, struct slice encoded)
{
    state_t *state = state_new(contract);
    struct buffer bytes = {0};
    size_t changed = 0;
    MUST(state && state_merge(state, encoded, &changed, NULL) == 0 && changed == 1);
    MUST(state_encode(state, &bytes) == 0 && slice_equal(buffer_slice(&bytes), encoded));
    check_view(contract, encoded);
    check_edits(contract, state);
    state_destroy(&state);
    buffer_free(&bytes);
}

/* With listed writers nothing made up verifies. */
static void check_signed(const struct kind *kind, struct slice encoded)
{
    uint8_t writer[WRITER_KEY_BYTES] = {9};
    struct buffer params = {0};
    struct contract contract;
    struct reason why = {""};
    entry_append(&params, slice_text("writers"), slice_of(writer, sizeof writer));
    MUST(contract_init(&contract, slice_text(kind->name), buffer_slice(&params), NULL) == 0);
    MUST(contract_check(&contract, NULL, encoded, NULL, &why) == ERR_BAD_STATE && why.text[0]);
    buffer_free(&params);
}

/* As a list of one entry, of which the first stays. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
    struct draws draws = {seed};
    struct contract contract;
    struct buffer list = {0};
    struct entry entry;
    if (size < 2 || data[1] > size - 2 || draw_below(&draws, 8) == 0)
        return LLVMFuzzerMutate(data, size, size_max);
    MUST(contract_init(&contract, slice_text(kind_of(data[0])->name), slice_of(NULL, 0), NULL) ==
         0);
    entry_append(&list, slice_of(data + 2, data[1]),
                 slice_after(slice_of(data, size), 2u + data[1]));
    size_t bytes = list.size;
    MUST(buffer_grow(&list, size_max));
    list.size = mutate_entries(&draws, &contract, write_edit, list.data, bytes, list.size);
    struct slice rest = buffer_slice(&list);
    if (rest.size && !entry_take(&rest, &entry) &&
        2 + entry.key.size + entry.value.size <= size_max) {
        data[1] = (uint8_t)entry.key.size;
        memcpy(data + 2, entry.key.data, entry.key.size);
        memcpy(data + 2 + entry.key.size, entry.value.data, entry.value.size);
        size = 2 + entry.key.size + entry.value.size;
    }
    buffer_free(&list);
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || data[1] > size - 2 || size > ENTRY_VALUE_BYTES_MAX)
        return 0;
    const struct kind *kind = kind_of(data[0]);
    struct slice key = slice_of(data + 2, data[1]),
                 value = slice_after(slice_of(data, size), 2u + data[1]);
    struct contract contract;
    struct reason why = {""};
    struct buffer encoded = {0};
    MUST(contract_init(&contract, slice_text(kind->name), slice_of(NULL, 0), NULL) == 0);
    entry_append(&encoded, key, value);
    MUST(kind->compare(value, value) == 0);
    int rc = contract_check_entry(&contract, key, value, &why);
    MUST(contract_check(&contract, NULL, buffer_slice(&encoded), NULL, NULL) == rc);
    if (rc)
        MUST(rc == ERR_BAD_STATE && why.text[0]);
    else
        check_accepted(&contract, buffer_slice(&encoded));
    check_signed(kind, buffer_slice(&encoded));
    buffer_free(&encoded);
    return 0;
}
