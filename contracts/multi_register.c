/* multi-register: the values that no later write has seen; more than one after concurrent writes.
 * Each replica has one entry. A write closes the values it saw, at the sequence numbers it saw.
 *
 *   key   := replica (8)
 *   value := seq u64 · 0 · data      written
 *          | seq u64 · 1             superseded by a write that saw it */
#include "contracts/layout.h"
#include "contracts/gather.h"

static int check_entry(const struct contract *contract, struct slice key, struct slice value,
                       struct reason *why)
{
    (void)contract;
    if (key.size != REPLICA_BYTES)
        return fail(why, ERR_BAD_STATE, "key of %zu bytes, a multi-register's has %d", key.size,
                    REPLICA_BYTES);
    return tagged_check(value, "multi-register", why);
}

/* Closes every value on view but the replica's own, which the write replaces. Walks the replicas
 * that ever wrote, not their data. */
static int supersede(const struct state_reader *state, struct slice own, struct buffer *delta)
{
    struct entry entry;
    int rc = state->seek(state->self, slice_of(own.data, 0), false, &entry);
    while (!rc) {
        if (tagged_alive(entry.value) && !slice_equal(entry.key, own)) {
            uint8_t closed[TAGGED_BYTES];
            put_tagged(closed, get_u64(entry.value.data), TAG_CLOSED);
            entry_append(delta, entry.key, slice_of(closed, sizeof closed));
        }
        struct slice last = entry.key;
        rc = state->seek(state->self, last, true, &entry);
    }
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

static int edit(const struct contract *contract, const struct state_reader *state,
                const struct editor *editor, const struct edit_verb *verb,
                const struct slice *operands, size_t count, struct buffer *delta,
                struct reason *why)
{
    (void)verb, (void)count;
    struct slice own = slice_of(editor->replica, REPLICA_BYTES), held;
    uint64_t seq;
    int found = reader_find(state, own, &held);
    int rc = found < 0 ? found : edit_check_value(contract, TAGGED_BYTES + operands[0].size, why);
    if (!rc)
        rc = sequence_next(found ? get_u64(held.data) : 0, &seq, why);
    if (!rc)
        rc = supersede(state, own, delta);
    if (rc)
        return rc;
    uint8_t head[TAGGED_BYTES];
    put_tagged(head, seq, TAG_ALIVE);
    struct buffer value = {0};
    buffer_append(&value, head, sizeof head);
    buffer_append_slice(&value, operands[0]);
    entry_append(delta, own, buffer_slice(&value));
    rc = buffer_failed(&value) ? ERR_NO_MEMORY : 0;
    buffer_free(&value);
    return rc;
}

static int reads(const struct contract *contract, const struct editor *editor,
                 const struct edit_verb *verb, const struct slice *operands, size_t count,
                 range_fn *range, void *self, struct reason *why)
{
    static const uint8_t first[REPLICA_BYTES] = {0};
    static const uint8_t last[REPLICA_BYTES] = {255, 255, 255, 255, 255, 255, 255, 255};
    (void)verb, (void)why, (void)contract, (void)editor, (void)operands, (void)count;
    return range(self, slice_of(first, sizeof first), slice_of(last, sizeof last));
}

static int view(const struct contract *contract, struct slice state, view_fn *item, void *self,
                struct reason *why)
{
    struct entries walk = entries_of(state);
    struct gather gather = {0};
    struct entry entry;
    const uint8_t *writer;
    int rc;
    while ((rc = view_next(contract, &walk, &entry, &writer, why)) > 0)
        if (tagged_alive(entry.value))
            gather_add(&gather, slice_after(entry.value, TAGGED_BYTES), writer, false);
    if (!rc)
        rc = gather_tell(&gather, item, self);
    gather_free(&gather);
    return rc;
}

static const struct edit_verb verbs[] = {
    {"set", "VALUE", "replaces the values seen", 1, 1, 1},
    {0},
};
static const char *const params[] = {NULL};

extern const struct kind multi_register_kind;
const struct kind multi_register_kind = {
    .name = "multi-register",
    .doc = "one value; concurrent ones are all kept",
    .params = params,
    .verbs = verbs,
    .check_entry = check_entry,
    .compare = compare_bytes,
    .edit = edit,
    .reads = reads,
    .view = view,
};
