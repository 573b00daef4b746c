/* The words of EDIT, what they do, and what they refuse. */
#include "tests/unit/contracts_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { NOW = 1000 };

struct step {
    char replica;
    const char *words;
    const char *shown; /* after it */
};

static void play(const char *kind, const struct step *steps)
{
    struct fixture f;
    fixture_open(&f, kind, slice_of(NULL, 0));
    for (; steps->words; steps++) {
        fixture_edit(&f, steps->replica, NOW, steps->words);
        assert_string_equal(fixture_show(&f), steps->shown);
    }
    fixture_close(&f);
}

static void a_counter_adds(void **state)
{
    (void)state;
    play("counter", (struct step[]){{'a', "add 5", "5"},
                                    {'b', "add 7", "12"},
                                    {'a', "add -20", "-8"},
                                    {'a', "add +1", "-7"},
                                    {'a', "add 0", "-7"},
                                    {'b', "add 007", "0"},
                                    {0}});
}

static void a_counter_is_held_at_the_bounds_of_64_bits(void **state)
{
    (void)state;
    play("counter", (struct step[]){{'a', "add 9223372036854775807", "9223372036854775807"},
                                    {'b', "add 5", "9223372036854775807"},
                                    {'b', "add -5", "9223372036854775807"},
                                    {'b', "add -1", "9223372036854775806"},
                                    {'a', "add -9223372036854775808", "-2"},
                                    {'b', "add -9223372036854775808", "-9223372036854775808"},
                                    {0}});
}

static void a_register_takes_the_last_write(void **state)
{
    (void)state;
    play("register", (struct step[]){{'b', "set one", "one"},
                                     {'a', "set two", "two"}, /* the same clock, a lower replica */
                                     {'a', "set two", "two"},
                                     {0}});
}

static void a_multi_register_replaces_what_the_writer_saw(void **state)
{
    (void)state;
    play("multi-register",
         (struct step[]){
             {'a', "set one", "one"}, {'b', "set two", "two"}, {'b', "set three", "three"}, {0}});
}

static void a_set_adds_and_removes(void **state)
{
    (void)state;
    play("set", (struct step[]){{'a', "add pear fig pear", "fig pear"},
                                {'b', "add fig banana", "banana fig pear"},
                                {'b', "remove fig none", "banana !fig pear"},
                                {'a', "remove pear pear", "banana !fig !pear"},
                                {'a', "add fig", "banana fig !pear"},
                                {0}});
}

/* Two sides that were apart: one removes what it sees, the other has removed and added meanwhile.
 */
static void an_addition_that_a_removal_has_not_seen_wins(void **state)
{
    (void)state;
    struct fixture here, there;
    fixture_open(&here, "set", slice_of(NULL, 0));
    fixture_open(&there, "set", slice_of(NULL, 0));
    fixture_edit(&here, 'a', 1000, "add pear");
    struct buffer seen = fixture_bytes(&here), removal = {0};
    (void)fixture_merge(&there, buffer_slice(&seen));
    assert_int_equal(fixture_delta(&there, 'b', 1000, "remove pear", &removal), 0);
    fixture_edit(&here, 'a', 1000, "add pear");
    (void)fixture_merge(&here, buffer_slice(&removal));
    assert_string_equal(fixture_show(&here), "pear");
    buffer_free(&seen);
    buffer_free(&removal);
    fixture_close(&here);
    fixture_close(&there);
}

static void a_map_sets_and_removes(void **state)
{
    (void)state;
    play("map", (struct step[]){{'a', "set f 1 g 2 f 3", "f=3 g=2"}, /* the later operand */
                                {'b', "set f 4", "f=4 g=2"},
                                {'b', "remove f none", "!f g=2"},
                                {'b', "remove f", "!f g=2"},
                                {'a', "set f 5", "f=5 g=2"},
                                {0}});
}

static void a_log_appends_after_all_it_has(void **state)
{
    (void)state;
    play("log", (struct step[]){{'z', "append 1 2 3", "1 2 3"},
                                {'a', "append 4", "1 2 3 4"},
                                {'z', "append 5", "1 2 3 4 5"},
                                {'b', "append 6 7", "1 2 3 4 5 6 7"},
                                {0}});
}

/* What there is nothing to do for gives an empty delta: `unchanged` for who asked. */
static void an_edit_without_effect_is_an_empty_delta(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"counter", "add 0"}, {"set", "remove x y"}, {"map", "remove x y"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct buffer delta = {0};
        fixture_open(&f, rows[i][0], slice_of(NULL, 0));
        assert_int_equal(fixture_delta(&f, 'a', NOW, rows[i][1], &delta), 0);
        assert_int_equal(delta.size, 0);
        fixture_close(&f);
        buffer_free(&delta);
    }
}

static void what_cannot_be_done_is_refused_with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *words;
        int code;
        const char *says;
    } rows[] = {
        {"counter", "set 5", ERR_BAD_KIND, "a counter knows no 'set'; it knows: add"},
        {"map", "append x", ERR_BAD_KIND, "it knows: set, remove"},
        {"counter", "add", ERR_BAD_REQUEST, "counter add takes N, not 0 operands"},
        {"counter", "add 1 2", ERR_BAD_REQUEST, "not 2 operands"},
        {"map", "set f", ERR_BAD_REQUEST, "FIELD VALUE"},
        {"map", "set f 1 g", ERR_BAD_REQUEST, "not 3 operands"},
        {"set", "add", ERR_BAD_REQUEST, "ELEMENT"},
        {"counter", "add five", ERR_BAD_REQUEST, "0x66 is no digit"},
        {"counter", "add 5x", ERR_BAD_REQUEST, "0x78 is no digit"},
        {"counter", "add -", ERR_BAD_REQUEST, "whole number"},
        {"counter", "add 1.5", ERR_BAD_REQUEST, "whole number"},
        {"counter", "add 9223372036854775808", ERR_BAD_REQUEST, "64 bits"},
        {"counter", "add -9223372036854775809", ERR_BAD_REQUEST, "64 bits"},
        {"counter", "add 99999999999999999999999999", ERR_BAD_REQUEST, "64 bits"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct buffer delta = {0};
        fixture_open(&f, rows[i].kind, slice_of(NULL, 0));
        assert_int_equal(fixture_delta(&f, 'a', NOW, rows[i].words, &delta), rows[i].code);
        if (!strstr(f.why.text, rows[i].says))
            fail_msg("%s %s: %s", rows[i].kind, rows[i].words, f.why.text);
        assert_int_equal(delta.size, 0);
        fixture_close(&f);
        buffer_free(&delta);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_adds),
        cmocka_unit_test(a_counter_is_held_at_the_bounds_of_64_bits),
        cmocka_unit_test(a_register_takes_the_last_write),
        cmocka_unit_test(a_multi_register_replaces_what_the_writer_saw),
        cmocka_unit_test(a_set_adds_and_removes),
        cmocka_unit_test(an_addition_that_a_removal_has_not_seen_wins),
        cmocka_unit_test(a_map_sets_and_removes),
        cmocka_unit_test(a_log_appends_after_all_it_has),
        cmocka_unit_test(an_edit_without_effect_is_an_empty_delta),
        cmocka_unit_test(what_cannot_be_done_is_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
