/* Each allocation of a sync's walks fails in turn: the error is told, and nothing is lost or leaked
 * by it; a sync begun anew does its work. */
/* link: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "contracts/state.h"
#include "contracts/sync.h"
#include "tests/support/failing_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sodium.h>
#include <cmocka.h>

static const uint8_t salt[SYNC_SALT_BYTES] = {1};

/* A walk that sends entries and asks for others, if it finds the memory. */
static int walk(state_t *state, struct slice far, struct buffer *entries, struct buffer *body)
{
    struct state_reader reader = state_reader(state);
    struct reason why = {""};
    int rc = ERR_NO_MEMORY;
    sync_walk_t *self = far.size ? sync_walk_answer(salt, far, &rc, &why) : sync_walk_begin(salt);
    if (!self)
        return rc;
    rc = sync_walk_step(self, &reader, SIZE_MAX, SIZE_MAX, entries, &why);
    if (rc == 0)
        buffer_append_slice(body, sync_walk_body(self));
    else
        assert_non_null(strstr(why.text, "memory"));
    sync_walk_destroy(&self);
    return rc ? rc : buffer_failed(body) ? ERR_NO_MEMORY : 0;
}

static void walks_tell_of_missing_memory(state_t *state, struct slice far, struct buffer *body)
{
    struct buffer wanted = {0}, entries = {0};
    assert_int_equal(walk(state, far, &entries, &wanted), 0);
    size_t sent = entries.size;
    for (unsigned at = 1;; at++) {
        buffer_free(&entries);
        buffer_free(body);
        failing_memory_begin(at);
        int rc = walk(state, far, &entries, body);
        if (!failing_memory_end()) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, ERR_NO_MEMORY);
    }
    assert_int_equal(entries.size, sent);
    assert_true(slice_equal(buffer_slice(body), buffer_slice(&wanted)));
    buffer_free(&entries);
    buffer_free(&wanted);
}

static void a_walk_without_memory_says_so(void **test)
{
    (void)test;
    struct contract contract;
    struct buffer delta = {0}, lists = {0}, wants = {0}, parts = {0};
    assert_int_equal(contract_init(&contract, slice_text("map"), slice_of(NULL, 0), NULL), 0);
    state_t *small = state_new(&contract), *large = state_new(&contract);
    assert_true(small && large);
    for (uint16_t i = 0; i < 300; i++) {
        uint8_t key[2];
        put_u16(key, i);
        buffer_clear(&delta);
        entry_append(&delta, slice_of(key, sizeof key), slice_text("value"));
        assert_int_equal(state_join(i < 10 ? small : large, buffer_slice(&delta), NULL), 0);
    }
    walks_tell_of_missing_memory(small, slice_of(NULL, 0), &lists);
    walks_tell_of_missing_memory(large, buffer_slice(&lists), &wants);
    walks_tell_of_missing_memory(large, slice_of(NULL, 0), &parts);
    assert_true(lists.size > 0 && wants.size > 0 && parts.size > 0);
    failing_memory_begin(1);
    sync_walk_t *none = sync_walk_all();
    assert_true(failing_memory_end());
    assert_null(none);
    buffer_free(&delta);
    buffer_free(&lists);
    buffer_free(&wants);
    buffer_free(&parts);
    state_destroy(&small);
    state_destroy(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_walk_without_memory_says_so),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
