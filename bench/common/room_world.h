/* room_world: rooms to measure with: their people, the newest of their messages, and more of them.
 * The first person owns the room; a tenth of all, by the owner's invitation, invite the others. */
#ifndef WEIR_BENCH_ROOM_WORLD_H
#define WEIR_BENCH_ROOM_WORLD_H

#include "contracts/room_write.h"

enum { ROOM_WORLD_MESSAGES = 1000, ROOM_WORLD_MEMBERS = 200 };

struct room_world {
    struct buffer params;
    struct contract contract;
    struct room_world_person {
        uint8_t key[WRITER_KEY_BYTES], secret[64];
        struct buffer chain;
    } people[ROOM_WORLD_MEMBERS];
    uint8_t key[ROOM_KEY_BYTES]; /* seals what is private */
};

/* A room of its own for each number, with the same people. The cap is what a full one has: one
 * message more drops the oldest. Not to be moved. */
void room_world_init(struct room_world *self, uint32_t number);
void room_world_free(struct room_world *self);

/* Appends the member entries of the first `members` people and so many messages, as a state. */
void room_world_state(const struct room_world *self, size_t members, size_t messages, bool sealed,
                      struct buffer *state);

/* Appends a message of about forty characters, dated ms: by the (ms % MEMBERS)-th person. */
void room_world_say(const struct room_world *self, uint64_t ms, bool sealed, struct buffer *out);

/* When its i-th message was written. */
static inline uint64_t room_world_ms(size_t i)
{
    return 1700000000000 + i;
}

#endif
