/* room_standing: who is who in a room, from its registers: configuration, members, bans, nicknames,
 * room keys, upgrade. Part of contracts/room_view.h; made anew whenever one of these changes.
 *
 * A member entry that says `left` is no member, but what it wrote stays. Of more members than the
 * configuration allows those count whose chain is shorter, then those invited before. */
#ifndef WEIR_CONTRACTS_ROOM_STANDING_H
#define WEIR_CONTRACTS_ROOM_STANDING_H

#include "contracts/kind.h"
#include "contracts/room_bans.h"
#include "contracts/room_keyring.h"

/* One member entry. */
struct standing_member {
    struct room_member shown;
    struct slice chain;
    bool here, out;
    bool counts; /* what it writes is shown */
};

struct room_standing {
    const struct contract *contract;
    enum room_view_of of;
    struct buffer bytes;  /* the entries that all below borrows from */
    struct buffer opened; /* texts that were sealed */
    struct room_config config;
    struct slice name, description;
    struct room_bans bans;
    struct standing_member *entries; /* all, by key */
    size_t entry_count;
    const struct room_member **members; /* those who are members now */
    size_t member_count;
    struct room_member owner;
    struct room_ban *shown; /* bans in force */
    size_t shown_count;
    struct room_grant *grants;
    size_t grant_count;
    const uint8_t *upgrade;
};

void room_standing_init(struct room_standing *self, const struct contract *contract,
                        enum room_view_of of);
void room_standing_free(struct room_standing *self);

/* Reads all of it anew. ERR_NO_MEMORY, or an error of the reader. */
MUST_USE int room_standing_read(struct room_standing *self, const struct state_reader *state,
                                const struct room_keyring *keys);

/* Is what this author wrote with this chain shown? */
bool room_standing_has(const struct room_standing *self, const uint8_t *author, struct slice chain);

/* The owner, or a moderator whom the owner did not ban. */
bool room_standing_moderates(const struct room_standing *self, const uint8_t *key);

enum room_place room_standing_place(const struct room_standing *self, const uint8_t *key);

/* The member entry of a key, NULL when it has none. */
const struct standing_member *room_standing_find(const struct room_standing *self,
                                                 const uint8_t *key);

#endif
