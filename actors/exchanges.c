#include "actors/exchanges.h"

#include "contracts/sync_tally.h"

#include <stdlib.h>
#include <utlist.h>

static struct exchange_key key_of(peer_t peer, const struct contract_key *contract,
                                  bool opened_here)
{
    struct exchange_key key;
    memset(&key, 0, sizeof key); /* what is between the members is hashed too */
    key.peer = peer;
    key.contract = *contract;
    key.opened_here = opened_here;
    return key;
}

struct exchange *exchanges_find(const struct exchanges *self, peer_t peer,
                                const struct contract_key *contract, bool opened_here)
{
    struct exchange_key key = key_of(peer, contract, opened_here);
    struct exchange *row;
    HASH_FIND(hh, self->rows, &key, sizeof key, row);
    return row;
}

struct exchange *exchanges_numbered(const struct exchanges *self, uint64_t number)
{
    struct exchange *row;
    HASH_FIND(by_number, self->numbers, &number, sizeof number, row);
    return row;
}

static struct exchange_peer *peer_of(const struct exchanges *self, peer_t number)
{
    struct exchange_peer *peer;
    HASH_FIND(hh, self->peers, &number, sizeof number, peer);
    return peer;
}

/* Counts one more that the peer began. False: it has begun too many, or there is no memory. */
static bool count_answered(struct exchanges *self, peer_t number)
{
    struct exchange_peer *peer = peer_of(self, number);
    if (peer)
        return peer->answered < SYNCS_A_PEER_MAX && ++peer->answered;
    peer = (struct exchange_peer *)calloc(1, sizeof *peer);
    if (!peer)
        return false;
    peer->number = number;
    peer->answered = 1;
    HASH_ADD(hh, self->peers, number, sizeof peer->number, peer);
    if (HASH_TOOK(hh, peer))
        return true;
    free(peer);
    return false;
}

static void uncount_answered(struct exchanges *self, peer_t number)
{
    struct exchange_peer *peer = peer_of(self, number);
    if (!peer || --peer->answered)
        return;
    HASH_DEL(self->peers, peer);
    free(peer);
}

/* --- room for walks ---------------------------------------------------------------------- */

/* One range may be answered by SYNC_PARTS_MAX, which are gathered first. */
static uint64_t cost_of(size_t body_bytes)
{
    uint64_t answer = (uint64_t)body_bytes * SYNC_PARTS_MAX;
    if (answer > SYNC_BODY_BYTES_MAX)
        answer = SYNC_BODY_BYTES_MAX;
    return body_bytes + answer + SYNC_PARTS_MAX * sizeof(struct sync_part) + PEER_PIECE_BYTES;
}

/* The row waits, and so does its peer, in line with others that have rows that wait. */
static void queue(struct exchanges *self, struct exchange_peer *peer, struct exchange *row)
{
    row->queued = true;
    self->queued++;
    if (!peer->queue)
        DL_APPEND2(self->line, peer, line_previous, line_next);
    DL_APPEND2(peer->queue, row, queue_previous, queue_next);
}

static void unqueue(struct exchanges *self, struct exchange_peer *peer, struct exchange *row)
{
    row->queued = false;
    self->queued--;
    DL_DELETE2(peer->queue, row, queue_previous, queue_next);
    if (!peer->queue)
        DL_DELETE2(self->line, peer, line_previous, line_next);
}

bool exchanges_charge(struct exchanges *self, struct exchange *row, size_t body_bytes)
{
    struct exchange_peer *peer = row->key.opened_here ? NULL : peer_of(self, row->key.peer);
    uint64_t cost = cost_of(body_bytes);
    if (!peer || row->queued || row->walk_bytes)
        return !row->queued;
    if (cost > SYNCS_ANSWERED_BYTES_MAX - self->walk_bytes ||
        cost > SYNCS_A_PEER_BYTES_MAX - peer->walk_bytes) {
        queue(self, peer, row);
        return false;
    }
    row->walk_bytes = cost;
    peer->walk_bytes += cost;
    self->walk_bytes += cost;
    return true;
}

void exchanges_discharge(struct exchanges *self, struct exchange *row)
{
    struct exchange_peer *peer = row->walk_bytes ? peer_of(self, row->key.peer) : NULL;
    if (!peer)
        return;
    peer->walk_bytes -= row->walk_bytes;
    self->walk_bytes -= row->walk_bytes;
    row->walk_bytes = 0;
}

/* Peers in turn: who gets one goes to the end of the line. */
struct exchange *exchanges_waiting(struct exchanges *self)
{
    for (struct exchange_peer *peer = self->line; peer; peer = peer->line_next) {
        struct exchange *row = peer->queue;
        uint64_t cost = cost_of(row->body->body.sync.body.size);
        if (cost > SYNCS_A_PEER_BYTES_MAX - peer->walk_bytes ||
            cost > SYNCS_ANSWERED_BYTES_MAX - self->walk_bytes)
            continue;
        unqueue(self, peer, row);
        if (peer->queue) {
            DL_DELETE2(self->line, peer, line_previous, line_next);
            DL_APPEND2(self->line, peer, line_previous, line_next);
        }
        return row;
    }
    return NULL;
}

/* --- rows -------------------------------------------------------------------------------- */

/* To both tables, or to none. */
static bool add_row(struct exchanges *self, struct exchange *row)
{
    HASH_ADD(hh, self->rows, key, sizeof row->key, row);
    if (!HASH_TOOK(hh, row))
        return false;
    HASH_ADD(by_number, self->numbers, number, sizeof row->number, row);
    if (HASH_TOOK(by_number, row))
        return true;
    HASH_DELETE(hh, self->rows, row);
    return false;
}

struct exchange *exchanges_add(struct exchanges *self, peer_t peer,
                               const struct contract_key *contract, bool opened_here)
{
    size_t answered = HASH_COUNT(self->rows) - self->opened_here;
    if (opened_here ? self->opened_here >= SYNCS_MAX : answered >= SYNCS_ANSWERED_MAX)
        return NULL;
    struct exchange *row = (struct exchange *)calloc(1, sizeof *row);
    if (!row || (!opened_here && !count_answered(self, peer))) {
        free(row);
        return NULL;
    }
    row->key = key_of(peer, contract, opened_here);
    row->number = ++self->last_number;
    if (!add_row(self, row)) {
        if (!opened_here)
            uncount_answered(self, peer);
        free(row);
        return NULL;
    }
    self->opened_here += opened_here;
    return row;
}

void exchanges_remove(struct exchanges *self, struct exchange *row)
{
    struct message *owned[] = {row->order ? &row->order->head : NULL,
                               row->walk ? &row->walk->head : NULL,
                               row->body ? &row->body->head : NULL};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        message_free(&owned[i]);
    self->opened_here -= row->key.opened_here;
    exchanges_discharge(self, row);
    if (row->queued)
        unqueue(self, peer_of(self, row->key.peer), row);
    if (!row->key.opened_here)
        uncount_answered(self, row->key.peer);
    HASH_DELETE(hh, self->rows, row);
    HASH_DELETE(by_number, self->numbers, row);
    free(row);
}
