/* Messages out: into lanes, lanes into records, records to the socket until it takes no more. What
 * is sealed and not taken is at most PEER_WRITE_BYTES, so that a ping never waits for more. */
#include "actors/transport_state.h"

#include "contracts/entries.h"

#include <sodium.h>
#include <stdlib.h>

enum { SMALL_DELTA_BYTES = 8192 }; /* half a record: larger ones go in lane bulk */

static uint64_t queued(const struct peer_link *link)
{
    return link->lanes.waiting_bytes + link_unwritten(link);
}

bool transport_put(transport_t *self, struct peer_link *link, struct slice bytes)
{
    buffer_append_slice(&link->out, bytes);
    links_unsent(&self->links, link, true);
    return !buffer_failed(&link->out);
}

bool transport_queue(transport_t *self, struct peer_link *link, enum lane lane, struct blob *bytes,
                     struct peer_send *tell)
{
    struct sending *sending = (struct sending *)calloc(1, sizeof *sending);
    if (!sending) {
        blob_release(&bytes);
        return false;
    }
    sending->item.bytes = bytes;
    sending->tell = tell;
    lanes_queue(&link->lanes, lane, &sending->item);
    link->traffic->queue = queued(link);
    links_unsent(&self->links, link, true);
    return true;
}

/* --- what is to be sent ------------------------------------------------------------------ */

static bool is_peer(const struct peer_link *link)
{
    return link && (link->state == LINK_opened || link->state == LINK_live);
}

/* It is told something: connections looks whether it says anything then. Pings are no such thing,
 * or two nodes that have nothing to say would ping each other on and on. */
static void expect_word(const struct peer_link *link, enum lane lane, const struct turn *turn)
{
    struct peer_traffic *traffic = link->traffic;
    if (lane == LANE_control)
        return;
    if (!traffic->awaits_ms)
        traffic->awaits_ms = turn->now.ms ? turn->now.ms : 1;
    struct peer_order *spoken =
        traffic->watched ? NULL : (struct peer_order *)message_new(sizeof *spoken);
    if (!spoken)
        return; /* without memory: the next message tells */
    traffic->watched = true;
    spoken->number = link->number;
    send_to(turn->out, ACTOR_connections, MESSAGE_SPOKEN_TO, &spoken->head);
}

/* Nothing is sent: back to whom it concerns, or freed. */
static void give_back(struct peer_send *send, const struct turn *turn)
{
    struct message *message = &send->head;
    blob_release(&send->bytes);
    if (send->tell)
        send_to(turn->out, (enum actor_id)message->from, MESSAGE_PEER_SENT, message);
    else
        message_free(&message);
}

void transport_send(transport_t *self, struct peer_send *send, const struct turn *turn)
{
    struct peer_link *link = links_find(&self->links, send->number);
    if (!is_peer(link)) {
        give_back(send, turn);
        return;
    }
    struct blob *bytes = send->bytes;
    struct peer_send *tell = send->tell ? send : NULL;
    enum lane lane = send->lane;
    send->bytes = NULL;
    if (!transport_queue(self, link, lane, bytes, tell)) {
        give_back(send, turn);
        transport_drop(self, link, CLOSE_local_fault, NULL, turn);
        return;
    }
    expect_word(link, lane, turn);
    struct message *message = tell ? NULL : &send->head;
    message_free(&message);
    if (link->lanes.waiting_bytes > PEER_QUEUE_CEILING) {
        const struct reason why = {"it does not take what it asked for"};
        (void)transport_goodbye(self, link, CLOSE_misbehaved, &why, turn);
    }
}

/* One piece of a delta: whole entries, at most PEER_PIECE_BYTES unless one entry is larger. */
static struct slice next_piece(struct slice *rest)
{
    struct slice all = *rest;
    struct entry entry;
    while (rest->size) {
        struct slice before = *rest;
        if (entry_take(rest, &entry))
            *rest = slice_after(before, before.size); /* not ours to judge: goes as it is */
        if (all.size - rest->size > PEER_PIECE_BYTES && before.size != all.size) {
            *rest = before;
            break;
        }
    }
    return slice_of(all.data, all.size - rest->size);
}

static bool queue_delta(transport_t *self, struct peer_link *link, const struct notify *notify)
{
    struct slice rest = notify->delta;
    bool whole = true;
    while (rest.size && whole) {
        struct peer_delta delta = {.entries = next_piece(&rest)};
        memcpy(delta.key, notify->key.bytes, sizeof delta.key);
        struct buffer bytes = {0};
        int rc = peer_encode(PEER_DELTA, &delta, &bytes);
        size_t size = bytes.size;
        struct blob *blob = rc ? NULL : blob_adopt(buffer_steal(&bytes), size);
        buffer_free(&bytes);
        whole =
            blob && transport_queue(self, link, size <= SMALL_DELTA_BYTES ? LANE_small : LANE_bulk,
                                    blob, NULL);
    }
    return whole;
}

/* A delta for a peer that follows a contract. One that is behind gets nothing more to queue: it
 * goes back and is merged with those that follow (lesson C3). */
void transport_notify(transport_t *self, struct notify *notify, const struct turn *turn)
{
    struct message *message = &notify->head;
    struct peer_link *link = links_find(&self->links, notify->client & ~FOLLOWER_PEER);
    if (is_peer(link) && (link->behind || queued(link) > PEER_QUEUE_BYTES_MAX)) {
        link->behind = true;
        send_to(turn->out, ACTOR_subscribe, MESSAGE_NOTIFY_BACK, message);
        return;
    }
    /* without memory a delta would be lost: the next connection begins with a sync */
    if (is_peer(link) && !queue_delta(self, link, notify))
        transport_drop(self, link, CLOSE_local_fault, NULL, turn);
    else if (is_peer(link))
        expect_word(link, LANE_small, turn);
    message_free(&message);
}

