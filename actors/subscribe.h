/* subscribe: who follows which contract, and what each follower has been given.
 *
 *   takes SUBSCRIBE (client_api), READ_DONE, CHANGED (storage), NOTIFY_BACK, CLIENT_READY,
 *   CLIENT_GONE (client_api; the first two of transport too), HOSTED, FOLLOW (hosting), PEER_LIVE,
 *   PEER_GONE; gives READ, WATCH (storage), REPLY, NOTIFY (client_api), HOST, NEEDED (hosting),
 *   NOTIFY (transport), FELL_BEHIND (sync)
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
/* networked: this node knows of others, so a contract that is not here may be elsewhere. */
subscribe_t *subscribe_new(bool networked);
void subscribe_destroy(subscribe_t **self);
extern const struct actor_spec subscribe_spec;

#endif
