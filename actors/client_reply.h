/* client_reply: the frames of replies and notifications (docs/protocol.md). */
#ifndef WEIR_ACTORS_CLIENT_REPLY_H
#define WEIR_ACTORS_CLIENT_REPLY_H

#include "actors/client_wire.h"
#include "actors/messages.h"

enum { REPLY_PARTS_MAX = 8 };

struct reply_parts {
    struct part part[REPLY_PARTS_MAX]; /* borrow from the message, from here, or are static */
    size_t count;
    uint8_t number[4];
};

void client_reply_parts(const struct request *reply, struct reply_parts *parts);
void client_notify_parts(const struct notify *notify, struct reply_parts *parts);

#endif
