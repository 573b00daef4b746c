/* Merge as the node uses it: limits, changes, caps, readers that fail, and large states. */
#include "contracts/state.h"
#include "tests/property/cases.h"
#include "tests/unit/contracts_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { NOW = 1000 };

static void a_state_may_not_grow_past_its_limit_but_may_shrink_above_it(void **state)
{
    (void)state;
    struct fixture f;
    struct merge merge = {0};
    struct buffer longer = {0}, shorter = {0};
    fixture_open(&f, "register", slice_of(NULL, 0));
    fixture_edit(&f, 'a', NOW, "set 0123456789");
    assert_int_equal(fixture_delta(&f, 'a', NOW, "set 0123456789a", &longer), 0);
    assert_int_equal(fixture_delta(&f, 'a', NOW, "set 01234", &shorter), 0);
    struct state_reader reader = state_reader(f.state);
    struct summary summary = *state_summary(f.state), before = summary;
    uint64_t now = summary.state_bytes;
    assert_int_equal(contract_merge(&f.contract, &reader, buffer_slice(&longer), false, now,
                                    &summary, &merge, &f.why),
                     ERR_TOO_LARGE);
    assert_non_null(strstr(f.why.text, "32 bytes, the most is 31"));
    assert_true(summary_equal(&summary, &before));
    assert_int_equal(merge.count, 0);
    assert_int_equal(contract_merge(&f.contract, &reader, buffer_slice(&shorter), false, 3,
                                    &summary, &merge, &f.why),
                     0);
    assert_int_equal(summary.state_bytes, now - 5);
    assert_int_equal(contract_merge(&f.contract, &reader, buffer_slice(&longer), false, now + 1,
                                    &before, &merge, &f.why),
                     0);
    merge_free(&merge);
    buffer_free(&longer);
    buffer_free(&shorter);
    fixture_close(&f);
}

static void summaries_of_different_states_differ(void **state)
{
    (void)state;
    const struct slice key = slice_text("k");
    struct summary empty = {0}, a = {0}, b = {0}, longer = {0}, two = {0};
    summary_add(&a, key, slice_text("a"));
    summary_add(&b, key, slice_text("b"));
    summary_add(&longer, key, slice_text("aa"));
    summary_add(&two, key, slice_text("a"));
    summary_add(&two, slice_text("l"), slice_text("a"));
    const struct summary *all[] = {&empty, &a, &b, &longer, &two};
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 5; j++)
            assert_int_equal(summary_equal(all[i], all[j]), i == j);
    summary_remove(&two, slice_text("l"), slice_text("a"));
    assert_true(summary_equal(&two, &a));
}

/* A reader over another one that fails at a chosen call. */
struct failing {
    struct state_reader under;
    unsigned calls, fail_at;
};

static bool fails(struct failing *self)
{
    return ++self->calls == self->fail_at;
}

static int failing_get(void *me, struct slice key, struct slice *value)
{
    struct failing *self = (struct failing *)me;
    return fails(self) ? ERR_IO : self->under.get(self->under.self, key, value);
}

static int failing_seek(void *me, struct slice from, bool past, struct entry *entry)
{
    struct failing *self = (struct failing *)me;
    return fails(self) ? ERR_DAMAGED : self->under.seek(self->under.self, from, past, entry);
}

static uint64_t failing_count(void *me)
{
    const struct failing *self = (const struct failing *)me;
    return self->under.count(self->under.self);
}

static struct slice cap_params(uint64_t newest, struct buffer *out)
{
    params_of(newest, slice_of(NULL, 0), out);
    return buffer_slice(out);
}

