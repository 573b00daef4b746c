/* Each allocation of building, checking and viewing a room fails in turn: the error is told and
 * nothing leaks; and without failures the same calls do their work. */
/* link: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "tests/property/rooms.h"
#include "tests/support/failing_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct random_room room;
static struct buffer delta;

static int view_all(void)
{
    struct reason why = {""};
    struct buffer printed = {0};
    room_view_t *view = room_view_new(&room.contract, ROOM_VIEW_WHOLE);
    int rc = view ? room_view_apply(view, buffer_slice(&delta), &why) : ERR_NO_MEMORY;
    if (view && rc)
        assert_non_null(strstr(why.text, "memory"));
    if (!rc)
        rc = room_view_add_key(view, room.room_key);
    if (!rc)
        rc = room_view_print(view, &printed);
    room_view_destroy(&view);
    buffer_free(&printed);
    return rc;
}

static int write_all(void)
{
    struct buffer out = {0};
    struct reason why = {""};
    uint8_t nonce[ROOM_NONCE_BYTES] = {0};
    struct room_author author = person_as_author(&room.people[1], &room.contract, 0);
    struct room_words words = {slice_text("hi"), room.room_key, nonce};
    int rc = room_write_message(&author, 9, ROOM_TEXT, NULL, &words, NULL, &out, &why);
    if (!rc)
        rc = room_write_direct(&author, 9, room.people[2].key, nonce, slice_text("hi"), &out, &why);
    assert_true(!rc || out.failed || strstr(why.text, "memory"));
    buffer_free(&out);
    return rc;
}

/* Without memory to remember proofs it proves again. */
static int check_all(void)
{
    return contract_check(&room.contract, NULL, buffer_slice(&delta), NULL, NULL);
}

static void run_with_failures(int (*work)(void), unsigned failures_least)
{
    unsigned failures = 0;
    for (unsigned at = 1;; at++) {
        failing_memory_begin(at);
        int rc = work();
        bool reached = failing_memory_end();
        assert_true(rc == 0 || rc == ERR_NO_MEMORY);
        failures += rc != 0;
        if (!reached)
            break;
    }
    assert_int_equal(work(), 0);
    assert_true(failures >= failures_least);
}

static void rooms_tell_of_missing_memory(void **state)
{
    (void)state;
    struct random random = {7};
    random_room_make(&room, UINT64_MAX, &random);
    for (size_t i = 0; i < 6; i++) {
        buffer_clear(&delta);
        random_room_delta(&room, &random, 24, &delta);
        run_with_failures(view_all, 10);
        run_with_failures(check_all, 0);
    }
    run_with_failures(write_all, 6);
    buffer_free(&delta);
    random_room_free(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rooms_tell_of_missing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
