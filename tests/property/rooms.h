/* rooms: random rooms for the tests of contracts/room*: few people, chains of invitations that
 * differ, few stamps and texts, so that ties, bans of each other, caps and actions on messages that
 * are not there all come up. Signing is slow, so entries come from a pool made beforehand. */
#ifndef PROPERTY_ROOMS_H
#define PROPERTY_ROOMS_H

#include "contracts/room_view.h"
#include "contracts/room_write.h"
#include "tests/property/cases.h"

enum { ROOM_PEOPLE = 6, ROOM_CHAINS = 2, ROOM_POOL = 240, ROOM_DELTA_MAX = 10 };

struct person {
    uint8_t key[WRITER_KEY_BYTES], secret[64];
    struct buffer chains[ROOM_CHAINS]; /* two ways into the room; the owner's are empty */
};

struct random_room {
    struct buffer params;
    struct contract contract;
    struct person people[ROOM_PEOPLE]; /* the first is the owner */
    uint8_t room_key[ROOM_KEY_BYTES];
    struct buffer pool;
    struct entry entries[ROOM_POOL];
};

/* A contract of that owner; newest UINT64_MAX: not said. */
void room_params(const uint8_t owner[WRITER_KEY_BYTES], uint8_t salt, uint64_t newest,
                 struct buffer *out);

/* The i-th person of every test: a key pair from a seed. */
void person_make(struct person *self, uint8_t i);
struct room_author person_as_author(const struct person *self, const struct contract *contract,
                                    size_t chain);

/* Fresh; to be freed. Every entry of the pool passes contract_check. */
void random_room_make(struct random_room *self, uint64_t newest, struct random *random);
void random_room_free(struct random_room *self);

/* A delta of up to `most` entries of the pool. */
void random_room_delta(const struct random_room *self, struct random *random, size_t most,
                       struct buffer *out);

#endif
