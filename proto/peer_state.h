/* peer_state: the life of a connection to a peer, as one table (lesson C1).
 *
 *                 dial                    kept
 *      absent ──────────▸ dialling ───────────────▸ live
 *        │ │                │   │ waits               ▴ │
 *        │ │ waits          │   ▾           chosen    │ │
 *        │ └────────────────│─▸ handshaking ──────────┘ │
 *        │ kept: ▸ live     │   │                       │
 *        │ turned away      ▾   ▾ dropped               ▾ dropped
 *        └───────────────▸ closing ◂────────────────────┘
 *
 * and `closed` leads back to absent from everywhere. handshaking: the far end has proved its key,
 * and whether this connection is the one to keep is not decided yet. The owner does what the table
 * says and nothing else. */
#ifndef WEIR_PROTO_PEER_STATE_H
#define WEIR_PROTO_PEER_STATE_H

/* S (state, what it says) */
#define PEER_STATES(S)                                                                             \
    S(absent, "there is none")                                                                     \
    S(dialling, "this node has asked for it")                                                      \
    S(handshaking, "open, and not yet known to be the one that is kept")                           \
    S(live, "admitted: its mail is handed on")                                                     \
    S(closing, "hung up; transport has not told its end yet")

enum peer_state {
#define S(name, says) PEER_##name,
    PEER_STATES(S)
#undef S
        PEER_STATE_COUNT
};

/* E (event, what it says). The first four of them are decisions on a new connection. */
#define PEER_EVENTS(E)                                                                             \
    E(dial, "this node wants it")                                                                  \
    E(kept, "opened, and nothing stands in its way")                                               \
    E(waits, "opened; another connection to the same peer is to be decided on first")              \
    E(turned_away, "opened, and not to be kept")                                                   \
    E(chosen, "what it waited for is decided in its favour")                                       \
    E(dropped, "to be ended, for a reason given")                                                  \
    E(closed, "transport tells its end")

enum peer_event {
#define E(name, says) PEER_EVENT_##name,
    PEER_EVENTS(E)
#undef E
        PEER_EVENT_COUNT
};

/* D (what is to be done, what it says) */
#define PEER_DEEDS(D)                                                                              \
    D(nothing, "the event changes nothing: already under way, already connected, already gone")    \
    D(dial, "ask transport for it")                                                                \
    D(wait, "keep it, and hand nothing on")                                                        \
    D(admit, "admit it and tell all that the peer is live")                                        \
    D(hang_up, "say goodbye with the reason")                                                      \
    D(end, "tell all that the peer is gone, and say goodbye with the reason")                      \
    D(forget, "it is gone; nobody had been told of it")                                            \
    D(gone, "it is gone: tell all")                                                                \
    D(fault, "illegal here: a fault of this node's own")

enum peer_deed {
#define D(name, says) PEER_DO_##name,
    PEER_DEEDS(D)
#undef D
        PEER_DEED_COUNT
};

struct peer_step {
    enum peer_deed deed;
    enum peer_state next;
};

/* What an event means in a state. A fault leaves the state as it is. */
struct peer_step peer_step(enum peer_state state, enum peer_event event);

extern const char *const peer_state_names[PEER_STATE_COUNT];
extern const char *const peer_event_names[PEER_EVENT_COUNT];

#endif
