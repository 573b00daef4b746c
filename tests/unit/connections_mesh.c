#include "tests/unit/connections_mesh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SIDES = 2, TOLD_MAX = 512 };

/* A connection with its two ends. */
struct wire {
    struct end {
        size_t node;
        unsigned run; /* which run of the node */
        peer_t number;
        bool dialler, opened, admitted, closed;
        struct peer_traffic *traffic;
        struct mail waiting; /* until ADMIT */
    } ends[SIDES];
    struct wire *next;
};

struct node {
    struct mesh_node_options options;
    struct node_id id;
    char address[32];
    connections_t *actor;
    bool frozen, vanished, not_reading;
    unsigned run;
    peer_t last_inbound;
    struct request *reply;
    peer_t told[TOLD_MAX]; /* live, as other actors know */
    size_t told_count;
    struct mail while_frozen;
    struct wire **by_number; /* of this run; NULL in places that have none */
    size_t by_number_count;
};

enum event_kind { EVENT_open, EVENT_mail, EVENT_close, EVENT_fail };

struct event {
    uint64_t at_ms, order;
    enum event_kind kind;
    struct wire *wire;
    int side;
    struct peer_send *send;
    enum close_reason reason;
    peer_t number; /* of EVENT_fail */
    size_t node;
    unsigned run;
};

struct mesh {
    struct node nodes[MESH_NODES_MAX];
    size_t count;
    struct event *heap;
    size_t heap_count, heap_capacity;
    uint64_t order, now_ms, random;
    struct wire *wires;
    bool cut[MESH_NODES_MAX][MESH_NODES_MAX];
    uint64_t dials, failed, closed[CLOSE_REASON_COUNT]; /* of runs that ended */
    char json[1 << 16];
};

static struct now now_of(const mesh_t *self)
{
    return (struct now){
        .ms = self->now_ms, .wall_ms = 1700000000000 + self->now_ms, .us = self->now_ms * 1000};
}

static uint64_t next_random(mesh_t *self)
{
    uint64_t z = self->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* --- events, by time ---------------------------------------------------------------------- */

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void schedule(mesh_t *self, uint64_t in_ms, struct event event)
{
    event.at_ms = self->now_ms + in_ms;
    event.order = self->order++;
    if (self->heap_count == self->heap_capacity) {
        self->heap_capacity = self->heap_capacity ? self->heap_capacity * 2 : 1024;
        self->heap = (struct event *)realloc(self->heap, self->heap_capacity * sizeof event);
        assert_non_null(self->heap);
    }
    size_t at = self->heap_count++;
    for (; at && is_before(&event, &self->heap[(at - 1) / 2]); at = (at - 1) / 2)
        self->heap[at] = self->heap[(at - 1) / 2];
    self->heap[at] = event;
}

static struct event take_event(mesh_t *self)
{
    struct event first = self->heap[0], last = self->heap[--self->heap_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= self->heap_count)
            break;
        if (child + 1 < self->heap_count && is_before(&self->heap[child + 1], &self->heap[child]))
            child++;
        if (!is_before(&self->heap[child], &last))
            break;
        self->heap[at] = self->heap[child];
        at = child;
    }
    self->heap[at] = last;
    return first;
}

/* --- the fake transport ------------------------------------------------------------------- */

static void handle_outbox(mesh_t *self, size_t node, struct outbox *out);

static void deliver(mesh_t *self, size_t node, enum message_kind kind, struct message *message)
{
    struct node *to = &self->nodes[node];
    struct outbox out = {.from = ACTOR_connections};
    message->kind = (uint8_t)kind;
    if (to->frozen) {
        mail_push(&to->while_frozen, message);
        return;
    }
    connections_spec.receive(to->actor, message, now_of(self), &out);
    handle_outbox(self, node, &out);
}

static bool is_running(const mesh_t *self, const struct end *end)
{
    const struct node *node = &self->nodes[end->node];
    return node->actor && node->run == end->run;
}

static size_t node_at(const mesh_t *self, const char *address)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->nodes[i].address, address) == 0)
            return i;
    return MESH_NODES_MAX;
}

static void keep_by_number(mesh_t *self, struct wire *wire, int side)
{
    struct node *node = &self->nodes[wire->ends[side].node];
    size_t count = (size_t)wire->ends[side].number + 1;
    if (count > node->by_number_count) {
        node->by_number =
            (struct wire **)realloc(node->by_number, 2 * count * sizeof *node->by_number);
        assert_non_null(node->by_number);
        memset(node->by_number + node->by_number_count, 0,
               (2 * count - node->by_number_count) * sizeof *node->by_number);
        node->by_number_count = 2 * count;
    }
    node->by_number[count - 1] = wire;
}

