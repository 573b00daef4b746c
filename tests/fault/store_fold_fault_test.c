/* A fold is several transactions. One that is cut between them, or inside one, leaves whole
 * contracts and loses none; the next try, of this node or of the next, carries it to its end. */
#include "contracts/layout.h"
#include "tests/fault/faults.h"
#include "tests/unit/store_fixture.h"

#include <stdio.h>

enum { MANY = 3000 };

static void merge_many(struct rig *rig, uint64_t stamp)
{
    rig->unflushed = true;
    for (unsigned i = 0; i < MANY; i++) {
        char name[16];
        struct subject map;
        (void)snprintf(name, sizeof name, "m%u", i);
        subject_init(&map, "map", name, 0);
        rig_set(rig, &map.contract, "a", stamp, "x");
        subject_free(&map);
    }
    rig->unflushed = false;
    rig_flush(rig);
}

static void assert_many(struct rig *rig)
{
    struct store_stats stats;
    store_stats(rig->store, &stats);
    assert_int_equal(stats.contracts, MANY);
    assert_int_equal(stats.entries, MANY);
    assert_int_equal(stats.damaged, 0);
    assert_clean(rig);
}

static int repeat_fold(struct rig *rig)
{
    struct fold_result result;
    fold_t *out = store_freeze(rig->store);
    assert_non_null(out);
    int rc = fold_run(out, &result, &rig->why);
    assert_true(rc == 0 || rc == ERR_IO);
    store_thaw(rig->store, out, rc == 0, rc == 0 ? &result : NULL);
    if (rc == 0)
        fold_destroy(&out);
    return rc;
}

/* The n-th call of a fold fails (0: none does). The directory as it is then has no damage, and
 * *left is opened on a copy of it. Returns the fold's calls. */
static unsigned fold_cut_at(struct rig *rig, struct rig *left, unsigned n)
{
    struct fold_result result = {0};
    struct check_report report;
    char copy[64];
    fold_t *out = store_freeze(rig->store);
    assert_non_null(out);
    faults_plan(n, FAIL_EIO);
    int rc = fold_run(out, &result, &rig->why);
    unsigned calls = faults_end();
    assert_int_equal(rc == 0, n == 0);
    store_thaw(rig->store, out, rc == 0, rc == 0 ? &result : NULL);
    if (rc == 0)
        fold_destroy(&out);
    rig_copy(rig, copy);
    assert_int_equal(store_check_dir(copy, NULL, NULL, &report, &rig->why), 0);
    assert_int_equal(report.damaged, 0);
    rig_adopt(left, rig, copy);
    return calls;
}

/* The n-th call of the fold fails. The directory as it is then, and the store that goes on, both
 * have all. Returns the fold's calls. */
static unsigned cut_fold(unsigned n)
{
    struct rig rig, left;
    rig_open(&rig);
    merge_many(&rig, 1);
    unsigned calls = fold_cut_at(&rig, &left, n);
    assert_many(&left);
    rig_fold(&left);
    assert_many(&left);
    rig_close(&left, true);
    if (n && repeat_fold(&rig)) /* LMDB gives up after a failed write of its root */
        rig_reopen(&rig);
    merge_many(&rig, 2);
    rig_fold(&rig);
    rig_fold(&rig);
    assert_many(&rig);
    rig_close(&rig, true);
    return calls;
}

static void a_fold_cut_between_its_transactions_leaves_whole_contracts(void **state)
{
    (void)state;
    (void)seed_random();
    unsigned calls = cut_fold(0);
    for (unsigned i = 0; i < 12; i++)
        (void)cut_fold(1 + (unsigned)random_below(calls));
}

/* A contract of many entries that goes, and comes back with one. */
static void assert_dropped(struct rig *rig, const struct subject *map, bool again)
{
    struct store_stats stats;
    const struct held *held;
    if (again)
        assert_map(rig, &map->contract, "new=1 ");
    else
        assert_int_equal(store_find(rig->store, &map->contract.key, &held, &rig->why),
                         ERR_NOT_FOUND);
    store_stats(rig->store, &stats);
    assert_int_equal(stats.contracts, again);
    assert_int_equal(stats.entries, again);
    assert_int_equal(stats.damaged, 0);
    assert_clean(rig);
}

static void drop_many(struct rig *rig, const struct subject *map, bool again)
{
    struct buffer delta = {0};
    for (unsigned i = 0; i < 4 * MANY; i++) {
        char field[16];
        (void)snprintf(field, sizeof field, "f%06u", i);
        map_entry(&delta, field, 1, slice_text("some data"));
    }
    assert_int_equal(rig_merge(rig, &map->contract, buffer_slice(&delta), NULL), 0);
    buffer_free(&delta);
    rig_fold(rig);
    rig_set(rig, &map->contract, "late", 1, "a record that does not tell the kind");
    assert_int_equal(rig_drop(rig, &map->contract), 0);
    if (again)
        rig_set(rig, &map->contract, "new", 1, "1");
}

