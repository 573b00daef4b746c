/* checkpoint: see checkpoint.c. It has no state of its own: the fold comes with the message. */
#ifndef WEIR_ACTORS_CHECKPOINT_H
#define WEIR_ACTORS_CHECKPOINT_H

#include "actors/actor.h"

extern const struct actor_spec checkpoint_spec;

#endif
