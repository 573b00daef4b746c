/* chat_sight: what a chat_flow_t is inside, shared by its two files and seen by nobody else:
 *
 *   chat_flow.c     what there is: messages in order, and what each shows because of the one before
 *   chat_sight.c    what of it is in sight, and which one is chosen
 */
#ifndef WEIR_CLIENT_CHAT_SIGHT_H
#define WEIR_CLIENT_CHAT_SIGHT_H

#include "client/chat_flow.h"

struct chat_entry {
    struct chat_item item;
    struct chat_block block;
    int day;
    bool stale, first_of_day, first_unread, grouped;
};

struct chat_flow {
    chat_flow_fn *message;
    void *arg;
    struct chat_entry *entries; /* by spot */
    size_t count, rows, columns;
    bool at_end, has_mark, has_chosen;
    uint8_t bottom[CHAT_SPOT_BYTES]; /* not at the end: the last one in sight … */
    size_t hidden;                   /* … and how many of its lines are below the screen */
    uint8_t mark[CHAT_SPOT_BYTES], chosen[CHAT_SPOT_BYTES];
    struct chat_block top; /* the first one in sight, with its author, where that is above */
    size_t came, laid;
};

/* The first entry at or after a spot; the count when there is none. */
size_t chat_flow_from(const chat_flow_t *self, const uint8_t *spot);
/* Is it the entry of this spot? */
bool chat_flow_is_at(const chat_flow_t *self, size_t i, const uint8_t *spot);

#endif
