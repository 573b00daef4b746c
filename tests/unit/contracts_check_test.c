/* States from outside: one encoding, limits, and entries that a correct writer could have made. */
#include "tests/unit/contracts_fixture.h"

#include "contracts/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void refuses(struct fixture *f, struct slice delta, const char *says)
{
    size_t changed = 77;
    struct summary before = *state_summary(f->state);
    f->why.text[0] = 0;
    assert_int_equal(state_merge(f->state, delta, &changed, &f->why), ERR_BAD_STATE);
    if (!strstr(f->why.text, says))
        fail_msg("%s: '%s', wanted '%s'", f->contract.kind->name, f->why.text, says);
    assert_int_equal(changed, 77);
    assert_true(summary_equal(&before, state_summary(f->state)));
    assert_int_equal(contract_check(&f->contract, NULL, delta, NULL, NULL), ERR_BAD_STATE);
}

static int no_item(void *self, const struct view_item *item)
{
    (void)self, (void)item;
    return 0;
}

/* Bytes with their size, in tables: strings with zero bytes in them. */
#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static void entries_that_no_writer_makes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        struct slice key, value;
        const char *says;
    } rows[] = {
        {"counter", BYTES("ab"), BYTES("\0\0\0\0\0\0\0\1"),
         "entry 1 (key 0x6162): key of 2 bytes, a counter's has 9"},
        {"counter", BYTES("+replica8"), BYTES("1234"), "value of 4 bytes, a counter's has 8"},
        {"counter", BYTES("*replica8"), BYTES("12345678"), "0x2a, wanted '+' or '-'"},
        {"counter", BYTES("-replica8"), BYTES("\0\0\0\0\0\0\0\0"), "a total of 0"},
        {"counter", BYTES("-replica8"), BYTES("123456789"), "value of 9 bytes"},
        {"register", BYTES("x"), BYTES("12345678replica8"), "a register's is empty"},
        {"register", BYTES(""), BYTES("12345678replica"), "15 bytes, wanted at least 16"},
        {"register", BYTES(""), BYTES("\0\0\0\0\0\0\0\0replica8"), "number 0 is not"},
        {"register", BYTES(""), BYTES("\x80\0\0\0\0\0\0\0replica8"), "2^63 - 1"},
        {"multi-register", BYTES("replica"), BYTES("12345678\0"), "key of 7 bytes"},
        {"multi-register", BYTES("replica8"), BYTES("12345678"), "value of 8 bytes"},
        {"multi-register", BYTES("replica8"), BYTES("12345678\2"), "tag 2"},
        {"multi-register", BYTES("replica8"), BYTES("12345678\1x"), "followed by 1 bytes"},
        {"multi-register", BYTES("replica8"), BYTES("\0\0\0\0\0\0\0\0\0"), "number 0"},
        {"set", BYTES("replica8"), BYTES("12345678\0"), "key of 8 bytes"},
        {"set", BYTES("\2areplica8"), BYTES("12345678\0"), "an element of 2 bytes"},
        {"set", BYTES("\0areplica8"), BYTES("12345678\0"), "an element of 0 bytes"},
        {"set", BYTES("\1areplica8"), BYTES("12345678"), "value of 8 bytes, a set's has 9"},
        {"set", BYTES("\1areplica8"), BYTES("12345678\0x"), "value of 10 bytes"},
        {"set", BYTES("\1areplica8"), BYTES("12345678\2"), "tag 2"},
        {"set", BYTES("\1areplica8"), BYTES("\xff\0\0\0\0\0\0\0\0"), "2^63 - 1"},
        {"map", BYTES(""), BYTES("12345678replica8\1"), "key of 0 bytes"},
        {"map", BYTES("f"), BYTES("12345678replica8"), "value of 16 bytes"},
        {"map", BYTES("f"), BYTES("12345678replica8\2"), "tag 2"},
        {"map", BYTES("f"), BYTES("12345678replica8\0x"), "followed by 1 bytes"},
        {"map", BYTES("f"), BYTES("\0\0\0\0\0\0\0\0replica8\1"), "number 0"},
        {"log", BYTES("12345678replica"), BYTES(""), "key of 15 bytes, a log's has 16"},
        {"log", BYTES("12345678replica89"), BYTES(""), "key of 17 bytes"},
        {"log", BYTES("\0\0\0\0\0\0\0\0replica8"), BYTES(""), "number 0"},
        {"log", BYTES("\x80\0\0\0\0\0\0\0replica8"), BYTES(""),
         "entry 1 (key 0x80000000000000007265706c69636138): its stamp"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct buffer delta = {0};
        fixture_open(&f, rows[i].kind, slice_of(NULL, 0));
        entry_append(&delta, rows[i].key, rows[i].value);
        refuses(&f, buffer_slice(&delta), rows[i].says);
        assert_int_equal(view_items(&f.contract, buffer_slice(&delta), no_item, NULL, NULL),
                         ERR_BAD_STATE);
        fixture_close(&f);
        buffer_free(&delta);
    }
}

