/* EDIT at its limits: sizes, numbers used up, and how little of a state an edit looks at. */
#include "tests/unit/contracts_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { NOW = 1000 };

static int edit_sized(struct fixture *f, const char *verb, size_t count, size_t first, size_t last)
{
    struct buffer a = {0}, b = {0}, delta = {0};
    struct state_reader reader = state_reader(f->state);
    struct editor editor = {.now_ms = NOW};
    if (first)
        (void)buffer_grow(&a, first);
    if (last)
        (void)buffer_grow(&b, last);
    struct slice operands[] = {buffer_slice(&a), buffer_slice(&b)};
    int rc = kind_edit(&f->contract, &reader, &editor, slice_text(verb), operands, count, &delta,
                       &f->why);
    if (!rc)
        (void)fixture_merge(f, buffer_slice(&delta));
    else
        assert_int_equal(delta.size, 0);
    buffer_free(&a);
    buffer_free(&b);
    buffer_free(&delta);
    return rc;
}

/* At its limit an operand is taken and the delta is valid; a byte more is too much. */
static void operands_are_taken_up_to_their_limits(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *verb;
        size_t operands, first, last;
        bool first_is_it; /* the operand that is at its limit */
    } rows[] = {
        {"register", "set", 1, ENTRY_VALUE_BYTES_MAX - 16, 0, true},
        {"multi-register", "set", 1, ENTRY_VALUE_BYTES_MAX - 9, 0, true},
        {"set", "add", 1, 246, 0, true},
        {"set", "remove", 1, 246, 0, true},
        {"map", "set", 2, 255, 10, true},
        {"map", "set", 2, 1, ENTRY_VALUE_BYTES_MAX - 17, false},
        {"map", "remove", 1, 255, 0, true},
        {"log", "append", 1, ENTRY_VALUE_BYTES_MAX, 0, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        size_t first = rows[i].first, last = rows[i].last;
        fixture_open(&f, rows[i].kind, slice_of(NULL, 0));
        assert_int_equal(edit_sized(&f, rows[i].verb, rows[i].operands, first, last), 0);
        first += rows[i].first_is_it;
        last += !rows[i].first_is_it;
        assert_int_equal(edit_sized(&f, rows[i].verb, rows[i].operands, first, last),
                         ERR_TOO_LARGE);
        fixture_close(&f);
    }
}

static void empty_operands_are_values_but_not_fields(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *verb;
        size_t operands;
        int code;
    } rows[] = {
        {"register", "set", 1, 0},
        {"multi-register", "set", 1, 0},
        {"set", "add", 1, 0},
        {"set", "remove", 1, 0},
        {"log", "append", 1, 0},
        {"map", "set", 2, ERR_BAD_REQUEST},
        {"map", "remove", 1, ERR_BAD_REQUEST},
        {"counter", "add", 1, ERR_BAD_REQUEST},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        fixture_open(&f, rows[i].kind, slice_of(NULL, 0));
        assert_int_equal(edit_sized(&f, rows[i].verb, rows[i].operands, 0, 0), rows[i].code);
        fixture_close(&f);
    }
}

/* A writer who takes the greatest stamp leaves no room: a sentence, not a wrap to the past. */
static void used_up_numbers_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *key, *head, *tail, *words;
        size_t key_bytes, tail_bytes;
    } rows[] = {
        {"counter", "+aaaaaaaa", "\xff\xff\xff\xff\xff\xff\xff\xff", "", "add 1", 9, 0},
        {"register", "", "\x7f\xff\xff\xff\xff\xff\xff\xff", "bbbbbbbb", "set x", 0, 8},
        {"multi-register", "aaaaaaaa", "\x7f\xff\xff\xff\xff\xff\xff\xff", "\0", "set x", 8, 1},
        {"set", "\1xaaaaaaaa", "\x7f\xff\xff\xff\xff\xff\xff\xff", "\0", "add x", 10, 1},
        {"map", "x", "\x7f\xff\xff\xff\xff\xff\xff\xff", "bbbbbbbb\1", "set x y", 1, 9},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct buffer delta = {0}, value = {0};
        fixture_open(&f, rows[i].kind, slice_of(NULL, 0));
        buffer_append(&value, rows[i].head, 8);
        buffer_append(&value, rows[i].tail, rows[i].tail_bytes);
        entry_append(&delta, slice_of(rows[i].key, rows[i].key_bytes), buffer_slice(&value));
        (void)fixture_merge(&f, buffer_slice(&delta));
        buffer_clear(&delta);
        assert_int_equal(fixture_delta(&f, 'a', NOW, rows[i].words, &delta), ERR_BAD_REQUEST);
        assert_non_null(strstr(f.why.text, "used up"));
        assert_int_equal(delta.size, 0);
        fixture_close(&f);
        buffer_free(&delta);
        buffer_free(&value);
    }
}

