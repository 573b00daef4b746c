/* room_bench: rooms in memory, one core, the median of RUNS runs.
 *
 *   room merge                     one message into a room of 1,000, join and cap alone
 *   room merge checked             the same with signature, proof and fingerprint
 *   room verify alone              one Ed25519 verification, to compare with
 *   room first check               a whole room of 1,000 messages and 200 members, nothing known
 *   room view                      made from the state
 *   room view kept up              one message more
 *   room view private              made from a state whose texts are sealed */
#include "bench/common/clock.h"
#include "bench/common/die.h"
#include "bench/common/room_world.h"
#include "contracts/room_view.h"
#include "contracts/state.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES = ROOM_WORLD_MESSAGES, MEMBERS = ROOM_WORLD_MEMBERS, MORE = 2000, RUNS = 7 };

static struct {
    struct room_world world;
    struct buffer room, sealed_room; /* states */
    struct buffer more;              /* messages after them, one after another */
    size_t ends[MORE];
} bench;

static void must(int rc)
{
    if (rc)
        die("%s", error_text(rc));
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Prints the median of `run`, which tells seconds. */
static void measure(const char *name, double (*run)(void), const char *unit, double scale,
                    double count)
{
    double took[RUNS];
    for (int i = 0; i < RUNS; i++)
        took[i] = run();
    qsort(took, RUNS, sizeof took[0], by_size);
    double value = count > 0 ? count / took[RUNS / 2] : took[RUNS / 2] * scale;
    printf(value < 100 ? "%s: %.2f %s\n" : "%s: %.0f %s\n", name, value, unit);
}

static state_t *room_state(void)
{
    state_t *state = state_new(&bench.world.contract);
    if (!state)
        die("no memory");
    must(state_merge(state, buffer_slice(&bench.room), NULL, NULL));
    return state;
}

static struct slice one_more(size_t i)
{
    size_t start = i ? bench.ends[i - 1] : 0;
    return slice_of(bench.more.data + start, bench.ends[i] - start);
}

static double merge(bool checked)
{
    state_t *state = room_state();
    size_t changed = 0, idle = 0;
    uint64_t began = now_ns();
    for (size_t i = 0; i < MORE; i++) {
        must(checked ? state_merge(state, one_more(i), &changed, NULL)
                     : state_join(state, one_more(i), &changed));
        idle += changed != 2; /* one comes, one goes */
    }
    double took = (double)(now_ns() - began) / 1e9;
    if (idle)
        die("%zu messages changed nothing", idle);
    state_destroy(&state);
    return took;
}

static double merge_joined(void)
{
    return merge(false);
}

static double merge_checked(void)
{
    return merge(true);
}

static double verify_alone(void)
{
    uint8_t message[300] = {0}, signature[64];
    (void)crypto_sign_detached(signature, NULL, message, sizeof message,
                               bench.world.people[0].secret);
    uint64_t began = now_ns();
    for (size_t i = 0; i < MORE; i++)
        must(crypto_sign_verify_detached(signature, message, sizeof message,
                                         bench.world.people[0].key));
    return (double)(now_ns() - began) / 1e9;
}

static double first_check(void)
{
    uint64_t began = now_ns();
    must(contract_check(&bench.world.contract, NULL, buffer_slice(&bench.room), NULL, NULL));
    return (double)(now_ns() - began) / 1e9;
}

static double view_of(const struct buffer *state)
{
    uint64_t began = now_ns();
    room_view_t *view = room_view_new(&bench.world.contract, ROOM_VIEW_WHOLE);
    if (!view)
        die("no memory");
    if (state == &bench.sealed_room)
        must(room_view_add_key(view, bench.world.key));
    must(room_view_apply(view, buffer_slice(state), NULL));
    double took = (double)(now_ns() - began) / 1e9;
    if (room_view_message_count(view) != MESSAGES || room_view_member_count(view) != MEMBERS ||
        room_view_message(view, 0)->sealed)
        die("the view is not the room");
    room_view_destroy(&view);
    return took;
}

static double view_plain(void)
{
    return view_of(&bench.room);
}

static double view_sealed(void)
{
    return view_of(&bench.sealed_room);
}

static double view_kept_up(void)
{
    room_view_t *view = room_view_new(&bench.world.contract, ROOM_VIEW_WHOLE);
    if (!view)
        die("no memory");
    must(room_view_apply(view, buffer_slice(&bench.room), NULL));
    uint64_t began = now_ns();
    for (size_t i = 0; i < MORE; i++)
        must(room_view_apply(view, one_more(i), NULL));
    double took = (double)(now_ns() - began) / 1e9;
    room_view_destroy(&view);
    return took / MORE;
}

int main(void)
{
    room_world_init(&bench.world, 0);
    room_world_state(&bench.world, MEMBERS, MESSAGES, false, &bench.room);
    room_world_state(&bench.world, MEMBERS, MESSAGES, true, &bench.sealed_room);
    for (size_t i = 0; i < MORE; i++) {
        room_world_say(&bench.world, room_world_ms(MESSAGES + i), false, &bench.more);
        bench.ends[i] = bench.more.size;
    }
    measure("room merge", merge_joined, "per_s", 0, MORE);
    measure("room merge checked", merge_checked, "per_s", 0, MORE);
    measure("room verify alone", verify_alone, "per_s", 0, MORE);
    measure("room first check", first_check, "ms", 1e3, 0);
    measure("room view", view_plain, "ms", 1e3, 0);
    measure("room view private", view_sealed, "ms", 1e3, 0);
    measure("room view kept up", view_kept_up, "us", 1e6, 0);
    printf("room bytes: %zu bytes\n", bench.room.size);
    return 0;
}
