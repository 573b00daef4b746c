#include "tests/support/wire_pair.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/errors.h"

enum { ENDS = 2, STRANGER = 2, ROOM_FIRST = 64 << 10 };

/* One direction, by who writes into it. */
struct pipe {
    struct buffer bytes; /* written, not read */
    size_t from;         /* those before it are read */
    bool fin, reset;     /* by its writer */
};

struct side {
    int end;                                             /* 0, 1: a wire; STRANGER */
    bool open;                                           /* not closed by it */
    bool reading;                                        /* want_read */
    bool connected, accepted, readable, writable, ended; /* events to tell */
    bool short_write;
    struct pipe out;
};

struct cable {
    bool used;
    struct side sides[2]; /* 0 has dialled */
    char remote[40];      /* of side 0, as side 1 sees it */
    uint8_t prefix[16];
};

struct end {
    wire_pair_t *pair;
    struct peer_wire wire;
    struct buffer record;
    bool held, accepting, recording, drop_record;
    uint64_t dials;
    int *locals; /* cable of each number of its own, times 2, and the side; -1: none */
    size_t locals_count;
    size_t at; /* where `next` goes on looking */
};

struct wire_pair {
    struct end ends[ENDS];
    struct cable *cables;
    size_t cables_count, room;
    unsigned port;
    void (*tamper)(void *context, int from, uint8_t *bytes, size_t size);
    void *context;
};

static const char *const addresses[ENDS] = {"10.0.0.1:7000", "10.0.0.2:7000"};

/* --- cables ------------------------------------------------------------------------------ */

static int new_cable(wire_pair_t *self, int from, int to)
{
    size_t i = 0;
    while (i < self->cables_count && self->cables[i].used)
        i++;
    if (i == self->cables_count) {
        self->cables = realloc(self->cables, (i + 1) * sizeof *self->cables);
        assert(self->cables);
        self->cables_count++;
    }
    struct cable *cable = &self->cables[i];
    *cable = (struct cable){.used = true};
    cable->sides[0] = (struct side){.end = from, .open = true, .reading = true};
    cable->sides[1] = (struct side){.end = to, .open = true, .reading = true, .accepted = true};
    return (int)i;
}

static int new_local(struct end *end, int cable, int side)
{
    size_t i = 0;
    while (i < end->locals_count && end->locals[i] >= 0)
        i++;
    if (i == end->locals_count) {
        end->locals = realloc(end->locals, (i + 1) * sizeof *end->locals);
        assert(end->locals);
        end->locals_count++;
    }
    end->locals[i] = 2 * cable + side;
    return (int)i;
}

static struct side *side_of(const struct end *end, int local, struct side **far)
{
    assert(local >= 0 && (size_t)local < end->locals_count && end->locals[local] >= 0);
    struct cable *cable = &end->pair->cables[end->locals[local] / 2];
    int side = end->locals[local] % 2;
    *far = &cable->sides[!side];
    return &cable->sides[side];
}

static void maybe_free(wire_pair_t *self, struct cable *cable)
{
    if (cable->sides[0].open || cable->sides[1].open)
        return;
    for (int s = 0; s < 2; s++)
        buffer_free(&cable->sides[s].out.bytes);
    cable->used = false;
    (void)self;
}

/* Something new for this side. */
static void wake(struct side *side)
{
    side->readable = side->ended = true;
}

static void leave(wire_pair_t *self, struct cable *cable, struct side *side, struct side *far,
                  bool abort)
{
    side->open = false;
    side->out.fin = true;
    side->out.reset |= abort;
    wake(far);
    maybe_free(self, cable);
}

/* --- the wire ---------------------------------------------------------------------------- */

static int pair_dial(void *wire, const char *address)
{
    struct end *end = (struct end *)wire;
    int own = end == &end->pair->ends[1];
    end->dials++;
    if (!strchr(address, ':'))
        return ERR_BAD_REQUEST;
    bool there = strcmp(address, addresses[!own]) == 0 && end->pair->ends[!own].accepting;
    int c = new_cable(end->pair, own, there ? !own : STRANGER);
    struct cable *cable = &end->pair->cables[c];
    cable->sides[0].connected = there;
    (void)snprintf(cable->remote, sizeof cable->remote, "10.0.0.%d:%u", own + 1,
                   40000 + end->pair->port++ % 20000);
    memcpy(cable->prefix, (uint8_t[16]){[10] = 0xff, [11] = 0xff, [12] = 10}, 16);
    if (!there)
        leave(end->pair, cable, &cable->sides[1], &cable->sides[0], false);
    return new_local(end, c, 0);
}

static bool has_bytes(const wire_pair_t *self, const struct side *far)
{
    bool held = far->end < ENDS && self->ends[far->end].held;
    return !held && far->out.bytes.size > far->out.from;
}

