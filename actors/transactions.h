/* transactions: the open operations of one actor, each with a deadline. An operation's request
 * travels (its owner is whoever works on it); what stays here is enough to answer the client when
 * the time is up. All deadlines of a table are the same time away, so the oldest is the next. */
#ifndef WEIR_ACTORS_TRANSACTIONS_H
#define WEIR_ACTORS_TRANSACTIONS_H

#include "actors/actor.h"

struct transactions {
    struct transaction *rows;
    uint32_t capacity, open;
    uint32_t free_first;     /* list of free rows */
    uint32_t oldest, newest; /* list in order of opening */
};

void transactions_init(struct transactions *self);
void transactions_free(struct transactions *self);

/* Opens one for the request and writes its number there. False past OPEN_MAX or without memory. */
bool transactions_open(struct transactions *self, struct request *request, uint64_t now_ms);

/* Closes the request's transaction. False when it was closed before (its time was up): the client
 * has been answered then. */
bool transactions_close(struct transactions *self, const struct request *request);

/* The next deadline, or NEVER. */
uint64_t transactions_deadline_ms(const struct transactions *self);

/* Answers TIMEOUT to every client whose time is up. */
void transactions_expire(struct transactions *self, uint64_t now_ms, struct outbox *out);

#endif
