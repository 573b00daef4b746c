/* Each allocation of a merge, an edit, a signature and a view fails in turn: the error is told, the
 * state is as it was, and the same call does its work afterwards. */
/* link: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "contracts/view.h"
#include "contracts/writers.h"
#include "tests/support/failing_memory.h"
#include "tests/unit/contracts_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sodium.h>
#include <cmocka.h>

/* Large enough that chunks split: some allocations are for speed only, and may fail unseen. */
static struct buffer large_delta(const char *kind, uint64_t first, uint64_t step, uint64_t count)
{
    struct buffer delta = {0};
    for (uint64_t i = 0; i < count; i++) {
        uint8_t key[16] = {0}, value[17] = {[7] = 1, [16] = 1};
        put_u64(key, first + i * step);
        entry_append(&delta, slice_of(key, sizeof key),
                     slice_of(value, strcmp(kind, "map") == 0 ? 17 : 0));
    }
    return delta;
}

static void merge_with_failures(const char *kind, struct slice params)
{
    struct buffer first = large_delta(kind, 1, 2, 700), second = large_delta(kind, 2, 2, 700);
    unsigned failures = 0;
    for (unsigned at = 1;; at++) {
        struct fixture f;
        fixture_open(&f, kind, params);
        (void)fixture_merge(&f, buffer_slice(&first));
        struct buffer before = fixture_bytes(&f);
        struct summary summary = *state_summary(f.state);
        f.why.text[0] = 0;
        failing_memory_begin(at);
        int rc = state_merge(f.state, buffer_slice(&second), NULL, &f.why);
        bool reached = failing_memory_end();
        if (rc) {
            struct buffer after = fixture_bytes(&f);
            assert_int_equal(rc, ERR_NO_MEMORY);
            assert_non_null(strstr(f.why.text, "memory"));
            assert_true(slice_equal(buffer_slice(&before), buffer_slice(&after)));
            assert_true(summary_equal(&summary, state_summary(f.state)));
            buffer_free(&after);
            failures++;
        }
        (void)fixture_merge(&f, buffer_slice(&second));
        struct buffer merged = fixture_bytes(&f);
        assert_int_equal(merged.size, state_summary(f.state)->state_bytes);
        buffer_free(&before);
        buffer_free(&merged);
        fixture_close(&f);
        if (!reached)
            break;
    }
    assert_true(failures > 10);
    buffer_free(&first);
    buffer_free(&second);
}

static void a_merge_without_memory_changes_nothing(void **state)
{
    (void)state;
    struct buffer params = {0};
    uint8_t newest[8];
    put_u64(newest, 600);
    entry_append(&params, slice_text("newest"), slice_of(newest, sizeof newest));
    merge_with_failures("map", slice_of(NULL, 0));
    merge_with_failures("log", buffer_slice(&params));
    buffer_free(&params);
}

static int take_nothing(void *self, const struct view_item *item)
{
    (void)self, (void)item;
    return 0;
}

static int edit_sign_and_view(struct fixture *f, const uint8_t secret[64], const char *words)
{
    struct buffer delta = {0}, with_signatures = {0};
    int rc = fixture_delta(f, 'a', 1000, words, &delta);
    if (!rc)
        rc = writers_sign(&f->contract, secret, buffer_slice(&delta), &with_signatures, &f->why);
    if (!rc)
        rc = contract_check(&f->contract, NULL, buffer_slice(&with_signatures), NULL, &f->why);
    if (!rc)
        rc = view_items(&f->contract, buffer_slice(&with_signatures), take_nothing, NULL, &f->why);
    buffer_free(&delta);
    buffer_free(&with_signatures);
    return rc;
}

static void edits_signatures_and_views_tell_of_missing_memory(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"counter", "add 5"}, {"register", "set x"}, {"multi-register", "set x"},
        {"set", "add x y"},   {"map", "set f x"},    {"log", "append x y"},
    };
    uint8_t seed[crypto_sign_SEEDBYTES] = {3}, public[WRITER_KEY_BYTES], secret[64];
    struct buffer params = {0};
    (void)crypto_sign_seed_keypair(public, secret, seed);
    entry_append(&params, slice_text("writers"), slice_of(public, sizeof public));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        unsigned failures = 0;
        fixture_open(&f, rows[i][0], buffer_slice(&params));
        for (unsigned at = 1;; at++) {
            f.why.text[0] = 0;
            failing_memory_begin(at);
            int rc = edit_sign_and_view(&f, secret, rows[i][1]);
            bool reached = failing_memory_end();
            assert_true(rc == 0 || (rc == ERR_NO_MEMORY && strstr(f.why.text, "memory")));
            if (!reached) {
                assert_int_equal(rc, 0);
                break;
            }
            failures += rc != 0;
        }
        assert_true(failures > 4);
        fixture_close(&f);
    }
    buffer_free(&params);
}

static void a_state_without_memory_is_none(void **state)
{
    (void)state;
    struct contract contract;
    assert_int_equal(contract_init(&contract, slice_text("map"), slice_of(NULL, 0), NULL), 0);
    for (unsigned at = 1; at <= 2; at++) {
        failing_memory_begin(at);
        state_t *none = state_new(&contract);
        assert_true(failing_memory_end());
        assert_null(none);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_merge_without_memory_changes_nothing),
        cmocka_unit_test(edits_signatures_and_views_tell_of_missing_memory),
        cmocka_unit_test(a_state_without_memory_is_none),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
