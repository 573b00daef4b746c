/* set: an element is in it when some replica's latest event for it is an addition. Adding makes a
 * fresh event each time; removing closes only the events seen, at the sequence numbers seen: so an
 * addition that a remover has not seen wins (observed-remove set, Bieniusa et al. 2012).
 *
 *   key   := element size u8 · element · replica (8)     one entry an element and replica
 *   value := seq u64 · 0     added
 *          | seq u64 · 1     that event removed */
#include "contracts/layout.h"
#include "contracts/gather.h"

enum { ELEMENT_BYTES_MAX = ENTRY_KEY_BYTES_MAX - 1 - REPLICA_BYTES };

static int check_entry(const struct contract *contract, struct slice key, struct slice value,
                       struct reason *why)
{
    (void)contract;
    if (key.size < 1 + REPLICA_BYTES)
        return fail(why, ERR_BAD_STATE, "key of %zu bytes, a set's has at least %d", key.size,
                    1 + REPLICA_BYTES);
    if (key.data[0] != key.size - 1 - REPLICA_BYTES)
        return fail(why, ERR_BAD_STATE, "key of %zu bytes names an element of %u bytes", key.size,
                    key.data[0]);
    if (value.size != TAGGED_BYTES)
        return fail(why, ERR_BAD_STATE, "value of %zu bytes, a set's has %d", value.size,
                    TAGGED_BYTES);
    return tagged_check(value, "set", why);
}

static int check_element(struct slice element, struct reason *why)
{
    if (element.size > ELEMENT_BYTES_MAX)
        return fail(why, ERR_TOO_LARGE, "an element of %zu bytes, the most is %d", element.size,
                    ELEMENT_BYTES_MAX);
    return 0;
}

/* The key of element and replica; returns its size. */
static size_t element_key(struct slice element, const uint8_t replica[REPLICA_BYTES],
                          uint8_t key[ENTRY_KEY_BYTES_MAX])
{
    key[0] = (uint8_t)element.size;
    if (element.size)
        memcpy(key + 1, element.data, element.size);
    memcpy(key + 1 + element.size, replica, REPLICA_BYTES);
    return 1 + element.size + REPLICA_BYTES;
}

static void append_event(struct buffer *delta, struct slice key, uint64_t seq, uint8_t tag)
{
    uint8_t value[TAGGED_BYTES];
    put_tagged(value, seq, tag);
    entry_append(delta, key, slice_of(value, sizeof value));
}

static int add(const struct state_reader *state, const struct editor *editor, struct slice element,
               struct buffer *delta, struct reason *why)
{
    uint8_t bytes[ENTRY_KEY_BYTES_MAX];
    struct slice key = slice_of(bytes, element_key(element, editor->replica, bytes)), held;
    uint64_t seq;
    int found = reader_find(state, key, &held);
    int rc = found < 0 ? found : sequence_next(found ? get_u64(held.data) : 0, &seq, why);
    if (!rc)
        append_event(delta, key, seq, TAG_ALIVE);
    return rc;
}

static const uint8_t replica_first[REPLICA_BYTES] = {0};
static const uint8_t replica_last[REPLICA_BYTES] = {255, 255, 255, 255, 255, 255, 255, 255};

static int remove_seen(const struct state_reader *state, struct slice element, struct buffer *delta)
{
    uint8_t bytes[ENTRY_KEY_BYTES_MAX];
    struct slice from = slice_of(bytes, element_key(element, replica_first, bytes));
    size_t shared = 1 + element.size;
    struct entry entry;
    int rc = state->seek(state->self, from, false, &entry);
    while (!rc && entry.key.size == from.size && memcmp(entry.key.data, bytes, shared) == 0) {
        if (tagged_alive(entry.value))
            append_event(delta, entry.key, get_u64(entry.value.data), TAG_CLOSED);
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
    (void)contract;
    bool adds = strcmp(verb->name, "add") == 0;
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++) {
        rc = check_element(operands[i], why);
        if (rc)
            return rc;
        rc = adds ? add(state, editor, operands[i], delta, why)
                  : remove_seen(state, operands[i], delta);
    }
    return rc;
}

static int reads(const struct contract *contract, const struct editor *editor,
                 const struct edit_verb *verb, const struct slice *operands, size_t count,
                 range_fn *range, void *self, struct reason *why)
{
    (void)verb, (void)contract, (void)editor;
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++) {
        uint8_t first[ENTRY_KEY_BYTES_MAX], last[ENTRY_KEY_BYTES_MAX];
        rc = check_element(operands[i], why);
        if (rc)
            return rc;
        size_t size = element_key(operands[i], replica_first, first);
        (void)element_key(operands[i], replica_last, last);
        rc = range(self, slice_of(first, size), slice_of(last, size));
    }
    return rc;
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
        gather_add(&gather, slice_of(entry.key.data + 1, entry.key.data[0]), writer,
                   !tagged_alive(entry.value));
    if (!rc)
        rc = gather_tell(&gather, item, self);
    gather_free(&gather);
    return rc;
}

static const struct edit_verb verbs[] = {
    {"add", "ELEMENT…", "puts elements in", 1, EDIT_OPERANDS_MAX, 1},
    {"remove", "ELEMENT…", "takes elements out", 1, EDIT_OPERANDS_MAX, 1},
    {0},
};
static const char *const params[] = {NULL};

extern const struct kind set_kind;
const struct kind set_kind = {
    .name = "set",
    .doc = "elements; an addition wins over a removal made at the same time",
    .params = params,
    .verbs = verbs,
    .check_entry = check_entry,
    .compare = compare_bytes,
    .edit = edit,
    .reads = reads,
    .view = view,
};
