/* hello: addresses as nodes tell them. */
#include "proto/hello.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void an_address_is_a_host_and_a_port_that_there_is(void **unused)
{
    (void)unused;
    static const char *const good[] = {"192.0.2.1:1", "[2001:db8::1]:65535", "node.example:31337"};
    static const char *const bad[] = {
        "",        "banana", "banana:", ":31337", "a:0",
        "a:65536", "a:-1",   "a b:1",   "a:1\n",  "a:99999999999999999999"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(hello_is_address(slice_text(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(hello_is_address(slice_text(bad[i])));
}

static void every_address_of_a_machine_is_told_from_one_of_them(void **unused)
{
    (void)unused;
    static const char *const any[] = {"0.0.0.0:31337", "[::]:31337"};
    static const char *const one[] = {"10.0.0.0:31337", "[::1]:31337", "0.0.0.0", "", "::"};
    for (size_t i = 0; i < sizeof any / sizeof any[0]; i++)
        assert_true(hello_is_any_host(slice_text(any[i])));
    for (size_t i = 0; i < sizeof one / sizeof one[0]; i++)
        assert_false(hello_is_any_host(slice_text(one[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_a_host_and_a_port_that_there_is),
        cmocka_unit_test(every_address_of_a_machine_is_told_from_one_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
