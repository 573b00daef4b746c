/* subscribe_state: what a subscribe_t is, for the files that make it up: subscribe.c (clients, and
 * telling changes to all followers) and subscribe_peers.c (followers that are peers). */
#ifndef WEIR_ACTORS_SUBSCRIBE_STATE_H
#define WEIR_ACTORS_SUBSCRIBE_STATE_H

#include "actors/subscribe.h"
#include "actors/subscriptions.h"
#include "actors/transactions.h"

struct subscribe {
    struct transactions transactions;
    struct subscriptions table;
    bool networked;       /* knows, or has known, of other nodes */
    size_t peers;         /* live */
    uint64_t retry_at_ms; /* for whole states that could not be read; NEVER: none */
};

/* Finds or makes a subscription; the first of a contract begins the watch, before anything is read,
 * so that no change falls between the two. Errors as subscriptions_add. */
MUST_USE int subscribe_follow(subscribe_t *self, client_t client, const struct contract_key *key,
                              struct subscription **sub, struct outbox *out, struct reason *why);

/* Takes one subscription away; the last of a contract ends the watch. */
void subscribe_forget(subscribe_t *self, struct subscription *sub, struct outbox *out);

/* What waited is given, if the follower can take it. */
void subscribe_give_waiting(subscribe_t *self, struct subscription *sub, struct outbox *out);

/* --- peers ------------------------------------------------------------------------------- */

/* One more is live. */
void subscribe_on_live(subscribe_t *self, struct outbox *out);

/* Hosting wants this peer told of changes, or no more. */
void subscribe_on_follow(subscribe_t *self, const struct follow *follow, struct outbox *out);

/* It missed more than is kept: the two nodes sync. What changes from here on is told again. */
void subscribe_fell_behind(subscribe_t *self, struct subscription *sub, struct outbox *out);

#endif
