/* Bytes in: cut into messages and records, opened, cut into mail. One buffer serves all
 * connections; a connection keeps only what is not whole yet. */
#include "actors/transport_state.h"

#include <stdlib.h>

/* Who handles each kind of message. */
static const enum actor_id mail_to[PEER_KIND_COUNT] = {
#define P(kind, fields, actor) [PEER_##kind] = ACTOR_##actor,
    PEER_MESSAGES(P)
#undef P
};

/* --- records ----------------------------------------------------------------------------- */

/* One message of a live peer; its bytes lie in the record, or are owned. */
static int hand_on(struct peer_link *link, const struct lane_message *message, struct reason *why,
                   const struct turn *turn)
{
    struct peer_mail *mail = (struct peer_mail *)message_new(sizeof *mail);
    struct blob *bytes = message->owned ? blob_adopt(message->owned, message->bytes.size)
                                        : blob_new(message->bytes.size);
    int rc = mail && bytes ? 0 : fail(why, ERR_NO_MEMORY, "%s", error_text(ERR_NO_MEMORY));
    if (rc == 0 && !message->owned)
        memcpy(bytes->data, message->bytes.data, message->bytes.size);
    if (rc == 0)
        rc = peer_decode(blob_slice(bytes), &mail->kind, &mail->body, why);
    if (rc) {
        free(mail);
        blob_release(&bytes);
        return rc;
    }
    mail->number = link->number;
    mail->bytes = bytes;
    link->begun_ms[message->lane] = 0;
    mail->window = owed_hold(link->windows[message->lane]);
    mail->counted = message->cost;
    owed_add(mail->window, mail->counted);
    send_to(turn->out, mail_to[mail->kind], MESSAGE_PEER_MAIL, &mail->head);
    return 0;
}

static bool take_frames(transport_t *self, struct peer_link *link, struct slice plain,
                        const struct turn *turn)
{
    struct lane_message message;
    struct reason why = {""};
    int rc = 1;
    while (rc == 1) {
        rc = lanes_take(&link->lanes, &plain, &message, &why);
        if (rc == 1 && (rc = hand_on(link, &message, &why, turn)) == 0)
            rc = 1;
    }
    if (rc == 0) {
        if (lanes_ready(&link->lanes)) /* there was credit in it */
            links_unsent(&self->links, link, true);
        return true;
    }
    transport_drop(self, link, rc == ERR_NO_MEMORY ? CLOSE_local_fault : CLOSE_bad_record, &why,
                   turn);
    return false;
}

/* The far end's last record. What it says is a text for people. */
static void hear_goodbye(transport_t *self, struct peer_link *link, struct slice text,
                         const struct turn *turn)
{
    struct reason why = {""};
    size_t size = text.size < sizeof why.text ? text.size : sizeof why.text - 1;
    for (size_t i = 0; i < size; i++)
        why.text[i] = text.data[i] >= ' ' && text.data[i] <= '~' ? (char)text.data[i] : '?';
    if (link->state == LINK_leaving)
        transport_drop(self, link, link->reason, &link->why, turn);
    else
        transport_drop(self, link, goodbye_reason(text), &why, turn);
}

/* Whether more may be read of it: a link that was just opened waits for connections, one whose
 * control mail is not freed for that. */
static bool reads(struct peer_link *link)
{
    return link->state != LINK_opened && !link->paused;
}

static bool take_record(transport_t *self, struct peer_link *link, struct slice record,
                        const struct turn *turn)
{
    struct reason why = {""};
    struct slice plain;
    bool last = false;
    if (session_open(link->session, record, self->plain, &plain, &last, &why)) {
        transport_drop(self, link, CLOSE_bad_record, &why, turn); /* lesson K4 */
        return false;
    }
    link->traffic->heard_ms = turn->now.ms;
    link->traffic->awaits_ms = 0;
    if (last) {
        hear_goodbye(self, link, plain, turn);
        return false;
    }
    if (link->state == LINK_leaving)
        return true;
    return take_frames(self, link, plain, turn) && transport_watch(self, link, turn);
}

/* --- bytes ------------------------------------------------------------------------------- */

static bool ignore(transport_t *self, struct peer_link *link, struct slice message,
                   const struct turn *turn)
{
    (void)self, (void)link, (void)message, (void)turn;
    return true;
}

