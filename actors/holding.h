/* holding: hosting's table: one row a contract, with its feed and its children, and the rows that
 * want attention at a time. What a row's states mean: actors/hosting.h. */
#ifndef WEIR_ACTORS_HOLDING_H
#define WEIR_ACTORS_HOLDING_H

#include "actors/actor.h"
#include "base/hash.h"

enum { REPLICAS = 2 /* copies that the root asks for, besides its own */ };

enum feed_state {
    FEED_none,    /* nobody nearer is live */
    FEED_asking,  /* JOIN is on its way, or about to be */
    FEED_syncing, /* joined; what differs is being exchanged */
    FEED_live     /* joined, and equal at that moment: changes come by themselves */
};

/* A peer that takes its feed from here, or wants to. */
struct child {
    peer_t number;
    bool asks;    /* waits for JOINED */
    bool has;     /* it has the contract: all but the fingerprint is compared by sync */
    bool synced;  /* it had all that we had, when it last told its fingerprint */
    uint8_t hops; /* that its JOIN may still go */
    struct fingerprint what;
};

/* A feed that did not work. */
struct failed_feed {
    peer_t number;     /* 0: none */
    uint64_t until_ms; /* not asked again before; 0: none */
};

/* Is the contract in our store? */
enum presence { PRESENCE_unknown, PRESENCE_absent, PRESENCE_stored };

struct holding {
    struct contract_key key;
    place_t place;
    enum presence presence;
    peer_t maker; /* whose share it counts against; 0: nobody's */
    enum feed_state state;
    bool about_queued; /* in the queue for storage */
    bool about_out;    /* storage is asked what it has */
    bool about_again;  /* … and is to be asked once more: something came meanwhile */
    bool creating;     /* a MERGE that makes the contract is at storage */
    bool hollow;       /* made here to be filled by a sync, which has not ended yet */
    bool needed;       /* clients here follow it */
    bool leaving;      /* dropped as soon as the feed has told that it has all of it */
    bool join_wanted;  /* JOIN goes out when storage has told the fingerprint */
    bool damaged;      /* the copy here lacks what damage took: nobody's feed, until it is synced */
    peer_t placed;     /* the root, that wants a copy here, while it is live; 0: nobody does */

    peer_t feed;              /* 0: none */
    uint64_t joined_until_ms; /* asking: JOINED has to come before */
    struct failed_feed failed[FEEDS_FAILED_MAX];
    unsigned failures;
    unsigned confirms;       /* JOINs since it is live, until enough nodes hold it */
    uint32_t hosts;          /* nodes that hold it, as the feed last told */
    struct fingerprint sent; /* what JOIN last told */
    uint64_t compared;       /* digest of what the last JOIN and its answer told */
    unsigned differed;       /* comparisons that followed one that told a difference */
    uint64_t compare_ms;     /* when the next of them is to begin; 0: none is */

    struct child *children; /* owned */
    uint32_t children_count, children_capacity;
    peer_t replicas[REPLICAS]; /* asked to keep a copy; 0: none */
    uint64_t asked_ms;         /* when an operation or a peer last wanted it */
    struct mail waiting;       /* HOST requests */
    uint64_t waiting_until_ms; /* the first of them */

    uint64_t due_ms; /* when to look at it again; NEVER: not in the list of the busy */
    struct holding *busy_previous, *busy_next;
    struct holding *about_next;
    UT_hash_handle hh;
};

/* A peer for which rows were made. */
struct holding_maker {
    peer_t number;
    size_t rows;
    UT_hash_handle hh;
};

struct holding_table {
    struct holding *rows; /* by key, in order of coming */
    bool keeps_stored;    /* all that is stored has a row */
    struct holding *busy;
    uint64_t next_ms; /* no later than the least due_ms */
    struct holding *refresh_next;
    struct holding *abouts, **abouts_last;
    size_t abouts_out;
    struct holding_maker *makers;
    size_t of_peers;  /* rows with a maker */
    uint64_t refused; /* rows that peers wanted, past their share */
};

void holding_table_init(struct holding_table *self);
void holding_table_free(struct holding_table *self);

struct holding *holding_find(const struct holding_table *self, const struct contract_key *key);

/* Finds or makes the row, for what is stored or for clients; NULL without memory or at
 * HOLDINGS_MAX. */
struct holding *holding_of(struct holding_table *self, const struct contract_key *key);

/* The same for a peer that says so: NULL (and counted) past its share too. The row counts against
 * it until the contract is stored here, a client wants it, or it is removed. */
struct holding *holding_for_peer(struct holding_table *self, const struct contract_key *key,
                                 peer_t peer);

/* It is stored here: no peer's share any more. */
void holding_is_stored(struct holding_table *self, struct holding *row);

/* Removes the row if nothing holds it: nobody waits, nothing is under way, and it is not stored, or
 * what is stored needs no row yet. */
void holding_remove_idle(struct holding_table *self, struct holding *row);

/* The row is to be looked at then, or before if that was asked already. */
void holding_due(struct holding_table *self, struct holding *row, uint64_t due_ms);
void holding_not_due(struct holding_table *self, struct holding *row);

struct child *holding_child(const struct holding *row, peer_t number);
/* Finds or adds; NULL without memory. */
struct child *holding_child_of(struct holding *row, peer_t number);
void holding_child_remove(struct holding *row, peer_t number);

#endif