static void tell_ready(struct peer_link *link, const struct turn *turn)
{
    struct client *ready = (struct client *)message_new(sizeof *ready);
    if (!ready)
        return; /* asked again at the next write */
    link->behind = false;
    ready->client = FOLLOWER_PEER | link->number;
    send_to(turn->out, ACTOR_subscribe, MESSAGE_CLIENT_READY, &ready->head);
}

/* --- to the socket ----------------------------------------------------------------------- */

/* The messages whose last byte is in the record just sealed. */
static void sealed_messages(struct peer_link *link, struct lane_item *done, uint64_t sealed_at)
{
    for (struct lane_item *next; done; done = next) {
        struct sending *sending = (struct sending *)(void *)done;
        next = done->next;
        blob_release(&done->bytes);
        if (!sending->tell) {
            free(sending);
            continue;
        }
        sending->sealed_at = sealed_at;
        done->next = NULL;
        *link->told_last = done;
        link->told_last = &done->next;
    }
}

static void tell_written(struct peer_link *link, const struct turn *turn)
{
    while (link->told) {
        struct lane_item *first = link->told;
        if (((struct sending *)(void *)first)->sealed_at > link->written)
            return;
        link->told = first->next;
        first->next = NULL;
        if (!link->told)
            link->told_last = &link->told;
        transport_return(first, turn);
    }
}

/* Seals records of what waits, up to PEER_WRITE_BYTES, into self->sealed. All sealed before them is
 * written. */
static bool seal_waiting(transport_t *self, struct peer_link *link)
{
    buffer_clear(&self->sealed);
    while (self->sealed.size < PEER_WRITE_BYTES && lanes_ready(&link->lanes)) {
        struct lane_item *done = NULL;
        size_t size = lanes_fill(&link->lanes, self->plain, sizeof self->plain, &done);
        int rc = session_seal(link->session, slice_of(self->plain, size), false, &self->sealed);
        sealed_messages(link, done, link->written + self->sealed.size);
        if (rc)
            return false;
    }
    return true;
}

static size_t write_bytes(transport_t *self, struct peer_link *link, struct slice bytes)
{
    const struct peer_wire *wire = self->options.wire;
    size_t taken = wire->write(wire->self, link->connection, bytes);
    link->full = taken < bytes.size;
    link->written += taken;
    if (link->traffic)
        link->traffic->bytes_out += taken;
    return taken;
}

/* What was sealed before and not taken. */
static void write_rest(transport_t *self, struct peer_link *link)
{
    struct slice rest = slice_after(buffer_slice(&link->out), link->out_from);
    link->out_from += write_bytes(self, link, rest);
    if (link->out_from < link->out.size)
        return;
    buffer_free(&link->out);
    link->out_from = 0;
}

/* Until the socket is full, nothing waits, or the turn is over. False: without memory. */
static bool write_link(transport_t *self, struct peer_link *link)
{
    size_t done = 0;
    while (!link->full) {
        if (link_unwritten(link))
            write_rest(self, link);
        if (link->full || !is_peer(link) || !lanes_ready(&link->lanes))
            return true;
        if (done >= PEER_WRITE_TURN_BYTES) {
            self->more_to_write = true;
            return true;
        }
        if (!seal_waiting(self, link))
            return false;
        done += self->sealed.size;
        size_t taken = write_bytes(self, link, buffer_slice(&self->sealed));
        if (taken < self->sealed.size &&
            !transport_put(self, link, slice_after(buffer_slice(&self->sealed), taken)))
            return false;
    }
    return true;
}

void transport_write(transport_t *self, const struct turn *turn)
{
    struct peer_link *last = self->links.unsent ? self->links.unsent->unsent_previous : NULL;
    self->more_to_write = false;
    for (struct peer_link *link = self->links.unsent, *next; link; link = next) {
        next = link == last ? NULL : link->unsent_next;
        if (link->state == LINK_dialling)
            continue;
        bool whole = write_link(self, link);
        if (!whole) {
            transport_drop(self, link, CLOSE_local_fault, NULL, turn);
            continue;
        }
        tell_written(link, turn);
        if (link->traffic)
            link->traffic->queue = queued(link);
        if (link->behind && queued(link) < PEER_QUEUE_BYTES_MAX / 2)
            tell_ready(link, turn);
        bool more =
            !link->full && (link_unwritten(link) || (is_peer(link) && lanes_ready(&link->lanes)));
        links_unsent(&self->links, link, more);
    }
}

/* --- goodbye ----------------------------------------------------------------------------- */

bool transport_goodbye(transport_t *self, struct peer_link *link, enum close_reason reason,
                       const struct reason *why, const struct turn *turn)
{
    struct reason text = {""};
    (void)fail(&text, 0, "%s: %s", close_reasons[reason].name,
               why->text[0] ? why->text : close_reasons[reason].text);
    transport_return(link_take_back(link), turn);
    link->state = LINK_leaving;
    link->behind = false;
    link->reason = reason;
    link->why = *why;
    if (session_seal(link->session, slice_text(text.text), true, &link->out)) {
        transport_drop(self, link, reason, why, turn);
        return false;
    }
    links_unsent(&self->links, link, true);
    links_ready(&self->links, link, true);
    transport_deadline(self, link, turn->now.ms + GOODBYE_MS);
    return true;
}
