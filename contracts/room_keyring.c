#include "contracts/room_keyring.h"

#include "contracts/room_seal.h"

#include <sodium/utils.h>
#include <stdlib.h>

int room_keyring_add(struct room_keyring *self, const struct contract *contract,
                     const uint8_t *keys, size_t count)
{
    struct room_keyring made = {.count = self->count + count};
    made.list = (struct room_keyring_key *)malloc((made.count + 1) * sizeof *made.list);
    if (!made.list)
        return ERR_NO_MEMORY;
    if (self->count)
        memcpy(made.list, self->list, self->count * sizeof *made.list);
    for (size_t i = 0; i < count; i++) {
        struct room_keyring_key *added = &made.list[self->count + i];
        memcpy(added->key, keys + i * ROOM_KEY_BYTES, ROOM_KEY_BYTES);
        room_key_id(contract, added->key, added->id);
    }
    room_keyring_free(self);
    *self = made;
    return 0;
}

void room_keyring_free(struct room_keyring *self)
{
    if (self->list)
        sodium_memzero(self->list, self->count * sizeof *self->list);
    free(self->list);
    *self = (struct room_keyring){0};
}

bool room_keyring_read(const struct room_keyring *self, const struct contract *contract,
                       const uint8_t *author, const struct room_text *text, uint8_t *opened,
                       struct slice *plain)
{
    if (!text->sealed) {
        *plain = text->bytes;
        return true;
    }
    for (size_t i = 0; i < self->count; i++)
        if (memcmp(self->list[i].id, text->key_id, ROOM_KEY_ID_BYTES) == 0 &&
            room_text_open(contract, self->list[i].key, author, text, opened) == 0) {
            *plain = slice_of(opened, room_text_size(text));
            return true;
        }
    return false;
}
