#include "actors/moves.h"

#include "actors/actor.h"

bool moves_note(struct moves *self, const struct ring_view *view, const struct peer_order *gone,
                uint64_t now_ms)
{
    const struct ring_peer *peer = ring_view_find(view, gone->number);
    if (!gone->replaced || !peer || self->count == MOVES_MAX)
        return false;
    self->peers[self->count++] =
        (struct moving){.from = gone->number, .id = peer->id, .until_ms = now_ms + MOVE_MS};
    return true;
}

static peer_t take(struct moves *self, size_t at)
{
    peer_t from = self->peers[at].from;
    self->peers[at] = self->peers[--self->count];
    return from;
}

peer_t moves_arrived(struct moves *self, const struct node_id *id)
{
    for (size_t i = 0; i < self->count; i++)
        if (memcmp(&self->peers[i].id, id, sizeof *id) == 0)
            return take(self, i);
    return 0;
}

peer_t moves_lost(struct moves *self, uint64_t now_ms)
{
    for (size_t i = 0; i < self->count; i++)
        if (now_ms >= self->peers[i].until_ms)
            return take(self, i);
    return 0;
}

uint64_t moves_deadline_ms(const struct moves *self)
{
    uint64_t first = NEVER;
    for (size_t i = 0; i < self->count; i++)
        if (self->peers[i].until_ms < first)
            first = self->peers[i].until_ms;
    return first;
}