static void on_dial(mesh_t *self, size_t from, const struct dial *dial)
{
    size_t to = node_at(self, dial->address);
    struct node *a = &self->nodes[from], *b = to < self->count ? &self->nodes[to] : NULL;
    bool works = b && b->actor && !b->vanished && !b->frozen && !b->options.unreachable &&
                 !b->options.no_address && !self->cut[from][to];
    bool right = b && memcmp(&b->id, &dial->id, sizeof b->id) == 0 && to != from;
    if (!works || !right) {
        schedule(self, MESH_LATENCY_MS,
                 (struct event){.kind = EVENT_fail,
                                .node = from,
                                .run = a->run,
                                .number = dial->number,
                                .reason = works ? CLOSE_wrong_id : CLOSE_unreachable});
        return;
    }
    struct wire *wire = (struct wire *)calloc(1, sizeof *wire);
    assert_non_null(wire);
    wire->ends[0] =
        (struct end){.node = from, .run = a->run, .number = dial->number, .dialler = true};
    b->last_inbound += 2;
    wire->ends[1] = (struct end){.node = to, .run = b->run, .number = b->last_inbound - 1};
    wire->next = self->wires;
    self->wires = wire;
    keep_by_number(self, wire, 0);
    keep_by_number(self, wire, 1);
    schedule(self, 2 * MESH_LATENCY_MS,
             (struct event){.kind = EVENT_open, .wire = wire, .side = 0});
    schedule(self, 3 * MESH_LATENCY_MS,
             (struct event){.kind = EVENT_open, .wire = wire, .side = 1});
}

static struct wire *wire_of(const mesh_t *self, size_t node, peer_t number, int *side)
{
    const struct node *n = &self->nodes[node];
    struct wire *wire = number < n->by_number_count ? n->by_number[number] : NULL;
    *side = wire && (wire->ends[1].node == node && wire->ends[1].number == number);
    return wire;
}

static void send_closed(mesh_t *self, size_t node, peer_t number, enum close_reason reason)
{
    struct closed *closed = (struct closed *)message_new(sizeof *closed);
    assert_non_null(closed);
    closed->number = number;
    closed->reason = reason;
    deliver(self, node, MESSAGE_CLOSED, &closed->head);
}

/* This end is over, for its node too if it knows of it. */
static void close_end(mesh_t *self, struct end *end, enum close_reason reason)
{
    if (end->closed)
        return;
    end->closed = true;
    mail_free(&end->waiting);
    peer_traffic_release(&end->traffic);
    if (is_running(self, end) && !self->nodes[end->node].vanished && (end->dialler || end->opened))
        send_closed(self, end->node, end->number, reason);
}

static void on_hang_up(mesh_t *self, size_t node, const struct peer_order *order)
{
    int side;
    struct wire *wire = wire_of(self, node, order->number, &side);
    if (!wire)
        return; /* its end is on its way */
    schedule(
        self, 0,
        (struct event){.kind = EVENT_close, .wire = wire, .side = side, .reason = order->reason});
    schedule(
        self, MESH_LATENCY_MS,
        (struct event){.kind = EVENT_close, .wire = wire, .side = !side, .reason = order->reason});
}

static void on_send(mesh_t *self, size_t node, struct peer_send *send)
{
    int side;
    struct wire *wire = wire_of(self, node, send->number, &side);
    struct message *message = &send->head;
    if (!wire || wire->ends[side].closed || self->nodes[node].vanished) {
        message_free(&message);
        return;
    }
    wire->ends[side].traffic->bytes_out += blob_slice(send->bytes).size;
    schedule(self, MESH_LATENCY_MS,
             (struct event){.kind = EVENT_mail, .wire = wire, .side = !side, .send = send});
}

static void give_mail(mesh_t *self, struct end *end, struct message *message)
{
    struct peer_send *send = (struct peer_send *)message;
    struct peer_mail *mail = (struct peer_mail *)message_new(sizeof *mail);
    struct reason why;
    assert_non_null(mail);
    assert_int_equal(peer_decode(blob_slice(send->bytes), &mail->kind, &mail->body, &why), 0);
    assert_string_equal(actor_names[ACTOR_connections], "connections");
    mail->number = end->number;
    mail->bytes = send->bytes;
    send->bytes = NULL;
    message_free(&message);
    deliver(self, end->node, MESSAGE_PEER_MAIL, &mail->head);
}

