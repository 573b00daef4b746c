/* room_names: what people in a room are called on a terminal: the nickname that they gave
 * themselves, safe and in one line; where two look the same (client/room_names_look.h), or one
 * looks like such a name, or mixes alphabets, or has letters in parts, with the beginning of the
 * key behind it, ann~5Kxy, which nobody can choose; without a nickname ~5KxyAbcd. */
#ifndef WEIR_CLIENT_ROOM_NAMES_H
#define WEIR_CLIENT_ROOM_NAMES_H

#include "client/weir_room.h"

typedef struct room_names room_names_t;

/* Of members, authors, the banned, and those of direct messages, as the room stands now; borrows
 * nothing. NULL without memory. */
room_names_t *room_names_new(const weir_room_t *room);
void room_names_destroy(room_names_t **names);

/* Lives as long as the names. Whoever is not among them is "?". */
const char *room_names_of(const room_names_t *names, const uint8_t *key);

/* The key of a person by a name as above, which comes first, by its nickname, or by the beginning
 * of its key. WEIR_NO_MEMORY; WEIR_NOT_FOUND, WEIR_BAD_REQUEST as weir_room_find_person. */
int room_names_find(weir_room_t *room, const char *name, uint8_t key[WEIR_KEY_BYTES]);

#endif
