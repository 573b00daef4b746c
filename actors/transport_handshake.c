/* From a stranger to a peer. Nothing that others could see changes before the initiator's first
 * record has opened: whoever replays a recorded first message gets an answer that it cannot read,
 * and is closed when its time is over (lesson K3). */
#include "actors/transport_state.h"

#include "base/trace.h"

#include <sodium.h>
#include <stdlib.h>

/* --- in ---------------------------------------------------------------------------------- */

static bool is_silent(const struct peer_link *link)
{
    return link->state == LINK_stranger && !link->readable && !link->in.size;
}

/* One too many: the oldest of whom nothing was heard goes, or the oldest. Age begins anew with the
 * answer, so that who is answered late has time to read it. */
static void push_out_one(transport_t *self, const struct turn *turn)
{
    struct peer_link *oldest = NULL;
    for (struct peer_link *link = self->links.timed; link; link = link->timed_next) {
        if (link->counted && (!oldest || is_silent(link)))
            oldest = link;
        if (oldest && is_silent(oldest))
            break;
    }
    if (oldest)
        transport_drop_text(self, oldest, CLOSE_full, "too many strangers", turn);
}

void transport_accepted(transport_t *self, const struct wire_event *event, const struct turn *turn)
{
    const struct peer_wire *wire = self->options.wire;
    self->counters.accepted++;
    bool admitted = self->links.count < self->options.connections_max &&
                    strangers_admit(&self->strangers, event->prefix, turn->now.ms);
    if (admitted && self->strangers.at_once > HANDSHAKES_MAX)
        push_out_one(self, turn);
    struct peer_link *link = admitted ? links_add(&self->links, event->connection) : NULL;
    if (!link) {
        if (admitted)
            strangers_left(&self->strangers, event->prefix);
        self->counters.turned_away++;
        wire->close(wire->self, event->connection, true);
        return;
    }
    link->inbound = link->counted = true;
    link->state = LINK_stranger;
    memcpy(link->prefix, event->prefix, sizeof link->prefix);
    (void)snprintf(link->remote, sizeof link->remote, "%.*s", (int)PEER_ADDRESS_BYTES_MAX,
                   event->remote);
    transport_deadline(self, link, turn->now.ms + HANDSHAKE_MS);
}

/* --- out --------------------------------------------------------------------------------- */

void transport_connected(transport_t *self, struct peer_link *link, const char *remote,
                         const struct turn *turn)
{
    uint8_t random[HANDSHAKE_RANDOM_BYTES];
    struct reason why = {""};
    if (link->state != LINK_dialling)
        return;
    (void)snprintf(link->remote, sizeof link->remote, "%.*s", (int)PEER_ADDRESS_BYTES_MAX, remote);
    randombytes_buf(random, sizeof random);
    /* made once, and sent as it is (lesson K5) */
    link->handshake =
        handshake_dial(&self->options.config, link->id.bytes, random, &link->out, &why);
    sodium_memzero(random, sizeof random);
    if (!link->handshake) {
        transport_drop(self, link, CLOSE_bad_handshake, &why, turn);
        return;
    }
    link->state = LINK_asking;
    links_unsent(&self->links, link, true);
    transport_deadline(self, link, turn->now.ms + HANDSHAKE_MS);
}

/* --- steps ------------------------------------------------------------------------------- */

static bool start_session(const transport_t *self, struct peer_link *link)
{
    const struct handshake_result *result = handshake_result(link->handshake);
    link->session = session_new(result->initiator, result->send_key, result->receive_key,
                                result->stream_header);
    return link->session && link_equip(link, self->mail) == 0;
}

static void text_of(char *to, const uint8_t *bytes, size_t size)
{
    (void)snprintf(to, PEER_ADDRESS_BYTES_MAX + 1, "%.*s", (int)size, (const char *)bytes);
}

/* From here on it is a peer: connections decides whether it stays. */
static bool tell_opened(transport_t *self, struct peer_link *link, const struct turn *turn)
{
    const struct handshake_result *result = handshake_result(link->handshake);
    struct opened *opened = (struct opened *)message_new(sizeof *opened);
    if (!link->closed)
        link->closed = (struct closed *)message_new(sizeof *link->closed);
    if (!opened || !link->closed) {
        free(opened);
        transport_drop(self, link, CLOSE_local_fault, NULL, turn);
        return false;
    }
    memcpy(link->id.bytes, result->peer, NODE_ID_BYTES);
    opened->number = link->number;
    opened->id = link->id;
    opened->inbound = link->inbound;
    opened->role = (uint8_t)result->role;
    text_of(opened->address, result->address, result->address_size);
    text_of(opened->observed, result->observed, result->observed_size);
    memcpy(opened->remote, link->remote, sizeof opened->remote);
    link->traffic->holders++;
    link->traffic->heard_ms = turn->now.ms;
    opened->traffic = link->traffic;
    link->state = LINK_opened;
    transport_deadline(self, link, NEVER);
    handshake_destroy(&link->handshake);
    self->counters.opened++;
    send_to(turn->out, ACTOR_connections, MESSAGE_OPENED, &opened->head);
    return true;
}

