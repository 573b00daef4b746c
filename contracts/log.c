/* log: data in the order of time; append-only. With `newest` it keeps the N greatest keys, a pure
 * function of the set (lesson M4).
 *
 *   key   := stamp u64 · replica (8)
 *   value := data */
#include "contracts/layout.h"
#include "contracts/view.h"

enum { KEY_BYTES = STAMPED_BYTES };

static int check_entry(const struct contract *contract, struct slice key, struct slice value,
                       struct reason *why)
{
    (void)contract, (void)value;
    if (key.size != KEY_BYTES)
        return fail(why, ERR_BAD_STATE, "key of %zu bytes, a log's has %d", key.size, KEY_BYTES);
    return stamped_check(key, "key", why);
}

static int settle(const struct contract *contract, const struct state_reader *merged,
                  struct drops *drops)
{
    uint64_t count = contract->newest == UINT64_MAX ? 0 : merged->count(merged->self);
    if (count <= contract->newest)
        return 0;
    uint8_t last[KEY_BYTES] = {0};
    for (uint64_t excess = count - contract->newest; excess; excess--) {
        struct entry oldest;
        int rc = merged->seek(merged->self, slice_of(last, sizeof last), true, &oldest);
        if (rc)
            return rc;
        memcpy(last, oldest.key.data, sizeof last);
        rc = drops->drop(drops->self, slice_of(last, sizeof last));
        if (rc)
            return rc;
    }
    return 0;
}

/* The stamp of the first entry at or after the given one; 0 when there is none. */
static int stamp_from(const struct state_reader *state, uint64_t from, uint64_t *stamp)
{
    uint8_t key[KEY_BYTES] = {0};
    struct entry entry;
    put_u64(key, from);
    int rc = state->seek(state->self, slice_of(key, sizeof key), false, &entry);
    *stamp = rc ? 0 : get_u64(entry.key.data);
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* The greatest stamp in the log if it is at or after `from`, else 0. Doubling steps, then halving
 * ones: a reader seeks forward only, and a log that others append to at this very moment is no
 * reason to walk it (lesson M6). Mostly the first look finds nothing. */
static int greatest_stamp(const struct state_reader *state, uint64_t from, uint64_t *greatest)
{
    uint64_t held, step = 1;
    int rc = stamp_from(state, from, &held);
    *greatest = held;
    bool widening = true;
    while (!rc && *greatest && step) {
        rc = step > STAMP_MAX - *greatest ? 0 : stamp_from(state, *greatest + step, &held);
        bool none = step > STAMP_MAX - *greatest || held == 0;
        if (!none)
            *greatest = held;
        widening = widening && !none;
        step = widening ? step * 2 : step / 2;
    }
    return rc;
}

static int edit(const struct contract *contract, const struct state_reader *state,
                const struct editor *editor, const struct edit_verb *verb,
                const struct slice *operands, size_t count, struct buffer *delta,
                struct reason *why)
{
    (void)verb;
    uint64_t stamp;
    int rc = greatest_stamp(state, clock_stamp(editor->now_ms, 0), &stamp);
    for (size_t i = 0; i < count && !rc; i++) {
        rc = edit_check_value(contract, operands[i].size, why);
        if (!rc)
            rc = stamp_next(editor->now_ms, stamp, &stamp, why);
        if (rc)
            break;
        uint8_t key[KEY_BYTES];
        put_u64(key, stamp);
        memcpy(key + 8, editor->replica, REPLICA_BYTES);
        entry_append(delta, slice_of(key, sizeof key), operands[i]);
    }
    return rc;
}

/* An append looks at what lies at or after its own moment, which is little or nothing. */
static int reads(const struct contract *contract, const struct editor *editor,
                 const struct edit_verb *verb, const struct slice *operands, size_t count,
                 range_fn *range, void *self, struct reason *why)
{
    (void)why, (void)contract, (void)verb, (void)operands, (void)count;
    uint8_t first[KEY_BYTES] = {0}, last[KEY_BYTES];
    put_u64(first, clock_stamp(editor->now_ms, 0));
    memset(last, 255, sizeof last);
    return range(self, slice_of(first, sizeof first), slice_of(last, sizeof last));
}

static struct view_item item_of(const struct entry *entry)
{
    return (struct view_item){.value = entry->value, .time_ms = clock_ms(get_u64(entry->key.data))};
}

static int view(const struct contract *contract, struct slice state, view_fn *item, void *self,
                struct reason *why)
{
    return view_each(contract, state, item_of, item, self, why);
}

static const struct edit_verb verbs[] = {
    {"append", "DATA…", "appends entries", 1, EDIT_OPERANDS_MAX, 1},
    {0},
};
static const char *const params[] = {"newest", NULL};

extern const struct kind log_kind;
const struct kind log_kind = {
    .name = "log",
    .doc = "entries in the order of time, all or the newest N",
    .params = params,
    .verbs = verbs,
    .check_entry = check_entry,
    .compare = compare_bytes,
    .settle = settle,
    .edit = edit,
    .reads = reads,
    .view = view,
};
