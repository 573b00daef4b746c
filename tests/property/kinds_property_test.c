/* Laws that every kind keeps, on random states with conflicts made on purpose (lessons M1–M4).
 * SEED repeats a run. */
#include "tests/property/cases.h"

#include "contracts/writers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { CASES = 10000, ENTRIES_MAX = 7, DELTAS_MAX = 6 };

/* One case: what a law draws its states from, freed after it. */
struct trial {
    const struct subject *subject;
    struct random random;
    uint64_t number;
    struct buffer made[64];
    size_t made_count;
};

static struct buffer *new_bytes(struct trial *trial)
{
    assert_true(trial->made_count < sizeof trial->made / sizeof trial->made[0]);
    return &trial->made[trial->made_count++];
}

static struct slice draw_delta(struct trial *trial)
{
    struct buffer *out = new_bytes(trial);
    random_delta(trial->subject, &trial->random, ENTRIES_MAX, out);
    return buffer_slice(out);
}

/* The bytes of the state that comes of these deltas, in this order. */
static struct slice merged(struct trial *trial, const struct slice *deltas, size_t count)
{
    struct buffer *out = new_bytes(trial);
    assert_int_equal(merge_all(&trial->subject->contract, deltas, count, out), 0);
    return buffer_slice(out);
}

static struct slice merge2(struct trial *trial, struct slice a, struct slice b)
{
    return merged(trial, (struct slice[]){a, b}, 2);
}

/* A state, caps applied. */
static struct slice draw_state(struct trial *trial)
{
    struct slice delta = draw_delta(trial);
    return merged(trial, &delta, 1);
}

static void same(const struct trial *trial, struct slice a, struct slice b)
{
    if (!slice_equal(a, b))
        fail_msg("%s: case %llu of SEED=%llu: %zu bytes are not the %zu bytes wanted",
                 trial->subject->label, (unsigned long long)trial->number,
                 (unsigned long long)seed_of_run(), a.size, b.size);
}

static void identity(struct trial *trial)
{
    struct slice a = draw_state(trial), none = slice_of(NULL, 0);
    same(trial, merge2(trial, a, none), a);
    same(trial, merge2(trial, none, a), a);
}

static void commutativity(struct trial *trial)
{
    struct slice a = draw_state(trial), b = draw_state(trial);
    same(trial, merge2(trial, a, b), merge2(trial, b, a));
}

static void associativity(struct trial *trial)
{
    struct slice a = draw_state(trial), b = draw_state(trial), c = draw_state(trial);
    same(trial, merge2(trial, merge2(trial, a, b), c), merge2(trial, a, merge2(trial, b, c)));
}

/* lesson M3: and what is there already changes nothing. */
static void idempotence(struct trial *trial)
{
    struct slice a = draw_state(trial), b = draw_state(trial);
    struct slice both = merge2(trial, a, b);
    same(trial, merge2(trial, a, a), a);
    same(trial, merge2(trial, both, b), both);
    state_t *state = state_new(&trial->subject->contract);
    size_t changed = 7;
    assert_int_equal(state_join(state, both, NULL), 0);
    assert_int_equal(state_join(state, a, &changed), 0);
    assert_int_equal(changed, 0);
    state_destroy(&state);
}

static size_t draw_deltas(struct trial *trial, struct slice deltas[DELTAS_MAX])
{
    size_t count = random_below(&trial->random, DELTAS_MAX + 1);
    for (size_t i = 0; i < count; i++)
        deltas[i] = draw_delta(trial);
    return count;
}

static void deltas_in_any_order_and_twice(struct trial *trial)
{
    struct slice deltas[DELTAS_MAX] = {{0}}, shuffled[2 * DELTAS_MAX] = {{0}};
    size_t count = draw_deltas(trial, deltas), sent = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t copies = 1 + random_below(&trial->random, 2); copies; copies--) {
            size_t at = random_below(&trial->random, sent + 1);
            memmove(shuffled + at + 1, shuffled + at, (sent - at) * sizeof shuffled[0]);
            shuffled[at] = deltas[i];
            sent++;
        }
    same(trial, merged(trial, shuffled, sent), merged(trial, deltas, count));
}

static void merge_of_deltas_is_merge_of_states(struct trial *trial)
{
    struct slice deltas[DELTAS_MAX] = {{0}}, state = draw_state(trial), one_by_one = state;
    size_t count = draw_deltas(trial, deltas);
    struct slice together = merged(trial, deltas, count);
    for (size_t i = 0; i < count; i++)
        one_by_one = merge2(trial, one_by_one, deltas[i]);
    same(trial, merge2(trial, state, together), one_by_one);
}

/* Which of two values wins, written out here anew: unsigned byte order, and for signed values the
 * inner ones first. */
static bool wins(const struct contract *contract, struct slice a, struct slice b)
{
    size_t trailer = contract_signed(contract) ? WRITER_TRAILER_BYTES : 0;
    int order =
        slice_compare(slice_of(a.data, a.size - trailer), slice_of(b.data, b.size - trailer));
    return order ? order > 0 : slice_compare(a, b) > 0;
}

/* The merge of two deltas by its definition: the greatest value of each key, then the newest. */
static struct slice by_definition(struct trial *trial, struct slice a, struct slice b)
{
    const struct contract *contract = &trial->subject->contract;
    struct entry list[2 * ENTRIES_MAX], entry;
    size_t count = 0;
    for (int i = 0; i < 2; i++) {
        struct slice rest = i ? b : a;
        while (rest.size) {
            assert_null(entry_take(&rest, &entry));
            size_t at = 0;
            while (at < count && slice_compare(list[at].key, entry.key) < 0)
                at++;
            bool known = at < count && slice_equal(list[at].key, entry.key);
            if (known && wins(contract, list[at].value, entry.value))
                continue;
            if (!known) {
                memmove(list + at + 1, list + at, (count - at) * sizeof list[0]);
                count++;
            }
            list[at] = entry;
        }
    }
    struct buffer *out = new_bytes(trial);
    for (size_t i = 0; i < count; i++)
        if (count - i <= contract->newest) /* lesson M4 */
            entry_append(out, list[i].key, list[i].value);
    return buffer_slice(out);
}

