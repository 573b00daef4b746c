/* lanes: many messages in one stream of records, none stuck behind another's bulk (design.md §5).
 *
 *   record := frame*                    what a sealed record says; none is a sign of life
 *   frame  := u8 type · u16 size · size bytes          (LANE_PIECE_BYTES_MIN at least, the last of
 *                                                       a message aside)
 *   type   := lane (0 control, 1 small, 2 bulk), plus 128 when the bytes end a message
 *           | 131: credit, always alone: u8 lane · u32 cost
 *
 * A message goes in one lane, in pieces if need be; messages of a lane follow one another. A record
 * is filled from control, then small, then bulk, but a lane that waits gets LANE_SHARE_BYTES of
 * each record, so that none starves: a ping waits for one record at most, and a large state moves
 * on however many small messages there are.
 *
 * Credit. Small and bulk start with LANE_WINDOW_BYTES each. A frame costs its size and
 * LANE_FRAME_COST; who has no credit left in a lane waits there, with the others going on. Credit
 * comes back as the receiver is done with the messages. So a receiver holds at most the window of a
 * lane, and yet reads on: full is not closed, and not deaf (lesson C3). Control has no credit: what
 * it carries is small and done with at once.
 *
 * Pure: bytes in, bytes out. */
#ifndef WEIR_PROTO_LANES_H
#define WEIR_PROTO_LANES_H

#include "base/blob.h"
#include "base/buffer.h"
#include "base/errors.h"
#include "proto/peer_protocol.h"

#define LANE_LAST           128u
#define LANE_CREDIT         131u
#define LANE_HEAD_BYTES     3u
#define LANE_CREDIT_BYTES   5u
#define LANE_WINDOWED(lane) ((lane) != LANE_control)

/* What the largest message costs when it is cut as finely as it may be. */
#define LANE_MESSAGE_COST_MAX                                                                      \
    (PEER_MESSAGE_BYTES_MAX + (PEER_MESSAGE_BYTES_MAX / LANE_PIECE_BYTES_MIN + 1) * LANE_FRAME_COST)
_Static_assert(LANE_MESSAGE_COST_MAX + LANE_GRANT_BYTES + LANE_PIECE_BYTES_MIN + LANE_FRAME_COST <
                   LANE_WINDOW_BYTES,
               "a message always fits into the credit that its receiver keeps up");

/* One message to send. The caller's; first in a struct of its own if it wants more of it. */
struct lane_item {
    struct lane_item *next;
    struct blob *bytes; /* the caller's holder */
    size_t sent;
};

struct lane_out {
    struct lane_item *first, **last;
    uint64_t credit; /* that the far side has granted, not used yet */
};

struct lane_in {
    struct buffer piece;          /* of a message that has not ended */
    uint64_t piece_cost;          /* of its frames so far */
    uint64_t used, done, granted; /* costs since the beginning; used is at most granted */
};

/* Both directions of one connection. */
struct lanes {
    struct lane_out out[LANE_COUNT];
    struct lane_in in[LANE_COUNT];
    uint32_t owed_credit[LANE_COUNT]; /* granted, to be told in the next record */
    uint64_t waiting_bytes;           /* of messages queued and not in a record */
};

void lanes_init(struct lanes *self);

/* Frees what was received; what was queued is taken out by lanes_take_back before. */
void lanes_free(struct lanes *self);

/* --- out --------------------------------------------------------------------------------- */

/* Queues a message, at most PEER_MESSAGE_BYTES_MAX, not empty; control: CONTROL_BYTES_MAX. The item
 * stays where it is until it comes back from lanes_fill or lanes_take_back. */
void lanes_queue(struct lanes *self, enum lane lane, struct lane_item *item);

/* Would lanes_fill write anything now? */
bool lanes_ready(const struct lanes *self);

/* Writes frames into a record's plaintext; returns how many bytes (0: nothing can go now). Messages
 * whose last byte is in it come back, in order, at the end of the chain *done. size is at least
 * 4 * LANE_SHARE_BYTES. */
size_t lanes_fill(struct lanes *self, uint8_t *to, size_t size, struct lane_item **done);

/* All that is still queued, as a chain. */
struct lane_item *lanes_take_back(struct lanes *self);

/* --- in ---------------------------------------------------------------------------------- */

struct lane_message {
    enum lane lane;
    struct slice bytes; /* lies in the record, or in owned */
    uint8_t *owned; /* malloc'ed, the caller's: a message that came in pieces. NULL: one piece */
    uint64_t cost;  /* to be given to lanes_done when the caller is done with it */
};

/* Takes frames off the front of *record (plaintext) until a message has ended: 1. 0: the record is
 * at its end. ERR_BAD_REQUEST for what are no frames, ERR_TOO_LARGE for a message over its limit,
 * ERR_DENIED for one beyond its credit, ERR_NO_MEMORY; the connection cannot go on then. */
MUST_USE int lanes_take(struct lanes *self, struct slice *record, struct lane_message *message,
                        struct reason *why);

/* Frees what has come of messages that have not ended, with their cost. The lanes take no more then
 * than an end. */
void lanes_forget(struct lanes *self);

/* The caller is done with messages of this lane that cost so much in all. Credit is told when
 * LANE_GRANT_BYTES of it have come together. */
void lanes_done(struct lanes *self, enum lane lane, uint64_t cost);

/* Cost received that has not been granted again: what the receiver may be holding. */
uint64_t lanes_held(const struct lanes *self, enum lane lane);

#endif