/* What may come in each state: sizes without the length before it, and who takes it. */
static const struct {
    size_t least, most;
    bool (*take)(transport_t *self, struct peer_link *link, struct slice message,
                 const struct turn *turn);
    enum close_reason otherwise;
} expected[LINK_STATE_COUNT] = {
    [LINK_dialling] = {0, 0, ignore, CLOSE_bad_handshake},
    [LINK_asking] = {1, HANDSHAKE_BYTES_MAX, transport_answer, CLOSE_bad_handshake},
    [LINK_stranger] = {1, HANDSHAKE_BYTES_MAX, transport_first_message, CLOSE_bad_handshake},
    [LINK_answered] = {RECORD_SEALED_BYTES_MIN, FIRST_RECORD_BYTES_MAX, transport_first_record,
                       CLOSE_bad_handshake},
    [LINK_opened] = {0, 0, ignore, CLOSE_bad_record},
    [LINK_live] = {RECORD_SEALED_BYTES_MIN, RECORD_SEALED_BYTES_MAX, take_record, CLOSE_bad_record},
    [LINK_leaving] = {RECORD_SEALED_BYTES_MIN, RECORD_SEALED_BYTES_MAX, take_record,
                      CLOSE_bad_record},
};

/* Takes what is whole; *bytes is what is left. */
static bool take_bytes(transport_t *self, struct peer_link *link, struct slice *bytes,
                       const struct turn *turn)
{
    while (bytes->size >= RECORD_PREFIX_BYTES && reads(link)) {
        if (link->state == LINK_leaving && !link->session) { /* a stranger that was refused */
            bytes->size = 0;
            break;
        }
        size_t size = get_u16(bytes->data);
        if (size < expected[link->state].least || size > expected[link->state].most) {
            transport_drop_text(self, link, expected[link->state].otherwise,
                                "a length that nothing has", turn);
            return false;
        }
        if (size > bytes->size - RECORD_PREFIX_BYTES)
            break;
        struct slice message = slice_of(bytes->data + RECORD_PREFIX_BYTES, size);
        if (!expected[link->state].take(self, link, message, turn))
            return false;
        *bytes = slice_after(*bytes, RECORD_PREFIX_BYTES + size);
    }
    return true;
}

/* What is left stays with the link, in no more memory than it needs. */
static bool keep(struct peer_link *link, struct slice rest)
{
    struct buffer kept = {0};
    if (rest.size)
        buffer_reserve(&kept, rest.size);
    buffer_append_slice(&kept, rest);
    buffer_free(&link->in);
    link->in = kept;
    return !buffer_failed(&kept);
}

static size_t read_more(transport_t *self, struct peer_link *link)
{
    const struct peer_wire *wire = self->options.wire;
    bool is_stranger = link->state < LINK_opened;
    size_t have = link->in.size, most = is_stranger ? STRANGER_READ_BYTES : PEER_READ_BYTES;
    if (have)
        memcpy(self->input, link->in.data, have);
    if (!link->readable || have >= most)
        return have;
    size_t got = wire->read(wire->self, link->connection, self->input + have, most - have);
    link->readable = got > 0;
    if (link->traffic)
        link->traffic->bytes_in += got;
    return have + got;
}

/* One link's turn. *taken: bytes that were read. */
static void read_link(transport_t *self, struct peer_link *link, const struct turn *turn,
                      size_t *taken)
{
    size_t had = link->in.size, size = read_more(self, link);
    struct slice bytes = slice_of(self->input, size);
    *taken += size - had;
    if (!take_bytes(self, link, &bytes, turn))
        return;
    if (!keep(link, bytes)) {
        transport_drop(self, link, CLOSE_local_fault, NULL, turn);
        return;
    }
    if (link->ended && reads(link)) {
        transport_drop_text(self, link, CLOSE_closed, "closed without a goodbye", turn);
        return;
    }
    links_ready(&self->links, link, link->readable && reads(link));
}

bool transport_read(transport_t *self, const struct turn *turn)
{
    size_t taken = 0, count = 0;
    struct peer_link *link;
    self->handshakes_left = HANDSHAKES_A_TURN;
    for (link = self->links.ready; link; link = link->ready_next)
        count++;
    size_t all = count;
    /* Fewer may be left than there were: what one sends may end others (transport_watch). */
    for (; count > 0 && self->links.ready && taken < PEER_READ_TURN_BYTES; count--) {
        link = self->links.ready;
        links_ready(&self->links, link, false);
        if (link->state == LINK_stranger && self->handshakes_left == 0)
            links_ready(&self->links, link, true);
        else
            read_link(self, link, turn, &taken);
    }
    return all > 0;
}

void transport_admit(transport_t *self, struct peer_link *link, const struct turn *turn)
{
    struct buffer first = link->first;
    link->first = (struct buffer){0};
    link->state = LINK_live;
    bool alive = take_frames(self, link, buffer_slice(&first), turn);
    buffer_free(&first);
    if (alive && transport_watch(self, link, turn))
        links_ready(&self->links, link, true);
}
