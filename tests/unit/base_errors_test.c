#include "base/errors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#undef fail /* cmocka has a macro of that name */

static void names_and_codes_lead_to_each_other(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *name;
    } rows[] = {
#define X(code, value, name, text) {code, name},
        ERRORS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(error_name(rows[i].code), rows[i].name);
        assert_int_equal(error_from_name(rows[i].name, strlen(rows[i].name)), rows[i].code);
        assert_true(strlen(error_text(rows[i].code)) > 0);
        assert_int_equal(rows[i].code, -(int)i - 1);
    }
    assert_string_equal(error_name(0), "OK");
    assert_int_equal(error_from_name("OK", 2), 0);
}

static void unknown_names_and_codes_are_answered_too(void **state)
{
    (void)state;
    assert_int_equal(error_from_name("BUSYX", 5), ERR_BAD_REQUEST);
    assert_int_equal(error_from_name("BUSYX", 4), ERR_BUSY);
    assert_int_equal(error_from_name("", 0), ERR_BAD_REQUEST);
    assert_string_equal(error_name(-999), "INTERNAL");
    assert_string_equal(error_text(-999), "unknown error");
}

static void what_a_client_may_see_comes_first_in_the_list(void **state)
{
    (void)state;
    assert_true(ERR_NO_NODE < ERR_LAST_ON_WIRE && ERR_NO_MEMORY < ERR_LAST_ON_WIRE);
    assert_true(ERR_BAD_REQUEST > ERR_LAST_ON_WIRE && ERR_DENIED > ERR_LAST_ON_WIRE);
}

static void fail_writes_a_sentence_and_gives_the_code_back(void **state)
{
    (void)state;
    struct reason why;
    assert_int_equal(fail(&why, ERR_BUSY, "%d of %s", 3, "them"), ERR_BUSY);
    assert_string_equal(why.text, "3 of them");
    assert_int_equal(fail(NULL, ERR_BUSY, "nobody asks"), ERR_BUSY);
}

static void a_long_sentence_is_cut_and_terminated(void **state)
{
    (void)state;
    char text[1000];
    struct reason why;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    assert_int_equal(fail(&why, ERR_BUSY, "%s", text), ERR_BUSY);
    assert_int_equal(strlen(why.text), sizeof why.text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_codes_lead_to_each_other),
        cmocka_unit_test(unknown_names_and_codes_are_answered_too),
        cmocka_unit_test(what_a_client_may_see_comes_first_in_the_list),
        cmocka_unit_test(fail_writes_a_sentence_and_gives_the_code_back),
        cmocka_unit_test(a_long_sentence_is_cut_and_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
