/* How connections end: the close, and who is told. A stranger that is closed for what it sent, or
 * did not send, gets a reset: that leaves nothing behind in the system. */
#include "actors/transport_state.h"

#include "base/trace.h"

#include <stdlib.h>

void transport_deadline(transport_t *self, struct peer_link *link, uint64_t at_ms)
{
    links_timed(&self->links, link, false); /* to the end of the list */
    links_timed(&self->links, link, at_ms != NEVER);
    link->deadline_ms = at_ms;
    if (at_ms < self->timed_at_ms)
        self->timed_at_ms = at_ms;
}

void transport_keep_accepting(transport_t *self)
{
    size_t most = self->options.connections_max;
    most -= most > 2 * CONNECTIONS_FOR_DIALS ? CONNECTIONS_FOR_DIALS : most / 2;
    bool accepting = self->links.count < most && self->accepts_left > 0;
    if (accepting == self->accepting)
        return;
    const struct peer_wire *wire = self->options.wire;
    self->accepting = accepting;
    wire->want_accept(wire->self, accepting);
}

void transport_tell_closed(struct closed **kept, peer_t number, enum close_reason reason,
                           const struct reason *why, const struct turn *turn)
{
    struct closed *closed = *kept ? *kept : (struct closed *)message_new(sizeof *closed);
    *kept = NULL;
    if (!closed)
        return; /* connections' pings find it out */
    closed->number = number;
    closed->reason = reason;
    closed->why = *why;
    if (!closed->why.text[0])
        (void)fail(&closed->why, 0, "%s", close_reasons[reason].text);
    send_to(turn->out, ACTOR_connections, MESSAGE_CLOSED, &closed->head);
}

void transport_return(struct lane_item *chain, const struct turn *turn)
{
    for (struct lane_item *next; chain; chain = next) {
        struct sending *sending = (struct sending *)(void *)chain;
        next = chain->next;
        blob_release(&sending->item.bytes);
        struct message *tell = sending->tell ? &sending->tell->head : NULL;
        if (tell && turn->out)
            send_to(turn->out, (enum actor_id)tell->from, MESSAGE_PEER_SENT, tell);
        else
            message_free(&tell);
        free(sending);
    }
}

static void count_stranger(transport_t *self, const struct peer_link *link,
                           enum close_reason reason)
{
    if (reason == CLOSE_slow_handshake)
        self->counters.slow++;
    else if (reason == CLOSE_refused || reason == CLOSE_wrong_id)
        self->counters.refused++;
    else if (reason == CLOSE_full)
        self->counters.turned_away++;
    else
        self->counters.broken++;
    trace(TRACE_debug, "stranger %s: %s", link->remote, close_reasons[reason].text);
}

void transport_drop(transport_t *self, struct peer_link *link, enum close_reason reason,
                    const struct reason *why, const struct turn *turn)
{
    const struct peer_wire *wire = self->options.wire;
    peer_t number = link->number;
    struct reason kept = {""}; /* it may be the link's own */
    if (why)
        kept = *why;
    bool is_told = number || reason == CLOSE_refused || reason == CLOSE_wrong_id;
    wire->close(wire->self, link->connection, !is_told || reason == CLOSE_reset);
    transport_return(link_take_back(link), turn);
    if (link->counted)
        strangers_left(&self->strangers, link->prefix);
    if (!number)
        count_stranger(self, link, reason);
    struct closed *closed = link->closed;
    link->closed = NULL;
    self->unfinished -= owed_bytes(link->unfinished);
    links_remove(&self->links, &link);
    if (number && turn->out)
        transport_tell_closed(&closed, number, reason, &kept, turn);
    free(closed);
    transport_keep_accepting(self);
}

void transport_drop_text(transport_t *self, struct peer_link *link, enum close_reason reason,
                         const char *why, const struct turn *turn)
{
    struct reason text = {""};
    (void)fail(&text, 0, "%s", why);
    transport_drop(self, link, reason, &text, turn);
}
