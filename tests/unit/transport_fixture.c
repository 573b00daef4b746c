#include "tests/unit/transport_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sodium.h>
#include <stdlib.h>
#include <cmocka.h>

void net_init(struct net *self)
{
    assert_true(sodium_init() >= 0);
    *self = (struct net){.wires = wire_pair_new(), .ms = 1000000};
    for (int n = 0; n < 2; n++) {
        struct handshake_config *config = &self->nodes[n].config;
        *config = (struct handshake_config){.network = slice_text("test"),
                                            .version_min = 1,
                                            .version_max = 1,
                                            .role = ROLE_peer,
                                            .address = slice_text(wire_pair_address(n))};
        memset(config->secret_key, n + 1, sizeof config->secret_key);
        crypto_scalarmult_base(config->public_key, config->secret_key);
    }
}

void net_start(struct net *self, size_t connections_max)
{
    for (int n = 0; n < 2; n++) {
        const struct transport_options options = {.wire = wire_pair_end(self->wires, n),
                                                  .config = self->nodes[n].config,
                                                  .connections_max = connections_max,
                                                  .mail_bytes_max = self->mail_bytes_max};
        self->nodes[n].out.from = ACTOR_transport;
        self->nodes[n].transport = transport_new(&options);
        assert_non_null(self->nodes[n].transport);
    }
}

struct net *net_new(void)
{
    static struct net net;
    net_init(&net);
    net_start(&net, 0);
    return &net;
}

void net_drop(void *message)
{
    struct message *it = (struct message *)message;
    message_free(&it);
}

void net_stop(struct net *self, int node)
{
    transport_destroy(&self->nodes[node].transport);
}

void net_free(struct net *self)
{
    for (int n = 0; n < 2; n++) {
        net_stop(self, n);
        mail_free(&self->nodes[n].got);
        mail_free(&self->nodes[n].out.mail);
    }
    wire_pair_destroy(&self->wires);
}

static struct now clock_of(const struct net *self)
{
    return (struct now){.ms = self->ms};
}

bool net_turn(struct net *self, int node)
{
    struct node *it = &self->nodes[node];
    transport_t *transport = it->transport;
    if (!transport)
        return false;
    bool busy = it->out.mail.first != NULL;
    busy |= transport_spec.pump(transport, clock_of(self), &it->out);
    if (transport_spec.deadline_ms(transport) <= self->ms) {
        transport_spec.tick(transport, clock_of(self), &it->out);
        busy = true;
    }
    transport_spec.turn_end(transport, clock_of(self), &it->out);
    for (struct message *m = mail_pop(&it->out.mail); m; m = mail_pop(&it->out.mail)) {
        it->spoken_to += m->kind == MESSAGE_SPOKEN_TO;
        if (m->kind == MESSAGE_SPOKEN_TO)
            message_free(&m);
        else
            mail_push(&it->got, m);
    }
    return busy;
}

void net_run(struct net *self)
{
    for (int idle = 0; idle < 2;) {
        bool busy = net_turn(self, 0);
        busy |= net_turn(self, 1);
        idle = busy ? 0 : idle + 1;
    }
}

static uint64_t next_deadline(const struct net *self)
{
    uint64_t next = NEVER;
    for (int n = 0; n < 2; n++) {
        if (!self->nodes[n].transport)
            continue;
        uint64_t deadline = transport_spec.deadline_ms(self->nodes[n].transport);
        next = deadline < next ? deadline : next;
    }
    return next;
}

void net_advance_ms(struct net *self, uint64_t ms)
{
    uint64_t end = self->ms + ms;
    net_run(self);
    while (next_deadline(self) <= end) {
        uint64_t next = next_deadline(self);
        self->ms = next > self->ms ? next : self->ms + 1;
        net_run(self);
    }
    self->ms = end;
    net_run(self);
}

void net_give(struct net *self, int node, enum actor_id from, enum message_kind kind,
              struct message *message)
{
    struct node *it = &self->nodes[node];
    assert_non_null(message);
    message->kind = (uint8_t)kind;
    message->from = (uint8_t)from;
    message->to = ACTOR_transport;
    transport_spec.receive(it->transport, message, clock_of(self), &it->out);
}

void net_dial(struct net *self, int from, peer_t number, int id_of, const char *address)
{
    struct dial *dial = message_new(sizeof *dial);
    dial->closed = message_new(sizeof *dial->closed);
    dial->number = number;
    memcpy(dial->id.bytes, self->nodes[id_of].config.public_key, NODE_ID_BYTES);
    (void)snprintf(dial->address, sizeof dial->address, "%s", address);
    net_give(self, from, ACTOR_connections, MESSAGE_DIAL, &dial->head);
}

void net_order(struct net *self, int node, enum message_kind kind, peer_t number,
               enum close_reason reason, const char *why)
{
    struct peer_order *order = message_new(sizeof *order);
    order->number = number;
    order->reason = reason;
    if (why)
        (void)snprintf(order->why.text, sizeof order->why.text, "%s", why);
    net_give(self, node, ACTOR_connections, kind, &order->head);
}

void net_send(struct net *self, int node, peer_t number, enum lane lane, enum peer_kind kind,
              const void *body)
{
    struct peer_send *send = peer_send_new(number, lane, kind, body);
    assert_non_null(send);
    net_give(self, node, ACTOR_sync, MESSAGE_PEER_SEND, &send->head);
}

void *net_expect(struct net *self, int node, enum message_kind kind)
{
    struct message *message = mail_pop(&self->nodes[node].got);
    if (!message)
        fail_msg("node %d: nothing where %s was wanted", node, message_rows[kind].name);
    else if (message->kind != kind)
        fail_msg("node %d: %s where %s was wanted", node, message_rows[message->kind].name,
                 message_rows[kind].name);
    return message;
}

bool net_is_quiet(const struct net *self, int node)
{
    return self->nodes[node].got.first == NULL;
}

void net_ignore(struct net *self, int node)
{
    mail_free(&self->nodes[node].got);
}

struct pipe_ends net_live(struct net *self)
{
    static peer_t number;
    struct pipe_ends ends = {{number += 2, 0}};
    net_dial(self, 0, ends.at[0], 1, wire_pair_address(1));
    net_run(self);
    for (int n = 0; n < 2; n++) {
        struct opened *opened = net_expect(self, n, MESSAGE_OPENED);
        struct message *message = &opened->head;
        ends.at[n] = opened->number;
        message_free(&message);
        net_order(self, n, MESSAGE_ADMIT, ends.at[n], CLOSE_goodbye, NULL);
    }
    net_run(self);
    return ends;
}

void net_expect_closed(struct net *self, int node, peer_t number, enum close_reason reason,
                       const char *words)
{
    struct closed *closed = net_expect(self, node, MESSAGE_CLOSED);
    struct message *message = &closed->head;
    assert_int_equal(closed->number, number);
    if (closed->reason != reason || !strstr(closed->why.text, words))
        fail_msg("closed with %d '%s' where %d '%s' was wanted", (int)closed->reason,
                 closed->why.text, (int)reason, words);
    message_free(&message);
}

struct peer_delta net_delta(size_t bytes)
{
    static uint8_t entries[PEER_ENTRIES_BYTES_MAX];
    return (struct peer_delta){.key = {7}, .entries = slice_of(entries, bytes)};
}
