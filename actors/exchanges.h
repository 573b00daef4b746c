/* exchanges: the table of open syncs (actors/sync.c): one row a contract, peer and opening side, so
 * that two that both ends opened run beside each other. */
#ifndef WEIR_ACTORS_EXCHANGES_H
#define WEIR_ACTORS_EXCHANGES_H

#include "actors/actor.h"
#include "base/hash.h"

struct exchange_key {
    peer_t peer;
    struct contract_key contract;
    uint8_t opened_here;
};

struct exchange {
    struct exchange_key key;
    uint64_t number; /* of the row: never used twice */
    uint8_t salt[SYNC_SALT_BYTES];
    uint8_t round;             /* of the body last sent or heard */
    bool again;                /* another is wanted right after it */
    bool walking;              /* its one walk is under way: at storage, or here as `walk` */
    bool anew;                 /* the peer began again: what storage walks for is over */
    bool sent_entries;         /* bodies then stay in their lane, behind them */
    struct sync_order *order;  /* hosting's, owned; NULL: nobody waits for the end */
    struct walk *walk;         /* owned; the next part is wanted when there is room; NULL: at
                                  storage, or none */
    struct peer_mail *body;    /* owned; to be answered when what came before it is merged */
    unsigned parts_out;        /* DELTAs not yet taken by the socket */
    unsigned merges[2], since; /* merges at storage: of what came since the last body,
                                  merges[since]; of what came before it, the other */
    uint64_t deadline_ms;
    uint64_t walk_bytes; /* of the answer's walk, counted; 0: none is under way */
    bool queued;         /* it has a body, and waits for there to be room for its walk */
    struct exchange *queue_previous, *queue_next;
    UT_hash_handle hh, by_number;
};

/* A peer that began some of them. */
struct exchange_peer {
    peer_t number;
    size_t answered;
    uint64_t walk_bytes;
    struct exchange *queue; /* its rows that wait, the oldest first */
    struct exchange_peer *line_previous, *line_next;
    UT_hash_handle hh;
};

struct exchanges {
    struct exchange *rows;    /* by key */
    struct exchange *numbers; /* by number */
    struct exchange_peer *peers;
    uint64_t last_number;
    size_t opened_here;
    uint64_t walk_bytes;
    size_t queued;
    struct exchange_peer *line; /* who has rows that are queued, in turn */
};

struct exchange *exchanges_find(const struct exchanges *self, peer_t peer,
                                const struct contract_key *contract, bool opened_here);
struct exchange *exchanges_numbered(const struct exchanges *self, uint64_t number);

/* A new row; the caller has seen that there is none. NULL at SYNCS_MAX or SYNCS_ANSWERED_MAX (of
 * others; SYNCS_A_PEER_MAX of one), or without memory. */
struct exchange *exchanges_add(struct exchanges *self, peer_t peer,
                               const struct contract_key *contract, bool opened_here);

/* Walks that answer peers are counted as large as they may get: what came, what goes back, and the
 * entries of a part. False: there is no room for this one now (SYNCS_ANSWERED_BYTES_MAX,
 * SYNCS_A_PEER_BYTES_MAX), and the row is queued. A row opened here is not counted. */
bool exchanges_charge(struct exchanges *self, struct exchange *row, size_t body_bytes);

/* The walk is over. */
void exchanges_discharge(struct exchanges *self, struct exchange *row);

/* A queued row that there may be room for now, taken out of its queue; NULL: none. */
struct exchange *exchanges_waiting(struct exchanges *self);

/* Removes and frees the row with what it owns. */
void exchanges_remove(struct exchanges *self, struct exchange *row);

#endif
