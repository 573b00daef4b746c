/* wires_state: what wires.c (connections), wires_machine.c (a machine's view of them) and
 * wires_faults.c share. */
#ifndef WEIR_TESTS_WIRES_STATE_H
#define WEIR_TESTS_WIRES_STATE_H

#include "tests/sim/wires.h"

enum segment_kind { SEGMENT_connected, SEGMENT_data, SEGMENT_fin, SEGMENT_rst };

struct segment {
    uint64_t due_us, upto; /* upto: of the flow's bytes */
    enum segment_kind kind;
};

/* One direction of a link. Positions count the bytes ever written. */
struct flow {
    uint8_t *bytes; /* owned: those from `taken` on, bytes[0] is number `base` */
    size_t capacity;
    uint64_t base, taken, arrived, written;
    struct segment *segments; /* owned: on their way */
    size_t first, count, segments_capacity;
    uint64_t last_due_us, lag_us;
    bool scheduled; /* an arrival is in the agenda */
    bool stalled;   /* the way is blocked, or nobody is there */
    bool wants_room, room_told;
};

struct end {
    size_t machine;
    int local;     /* its process's number for it; -1: closed, or not accepted yet */
    bool reading;  /* want_read */
    bool told;     /* a readable event waits */
    bool fin, end; /* FIN has arrived; and was told */
    bool broken;   /* reset */
};

/* flows[i] runs from ends[i], who is the dialler for i = 0. */
struct link {
    bool used;
    uint64_t generation;
    unsigned tries;
    uint16_t port; /* the dialler's */
    struct end ends[2];
    struct flow flows[2];
};

struct happened {
    enum wire_event_kind kind;
    size_t link;
    uint64_t generation;
    int side;
    const char *why; /* static */
};

struct machine {
    struct wires *wires;
    size_t number;
    struct peer_wire wire;
    char address[32];
    bool reachable, process, power, accepting;
    uint16_t next_port;
    size_t *locals; /* owned: link of each number, SIZE_MAX for none */
    size_t locals_count, connections;
    struct happened *events; /* owned: a ring */
    size_t events_first, events_count, events_capacity;
};

struct wires {
    struct wires_options options;
    struct dice dice;
    struct machine **machines; /* owned */
    size_t machines_count;
    struct link **links; /* owned, all ever made: a place is used again */
    size_t links_count;
    size_t *unused; /* owned: places of unused ones */
    size_t unused_count;
    uint64_t generations;
    uint8_t *blocked; /* [from * machines_max + to] */
    struct wires_counts counts;
};

struct link *wires_link(struct wires *self, size_t link, uint64_t generation); /* or NULL */

/* How long a segment takes from one machine to the other, now. */
uint64_t wires_latency_us(struct wires *self, size_t from, size_t to);

/* Sends from ends[side]; data up to what is written. */
void wires_send(struct wires *self, size_t link, int side, enum segment_kind kind, size_t bytes);

/* A segment from ends[from] arrives at the other. */
void wires_deliver(struct wires *self, size_t link, int from, struct segment segment);

/* What waits for this way is sent again, a while later. */
void wires_resume(struct wires *self, size_t link, int side);

/* The process at ends[side] closes it, or its system does after a kill. */
void wires_close(struct wires *self, size_t link, int side, bool abort);

/* A new connection from machine to address. Its place. */
size_t wires_dial(struct wires *self, size_t machine, const char *address);

/* wires_machine.c */
int machine_hold(struct machine *self, size_t link); /* gives it a number */
void machine_let_go(struct machine *self, int local);
void machine_tell(struct machine *self, enum wire_event_kind kind, size_t link, int side,
                  const char *why);
/* Bytes or the end have come, or are wanted now: says so once, as edge-triggered polling does. */
void machine_tell_readable(struct machine *self, size_t link, int side);
void machine_init(struct machine *self);
void machine_free(struct machine *self);

#endif