static unsigned cut_drop(unsigned n, bool again)
{
    struct rig rig, left;
    struct subject map;
    rig_open(&rig);
    subject_init(&map, "map", "m", 0);
    drop_many(&rig, &map, again);
    unsigned calls = fold_cut_at(&rig, &left, n);
    assert_dropped(&left, &map, again);
    rig_fold(&left);
    assert_dropped(&left, &map, again);
    rig_close(&left, true);
    if (n && repeat_fold(&rig))
        rig_reopen(&rig);
    rig_fold(&rig);
    assert_dropped(&rig, &map, again);
    rig_close(&rig, true);
    subject_free(&map);
    return calls;
}

static void a_drop_cut_between_its_transactions_is_a_drop(void **state)
{
    (void)state;
    unsigned calls = cut_drop(0, false), again = cut_drop(0, true);
    for (unsigned n = 1; n <= calls; n++)
        (void)cut_drop(n, false);
    for (unsigned n = 1; n <= again; n++)
        (void)cut_drop(n, true);
    print_message("%u and %u calls\n", calls, again);
}

/* --- a contract of many entries --------------------------------------------------------- */

static void add(struct buffer *delta, const struct contract *contract, unsigned number,
                uint64_t stamp)
{
    uint8_t data[300], key[STAMPED_BYTES] = {0};
    char field[16];
    memset(data, (int)('a' + stamp), sizeof data);
    (void)snprintf(field, sizeof field, "f%06u", number);
    put_u64(key, number + 1);
    if (contract->kind->settle)
        entry_append(delta, slice_of(key, sizeof key), slice_of(data, 1));
    else
        map_entry(delta, field, stamp, slice_of(data, sizeof data));
}

static void set_some(struct rig *rig, const struct contract *contract, unsigned from,
                     unsigned count, uint64_t stamp)
{
    struct buffer delta = {0};
    for (unsigned i = from; i < from + count; i++)
        add(&delta, contract, i, stamp);
    assert_int_equal(rig_merge(rig, contract, buffer_slice(&delta), NULL), 0);
    buffer_free(&delta);
}

static void set_many(struct rig *rig, const struct contract *map, unsigned from, uint64_t stamp)
{
    for (unsigned i = 0; i < 3 * MANY; i += MANY / 10)
        set_some(rig, map, from + i, MANY / 10, stamp);
}

static struct fingerprint print_of(struct rig *rig, const struct contract *map)
{
    const struct held *held;
    assert_int_equal(store_find(rig->store, &map->key, &held, &rig->why), 0);
    return held->fingerprint;
}

static void assert_print(struct rig *rig, const struct contract *map,
                         const struct fingerprint *print)
{
    struct fingerprint here = print_of(rig, map);
    assert_memory_equal(&here, print, sizeof here);
    assert_clean(rig);
}

/* Of what is folded in a map two thirds replace what LMDB has; a log with a cap loses a third. */
static unsigned cut_parts(const char *kind, unsigned n)
{
    struct rig rig, left;
    struct subject map;
    rig_open(&rig);
    subject_init(&map, kind, "m", strcmp(kind, "log") == 0 ? 3 * MANY : 0);
    set_many(&rig, &map.contract, 0, 1);
    rig_fold(&rig);
    set_many(&rig, &map.contract, MANY, 2);
    struct fingerprint print = print_of(&rig, &map.contract);
    unsigned calls = fold_cut_at(&rig, &left, n);
    assert_print(&left, &map.contract, &print);
    rig_fold(&left);
    assert_print(&left, &map.contract, &print);
    rig_close(&left, true);
    if (n && repeat_fold(&rig))
        rig_reopen(&rig);
    rig_fold(&rig);
    assert_print(&rig, &map.contract, &print);
    rig_close(&rig, true);
    subject_free(&map);
    return calls;
}

static void cut_at_some(const char *kind)
{
    unsigned calls = cut_parts(kind, 0);
    for (unsigned i = 0; i < 8; i++)
        (void)cut_parts(kind, 1 + (unsigned)random_below(calls));
}

static void a_large_contract_cut_between_its_parts_is_whole(void **state)
{
    (void)state;
    (void)seed_random();
    cut_at_some("map");
}

/* With some of the changes, and what they make too many, it would be no log with that cap. */
static void a_large_contract_with_a_cap_is_not_written_in_parts(void **state)
{
    (void)state;
    (void)seed_random();
    cut_at_some("log");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fold_cut_between_its_transactions_leaves_whole_contracts),
        cmocka_unit_test(a_drop_cut_between_its_transactions_is_a_drop),
        cmocka_unit_test(a_large_contract_cut_between_its_parts_is_whole),
        cmocka_unit_test(a_large_contract_with_a_cap_is_not_written_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
