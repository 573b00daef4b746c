/* peer_wire: where the bytes of peers come from and go to. transport speaks through this, so that
 * the simulator can be the network; the node's is TCP (actors/peer_tcp.c).
 *
 * Non-blocking. A connection is a small integer, reused after `close`. */
#ifndef WEIR_ACTORS_PEER_WIRE_H
#define WEIR_ACTORS_PEER_WIRE_H

#include "base/limits.h"
#include "base/slice.h"

#include <stdbool.h>

/* E (event, what it says) */
#define WIRE_EVENTS(E)                                                                             \
    E(none, "nothing more now")                                                                    \
    E(accepted, "a stranger connected; `remote` is its address")                                   \
    E(connected, "a dial succeeded; `remote` is whom it reached")                                  \
    E(readable, "read until it returns 0")                                                         \
    E(writable, "there is room again after a short write")                                         \
    E(closed, "the far end closed it (all it sent before has been read), or the dial failed")      \
    E(reset, "the connection was reset, or broke")
enum wire_event_kind {
#define E(name, says) WIRE_##name,
    WIRE_EVENTS(E)
#undef E
};

struct wire_event {
    enum wire_event_kind kind;
    int connection;
    char remote[300];   /* accepted, connected: ADDRESS:PORT, an IPv6 address in brackets */
    uint8_t prefix[16]; /* accepted: the address without host bits (IPv4 /24 mapped, IPv6 /48) */
    char why[100];      /* closed, reset: text for operators */
};

struct peer_wire {
    void *self;
    /* Begins a connection; `connected` or `closed` follows. The connection, or a negative error:
     * ERR_BAD_REQUEST for an address that is none, ERR_BUSY when descriptors run out. Names are
     * resolved without blocking. */
    int (*dial)(void *self, const char *address);
    /* The next event. Fills `event`; kind none when nothing waits. */
    void (*next)(void *self, struct wire_event *event);
    /* Bytes read into `to`, at most size; 0 when nothing waits (or it closed: the event tells). */
    size_t (*read)(void *self, int connection, uint8_t *to, size_t size);
    /* Bytes taken, possibly fewer than given (then `writable` follows); 0 also when it broke. */
    size_t (*write)(void *self, int connection, struct slice bytes);
    /* While off, no readable event comes and nothing is read (the window is full); `closed` and
     * `reset` still come if the system tells them. */
    void (*want_read)(void *self, int connection, bool on);
    /* Frees it; no event of it comes after. `abort`: with a reset; else what was written is still
     * delivered by the system. */
    void (*close)(void *self, int connection, bool abort);
    /* Strangers are accepted while on (descriptors and slots are bounded by transport). */
    void (*want_accept)(void *self, bool on);
    int (*descriptor)(void *self); /* readable when an event waits; -1: none (simulator) */
};

#endif
