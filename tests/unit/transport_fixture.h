/* transport_fixture: two nodes' transports over a wire_pair, on a clock that the test sets; the
 * test is all other actors of both. */
#ifndef WEIR_TESTS_TRANSPORT_FIXTURE_H
#define WEIR_TESTS_TRANSPORT_FIXTURE_H

#include "actors/transport.h"
#include "tests/support/wire_pair.h"

struct node {
    struct handshake_config config;
    transport_t *transport;
    struct outbox out;
    struct mail got;    /* what transport sent to other actors, in order … */
    unsigned spoken_to; /* … but SPOKEN_TO, which is counted */
};

struct net {
    wire_pair_t *wires;
    struct node nodes[2];
    uint64_t mail_bytes_max; /* for net_start; 0: as a node has it */
    uint64_t ms;
};

/* Both nodes of one network, peers; secrets repeat. Change nodes[i].config before net_start. */
void net_init(struct net *self);
void net_start(struct net *self, size_t connections_max); /* 0: the default */
struct net *net_new(void);                                /* both, static; one at a time */
void net_free(struct net *self);                          /* says goodbye, frees what is left */
void net_stop(struct net *self, int node);                /* destroys one transport */

/* One turn of a node, as the runner has it. False: nothing to do. */
bool net_turn(struct net *self, int node);
void net_run(struct net *self); /* both, until nothing moves (ticks that are due included) */
void net_advance_ms(struct net *self, uint64_t ms); /* runs at each deadline on the way */

/* A message from another actor (given away) to a node's transport. */
void net_give(struct net *self, int node, enum actor_id from, enum message_kind kind,
              struct message *message);
void net_dial(struct net *self, int from, peer_t number, int id_of, const char *address);
void net_order(struct net *self, int node, enum message_kind kind, peer_t number,
               enum close_reason reason, const char *why);
void net_send(struct net *self, int node, peer_t number, enum lane lane, enum peer_kind kind,
              const void *body);

/* The next message that a node's transport sent, which must be of that kind; the caller frees it.
 */
void *net_expect(struct net *self, int node, enum message_kind kind);
void net_drop(void *message);                        /* frees it */
bool net_is_quiet(const struct net *self, int node); /* nothing more was sent */
void net_ignore(struct net *self, int node);         /* frees what was sent */

/* A live connection, dialled by node 0. The numbers at both ends. */
struct pipe_ends {
    peer_t at[2];
};
struct pipe_ends net_live(struct net *self);

/* CLOSED of this number with this reason is next. */
void net_expect_closed(struct net *self, int node, peer_t number, enum close_reason reason,
                       const char *words);

/* A DELTA of so many bytes of entries (never read as such here). */
struct peer_delta net_delta(size_t bytes);

#endif
