/* journal: owns the log of changes. What arrived since its last flush is written and synced in one
 * go (group commit), then acknowledged with one message.
 *
 *   takes APPEND, RECYCLE (storage); gives FLUSHED (storage) */
#ifndef WEIR_ACTORS_JOURNAL_H
#define WEIR_ACTORS_JOURNAL_H

#include "actors/actor.h"

typedef struct journal journal_t;

/* Borrows the log. sync false (relaxed durability): written at once, synced by the operating
 * system. */
journal_t *journal_new(log_t *log, bool sync);
void journal_destroy(journal_t **self);
extern const struct actor_spec journal_spec;

#endif
