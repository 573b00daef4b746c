/* relays: the operations that wait for peers, one row each: what a client or a peer asked of this
 * node and this node asks of a live peer, or answers from its own store (design.md §5). GET and
 * UPDATE keep a table each. A row's number is the transaction that the asked peer answers with; a
 * row knows its deadline, who asked, whom it asks, and whom it has asked before, so that a peer's
 * going finds all rows that it concerns (lesson L3).
 *
 *   a peer's GET:     locating ──→ serving ──→ passing ──→ (closed)
 *                          └─────→ asking ───────↑
 *   a client's GET:   asking ──→ merging ──→ reading ──→ (closed)
 *                       ↑└───────────────────↓ ↑
 *                       └────────────────────┘     nobody nearer: the own copy, then those beside
 *   a peer's UPDATE:  changing ──→ asking ──→ (closed)
 *   a client's:       asking ──→ (closed)
 *
 * Any row closes when its deadline passes, when an answer is given, and when its asker is gone. */
#ifndef WEIR_ACTORS_RELAYS_H
#define WEIR_ACTORS_RELAYS_H

#include "actors/actor.h"

/* S (state, states that may follow, what is waited for) */
#define RELAY_STATES(S)                                                                            \
    S(locating, THEN(serving) | THEN(asking) | THEN(passing),                                      \
      "hosting, to tell whether the contract is here")                                             \
    S(serving, THEN(passing), "storage, for the next part of the own state")                       \
    S(changing, THEN(asking), "storage, to merge a peer's change")                                 \
    S(asking, THEN(asking) | THEN(merging) | THEN(reading) | THEN(serving) | THEN(passing),        \
      "the asked peer")                                                                            \
    S(merging, THEN(asking) | THEN(reading), "storage, to merge the last of what came")            \
    S(reading, THEN(asking), "storage, for the client's answer")                                   \
    S(passing, 0u, "the asker's connection, to take the rest")

enum relay_state {
#define S(state, then, waits) RELAY_##state,
    RELAY_STATES(S)
#undef S
        RELAY_STATE_COUNT
};

extern const char *const relay_state_names[RELAY_STATE_COUNT];

struct relay {
    uint64_t number; /* the transaction towards the asked peer, also of own requests (relay) */
    struct contract_key key;
    place_t place;
    uint64_t deadline_ms;
    enum relay_state state;

    int code;          /* what goes back if nobody can do it; 0: nothing was tried. And why: */
    peer_t asker;      /* 0: a client */
    uint64_t asker_tx; /* the peer's number for it */
    struct request *request; /* owned while it lies here; a client's, or a peer's UPDATE */

    peer_t asked; /* in asking: who, the last of them; 0 else */
    peer_t tried[RELAY_TRIES_MAX];
    size_t tried_count, beside_count;
    struct reason why;

    /* GET */
    struct fingerprint known;       /* of what the asker has */
    struct fingerprint fingerprint; /* of the state at the host */
    uint64_t pieces;                /* that came, or were made */
    struct walk *walk;              /* owned: waits until the asker's connection takes more */
    struct mail waiting;            /* PIECEs to pass on */
    struct mail passed;             /* PIECEs passed on; their windows wait for PEER_SENT */
    uint64_t give_up_ms;            /* none was taken until then; NEVER: none waits */
    unsigned outstanding;           /* PIECEs that PEER_SENT will be told of */
    enum lane lane;                 /* of them */
    unsigned merges;                /* pieces at storage */

    uint8_t hops; /* that it may still go from here */
    bool beside;  /* nobody nearer is left: peers that are not nearer are asked too */
    bool has_known;
    bool here;          /* the own copy may be stale, and is better than none */
    bool got;           /* a client's: all of it came */
    bool own_read;      /* a client's: the own copy was looked for */
    bool ending, ended; /* GOT, with code and why, is to be sent; was sent */

