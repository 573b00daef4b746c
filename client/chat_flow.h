/* chat_flow: what of a room's messages is on the screen: in which place of them one is, and which
 * one is chosen. Messages are laid out when they come into sight, and kept until they change: one
 * more costs its own lines.
 *
 * The place is held by the message at the bottom, not by a number: what comes or goes elsewhere
 * does not move what one reads. At the end the newest stays in sight. */
#ifndef WEIR_CLIENT_CHAT_FLOW_H
#define WEIR_CLIENT_CHAT_FLOW_H

#include "base/errors.h"
#include "client/chat_lines.h"

typedef struct chat_flow chat_flow_t;

/* A message's place in time, and its name: WEIR_SPOT_BYTES of client/weir_room.h. */
enum { CHAT_SPOT_BYTES = 28 };

struct chat_item {
    uint8_t spot[CHAT_SPOT_BYTES];
    uint64_t time_ms;
    uint64_t author; /* tells authors apart */
    bool said;       /* a text, that can be chosen; else coming and going */
    bool apart;      /* its author is always shown */
};

/* Fills in the message at a spot, which borrows until the next call. What `first_…` and `grouped`
 * tell is the flow's to know. */
typedef void chat_flow_fn(void *arg, const uint8_t *spot, struct chat_message *message);

/* NULL without memory. */
chat_flow_t *chat_flow_new(chat_flow_fn *message, void *arg);
void chat_flow_destroy(chat_flow_t **self);

/* The room of the screen. */
void chat_flow_size(chat_flow_t *self, size_t rows, size_t columns);

/* What there is now, in order of spots. Those that were there before and were not touched are as
 * they were. ERR_NO_MEMORY: all is as before. */
MUST_USE int chat_flow_set(chat_flow_t *self, const struct chat_item *items, size_t count);
/* One that is another now, or all. */
void chat_flow_touch(chat_flow_t *self, const uint8_t *spot);
void chat_flow_touch_all(chat_flow_t *self);
/* A rule is drawn above the first after this spot; NULL: none. */
void chat_flow_mark(chat_flow_t *self, const uint8_t *spot);

/* --- what is in sight ------------------------------------------------------------------------ */

struct chat_row {
    const struct chat_block *block;
    size_t line;
    bool chosen;
};

/* The rows in sight from the top, at most as many as the size has: fewer where there are no more.
 * They live until the next call. */
size_t chat_flow_rows(chat_flow_t *self, struct chat_row *rows);

/* Moves down by so many lines, up by less than 0. */
void chat_flow_scroll(chat_flow_t *self, long lines);
void chat_flow_to_start(chat_flow_t *self);
void chat_flow_to_end(chat_flow_t *self);
bool chat_flow_at_end(const chat_flow_t *self);
/* How many came behind what is in sight since it was not the end any more. */
size_t chat_flow_came(const chat_flow_t *self);

/* Chooses the text above (-1) or below (1) the chosen one, and brings it in sight. From none up is
 * the last in sight; from the last down is none. False: there was none. */
bool chat_flow_choose(chat_flow_t *self, int step);
void chat_flow_choose_none(chat_flow_t *self);
/* The spot of the chosen one, NULL: none. Lives until the next call. */
const uint8_t *chat_flow_chosen(const chat_flow_t *self);

/* How many messages were laid out so far. */
size_t chat_flow_laid(const chat_flow_t *self);

#endif
