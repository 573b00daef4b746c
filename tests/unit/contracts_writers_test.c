/* Listed writers: what is signed by one of them for this contract and key is taken, nothing else.
 */
#include "contracts/writers.h"
#include "contracts/view.h"
#include "tests/unit/contracts_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sodium.h>
#include <cmocka.h>

struct pair {
    uint8_t public[WRITER_KEY_BYTES], secret[64];
};

static struct pair pair_of(uint8_t number)
{
    struct pair pair;
    uint8_t seed[crypto_sign_SEEDBYTES] = {number};
    (void)crypto_sign_seed_keypair(pair.public, pair.secret, seed);
    return pair;
}

static void open_signed(struct fixture *f, const char *kind, const char *name,
                        const struct pair *writer)
{
    struct buffer params = {0};
    entry_append(&params, slice_text("name"), slice_text(name));
    entry_append(&params, slice_text("writers"), slice_of(writer->public, WRITER_KEY_BYTES));
    fixture_open(f, kind, buffer_slice(&params));
    buffer_free(&params);
}

static struct buffer sign(struct fixture *f, const struct pair *writer, const char *words)
{
    struct buffer delta = {0}, out = {0};
    assert_int_equal(fixture_delta(f, 'a', 1000, words, &delta), 0);
    if (writers_sign(&f->contract, writer->secret, buffer_slice(&delta), &out, &f->why))
        fail_msg("%s", f->why.text);
    buffer_free(&delta);
    return out;
}

static void refuses(struct fixture *f, struct slice delta, const char *says)
{
    assert_int_equal(state_merge(f->state, delta, NULL, &f->why), ERR_BAD_STATE);
    if (!strstr(f->why.text, says))
        fail_msg("%s", f->why.text);
    assert_int_equal(state_summary(f->state)->count, 0);
}

static const struct {
    const char *kind, *words, *shown;
} edits[] = {
    {"counter", "add 5", "5"}, {"register", "set x", "x"}, {"multi-register", "set x", "x"},
    {"set", "add x y", "x y"}, {"map", "set f x", "f=x"},  {"log", "append x", "x"},
};
enum { EDITS = sizeof edits / sizeof edits[0] };

static void what_a_listed_writer_signed_is_taken_in_every_kind(void **state)
{
    (void)state;
    struct pair writer = pair_of(1);
    for (size_t i = 0; i < EDITS; i++) {
        struct fixture f;
        open_signed(&f, edits[i].kind, "x", &writer);
        struct buffer delta = sign(&f, &writer, edits[i].words);
        assert_int_equal(contract_check(&f.contract, NULL, buffer_slice(&delta), NULL, &f.why), 0);
        assert_true(fixture_merge(&f, buffer_slice(&delta)) > 0);
        assert_string_equal(fixture_show(&f), edits[i].shown);
        fixture_close(&f);
        buffer_free(&delta);
    }
}

/* The next edit builds on the inner values of signed ones. */
static void edits_on_signed_states_see_through_signatures(void **state)
{
    (void)state;
    struct pair writer = pair_of(1);
    struct fixture f;
    open_signed(&f, "counter", "x", &writer);
    for (int i = 0; i < 3; i++) {
        struct buffer delta = sign(&f, &writer, "add 5");
        assert_int_equal(fixture_merge(&f, buffer_slice(&delta)), 1);
        buffer_free(&delta);
    }
    assert_string_equal(fixture_show(&f), "15");
    assert_int_equal(state_summary(f.state)->count, 1);
    fixture_close(&f);
}

/* Edits that walk through what others wrote: each replica signs as the same writer here. */
static void edits_on_signed_states_see_what_other_replicas_wrote(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *first, *second, *shown;
    } rows[] = {
        {"set", "add x y", "remove x", "!x y"},
        {"multi-register", "set old", "set new", "new"},
        {"log", "append a", "append b", "a b"},
        {"map", "set f 1", "remove f", "!f"},
    };
    struct pair writer = pair_of(1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct buffer delta = {0}, out = {0};
        open_signed(&f, rows[i].kind, "x", &writer);
        struct buffer first = sign(&f, &writer, rows[i].first);
        (void)fixture_merge(&f, buffer_slice(&first));
        assert_int_equal(fixture_delta(&f, 'b', 1000, rows[i].second, &delta), 0);
        assert_int_equal(
            writers_sign(&f.contract, writer.secret, buffer_slice(&delta), &out, &f.why), 0);
        (void)fixture_merge(&f, buffer_slice(&out));
        assert_string_equal(fixture_show(&f), rows[i].shown);
        fixture_close(&f);
        buffer_free(&first);
        buffer_free(&delta);
        buffer_free(&out);
    }
}

