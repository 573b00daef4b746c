#include "tests/sim/wires_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SYN_RETRY_US = 1000000,
    SYN_TRIES = 6,
    BACKLOG_RETRY_US = 20000,
    SENT_AGAIN_US = 1000000 /* at most so long after a way is free again */
};

static void *grown(void *array, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity)
        return array;
    while (*capacity < needed)
        *capacity = *capacity ? 2 * *capacity : 8;
    array = realloc(array, *capacity * size);
    if (!array)
        abort();
    return array;
}

static uint64_t now(const struct wires *self)
{
    return *self->options.us;
}

bool wires_blocked(const wires_t *self, size_t from, size_t to)
{
    return self->blocked[from * self->options.machines_max + to];
}

uint64_t wires_latency_us(struct wires *self, size_t from, size_t to)
{
    struct dice way; /* the same each time, without a table of all ways */
    dice_seed(&way, self->options.seed, 1 + from * self->options.machines_max + to);
    uint64_t us = dice_between(&way, self->options.latency_min_us, self->options.latency_max_us);
    if (self->options.jitter_us && dice_one_in(&self->dice, 16))
        us += dice_below(&self->dice, self->options.jitter_us);
    return us;
}

/* --- links ------------------------------------------------------------------------------- */

struct link *wires_link(struct wires *self, size_t link, uint64_t generation)
{
    struct link *found = self->links[link];
    return found->used && found->generation == generation ? found : NULL;
}

static size_t link_new(struct wires *self, size_t from, size_t to)
{
    if (!self->unused_count) {
        size_t n = self->links_count++;
        self->links = (struct link **)realloc(self->links, self->links_count * sizeof *self->links);
        self->unused = (size_t *)realloc(self->unused, self->links_count * sizeof *self->unused);
        if (!self->links || !self->unused)
            abort();
        self->links[n] = (struct link *)calloc(1, sizeof **self->links);
        self->unused[self->unused_count++] = n;
    }
    size_t place = self->unused[--self->unused_count];
    *self->links[place] = (struct link){.used = true,
                                        .generation = ++self->generations,
                                        .ends = {{.machine = from, .local = -1, .reading = true},
                                                 {.machine = to, .local = -1, .reading = true}}};
    return place;
}

static void link_free(struct wires *self, size_t place)
{
    struct link *link = self->links[place];
    for (int i = 0; i < 2; i++) {
        free(link->flows[i].bytes);
        free(link->flows[i].segments);
    }
    *link = (struct link){.used = false};
    self->unused[self->unused_count++] = place;
}

static void free_if_closed(struct wires *self, size_t place)
{
    const struct link *link = self->links[place];
    if (link->ends[0].local < 0 && link->ends[1].local < 0)
        link_free(self, place);
}

static struct machine *machine_at(struct wires *self, const struct link *link, int side)
{
    return self->machines[link->ends[side].machine];
}

/* --- segments ---------------------------------------------------------------------------- */

static agenda_fn arrive;

static void schedule(struct wires *self, size_t place, int side)
{
    struct link *link = self->links[place];
    struct flow *flow = &link->flows[side];
    if (!flow->count || flow->scheduled || flow->stalled)
        return;
    const struct segment *next = &flow->segments[flow->first];
    flow->scheduled = true;
    agenda_add(self->options.agenda, next->due_us > now(self) ? next->due_us : now(self), arrive,
               self, place << 1 | (size_t)side, link->generation);
}

static void segment_add(struct flow *self, struct segment segment)
{
    if (self->first && self->first + self->count == self->segments_capacity) {
        memmove(self->segments, self->segments + self->first, self->count * sizeof segment);
        self->first = 0;
    }
    self->segments =
        (struct segment *)grown(self->segments, &self->segments_capacity,
                                self->first + self->count + 1, sizeof self->segments[0]);
    self->segments[self->first + self->count++] = segment;
}

void wires_send(struct wires *self, size_t place, int side, enum segment_kind kind, size_t bytes)
{
    struct link *link = self->links[place];
    struct flow *flow = &link->flows[side];
    uint64_t due = now(self) + flow->lag_us +
                   wires_latency_us(self, link->ends[side].machine, link->ends[1 - side].machine);
    if (due < flow->last_due_us)
        due = flow->last_due_us;
    if (self->options.bytes_a_second)
        due += bytes * 1000000u / self->options.bytes_a_second;
    flow->last_due_us = due;
    segment_add(flow, (struct segment){.due_us = due, .upto = flow->written, .kind = kind});
    schedule(self, place, side);
    self->counts.segments++;
    self->counts.bytes += bytes;
}

