/* client_sessions: the table of clients that client_api has heard of, found by routing id and by
 * number. At most CLIENTS_MAX; then the one idle longest, with nothing open or parked, makes room;
 * one that follows something only when no other is left, since it would not be told.
 */
#ifndef WEIR_ACTORS_CLIENT_SESSIONS_H
#define WEIR_ACTORS_CLIENT_SESSIONS_H

#include "actors/client_wire.h"
#include "actors/messages.h"
#include "base/hash.h"

struct session {
    client_t number;
    uint8_t *from; /* routing id, owned */
    size_t from_size;
    size_t open; /* requests under work */
    uint64_t open_bytes;
    struct mail parked;    /* REPLYs that it does not take now, and at most one NOTIFY */
    uint64_t parked_bytes; /* of the states in them */
    bool slow;             /* subscribe keeps its notifications: owes a CLIENT_READY */
    size_t subscriptions;  /* about: what it asked for with success, less what it ended */
    bool told_discards;    /* the operator knows that it is not listened to */
    struct owed *owed;
    struct session *stalled_next, *stalled_previous; /* list of sessions with parked or slow */
    struct session *used_next, *used_previous;       /* order of last use */
    bool is_stalled;
    UT_hash_handle hh, by_number;
};

struct sessions {
    struct session *by_from, *by_number;
    struct session *stalled; /* first of the list */
    struct session *used;    /* longest idle first */
    struct session *used_last;
    client_t next_number;
    size_t count, full; /* full: reading, and at their limit of open requests */
};

/* Finds or makes the session of a routing id and marks it used. *evicted (may be set) is a session
 * taken out to make room, for the caller to tell of and session_free. NULL at the cap with nobody
 * idle, or without memory. */
struct session *sessions_of(struct sessions *self, struct slice from, struct session **evicted);
struct session *sessions_find(const struct sessions *self, client_t number);

/* Takes it out of every list. The caller frees it. */
void sessions_take_out(struct sessions *self, struct session *session);
void session_free(struct session *session);

/* Marks a session as one that does not take what it is sent, or that takes it again. */
void sessions_stall(struct sessions *self, struct session *session, bool stalled);

/* Counts a request in or out; keeps `full`. */
void sessions_open(struct sessions *self, struct session *session, uint64_t bytes);
void sessions_done(struct sessions *self, struct session *session, uint64_t bytes);

#endif