    uint8_t unanswered; /* a bit for each of tried: was asked, is live, and has said nothing yet */

    /* UPDATE */
    bool changed;
    bool edit;                     /* an EDIT: made twice it counts twice */
    uint64_t heard;                /* of a peer's EDIT: its number in heard.h */
    uint64_t asked_ms;             /* since when `asked` has been asked */
    uint64_t over_ms;              /* when the connection that it is asked again over was opened */
    size_t done_bytes, sent_bytes; /* of a large delta: taken by the host; in the last message */
};

struct relays {
    struct relay **rows; /* owned, each; NULL where free */
    uint32_t *generations;
    uint32_t *free; /* numbers of free rows, a stack */
    uint32_t capacity, free_count;
    uint32_t of_peers;          /* rows with an asker */
    struct asker_count *counts; /* of each asker */
    uint64_t deadline_ms;       /* none is earlier; NEVER: no rows */
    uint32_t first_generation;
};

/* life: drawn at random when the node starts, so that its numbers are not those of its last run. */
void relays_init(struct relays *self, uint32_t life);
void relays_free(struct relays *self);

/* Opens a row. `asker` 0: a client's, bounded by its transaction. NULL: too many of peers
 * (RELAYS_MAX), of this peer (RELAYS_A_PEER_MAX), or no memory. */
struct relay *relays_open(struct relays *self, peer_t asker, const struct contract_key *key,
                          uint64_t deadline_ms, enum relay_state state);

/* Closes it and frees what it owns. */
void relays_close(struct relays *self, struct relay *relay);

/* NULL: it is gone. */
struct relay *relays_find(const struct relays *self, uint64_t number);

/* The first row at or after *at, NULL past the last; *at becomes where to go on. Rows may be closed
 * between. */
struct relay *relays_each(const struct relays *self, uint32_t *at);

/* Closes at this time, if it is not set anew before; NEVER: only at its deadline. */
void relays_give_up_at(struct relays *self, struct relay *relay, uint64_t ms);

/* The first row whose time is up; NULL: none, and deadline_ms is exact. */
struct relay *relays_expired(struct relays *self, uint64_t now_ms);

/* Changes the state; only as the table above says. */
bool relay_may_follow(enum relay_state from, enum relay_state to);
void relay_move(struct relay *self, enum relay_state state);

/* --- the way to the key ------------------------------------------------------------------ */

/* The next live peer to ask: the nearest to the key of those nearer than this node, not asked yet,
 * those that are silent last.
 * With `beside` set any, RELAY_BESIDE_MAX times. Remembers it as tried. 0: nobody is left. */
peer_t relay_next(struct relay *self, const struct ring_view *ring);

/* Its connection ended, and `to` is the peer's other one. True: it was waited for, and is so again:
 * it is to be asked anew. */
bool relay_asked_moves(struct relay *self, peer_t from, peer_t to);

/* The same of whoever asked: answers go there, and the row counts as one of `to`. */
void relays_asker_moves(struct relays *self, struct relay *relay, peer_t to);

/* The bit of a peer that was asked and has said nothing yet; 0: it is not one. */
uint8_t relay_unanswered_by(const struct relay *self, peer_t peer);

/* How long who was asked is waited for before another is asked beside it; a message takes its time
 * on a slow line. Twice as long for each that is silent already, so that hosts which are only busy
 * are not asked for more and more. Somebody is unanswered. */
uint64_t relay_patience_ms(const struct relay *self);

/* One peer could not do it. NOT_FOUND is what all must say; any other error is told before it. */
void relay_failed(struct relay *self, int code, const char *why);

/* The same of one that may not be the one that is waited for. True: that one still is, as before.
 */
bool relay_is_out(struct relay *self, peer_t peer, int code, const char *why);

/* Time that the asked peer may take, so that its answer is here before this row's time is up. */
uint32_t relay_left_ms(const struct relay *self, uint64_t now_ms);

#endif
