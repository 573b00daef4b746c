/* room_bans: which bans of a room count, and whom they keep out. Part of contracts/room_view.h.
 *
 * Who is out. Follow a chain from the owner down, or from the last moderator in it: the owner named
 * that one, so it stands by itself. Someone on the way is banned when there is a ban on it
 *   - by the owner;
 *   - by a moderator whom the owner did not ban, if it is no such moderator itself;
 *   - by who stands above it in this chain (from that moderator on), and is thus not out.
 * One banned, all below are out. There is no circle: each step looks at those above it alone.
 *
 * Of more bans than the configuration allows the owner's count first, then moderators', then
 * others'; within that the older. */
#ifndef WEIR_CONTRACTS_ROOM_BANS_H
#define WEIR_CONTRACTS_ROOM_BANS_H

#include "contracts/room_view.h"

/* A ban entry that is not lifted. */
struct room_ban_entry {
    struct room_ban ban;
    const uint8_t *id;
    int rank; /* of room_bans_choose */
};

/* Zero-initialised: none. Borrows keys. */
struct room_bans {
    const uint8_t *owner;
    struct room_ban *list; /* those that count, by (target, author) */
    size_t count;
    uint8_t moderators[ROOM_MODERATORS_MAX * WRITER_KEY_BYTES]; /* that the owner did not ban */
    size_t moderator_count;
};

/* Chooses among the entries, which it puts in another order. ERR_NO_MEMORY. */
MUST_USE int room_bans_choose(struct room_bans *self, const uint8_t *owner,
                              const struct room_config *config, struct room_ban_entry *entries,
                              size_t count);
void room_bans_free(struct room_bans *self);

/* Does a ban keep out whom this chain leads to? */
bool room_bans_out(const struct room_bans *self, struct slice chain);

/* A moderator whom the owner did not ban; the owner is none. */
bool room_bans_moderator(const struct room_bans *self, const uint8_t *key);

/* Does this ban, one of the list, keep someone out? `chain` is the target's, empty when it has none
 * or is not known. */
bool room_bans_in_force(const struct room_bans *self, const struct room_ban *ban,
                        struct slice chain);

#endif