/* Whoever sends to a closed end learns that it is closed. */
static void answer_closed(struct wires *self, size_t place, int from, enum segment_kind kind)
{
    if (kind != SEGMENT_rst && self->links[place]->ends[from].local >= 0)
        wires_send(self, place, 1 - from, SEGMENT_rst, 0);
}

void wires_deliver(struct wires *self, size_t place, int from, struct segment segment)
{
    struct link *link = self->links[place];
    struct end *to = &link->ends[1 - from];
    struct flow *flow = &link->flows[from];
    struct machine *machine = machine_at(self, link, 1 - from);
    if (to->local < 0) {
        answer_closed(self, place, from, segment.kind);
        return;
    }
    if (to->broken)
        return;
    switch (segment.kind) {
    case SEGMENT_connected:
        machine_tell(machine, WIRE_connected, place, 1 - from, NULL);
        break;
    case SEGMENT_data:
        flow->arrived = segment.upto;
        machine_tell_readable(machine, place, 1 - from);
        break;
    case SEGMENT_fin:
        to->fin = true;
        machine_tell_readable(machine, place, 1 - from);
        break;
    case SEGMENT_rst:
        to->broken = true;
        flow->arrived = flow->taken;
        self->counts.resets++;
        machine_tell(machine, WIRE_reset, place, 1 - from, "connection reset by peer");
        break;
    }
}

static void arrive(void *wires, uint64_t a, uint64_t generation)
{
    struct wires *self = (struct wires *)wires;
    size_t place = a >> 1;
    int side = (int)(a & 1);
    struct link *link = wires_link(self, place, generation);
    if (!link)
        return;
    struct flow *flow = &link->flows[side];
    size_t from = link->ends[side].machine, to = link->ends[1 - side].machine;
    flow->scheduled = false;
    if (wires_blocked(self, from, to) || !self->machines[to]->power) {
        flow->stalled = true;
        return;
    }
    struct segment segment = flow->segments[flow->first++];
    if (--flow->count == 0)
        flow->first = 0;
    schedule(self, place, side);
    wires_deliver(self, place, side, segment);
}

void wires_resume(struct wires *self, size_t place, int side)
{
    struct link *link = self->links[place];
    struct flow *flow = &link->flows[side];
    if (!link->used || !flow->stalled)
        return;
    uint64_t due = now(self) + dice_below(&self->dice, SENT_AGAIN_US);
    flow->stalled = false;
    for (size_t i = 0; i < flow->count; i++) {
        struct segment *s = &flow->segments[flow->first + i];
        s->due_us = s->due_us > due ? s->due_us : due;
    }
    if (flow->last_due_us < due)
        flow->last_due_us = due;
    schedule(self, place, side);
}

/* --- connecting -------------------------------------------------------------------------- */

static void fail_dial(struct wires *self, size_t place, const char *why)
{
    struct link *link = self->links[place];
    link->ends[0].broken = true;
    self->counts.refused++;
    machine_tell(machine_at(self, link, 0), WIRE_closed, place, 0, why);
}

static void refused(void *wires, uint64_t place, uint64_t generation)
{
    struct wires *self = (struct wires *)wires;
    if (wires_link(self, place, generation))
        fail_dial(self, place, "connection refused");
}

static void syn(void *wires, uint64_t place, uint64_t generation)
{
    struct wires *self = (struct wires *)wires;
    struct link *link = wires_link(self, place, generation);
    if (!link)
        return;
    size_t from = link->ends[0].machine, to = link->ends[1].machine;
    struct machine *machine = self->machines[to];
    if (wires_blocked(self, from, to) || !machine->power || !machine->reachable) {
        if (link->tries == SYN_TRIES)
            fail_dial(self, place, "connection timed out");
        else
            agenda_add(self->options.agenda, now(self) + ((uint64_t)SYN_RETRY_US << link->tries++),
                       syn, self, place, generation);
    } else if (!machine->process) {
        agenda_add(self->options.agenda, now(self) + wires_latency_us(self, to, from), refused,
                   self, place, generation);
    } else if (!machine->accepting) {
        agenda_add(self->options.agenda, now(self) + BACKLOG_RETRY_US, syn, self, place,
                   generation);
    } else {
        self->counts.accepted++;
        link->ends[1].local = machine_hold(machine, place);
        machine_tell(machine, WIRE_accepted, place, 1, NULL);
        wires_send(self, place, 1, SEGMENT_connected, 0);
    }
}

static size_t machine_named(const struct wires *self, const char *address)
{
    for (size_t i = 0; i < self->machines_count; i++)
        if (strcmp(self->machines[i]->address, address) == 0)
            return i;
    return SIZE_MAX;
}