static struct buffer three_fields(struct fixture *f)
{
    fixture_open(f, "map", slice_of(NULL, 0));
    fixture_edit(f, 'a', 1000, "set f 1 g 22 h 333");
    return fixture_bytes(f);
}

/* Cut at an entry's end it is a shorter state; cut anywhere else it is none. */
static void a_state_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct buffer bytes = three_fields(&f);
    size_t whole = 0;
    for (size_t size = 0; size < bytes.size; size++) {
        struct slice cut = slice_of(bytes.data, size);
        struct entries walk = entries_of(cut);
        struct entry entry;
        while (entries_next(&walk, &entry, NULL) > 0)
            continue;
        if (walk.rest.size == 0) {
            whole++;
            assert_int_equal(state_merge(f.state, cut, NULL, NULL), 0);
        } else {
            refuses(&f, cut, "cut short");
        }
    }
    assert_int_equal(whole, 3);
    fixture_close(&f);
    buffer_free(&bytes);
}

/* A byte too much is the start of an entry that is not there, or one that is. */
static void a_state_with_bytes_after_it_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct buffer bytes = three_fields(&f);
    for (unsigned byte = 0; byte < 256; byte++) {
        buffer_append_u8(&bytes, (uint8_t)byte);
        refuses(&f, buffer_slice(&bytes), "entry 4: it is cut short");
        bytes.size--;
    }
    fixture_close(&f);
    buffer_free(&bytes);
}

static void entries_out_of_order_or_twice_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct buffer bytes = {0};
    fixture_open(&f, "map", slice_of(NULL, 0));
    entry_append(&bytes, slice_text("b"), slice_text("12345678replica8\1x"));
    entry_append(&bytes, slice_text("a"), slice_text("12345678replica8\1x"));
    refuses(&f, buffer_slice(&bytes), "entry 2: its key is less than the one before");
    buffer_clear(&bytes);
    entry_append(&bytes, slice_text("b"), slice_text("12345678replica8\1x"));
    entry_append(&bytes, slice_text("b"), slice_text("12345678replica8\1y"));
    refuses(&f, buffer_slice(&bytes), "entry 2: its key is there twice");
    fixture_close(&f);
    buffer_free(&bytes);
}

/* A length is met with its limit before its bytes are looked for. */
static void a_value_over_its_limit_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct buffer bytes = {0};
    fixture_open(&f, "register", slice_of(NULL, 0));
    (void)buffer_grow(&bytes, ENTRY_OVERHEAD + ENTRY_VALUE_BYTES_MAX + 1);
    put_u32(bytes.data + 1, ENTRY_VALUE_BYTES_MAX + 1);
    refuses(&f, buffer_slice(&bytes), "entry 1: its value is over 1 MiB");
    put_u32(bytes.data + 1, UINT32_MAX);
    refuses(&f, slice_of(bytes.data, 5), "entry 1: its value is over 1 MiB");
    put_u32(bytes.data + 1, ENTRY_VALUE_BYTES_MAX);
    bytes.data[5 + 7] = 1;
    assert_int_equal(fixture_merge(&f, slice_of(bytes.data, bytes.size - 1)), 1);
    fixture_close(&f);
    buffer_free(&bytes);
}

/* All or nothing: a bad entry after good ones leaves no trace of these. */
static void one_bad_entry_refuses_the_whole_delta(void **state)
{
    (void)state;
    struct fixture f;
    struct buffer bytes = three_fields(&f), after = {0};
    struct buffer delta = {0};
    assert_int_equal(fixture_delta(&f, 'b', 2000, "set a new g newer", &delta), 0);
    entry_append(&delta, slice_text("z"), slice_text("bad"));
    refuses(&f, buffer_slice(&delta), "entry 3 (key 0x7a): value of 3 bytes");
    assert_int_equal(state_encode(f.state, &after), 0);
    assert_true(slice_equal(buffer_slice(&bytes), buffer_slice(&after)));
    fixture_close(&f);
    buffer_free(&bytes);
    buffer_free(&after);
    buffer_free(&delta);
}

static void the_check_counts_entries(void **state)
{
    (void)state;
    struct fixture f;
    struct buffer bytes = three_fields(&f);
    uint64_t count = 77;
    assert_int_equal(contract_check(&f.contract, NULL, buffer_slice(&bytes), &count, NULL), 0);
    assert_int_equal(count, 3);
    assert_int_equal(contract_check(&f.contract, NULL, slice_of(NULL, 0), &count, NULL), 0);
    assert_int_equal(count, 0);
    fixture_close(&f);
    buffer_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_that_no_writer_makes_are_refused),
        cmocka_unit_test(a_state_cut_at_any_byte_is_refused),
        cmocka_unit_test(a_state_with_bytes_after_it_is_refused),
        cmocka_unit_test(entries_out_of_order_or_twice_are_refused),
        cmocka_unit_test(a_value_over_its_limit_is_refused),
        cmocka_unit_test(one_bad_entry_refuses_the_whole_delta),
        cmocka_unit_test(the_check_counts_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
