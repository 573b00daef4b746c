/* rows: found by key, and by nothing else. */
#include "contracts/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { ROWS = 9, ROW_BYTES = ROW_KEY_BYTES + 3 };

static void every_row_is_found_and_no_other_key(void **state)
{
    (void)state;
    static uint8_t table[ROWS * ROW_BYTES];
    for (size_t i = 0; i < ROWS; i++)
        table[i * ROW_BYTES] = (uint8_t)(10 * i + 10);
    for (size_t count = 0; count <= ROWS; count++) {
        struct slice rows = slice_of(table, count * ROW_BYTES);
        for (unsigned first = 0; first < 256; first++) {
            uint8_t key[ROW_KEY_BYTES] = {(uint8_t)first};
            bool there = first && first % 10 == 0 && first / 10 <= count;
            const uint8_t *found = rows_find(rows, ROW_BYTES, key);
            assert_ptr_equal(found, there ? table + (first / 10 - 1) * ROW_BYTES : NULL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found_and_no_other_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