static void on_admit(mesh_t *self, size_t node, peer_t number)
{
    int side;
    struct wire *wire = wire_of(self, node, number, &side);
    if (!wire || wire->ends[side].closed)
        return;
    struct end *end = &wire->ends[side];
    end->admitted = true;
    for (struct message *m = mail_pop(&end->waiting); m; m = mail_pop(&end->waiting))
        give_mail(self, end, m);
}

static void told(struct node *node, peer_t number, bool live)
{
    for (size_t i = 0; i < node->told_count; i++)
        if (node->told[i] == number) {
            assert_false(live); /* told twice */
            node->told[i] = node->told[--node->told_count];
            return;
        }
    assert_true(live); /* gone before it was live */
    assert_true(node->told_count < TOLD_MAX);
    node->told[node->told_count++] = number;
}

static void handle_outbox(mesh_t *self, size_t node, struct outbox *out)
{
    struct node *from = &self->nodes[node];
    for (struct message *m = mail_pop(&out->mail); m; m = mail_pop(&out->mail)) {
        assert_true(message_rows[m->kind].from & FROM(connections));
        assert_true(message_rows[m->kind].to >> m->to & 1);
        if (m->kind == MESSAGE_DIAL) {
            on_dial(self, node, (const struct dial *)m);
        } else if (m->kind == MESSAGE_HANG_UP) {
            on_hang_up(self, node, (const struct peer_order *)m);
        } else if (m->kind == MESSAGE_ADMIT) {
            on_admit(self, node, ((const struct peer_order *)m)->number);
        } else if (m->kind == MESSAGE_PEER_SEND) {
            on_send(self, node, (struct peer_send *)m);
            continue;
        } else if (m->kind == MESSAGE_REPLY) {
            struct message *before = from->reply ? &from->reply->head : NULL;
            message_free(&before);
            from->reply = (struct request *)m;
            continue;
        } else if (m->to == ACTOR_get) {
            if (m->kind == MESSAGE_PEER_LIVE)
                told(from, ((const struct peer_live *)m)->number, true);
            else
                told(from, ((const struct peer_order *)m)->number, false);
        }
        message_free(&m);
    }
}

static void open_end(mesh_t *self, struct wire *wire, int side)
{
    struct end *end = &wire->ends[side];
    const struct node *far = &self->nodes[wire->ends[!side].node];
    if (end->closed || !is_running(self, end) || self->nodes[end->node].vanished)
        return;
    struct opened *opened = (struct opened *)message_new(sizeof *opened);
    assert_non_null(opened);
    end->opened = true;
    end->traffic = peer_traffic_new();
    assert_non_null(end->traffic);
    end->traffic->heard_ms = self->now_ms;
    end->traffic->holders++;
    opened->number = end->number;
    opened->id = far->id;
    opened->inbound = !end->dialler;
    opened->role = far->options.gateway_role ? 1 : 0;
    opened->traffic = end->traffic;
    if (!far->options.no_address)
        (void)snprintf(opened->address, sizeof opened->address, "%s", far->address);
    (void)snprintf(opened->remote, sizeof opened->remote, "10.0.0.1:%llu",
                   40000 + (unsigned long long)self->order % 20000);
    deliver(self, end->node, MESSAGE_OPENED, &opened->head);
}

static void on_mail_event(mesh_t *self, struct event *event)
{
    struct end *end = &event->wire->ends[event->side];
    struct node *node = &self->nodes[end->node];
    struct message *message = &event->send->head;
    if (end->closed || !end->opened || !is_running(self, end) || node->vanished) {
        message_free(&message);
        return;
    }
    if (node->frozen || node->not_reading) { /* stays in the socket */
        end->traffic->paused = node->not_reading;
        schedule(self, 100, *event);
        return;
    }
    end->traffic->paused = false;
    end->traffic->heard_ms = self->now_ms;
    end->traffic->bytes_in += blob_slice(event->send->bytes).size;
    if (end->admitted)
        give_mail(self, end, message);
    else
        mail_push(&end->waiting, message);
}

