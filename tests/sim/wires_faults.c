/* What goes wrong between machines. */
#include "tests/sim/wires_state.h"

static void resume_way(wires_t *self, size_t from, size_t to)
{
    for (size_t place = 0; place < self->links_count; place++)
        for (int side = 0; side < 2; side++)
            if (self->links[place]->used && self->links[place]->ends[side].machine == from &&
                self->links[place]->ends[1 - side].machine == to)
                wires_resume(self, place, side);
}

void wires_block(wires_t *self, size_t from, size_t to, bool blocked)
{
    uint8_t *way = &self->blocked[from * self->options.machines_max + to];
    bool was = *way;
    *way = blocked;
    if (was && !blocked)
        resume_way(self, from, to);
}

void wires_unblock_all(wires_t *self)
{
    for (size_t from = 0; from < self->machines_count; from++)
        for (size_t to = 0; to < self->machines_count; to++)
            wires_block(self, from, to, false);
}

static bool is_between(const struct link *link, size_t a, size_t b)
{
    size_t from = link->ends[0].machine, to = link->ends[1].machine;
    return link->used && ((from == a && to == b) || (from == b && to == a));
}

void wires_lag(wires_t *self, size_t a, size_t b, uint64_t us)
{
    for (size_t place = 0; place < self->links_count; place++)
        for (int side = 0; side < 2 && is_between(self->links[place], a, b); side++)
            self->links[place]->flows[side].lag_us = us ? dice_below(&self->dice, us) : 0;
}

static size_t reset(struct wires *self, size_t a, size_t b, bool both)
{
    size_t count = 0;
    for (size_t place = 0; place < self->links_count; place++) {
        struct link *link = self->links[place];
        if (!is_between(link, a, b))
            continue;
        for (int side = 0; side < 2; side++)
            if (link->ends[side].local >= 0 && !link->ends[side].broken &&
                (both || link->ends[side].machine == a))
                wires_deliver(self, place, 1 - side, (struct segment){.kind = SEGMENT_rst});
        count++;
    }
    return count;
}

size_t wires_reset(wires_t *self, size_t a, size_t b)
{
    return reset(self, a, b, true);
}

size_t wires_reset_at(wires_t *self, size_t a, size_t b)
{
    return reset(self, a, b, false);
}