static void a_reader_that_fails_at_any_call_leaves_no_result(void **state)
{
    (void)state;
    struct fixture f;
    struct buffer params = {0}, delta = {0};
    fixture_open(&f, "log", cap_params(2, &params));
    fixture_edit(&f, 'a', NOW, "append 1 2");
    assert_int_equal(fixture_delta(&f, 'a', NOW, "append 3 4", &delta), 0);
    unsigned failed = 0;
    for (unsigned at = 1;; at++) {
        struct failing failing = {.under = state_reader(f.state), .fail_at = at};
        struct state_reader reader = {&failing, failing_get, failing_seek, failing_count};
        struct summary summary = *state_summary(f.state), before = summary;
        struct merge merge = {0};
        int rc = contract_merge(&f.contract, &reader, buffer_slice(&delta), false, STATE_BYTES_MAX,
                                &summary, &merge, &f.why);
        if (rc) {
            assert_true(rc == ERR_IO || rc == ERR_DAMAGED);
            assert_int_equal(merge.count, 0);
            assert_true(summary_equal(&summary, &before));
            failed++;
        }
        merge_free(&merge);
        if (failing.calls < at)
            break;
    }
    assert_int_equal(failed, 6); /* two looks for the new entries, two for the oldest, two drops */
    buffer_free(&params);
    buffer_free(&delta);
    fixture_close(&f);
}

static void a_reader_that_fails_refuses_an_edit(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *setup, *verb;
        size_t count;
    } rows[] = {
        {"counter", "add 1", "add", 1},        {"register", "set 1", "set", 1},
        {"multi-register", "set 1", "set", 1}, {"set", "add 1 2", "add", 2},
        {"set", "add 1 2", "remove", 2},       {"map", "set 1 2", "set", 2},
        {"map", "set 1 2", "remove", 1},       {"log", "append 1", "append", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct slice operands[] = {slice_text("1"), slice_text("2")};
        struct editor editor = {.replica = "replica", .now_ms = NOW};
        fixture_open(&f, rows[i].kind, slice_of(NULL, 0));
        fixture_edit(&f, 'a', NOW, rows[i].setup);
        for (unsigned at = 1;; at++) {
            struct failing failing = {.under = state_reader(f.state), .fail_at = at};
            struct state_reader reader = {&failing, failing_get, failing_seek, failing_count};
            struct buffer delta = {0};
            f.why.text[0] = 0;
            int rc = kind_edit(&f.contract, &reader, &editor, slice_text(rows[i].verb), operands,
                               rows[i].count, &delta, &f.why);
            buffer_free(&delta);
            if (failing.calls < at) {
                assert_int_equal(rc, 0);
                assert_true(at > 1);
                break;
            }
            assert_true(rc == ERR_IO || rc == ERR_DAMAGED);
            assert_non_null(strstr(f.why.text, error_text(rc)));
        }
        fixture_close(&f);
    }
}

static void an_entry_too_old_for_the_cap_leaves_no_change(void **state)
{
    (void)state;
    struct fixture f;
    struct buffer params = {0}, old = {0};
    fixture_open(&f, "log", cap_params(2, &params));
    assert_int_equal(fixture_delta(&f, 'a', NOW, "append old", &old), 0);
    fixture_edit(&f, 'a', 2 * NOW, "append 1 2");
    struct summary before = *state_summary(f.state);
    assert_int_equal(fixture_merge(&f, buffer_slice(&old)), 0);
    assert_true(summary_equal(&before, state_summary(f.state)));
    assert_string_equal(fixture_show(&f), "1 2");
    buffer_free(&params);
    buffer_free(&old);
    fixture_close(&f);
}

/* lesson M4: which ones stay is told by the set alone, in pieces of any size. */
static void caps_0_1_and_n_keep_the_newest(void **state)
{
    (void)state;
    static const char *const shown[] = {"", "9", "8 9", "7 8 9"};
    for (uint64_t cap = 0; cap < 4; cap++) {
        struct fixture f;
        struct buffer params = {0};
        fixture_open(&f, "log", cap_params(cap, &params));
        fixture_edit(&f, 'a', NOW, "append 1 2 3 4 5");
        fixture_edit(&f, 'b', NOW + 1, "append 6");
        fixture_edit(&f, 'a', NOW + 2, "append 7 8 9");
        assert_string_equal(fixture_show(&f), shown[cap]);
        assert_int_equal(state_summary(f.state)->count, cap);
        fixture_close(&f);
        buffer_free(&params);
    }
}

