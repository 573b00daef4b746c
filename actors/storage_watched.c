/* The contracts of which subscribe is told each change (WATCH). */
#include "actors/storage.h"
#include "base/hash.h"

#include <stdlib.h>

struct watched_key {
    struct contract_key key;
    UT_hash_handle hh;
};

bool storage_is_watched(const storage_t *self, const struct contract_key *key)
{
    struct watched_key *row;
    HASH_FIND(hh, self->watched, key, sizeof *key, row);
    return row || self->watches_all;
}

/* Without memory all changes are told from now on: subscribe heeds those that somebody follows. */
static void add(storage_t *self, const struct contract_key *key)
{
    struct watched_key *row = (struct watched_key *)calloc(1, sizeof *row);
    if (row) {
        row->key = *key;
        HASH_ADD(hh, self->watched, key, sizeof row->key, row);
    }
    if (row && HASH_TOOK(hh, row)) {
        self->watched_count++;
        return;
    }
    free(row);
    self->watches_all = true;
}

void storage_watch(storage_t *self, const struct watch *watch)
{
    struct watched_key *row;
    HASH_FIND(hh, self->watched, &watch->key, sizeof watch->key, row);
    if (watch->on && !row) {
        add(self, &watch->key);
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
