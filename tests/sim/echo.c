#include "tests/sim/play.h"

#include <stdlib.h>

/* What a node may send twice: a change, which merges as it did before; a question; news. Not an
 * EDIT, which it asks of one host once, and not what makes two nodes parent and child. */
static bool may_come_again(const struct peer_send *send)
{
    enum peer_kind kind;
    union peer_any body;
    if (!send->bytes || peer_decode(blob_slice(send->bytes), &kind, &body, NULL) != 0)
        return false;
    return kind == PEER_DELTA || kind == PEER_GET || kind == PEER_NEIGHBOURS ||
           (kind == PEER_UPDATE && !body.update.edit);
}

static const struct live_peer *numbered(const struct played_node *node, peer_t number)
{
    for (size_t i = 0; i < node->live_count; i++)
        if (node->live[i].number == number)
            return &node->live[i];
    return NULL;
}

static void remember(struct play *self, size_t node, const struct peer_send *send)
{
    const struct live_peer *to = numbered(&self->nodes[node], send->number);
    struct echo *row = &self->echoes[self->echoes_count % ECHOES_MAX];
    if (!to || !may_come_again(send))
        return;
    blob_release(&row->bytes);
    *row = (struct echo){.from = node,
                         .to = to->node,
                         .actor = (enum actor_id)send->head.from,
                         .lane = send->lane,
                         .bytes = blob_hold(send->bytes)};
    self->echoes_count++;
}

/* What it sent to that peer before, in part, over the connection that it has now. */
static void send_again(void *play, uint64_t node, uint64_t number)
{
    struct play *self = (struct play *)play;
    const struct live_peer *to = numbered(&self->nodes[node], number);
    size_t kept = self->echoes_count < ECHOES_MAX ? self->echoes_count : ECHOES_MAX;
    if (!to || !world_is_up(self->world, node) || world_is_paused(self->world, node))
        return;
    for (size_t i = 0; i < kept; i++) {
        const struct echo *row = &self->echoes[(self->echoes_count - kept + i) % ECHOES_MAX];
        if (row->from != node || row->to != to->node || dice_one_in(&self->dice, 2))
            continue;
        struct peer_send *send = (struct peer_send *)message_new(sizeof *send);
        if (!send)
            abort();
        send->number = number;
        send->lane = row->lane;
        send->bytes = blob_hold(row->bytes);
        world_send(self->world, node, row->actor, ACTOR_transport, MESSAGE_PEER_SEND, &send->head);
        self->echoed++;
    }
}

void echo_on_message(struct play *self, size_t node, const struct message *message)
{
    if (!self->echo_one_in)
        return;
    if (message->kind == MESSAGE_PEER_SEND)
        remember(self, node, (const struct peer_send *)message);
    if (message->kind == MESSAGE_PEER_LIVE && message->to == ACTOR_hosting &&
        dice_one_in(&self->dice, self->echo_one_in))
        world_at(self->world, storm_after_ms(self, 0, 1000), send_again, self, node,
                 ((const struct peer_live *)message)->number);
}

void echo_free(struct play *self)
{
    for (size_t i = 0; i < ECHOES_MAX; i++)
        blob_release(&self->echoes[i].bytes);
}
