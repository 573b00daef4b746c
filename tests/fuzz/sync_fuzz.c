/* Sync by ranges. First byte even: an answer to a body from outside; odd: two sides that sync.
 *
 *   answer: own entries (a byte, in twos) · budget · most bytes of entries · the body
 *   pair:   entries in common (a byte, in twos) · budget · most · two bytes an entry: its key's
 *           first byte; who has it (2 bits), two values (1 bit), bytes that the key repeats */
#include "contracts/state.h"
#include "contracts/sync.h"
#include "contracts/sync_body.h"
#include "tests/fuzz/must.h"

enum { HEAD_BYTES = 4, MESSAGES_MAX = 32 };

static const uint8_t salt[SYNC_SALT_BYTES] = "sync_fuzz's salt";
static struct contract contract;

struct limits {
    size_t budget, entries_bytes_max;
};

/* Kinds are not asked: any key will do. */
static void join(state_t *state, struct slice delta)
{
    MUST(state_join(state, delta, NULL) == 0);
}

static void add(state_t *state, struct slice key, const char *value)
{
    struct buffer one = {0};
    entry_append(&one, key, slice_text(value));
    join(state, buffer_slice(&one));
    buffer_free(&one);
}

static state_t *state_of(size_t count)
{
    struct buffer delta = {0};
    state_t *state = state_new(&contract);
    MUST(state);
    for (size_t i = 0; i < count; i++) {
        uint8_t key[2];
        put_u16(key, (uint16_t)(i * 128));
        entry_append(&delta, slice_of(key, sizeof key), slice_text("common"));
    }
    join(state, buffer_slice(&delta));
    buffer_free(&delta);
    return state;
}

/* Canonical, and past what was sent before. Returns the number of entries. */
static uint64_t check_delta(struct slice delta, struct buffer *last, bool *any)
{
    struct entries walk = entries_of(delta);
    struct entry entry;
    int more;
    while ((more = entries_next(&walk, &entry, NULL)) > 0) {
        MUST(!*any || slice_compare(buffer_slice(last), entry.key) < 0);
        buffer_clear(last);
        buffer_append_slice(last, entry.key);
        *any = true;
    }
    MUST(more == 0);
    return walk.number;
}

/* One walk of `from` to its end; `to` (may be NULL) merges what it sends. */
static void run(sync_walk_t *walk, state_t *from, state_t *to, struct limits limits,
                size_t steps_max)
{
    struct state_reader reader = state_reader(from);
    struct buffer entries = {0}, last = {0};
    uint64_t sent = 0;
    bool any = false;
    int rc = ERR_AGAIN;
    for (size_t steps = 0; rc == ERR_AGAIN; steps++) {
        MUST(steps <= steps_max);
        buffer_clear(&entries);
        rc = sync_walk_step(walk, &reader, limits.budget, limits.entries_bytes_max, &entries, NULL);
        uint64_t count = check_delta(buffer_slice(&entries), &last, &any);
        MUST(count <= limits.budget);
        MUST(entries.size <= limits.entries_bytes_max || count == 1);
        sent += count;
        if (to)
            join(to, buffer_slice(&entries));
    }
    MUST(rc == 0 && sent <= reader.count(reader.self));
    MUST(sync_walk_body(walk).size <= SYNC_BODY_BYTES_MAX);
    buffer_free(&entries);
    buffer_free(&last);
}

/* What is said is taken by the other side. */
static sync_walk_t *answer(struct slice body)
{
    int rc = 0;
    sync_walk_t *walk = sync_walk_answer(salt, body, &rc, NULL);
    MUST(walk);
    return walk;
}

static void answer_from_outside(struct slice body, size_t count, struct limits limits)
{
    struct reason why = {""};
    int rc = 0;
    sync_walk_t *walk = sync_walk_answer(salt, body, &rc, &why), *next;
    if (!walk) {
        MUST(rc == ERR_BAD_REQUEST && why.text[0]);
        return;
    }
    state_t *state = state_of(count);
    /* an entry may be sent in a step of its own, and an item takes no entry to close */
    run(walk, state, NULL, limits, 2 * count + body.size + 2);
    next = answer(sync_walk_body(walk));
    sync_walk_destroy(&next);
    sync_walk_destroy(&walk);
    state_destroy(&state);
}

static void add_chosen(state_t *sides[2], const uint8_t choice[2])
{
    uint8_t key[ENTRY_KEY_BYTES_MAX];
    size_t size = (size_t)(choice[1] >> 3) * 8 + 1;
    int who = choice[1] & 3;
    memset(key, choice[0], sizeof key);
    if (choice[0] == 0 && size == 1)
        size = 0;
    if (who != 1)
        add(sides[0], slice_of(key, size), "a");
    if (who != 0)
        add(sides[1], slice_of(key, size), choice[1] & 4 ? "b" : "a");
}

static bool equal(state_t *sides[2])
{
    struct buffer bytes[2] = {{0}};
    MUST(state_encode(sides[0], &bytes[0]) == 0 && state_encode(sides[1], &bytes[1]) == 0);
    bool same = slice_equal(buffer_slice(&bytes[0]), buffer_slice(&bytes[1]));
    buffer_free(&bytes[0]);
    buffer_free(&bytes[1]);
    return same;
}

static void sync_pair(struct slice choices, size_t common, struct limits limits)
{
    state_t *sides[2] = {state_of(common), state_of(common)};
    for (size_t i = 0; i + 2 <= choices.size; i += 2)
        add_chosen(sides, choices.data + i);
    sync_walk_t *walk = sync_walk_begin(salt);
    MUST(walk);
    for (int i = 0;; i++) {
        MUST(i < MESSAGES_MAX);
        run(walk, sides[i % 2], sides[!(i % 2)], limits, SIZE_MAX);
        if (sync_walk_body(walk).size == 0)
            break;
        sync_walk_t *next = answer(sync_walk_body(walk));
        sync_walk_destroy(&walk);
        walk = next;
    }
    MUST(equal(sides));
    sync_walk_destroy(&walk);
    state_destroy(&sides[0]);
    state_destroy(&sides[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_BYTES)
        return 0;
    MUST(contract_init(&contract, slice_text("map"), slice_of(NULL, 0), NULL) == 0);
    struct slice rest = slice_of(data + HEAD_BYTES, size - HEAD_BYTES);
    struct limits limits = {data[2] + 1u, data[3]};
    if (data[0] & 1)
        sync_pair(rest, data[1] * 2u, limits);
    else
        answer_from_outside(rest, data[1] * 2u, limits);
    return 0;
}