/* The event that waits for one side, or none. */
static enum wire_event_kind event_of(wire_pair_t *self, struct side *side, struct side *far)
{
    bool *flags[] = {&side->connected, &side->writable};
    static const enum wire_event_kind kinds[] = {WIRE_connected, WIRE_writable};
    bool held = far->end < ENDS && self->ends[far->end].held;
    for (int i = 0; i < 2; i++)
        if (*flags[i]) {
            *flags[i] = false;
            return kinds[i];
        }
    if (side->ended && far->out.reset && !held) {
        side->ended = side->readable = false;
        return WIRE_reset;
    }
    if (side->readable && side->reading && has_bytes(self, far)) {
        side->readable = false;
        return WIRE_readable;
    }
    if (side->ended && far->out.fin && !held && far->out.bytes.size == far->out.from) {
        side->ended = false;
        return WIRE_closed;
    }
    return WIRE_none;
}

static bool accept_one(struct end *end, struct wire_event *event)
{
    wire_pair_t *pair = end->pair;
    int own = end == &pair->ends[1];
    for (size_t c = 0; c < pair->cables_count && end->accepting; c++) {
        struct cable *cable = &pair->cables[c];
        if (!cable->used || cable->sides[1].end != own || !cable->sides[1].accepted)
            continue;
        cable->sides[1].accepted = false;
        event->kind = WIRE_accepted;
        event->connection = new_local(end, (int)c, 1);
        (void)snprintf(event->remote, sizeof event->remote, "%s", cable->remote);
        memcpy(event->prefix, cable->prefix, sizeof event->prefix);
        return true;
    }
    return false;
}

static void pair_next(void *wire, struct wire_event *event)
{
    struct end *end = (struct end *)wire;
    *event = (struct wire_event){.kind = WIRE_none};
    if (accept_one(end, event))
        return;
    for (size_t n = 0; n < end->locals_count; n++) {
        size_t local = (end->at + n) % end->locals_count;
        struct side *far, *side;
        if (end->locals[local] < 0)
            continue;
        side = side_of(end, (int)local, &far);
        event->kind = event_of(end->pair, side, far);
        if (event->kind == WIRE_none)
            continue;
        event->connection = (int)local;
        end->at = local + 1;
        if (event->kind == WIRE_connected)
            (void)snprintf(event->remote, sizeof event->remote, "%s",
                           addresses[end == &end->pair->ends[0]]);
        (void)snprintf(event->why, sizeof event->why, "by the far end");
        return;
    }
}

static size_t pair_read(void *wire, int connection, uint8_t *to, size_t size)
{
    struct end *end = (struct end *)wire;
    struct side *far, *side = side_of(end, connection, &far);
    struct pipe *pipe = &far->out;
    size_t waiting = pipe->bytes.size - pipe->from;
    if (!has_bytes(end->pair, far) || !side->reading) {
        side->readable = true; /* told again when there is more */
        return 0;
    }
    size = size < waiting ? size : waiting;
    memcpy(to, pipe->bytes.data + pipe->from, size);
    pipe->from += size;
    if (pipe->from == pipe->bytes.size) {
        buffer_free(&pipe->bytes);
        pipe->from = 0;
    }
    if (far->short_write && pipe->bytes.size - pipe->from < end->pair->room / 2) {
        far->short_write = false;
        far->writable = true;
    }
    return size;
}

static size_t pair_write(void *wire, int connection, struct slice bytes)
{
    struct end *end = (struct end *)wire;
    struct side *far, *side = side_of(end, connection, &far);
    struct pipe *pipe = &side->out;
    size_t waiting = pipe->bytes.size - pipe->from;
    size_t room = end->pair->room > waiting ? end->pair->room - waiting : 0;
    if (!far->open)
        return 0;
    if (bytes.size > room) {
        bytes.size = room;
        side->short_write = true;
    }
    size_t at = pipe->bytes.size;
    buffer_append_slice(&pipe->bytes, bytes);
    if (bytes.size && end->pair->tamper)
        end->pair->tamper(end->pair->context, side->end, pipe->bytes.data + at, bytes.size);
    if (end->drop_record)
        buffer_clear(&end->record);
    end->drop_record = false;
    if (bytes.size && end->recording)
        buffer_append(&end->record, pipe->bytes.data + at, bytes.size);
    far->readable = true;
    return bytes.size;
}

static void pair_want_read(void *wire, int connection, bool on)
{
    struct side *far;
    side_of((struct end *)wire, connection, &far)->reading = on;
}

static void pair_close(void *wire, int connection, bool abort)
{
    struct end *end = (struct end *)wire;
    struct side *far, *side = side_of(end, connection, &far);
    struct cable *cable = &end->pair->cables[end->locals[connection] / 2];
    end->locals[connection] = -1;
    leave(end->pair, cable, side, far, abort);
}

