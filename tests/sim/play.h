/* play: one seed's life of a network: nodes join, clients write, read and follow at random ones,
 * faults come, and then it must come to rest.
 *
 *   play.c     the phases        clients.c       what clients ask, and what they are told
 *   storm.c    faults of ways    storm_nodes.c   faults of nodes        echo.c   what comes twice
 *   claims.c   what must hold: at every step, and at rest
 *
 *   joining (no faults) → storm (faults and work) → calm (faults over) → rest within REST_MS
 *   → a change of every contract is everywhere within ALIVE_MS → all is found from everywhere
 */
#ifndef WEIR_TESTS_PLAY_H
#define WEIR_TESTS_PLAY_H

#include "contracts/state.h"
#include "tests/sim/world.h"

enum {
    PLAY_NODES_MAX = 64,
    PLAY_CONTRACTS_MAX = 12,
    PLAY_PEERS_MAX = 128,
    JOIN_MS = 15000,
    REST_MS = 60000,
    ALIVE_MS = 5000,
    FAULTS_MAX = 24,
    ECHOES_MAX = 256,
    HOSTS_WANTED = 3,
    SETTLED_MS = 30000,
    OPERATION_SLACK_MS = 2000, /* on its way to the client, and ticks */
};

struct play_options {
    uint64_t seed;
    size_t nodes;      /* at first; 0: 5 to 8, drawn */
    uint64_t storm_ms; /* 0: drawn */
    bool faults;
    FILE *echo;
};

/* A contract, and what became of it. */
struct played_contract {
    struct contract contract;
    struct buffer params;
    const struct kind *kind;
    bool keeps;         /* what was once added stays: set, map, log without a cap */
    bool counts;        /* a counter */
    uint64_t attempted; /* of a counter: additions that may have happened */
};

/* One request of a client. */
struct played_op {
    struct played_op *next; /* newest first */
    uint64_t number, asked_us;
    size_t node, contract;
    uint64_t life; /* of the node: a request of a former life is nobody's */
    enum verb verb;
    char token[16];           /* what an UPDATE or EDIT brings */
    struct buffer delta;      /* of an UPDATE: to be asked for again */
    struct played_op *former; /* that this one asks for again */
    bool done, ok;
    bool acknowledged; /* an UPDATE or EDIT that was carried out */
    bool had_it;       /* … and the node that said so has it itself */
    bool asked_well;   /* … or that asked again was */
    bool waived;       /* its node left for good */
};

struct subscriber {
    bool asked, follows;
    state_t *view; /* owned */
};

struct live_peer {
    peer_t number;
    size_t node;
    bool inbound;
    bool silent; /* as the node itself found: it is heard no more, or the connection ends soon */
};

/* A node as the play sees it. */
struct played_node {
    size_t number;
    uint64_t life; /* starts */
    bool gateway, unreachable;
    bool left; /* for good */
    bool slow;
    uint64_t stood_until_us;                /* when it last went on after a pause, or slowness */
    int64_t clock_ms;                       /* how far its wall clock was set */
    struct live_peer known[PLAY_PEERS_MAX]; /* the last that were OPENED: a ring */
    size_t known_count;                     /* ever */
    struct live_peer live[PLAY_PEERS_MAX];
    size_t live_count;
    struct subscriber subs[PLAY_CONTRACTS_MAX];
};

/* A message that one node sent to another, which it may send again on its next connection. */
struct echo {
    size_t from, to;
    enum actor_id actor;
    enum lane lane;
    struct blob *bytes; /* owned holder; NULL: none */
};

struct play {
    struct play_options options;
    world_t *world;
    struct dice dice;
    struct played_contract contracts[PLAY_CONTRACTS_MAX];
    size_t contracts_count;
    struct played_node nodes[PLAY_NODES_MAX];
    size_t nodes_count;
    size_t gateways[WORLD_GATEWAYS_MAX], gateways_count;
    struct played_op *ops; /* owned */
    uint64_t ops_count, answered, refused, notified, dials;
    unsigned odds[FAULTS_MAX]; /* of each fault, drawn */
    uint64_t struck[FAULTS_MAX], echoed;
    uint64_t pause_ms; /* between two faults, at most */
    struct echo echoes[ECHOES_MAX];
    size_t echoes_count;  /* ever */
    unsigned echo_one_in; /* new connections; 0: none */
    bool left;            /* some node left for good */
    bool failed;
    char why[400];
};

