/* solo: one actor alone, with the test in the place of all others: it gives the actor messages and
 * takes what the actor sends, in order. Peers stand around one contract's key, from the nearest to
 * the farthest, with the actor's node in their midst. */
#ifndef WEIR_TESTS_SOLO_H
#define WEIR_TESTS_SOLO_H

#include "actors/actor.h"

enum {
    SOLO_PEERS = 12,
    SOLO_SELF = 6,   /* peers 1 to 6 are nearer to the key than the node, 7 to 12 are not */
    SOLO_FAR = 1000, /* numbers from here on have ids of their own, anywhere */
};

struct solo {
    const struct actor_spec *spec;
    void *actor;
    struct outbox outbox;
    struct now now;
    struct contract contract; /* a counter, named "solo" */
    uint8_t params[64];
    struct node_id id, peers[SOLO_PEERS + 1]; /* peers[1…], nearest first */
    uint64_t clients;
    struct owed *window; /* of all peers' mail */
    struct peer_send *sent;
};

/* Computes the contract, the ids and where they stand; the actor is set by the test. */
void solo_init(struct solo *self, const struct actor_spec *spec);
void solo_free(struct solo *self); /* not the actor */

/* The same for put, get or update (actors/operation.h), with the actor. 0, or -1 without memory. */
int solo_operation_start(struct solo *self, const struct actor_spec *spec, bool networked);
void solo_operation_end(struct solo *self); /* asserts that it let go of all peers' mail */

/* Gives a message (as `kind`, from `from`) to the actor. */
void solo_give(struct solo *self, enum actor_id from, enum message_kind kind,
               struct message *message);

/* The next message that the actor sent; it must be of this kind. The caller frees it, or gives it
 * back in as an answer. */
void *solo_take(struct solo *self, enum message_kind kind);
void solo_expect_nothing(const struct solo *self);

/* Takes a PEER_SEND: to this peer, of this kind. What body points at lives until the next call. */
void solo_take_sent(struct solo *self, peer_t to, enum peer_kind kind, union peer_any *body);
/* The message that solo_take_sent took, owned by the solo until the next call. */
const struct peer_send *solo_sent(const struct solo *self);
/* The UPDATE that a peer was sent, and the peer's answer, after which the state is solo_printed. */
struct peer_update solo_take_update(struct solo *self, peer_t peer);
extern const struct fingerprint solo_printed;
void solo_mail_updated(struct solo *self, peer_t from, uint64_t tx, int code);
/* Tells the actor that the socket took it (PEER_SENT). */
void solo_tell_sent(struct solo *self);

void solo_live(struct solo *self, peer_t number);
void solo_live_all(struct solo *self, peer_t first, peer_t last); /* both included */
void solo_gone(struct solo *self, peer_t number);
/* Another number for the peer `who`; a connection that ended for this reason. */
void solo_live_as(struct solo *self, peer_t number, peer_t who);
/* The same, of a connection that waited since then. */
void solo_live_opened(struct solo *self, peer_t number, peer_t who, uint64_t opened_ms);
void solo_gone_for(struct solo *self, peer_t number, enum close_reason reason);

/* A peer's message; its bytes are counted in self->window until the actor frees it. */
void solo_mail(struct solo *self, peer_t from, enum peer_kind kind, const void *body);

/* A client's request with these arguments (the slices are copied; what they point at stays). */
struct request *solo_request(struct solo *self, enum verb verb, const struct slice *args,
                             size_t count);

/* Gives a request back as `kind`, with this code. */
void solo_answer(struct solo *self, struct request *request, enum actor_id from,
                 enum message_kind kind, int code);

/* Takes the REPLY and checks its code; the sentence stays readable until the next call. */
const char *solo_expect_reply(struct solo *self, int code);

/* Moves the clock and lets the actor tick when it wants to. */
void solo_advance_ms(struct solo *self, uint64_t ms);
uint64_t solo_deadline_ms(const struct solo *self);

#endif
