/* Nicknames that may be taken for each other. */
#include "client/room_names_look.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_look(const char *line, const char *wanted)
{
    char look[256];
    memset(look, '#', sizeof look);
    room_names_look(line, look);
    assert_string_equal(look, wanted);
    assert_true(strlen(look) <= strlen(line));
}

static void what_nobody_sees_makes_no_other_look(void **state)
{
    (void)state;
    static const char *const lines[] = {"ann lee", "annlee", "ann\xe2\x80\x8dlee",
                                        "\xe2\x80\x8c\x61nnlee\xef\xb8\x8f", "ann\xe3\x80\x80lee"};
    char look[32];
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        room_names_look(lines[i], look);
        assert_string_equal(look, "anniee");
    }
    room_names_look("日本\xe2\x80\x8d", look);
    assert_string_equal(look, "日本");
}

static void letters_that_are_drawn_alike_are_one(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"Ann", "ann"},
        {"ａＮＮ", "ann"},
        {"bill", "biii"},
        {"BI11", "biii"},
        {"B00", "boo"},
        {"ада", "aдa"},
        {"АДА", "aдa"},
        {"Вова", "boba"},
        {"вова", "boba"},
        {"ΝΙΚΟΣ", "nikoσ"},
        {"Ångström", "ångström"},
        {"ŽOFIE", "žofie"},
        {"νανά", "nanά"},
        {"ΝΑΝΆ", "nanά"},
        {"NINA", "nina"},
        {"ΝΙΝΑ", "nina"},
        {"ẠNH", "ạnh"},
        {"ŸU", "ÿu"},
        {"Όλγα", "όλγa"},
        {"раӀ", "pai"},
        {"Ａ\xe2\x84\xab\xe2\x84\xaa\xe2\x84\xa6", "aåkω"}, /* of Angstrom, Kelvin, Ohm */
        {"\xff", ""},                                       /* no UTF-8 */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_look(rows[i][0], rows[i][1]);
}

static void other_letters_stay_apart(void **state)
{
    (void)state;
    static const char *const lines[] = {"ann", "anna", "änn", "än", "日本", "日木", "שלום"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_look(lines[i], lines[i]);
}

static void alphabets_are_mixed_or_not(void **state)
{
    (void)state;
    static const char *const mixed[] = {"аnn", "niκos", "Zoё", "ŽофиЯ", "x\xffи"};
    static const char *const plain[] = {"", "ann", "анна", "νίκος", "Zoë", "анна 2 👍", "日本 taro"};
    for (size_t i = 0; i < sizeof mixed / sizeof mixed[0]; i++)
        assert_true(room_names_deceives(mixed[i]));
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        assert_false(room_names_deceives(plain[i]));
}

static void letters_in_parts_are_seen(void **state)
{
    (void)state;
    static const char *const parts[] = {"rene\xcc\x81", "\xcc\x81", "и\xcc\x86", "か\xe3\x82\x99",
                                        "\xe1\x84\x92\xe1\x85\xa1"};
    static const char *const whole[] = {"rené", "й", "が", "하"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_true(room_names_deceives(parts[i]));
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        assert_false(room_names_deceives(whole[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_sees_makes_no_other_look),
        cmocka_unit_test(letters_that_are_drawn_alike_are_one),
        cmocka_unit_test(other_letters_stay_apart),
        cmocka_unit_test(alphabets_are_mixed_or_not),
        cmocka_unit_test(letters_in_parts_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
