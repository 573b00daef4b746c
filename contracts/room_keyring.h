/* room_keyring: the room keys that a reader holds, and what they open. */
#ifndef WEIR_CONTRACTS_ROOM_KEYRING_H
#define WEIR_CONTRACTS_ROOM_KEYRING_H

#include "contracts/room_record.h"

/* Zero-initialised is empty. */
struct room_keyring {
    struct room_keyring_key {
        uint8_t id[ROOM_KEY_ID_BYTES], key[ROOM_KEY_BYTES];
    } * list;
    size_t count;
};

/* Adds copies of keys that stand side by side. ERR_NO_MEMORY, and nothing is changed. */
MUST_USE int room_keyring_add(struct room_keyring *self, const struct contract *contract,
                              const uint8_t *keys, size_t count);

/* Wipes them. */
void room_keyring_free(struct room_keyring *self);

/* The plain bytes of a text: true and *plain, borrowed from the text, or from `opened`, which has
 * room for all of them; false when sealed under a key that is not on the ring. */
bool room_keyring_read(const struct room_keyring *self, const struct contract *contract,
                       const uint8_t *author, const struct room_text *text, uint8_t *opened,
                       struct slice *plain);

#endif
