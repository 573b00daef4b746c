#include "tests/unit/connections_one.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct node_id id_with(uint8_t firstly, unsigned n)
{
    struct node_id id = {{firstly, (uint8_t)(n >> 8), (uint8_t)n, 7}};
    return id;
}

void one_start(struct one *self, uint64_t seed, struct connections_options options)
{
    *self = (struct one){.now = {.ms = 50000, .us = 50000000}, .out.from = ACTOR_connections};
    options.id = id_with(128, 0);
    options.seed = seed;
    self->actor = connections_new(&options);
    assert_non_null(self->actor);
    connections_spec.tick(self->actor, self->now, &self->out);
}

void one_end(struct one *self)
{
    mail_free(&self->out.mail);
    connections_destroy(&self->actor);
    for (size_t i = 0; i < sizeof self->traffic / sizeof self->traffic[0]; i++)
        peer_traffic_release(&self->traffic[i]);
}

void one_pass(struct one *self, uint64_t ms)
{
    self->now.ms += ms;
    self->now.us += ms * 1000;
    if (connections_spec.deadline_ms(self->actor) <= self->now.ms)
        connections_spec.tick(self->actor, self->now, &self->out);
}

void one_get(struct one *self, enum message_kind kind, struct message *message)
{
    message->kind = (uint8_t)kind;
    connections_spec.receive(self->actor, message, self->now, &self->out);
}

struct message *one_take(struct one *self, enum message_kind kind)
{
    for (struct message *m = mail_pop(&self->out.mail); m; m = mail_pop(&self->out.mail)) {
        if (m->kind == kind)
            return m;
        message_free(&m);
    }
    return NULL;
}

peer_t one_opens(struct one *self, struct node_id id, uint8_t role)
{
    return one_opens_at(self, id, role, 0, "0.0.0.0:31337");
}

peer_t one_opens_at(struct one *self, struct node_id id, uint8_t role, peer_t number,
                    const char *address)
{
    struct opened *opened = (struct opened *)message_new(sizeof *opened);
    size_t at = 0;
    assert_non_null(opened);
    while (self->traffic[at])
        at++;
    self->traffic[at] = peer_traffic_new();
    self->traffic[at]->holders++;
    self->traffic[at]->heard_ms = self->now.ms;
    if (!number)
        self->last_inbound += 2;
    opened->number = number ? number : self->last_inbound - 1;
    opened->id = id;
    opened->inbound = !number;
    opened->role = role;
    opened->traffic = self->traffic[at];
    (void)snprintf(opened->remote, sizeof opened->remote, "192.0.2.7:50123");
    (void)snprintf(opened->address, sizeof opened->address, "%s", address);
    number = opened->number;
    one_get(self, MESSAGE_OPENED, &opened->head);
    return number;
}

void one_closes(struct one *self, peer_t number, enum close_reason reason)
{
    struct closed *closed = (struct closed *)message_new(sizeof *closed);
    assert_non_null(closed);
    closed->number = number;
    closed->reason = reason;
    one_get(self, MESSAGE_CLOSED, &closed->head);
}

enum close_reason one_verdict(struct one *self, peer_t number)
{
    for (struct message *m = mail_pop(&self->out.mail); m; m = mail_pop(&self->out.mail)) {
        const struct peer_order *order = (const struct peer_order *)m;
        bool is_it =
            (m->kind == MESSAGE_ADMIT || m->kind == MESSAGE_HANG_UP) && order->number == number;
        enum close_reason reason = m->kind == MESSAGE_ADMIT ? CLOSE_REASON_COUNT
                                   : is_it                  ? order->reason
                                                            : CLOSE_closed;
        message_free(&m);
        if (is_it)
            return reason;
    }
    fail_msg("connection %llu is neither admitted nor hung up", (unsigned long long)number);
    return CLOSE_closed;
}

static void encode_node(struct node_id id, const char *address, struct buffer *out)
{
    struct peer_node node = {.address = slice_text(address)};
    memcpy(node.id, id.bytes, sizeof node.id);
    assert_int_equal(codec_encode(&peer_node_layout, &node, out), 0);
}

void one_hears_of(struct one *self, peer_t from, struct node_id id, const char *address)
{
    struct buffer bytes = {0};
    struct peer_mail *mail = (struct peer_mail *)message_new(sizeof *mail);
    assert_non_null(mail);
    encode_node(id, address, &bytes);
    mail->number = from;
    mail->kind = PEER_NEIGHBOURS;
    mail->body.neighbours.nodes = buffer_slice(&bytes);
    one_get(self, MESSAGE_PEER_MAIL, &mail->head);
    buffer_free(&bytes);
}

void one_gets_connect(struct one *self, peer_t from, uint64_t tx, place_t place,
                      struct node_id joiner, const char *address)
{
    struct buffer bytes = {0};
    struct peer_mail *mail = (struct peer_mail *)message_new(sizeof *mail);
    assert_non_null(mail);
    encode_node(joiner, address, &bytes);
    mail->number = from;
    mail->kind = PEER_CONNECT;
    mail->body.connect = (struct peer_connect){
        .tx = tx, .hops = PEER_HOPS, .place = place, .joiner = buffer_slice(&bytes)};
    one_get(self, MESSAGE_PEER_MAIL, &mail->head);
    buffer_free(&bytes);
}

const char *one_dialled(struct one *self, peer_t *number)
{
    static char address[PEER_ADDRESS_BYTES_MAX + 1];
    struct message *message = one_take(self, MESSAGE_DIAL);
    address[0] = 0;
    if (!message)
        return address;
    memcpy(address, ((struct dial *)message)->address, sizeof address);
    *number = ((struct dial *)message)->number;
    message_free(&message);
    return address;
}
