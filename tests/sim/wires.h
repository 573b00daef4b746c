/* wires: machines and the TCP connections between them, in virtual time. Each machine has a
 * peer_wire that behaves as the node's own does (actors/peer_tcp.c): bytes of a connection arrive
 * in order and whole or the connection breaks; a write is cut short when the window is full; a dead
 * link is silent.
 *
 *   dial ——SYN→ accept ——→ connected        a machine whose process is gone refuses
 *   write ——→ in flight ——→ arrived ——→ read        window = written and not yet read
 *   close ——FIN→ closed, once all has been read      abort ——RST→ reset, what was not read is lost
 *
 * What a blocked way keeps from arriving arrives after it is unblocked, as TCP sends it again. */
#ifndef WEIR_TESTS_WIRES_H
#define WEIR_TESTS_WIRES_H

#include "actors/peer_wire.h"
#include "tests/sim/agenda.h"
#include "tests/sim/dice.h"

typedef struct wires wires_t;

struct wires_options {
    struct agenda *agenda; /* borrowed */
    const uint64_t *us;    /* the time; borrowed */
    uint64_t seed;
    size_t machines_max;
    uint64_t latency_min_us, latency_max_us; /* each way has its own, drawn once … */
    uint64_t jitter_us;                      /* … and this much more now and then */
    size_t window_bytes;                     /* of each direction */
    uint64_t bytes_a_second;                 /* of each direction; 0: no limit */
    void *owner;
    void (*wake)(void *owner, size_t machine); /* an event waits for it */
};

wires_t *wires_new(const struct wires_options *options);
void wires_destroy(wires_t **self);

/* A new machine: the next number from 0 on; up, without a process. `reachable`: others can dial it.
 */
size_t wires_add(wires_t *self, bool reachable);
const char *wires_address(const wires_t *self, size_t machine); /* HOST:PORT, borrowed */

/* Its process's wire; lives as long as the network. The process starts and is killed: what it had
 * is closed (its system does that) or, when the power is gone, only forgotten; then its machine
 * answers nobody until it starts again. */
const struct peer_wire *wires_of(wires_t *self, size_t machine);
void wires_start(wires_t *self, size_t machine);
void wires_kill(wires_t *self, size_t machine, bool power);

/* Nothing gets from one to the other any more, silently; or does again. */
void wires_block(wires_t *self, size_t from, size_t to, bool blocked);
bool wires_blocked(const wires_t *self, size_t from, size_t to);
void wires_unblock_all(wires_t *self);

/* Each way of each connection that is open between two now takes up to so much longer from here on,
 * and not those that come later: what was sent on an old one may arrive after what a new one
 * brought. 0: as ever. */
void wires_lag(wires_t *self, size_t a, size_t b, uint64_t us);

/* Resets all connections between two, for both ends, or for those at `a` alone: the other learns of
 * it when a's system tells it, after all that is on its way. Returns how many. */
size_t wires_reset(wires_t *self, size_t a, size_t b);
size_t wires_reset_at(wires_t *self, size_t a, size_t b);

/* Connections of a machine's process, also those that are not accepted yet. */
size_t wires_connections(const wires_t *self, size_t machine);

/* Those of them whose other end is not there: not any more, which the process has not heard yet, or
 * not accepted so far. */
size_t wires_half_open(const wires_t *self, size_t machine);

struct wires_counts {
    uint64_t dials, accepted, refused, resets, segments, bytes;
};
struct wires_counts wires_counts(const wires_t *self);

#endif
