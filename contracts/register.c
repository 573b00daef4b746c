/* register: one value; the last writer's by hybrid logical clock, then writer, then value.
 *
 *   key   := (empty)
 *   value := stamp u64 · replica (8) · data */
#include "contracts/layout.h"
#include "contracts/view.h"

static const uint8_t no_bytes[1];

static struct slice only_key(void)
{
    return slice_of(no_bytes, 0);
}

static int check_entry(const struct contract *contract, struct slice key, struct slice value,
                       struct reason *why)
{
    (void)contract;
    if (key.size)
        return fail(why, ERR_BAD_STATE, "key of %zu bytes, a register's is empty", key.size);
    return stamped_check(value, "value", why);
}

static int edit(const struct contract *contract, const struct state_reader *state,
                const struct editor *editor, const struct edit_verb *verb,
                const struct slice *operands, size_t count, struct buffer *delta,
                struct reason *why)
{
    (void)verb, (void)count;
    struct slice held;
    uint64_t stamp;
    int found = reader_find(state, only_key(), &held);
    int rc = found < 0 ? found : edit_check_value(contract, STAMPED_BYTES + operands[0].size, why);
    if (!rc)
        rc = stamp_next(editor->now_ms, found ? get_u64(held.data) : 0, &stamp, why);
    if (rc)
        return rc;
    struct buffer value = {0};
    append_stamp(&value, stamp, editor);
    buffer_append_slice(&value, operands[0]);
    entry_append(delta, only_key(), buffer_slice(&value));
    rc = buffer_failed(&value) ? ERR_NO_MEMORY : 0;
    buffer_free(&value);
    return rc;
}

static int reads(const struct contract *contract, const struct editor *editor,
                 const struct edit_verb *verb, const struct slice *operands, size_t count,
                 range_fn *range, void *self, struct reason *why)
{
    (void)verb, (void)why, (void)contract, (void)editor, (void)operands, (void)count;
    return range(self, only_key(), only_key());
}

static struct view_item item_of(const struct entry *entry)
{
    return (struct view_item){.value = slice_after(entry->value, STAMPED_BYTES),
                              .time_ms = clock_ms(get_u64(entry->value.data))};
}

static int view(const struct contract *contract, struct slice state, view_fn *item, void *self,
                struct reason *why)
{
    return view_each(contract, state, item_of, item, self, why);
}

static const struct edit_verb verbs[] = {
    {"set", "VALUE", "replaces the value", 1, 1, 1},
    {0},
};
static const char *const params[] = {NULL};

extern const struct kind register_kind;
const struct kind register_kind = {
    .name = "register",
    .doc = "one value, the last writer's",
    .params = params,
    .verbs = verbs,
    .check_entry = check_entry,
    .compare = compare_bytes,
    .edit = edit,
    .reads = reads,
    .view = view,
};
