/* counter: grows and shrinks. Each replica keeps two totals, of what it added and of what it took
 * away; a total only grows, so the greater one is the later one (PN-counter, Shapiro et al. 2011).
 *
 *   key   := '+' or '-' · replica (8)
 *   value := total u64, at least 1 */
#include "contracts/view.h"

/* Room for fewer than 2^64 totals of 64 bits. */
__extension__ typedef __int128 wide_int;

enum { KEY_BYTES = 1 + REPLICA_BYTES, TOTAL_BYTES = 8 };

static int check_entry(const struct contract *contract, struct slice key, struct slice value,
                       struct reason *why)
{
    (void)contract;
    if (key.size != KEY_BYTES)
        return fail(why, ERR_BAD_STATE, "key of %zu bytes, a counter's has %d", key.size,
                    KEY_BYTES);
    if (key.data[0] != '+' && key.data[0] != '-')
        return fail(why, ERR_BAD_STATE, "key starts with 0x%02x, wanted '+' or '-'", key.data[0]);
    if (value.size != TOTAL_BYTES)
        return fail(why, ERR_BAD_STATE, "value of %zu bytes, a counter's has %d", value.size,
                    TOTAL_BYTES);
    if (get_u64(value.data) == 0)
        return fail(why, ERR_BAD_STATE, "a total of 0; such an entry is left out");
    return 0;
}

/* Decimal text within 64 bits, signed: its size and whether it is below 0. */
static int read_number(struct slice text, uint64_t *size, bool *negative, struct reason *why)
{
    bool minus = text.size && text.data[0] == '-';
    size_t at = minus || (text.size && text.data[0] == '+');
    uint64_t most = (uint64_t)INT64_MAX + minus, sum = 0;
    if (at == text.size)
        return fail(why, ERR_BAD_REQUEST, "add takes a whole number");
    for (; at < text.size; at++) {
        unsigned digit = (unsigned)text.data[at] - '0';
        if (digit > 9)
            return fail(why, ERR_BAD_REQUEST, "add takes a whole number, and 0x%02x is no digit",
                        text.data[at]);
        if (sum > (most - digit) / 10)
            return fail(why, ERR_BAD_REQUEST, "add takes a number of 64 bits at most");
        sum = sum * 10 + digit;
    }
    *size = sum;
    *negative = minus;
    return 0;
}

static void own_key(const struct editor *editor, bool negative, uint8_t key[KEY_BYTES])
{
    key[0] = negative ? '-' : '+';
    memcpy(key + 1, editor->replica, REPLICA_BYTES);
}

static int edit(const struct contract *contract, const struct state_reader *state,
                const struct editor *editor, const struct edit_verb *verb,
                const struct slice *operands, size_t count, struct buffer *delta,
                struct reason *why)
{
    (void)contract, (void)verb, (void)count;
    uint64_t size = 0, total = 0;
    bool negative = false;
    int rc = read_number(operands[0], &size, &negative, why);
    if (rc || size == 0)
        return rc;
    uint8_t key[KEY_BYTES], value[TOTAL_BYTES];
    own_key(editor, negative, key);
    struct slice held;
    int found = reader_find(state, slice_of(key, sizeof key), &held);
    if (found < 0)
        return found;
    if (found)
        total = get_u64(held.data);
    if (total > UINT64_MAX - size)
        return fail(why, ERR_BAD_REQUEST, "this replica's total is used up: it has 64 bits");
    put_u64(value, total + size);
    entry_append(delta, slice_of(key, sizeof key), slice_of(value, sizeof value));
    return 0;
}

static int reads(const struct contract *contract, const struct editor *editor,
                 const struct edit_verb *verb, const struct slice *operands, size_t count,
                 range_fn *range, void *self, struct reason *why)
{
    (void)verb, (void)why, (void)contract, (void)operands, (void)count;
    int rc = 0;
    for (int negative = 0; negative < 2 && !rc; negative++) {
        uint8_t key[KEY_BYTES];
        own_key(editor, negative, key);
        rc = range(self, slice_of(key, sizeof key), slice_of(key, sizeof key));
    }
    return rc;
}

static int view(const struct contract *contract, struct slice state, view_fn *item, void *self,
                struct reason *why)
{
    struct entries walk = entries_of(state);
    struct entry entry;
    const uint8_t *writer = NULL;
    wide_int sum = 0;
    int more;
    while ((more = view_next(contract, &walk, &entry, &writer, why)) > 0) {
        uint64_t total = get_u64(entry.value.data);
        sum += entry.key.data[0] == '+' ? (wide_int)total : -(wide_int)total;
    }
    if (more < 0)
        return more;
    int64_t held = sum > INT64_MAX ? INT64_MAX : sum < INT64_MIN ? INT64_MIN : (int64_t)sum;
    return item(self, &(struct view_item){.number = held});
}

static const struct edit_verb verbs[] = {
    {"add", "N", "adds N, which may be negative", 1, 1, 1},
    {0},
};
static const char *const params[] = {NULL};

extern const struct kind counter_kind;
const struct kind counter_kind = {
    .name = "counter",
    .doc = "a number that grows and shrinks",
    .params = params,
    .verbs = verbs,
    .check_entry = check_entry,
    .compare = compare_bytes,
    .edit = edit,
    .reads = reads,
    .view = view,
};