static void handle(mesh_t *self, struct event *event)
{
    if (event->kind == EVENT_open) {
        open_end(self, event->wire, event->side);
    } else if (event->kind == EVENT_mail) {
        on_mail_event(self, event);
    } else if (event->kind == EVENT_close) {
        struct end *end = &event->wire->ends[event->side];
        if (self->nodes[end->node].frozen && is_running(self, end))
            schedule(self, 100, *event);
        else
            close_end(self, end, event->reason);
    } else if (self->nodes[event->node].actor && self->nodes[event->node].run == event->run) {
        send_closed(self, event->node, event->number, event->reason);
    }
}

/* --- time --------------------------------------------------------------------------------- */

static void tick_node(mesh_t *self, size_t node)
{
    struct node *n = &self->nodes[node];
    struct outbox out = {.from = ACTOR_connections};
    for (int i = 0; n->actor && !n->frozen && !n->vanished; i++) {
        if (connections_spec.deadline_ms(n->actor) > self->now_ms)
            return;
        assert_true(i < 1000); /* it asks for ever more ticks without time passing */
        connections_spec.tick(n->actor, now_of(self), &out);
        handle_outbox(self, node, &out);
    }
}

void mesh_run(mesh_t *self, uint64_t ms)
{
    uint64_t end = self->now_ms + ms;
    for (;;) {
        uint64_t next = self->heap_count ? self->heap[0].at_ms : NEVER;
        for (size_t i = 0; i < self->count; i++) {
            tick_node(self, i);
            const struct node *n = &self->nodes[i];
            if (n->actor && !n->frozen && !n->vanished &&
                connections_spec.deadline_ms(n->actor) < next)
                next = connections_spec.deadline_ms(n->actor);
        }
        if (self->heap_count && self->heap[0].at_ms < next)
            next = self->heap[0].at_ms;
        if (next > end)
            break;
        self->now_ms = next > self->now_ms ? next : self->now_ms;
        while (self->heap_count && self->heap[0].at_ms <= self->now_ms) {
            struct event event = take_event(self);
            handle(self, &event);
        }
    }
    self->now_ms = end;
}

uint64_t mesh_now(const mesh_t *self)
{
    return self->now_ms;
}

/* --- making ------------------------------------------------------------------------------- */

mesh_t *mesh_new(uint64_t seed)
{
    struct mesh *self = (struct mesh *)calloc(1, sizeof *self);
    assert_non_null(self);
    self->random = seed;
    self->now_ms = 100000;
    return self;
}

size_t mesh_add(mesh_t *self, const struct mesh_node_options *options)
{
    assert_true(self->count < MESH_NODES_MAX);
    struct node *node = &self->nodes[self->count];
    node->options = *options;
    for (size_t i = 0; i < sizeof node->id.bytes; i++)
        node->id.bytes[i] = (uint8_t)next_random(self);
    (void)snprintf(node->address, sizeof node->address, "n%zu:31337", self->count);
    return self->count++;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct node_id));
}

void mesh_order_ids(mesh_t *self, const size_t *nodes, size_t count)
{
    struct node_id ids[MESH_NODES_MAX];
    for (size_t i = 0; i < count; i++)
        ids[i] = self->nodes[nodes[i]].id;
    qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 0; i < count; i++)
        self->nodes[nodes[i]].id = ids[i];
}

static struct peer_node *nodes_of(const mesh_t *self, const size_t *indices, size_t count)
{
    struct peer_node *nodes = (struct peer_node *)calloc(count + 1, sizeof *nodes);
    assert_non_null(nodes);
    for (size_t i = 0; i < count; i++) {
        memcpy(nodes[i].id, self->nodes[indices[i]].id.bytes, sizeof nodes[i].id);
        nodes[i].address = slice_text(self->nodes[indices[i]].address);
    }
    return nodes;
}

void mesh_start(mesh_t *self, size_t node)
{
    struct node *n = &self->nodes[node];
    struct peer_node *gateways = nodes_of(self, n->options.gateways, n->options.gateway_count);
    struct peer_node *known = nodes_of(self, n->options.known, n->options.known_count);
    const struct connections_options options = {
        .id = n->id,
        .address = n->options.no_address ? NULL : n->address,
        .role = n->options.gateway_role ? 1 : 0,
        .gateways = gateways,
        .gateway_count = n->options.gateway_count,
        .known = known,
        .known_count = n->options.known_count,
        .peers_max = n->options.peers_max,
        .seed = next_random(self),
    };
    assert_null(n->actor);
    n->vanished = n->frozen = n->not_reading = false;
    n->run++;
    n->last_inbound = 0;
    n->told_count = 0;
    n->actor = connections_new(&options);
    assert_non_null(n->actor);
    free(gateways);
    free(known);
}