static void pair_want_accept(void *wire, bool on)
{
    ((struct end *)wire)->accepting = on;
}

static int pair_descriptor(void *wire)
{
    (void)wire;
    return -1;
}

/* --- for tests --------------------------------------------------------------------------- */

wire_pair_t *wire_pair_new(void)
{
    wire_pair_t *self = calloc(1, sizeof *self);
    assert(self);
    self->room = ROOM_FIRST;
    for (int e = 0; e < ENDS; e++) {
        self->ends[e].pair = self;
        self->ends[e].accepting = true;
        self->ends[e].wire = (struct peer_wire){&self->ends[e], pair_dial,        pair_next,
                                                pair_read,      pair_write,       pair_want_read,
                                                pair_close,     pair_want_accept, pair_descriptor};
    }
    return self;
}

void wire_pair_destroy(wire_pair_t **pointer)
{
    wire_pair_t *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    for (size_t c = 0; c < self->cables_count; c++)
        for (int s = 0; s < 2 && self->cables[c].used; s++)
            buffer_free(&self->cables[c].sides[s].out.bytes);
    for (int e = 0; e < ENDS; e++) {
        buffer_free(&self->ends[e].record);
        free(self->ends[e].locals);
    }
    free(self->cables);
    free(self);
}

const struct peer_wire *wire_pair_end(wire_pair_t *self, int end)
{
    return &self->ends[end].wire;
}

const char *wire_pair_address(int end)
{
    return addresses[end];
}

void wire_pair_set_room(wire_pair_t *self, size_t bytes)
{
    self->room = bytes;
}

void wire_pair_hold(wire_pair_t *self, int from, bool held)
{
    self->ends[from].held = held;
    for (size_t c = 0; c < self->cables_count && !held; c++)
        for (int s = 0; s < 2; s++)
            if (self->cables[c].used && self->cables[c].sides[s].end == from)
                wake(&self->cables[c].sides[!s]);
}

void wire_pair_tamper(wire_pair_t *self,
                      void (*tamper)(void *context, int from, uint8_t *bytes, size_t size),
                      void *context)
{
    self->tamper = tamper;
    self->context = context;
}

struct slice wire_pair_record(wire_pair_t *self, int from)
{
    self->ends[from].recording = self->ends[from].drop_record = true;
    return buffer_slice(&self->ends[from].record);
}

void wire_pair_cut(wire_pair_t *self, bool reset)
{
    for (size_t c = 0; c < self->cables_count; c++) {
        struct cable *cable = &self->cables[c];
        for (int s = 0; s < 2 && cable->used && cable->sides[1].end != STRANGER; s++) {
            cable->sides[s].out.fin = true;
            cable->sides[s].out.reset |= reset;
            wake(&cable->sides[!s]);
        }
    }
}

size_t wire_pair_open(const wire_pair_t *self, int end)
{
    size_t count = 0;
    for (size_t i = 0; i < self->ends[end].locals_count; i++)
        count += self->ends[end].locals[i] >= 0;
    return count;
}

bool wire_pair_accepts(const wire_pair_t *self, int end)
{
    return self->ends[end].accepting;
}

uint64_t wire_pair_dials(const wire_pair_t *self, int end)
{
    return self->ends[end].dials;
}

int wire_pair_stranger(wire_pair_t *self, int to, uint8_t a, uint8_t b, uint8_t c)
{
    if (!self->ends[to].accepting)
        return -1;
    int cable = new_cable(self, STRANGER, to);
    struct cable *it = &self->cables[cable];
    (void)snprintf(it->remote, sizeof it->remote, "%u.%u.%u.1:%u", a, b, c,
                   40000 + self->port++ % 20000);
    memcpy(it->prefix, (uint8_t[16]){[10] = 0xff, [11] = 0xff, [12] = a, [13] = b, [14] = c}, 16);
    return cable;
}

void wire_pair_say(wire_pair_t *self, int stranger, struct slice bytes)
{
    struct cable *cable = &self->cables[stranger];
    buffer_append_slice(&cable->sides[0].out.bytes, bytes);
    cable->sides[1].readable = true;
}

struct slice wire_pair_heard(const wire_pair_t *self, int stranger)
{
    return buffer_slice(&self->cables[stranger].sides[1].out.bytes);
}

bool wire_pair_is_over(const wire_pair_t *self, int stranger)
{
    return !self->cables[stranger].sides[1].open;
}

void wire_pair_leave(wire_pair_t *self, int stranger)
{
    struct cable *cable = &self->cables[stranger];
    leave(self, cable, &cable->sides[0], &cable->sides[1], false);
}
