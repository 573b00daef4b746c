/* connections_one: one connections actor with handmade messages, the test in the place of transport
 * and of all peers. */
#ifndef WEIR_TESTS_CONNECTIONS_ONE_H
#define WEIR_TESTS_CONNECTIONS_ONE_H

#include "actors/connections_state.h"

struct one {
    connections_t *actor;
    struct now now;
    struct outbox out;
    struct peer_traffic *traffic[600];
    peer_t last_inbound;
};

/* Ids that begin with the same byte are in the order of n. The actor's own is id_with(128, 0). */
struct node_id id_with(uint8_t firstly, unsigned n);

void one_start(struct one *self, uint64_t seed, struct connections_options options);
void one_end(struct one *self);
void one_pass(struct one *self, uint64_t ms);
void one_get(struct one *self, enum message_kind kind, struct message *message);

/* The next message of this kind to transport, the others before it dropped. NULL: none. */
struct message *one_take(struct one *self, enum message_kind kind);

/* OPENED: it dialled, from 192.0.2.7, and listens at port 31337 of every address. */
peer_t one_opens(struct one *self, struct node_id id, uint8_t role);
/* The same, of a peer that tells this address; number: of the dial from here, 0: it dialled. */
peer_t one_opens_at(struct one *self, struct node_id id, uint8_t role, peer_t number,
                    const char *address);
void one_closes(struct one *self, peer_t number, enum close_reason reason);

/* What became of an inbound connection. CLOSE_REASON_COUNT: admitted. */
enum close_reason one_verdict(struct one *self, peer_t number);

/* NEIGHBOURS with this one node in it. */
void one_hears_of(struct one *self, peer_t from, struct node_id id, const char *address);

/* A CONNECT, with a joiner that listens at the address. */
void one_gets_connect(struct one *self, peer_t from, uint64_t tx, place_t place,
                      struct node_id joiner, const char *address);

/* Where the next DIAL goes, and the number of it; "": there is none. Lives until the next call. */
const char *one_dialled(struct one *self, peer_t *number);

#endif