static void end_run(mesh_t *self, size_t node)
{
    struct node *n = &self->nodes[node];
    const struct connections *actor = n->actor;
    self->dials += actor->counters.dials;
    self->failed += actor->counters.failed;
    for (int r = 0; r < CLOSE_REASON_COUNT; r++)
        self->closed[r] += actor->counters.closed[r];
    mail_free(&n->while_frozen);
    free(n->by_number);
    n->by_number = NULL;
    n->by_number_count = 0;
    connections_destroy(&n->actor);
}

/* The far ends of its connections hear this, or nothing. */
static void close_all(mesh_t *self, size_t node, bool heard, enum close_reason reason)
{
    for (struct wire *w = self->wires; w; w = w->next)
        for (int side = 0; side < SIDES; side++)
            if (w->ends[side].node == node && is_running(self, &w->ends[side]) &&
                !w->ends[side].closed) {
                w->ends[side].closed = true;
                mail_free(&w->ends[side].waiting);
                peer_traffic_release(&w->ends[side].traffic);
                if (heard)
                    schedule(self, MESH_LATENCY_MS,
                             (struct event){
                                 .kind = EVENT_close, .wire = w, .side = !side, .reason = reason});
            }
}

void mesh_kill(mesh_t *self, size_t node)
{
    close_all(self, node, true, CLOSE_reset);
    end_run(self, node);
}

void mesh_leave(mesh_t *self, size_t node)
{
    close_all(self, node, true, CLOSE_goodbye);
    end_run(self, node);
}

void mesh_vanish(mesh_t *self, size_t node)
{
    close_all(self, node, false, CLOSE_closed);
    end_run(self, node);
}

void mesh_freeze(mesh_t *self, size_t node, bool frozen)
{
    struct node *n = &self->nodes[node];
    n->frozen = frozen;
    for (struct message *m = frozen ? NULL : mail_pop(&n->while_frozen); m;
         m = mail_pop(&n->while_frozen))
        deliver(self, node, (enum message_kind)m->kind, m);
}

void mesh_cut(mesh_t *self, size_t a, size_t b, bool cut)
{
    self->cut[a][b] = self->cut[b][a] = cut;
    for (struct wire *w = self->wires; cut && w; w = w->next)
        for (int side = 0; side < SIDES; side++)
            if (w->ends[side].node == a && w->ends[!side].node == b)
                for (int s = 0; s < SIDES; s++)
                    schedule(self, MESH_LATENCY_MS,
                             (struct event){
                                 .kind = EVENT_close, .wire = w, .side = s, .reason = CLOSE_reset});
}

void mesh_pause_reading(mesh_t *self, size_t node, bool paused)
{
    self->nodes[node].not_reading = paused;
    for (struct wire *w = self->wires; w; w = w->next)
        for (int side = 0; side < SIDES; side++)
            if (w->ends[side].node == node && w->ends[side].traffic)
                w->ends[side].traffic->paused = paused;
}

void mesh_destroy(mesh_t **pointer)
{
    struct mesh *self = *pointer;
    *pointer = NULL;
    for (size_t i = 0; i < self->count; i++) {
        struct message *reply = self->nodes[i].reply ? &self->nodes[i].reply->head : NULL;
        if (self->nodes[i].actor)
            end_run(self, i);
        message_free(&reply);
    }
    while (self->heap_count) {
        struct event event = take_event(self);
        struct message *message = event.send ? &event.send->head : NULL;
        message_free(&message);
    }
    for (struct wire *w = self->wires, *next; w; w = next) {
        next = w->next;
        for (int side = 0; side < SIDES; side++) {
            mail_free(&w->ends[side].waiting);
            peer_traffic_release(&w->ends[side].traffic);
        }
        free(w);
    }
    free(self->heap);
    free(self);
}

/* --- looking ------------------------------------------------------------------------------ */

const struct connections *mesh_node(const mesh_t *self, size_t node)
{
    return self->nodes[node].actor;
}

struct node_id mesh_id(const mesh_t *self, size_t node)
{
    return self->nodes[node].id;
}

const char *mesh_address(const mesh_t *self, size_t node)
{
    return self->nodes[node].address;
}

static const struct link *live_link(const mesh_t *self, size_t at, size_t to)
{
    const struct connections *actor = self->nodes[at].actor;
    const struct peer *peer = actor ? peers_find(&actor->peers, &self->nodes[to].id) : NULL;
    return peer ? peer_link_in(peer, PEER_live) : NULL;
}