static void a_log_with_the_greatest_stamp_takes_no_more(void **state)
{
    (void)state;
    struct fixture f;
    struct buffer delta = {0};
    fixture_open(&f, "log", slice_of(NULL, 0));
    entry_append(&delta,
                 slice_of("\x7f\xff\xff\xff\xff\xff\xff\xfe"
                          "aaaaaaaa",
                          16),
                 slice_text("x"));
    (void)fixture_merge(&f, buffer_slice(&delta));
    fixture_edit(&f, 'a', NOW, "append y");
    assert_string_equal(fixture_show(&f), "x y");
    buffer_clear(&delta);
    assert_int_equal(fixture_delta(&f, 'a', NOW, "append z", &delta), ERR_BAD_REQUEST);
    fixture_close(&f);
    buffer_free(&delta);
}

/* lesson M6: appends look at a few entries, whatever the log holds. */
struct counted {
    struct state_reader under;
    unsigned seeks;
};

static int counted_get(void *me, struct slice key, struct slice *value)
{
    struct counted *self = (struct counted *)me;
    self->seeks++;
    return self->under.get(self->under.self, key, value);
}

static int counted_seek(void *me, struct slice from, bool past, struct entry *entry)
{
    struct counted *self = (struct counted *)me;
    self->seeks++;
    return self->under.seek(self->under.self, from, past, entry);
}

static uint64_t counted_count(void *me)
{
    const struct counted *self = (const struct counted *)me;
    return self->under.count(self->under.self);
}

static unsigned looks_of(struct fixture *f, uint64_t now_ms, const char *verb, const char *operand)
{
    struct counted counted = {.under = state_reader(f->state)};
    struct state_reader reader = {&counted, counted_get, counted_seek, counted_count};
    struct editor editor = {.replica = "replica", .now_ms = now_ms};
    struct slice operands[] = {slice_text(operand), slice_text("1")};
    struct buffer delta = {0};
    size_t count = f->contract.kind == kind_find(slice_text("map")) ? 2 : 1;
    assert_int_equal(
        kind_edit(&f->contract, &reader, &editor, slice_text(verb), operands, count, &delta, NULL),
        0);
    buffer_free(&delta);
    return counted.seeks;
}

static void an_edit_looks_at_little_in_a_large_state(void **state)
{
    (void)state;
    enum { ENTRIES = 20000 };
    struct fixture f;
    struct buffer delta = {0};
    fixture_open(&f, "log", slice_of(NULL, 0));
    for (uint64_t i = 0; i < ENTRIES; i++) { /* all in one millisecond and on */
        uint8_t key[16] = {0};
        put_u64(key, ((uint64_t)NOW << 16) + i);
        entry_append(&delta, slice_of(key, sizeof key), slice_text(""));
    }
    (void)fixture_merge(&f, buffer_slice(&delta));
    assert_int_equal(looks_of(&f, NOW + 1, "append", "x"), 1);
    assert_in_range(looks_of(&f, NOW, "append", "x"), 2, 40);
    assert_in_range(looks_of(&f, 0, "append", "x"), 2, 130);
    fixture_close(&f);
    fixture_open(&f, "set", slice_of(NULL, 0));
    fixture_edit(&f, 'a', NOW, "add x y");
    fixture_edit(&f, 'b', NOW, "add x y");
    assert_int_equal(looks_of(&f, NOW, "add", "x"), 1);
    assert_int_equal(looks_of(&f, NOW, "remove", "x"), 3);
    fixture_close(&f);
    buffer_free(&delta);
}

/* Every key that an edit of a signed state looks at lies in a range told before. */
struct ranges {
    struct slice wanted;
    bool told;
    size_t count;
};

static int take_range(void *me, struct slice first, struct slice last)
{
    struct ranges *self = (struct ranges *)me;
    assert_true(slice_compare(first, last) <= 0);
    self->count++;
    self->told = self->told || (slice_compare(first, self->wanted) <= 0 &&
                                slice_compare(self->wanted, last) <= 0);
    return 0;
}

