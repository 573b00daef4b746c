/* client/weir_room.h: coming by a room, and what its members say, without a node. */
#include "tests/unit/party.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void who_is_invited_two_deep_talks_with_the_owner(void **state)
{
    struct party p;
    (void)state;
    party_open(&p, NULL);
    party_invite(&p, 0, 1);
    party_invite(&p, 1, 2);
    (void)party_say(&p, 2, "hello");
    (void)party_say(&p, 0, "welcome");
    assert_string_equal(party_messages(&p, 1), "(joins) (joins) hello welcome");
    assert_string_equal(party_members(&p, 2), "012");
    party_agrees(&p);
    party_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_invited_two_deep_talks_with_the_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