size_t wires_dial(struct wires *self, size_t machine, const char *address)
{
    size_t to = machine_named(self, address);
    if (to == SIZE_MAX)
        return SIZE_MAX;
    size_t place = link_new(self, machine, to);
    struct link *link = self->links[place];
    link->port = ++self->machines[machine]->next_port;
    link->ends[0].local = machine_hold(self->machines[machine], place);
    self->counts.dials++;
    agenda_add(self->options.agenda, now(self) + wires_latency_us(self, machine, to), syn, self,
               place, link->generation);
    return place;
}

void wires_close(struct wires *self, size_t place, int side, bool abort)
{
    struct link *link = self->links[place];
    machine_let_go(machine_at(self, link, side), link->ends[side].local);
    link->ends[side].local = -1;
    if (link->ends[1 - side].local >= 0)
        wires_send(self, place, side, abort ? SEGMENT_rst : SEGMENT_fin, 0);
    free_if_closed(self, place);
}

/* --- machines ---------------------------------------------------------------------------- */

wires_t *wires_new(const struct wires_options *options)
{
    struct wires *self = (struct wires *)calloc(1, sizeof *self);
    size_t most = options->machines_max;
    if (!self)
        abort();
    self->options = *options;
    dice_seed(&self->dice, options->seed, 0x6e6574);
    self->machines = (struct machine **)calloc(most, sizeof *self->machines);
    self->blocked = (uint8_t *)calloc(most, most);
    if (!self->machines || !self->blocked)
        abort();
    return self;
}

void wires_destroy(wires_t **pointer)
{
    struct wires *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    for (size_t i = 0; i < self->links_count; i++) {
        if (self->links[i]->used)
            link_free(self, i);
        free(self->links[i]);
    }
    for (size_t i = 0; i < self->machines_count; i++) {
        machine_free(self->machines[i]);
        free(self->machines[i]);
    }
    free(self->machines);
    free(self->links);
    free(self->unused);
    free(self->blocked);
    free(self);
}

size_t wires_add(wires_t *self, bool reachable)
{
    size_t number = self->machines_count;
    if (number == self->options.machines_max)
        abort();
    struct machine *machine = (struct machine *)calloc(1, sizeof *machine);
    if (!machine)
        abort();
    machine->wires = self;
    machine->number = number;
    machine->reachable = reachable;
    machine->power = true;
    (void)snprintf(machine->address, sizeof machine->address, "10.%u.%u.1:7509",
                   (unsigned)(number >> 8 & 255), (unsigned)(number & 255));
    machine_init(machine);
    self->machines[self->machines_count++] = machine;
    return number;
}

const char *wires_address(const wires_t *self, size_t machine)
{
    return self->machines[machine]->address;
}

const struct peer_wire *wires_of(wires_t *self, size_t machine)
{
    return &self->machines[machine]->wire;
}

size_t wires_connections(const wires_t *self, size_t machine)
{
    return self->machines[machine]->connections;
}

size_t wires_half_open(const wires_t *self, size_t machine)
{
    size_t count = 0;
    for (size_t place = 0; place < self->links_count; place++)
        for (int side = 0; side < 2 && self->links[place]->used; side++) {
            const struct end *end = &self->links[place]->ends[side];
            count += end->machine == machine && end->local >= 0 && !end->broken &&
                     self->links[place]->ends[1 - side].local < 0;
        }
    return count;
}

void wires_start(wires_t *self, size_t number)
{
    struct machine *machine = self->machines[number];
    machine->process = machine->power = true;
    machine->accepting = false;
    for (size_t place = 0; place < self->links_count; place++)
        for (int side = 0; side < 2; side++)
            if (self->links[place]->used && self->links[place]->ends[1 - side].machine == number)
                wires_resume(self, place, side);
}

void wires_kill(wires_t *self, size_t number, bool power)
{
    struct machine *machine = self->machines[number];
    machine->process = false;
    machine->power = !power;
    machine->events_count = 0;
    for (size_t local = 0; local < machine->locals_count; local++) {
        size_t place = machine->locals[local];
        if (place == SIZE_MAX)
            continue;
        struct link *link = self->links[place];
        int side = link->ends[1].machine == number && link->ends[1].local == (int)local;
        const struct flow *in = &link->flows[1 - side];
        if (!power) {
            wires_close(self, place, side, in->arrived > in->taken);
            continue;
        }
        machine_let_go(machine, (int)local);
        link->ends[side].local = -1;
        free_if_closed(self, place);
    }
}

struct wires_counts wires_counts(const wires_t *self)
{
    return self->counts;
}
