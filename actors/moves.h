/* moves: peers that are about to be live under another number. Two connections to one peer that
 * cross become one (docs/decisions/0014-who-dials.md), and it is not always the older one that is
 * kept; or a peer is back before its old connection is known to be dead. It is not gone then, and
 * what was asked of it is asked again over the connection that is kept. Each actor that waits for
 * peers keeps a table; between the end of the one connection and PEER_LIVE of the other there is a
 * moment at most. Pure. */
#ifndef WEIR_ACTORS_MOVES_H
#define WEIR_ACTORS_MOVES_H

#include "actors/messages.h"

struct moves {
    struct moving {
        peer_t from;
        struct node_id id;
        uint64_t until_ms;
    } peers[MOVES_MAX];
    size_t count;
};

/* Why a connection ended. True: its peer is to be waited for. False: it is gone, or it is not known
 * who it was, or the table is full. To be asked before the number leaves the view. */
bool moves_note(struct moves *self, const struct ring_view *view, const struct peer_order *gone,
                uint64_t now_ms);

/* A peer is live: takes one of its former numbers out; 0: it has none (more). */
peer_t moves_arrived(struct moves *self, const struct node_id *id);

/* Takes out the number of one that did not come back in time; 0: none (more). */
peer_t moves_lost(struct moves *self, uint64_t now_ms);

/* When moves_lost is to be called, NEVER without peers. */
uint64_t moves_deadline_ms(const struct moves *self);

#endif
