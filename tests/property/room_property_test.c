/* Laws of rooms (lessons M1–M4), on random rooms with bans, invitations in two ways, caps and ties:
 * any order, any grouping, any number of times give equal bytes, and equal views, whether a view is
 * made from the state or kept up delta by delta. CASES sets how many, SEED repeats a run. */
#include "tests/property/rooms.h"
#include "tests/support/setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { CASES_DEFAULT = 20000, CASES_A_ROOM = 1000, DELTAS_MAX = 5, MADE_MAX = 40 };

struct trial {
    const struct random_room *room;
    struct random random;
    uint64_t number;
    struct buffer made[MADE_MAX];
    size_t made_count;
};

static struct buffer *new_bytes(struct trial *trial)
{
    assert_true(trial->made_count < MADE_MAX);
    return &trial->made[trial->made_count++];
}

static void same(const struct trial *trial, struct slice a, struct slice b, const char *what)
{
    if (!slice_equal(a, b))
        fail_msg("case %llu of SEED=%llu: %s\n%.*s\n--- wanted\n%.*s",
                 (unsigned long long)trial->number, (unsigned long long)seed_of_run(), what,
                 (int)a.size, (const char *)a.data, (int)b.size, (const char *)b.data);
}

static struct slice merged(struct trial *trial, const struct slice *deltas, size_t count)
{
    struct buffer *out = new_bytes(trial);
    assert_int_equal(merge_all(&trial->room->contract, deltas, count, out), 0);
    return buffer_slice(out);
}

static struct slice merge2(struct trial *trial, struct slice a, struct slice b)
{
    return merged(trial, (struct slice[]){a, b}, 2);
}

/* The view after these deltas, given the room's key before the key_at-th (none when past them). */
static struct slice viewed(struct trial *trial, const struct slice *deltas, size_t count,
                           size_t key_at)
{
    room_view_t *view = room_view_new(&trial->room->contract, ROOM_VIEW_WHOLE);
    struct reason why = {""};
    assert_non_null(view);
    for (size_t i = 0; i <= count; i++) {
        if (i == key_at)
            assert_int_equal(room_view_add_key(view, trial->room->room_key), 0);
        if (i < count && room_view_apply(view, deltas[i], &why))
            fail_msg("%s", why.text);
    }
    struct buffer *out = new_bytes(trial);
    assert_int_equal(room_view_print(view, out), 0);
    room_view_destroy(&view);
    return buffer_slice(out);
}

static size_t shuffle_twice(struct trial *trial, const struct slice *deltas, size_t count,
                            struct slice shuffled[2 * DELTAS_MAX])
{
    size_t sent = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t copies = 1 + random_below(&trial->random, 2); copies; copies--) {
            size_t at = random_below(&trial->random, sent + 1);
            memmove(shuffled + at + 1, shuffled + at, (sent - at) * sizeof shuffled[0]);
            shuffled[at] = deltas[i];
            sent++;
        }
    return sent;
}

/* Two deltas at a time become one, until one is left: any grouping. */
static struct slice grouped(struct trial *trial, const struct slice *deltas, size_t count)
{
    struct slice list[DELTAS_MAX] = {{0}};
    memcpy(list, deltas, count * sizeof list[0]);
    while (count > 1) {
        size_t a = random_below(&trial->random, count), b = random_below(&trial->random, count - 1);
        b += b >= a;
        struct slice both = merge2(trial, list[a], list[b]);
        list[a < b ? a : b] = both;
        list[a < b ? b : a] = list[count - 1];
        count--;
    }
    return merged(trial, list, count); /* a sole delta is not settled yet */
}

static void check_case(struct trial *trial)
{
    struct slice deltas[DELTAS_MAX] = {{0}}, shuffled[2 * DELTAS_MAX] = {{0}}, none = {0};
    size_t count = random_below(&trial->random, DELTAS_MAX + 1);
    for (size_t i = 0; i < count; i++) {
        struct buffer *out = new_bytes(trial);
        random_room_delta(trial->room, &trial->random, ROOM_DELTA_MAX, out);
        deltas[i] = buffer_slice(out);
    }
    struct slice state = merged(trial, deltas, count);
    size_t sent = shuffle_twice(trial, deltas, count, shuffled);
    same(trial, merged(trial, shuffled, sent), state, "another order and twice: other bytes");
    same(trial, grouped(trial, deltas, count), state, "another grouping: other bytes");
    same(trial, merge2(trial, state, none), state, "the empty state is not neutral");
    same(trial, merge2(trial, none, state), state, "the empty state is not neutral");
    same(trial, merge2(trial, state, state), state, "merging twice is not merging once");
    if (count)
        same(trial, merge2(trial, state, deltas[0]), state, "what is there changes something");
    bool with_key = random_below(&trial->random, 2);
    struct slice whole = viewed(trial, &state, 1, with_key ? 0 : 2);
    size_t key_at = with_key ? random_below(&trial->random, sent + 1) : sent + 1;
    same(trial, viewed(trial, shuffled, sent, key_at), whole, "a view kept up is another");
}

static void in_every_order_and_grouping_bytes_and_views_are_equal(void **state)
{
    (void)state;
    static const uint64_t caps[] = {UINT64_MAX, 0, 1, 6, 12, 20};
    uint64_t cases = setting_number("CASES", CASES_DEFAULT, 1, UINT64_MAX), seed = seed_of_run();
    for (uint64_t i = 0; i < cases; i += CASES_A_ROOM) {
        struct random_room room;
        struct random random = {seed ^ i << 8};
        random_room_make(&room, caps[i / CASES_A_ROOM % 6], &random);
        for (uint64_t j = i; j < i + CASES_A_ROOM && j < cases; j++) {
            struct trial trial = {.room = &room, .number = j, .random = {seed ^ j << 8 ^ 1}};
            check_case(&trial);
            while (trial.made_count)
                buffer_free(&trial.made[--trial.made_count]);
        }
        random_room_free(&room);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_every_order_and_grouping_bytes_and_views_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