/* What a play told. */
struct play_result {
    bool failed;
    char why[400];
    uint64_t hash, handled, virtual_ms, rest_ms, alive_ms, ops, answered, refused, notified;
    uint64_t struck[FAULTS_MAX], echoed;
    struct drive_counts drives;
};

/* Plays; when it fails, the last `rows` of the trace are written to `to` (may be NULL). */
struct play_result play_run(const struct play_options *options, size_t rows, FILE *to);

/* The first failure ends the play. */
void play_fail(struct play *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* play.c: starts a node (again), adds one to the network, ends one's life. */
void play_start_node(struct play *self, size_t node);
size_t play_add_node(struct play *self, bool gateway);
enum play_end { END_kill, END_power, END_goodbye };
void play_end_node(struct play *self, size_t node, enum play_end how);

/* clients.c; clients_hear.c */
struct slice clients_key_of(const struct played_contract *contract);
void clients_make_contracts(struct play *self);
void clients_ask_one(struct play *self); /* something random, somewhere */
void clients_crowd(struct play *self);   /* many such at one node */
void clients_put_all(struct play *self);
void clients_edit_all(struct play *self);  /* every contract, somewhere */
void clients_ask_again(struct play *self); /* a delta that was asked for before, somewhere else */
void clients_get_all(struct play *self);   /* every contract that is anywhere, everywhere */
void clients_hear(void *play, size_t node);
void clients_forget(struct play *self, size_t node); /* its process ended */
void clients_free(struct play *self);

/* storm.c */
struct fault {
    const char *name;
    void (*strike)(struct play *self);
    unsigned often; /* its odds are drawn from 0 to this */
};
extern const struct fault storm_faults[];
extern const size_t storm_faults_count;
void storm_begin(struct play *self);  /* draws which faults this play has, and how often */
void storm_strike(struct play *self); /* one random fault, with its end in the agenda */
void storm_end(struct play *self);    /* all is healed, all who did not leave are back */
uint64_t storm_after_ms(struct play *self, uint64_t low, uint64_t high); /* a time, drawn */
void storm_note(struct play *self, size_t node, const char *what, uint64_t detail);
size_t storm_node(struct play *self); /* any */

/* storm_nodes.c: the faults of nodes */
void storm_kill(struct play *self);
void storm_power(struct play *self);
void storm_tear(struct play *self);
void storm_stop(struct play *self);
void storm_freeze(struct play *self);
void storm_slow(struct play *self);
void storm_slow_disk(struct play *self);
void storm_clock(struct play *self);
void storm_leave(struct play *self);
void storm_join(struct play *self);
void storm_power_lost(void *play, size_t node);
void storm_heal(struct play *self, size_t node);

/* echo.c: what a node sent on one connection comes again on the next, as far as the protocol lets
 * it be sent twice */
void echo_on_message(struct play *self, size_t node, const struct message *message);
void echo_free(struct play *self);

/* claims.c */
void claims_on_message(void *play, size_t node, const struct message *message);
void claims_answered(struct play *self, struct played_op *op); /* just acknowledged */
/* Is each member live with each other, as both see it, and do they hear each other? strict: dialled
 * by the right side. */
bool claims_is_mesh(const struct play *self, bool strict, char *why, size_t size);
/* Does no member have a connection whose other end is gone? */
bool claims_is_whole(const struct play *self, char *why, size_t size);
/* Does any node but this one, of those that run, have what the operation brought? */
bool claims_had_elsewhere(struct play *self, const struct played_op *op, size_t leaves);
/* Undamaged, and all acknowledged there is there. */
void claims_started(struct play *self, size_t node);
void claims_unconnected(struct play *self); /* at rest: no connection but those wanted */
void claims_in_time(struct play *self);     /* no operation is open past its deadline */
void claims_joined(struct play *self);      /* after joining without faults */
bool claims_at_rest(struct play *self, char *why, size_t size); /* or what is missing */
bool claims_is_member(const struct play *self, size_t node);    /* up, and did not leave */
bool claims_is_hosted(struct play *self, size_t contract);      /* by a member */

#endif
