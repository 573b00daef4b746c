#include "tests/sim/wires_state.h"

#include "base/errors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- numbers ----------------------------------------------------------------------------- */

int machine_hold(struct machine *self, size_t link)
{
    size_t local = 0;
    while (local < self->locals_count && self->locals[local] != SIZE_MAX)
        local++;
    if (local == self->locals_count) {
        self->locals = (size_t *)realloc(self->locals, ++self->locals_count * sizeof(size_t));
        if (!self->locals)
            abort();
    }
    self->locals[local] = link;
    self->connections++;
    return (int)local;
}

void machine_let_go(struct machine *self, int local)
{
    self->locals[local] = SIZE_MAX;
    self->connections--;
}

/* The link behind a number, and which end of it this machine is. NULL: the number is none. */
static struct link *link_of(const struct machine *self, int local, size_t *place, int *side)
{
    if (local < 0 || (size_t)local >= self->locals_count || self->locals[local] == SIZE_MAX)
        return NULL;
    *place = self->locals[local];
    struct link *link = self->wires->links[*place];
    *side = link->ends[1].machine == self->number && link->ends[1].local == local;
    return link;
}

/* --- events ------------------------------------------------------------------------------ */

void machine_tell(struct machine *self, enum wire_event_kind kind, size_t place, int side,
                  const char *why)
{
    if (self->events_count == self->events_capacity) {
        size_t capacity = self->events_capacity ? 2 * self->events_capacity : 16;
        struct happened *events = (struct happened *)calloc(capacity, sizeof *events);
        if (!events)
            abort();
        for (size_t i = 0; i < self->events_count; i++)
            events[i] = self->events[(self->events_first + i) % self->events_capacity];
        free(self->events);
        self->events = events;
        self->events_first = 0;
        self->events_capacity = capacity;
    }
    self->events[(self->events_first + self->events_count++) % self->events_capacity] =
        (struct happened){kind, place, self->wires->links[place]->generation, side, why};
    self->wires->options.wake(self->wires->options.owner, self->number);
}

/* The far end closed it, and all before that has been read. */
static void tell_end(struct machine *self, size_t place, int side)
{
    struct link *link = self->wires->links[place];
    struct end *end = &link->ends[side];
    const struct flow *in = &link->flows[1 - side];
    if (!end->fin || end->end || end->broken || in->arrived > in->taken)
        return;
    end->end = true;
    machine_tell(self, WIRE_closed, place, side, "closed by peer");
}

void machine_tell_readable(struct machine *self, size_t place, int side)
{
    struct link *link = self->wires->links[place];
    struct end *end = &link->ends[side];
    const struct flow *in = &link->flows[1 - side];
    if (in->arrived > in->taken && end->reading && !end->told) {
        end->told = true;
        machine_tell(self, WIRE_readable, place, side, NULL);
    }
    tell_end(self, place, side);
}

/* Is it still to be told? */
static bool holds(const struct happened *event, struct link *link)
{
    if (!link || link->ends[event->side].local < 0)
        return false;
    const struct flow *in = &link->flows[1 - event->side];
    return event->kind != WIRE_readable ||
           (link->ends[event->side].reading && in->arrived > in->taken);
}

static void describe(const struct happened *event, const struct link *link, struct wire_event *out)
{
    size_t other = link->ends[1 - event->side].machine;
    unsigned port = event->side == 1 ? 20000u + link->port % 40000u : 7509u;
    *out = (struct wire_event){.kind = event->kind, .connection = link->ends[event->side].local};
    (void)snprintf(out->remote, sizeof out->remote, "10.%u.%u.1:%u", (unsigned)(other >> 8 & 255),
                   (unsigned)(other & 255), port);
    const uint8_t prefix[16] = {
        [10] = 255, [11] = 255, [12] = 10, [13] = (uint8_t)(other >> 8), [14] = (uint8_t)other};
    memcpy(out->prefix, prefix, sizeof prefix);
    (void)snprintf(out->why, sizeof out->why, "%s", event->why ? event->why : "");
}

static void wire_next(void *wire, struct wire_event *out)
{
    struct machine *self = (struct machine *)wire;
    out->kind = WIRE_none;
    while (self->events_count) {
        struct happened event = self->events[self->events_first];
        self->events_first = (self->events_first + 1) % self->events_capacity;
        self->events_count--;
        struct link *link = wires_link(self->wires, event.link, event.generation);
        if (link && event.kind == WIRE_readable)
            link->ends[event.side].told = false;
        if (!holds(&event, link))
            continue;
        describe(&event, link, out);
        return;
    }
}

/* --- reading and writing ----------------------------------------------------------------- */

static agenda_fn room;