/* The refusal goes out, then it is closed. */
static bool refuse(transport_t *self, struct peer_link *link, const struct reason *why,
                   const struct turn *turn)
{
    bool can_tell = link->out.size > 0;
    bool for_another = handshake_refusal(link->handshake) == REFUSAL_unsealed;
    trace(can_tell ? TRACE_info : TRACE_debug, "stranger %s: %s", link->remote, why->text);
    if (!can_tell) {
        transport_drop(self, link, for_another ? CLOSE_wrong_id : CLOSE_bad_handshake, why, turn);
        return false;
    }
    link->state = LINK_leaving;
    link->reason = CLOSE_refused;
    transport_deadline(self, link, turn->now.ms + GOODBYE_MS);
    links_unsent(&self->links, link, true);
    return true;
}

bool transport_first_message(transport_t *self, struct peer_link *link, struct slice message,
                             const struct turn *turn)
{
    uint8_t random[HANDSHAKE_RANDOM_BYTES];
    struct reason why = {""};
    self->handshakes_left--;
    self->counters.answered++;
    randombytes_buf(random, sizeof random);
    link->handshake = handshake_answer(&self->options.config, random);
    sodium_memzero(random, sizeof random);
    if (!link->handshake) {
        transport_drop(self, link, CLOSE_local_fault, NULL, turn);
        return false;
    }
    if (handshake_read_first(link->handshake, message, slice_text(link->remote), &link->out, &why))
        return refuse(self, link, &why, turn);
    if (!start_session(self, link)) {
        transport_drop(self, link, CLOSE_local_fault, NULL, turn);
        return false;
    }
    link->state = LINK_answered;
    transport_deadline(self, link, link->deadline_ms); /* as it was; the last to be pushed out */
    links_unsent(&self->links, link, true);
    return true;
}

static enum close_reason reason_of(enum refusal refusal)
{
    if (refusal == REFUSAL_yourself)
        return CLOSE_wrong_id;
    return refusal == REFUSAL_unsealed ? CLOSE_bad_handshake : CLOSE_refused;
}

bool transport_answer(transport_t *self, struct peer_link *link, struct slice message,
                      const struct turn *turn)
{
    struct reason why = {""};
    if (handshake_read_answer(link->handshake, message, &why)) {
        transport_drop(self, link, reason_of(handshake_refusal(link->handshake)), &why, turn);
        return false;
    }
    /* the first record says nothing but that it can be made: the acknowledgement (lesson K3) */
    if (!start_session(self, link) ||
        session_seal(link->session, slice_of(NULL, 0), false, &link->out) != 0) {
        transport_drop(self, link, CLOSE_local_fault, NULL, turn);
        return false;
    }
    links_unsent(&self->links, link, true);
    return tell_opened(self, link, turn);
}

bool transport_first_record(transport_t *self, struct peer_link *link, struct slice record,
                            const struct turn *turn)
{
    struct reason why = {""};
    struct slice plain;
    bool last = false;
    if (session_open(link->session, record, self->plain, &plain, &last, &why) || last) {
        transport_drop(self, link, last ? CLOSE_goodbye : CLOSE_bad_handshake, &why, turn);
        return false;
    }
    buffer_append_slice(&link->first, plain);
    if (buffer_failed(&link->first) || !links_name(&self->links, link, self->next_number)) {
        transport_drop(self, link, CLOSE_local_fault, NULL, turn);
        return false;
    }
    link->counted = false;
    strangers_left(&self->strangers, link->prefix);
    self->next_number += 2;
    return tell_opened(self, link, turn);
}

/* --- how it failed ----------------------------------------------------------------------- */

enum close_reason transport_closed_reason(const struct peer_link *link, const char **text)
{
    switch (link->state) {
    case LINK_dialling:
        return CLOSE_unreachable;
    case LINK_asking: /* a node cannot open what was sealed for another, and says nothing */
        *text = "closed without an answer: another node than the one dialled, or no node of weir";
        return CLOSE_wrong_id;
    case LINK_stranger:
    case LINK_answered:
        return CLOSE_bad_handshake;
    case LINK_opened:
    case LINK_live:
    case LINK_leaving:
    case LINK_STATE_COUNT:
        break;
    }
    return CLOSE_closed;
}

enum close_reason transport_slow_reason(const struct peer_link *link)
{
    return link->state == LINK_dialling ? CLOSE_unreachable : CLOSE_slow_handshake;
}
