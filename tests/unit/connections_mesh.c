#include "tests/unit/connections_mesh_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- the fake transport ------------------------------------------------------------------- */

static void handle_outbox(mesh_t *self, size_t node, struct outbox *out);

void mesh_deliver(mesh_t *self, size_t node, enum message_kind kind, struct message *message)
{
    struct node *to = &self->nodes[node];
    struct outbox out = {.from = ACTOR_connections};
    message->kind = (uint8_t)kind;
    if (to->frozen) {
        mail_push(&to->while_frozen, message);
        return;
    }
    connections_spec.receive(to->actor, message, mesh_now_of(self), &out);
    handle_outbox(self, node, &out);
}

bool mesh_is_running(const mesh_t *self, const struct end *end)
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
        mesh_schedule(self, MESH_LATENCY_MS,
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
    mesh_schedule(self, 2 * MESH_LATENCY_MS,
                  (struct event){.kind = EVENT_open, .wire = wire, .side = 0});
    mesh_schedule(self, 3 * MESH_LATENCY_MS,
                  (struct event){.kind = EVENT_open, .wire = wire, .side = 1});
}

struct wire *mesh_wire_of(const mesh_t *self, size_t node, peer_t number, int *side)
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
    mesh_deliver(self, node, MESSAGE_CLOSED, &closed->head);
}

/* This end is over, for its node too if it knows of it. */
static void close_end(mesh_t *self, struct end *end, enum close_reason reason)
{
    if (end->closed)
        return;
    end->closed = true;
    mail_free(&end->waiting);
    peer_traffic_release(&end->traffic);
    if (mesh_is_running(self, end) && !self->nodes[end->node].vanished &&
        (end->dialler || end->opened))
        send_closed(self, end->node, end->number, reason);
}

static void on_hang_up(mesh_t *self, size_t node, const struct peer_order *order)
{
    int side;
    struct wire *wire = mesh_wire_of(self, node, order->number, &side);
    if (!wire)
        return; /* its end is on its way */
    mesh_schedule(
        self, 0,
        (struct event){.kind = EVENT_close, .wire = wire, .side = side, .reason = order->reason});
    mesh_schedule(
        self, MESH_LATENCY_MS,
        (struct event){.kind = EVENT_close, .wire = wire, .side = !side, .reason = order->reason});
}

static void on_send(mesh_t *self, size_t node, struct peer_send *send)
{
    int side;
    struct wire *wire = mesh_wire_of(self, node, send->number, &side);
    struct message *message = &send->head;
    if (!wire || wire->ends[side].closed || self->nodes[node].vanished) {
        message_free(&message);
        return;
    }
    wire->ends[side].traffic->bytes_out += blob_slice(send->bytes).size;
    mesh_schedule(self, MESH_LATENCY_MS,
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
    mesh_deliver(self, end->node, MESSAGE_PEER_MAIL, &mail->head);
}

static void on_admit(mesh_t *self, size_t node, peer_t number)
{
    int side;
    struct wire *wire = mesh_wire_of(self, node, number, &side);
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
    if (end->closed || !mesh_is_running(self, end) || self->nodes[end->node].vanished)
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
    mesh_deliver(self, end->node, MESSAGE_OPENED, &opened->head);
}

static void on_mail_event(mesh_t *self, struct event *event)
{
    struct end *end = &event->wire->ends[event->side];
    struct node *node = &self->nodes[end->node];
    struct message *message = &event->send->head;
    if (end->closed || !end->opened || !mesh_is_running(self, end) || node->vanished) {
        message_free(&message);
        return;
    }
    if (node->frozen || node->not_reading) { /* stays in the socket */
        end->traffic->paused = node->not_reading;
        mesh_schedule(self, 100, *event);
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
        if (self->nodes[end->node].frozen && mesh_is_running(self, end))
            mesh_schedule(self, 100, *event);
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
        connections_spec.tick(n->actor, mesh_now_of(self), &out);
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
            struct event event = mesh_take_event(self);
            handle(self, &event);
        }
    }
    self->now_ms = end;
}

uint64_t mesh_now(const mesh_t *self)
{
    return self->now_ms;
}
