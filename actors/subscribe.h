/* subscribe: who follows which contract, and what each follower has been given.
 *
 *   takes SUBSCRIBE (client_api), READ_DONE, CHANGED (storage), NOTIFY_BACK, CLIENT_READY,
 * CLIENT_GONE (client_api); gives READ, WATCH (storage), REPLY, NOTIFY (client_api)
 *
 *            SUBSCRIBE              READ_DONE                 NOTIFY_BACK
 *   (none) ————————————→ reading ————————————→ following ————————————————→ waiting
 *                           ↑   waiting too long: the whole state is read     │
 *                           └—————————————————————————————————————————————————┘ CLIENT_READY
 *
 * A follower that does not read costs no queue: the changes that wait for it are merged into one
 * delta, and when that grows past its limit it is dropped and the whole state is read instead (a
 * state is a delta). While a subscription reads, changes wait in the same way. */
#ifndef WEIR_ACTORS_SUBSCRIBE_H
#define WEIR_ACTORS_SUBSCRIBE_H

#include "actors/transactions.h"

typedef struct subscribe subscribe_t;
subscribe_t *subscribe_new(void);
void subscribe_destroy(subscribe_t **self);
extern const struct actor_spec subscribe_spec;

#endif
