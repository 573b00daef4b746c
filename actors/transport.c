#include "actors/transport_state.h"

#include <poll.h>
#include <sodium.h>
#include <stdlib.h>

enum { EVENTS_A_TURN = 256, STOP_ROUNDS = 30 };

transport_t *transport_new(const struct transport_options *options)
{
    const struct handshake_config *config = &options->config;
    transport_t *self = (transport_t *)calloc(1, sizeof *self);
    struct owed *mail = owed_new();
    if (!self || !mail || config->network.size > NETWORK_BYTES_MAX ||
        config->address.size > ADDRESS_TEXT_MAX ||
        (config->address.size && !hello_is_address(config->address))) {
        owed_release(&mail);
        free(self);
        return NULL;
    }
    self->mail = mail;
    self->options = *options;
    if (!self->options.connections_max)
        self->options.connections_max = CONNECTIONS_MAX;
    if (!self->options.mail_bytes_max)
        self->options.mail_bytes_max = PEERS_MAIL_BYTES_MAX;
    self->next_number = 1;
    self->timed_at_ms = self->retry_at_ms = NEVER;
    self->accepting = true;
    options->wire->want_accept(options->wire->self, true);
    return self;
}

const struct transport_counters *transport_counters(const transport_t *self)
{
    return &self->counters;
}

/* --- orders ------------------------------------------------------------------------------ */

static int begin_dial(transport_t *self, const struct dial *dial, struct reason *why)
{
    const struct peer_wire *wire = self->options.wire;
    if (self->links.count >= self->options.connections_max)
        return fail(why, ERR_BUSY, "all %zu connections are in use", self->options.connections_max);
    int connection = wire->dial(wire->self, dial->address);
    if (connection < 0)
        return fail(why, connection, "%s: %s", dial->address,
                    connection == ERR_BAD_REQUEST ? "not an address, HOST:PORT"
                                                  : error_text(connection));
    return connection;
}

static void on_dial(transport_t *self, struct dial *dial, const struct turn *turn)
{
    const struct peer_wire *wire = self->options.wire;
    struct reason why = {""};
    if (memcmp(dial->id.bytes, self->options.config.public_key, NODE_ID_BYTES) == 0) {
        transport_tell_closed(&dial->closed, dial->number, CLOSE_wrong_id, /* lesson D5 */
                              &(struct reason){"a node does not connect to itself"}, turn);
        return;
    }
    int connection = begin_dial(self, dial, &why);
    struct peer_link *link = connection < 0 ? NULL : links_add(&self->links, connection);
    if (link && !links_name(&self->links, link, dial->number))
        links_remove(&self->links, &link);
    if (!link) {
        if (connection >= 0)
            wire->close(wire->self, connection, true);
        transport_tell_closed(&dial->closed, dial->number,
                              connection == ERR_BUSY ? CLOSE_local_fault : CLOSE_unreachable, &why,
                              turn);
        return;
    }
    link->id = dial->id;
    link->closed = dial->closed;
    dial->closed = NULL;
    link->state = LINK_dialling;
    transport_deadline(self, link, turn->now.ms + HANDSHAKE_MS);
    transport_keep_accepting(self);
}

static void on_hang_up(transport_t *self, const struct peer_order *order, const struct turn *turn)
{
    struct peer_link *link = links_find(&self->links, order->number);
    if (!link || link->state == LINK_leaving)
        return; /* its CLOSED is on the way */
    if (link->state == LINK_opened || link->state == LINK_live)
        (void)transport_goodbye(self, link, order->reason, &order->why, turn);
    else
        transport_drop(self, link, order->reason, &order->why, turn);
}

/* STATUS: on its way from connections to hosting, and on to storage. */
static void on_ask(const transport_t *self, struct request *request, const struct turn *turn)
{
    request->strangers = self->counters;
    send_to(turn->out, ACTOR_hosting, MESSAGE_ASK, &request->head);
}

static void receive(void *actor, struct message *message, struct now now, struct outbox *out)
{
    transport_t *self = (transport_t *)actor;
    const struct turn turn = {now, out};
    switch ((enum message_kind)message->kind) {
    case MESSAGE_PEER_SEND:
        transport_send(self, (struct peer_send *)message, &turn);
        return;
    case MESSAGE_NOTIFY:
        transport_notify(self, (struct notify *)message, &turn);
        return;
    case MESSAGE_ASK:
        on_ask(self, (struct request *)message, &turn);
        return;
    case MESSAGE_DIAL:
        on_dial(self, (struct dial *)message, &turn);
        break;
    case MESSAGE_ADMIT: {
        struct peer_link *link = links_find(&self->links, ((struct peer_order *)message)->number);
        if (link && link->state == LINK_opened)
            transport_admit(self, link, &turn);
        break;
    }
    case MESSAGE_HANG_UP:
        on_hang_up(self, (struct peer_order *)message, &turn);
        break;
    default:
        break;
    }
    message_free(&message);
}

/* --- events ------------------------------------------------------------------------------ */

/* The far end is gone. What it sent before is handed on first; not to be read any more is what a
 * paused link holds, and then its end waits. */
static void on_end(transport_t *self, struct peer_link *link, const struct wire_event *event,
                   const struct turn *turn)
{
    const char *text = event->why;
    if (link->state == LINK_leaving) {
        transport_drop(self, link, link->reason, &link->why, turn);
        return;
    }
    if (event->kind == WIRE_reset) {
        transport_drop_text(self, link, CLOSE_reset, text, turn);
        return;
    }
    if (link->in.size && (link->paused || link->state == LINK_opened)) {
        link->ended = true;
        return;
    }
    enum close_reason reason = transport_closed_reason(link, &text);
    transport_drop_text(self, link, reason, text, turn);
}

