#include "proto/peer_state.h"

const char *const peer_state_names[PEER_STATE_COUNT] = {
#define S(name, says) #name,
    PEER_STATES(S)
#undef S
};

const char *const peer_event_names[PEER_EVENT_COUNT] = {
#define E(name, says) #name,
    PEER_EVENTS(E)
#undef E
};

/* lesson C1: every event in every state. (Named as in the lists, without their prefix.) */
#define DO(deed, next)                                                                             \
    {                                                                                              \
        PEER_DO_##deed, PEER_##next                                                                \
    }
static const struct peer_step steps[PEER_STATE_COUNT][PEER_EVENT_COUNT] =
    {
        [PEER_absent] =
            {
                [PEER_EVENT_dial] = DO(dial, dialling),
                [PEER_EVENT_kept] = DO(admit, live),
                [PEER_EVENT_waits] = DO(wait, handshaking),
                [PEER_EVENT_turned_away] = DO(hang_up, closing),
                [PEER_EVENT_chosen] = DO(fault, absent),
                [PEER_EVENT_dropped] = DO(fault, absent),
                [PEER_EVENT_closed] = DO(nothing, absent),
            },
        [PEER_dialling] =
            {
                [PEER_EVENT_dial] = DO(nothing, dialling), /* lesson C2: already under way */
                [PEER_EVENT_kept] = DO(admit, live),
                [PEER_EVENT_waits] = DO(wait, handshaking),
                [PEER_EVENT_turned_away] = DO(hang_up, closing),
                [PEER_EVENT_chosen] = DO(fault, dialling),
                [PEER_EVENT_dropped] = DO(hang_up, closing),
                [PEER_EVENT_closed] = DO(forget, absent),
            },
        [PEER_handshaking] =
            {
                [PEER_EVENT_dial] = DO(nothing, handshaking),
                [PEER_EVENT_kept] = DO(fault, handshaking), /* it opens once */
                [PEER_EVENT_waits] = DO(fault, handshaking),
                [PEER_EVENT_turned_away] = DO(fault, handshaking),
                [PEER_EVENT_chosen] = DO(admit, live),
                [PEER_EVENT_dropped] = DO(hang_up, closing),
                [PEER_EVENT_closed] = DO(forget, absent),
            },
        [PEER_live] =
            {
                [PEER_EVENT_dial] = DO(nothing, live), /* lesson C2: already connected */
                [PEER_EVENT_kept] = DO(fault, live),
                [PEER_EVENT_waits] = DO(fault, live),
                [PEER_EVENT_turned_away] = DO(fault, live),
                [PEER_EVENT_chosen] = DO(fault, live),
                [PEER_EVENT_dropped] = DO(end, closing),
                [PEER_EVENT_closed] = DO(gone, absent),
            },
        [PEER_closing] =
            {
                [PEER_EVENT_dial] = DO(nothing, closing),
                /* OPENED may have been on its way when this node hung up. */
                [PEER_EVENT_kept] = DO(nothing, closing),
                [PEER_EVENT_waits] = DO(nothing, closing),
                [PEER_EVENT_turned_away] = DO(nothing, closing),
                [PEER_EVENT_chosen] = DO(fault, closing),
                [PEER_EVENT_dropped] = DO(nothing, closing),
                [PEER_EVENT_closed] = DO(forget, absent),
            },
};
#undef DO

struct peer_step peer_step(enum peer_state state, enum peer_event event)
{
    return steps[state][event];
}
