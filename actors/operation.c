#include "actors/operation.h"

#include "base/trace.h"

#include <stdlib.h>

operation_t *operation_new(const struct operation_options *options)
{
    operation_t *self = (operation_t *)calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->networked = options->networked;
    transactions_init(&self->transactions);
    relays_init(&self->relays, options->life);
    heard_init(&self->heard, options->started_ms);
    ring_view_init(&self->ring, &options->id);
    self->ring.leaf = options->leaf;
    return self;
}

void operation_destroy(operation_t **self)
{
    if (!*self)
        return;
    transactions_free(&(*self)->transactions);
    relays_free(&(*self)->relays);
    heard_free(&(*self)->heard);
    ring_view_free(&(*self)->ring);
    free(*self);
    *self = NULL;
}

/* --- clients ----------------------------------------------------------------------------- */

void operation_refuse(struct request *request, int code, struct outbox *out)
{
    request->code = code;
    send_to(out, ACTOR_client_api, MESSAGE_REPLY, &request->head);
}

bool operation_open(operation_t *self, struct request *request, struct now now, struct outbox *out)
{
    if (transactions_open(&self->transactions, request, now.ms))
        return true;
    int code = fail(&request->why, ERR_BUSY, "%u operations are open; try again", OPEN_MAX);
    operation_refuse(request, code, out);
    return false;
}

void operation_keep(const struct contract_key *key, struct outbox *out)
{
    send_watch(out, ACTOR_hosting, MESSAGE_KEPT, key, true);
}

void operation_pass(struct request *request, enum actor_id to, enum message_kind kind,
                    struct outbox *out)
{
    request->asked_by = out->from;
    request->code = 0;
    send_to(out, to, kind, &request->head);
}

void operation_finish(operation_t *self, struct request *request, struct outbox *out)
{
    struct message *message = &request->head;
    if (transactions_close(&self->transactions, request))
        send_to(out, ACTOR_client_api, MESSAGE_REPLY, message);
    else
        message_free(&message);
}

void operation_nobody_live(const operation_t *self, struct request *request)
{
    if (self->networked)
        request->code = fail(&request->why, ERR_NO_LIVE_PEER,
                             "the contract is not here, and no peer is live to ask");
    else
        request->code = ERR_NOT_FOUND;
}

/* --- peers ------------------------------------------------------------------------------- */

void operation_on_live(operation_t *self, const struct peer_live *live)
{
    if (ring_view_add(&self->ring, live->number, &live->id, live->leaf) != 0)
        trace(TRACE_warn, "out of memory: peer %llu is not asked for contracts",
              (unsigned long long)live->number);
}

void operation_on_arrival(operation_t *self, const struct peer_live *live, operation_move_fn *move,
                          struct now now, struct outbox *out)
{
    operation_on_live(self, live);
    for (peer_t from; (from = moves_arrived(&self->moves, &live->id));) {
        uint32_t at = 0;
        for (struct relay *row = relays_each(&self->relays, &at); row;
             row = relays_each(&self->relays, &at))
            move(self, row, from, live, now, out);
    }
}

void operation_on_silent(operation_t *self, const struct peer_silent *silent)
{
    ring_view_silence(&self->ring, silent->number, silent->silent);
}

void operation_on_gone(operation_t *self, const struct peer_order *gone)
{
    ring_view_remove(&self->ring, gone->number);
}

static void close_asked(operation_t *self, peer_t asker, bool edits)
{
    uint32_t at = 0;
    for (struct relay *row = relays_each(&self->relays, &at); row;
         row = relays_each(&self->relays, &at))
        if (row->asker == asker && (edits || !row->edit))
            relays_close(&self->relays, row);
}

static void end_peer(operation_t *self, peer_t peer, operation_end_fn *end, struct now now,
                     struct outbox *out)
{
    uint32_t at = 0;
    close_asked(self, peer, true);
    for (struct relay *row = relays_each(&self->relays, &at); row;
         row = relays_each(&self->relays, &at))
        end(self, row, peer, now, out);
}

void operation_on_departure(operation_t *self, const struct peer_order *gone, operation_end_fn *end,
                            struct now now, struct outbox *out)
{
    bool moves = moves_note(&self->moves, &self->ring, gone, now.ms);
    operation_on_gone(self, gone);
    if (moves)
        close_asked(self, gone->number, false);
    else
        end_peer(self, gone->number, end, now, out);
}

void operation_end_moves(operation_t *self, operation_end_fn *end, struct now now,
                         struct outbox *out)
{
    for (peer_t lost; (lost = moves_lost(&self->moves, now.ms));)
        end_peer(self, lost, end, now, out);
}

uint8_t operation_code_to_wire(int code)
{
    return (uint8_t)(code < ERR_LAST_ON_WIRE ? -ERR_INTERNAL : -code);
}

int operation_code_from_wire(uint8_t code, struct slice sentence, struct reason *why)
{
    int error = code > -ERR_LAST_ON_WIRE ? ERR_INTERNAL : -code;
    size_t size = sentence.size < sizeof why->text ? sentence.size : sizeof why->text - 1;
    for (size_t i = 0; i < size; i++) { /* a terminal may show it */
        uint8_t c = sentence.data[i];
        why->text[i] = c < ' ' || c == 0x7f ? '?' : (char)c;
    }
    why->text[size] = '\0';
    return error;
}

uint64_t operation_deadline_of(uint32_t left_ms, struct now now)
{
    return now.ms + (left_ms < OPERATION_TIMEOUT_MS ? left_ms : OPERATION_TIMEOUT_MS);
}

/* --- time -------------------------------------------------------------------------------- */

uint64_t operation_deadline_ms(const void *actor)
{
    const operation_t *self = (const operation_t *)actor;
    uint64_t clients = transactions_deadline_ms(&self->transactions);
    uint64_t moves = moves_deadline_ms(&self->moves);
    uint64_t first = clients < self->relays.deadline_ms ? clients : self->relays.deadline_ms;
    return first < moves ? first : moves;
}

void operation_tick(void *self, struct now now, struct outbox *out)
{
    transactions_expire(&((operation_t *)self)->transactions, now.ms, out);
}
