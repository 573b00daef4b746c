#include "actors/sync_state.h"

#include <sodium.h>
#include <stdlib.h>

sync_t *sync_new(void)
{
    sync_t *self = (sync_t *)calloc(1, sizeof *self);
    if (self)
        self->next_ms = NEVER;
    return self;
}

void sync_destroy(sync_t **pointer)
{
    sync_t *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    struct exchange *row, *next;
    HASH_ITER (hh, self->table.rows, row, next) {
        exchanges_remove(&self->table, row);
    }
    mail_free(&self->waiting);
    free(self);
}

void sync_heard(sync_t *self, struct exchange *row, struct now now)
{
    row->deadline_ms = now.ms + SYNC_TIMEOUT_MS;
    if (row->deadline_ms < self->next_ms)
        self->next_ms = row->deadline_ms;
}

static void tell_hosting(struct sync_order *order, int code, const char *why, struct outbox *out)
{
    order->code = code;
    (void)fail(&order->why, code, "%s", why ? why : error_text(code));
    send_to(out, ACTOR_hosting, MESSAGE_SYNCED, &order->head);
}

void sync_tell(enum message_kind kind, peer_t peer, const struct contract_key *key,
               struct outbox *out)
{
    struct sync_order *told = (struct sync_order *)message_new(sizeof *told);
    if (!told)
        return;
    told->number = peer;
    told->key = *key;
    send_to(out, ACTOR_hosting, kind, &told->head);
}

static void begin(sync_t *self, peer_t peer, const struct contract_key *key,
                  struct sync_order *order, struct now now, struct outbox *out);

void sync_end(sync_t *self, struct exchange *row, int code, const char *why, struct now now,
              struct outbox *out)
{
    struct sync_order *order = row->order;
    struct exchange_key key = row->key;
    bool again = row->again;
    row->order = NULL;
    exchanges_remove(&self->table, row);
    if (order)
        tell_hosting(order, code, why, out);
    else if (code == 0)
        sync_tell(MESSAGE_FILLED, key.peer, &key.contract, out);
    if (again && code == 0)
        begin(self, key.peer, &key.contract, NULL, now, out);
    struct sync_order *next = (struct sync_order *)mail_pop(&self->waiting);
    if (next)
        begin(self, next->number, &next->key, next, now, out);
}

/* --- walking ----------------------------------------------------------------------------- */

void sync_start_walk(sync_t *self, struct exchange *row, sync_walk_t *read, struct now now,
                     struct outbox *out)
{
    struct walk *walk = read ? (struct walk *)message_new(sizeof *walk) : NULL;
    if (!walk) {
        sync_walk_destroy(&read);
        sync_end(self, row, ERR_NO_MEMORY, NULL, now, out);
        return;
    }
    walk->asked_by = ACTOR_sync;
    walk->key = row->key.contract;
    walk->walk = read;
    walk->tokens[0] = row->number;
    row->walking = true;
    send_to(out, ACTOR_storage, MESSAGE_WALK, &walk->head);
}

static void begin(sync_t *self, peer_t peer, const struct contract_key *key,
                  struct sync_order *order, struct now now, struct outbox *out)
{
    struct exchange *row = exchanges_find(&self->table, peer, key, true);
    if (row) { /* under way: what it may have passed already is for another right after it */
        if (!row->order)
            row->order = order;
        else if (order)
            tell_hosting(order, ERR_BUSY, "a sync of this contract is under way", out);
        row->again = true;
        return;
    }
    row = exchanges_add(&self->table, peer, key, true);
    if (!row && order)
        mail_push(&self->waiting, &order->head);
    if (!row)
        return; /* a peer that fell behind is found by the next comparison of fingerprints */
    row->order = order;
    randombytes_buf(row->salt, sizeof row->salt);
    sync_heard(self, row, now);
    sync_start_walk(self, row, sync_walk_begin(row->salt), now, out);
}

/* What the walk found that the peer lacks. False when it could not be sent. */
static bool send_part(struct exchange *row, struct walk *walk, struct outbox *out)
{
    struct peer_delta delta = {.entries = buffer_slice(&walk->entries)};
    memcpy(delta.key, row->key.contract.bytes, sizeof delta.key);
    struct peer_send *send = peer_send_new(row->key.peer, LANE_bulk, PEER_DELTA, &delta);
    buffer_clear(&walk->entries);
    if (!send)
        return false;
    send->tell = true;
    send->token[0] = row->number;
    row->parts_out++;
    row->sent_entries = true;
    send_to(out, ACTOR_transport, MESSAGE_PEER_SEND, &send->head);
    return true;
}

static bool send_body(struct exchange *row, struct slice body, struct outbox *out)
{
    struct peer_sync sync = {.round = row->round, .body = body};
    memcpy(sync.key, row->key.contract.bytes, sizeof sync.key);
    memcpy(sync.salt, row->salt, sizeof sync.salt);
    return peer_tell(out, row->key.peer, row->sent_entries ? LANE_bulk : LANE_small, PEER_SYNC,
                     &sync);
}

