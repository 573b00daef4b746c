/* party: people with handles of one room (client/weir_room.h), who give each other what they wrote:
 * for tests of rooms without a node. What each gets is checked as a node checks it. */
#ifndef PARTY_H
#define PARTY_H

#include "client/room.h"
#include "contracts/state.h"

enum { PARTY_MAX = 6 };

struct party {
    weir_signer_t *signers[PARTY_MAX];
    weir_room_t *rooms[PARTY_MAX]; /* of those who are in; 0 is the owner's */
    weir_contract_t *contract;
    state_t *state; /* what a node would hold */
    struct reason why;
    char shown[2048];
};

/* Signers for all, and the owner's room. settings may be NULL. */
void party_open(struct party *self, const struct weir_room_settings *settings);
void party_close(struct party *self);

/* An invitation of `who` for `guest`, who joins with it. All is exchanged before and after. */
void party_invite(struct party *self, size_t who, size_t guest);
/* Joins with a text; what comes of it is not given to others yet. */
void party_join(struct party *self, size_t guest, const char *invitation);

/* Everyone's pending delta goes into the state, and all of it to everyone. */
void party_exchange(struct party *self);

const uint8_t *party_key(const struct party *self, size_t who);

/* `who` says it; all get it. */
struct party_spot {
    uint8_t bytes[WEIR_SPOT_BYTES];
};
struct party_spot party_say(struct party *self, size_t who, const char *text);

/* Messages as `who` sees them: `text`, `text*` edited, `-` deleted, `?` sealed, `(joins)`,
 * `text[+2 …]` reactions with their number; blanks between. And members as digits, by place in the
 * party; '?' for others. Borrowed until the next call. */
const char *party_messages(struct party *self, size_t who);
const char *party_members(struct party *self, size_t who);

/* Fails the test unless all members' views print the same. */
void party_agrees(struct party *self);

/* Signs a text for the room as `who`, dated `stamp`, past weir_room_say, and gives it to all. */
struct party_spot party_say_at(struct party *self, size_t who, uint64_t stamp, const char *text);

#endif
