/* update: between update.c, which has changes merged here, and update_relay.c, which sends on what
 * is for contracts that are not here. */
#ifndef WEIR_ACTORS_UPDATE_H
#define WEIR_ACTORS_UPDATE_H

#include "actors/operation.h"

/* --- update_relay.c ---------------------------------------------------------------------- */

/* Asks the next live peer, whether or not those asked before have answered: the first that takes
 * the change answers for all. Nobody left: those asked are waited for, then what the last one said
 * goes back. Where the operation began, peers that are not nearer are asked as well. The row holds
 * its request. */
void update_ask(operation_t *self, struct relay *row, struct now now, struct outbox *out);

/* An asked peer's answer; a peer is gone, asked or not (lesson L3). */
void update_on_updated(operation_t *self, const struct peer_mail *mail, struct now now,
                       struct outbox *out);
operation_end_fn update_on_gone;

/* The connection `from` is replaced by `to`: what was asked over it, and is not answered, is asked
 * again. What is a delta merges twice as once; an edit says that it may have been heard. Whoever
 * asked over it is answered there. */
operation_move_fn update_on_move;

/* Answers whoever asked, and closes the row. With code 0 the row's request tells the change. */
void update_finish(operation_t *self, struct relay *row, int code, const char *why,
                   struct outbox *out);

/* One UPDATED. change may be NULL. */
void update_tell(peer_t to, uint64_t tx, int code, const char *why,
                 const struct store_change *change, struct outbox *out);

#endif
