/* operation: what PUT, GET and UPDATE share: an actor that holds open transactions, hands a
 * client's request to storage, and answers when it comes back. Where storage has nothing, a live
 * peer nearer to the key is asked; nobody is ever dialled for an operation (lesson L1). */
#ifndef WEIR_ACTORS_OPERATION_H
#define WEIR_ACTORS_OPERATION_H

#include "actors/heard.h"
#include "actors/moves.h"
#include "actors/relays.h"
#include "actors/transactions.h"

struct operation_options {
    struct node_id id; /* this node's */
    bool networked;    /* it knows of others: what is not here may be there */
    bool leaf;         /* it cannot be dialled */
    uint32_t life;     /* drawn at random at this start */
    uint64_t started_ms;
};

/* Open to get, update and put only. */
struct operation {
    bool networked;
    struct transactions transactions; /* of clients */
    struct relays relays;             /* asked of peers, for clients and for peers */
    struct ring_view ring;            /* who is live */
    struct moves moves;               /* get, update: who is about to be, under another number */
    struct heard heard;               /* update: what peers asked lately */
};

typedef struct operation operation_t;

operation_t *operation_new(const struct operation_options *options);
void operation_destroy(operation_t **self);

/* Opens a transaction for a client's request; answers BUSY (and false) when it cannot. */
bool operation_open(operation_t *self, struct request *request, struct now now, struct outbox *out);

/* Tells hosting of a contract that came to be here: it is kept fed, until the store fills. */
void operation_keep(const struct contract_key *key, struct outbox *out);

/* Hands the request to storage or hosting, as `kind`. */
void operation_pass(struct request *request, enum actor_id to, enum message_kind kind,
                    struct outbox *out);

/* Answers the client with what is in the request, unless its time was up before. */
void operation_finish(operation_t *self, struct request *request, struct outbox *out);

/* Answers the client with an error. */
void operation_refuse(struct request *request, int code, struct outbox *out);

/* The error of a client's operation on a contract that is not here, when nobody is live to ask. */
void operation_nobody_live(const operation_t *self, struct request *request);

/* PEER_LIVE, PEER_SILENT and PEER_GONE: who can be asked. */
void operation_on_live(operation_t *self, const struct peer_live *live);
/* The same, and for each row and each former number that the peer was waited for under: move. */
typedef void operation_move_fn(operation_t *self, struct relay *row, peer_t from,
                               const struct peer_live *to, struct now now, struct outbox *out);
void operation_on_arrival(operation_t *self, const struct peer_live *live, operation_move_fn *move,
                          struct now now, struct outbox *out);
void operation_on_silent(operation_t *self, const struct peer_silent *silent);
void operation_on_gone(operation_t *self, const struct peer_order *gone);
/* The same, and what the peer asked is answered no more, and for each row: end, which looks whether
 * the peer was asked. If it may be about to be live under another number, that comes only when it
 * is not in time (operation_end_moves, each tick); edits that it asked for go on until then, so
 * that it can be told of them. */
typedef void operation_end_fn(operation_t *self, struct relay *row, peer_t peer, struct now now,
                              struct outbox *out);
void operation_on_departure(operation_t *self, const struct peer_order *gone, operation_end_fn *end,
                            struct now now, struct outbox *out);
void operation_end_moves(operation_t *self, operation_end_fn *end, struct now now,
                         struct outbox *out);

/* An error's number in a peer's message, and back (why: its sentence, fit to be shown). */
uint8_t operation_code_to_wire(int code);
int operation_code_from_wire(uint8_t code, struct slice sentence, struct reason *why);

/* How long a peer's operation may take here: what it says, within our own limit. */
uint64_t operation_deadline_of(uint32_t left_ms, struct now now);

/* For the actors' rows. */
uint64_t operation_deadline_ms(const void *self);
void operation_tick(void *self, struct now now, struct outbox *out);

extern const struct actor_spec put_spec, get_spec, update_spec;

#endif
