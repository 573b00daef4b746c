/* What malloc keeps of a peak goes back to the system. A sanitizer's malloc is another one, which
 * keeps nothing that could be counted here: there only the calls are tried. */
#include "actors/spare_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MALLOC_IS_COUNTED = 0 };
#else
enum { MALLOC_IS_COUNTED = 1 };
#endif

enum { BLOCKS = 4096, BLOCK_BYTES = 4096, PEAK = BLOCKS * BLOCK_BYTES };

/* A peak of 16 MiB is over, but for the last block, behind which malloc gives back by itself. */
static void *last_of_a_peak(void)
{
    void **blocks = (void **)malloc(BLOCKS * sizeof *blocks);
    assert_non_null(blocks);
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK_BYTES);
        assert_non_null(blocks[i]);
        memset(blocks[i], 1, BLOCK_BYTES);
    }
    for (size_t i = 0; i + 1 < BLOCKS; i++)
        free(blocks[i]);
    void *last = blocks[BLOCKS - 1];
    free((void *)blocks);
    return last;
}

static void what_a_peak_left_is_spare_and_goes(void **state)
{
    (void)state;
    void *last = last_of_a_peak();
    size_t before = spare_memory_bytes();
    spare_memory_give_back(PEAK / 4);
    size_t after = spare_memory_bytes();
    free(last);
    if (!MALLOC_IS_COUNTED)
        return;
    assert_true(before > PEAK * 3 / 4);
    assert_true(after < PEAK / 4);
}

static void a_small_reserve_is_kept(void **state)
{
    (void)state;
    void *last = last_of_a_peak();
    size_t before = spare_memory_bytes();
    spare_memory_give_back(2 * PEAK + before);
    size_t after = spare_memory_bytes();
    free(last);
    if (!MALLOC_IS_COUNTED)
        return;
    assert_true(after > PEAK * 3 / 4);
}

/* Large pieces are mapped, small ones lie in the heap. */
static void what_is_in_use_is_not_spare(void **state)
{
    static char *used[BLOCKS];
    (void)state;
    for (size_t size = BLOCK_BYTES; size <= PEAK; size *= BLOCKS) {
        size_t before = spare_memory_bytes();
        for (size_t i = 0; i < PEAK / size; i++) {
            used[i] = (char *)malloc(size);
            assert_non_null(used[i]);
            memset(used[i], 1, size);
        }
        size_t meanwhile = spare_memory_bytes();
        for (size_t i = 0; i < PEAK / size; i++)
            free(used[i]);
        if (MALLOC_IS_COUNTED)
            assert_true(meanwhile < before + PEAK / 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_peak_left_is_spare_and_goes),
        cmocka_unit_test(a_small_reserve_is_kept),
        cmocka_unit_test(what_is_in_use_is_not_spare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