static void a_value_too_short_for_a_trailer_has_no_writer(void **state)
{
    (void)state;
    struct pair writer = pair_of(1);
    struct fixture f;
    open_signed(&f, "map", "x", &writer);
    struct slice value = slice_text("short");
    assert_null(writers_who(&f.contract, value));
    assert_true(slice_equal(writers_inner(&f.contract, value), value));
    assert_int_equal(writers_verify(&f.contract, slice_text("f"), value, &f.why), ERR_BAD_STATE);
    assert_string_equal(f.why.text, "it carries no writer and signature");
    fixture_close(&f);
}

static void any_bit_flipped_is_refused(void **state)
{
    (void)state;
    struct pair writer = pair_of(1);
    struct fixture f;
    open_signed(&f, "map", "x", &writer);
    struct buffer delta = sign(&f, &writer, "set f x");
    for (size_t bit = 0; bit < 8 * delta.size; bit++) {
        delta.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        refuses(&f, buffer_slice(&delta), "entry 1");
        delta.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(fixture_merge(&f, buffer_slice(&delta)), 1);
    fixture_close(&f);
    buffer_free(&delta);
}

static void an_entry_moved_to_another_key_or_contract_is_refused(void **state)
{
    (void)state;
    struct pair writer = pair_of(1);
    struct fixture here, there;
    open_signed(&here, "map", "here", &writer);
    open_signed(&there, "map", "there", &writer);
    struct buffer delta = sign(&here, &writer, "set f x"), moved = {0};
    refuses(&there, buffer_slice(&delta), "signature does not verify");
    struct slice rest = buffer_slice(&delta);
    struct entry entry;
    assert_null(entry_take(&rest, &entry));
    entry_append(&moved, slice_text("g"), entry.value);
    refuses(&here, buffer_slice(&moved), "signature does not verify");
    fixture_close(&here);
    fixture_close(&there);
    buffer_free(&delta);
    buffer_free(&moved);
}

static void who_is_not_listed_cannot_sign_nor_be_taken(void **state)
{
    (void)state;
    struct pair writer = pair_of(1), stranger = pair_of(2);
    struct fixture f, strangers;
    open_signed(&f, "map", "x", &writer);
    open_signed(&strangers, "map", "x", &stranger);
    struct buffer delta = {0}, out = {0};
    assert_int_equal(fixture_delta(&f, 'a', 1000, "set f x", &delta), 0);
    assert_int_equal(writers_sign(&f.contract, stranger.secret, buffer_slice(&delta), &out, &f.why),
                     ERR_DENIED);
    assert_int_equal(out.size, 0);
    strangers.contract.key = f.contract.key; /* signs for the right contract */
    assert_int_equal(
        writers_sign(&strangers.contract, stranger.secret, buffer_slice(&delta), &out, NULL), 0);
    refuses(&f, buffer_slice(&out), "not among the contract's writers");
    fixture_close(&f);
    fixture_close(&strangers);
    buffer_free(&delta);
    buffer_free(&out);
}

static void unsigned_values_are_refused(void **state)
{
    (void)state;
    struct pair writer = pair_of(1);
    struct fixture f;
    struct buffer delta = {0};
    open_signed(&f, "log", "x", &writer);
    assert_int_equal(fixture_delta(&f, 'a', 1000, "append hello", &delta), 0);
    refuses(&f, buffer_slice(&delta), "value of 5 bytes, a signed one has at least 96");
    fixture_close(&f);
    buffer_free(&delta);
}

static void a_delta_that_is_no_delta_is_not_signed(void **state)
{
    (void)state;
    struct pair writer = pair_of(1);
    struct fixture f;
    struct buffer out = {0};
    open_signed(&f, "log", "x", &writer);
    assert_int_equal(writers_sign(&f.contract, writer.secret, slice_text("garbage"), &out, &f.why),
                     ERR_BAD_STATE);
    assert_int_equal(out.size, 0);
    fixture_close(&f);
    buffer_free(&out);
}

/* An entry held byte for byte is not verified again: here one that would not verify, put into the
 * state by a contract_join, which trusts. */
static void entries_held_are_not_verified_again(void **state)
{
    (void)state;
    struct pair writer = pair_of(1);
    struct fixture f;
    open_signed(&f, "map", "x", &writer);
    struct buffer delta = sign(&f, &writer, "set f x");
    delta.data[delta.size - 1] ^= 1;
    struct state_reader reader = state_reader(f.state);
    assert_int_equal(contract_check(&f.contract, &reader, buffer_slice(&delta), NULL, NULL),
                     ERR_BAD_STATE);
    assert_int_equal(state_join(f.state, buffer_slice(&delta), NULL), 0);
    assert_int_equal(contract_check(&f.contract, &reader, buffer_slice(&delta), NULL, NULL), 0);
    assert_int_equal(contract_check(&f.contract, NULL, buffer_slice(&delta), NULL, NULL),
                     ERR_BAD_STATE);
    fixture_close(&f);
    buffer_free(&delta);
}

static void a_new_value_for_a_key_that_is_held_is_verified(void **state)
{
    (void)state;
    struct pair writer = pair_of(1);
    struct fixture f;
    open_signed(&f, "map", "x", &writer);
    struct buffer first = sign(&f, &writer, "set f x");
    (void)fixture_merge(&f, buffer_slice(&first));
    struct buffer second = sign(&f, &writer, "set f y");
    for (size_t bit = 0; bit < 8 * second.size; bit++) {
        second.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(state_merge(f.state, buffer_slice(&second), NULL, NULL), ERR_BAD_STATE);
        second.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_string_equal(fixture_show(&f), "f=x");
    assert_int_equal(fixture_merge(&f, buffer_slice(&second)), 1);
    fixture_close(&f);
    buffer_free(&first);
    buffer_free(&second);
}

static int take_writer(void *me, const struct view_item *item)
{
    const uint8_t **writer = (const uint8_t **)me;
    *writer = item->writer;
    return 0;
}

static void the_view_tells_who_wrote(void **state)
{
    (void)state;
    struct pair writer = pair_of(1);
    for (size_t i = 1; i < EDITS; i++) { /* a counter is nobody's alone */
        struct fixture f;
        const uint8_t *who = NULL;
        open_signed(&f, edits[i].kind, "x", &writer);
        struct buffer delta = sign(&f, &writer, edits[i].words);
        assert_int_equal(
            view_items(&f.contract, buffer_slice(&delta), take_writer, (void *)&who, NULL), 0);
        assert_memory_equal(who, writer.public, WRITER_KEY_BYTES);
        fixture_close(&f);
        buffer_free(&delta);
    }
}

/* lesson M2: two writers, one inner value: the trailer decides, the same way everywhere. */
static void equal_values_of_two_writers_are_ordered_by_writer(void **state)
{
    (void)state;
    struct pair one = pair_of(1), two = pair_of(2);
    bool ascending = memcmp(one.public, two.public, WRITER_KEY_BYTES) < 0;
    const struct pair *low = ascending ? &one : &two, *high = ascending ? &two : &one;
    struct buffer params = {0};
    uint8_t writers[2 * WRITER_KEY_BYTES];
    memcpy(writers, low->public, WRITER_KEY_BYTES);
    memcpy(writers + WRITER_KEY_BYTES, high->public, WRITER_KEY_BYTES);
    entry_append(&params, slice_text("writers"), slice_of(writers, sizeof writers));
    for (int turn = 0; turn < 2; turn++) {
        struct fixture f;
        const uint8_t *who = NULL;
        fixture_open(&f, "map", buffer_slice(&params));
        struct buffer lower = sign(&f, low, "set f x"), higher = sign(&f, high, "set f x");
        (void)fixture_merge(&f, buffer_slice(turn ? &lower : &higher));
        (void)fixture_merge(&f, buffer_slice(turn ? &higher : &lower));
        struct buffer bytes = fixture_bytes(&f);
        assert_int_equal(
            view_items(&f.contract, buffer_slice(&bytes), take_writer, (void *)&who, NULL), 0);
        assert_memory_equal(who, high->public, WRITER_KEY_BYTES);
        fixture_close(&f);
        buffer_free(&lower);
        buffer_free(&higher);
        buffer_free(&bytes);
    }
    buffer_free(&params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_listed_writer_signed_is_taken_in_every_kind),
        cmocka_unit_test(edits_on_signed_states_see_through_signatures),
        cmocka_unit_test(edits_on_signed_states_see_what_other_replicas_wrote),
        cmocka_unit_test(a_value_too_short_for_a_trailer_has_no_writer),
        cmocka_unit_test(any_bit_flipped_is_refused),
        cmocka_unit_test(an_entry_moved_to_another_key_or_contract_is_refused),
        cmocka_unit_test(who_is_not_listed_cannot_sign_nor_be_taken),
        cmocka_unit_test(unsigned_values_are_refused),
        cmocka_unit_test(a_delta_that_is_no_delta_is_not_signed),
        cmocka_unit_test(entries_held_are_not_verified_again),
        cmocka_unit_test(a_new_value_for_a_key_that_is_held_is_verified),
        cmocka_unit_test(the_view_tells_who_wrote),
        cmocka_unit_test(equal_values_of_two_writers_are_ordered_by_writer),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