static struct slice numbered_field(uint64_t number, struct buffer *out)
{
    uint8_t key[8], value[17 + 8] = {0};
    put_u64(key, number * 0x9E3779B97F4A7C15u); /* all over the key space */
    put_u64(value, 1 + number % 5);
    value[16] = 1;
    put_u64(value + 17, number);
    buffer_clear(out);
    entry_append(out, slice_of(key, sizeof key), slice_of(value, sizeof value));
    return buffer_slice(out);
}

/* The same 20,000 entries one by one in two orders, and at once: equal bytes. */
static void large_states_are_equal_whatever_way_they_grew(void **state)
{
    (void)state;
    enum { ENTRIES = 20000 };
    struct fixture up, down, whole;
    struct buffer delta = {0}, bytes = {0}, other = {0};
    fixture_open(&up, "map", slice_of(NULL, 0));
    fixture_open(&down, "map", slice_of(NULL, 0));
    fixture_open(&whole, "map", slice_of(NULL, 0));
    for (uint64_t i = 0; i < ENTRIES; i++) {
        assert_int_equal(fixture_merge(&up, numbered_field(i, &delta)), 1);
        assert_int_equal(fixture_merge(&down, numbered_field(ENTRIES - 1 - i, &delta)), 1);
    }
    bytes = fixture_bytes(&up);
    other = fixture_bytes(&down);
    assert_true(slice_equal(buffer_slice(&bytes), buffer_slice(&other)));
    assert_true(summary_equal(state_summary(up.state), state_summary(down.state)));
    assert_int_equal(fixture_merge(&whole, buffer_slice(&bytes)), ENTRIES);
    assert_true(summary_equal(state_summary(up.state), state_summary(whole.state)));
    assert_int_equal(fixture_merge(&whole, buffer_slice(&other)), 0);
    struct state_reader reader = state_reader(whole.state);
    struct entry entry, last = {slice_of(NULL, 0), slice_of(NULL, 0)};
    uint64_t count = 0;
    while (reader.seek(reader.self, last.key, count > 0, &entry) == 0) {
        assert_true(count == 0 || slice_compare(last.key, entry.key) < 0);
        last = entry;
        count++;
    }
    assert_int_equal(count, ENTRIES);
    fixture_close(&up);
    fixture_close(&down);
    fixture_close(&whole);
    buffer_free(&delta);
    buffer_free(&bytes);
    buffer_free(&other);
}

/* A window of 1,000 over 50,000 appends: the front goes as the end grows. */
static void a_capped_log_slides(void **state)
{
    (void)state;
    struct fixture f;
    struct buffer params = {0}, delta = {0};
    fixture_open(&f, "log", cap_params(1000, &params));
    for (uint64_t i = 1; i <= 50000; i++) {
        uint8_t key[16] = {0};
        put_u64(key, i);
        buffer_clear(&delta);
        entry_append(&delta, slice_of(key, sizeof key), slice_text("x"));
        assert_int_equal(fixture_merge(&f, buffer_slice(&delta)), i > 1000 ? 2 : 1);
    }
    struct state_reader reader = state_reader(f.state);
    struct entry entry;
    assert_int_equal(reader.count(reader.self), 1000);
    assert_int_equal(reader.seek(reader.self, slice_of(NULL, 0), false, &entry), 0);
    assert_int_equal(get_u64(entry.key.data), 49001);
    fixture_close(&f);
    buffer_free(&params);
    buffer_free(&delta);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_may_not_grow_past_its_limit_but_may_shrink_above_it),
        cmocka_unit_test(summaries_of_different_states_differ),
        cmocka_unit_test(a_reader_that_fails_at_any_call_leaves_no_result),
        cmocka_unit_test(a_reader_that_fails_refuses_an_edit),
        cmocka_unit_test(an_entry_too_old_for_the_cap_leaves_no_change),
        cmocka_unit_test(caps_0_1_and_n_keep_the_newest),
        cmocka_unit_test(large_states_are_equal_whatever_way_they_grew),
        cmocka_unit_test(a_capped_log_slides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
