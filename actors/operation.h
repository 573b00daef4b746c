/* operation: what PUT, GET and UPDATE share: an actor that holds open transactions, hands a
 * client's request to storage, and answers when it comes back. Between nodes (later) the same three
 * steps ask a live peer where storage has nothing. */
#ifndef WEIR_ACTORS_OPERATION_H
#define WEIR_ACTORS_OPERATION_H

#include "actors/transactions.h"

typedef struct operation operation_t;

operation_t *operation_new(void);
void operation_destroy(operation_t **self);

/* Opens a transaction and sends the request to storage as `kind`; answers BUSY when it cannot. */
void operation_start(operation_t *self, struct request *request, enum message_kind kind,
                     struct now now, struct outbox *out);

/* The request is back from storage: answers the client, unless its time was up before. */
void operation_finish(operation_t *self, struct request *request, struct outbox *out);

/* Answers the client with an error. */
void operation_refuse(struct request *request, int code, struct outbox *out);

/* For the actors' rows. */
uint64_t operation_deadline_ms(const void *self);
void operation_tick(void *self, struct now now, struct outbox *out);

extern const struct actor_spec put_spec, get_spec, update_spec;

#endif
