/* The contracts of which subscribe is told each change (WATCH). */
#include "actors/storage.h"

#include <stdlib.h>
#include <uthash.h>

struct watched_key {
    struct contract_key key;
    UT_hash_handle hh;
};

bool storage_is_watched(const storage_t *self, const struct contract_key *key)
{
    struct watched_key *row;
    HASH_FIND(hh, self->watched, key, sizeof *key, row);
    return row != NULL;
}

void storage_watch(storage_t *self, const struct watch *watch)
{
    struct watched_key *row;
    HASH_FIND(hh, self->watched, &watch->key, sizeof watch->key, row);
    if (watch->on && !row) {
        row = (struct watched_key *)malloc(sizeof *row);
        if (!row)
            return;
        row->key = watch->key;
        HASH_ADD(hh, self->watched, key, sizeof row->key, row);
        self->watched_count++;
    } else if (!watch->on && row) {
        HASH_DEL(self->watched, row);
        free(row);
        self->watched_count--;
    }
}

void storage_forget_watched(storage_t *self)
{
    struct watched_key *row, *next;
    HASH_ITER (hh, self->watched, row, next) {
        HASH_DEL(self->watched, row);
        free(row);
    }
}