static void on_event(transport_t *self, const struct wire_event *event, const struct turn *turn)
{
    struct peer_link *link = links_of(&self->links, event->connection);
    if (event->kind == WIRE_accepted) { /* and only then: a link that is known stays (lesson C4) */
        self->accepts_left--;
        transport_accepted(self, event, turn);
        transport_keep_accepting(self);
        return;
    }
    if (!link)
        return;
    switch (event->kind) {
    case WIRE_connected:
        transport_connected(self, link, event->remote, turn);
        break;
    case WIRE_readable:
        link->readable = true;
        links_ready(&self->links, link, link->state != LINK_opened && !link->paused);
        break;
    case WIRE_writable:
        link->full = false;
        links_unsent(&self->links, link, true);
        break;
    case WIRE_closed:
    case WIRE_reset:
        on_end(self, link, event, turn);
        break;
    case WIRE_none:
    case WIRE_accepted:
        break;
    }
}

static bool take_events(transport_t *self, const struct turn *turn)
{
    const struct peer_wire *wire = self->options.wire;
    struct wire_event event = {.kind = WIRE_none};
    self->accepts_left = ACCEPTS_A_TURN;
    transport_keep_accepting(self);
    for (int taken = 0; taken < EVENTS_A_TURN; taken++) {
        wire->next(wire->self, &event);
        if (event.kind == WIRE_none)
            return taken > 0;
        on_event(self, &event, turn);
    }
    return true;
}

/* --- time -------------------------------------------------------------------------------- */

static void end_late(transport_t *self, const struct turn *turn)
{
    self->timed_at_ms = NEVER;
    for (struct peer_link *link = self->links.timed, *next; link; link = next) {
        next = link->timed_next;
        if (link->deadline_ms > turn->now.ms) {
            if (link->deadline_ms < self->timed_at_ms)
                self->timed_at_ms = link->deadline_ms;
        } else if (link->state == LINK_leaving) {
            transport_drop(self, link, link->reason, &link->why, turn);
        } else {
            transport_drop(self, link, transport_slow_reason(link), NULL, turn);
        }
    }
}

static uint64_t deadline_ms(const void *actor)
{
    const transport_t *self = (const transport_t *)actor;
    if (self->more_to_write)
        return 0;
    return self->timed_at_ms < self->retry_at_ms ? self->timed_at_ms : self->retry_at_ms;
}

static void tick(void *actor, struct now now, struct outbox *out)
{
    transport_t *self = (transport_t *)actor;
    const struct turn turn = {now, out};
    if (self->timed_at_ms <= now.ms)
        end_late(self, &turn);
    if (self->retry_at_ms <= now.ms)
        transport_collect(self, &turn);
}

static void turn_end(void *actor, struct now now, struct outbox *out)
{
    transport_t *self = (transport_t *)actor;
    const struct turn turn = {now, out};
    if (self->links.owing)
        transport_collect(self, &turn);
    transport_write(self, &turn);
}

static int descriptor(const void *actor)
{
    const struct peer_wire *wire = ((const transport_t *)actor)->options.wire;
    return wire->descriptor(wire->self);
}

static bool wants_input(const void *actor)
{
    (void)actor;
    return true; /* each connection has its own window */
}

static bool pump(void *actor, struct now now, struct outbox *out)
{
    transport_t *self = (transport_t *)actor;
    const struct turn turn = {now, out};
    bool any = take_events(self, &turn);
    any |= transport_read(self, &turn);
    return any;
}

const struct actor_spec transport_spec = {
    .id = ACTOR_transport,
    .receive = receive,
    .deadline_ms = deadline_ms,
    .tick = tick,
    .turn_end = turn_end,
    .descriptor = descriptor,
    .wants_input = wants_input,
    .pump = pump,
};

/* --- the end ----------------------------------------------------------------------------- */

/* Handshakes end here; peers hear a goodbye (lesson L7). */
static void leave_all(transport_t *self, const struct turn *turn)
{
    const struct reason why = {"this node stops"};
    for (size_t c = 0; c < self->links.connections; c++) {
        struct peer_link *link = self->links.by_connection[c];
        if (!link || link->state == LINK_leaving)
            continue;
        if (link->state == LINK_opened || link->state == LINK_live)
            (void)transport_goodbye(self, link, CLOSE_stopping, &why, turn);
        else
            transport_drop(self, link, CLOSE_stopping, &why, turn);
    }
}

void transport_destroy(transport_t **pointer)
{
    transport_t *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    const struct turn turn = {.out = NULL};
    const struct peer_wire *wire = self->options.wire;
    self->options.connections_max = 0; /* nobody is let in any more */
    transport_keep_accepting(self);
    leave_all(self, &turn);
    struct pollfd fd = {.fd = wire->descriptor(wire->self), .events = POLLIN};
    for (int round = 0; round < STOP_ROUNDS && self->links.count; round++) {
        transport_write(self, &turn);
        bool any = take_events(self, &turn);
        any |= transport_read(self, &turn);
        if (!any && fd.fd < 0)
            break;
        if (!any)
            (void)poll(&fd, 1, GOODBYE_ALL_MS / STOP_ROUNDS);
    }
    for (size_t c = 0; c < self->links.connections; c++)
        if (self->links.by_connection[c])
            transport_drop(self, self->links.by_connection[c], CLOSE_stopping, NULL, &turn);
    links_free(&self->links);
    strangers_free(&self->strangers);
    buffer_free(&self->sealed);
    owed_release(&self->mail);
    sodium_memzero(self, sizeof *self);
    free(self);
}
