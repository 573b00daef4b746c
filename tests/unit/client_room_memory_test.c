/* Tables of people in a room, while each allocation fails in turn: all of one, or nothing, which
 * `weir room members` tells as an error. An empty table would say that nobody is banned. */
/* link: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "client/cli_room.h"
#include "tests/support/failing_memory.h"
#include "tests/unit/party.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TABLE_MAX = 4096 };

typedef void table_fn(FILE *out, const weir_room_t *room);

/* What it printed. The stream is open before memory fails: its buffer is not what is tested. */
static bool table(table_fn *print, const weir_room_t *room, unsigned n, char text[TABLE_MAX])
{
    static char buffer[TABLE_MAX];
    memset(text, 0, TABLE_MAX);
    FILE *out = fmemopen(text, TABLE_MAX, "w");
    assert_non_null(out);
    setvbuf(out, buffer, _IOFBF, sizeof buffer);
    failing_memory_begin(n);
    print(out, room);
    bool failed = failing_memory_end();
    fclose(out);
    return failed;
}

static void all_or_nothing(table_fn *print, const weir_room_t *room, const char *part)
{
    static char text[TABLE_MAX];
    unsigned n = 1;
    for (; table(print, room, n, text); n++)
        if (*text) /* with a key behind the name, perhaps: whether it deceives was not looked up */
            assert_non_null(strstr(text, part));
    assert_non_null(strstr(text, part));
    assert_true(n > 1);
}

static void a_table_without_memory_is_no_empty_table(void **state)
{
    struct party p;
    (void)state;
    party_open(&p, NULL);
    party_invite(&p, 0, 1);
    party_invite(&p, 0, 2);
    assert_int_equal(weir_room_nickname(p.rooms[1], weir_text("bob")), 0);
    assert_int_equal(weir_room_nickname(p.rooms[2], weir_text("carol")), 0);
    party_exchange(&p);
    assert_int_equal(weir_room_ban(p.rooms[0], party_key(&p, 2), 0), 0);
    party_exchange(&p);
    all_or_nothing(room_table_bans, p.rooms[0], "\"carol");
    all_or_nothing(room_table_members, p.rooms[0], "\"bob");
    party_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_without_memory_is_no_empty_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
