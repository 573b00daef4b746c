/* map: fields with a value each; the last writer's of each field, by hybrid logical clock, then
 * writer, then value. A removal is a write too.
 *
 *   key   := field, at least 1 byte
 *   value := stamp u64 · replica (8) · 1 · data     set
 *          | stamp u64 · replica (8) · 0            removed */
#include "contracts/layout.h"
#include "contracts/view.h"

enum { HEAD_BYTES = STAMPED_BYTES + 1, FIELD_REMOVED = 0, FIELD_SET = 1 };

static uint8_t field_tag(struct slice value)
{
    return value.data[STAMPED_BYTES];
}

static int check_entry(const struct contract *contract, struct slice key, struct slice value,
                       struct reason *why)
{
    (void)contract;
    if (key.size == 0)
        return fail(why, ERR_BAD_STATE, "key of 0 bytes, a map's has at least 1");
    if (value.size < HEAD_BYTES)
        return fail(why, ERR_BAD_STATE, "value of %zu bytes, a map's has at least %d", value.size,
                    HEAD_BYTES);
    if (field_tag(value) > FIELD_SET)
        return fail(why, ERR_BAD_STATE, "tag %u, a map knows 0 and 1", field_tag(value));
    if (field_tag(value) == FIELD_REMOVED && value.size > HEAD_BYTES)
        return fail(why, ERR_BAD_STATE, "a removal is followed by %zu bytes, wanted none",
                    value.size - HEAD_BYTES);
    return stamped_check(value, "value", why);
}

static int check_field(struct slice field, struct reason *why)
{
    if (field.size == 0)
        return fail(why, ERR_BAD_REQUEST, "a field of 0 bytes, the least is 1");
    if (field.size > ENTRY_KEY_BYTES_MAX)
        return fail(why, ERR_TOO_LARGE, "a field of %zu bytes, the most is %u", field.size,
                    ENTRY_KEY_BYTES_MAX);
    return 0;
}

/* Writes one field; data NULL removes it, which is nothing to do where it is not set. */
static int write_field(const struct contract *contract, const struct state_reader *state,
                       const struct editor *editor, struct slice field, const struct slice *data,
                       struct buffer *delta, struct reason *why)
{
    struct slice held;
    uint64_t stamp;
    int rc = check_field(field, why);
    if (!rc && data)
        rc = edit_check_value(contract, HEAD_BYTES + data->size, why);
    if (rc)
        return rc;
    int found = reader_find(state, field, &held);
    if (found < 0 || (!data && (!found || field_tag(held) == FIELD_REMOVED)))
        return found < 0 ? found : 0;
    rc = stamp_next(editor->now_ms, found ? get_u64(held.data) : 0, &stamp, why);
    if (rc)
        return rc;
    struct buffer value = {0};
    append_stamp(&value, stamp, editor);
    buffer_append_u8(&value, data ? FIELD_SET : FIELD_REMOVED);
    if (data)
        buffer_append_slice(&value, *data);
    entry_append(delta, field, buffer_slice(&value));
    rc = buffer_failed(&value) ? ERR_NO_MEMORY : 0;
    buffer_free(&value);
    return rc;
}

static int edit(const struct contract *contract, const struct state_reader *state,
                const struct editor *editor, const struct edit_verb *verb,
                const struct slice *operands, size_t count, struct buffer *delta,
                struct reason *why)
{
    bool sets = strcmp(verb->name, "set") == 0;
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i += verb->operands_step)
        rc = write_field(contract, state, editor, operands[i], sets ? &operands[i + 1] : NULL,
                         delta, why);
    return rc;
}

static int reads(const struct contract *contract, const struct editor *editor,
                 const struct edit_verb *verb, const struct slice *operands, size_t count,
                 range_fn *range, void *self, struct reason *why)
{
    (void)contract, (void)editor;
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i += verb->operands_step) {
        rc = check_field(operands[i], why);
        if (!rc)
            rc = range(self, operands[i], operands[i]);
    }
    return rc;
}

static struct view_item item_of(const struct entry *entry)
{
    return (struct view_item){.name = entry->key,
                              .value = slice_after(entry->value, HEAD_BYTES),
                              .time_ms = clock_ms(get_u64(entry->value.data)),
                              .removed = field_tag(entry->value) == FIELD_REMOVED};
}

static int view(const struct contract *contract, struct slice state, view_fn *item, void *self,
                struct reason *why)
{
    return view_each(contract, state, item_of, item, self, why);
}

static const struct edit_verb verbs[] = {
    {"set", "FIELD VALUE…", "sets fields", 2, EDIT_OPERANDS_MAX, 2},
    {"remove", "FIELD…", "removes fields", 1, EDIT_OPERANDS_MAX, 1},
    {0},
};
static const char *const params[] = {NULL};

extern const struct kind map_kind;
const struct kind map_kind = {
    .name = "map",
    .doc = "fields with a value each, the last writer's of each",
    .params = params,
    .verbs = verbs,
    .check_entry = check_entry,
    .compare = compare_bytes,
    .edit = edit,
    .reads = reads,
    .view = view,
};
