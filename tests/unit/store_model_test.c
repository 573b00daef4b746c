/* The store against the simplest thing that could be right: a state in memory per contract. */
#include "tests/unit/store_fixture.h"

#include "contracts/state.h"

#include <stdio.h>
#include <stdlib.h>

enum { SUBJECTS = 12, KEYS = 40, STEPS = 6000 };

struct pair {
    struct subject subject;
    state_t *model;
    bool known;
};

static struct rig rig;
static struct pair pairs[SUBJECTS];
static fold_t *fold; /* lent out, or NULL */

static void pairs_open(void)
{
    for (size_t i = 0; i < SUBJECTS; i++) {
        char name[16];
        bool log = i % 3 == 2;
        (void)snprintf(name, sizeof name, "c%zu", i);
        subject_init(&pairs[i].subject, log ? "log" : i % 3 ? "set" : "map", name, log ? 1 + i : 0);
        pairs[i].model = state_new(&pairs[i].subject.contract);
        assert_non_null(pairs[i].model);
        pairs[i].known = false;
    }
}

static void pairs_close(void)
{
    for (size_t i = 0; i < SUBJECTS; i++) {
        state_destroy(&pairs[i].model);
        subject_free(&pairs[i].subject);
    }
}

/* An edit with random operands, built on the model's state, so that both get the same delta. */
static struct buffer random_delta(struct pair *pair)
{
    char operand[32], value[200];
    struct editor editor = {.now_ms = 1 + random_below(50)}; /* clocks that collide */
    struct buffer delta = {0};
    struct state_reader reader = state_reader(pair->model);
    const char *kind = pair->subject.contract.kind->name;
    bool map = strcmp(kind, "map") == 0, log = strcmp(kind, "log") == 0;
    bool remove = !log && random_below(4) == 0;
    memset(editor.replica, 'a' + (int)random_below(3), sizeof editor.replica);
    (void)snprintf(operand, sizeof operand, "key-%zu", random_below(KEYS));
    memset(value, 'a' + (int)random_below(26), sizeof value);
    struct slice operands[2] = {slice_text(operand), slice_of(value, random_below(sizeof value))};
    const char *verb = log ? "append" : remove ? "remove" : map ? "set" : "add";
    struct reason why;
    int rc = kind_edit(&pair->subject.contract, &reader, &editor, slice_text(verb), operands,
                       map && !remove ? 2 : 1, &delta, &why);
    if (rc)
        print_error("%s %s: %s\n", kind, verb, why.text);
    assert_int_equal(rc, 0);
    return delta;
}

static void merge_both(struct pair *pair)
{
    struct store_change change;
    size_t changed;
    struct buffer delta = random_delta(pair);
    struct summary before = *state_summary(pair->model);
    assert_int_equal(state_merge(pair->model, buffer_slice(&delta), &changed, &rig.why), 0);
    assert_int_equal(rig_merge(&rig, &pair->subject.contract, buffer_slice(&delta), &change), 0);
    assert_int_equal(change.changed, changed);
    assert_int_equal(change.created, !pair->known);
    struct fingerprint was = summary_fingerprint(&before);
    struct fingerprint is = summary_fingerprint(state_summary(pair->model));
    assert_memory_equal(change.before.bytes, was.bytes, FINGERPRINT_BYTES);
    assert_memory_equal(change.after.bytes, is.bytes, FINGERPRINT_BYTES);
    pair->known = true;
    buffer_free(&delta);
}

/* The two say the same, byte for byte, in the whole and in a random range. */
static void compare(struct pair *pair)
{
    const struct held *held;
    if (!pair->known) {
        assert_int_equal(store_find(rig.store, &pair->subject.contract.key, &held, NULL),
                         ERR_NOT_FOUND);
        return;
    }
    struct buffer model = {0}, range = {0};
    char first[16], last[16];
    assert_int_equal(state_encode(pair->model, &model), 0);
    struct buffer state = rig_read(&rig, &pair->subject.contract, NULL, NULL);
    assert_true(slice_equal(buffer_slice(&state), buffer_slice(&model)));
    (void)snprintf(first, sizeof first, "key-%zu", random_below(KEYS));
    (void)snprintf(last, sizeof last, "key-%zu", random_below(KEYS));
    struct entries walk = entries_of(buffer_slice(&model));
    struct entry entry;
    while (entries_next(&walk, &entry, NULL) > 0)
        if (slice_compare(entry.key, slice_text(first)) >= 0 &&
            slice_compare(entry.key, slice_text(last)) <= 0)
            entry_append(&range, entry.key, entry.value);
    struct buffer part = rig_read(&rig, &pair->subject.contract, first, last);
    assert_true(slice_equal(buffer_slice(&part), buffer_slice(&range)));
    buffer_free(&model);
    buffer_free(&range);
    buffer_free(&state);
    buffer_free(&part);
}

static void drop_both(struct pair *pair)
{
    assert_int_equal(rig_drop(&rig, &pair->subject.contract), pair->known ? 0 : ERR_NOT_FOUND);
    state_destroy(&pair->model);
    pair->model = state_new(&pair->subject.contract);
    assert_non_null(pair->model);
    pair->known = false;
}

static void compare_counts(void)
{
    struct store_stats stats;
    uint64_t contracts = 0, entries = 0, listed = 0;
    const struct held *held;
    struct contract_key key;
    while (store_next(rig.store, listed ? &key : NULL, &held, &rig.why) == 0) {
        key = held->contract.key;
        listed++;
    }
    for (size_t i = 0; i < SUBJECTS; i++) {
        contracts += pairs[i].known;
        entries += state_summary(pairs[i].model)->count;
    }
    store_stats(rig.store, &stats);
    assert_int_equal(listed, contracts);
    assert_int_equal(stats.contracts, contracts);
    assert_int_equal(stats.entries, entries);
    assert_int_equal(stats.damaged, 0);
}

/* Takes the fold one step on: out, written or not, back. */
static void step_fold(void)
{
    struct fold_result result;
    if (!fold) {
        fold = store_freeze(rig.store);
        return;
    }
    bool done = random_below(3) > 0;
    if (done)
        assert_int_equal(fold_run(fold, &result, &rig.why), 0);
    store_thaw(rig.store, fold, done, done ? &result : NULL);
    if (done) {
        fold_destroy(&fold);
        rig_flush(&rig);
        log_recycle(store_log(rig.store), result.seq);
    }
    fold = NULL;
}

static void reopen(void)
{
    if (fold)
        store_thaw(rig.store, fold, false, NULL);
    fold = NULL;
    rig_reopen(&rig);
    compare_counts();
}

static void the_store_says_what_the_model_says(void **state)
{
    (void)state;
    (void)seed_random();
    rig_open(&rig);
    pairs_open();
    for (unsigned i = 0; i < STEPS; i++) {
        struct pair *pair = &pairs[random_below(SUBJECTS)];
        size_t what = random_below(1000);
        rig.unflushed = random_below(4) > 0;
        if (what < 5)
            reopen();
        else if (what < 40)
            step_fold();
        else if (what < 140)
            compare(pair);
        else if (what < 160)
            drop_both(pair);
        else
            merge_both(pair);
    }
    for (size_t i = 0; i < SUBJECTS; i++)
        compare(&pairs[i]);
    reopen();
    assert_clean(&rig);
    pairs_close();
    rig_close(&rig, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_says_what_the_model_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
