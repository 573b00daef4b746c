/* The transitions of a connection: every state with every event (lesson C1). */
#include "proto/peer_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Written down a second time, by state and event as they are named. */
struct cell {
    enum peer_state state;
    enum peer_event event;
    enum peer_deed deed;
    enum peer_state next;
};
#define C(state, event, deed, next)                                                                \
    {                                                                                              \
        PEER_##state, PEER_EVENT_##event, PEER_DO_##deed, PEER_##next                              \
    }
static const struct cell cells[] = {
    C(absent, dial, dial, dialling),
    C(absent, kept, admit, live),
    C(absent, waits, wait, handshaking),
    C(absent, turned_away, hang_up, closing),
    C(absent, chosen, fault, absent),
    C(absent, dropped, fault, absent),
    C(absent, closed, nothing, absent),
    C(dialling, dial, nothing, dialling),
    C(dialling, kept, admit, live),
    C(dialling, waits, wait, handshaking),
    C(dialling, turned_away, hang_up, closing),
    C(dialling, chosen, fault, dialling),
    C(dialling, dropped, hang_up, closing),
    C(dialling, closed, forget, absent),
    C(handshaking, dial, nothing, handshaking),
    C(handshaking, kept, fault, handshaking),
    C(handshaking, waits, fault, handshaking),
    C(handshaking, turned_away, fault, handshaking),
    C(handshaking, chosen, admit, live),
    C(handshaking, dropped, hang_up, closing),
    C(handshaking, closed, forget, absent),
    C(live, dial, nothing, live),
    C(live, kept, fault, live),
    C(live, waits, fault, live),
    C(live, turned_away, fault, live),
    C(live, chosen, fault, live),
    C(live, dropped, end, closing),
    C(live, closed, gone, absent),
    C(closing, dial, nothing, closing),
    C(closing, kept, nothing, closing),
    C(closing, waits, nothing, closing),
    C(closing, turned_away, nothing, closing),
    C(closing, chosen, fault, closing),
    C(closing, dropped, nothing, closing),
    C(closing, closed, forget, absent),
};
enum { CELLS = sizeof cells / sizeof cells[0] };

static void every_event_in_every_state_does_what_is_written(void **state) /* lesson C1 */
{
    bool seen[PEER_STATE_COUNT][PEER_EVENT_COUNT] = {{false}};
    (void)state;
    for (size_t i = 0; i < CELLS; i++) {
        const struct cell *cell = &cells[i];
        struct peer_step step = peer_step(cell->state, cell->event);
        if (step.deed != cell->deed || step.next != cell->next)
            fail_msg("%s in %s", peer_event_names[cell->event], peer_state_names[cell->state]);
        assert_false(seen[cell->state][cell->event]);
        seen[cell->state][cell->event] = true;
    }
    assert_int_equal(CELLS, PEER_STATE_COUNT * PEER_EVENT_COUNT);
}

static void who_was_told_live_is_told_gone(void **state)
{
    (void)state;
    for (int s = 0; s < PEER_STATE_COUNT; s++)
        for (int e = 0; e < PEER_EVENT_COUNT; e++) {
            struct peer_step step = peer_step((enum peer_state)s, (enum peer_event)e);
            bool tells_live = step.deed == PEER_DO_admit;
            bool tells_gone = step.deed == PEER_DO_end || step.deed == PEER_DO_gone;
            assert_int_equal(tells_live, s != PEER_live && step.next == PEER_live);
            assert_int_equal(tells_gone, s == PEER_live && step.next != PEER_live);
        }
}

static void only_transport_ends_what_was_asked_for(void **state)
{
    (void)state;
    for (int s = PEER_dialling; s < PEER_STATE_COUNT; s++)
        for (int e = 0; e < PEER_EVENT_COUNT; e++) {
            struct peer_step step = peer_step((enum peer_state)s, (enum peer_event)e);
            assert_int_equal(step.next == PEER_absent, e == PEER_EVENT_closed);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_in_every_state_does_what_is_written),
        cmocka_unit_test(who_was_told_live_is_told_gone),
        cmocka_unit_test(only_transport_ends_what_was_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
