/* keeper: looks after the whole store beside the running node: hot copies and checks. Long work, so
 * it has a worker of its own; one at a time, storage sees to that.
 *
 *   takes WORK (storage); gives WORKED (storage) */
#ifndef WEIR_ACTORS_KEEPER_H
#define WEIR_ACTORS_KEEPER_H

#include "actors/storage.h"

#include <stdatomic.h>

typedef struct keeper keeper_t;

/* Borrows all three. stop set: what is under way ends with TIMEOUT. */
keeper_t *keeper_new(db_t *db, struct progress *progress, atomic_bool *stop);
void keeper_destroy(keeper_t **self);
extern const struct actor_spec keeper_spec;

#endif
