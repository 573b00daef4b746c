/* get: between get.c (the actor, and clients), get_ask.c, which asks peers, and get_serve.c, which
 * answers them. */
#ifndef WEIR_ACTORS_GET_H
#define WEIR_ACTORS_GET_H

#include "actors/operation.h"

/* --- get_ask.c --------------------------------------------------------------------------- */

/* Asks the next live peer; when nobody is left, the row ends as well as it can. */
void get_ask(operation_t *self, struct relay *row, struct now now, struct outbox *out);

/* The asked peer could not do it, or is gone. Where a GET began, the next is asked. A node that
 * relays tries another only for one that went: were it to do so for each NOT_FOUND, the messages
 * for a contract that is nowhere would double at every hop. */
void get_asked_failed(operation_t *self, struct relay *row, int code, const char *why, bool gone,
                      struct now now, struct outbox *out);

/* It says nothing: the next is asked beside it, and whoever speaks first is heard out. */
void get_asked_silent(operation_t *self, struct relay *row, struct now now, struct outbox *out);

/* A peer went, which the row may have asked: another is (lesson L3). */
operation_end_fn get_peer_gone;

/* The connection `from` is replaced by `to`: what was asked over it is asked again. */
operation_move_fn get_on_move;

/* Answers the client with what is in its request, or with an error; the row closes. */
void get_finish(operation_t *self, struct relay *row, struct request *request, struct outbox *out);
void get_finish_with(operation_t *self, struct relay *row, int code, const char *why,
                     struct outbox *out);

/* What a peer answers (PIECE: true when the mail was taken), and a piece that storage has merged,
 * or refused. */
bool get_on_piece(operation_t *self, struct peer_mail *mail, struct now now, struct outbox *out);
void get_on_got(operation_t *self, const struct peer_mail *mail, struct now now,
                struct outbox *out);
void get_on_merged(operation_t *self, const struct request *request, struct now now,
                   struct outbox *out);

/* --- get_serve.c ------------------------------------------------------------------------- */

/* A peer's GET: opens a row and asks hosting whether the contract is here. */
void get_serve_on_get(operation_t *self, const struct peer_mail *mail, struct now now,
                      struct outbox *out);

/* hosting's answer; WALKED (given away); PEER_SENT. */
void get_serve_on_hosted(operation_t *self, const struct request *request, struct now now,
                         struct outbox *out);
void get_serve_on_walked(operation_t *self, struct walk *walk, struct outbox *out);
void get_serve_on_sent(operation_t *self, const struct peer_send *sent, struct now now,
                       struct outbox *out);

/* A PIECE for the asker (given away): passed on as its connection takes it. */
void get_serve_pass(operation_t *self, struct relay *row, struct peer_mail *piece, struct now now,
                    struct outbox *out);

/* Nobody is left to ask for a peer's row: the own copy if there is one, else row->code. */
void get_serve_nobody_left(operation_t *self, struct relay *row, struct outbox *out);

/* The end of the answer, behind all pieces: row->fingerprint (code 0), or an error. May close. */
void get_serve_end(operation_t *self, struct relay *row, int code, const char *why,
                   struct outbox *out);

/* One GOT, at once. */
void get_tell_got(peer_t to, uint64_t tx, enum lane lane, int code, const char *why,
                  const struct fingerprint *fingerprint, struct outbox *out);

#endif
