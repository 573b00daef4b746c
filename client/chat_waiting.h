/* chat_waiting: the texts of a room that were written here and are not in its view yet. They are
 * shown until the node has them, or refused them. */
#ifndef WEIR_CLIENT_CHAT_WAITING_H
#define WEIR_CLIENT_CHAT_WAITING_H

#include "base/buffer.h"
#include "client/chat_flow.h"
#include "client/weir_room.h"

struct chat_waiting_text {
    uint8_t spot[WEIR_SPOT_BYTES], reply_to[WEIR_SPOT_BYTES];
    bool is_reply;
    struct buffer text;
};

/* Zero-initialised is empty. */
struct chat_waiting {
    struct chat_waiting_text *list;
    size_t count;
};

/* reply_to may be NULL. Without memory it is not shown; it is queued all the same. */
void chat_waiting_add(struct chat_waiting *self, const uint8_t *spot, const uint8_t *reply_to,
                      struct slice text);
void chat_waiting_free(struct chat_waiting *self);

/* NULL: it does not wait. */
const struct chat_waiting_text *chat_waiting_find(const struct chat_waiting *self,
                                                  const uint8_t *spot);

/* Drops those that are in the view now, which the flow is to show anew, and those that are neither
 * there nor pending. True: there were such, and the node refused them. */
bool chat_waiting_settle(struct chat_waiting *self, weir_room_t *room, chat_flow_t *flow);

#endif