static void merging_is_its_definition(struct trial *trial)
{
    struct slice a = draw_delta(trial), b = draw_delta(trial);
    same(trial, merge2(trial, a, b), by_definition(trial, a, b));
}

static struct summary summary_from_scratch(struct slice state)
{
    struct summary summary = {0};
    struct entries walk = entries_of(state);
    struct entry entry;
    int more;
    while ((more = entries_next(&walk, &entry, NULL)) > 0)
        summary_add(&summary, entry.key, entry.value);
    assert_int_equal(more, 0);
    return summary;
}

/* The summary and the changes that contract_merge gives, against those of the bytes. */
static void fingerprint_kept_up(struct trial *trial)
{
    const struct contract *contract = &trial->subject->contract;
    struct slice a = draw_state(trial), b = draw_delta(trial), both = merge2(trial, a, b);
    state_t *state = state_new(contract);
    assert_int_equal(state_join(state, a, NULL), 0);
    struct state_reader reader = state_reader(state);
    struct summary summary = summary_from_scratch(a), wanted = summary_from_scratch(both);
    struct merge merge = {0};
    assert_int_equal(contract_merge(contract, &reader, b, contract_signed(contract),
                                    STATE_BYTES_MAX, &summary, &merge, NULL),
                     0);
    assert_true(summary_equal(&summary, &wanted));
    assert_int_equal(summary.state_bytes, both.size);
    struct fingerprint x = summary_fingerprint(&summary), y = summary_fingerprint(&wanted);
    assert_memory_equal(x.bytes, y.bytes, sizeof x.bytes);
    assert_int_equal(merge.count == 0, slice_equal(a, both));
    merge_free(&merge);
    state_destroy(&state);
}

/* Each change tells what stood there and what stands there now, in key order and nothing else. */
static void changes_lead_from_one_state_to_the_other(struct trial *trial)
{
    const struct contract *contract = &trial->subject->contract;
    struct slice a = draw_state(trial), b = draw_delta(trial), both = merge2(trial, a, b);
    state_t *old = state_new(contract), *new = state_new(contract);
    assert_int_equal(state_join(old, a, NULL), 0);
    assert_int_equal(state_join(new, both, NULL), 0);
    struct state_reader from = state_reader(old), to = state_reader(new);
    struct merge merge = {0};
    assert_int_equal(contract_join(contract, &from, b, &merge, NULL), 0);
    uint64_t count = from.count(from.self);
    for (size_t i = 0; i < merge.count; i++) {
        const struct change *change = &merge.changes[i];
        struct slice value;
        assert_true(i == 0 || slice_compare(change[-1].key, change->key) < 0);
        assert_int_equal(reader_find(&from, change->key, &value), change->before.data != NULL);
        assert_true(!change->before.data || slice_equal(value, change->before));
        assert_int_equal(reader_find(&to, change->key, &value), change->after.data != NULL);
        assert_true(!change->after.data || slice_equal(value, change->after));
        assert_false(slice_equal(change->before, change->after) && change->before.data &&
                     change->after.data);
        count += change->after.data != NULL;
        count -= change->before.data != NULL;
    }
    assert_int_equal(count, to.count(to.self));
    merge_free(&merge);
    state_destroy(&old);
    state_destroy(&new);
}

static const struct {
    const char *name;
    void (*holds)(struct trial *trial);
} laws[] = {
    {"the empty state is neutral", identity},
    {"merging is commutative", commutativity},
    {"merging is associative", associativity},
    {"merging twice is merging once", idempotence},
    {"deltas in any order and twice make equal bytes", deltas_in_any_order_and_twice},
    {"a merge of deltas is a merge of states", merge_of_deltas_is_merge_of_states},
    {"the greatest value of a key stands, then caps", merging_is_its_definition},
    {"the fingerprint kept up is the one from scratch", fingerprint_kept_up},
    {"changes lead from the old state to the new", changes_lead_from_one_state_to_the_other},
};
enum { LAWS = sizeof laws / sizeof laws[0] };

struct claim {
    size_t subject, law;
    char name[128];
};

static void law_holds(void **state)
{
    const struct claim *claim = (const struct claim *)*state;
    struct trial trial = {.subject = &subjects()[claim->subject]};
    for (trial.number = 0; trial.number < CASES; trial.number++) {
        trial.random.state = seed_of_run() ^ (trial.number << 8) ^ claim->law << 56;
        laws[claim->law].holds(&trial);
        while (trial.made_count)
            buffer_free(&trial.made[--trial.made_count]);
    }
}

int main(void)
{
    static struct claim claims[SUBJECTS * LAWS];
    static struct CMUnitTest tests[SUBJECTS * LAWS];
    for (size_t i = 0; i < SUBJECTS * LAWS; i++) {
        claims[i] = (struct claim){.subject = i / LAWS, .law = i % LAWS};
        (void)snprintf(claims[i].name, sizeof claims[i].name, "%s: %s", subjects()[i / LAWS].label,
                       laws[i % LAWS].name);
        tests[i] = (struct CMUnitTest){claims[i].name, law_holds, NULL, NULL, &claims[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
