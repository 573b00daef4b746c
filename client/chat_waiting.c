#include "client/chat_waiting.h"

#include "contracts/entries.h"
#include "contracts/room_record.h"

#include <stdlib.h>

void chat_waiting_add(struct chat_waiting *self, const uint8_t *spot, const uint8_t *reply_to,
                      struct slice text)
{
    struct chat_waiting_text *list = reallocarray(self->list, self->count + 1, sizeof *list);
    if (!list)
        return;
    struct chat_waiting_text *one = &list[self->count++];
    *one = (struct chat_waiting_text){.is_reply = reply_to != NULL};
    memcpy(one->spot, spot, sizeof one->spot);
    if (reply_to)
        memcpy(one->reply_to, reply_to, sizeof one->reply_to);
    buffer_append_slice(&one->text, text);
    self->list = list;
}

static void drop(struct chat_waiting *self, size_t i)
{
    buffer_free(&self->list[i].text);
    self->count--;
    memmove(&self->list[i], &self->list[i + 1], (self->count - i) * sizeof *self->list);
}

void chat_waiting_free(struct chat_waiting *self)
{
    while (self->count)
        drop(self, self->count - 1);
    free(self->list);
    self->list = NULL;
}

const struct chat_waiting_text *chat_waiting_find(const struct chat_waiting *self,
                                                  const uint8_t *spot)
{
    for (size_t i = 0; i < self->count; i++)
        if (memcmp(self->list[i].spot, spot, WEIR_SPOT_BYTES) == 0)
            return &self->list[i];
    return NULL;
}

/* Is the message of a spot queued or on its way? */
static bool is_pending(struct slice pending, const uint8_t *spot)
{
    struct entry entry;
    while (pending.size && !entry_take(&pending, &entry))
        if (entry.key.size == 1 + WEIR_SPOT_BYTES && entry.key.data[0] == ROOM_MESSAGE &&
            memcmp(entry.key.data + 1, spot, WEIR_SPOT_BYTES) == 0)
            return true;
    return false;
}

bool chat_waiting_settle(struct chat_waiting *self, weir_room_t *room, chat_flow_t *flow)
{
    struct weir_bytes left = {0};
    bool refused = false;
    if (self->count)
        left = weir_room_pending(room);
    for (size_t i = self->count; i-- > 0;) {
        size_t at;
        const uint8_t *spot = self->list[i].spot;
        bool taken = weir_room_find_spot(room, spot, &at) == 0;
        if (!taken && is_pending(slice_of(left.data, left.size), spot))
            continue;
        if (taken)
            chat_flow_touch(flow, spot);
        refused = refused || !taken;
        drop(self, i);
    }
    return refused;
}
