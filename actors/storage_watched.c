/* The contracts of which subscribe is told each change (WATCH). */
#include "actors/storage.h"
#include "base/hash.h"

#include <stdlib.h>

struct watched_key {
    struct contract_key key;
    UT_hash_handle hh;
};

static struct watched_key *find(const storage_t *self, const struct contract_key *key)
{
    struct watched_key *row;
    HASH_FIND(hh, self->watched, key, sizeof *key, row);
    return row;
}

/* False without memory. */
static bool add(storage_t *self, const struct contract_key *key)
{
    if (find(self, key))
        return true;
    struct watched_key *row = (struct watched_key *)calloc(1, sizeof *row);
    if (!row)
        return false;
    row->key = *key;
    HASH_ADD(hh, self->watched, key, sizeof row->key, row);
    if (!HASH_TOOK(hh, row)) {
        free(row);
        return false;
    }
    self->watched_count++;
    return true;
}

/* Those for which there was no memory, but the one that is gone (NULL: none). */
static void add_waiting(storage_t *self, const struct contract_key *gone)
{
    struct mail waiting = self->watches_waiting;
    self->watches_waiting = (struct mail){0};
    for (struct message *m = mail_pop(&waiting); m; m = mail_pop(&waiting)) {
        const struct contract_key *key = &((const struct watch *)m)->key;
        if ((gone && memcmp(key, gone, sizeof *key) == 0) || add(self, key))
            message_free(&m);
        else
            mail_push(&self->watches_waiting, m);
    }
}

/* While one waits for memory all changes are told: subscribe heeds those that somebody follows. */
bool storage_is_watched(storage_t *self, const struct contract_key *key)
{
    if (self->watches_waiting.first)
        add_waiting(self, NULL);
    return self->watches_waiting.first || find(self, key);
}

void storage_watch(storage_t *self, struct watch *watch)
{
    struct message *message = &watch->head;
    struct watched_key *row = find(self, &watch->key);
    add_waiting(self, watch->on ? NULL : &watch->key);
    if (watch->on && !add(self, &watch->key)) {
        mail_push(&self->watches_waiting, message);
        return;
    }
    if (!watch->on && row) {
        HASH_DEL(self->watched, row);
        free(row);
        self->watched_count--;
    }
    message_free(&message);
}

void storage_forget_watched(storage_t *self)
{
    struct watched_key *row, *next;
    HASH_ITER (hh, self->watched, row, next) {
        HASH_DEL(self->watched, row);
        free(row);
    }
    mail_free(&self->watches_waiting);
}
