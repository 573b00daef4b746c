#include "actors/transactions.h"

#include <stdlib.h>

enum { NO_ROW = UINT32_MAX };

struct transaction {
    uint64_t number; /* generation << 32 | row; 0 while free */
    uint32_t generation;
    uint32_t older, newer; /* free rows: newer is the next free one */
    uint64_t deadline_ms;
    client_t client;
    uint8_t id[REQUEST_ID_BYTES_MAX];
    uint8_t id_size;
    enum verb verb;
    uint64_t admitted_bytes;
};

void transactions_init(struct transactions *self)
{
    *self = (struct transactions){.free_first = NO_ROW, .oldest = NO_ROW, .newest = NO_ROW};
}

void transactions_free(struct transactions *self)
{
    free(self->rows);
    transactions_init(self);
}

static bool grow(struct transactions *self)
{
    uint32_t capacity = self->capacity ? self->capacity * 2 : 64;
    if (capacity > 2 * OPEN_MAX)
        return false;
    struct transaction *rows =
        (struct transaction *)realloc(self->rows, capacity * sizeof(struct transaction));
    if (!rows)
        return false;
    self->rows = rows;
    for (uint32_t i = capacity; i-- > self->capacity;) {
        rows[i] = (struct transaction){.newer = self->free_first};
        self->free_first = i;
    }
    self->capacity = capacity;
    return true;
}

bool transactions_open(struct transactions *self, struct request *request, uint64_t now_ms)
{
    if (self->free_first == NO_ROW && !grow(self))
        return false;
    uint32_t at = self->free_first;
    struct transaction *row = &self->rows[at];
    self->free_first = row->newer;
    row->generation++;
    row->number = (uint64_t)row->generation << 32 | at;
    row->deadline_ms = now_ms + OPERATION_TIMEOUT_MS;
    request->deadline_ms = row->deadline_ms;
    row->client = request->client;
    memcpy(row->id, request->id, sizeof row->id);
    row->id_size = request->id_size;
    row->verb = request->verb;
    row->admitted_bytes = request->admitted_bytes;
    row->newer = NO_ROW;
    row->older = self->newest;
    if (self->newest != NO_ROW)
        self->rows[self->newest].newer = at;
    else
        self->oldest = at;
    self->newest = at;
    self->open++;
    request->transaction = row->number;
    return true;
}

static void close_row(struct transactions *self, uint32_t at)
{
    struct transaction *row = &self->rows[at];
    if (row->older != NO_ROW)
        self->rows[row->older].newer = row->newer;
    else
        self->oldest = row->newer;
    if (row->newer != NO_ROW)
        self->rows[row->newer].older = row->older;
    else
        self->newest = row->older;
    row->number = 0;
    row->newer = self->free_first;
    self->free_first = at;
    self->open--;
}

bool transactions_close(struct transactions *self, const struct request *request)
{
    uint32_t at = (uint32_t)request->transaction;
    if (at >= self->capacity || self->rows[at].number != request->transaction)
        return false;
    close_row(self, at);
    return true;
}

uint64_t transactions_deadline_ms(const struct transactions *self)
{
    return self->oldest == NO_ROW ? NEVER : self->rows[self->oldest].deadline_ms;
}

void transactions_expire(struct transactions *self, uint64_t now_ms, struct outbox *out)
{
    while (self->oldest != NO_ROW && self->rows[self->oldest].deadline_ms <= now_ms) {
        const struct transaction *row = &self->rows[self->oldest];
        struct request *reply = (struct request *)message_new(sizeof *reply);
        if (!reply)
            return; /* at the next tick */
        reply->client = row->client;
        memcpy(reply->id, row->id, sizeof reply->id);
        reply->id_size = row->id_size;
        reply->verb = row->verb;
        reply->admitted_bytes = row->admitted_bytes;
        reply->code = fail(&reply->why, ERR_TIMEOUT,
                           "no answer from the store in %u s; a change may still be made",
                           OPERATION_TIMEOUT_MS / 1000);
        close_row(self, self->oldest);
        send_to(out, ACTOR_client_api, MESSAGE_REPLY, &reply->head);
    }
}