static void room(void *wires, uint64_t a, uint64_t generation)
{
    struct wires *self = (struct wires *)wires;
    int side = (int)(a & 1);
    struct link *link = wires_link(self, a >> 1, generation);
    if (!link)
        return;
    struct flow *flow = &link->flows[side];
    const struct end *from = &link->ends[side];
    if (wires_blocked(self, link->ends[1 - side].machine, from->machine)) {
        agenda_add(self->options.agenda, *self->options.us + 100000, room, self, a, generation);
        return;
    }
    flow->room_told = false;
    if (from->local < 0 || from->broken || !flow->wants_room)
        return;
    flow->wants_room = false;
    machine_tell(self->machines[from->machine], WIRE_writable, a >> 1, side, NULL);
}

/* The sender that found the window full hears that it is not, when half of it is free. */
static void tell_room(struct wires *self, size_t place, int side)
{
    struct link *link = self->links[place];
    struct flow *flow = &link->flows[side];
    if (!flow->wants_room || flow->room_told ||
        flow->written - flow->taken > self->options.window_bytes / 2)
        return;
    flow->room_told = true;
    agenda_add(self->options.agenda,
               *self->options.us +
                   wires_latency_us(self, link->ends[1 - side].machine, link->ends[side].machine),
               room, self, place << 1 | (size_t)side, link->generation);
}

static void flow_take(struct flow *self, uint8_t *to, size_t n)
{
    memcpy(to, self->bytes + (self->taken - self->base), n);
    self->taken += n;
    if (self->taken == self->written) {
        free(self->bytes);
        self->bytes = NULL;
        self->capacity = 0;
        self->base = self->taken;
    }
}

static void flow_put(struct flow *self, struct slice bytes)
{
    size_t used = self->written - self->base;
    if (used + bytes.size > self->capacity && self->taken > self->base) {
        used = self->written - self->taken;
        memmove(self->bytes, self->bytes + (self->taken - self->base), used);
        self->base = self->taken;
    }
    if (used + bytes.size > self->capacity) {
        self->capacity = 2 * (used + bytes.size);
        self->bytes = (uint8_t *)realloc(self->bytes, self->capacity);
        if (!self->bytes)
            abort();
    }
    memcpy(self->bytes + used, bytes.data, bytes.size);
    self->written += bytes.size;
}

static size_t wire_read(void *wire, int connection, uint8_t *to, size_t size)
{
    struct machine *self = (struct machine *)wire;
    size_t place;
    int side;
    struct link *link = link_of(self, connection, &place, &side);
    if (!link || link->ends[side].broken || !link->ends[side].reading)
        return 0;
    struct flow *in = &link->flows[1 - side];
    size_t n = in->arrived - in->taken;
    n = n < size ? n : size;
    if (n)
        flow_take(in, to, n);
    tell_room(self->wires, place, 1 - side);
    tell_end(self, place, side);
    return n;
}

static size_t wire_write(void *wire, int connection, struct slice bytes)
{
    struct machine *self = (struct machine *)wire;
    size_t place;
    int side;
    struct link *link = link_of(self, connection, &place, &side);
    if (!link || link->ends[side].broken)
        return 0;
    struct flow *out = &link->flows[side];
    size_t space = self->wires->options.window_bytes - (out->written - out->taken);
    size_t n = bytes.size < space ? bytes.size : space;
    if (n < bytes.size)
        out->wants_room = true;
    if (n) {
        flow_put(out, slice_of(bytes.data, n));
        wires_send(self->wires, place, side, SEGMENT_data, n);
    }
    return n;
}

static void wire_want_read(void *wire, int connection, bool on)
{
    struct machine *self = (struct machine *)wire;
    size_t place;
    int side;
    struct link *link = link_of(self, connection, &place, &side);
    if (!link)
        return;
    link->ends[side].reading = on;
    if (on)
        machine_tell_readable(self, place, side);
}

static void wire_close(void *wire, int connection, bool abort)
{
    struct machine *self = (struct machine *)wire;
    size_t place;
    int side;
    if (link_of(self, connection, &place, &side))
        wires_close(self->wires, place, side, abort);
}

static int wire_dial(void *wire, const char *address)
{
    struct machine *self = (struct machine *)wire;
    size_t place = wires_dial(self->wires, self->number, address);
    return place == SIZE_MAX ? ERR_BAD_REQUEST : self->wires->links[place]->ends[0].local;
}

static void wire_want_accept(void *wire, bool on)
{
    ((struct machine *)wire)->accepting = on;
}

static int wire_descriptor(void *wire)
{
    (void)wire;
    return -1;
}

void machine_init(struct machine *self)
{
    self->wire = (struct peer_wire){.self = self,
                                    .dial = wire_dial,
                                    .next = wire_next,
                                    .read = wire_read,
                                    .write = wire_write,
                                    .want_read = wire_want_read,
                                    .close = wire_close,
                                    .want_accept = wire_want_accept,
                                    .descriptor = wire_descriptor};
}

void machine_free(struct machine *self)
{
    free(self->locals);
    free(self->events);
}
