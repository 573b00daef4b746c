/* transport_state: what the files of transport share: transport.c (the actor, orders, events),
 * transport_handshake.c (from a stranger to a peer), transport_in.c and transport_out.c (records),
 * transport_budget.c (how much mail is held), transport_close.c (their end).
 *
 * A function that may close its link returns whether it still is there. */
#ifndef WEIR_ACTORS_TRANSPORT_STATE_H
#define WEIR_ACTORS_TRANSPORT_STATE_H

#include "actors/peer_links.h"
#include "actors/transport.h"

/* What one message handler is about. */
struct turn {
    struct now now;
    struct outbox *out; /* NULL: the node stops, nobody is told */
};

struct transport {
    struct transport_options options;
    struct peer_links links;
    struct strangers strangers;
    struct transport_counters counters;
    struct owed *mail;      /* of all peers, those that went included, whole or not … */
    uint64_t unfinished;    /* … and what is not whole of it */
    peer_t next_number;     /* inbound: odd */
    uint64_t timed_at_ms;   /* the earliest deadline of links, or before it */
    uint64_t retry_at_ms;   /* to look after mail that is not freed; NEVER: none is waited for */
    bool accepting;         /* as the wire was told */
    bool more_to_write;     /* a link's turn was over before its messages were */
    size_t handshakes_left; /* in this turn … */
    size_t accepts_left;    /* … and so many strangers let in */
    struct buffer sealed;   /* records on the way from the lanes to the wire */
    uint8_t plain[RECORD_PLAIN_BYTES_MAX];
    uint8_t input[PEER_READ_BYTES + 2 * RECORD_SEALED_BYTES_MAX];
};

/* --- transport_close.c ------------------------------------------------------------------- */

/* When it is closed if nothing becomes of it; NEVER: not. */
void transport_deadline(transport_t *self, struct peer_link *link, uint64_t at_ms);

/* Strangers are let in while there is room for them and for dials, some a turn. */
void transport_keep_accepting(transport_t *self);

/* With *closed if there is one, which it takes. */
void transport_tell_closed(struct closed **closed, peer_t number, enum close_reason reason,
                           const struct reason *why, const struct turn *turn);

/* Closes and frees the link; tells connections (CLOSED) if it has a number. */
void transport_drop(transport_t *self, struct peer_link *link, enum close_reason reason,
                    const struct reason *why, const struct turn *turn);
void transport_drop_text(transport_t *self, struct peer_link *link, enum close_reason reason,
                         const char *why, const struct turn *turn);

/* Gives messages back that will not be sent, or were: frees them, or PEER_SENT. */
void transport_return(struct lane_item *chain, const struct turn *turn);

/* --- transport_handshake.c --------------------------------------------------------------- */

void transport_accepted(transport_t *self, const struct wire_event *event, const struct turn *turn);
void transport_connected(transport_t *self, struct peer_link *link, const char *remote,
                         const struct turn *turn);
/* One whole message of the handshake, or the first record. */
bool transport_first_message(transport_t *self, struct peer_link *link, struct slice message,
                             const struct turn *turn);
bool transport_answer(transport_t *self, struct peer_link *link, struct slice message,
                      const struct turn *turn);
bool transport_first_record(transport_t *self, struct peer_link *link, struct slice record,
                            const struct turn *turn);

/* Why a connection in this state is over when it was closed by the far end, or took too long. */
enum close_reason transport_closed_reason(const struct peer_link *link, const char **text);
enum close_reason transport_slow_reason(const struct peer_link *link);

/* --- transport_in.c ---------------------------------------------------------------------- */

/* Reads and hands on, for each link that has something, a bounded amount. False: nothing was. */
bool transport_read(transport_t *self, const struct turn *turn);

/* ADMIT: what came with the first record, and from now on all that comes. */
void transport_admit(transport_t *self, struct peer_link *link, const struct turn *turn);

/* --- transport_budget.c ------------------------------------------------------------------ */

/* After each record: counts what came, and sees to it that nobody holds too much. */
bool transport_watch(transport_t *self, struct peer_link *link, const struct turn *turn);

/* Credit for mail that was freed since. */
void transport_collect(transport_t *self, const struct turn *turn);

/* --- transport_out.c --------------------------------------------------------------------- */

/* Queues a message (given away); tell may be NULL. False without memory; it is freed then. */
bool transport_queue(transport_t *self, struct peer_link *link, enum lane lane, struct blob *bytes,
                     struct peer_send *tell);

/* Bytes for the wire that are sealed already. False without memory. */
bool transport_put(transport_t *self, struct peer_link *link, struct slice bytes);

/* Writes for each link that has something, a bounded amount. */
void transport_write(transport_t *self, const struct turn *turn);

void transport_send(transport_t *self, struct peer_send *send, const struct turn *turn);
void transport_notify(transport_t *self, struct notify *notify, const struct turn *turn);

/* Seals the goodbye; from now on the link is leaving. */
bool transport_goodbye(transport_t *self, struct peer_link *link, enum close_reason reason,
                       const struct reason *why, const struct turn *turn);

#endif