/* The wire whose two ends are both live. */
static const struct wire *live_wire(const mesh_t *self, size_t a, size_t b)
{
    const struct link *at_a = live_link(self, a, b), *at_b = live_link(self, b, a);
    int side;
    const struct wire *wire = at_a && at_b ? wire_of(self, a, at_a->number, &side) : NULL;
    return wire && wire->ends[!side].number == at_b->number && wire->ends[!side].node == b ? wire
                                                                                           : NULL;
}

size_t mesh_live(const mesh_t *self, size_t a, size_t b)
{
    size_t count = 0;
    for (size_t i = 0; i < self->nodes[a].by_number_count; i++) {
        const struct wire *w = self->nodes[a].by_number[i];
        bool is_between = w && (w->ends[0].node == b || w->ends[1].node == b);
        count += is_between && w->ends[0].admitted && w->ends[1].admitted && !w->ends[0].closed &&
                 !w->ends[1].closed;
    }
    if (count == 1)
        assert_non_null(live_wire(self, a, b));
    return count;
}

size_t mesh_dialler(const mesh_t *self, size_t a, size_t b)
{
    const struct wire *wire = live_wire(self, a, b);
    assert_non_null(wire);
    return wire->ends[0].node;
}

size_t mesh_live_count(const mesh_t *self, size_t node)
{
    return self->nodes[node].actor->view.count;
}

uint64_t mesh_dials(const mesh_t *self)
{
    uint64_t sum = self->dials;
    for (size_t i = 0; i < self->count; i++)
        sum += self->nodes[i].actor ? self->nodes[i].actor->counters.dials : 0;
    return sum;
}

uint64_t mesh_failed(const mesh_t *self)
{
    uint64_t sum = self->failed;
    for (size_t i = 0; i < self->count; i++)
        sum += self->nodes[i].actor ? self->nodes[i].actor->counters.failed : 0;
    return sum;
}

uint64_t mesh_closed(const mesh_t *self, enum close_reason reason)
{
    uint64_t sum = self->closed[reason];
    for (size_t i = 0; i < self->count; i++)
        sum += self->nodes[i].actor ? self->nodes[i].actor->counters.closed[reason] : 0;
    return sum;
}

size_t mesh_told_live(const mesh_t *self, size_t node)
{
    return self->nodes[node].told_count;
}

/* --- operators ---------------------------------------------------------------------------- */

struct asked {
    struct frames frames;
    struct slice argument;
    char text[256];
};

static void free_asked(struct frames *frames)
{
    free(frames);
}

void mesh_ask(mesh_t *self, size_t node, enum verb verb, const char *argument)
{
    struct request *request = (struct request *)message_new(sizeof *request);
    struct asked *asked = (struct asked *)calloc(1, sizeof *asked);
    struct message *before = self->nodes[node].reply ? &self->nodes[node].reply->head : NULL;
    assert_non_null(request);
    assert_non_null(asked);
    message_free(&before);
    self->nodes[node].reply = NULL;
    (void)snprintf(asked->text, sizeof asked->text, "%s", argument ? argument : "");
    asked->argument = slice_text(asked->text);
    request->verb = verb;
    request->frames = &asked->frames;
    request->release = free_asked;
    request->args = &asked->argument;
    request->args_count = argument != NULL;
    deliver(self, node, MESSAGE_ASK, &request->head);
}

const struct request *mesh_reply(const mesh_t *self, size_t node)
{
    return self->nodes[node].reply;
}

const char *mesh_json(const mesh_t *self, size_t node)
{
    const struct request *reply = self->nodes[node].reply;
    struct slice json = reply ? blob_slice(reply->json) : slice_of("", 0);
    char *text = ((struct mesh *)(uintptr_t)self)->json;
    assert_true(json.size < sizeof self->json);
    if (json.size)
        memcpy(text, json.data, json.size);
    text[json.size] = 0;
    return text;
}

size_t mesh_route(const mesh_t *self, size_t from, place_t place, size_t *hops)
{
    const struct ring_peer *next;
    for (*hops = 0; (next = ring_next(&self->nodes[from].actor->view, place, NULL, 0)) != NULL;
         ++*hops) {
        size_t to = 0;
        while (memcmp(&self->nodes[to].id, &next->id, sizeof next->id) != 0)
            to++;
        assert_true(*hops < 100);
        from = to;
    }
    return from;
}
