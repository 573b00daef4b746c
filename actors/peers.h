/* peers: the one table of the nodes that this node knows of, live or not, keyed by node id (lesson
 * D6), with their connections, found by number. At most PEERS_KNOWN_MAX; the least useful one that
 * has no connection makes room. Rules are not here: actors/connections.c has them. */
#ifndef WEIR_ACTORS_PEERS_H
#define WEIR_ACTORS_PEERS_H

#include "actors/messages.h"
#include "base/hash.h"
#include "proto/peer_state.h"

struct peer;

/* One connection to a peer. */
struct link {
    peer_t number;
    enum peer_state state;
    bool inbound;
    struct peer *peer;
    struct peer_traffic *traffic; /* owned holder; NULL until it is open */
    uint64_t since_ms;            /* in this state */
    uint64_t opened_ms;           /* when the peer had proved who it is */
    struct mail gone;  /* owned: PEER_GONE for all who are told, made when it went live */
    struct link *next; /* of the same peer */
    UT_hash_handle by_number;
};

/* Why this node wants a peer, the strongest reason. */
#define PEER_WANTS(W) W(none) W(small) W(far) W(invited) W(near) W(gateway) W(pinned)
enum peer_want {
#define W(name) WANT_##name,
    PEER_WANTS(W)
#undef W
};

struct peer {
    struct node_id id;
    place_t place;
    uint8_t role;
    bool proven;   /* address is its own word, or it was reached there: others do not replace it */
    char *address; /* owned HOST:PORT; "": it cannot be dialled */
    char *hearsay; /* owned; another one that others tell; NULL: none */
    struct link *links;

    /* who it is to this node */
    bool gateway, pinned;   /* named by the operator */
    bool far;               /* a far link: found at a place that was drawn */
    bool was_live, vouched; /* worth remembering: it was live, or is from a former run */
    uint64_t heard_ms;      /* last told of by others, or open */
    uint64_t came_ms;       /* when it last dialled, and proved who it is */
    uint64_t gone_ms;       /* when its last live connection ended; 0: never */
    uint64_t told_ms;       /* when others last told of it while it was not live here */
    uint64_t revived_ms;    /* when that last shortened its pause */
    uint64_t invited_until_ms;

    /* dialling it */
    enum peer_want want;
    uint64_t wanted_ms;     /* since when, and without a connection: the grace period's start */
    uint64_t dial_at_ms;    /* not before */
    uint64_t dialled_ms;    /* when it was last tried; 0: never */
    uint64_t pause_ms;      /* the last one between attempts; 0: none */
    unsigned tries;         /* attempts in a row that failed */
    uint64_t away_until_ms; /* it left, was full, or was given up: not wanted so long */
    uint64_t full_pause_ms; /* the last such time for being full */
    bool left;              /* away for no other reason than its goodbye */
    bool unwelcome;         /* away, since it does not want this node, or broke the protocol */
    bool dials_hearsay;     /* the last attempt went to hearsay */
    bool shed;              /* it had no room for this node */
    bool full;              /* away, since it had no room: a neighbour tries it all the same */
    bool dialled_back;      /* it was tried, for as long as it is connected */
    bool asked;             /* an operator waits: dial at once, whatever the ids are */
    int told_failed;        /* 1 + why it could not be joined through, as the log has it; 0 */

    /* its conduct */
    unsigned blames;
    uint64_t blamed_ms;
    uint64_t shunned_until_ms;
    enum close_reason shunned_for;

    /* of the live connection */
    unsigned pings;             /* not answered by anything */
    uint64_t pinged_ms;         /* when the last of them went */
    uint64_t still_ms;          /* when it was last seen paused */
    uint64_t doubted_ms;        /* when it was last asked whether it is there; 0: it was not */
    uint64_t rtt_us, rtt_at_ms; /* rtt_at_ms 0: not measured */
    uint64_t probed_ms; /* asked for a sign of life, since another connection waits; 0: not */
    bool silent;        /* it did not answer when it was doubted, and who chooses knows */
    uint64_t steady_ms; /* silent: since when it has been heard without a doubt; 0: it was not */
    uint64_t back_ms;   /* when it was last silent no more; 0: never. Of former ones too: */
    unsigned relapses;  /* how often it was silent again soon after */
    bool news, greeted; /* others are to be told of it; it has been told of others */
    UT_hash_handle by_id;
};

struct peers {
    struct peer *by_id;
    struct link *by_number;
    size_t count;
};

struct peer *peers_find(const struct peers *self, const struct node_id *id);

/* Finds it or makes it. NULL without memory, or when all PEERS_KNOWN_MAX are of more use. */
struct peer *peers_of(struct peers *self, const struct node_id *id);

/* Forgets a peer without connections. */
void peers_forget(struct peers *self, struct peer *peer);
void peers_free(struct peers *self);

/* A new connection, absent yet. NULL without memory, or when it has LINKS_A_PEER already. */
struct link *peers_link(struct peers *self, struct peer *peer, peer_t number, bool inbound);
struct link *peers_link_find(const struct peers *self, peer_t number);
void peers_unlink(struct peers *self, struct link *link);

/* Nobody is to be told of its end. */
void link_drop_gone(struct link *self);

/* Its first connection in this state, or NULL. */
struct link *peer_link_in(const struct peer *self, enum peer_state state);

/* The state to show: of the connection that is furthest. */
enum peer_state peer_state_of(const struct peer *self);

/* Copies the address unless it is the one. False without memory. */
bool peer_set_address(struct peer *self, struct slice address);
bool peer_set_hearsay(struct peer *self, struct slice address);
void peer_drop_hearsay(struct peer *self);

/* Where to dial it now: in turn what is proven and what others tell. Sets dials_hearsay. */
const char *peer_to_dial(struct peer *self);

#endif