static void the_ranges_of_an_edit_cover_what_it_touches(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *setup, *words, *verb;
        const char *operands[4];
        size_t count;
    } rows[] = {
        {"counter", "add 5", "add -2", "add", {"-2"}, 1},
        {"register", "set x", "set y", "set", {"y"}, 1},
        {"multi-register", "set x", "set y", "set", {"y"}, 1},
        {"set", "add x y", "remove x y", "remove", {"x", "y"}, 2},
        {"set", "add x y", "add x y", "add", {"x", "y"}, 2},
        {"map", "set f 1 g 2", "set f 3 h 4", "set", {"f", "3", "h", "4"}, 4},
        {"map", "set f 1 g 2", "remove f g", "remove", {"f", "g"}, 2},
        {"log", "append x", "append y", "append", {"y"}, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct buffer delta = {0};
        struct slice operands[4];
        struct editor editor = {.replica = "bbbbbbbb", .now_ms = NOW};
        for (size_t j = 0; j < rows[i].count; j++)
            operands[j] = slice_text(rows[i].operands[j]);
        fixture_open(&f, rows[i].kind, slice_of(NULL, 0));
        fixture_edit(&f, 'a', NOW, rows[i].setup);
        assert_int_equal(fixture_delta(&f, 'b', NOW, rows[i].words, &delta), 0);
        struct entries walk = entries_of(buffer_slice(&delta));
        struct entry entry;
        while (entries_next(&walk, &entry, NULL) > 0) {
            struct ranges ranges = {.wanted = entry.key};
            assert_int_equal(kind_edit_ranges(&f.contract, &editor, slice_text(rows[i].verb),
                                              operands, rows[i].count, take_range, &ranges, NULL),
                             0);
            assert_true(ranges.told);
        }
        assert_true(walk.number > 0);
        fixture_close(&f);
        buffer_free(&delta);
    }
}

static int stop_at_once(void *me, struct slice first, struct slice last)
{
    (void)first, (void)last;
    ++*(unsigned *)me;
    return ERR_BUSY;
}

static void who_takes_ranges_may_stop_them(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *verb;
        size_t count;
    } rows[] = {
        {"counter", "add", 1}, {"register", "set", 1}, {"multi-register", "set", 1},
        {"set", "add", 4},     {"map", "remove", 4},   {"log", "append", 4},
    };
    struct slice operands[] = {slice_text("1"), slice_text("2"), slice_text("3"), slice_text("4")};
    struct editor editor = {.replica = "replica", .now_ms = NOW};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        unsigned calls = 0;
        fixture_open(&f, rows[i].kind, slice_of(NULL, 0));
        assert_int_equal(kind_edit_ranges(&f.contract, &editor, slice_text(rows[i].verb), operands,
                                          rows[i].count, stop_at_once, &calls, &f.why),
                         ERR_BUSY);
        assert_int_equal(calls, 1);
        fixture_close(&f);
    }
}

/* As the edit itself would be. */
static void ranges_of_what_cannot_be_edited_are_refused(void **state)
{
    (void)state;
    static char long_element[ENTRY_KEY_BYTES_MAX + 2];
    memset(long_element, 'x', sizeof long_element - 1);
    const struct {
        const char *kind, *verb, *operand, *says;
        int rc;
    } rows[] = {
        {"set", "append", "x", "a set knows no 'append'; it knows: add, remove", ERR_BAD_KIND},
        {"set", "a-verb-of-more-bytes-than-are-shown-of-it", "x",
         "'a-verb-of-more-bytes-than-are-sh'", ERR_BAD_KIND},
        {"set", "add", NULL, "set add takes", ERR_BAD_REQUEST},
        {"set", "add", long_element, "an element of 256 bytes, the most is 246", ERR_TOO_LARGE},
        {"map", "remove", long_element, "a field of 256 bytes, the most is 255", ERR_TOO_LARGE},
        {"map", "remove", "", "a field of 0 bytes", ERR_BAD_REQUEST},
    };
    struct editor editor = {.replica = "replica", .now_ms = NOW};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        unsigned calls = 0;
        struct slice operand = slice_text(rows[i].operand ? rows[i].operand : "");
        fixture_open(&f, rows[i].kind, slice_of(NULL, 0));
        assert_int_equal(kind_edit_ranges(&f.contract, &editor, slice_text(rows[i].verb), &operand,
                                          rows[i].operand ? 1 : 0, stop_at_once, &calls, &f.why),
                         rows[i].rc);
        if (!strstr(f.why.text, rows[i].says))
            fail_msg("%s, wanted %s", f.why.text, rows[i].says);
        assert_int_equal(calls, 0);
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operands_are_taken_up_to_their_limits),
        cmocka_unit_test(empty_operands_are_values_but_not_fields),
        cmocka_unit_test(used_up_numbers_are_refused),
        cmocka_unit_test(a_log_with_the_greatest_stamp_takes_no_more),
        cmocka_unit_test(an_edit_looks_at_little_in_a_large_state),
        cmocka_unit_test(the_ranges_of_an_edit_cover_what_it_touches),
        cmocka_unit_test(who_takes_ranges_may_stop_them),
        cmocka_unit_test(ranges_of_what_cannot_be_edited_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