static void on_walked(sync_t *self, struct walk *walk, struct now now, struct outbox *out)
{
    struct message *message = &walk->head;
    struct exchange *row = exchanges_numbered(&self->table, walk->tokens[0]);
    if (!row) {
        message_free(&message);
        return;
    }
    sync_heard(self, row, now);
    if (row->anew) {
        row->anew = row->walking = false;
        exchanges_discharge(&self->table, row);
        message_free(&message);
        sync_answer(self, row, now, out);
        return;
    }
    if (walk->code == ERR_NOT_FOUND)
        peer_leave(out, row->key.peer, &row->key.contract);
    bool sent = walk->code == 0 && (walk->entries.size == 0 || send_part(row, walk, out));
    if (!sent) {
        sync_end(self, row, walk->code ? walk->code : ERR_NO_MEMORY, walk->why.text, now, out);
    } else if (!walk->end && row->parts_out >= SYNC_PARTS_OUT) {
        row->walk = walk; /* goes on at PEER_SENT */
        return;
    } else if (!walk->end) {
        send_to(out, ACTOR_storage, MESSAGE_WALK, message);
        return;
    } else {
        struct slice body = sync_walk_body(walk->walk);
        row->walking = false;
        exchanges_discharge(&self->table, row);
        if (!send_body(row, body, out))
            sync_end(self, row, ERR_NO_MEMORY, NULL, now, out);
        else if (body.size == 0)
            sync_end(self, row, 0, NULL, now, out);
    }
    message_free(&message);
}

static void on_sent(sync_t *self, const struct peer_send *sent, struct now now, struct outbox *out)
{
    struct exchange *row = exchanges_numbered(&self->table, sent->token[0]);
    if (!row)
        return;
    row->parts_out--;
    sync_heard(self, row, now);
    if (!row->walk)
        return;
    send_to(out, ACTOR_storage, MESSAGE_WALK, &row->walk->head);
    row->walk = NULL;
}

static void on_gone(sync_t *self, peer_t peer, struct now now, struct outbox *out)
{
    struct exchange *row, *next;
    struct mail waiting = self->waiting;
    self->waiting = (struct mail){0};
    for (struct message *m = mail_pop(&waiting); m; m = mail_pop(&waiting)) {
        if (((struct sync_order *)m)->number == peer)
            message_free(&m); /* hosting hears of the peer itself */
        else
            mail_push(&self->waiting, m);
    }
    HASH_ITER (hh, self->table.rows, row, next) {
        if (row->key.peer == peer)
            sync_end(self, row, ERR_NO_LIVE_PEER, NULL, now, out);
    }
}

/* --- as an actor ------------------------------------------------------------------------- */

static void handle(sync_t *self, struct message *message, struct now now, struct outbox *out)
{
    switch ((enum message_kind)message->kind) {
    case MESSAGE_SYNC: {
        struct sync_order *order = (struct sync_order *)message;
        begin(self, order->number, &order->key, order, now, out);
        return;
    }
    case MESSAGE_WALKED:
        on_walked(self, (struct walk *)message, now, out);
        return;
    case MESSAGE_PEER_MAIL: {
        struct peer_mail *mail = (struct peer_mail *)message;
        if (mail->kind == PEER_DELTA)
            sync_on_delta(self, mail, out);
        else
            sync_on_body(self, mail, now, out);
        return;
    }
    case MESSAGE_FELL_BEHIND: {
        const struct follow *behind = (const struct follow *)message;
        begin(self, behind->number, &behind->key, NULL, now, out);
        break;
    }
    case MESSAGE_PEER_SENT:
        on_sent(self, (const struct peer_send *)message, now, out);
        break;
    case MESSAGE_MERGED:
        sync_on_merged(self, (const struct request *)message, now, out);
        break;
    case MESSAGE_PEER_GONE:
        on_gone(self, ((const struct peer_order *)message)->number, now, out);
        break;
    default:
        break; /* PEER_LIVE; send_to asserts that nothing else comes */
    }
    message_free(&message);
}

static void receive(void *actor, struct message *message, struct now now, struct outbox *out)
{
    handle((sync_t *)actor, message, now, out);
    sync_go_on((sync_t *)actor, now, out);
}

static uint64_t deadline_ms(const void *actor)
{
    return ((const sync_t *)actor)->next_ms;
}

static void tick(void *actor, struct now now, struct outbox *out)
{
    sync_t *self = (sync_t *)actor;
    if (now.ms < self->next_ms)
        return;
    struct exchange *row, *next;
    HASH_ITER (hh, self->table.rows, row, next) {
        if (row->deadline_ms <= now.ms)
            sync_end(self, row, ERR_TIMEOUT, "the peer does not go on with the sync", now, out);
    }
    sync_go_on(self, now, out);
    self->next_ms = NEVER;
    HASH_ITER (hh, self->table.rows, row, next) {
        if (row->deadline_ms < self->next_ms)
            self->next_ms = row->deadline_ms;
    }
}

const struct actor_spec sync_spec = {
    .id = ACTOR_sync,
    .receive = receive,
    .deadline_ms = deadline_ms,
    .tick = tick,
};
