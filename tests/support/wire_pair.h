/* wire_pair: two peer wires joined in memory, and strangers who speak bytes to one of them. Bytes
 * arrive at once, in order; a direction holds at most a socket's worth. The test may keep them from
 * arriving, change them on the way, read along, and cut a connection. */
#ifndef WEIR_TESTS_WIRE_PAIR_H
#define WEIR_TESTS_WIRE_PAIR_H

#include "actors/peer_wire.h"
#include "base/buffer.h"

typedef struct wire_pair wire_pair_t;

wire_pair_t *wire_pair_new(void);
void wire_pair_destroy(wire_pair_t **self);

/* End 0 or 1. Each reaches the other at wire_pair_address (of the other); nobody else is there. */
const struct peer_wire *wire_pair_end(wire_pair_t *self, int end);
const char *wire_pair_address(int end);

/* What a direction holds before writes are short; 64 KiB at first. */
void wire_pair_set_room(wire_pair_t *self, size_t bytes);

/* While held, what is written into any connection from that end does not arrive. */
void wire_pair_hold(wire_pair_t *self, int from, bool held);

/* Called for all bytes as they are written by an end; may change them. NULL: none. */
void wire_pair_tamper(wire_pair_t *self,
                      void (*tamper)(void *context, int from, uint8_t *bytes, size_t size),
                      void *context);

/* All bytes that an end has written since the last call; the first call begins it. Borrowed until
 * it writes again. */
struct slice wire_pair_record(wire_pair_t *self, int from);

/* Connections between the ends, from the oldest on: both ends see them closed, or reset. */
void wire_pair_cut(wire_pair_t *self, bool reset);

/* A connection count as an end has it open, dials and strangers included. */
size_t wire_pair_open(const wire_pair_t *self, int end);
bool wire_pair_accepts(const wire_pair_t *self, int end);
uint64_t wire_pair_dials(const wire_pair_t *self, int end);

/* --- strangers --------------------------------------------------------------------------- */

/* Connects to an end as if from a.b.c.1:port; a number for the calls below. -1: it does not accept
 * now. */
int wire_pair_stranger(wire_pair_t *self, int to, uint8_t a, uint8_t b, uint8_t c);
void wire_pair_say(wire_pair_t *self, int stranger, struct slice bytes);

/* All that the end has written to it so far; borrowed. */
struct slice wire_pair_heard(const wire_pair_t *self, int stranger);
bool wire_pair_is_over(const wire_pair_t *self, int stranger); /* closed or reset by the end */
void wire_pair_leave(wire_pair_t *self, int stranger);         /* closes; the number is free */

#endif
