/* hosts: a few hosting actors, joined by hand, in order of nearness to the key of the one contract
 * that they are about: hosts[0] is the nearest. What is stored is a set of bits a contract, its
 * fingerprint the bits; a sync joins the bits of both ends. */
#ifndef WEIR_TESTS_HOSTS_H
#define WEIR_TESTS_HOSTS_H

#include "actors/hosting.h"

enum { HOSTS = 6, CONTRACTS = 8 };

struct stored {
    struct contract_key key;
    bool there, lost; /* lost: damage left the key alone */
    uint64_t bits;
};

struct host {
    hosting_t *hosting;
    struct node_id id;
    struct stored stored[CONTRACTS];
    bool linked[HOSTS];     /* what it sends there comes through */
    struct mail answers;    /* HOSTED */
    uint64_t joined_change; /* bits that come to be here right before JOINED does */
    bool told[HOSTS];       /* FOLLOW: is that one told of changes here? */
    unsigned blamed, joins_sent, healed, drops;
    uint8_t join_hops;      /* of the last of them */
    uint64_t synced_change; /* bits that come to be here right after each sync that it began */
    bool holds_sync;        /* a sync that begins takes until it is let go … */
    struct sync_order *held;
};

extern struct host hosts[HOSTS];

int hosts_set_up(void **state);
int hosts_tear_down(void **state);
void hosts_start(size_t at); /* a new actor: nothing is known, what is stored stays */

struct contract_key hosts_key(void);
struct slice hosts_params(void);
struct stored *hosts_stored(struct host *at, const struct contract_key *key);
uint64_t hosts_bits(size_t at); /* of the one contract; 0: not there */

/* A message to hosting, given away; it comes when all before it are handled. */
void hosts_give(struct host *at, enum message_kind kind, enum actor_id from,
                struct message *message);
void hosts_run(void);
void hosts_advance(uint64_t ms);

void hosts_link(size_t a, size_t b);
void hosts_unlink(size_t a, size_t b);
void hosts_link_all(size_t count); /* the nearest ones, all with all */
/* One end alone hears of the connection, when the next messages are carried. */
void hosts_hear_live(struct host *at, const struct host *other);
void hosts_hear_gone(struct host *at, const struct host *other, enum close_reason reason);
/* at is told that the other says nothing, or that it does again. */
void hosts_hear_silence(size_t at, size_t other, bool silent);
/* It hears, and is heard no more. */
void hosts_silence(size_t at);
/* A message from one to the other, made by hand. */
void hosts_send(size_t from, size_t to, enum peer_kind kind, const void *body);

void hosts_ask(size_t at, enum verb verb);
void hosts_put(size_t at, uint64_t bits);
int hosts_answer(size_t at, uint32_t *copies); /* of the first that is not taken yet */
/* Hosting says NOT_FOUND of what it looks after and has not, AGAIN of what it knows nothing of. */
bool hosts_looks_after_it(size_t at);
/* The sync that it holds goes on, and it holds none any more. */
void hosts_let_sync(size_t at);

#endif
