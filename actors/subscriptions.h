/* subscriptions: the tables of actors/subscribe.c: topics (contracts followed), followers
 * (clients), and the subscriptions between them, each found by either side and by both. Capped by
 * SUBSCRIPTIONS_MAX and CLIENT_SUBSCRIPTIONS_MAX; what waits for slow followers by
 * WAITING_DELTA_BYTES_MAX each and WAITING_DELTAS_BYTES_MAX in all. */
#ifndef WEIR_ACTORS_SUBSCRIPTIONS_H
#define WEIR_ACTORS_SUBSCRIPTIONS_H

#include "actors/messages.h"
#include "base/hash.h"
#include "contracts/state.h"

struct subscription;

struct topic {
    struct contract_key key;
    struct contract contract; /* known after the first reading: kind is NULL before */
    uint8_t *params;          /* owned; contract borrows them */
    struct subscription *first;
    size_t clients; /* of its subscriptions; the others are peers' */
    UT_hash_handle hh;
};

struct follower {
    client_t client; /* or a peer: FOLLOWER_PEER and its number */
    bool stalled;    /* does not read */
    size_t count;
    struct subscription *first;
    UT_hash_handle hh;
};

struct subscription_key {
    client_t client;
    struct contract_key contract;
};

struct subscription {
    struct subscription_key key;
    struct topic *topic;
    struct follower *follower;
    struct subscription *topic_previous, *topic_next, *follower_previous, *follower_next;
    uint8_t id[REQUEST_ID_BYTES_MAX];
    uint8_t id_size;
    bool reading;             /* a READ is under way; changes wait */
    bool waits;               /* there is something to give */
    bool whole;               /* … and it is more than we keep: read the state */
    uint64_t read_seq;        /* records up to it are in what it was given */
    struct fingerprint given; /* of what the client has */
    struct fingerprint waiting_after;
    uint64_t waiting_seq;
    state_t *waiting;     /* merged changes; NULL when whole or none */
    size_t waiting_bytes; /* its share of the table's */
    UT_hash_handle hh;
};

struct subscriptions {
    struct topic *topics;
    struct follower *followers;
    struct subscription *subscriptions;
    size_t clients_count, peers_count, waiting_bytes;
};

struct topic *subscriptions_topic(const struct subscriptions *self, const struct contract_key *key);
struct follower *subscriptions_follower(const struct subscriptions *self, client_t client);
struct subscription *subscriptions_find(const struct subscriptions *self, client_t client,
                                        const struct contract_key *key);

/* Finds or makes the subscription. ERR_BUSY at a cap, ERR_INTERNAL without memory. */
MUST_USE int subscriptions_add(struct subscriptions *self, client_t client,
                               const struct contract_key *key, struct subscription **sub,
                               struct reason *why);

/* Removes and frees it. True when its topic went with it. */
bool subscriptions_remove(struct subscriptions *self, struct subscription *sub);
void subscriptions_remove_all(struct subscriptions *self, client_t client);

/* Takes kind and params of the topic's contract, where it does not know them. */
void subscriptions_learn(struct topic *topic, const struct kind *kind, struct slice params);

/* Merges a change into what waits, or gives up keeping it (whole). */
void subscriptions_wait(struct subscriptions *self, struct subscription *sub, struct slice delta,
                        struct fingerprint after, uint64_t seq);

/* The waiting changes as one delta; NULL when there is none to encode. The caller's holder. */
struct blob *subscriptions_waiting_encode(const struct subscription *sub);
void subscriptions_waiting_clear(struct subscriptions *self, struct subscription *sub);

#endif
