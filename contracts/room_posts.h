/* room_posts: the timed entries of a room, in order of time, and what a message says after all that
 * was written about it. Part of contracts/room_view.h.
 *
 * Of those who are in (contracts/room_standing.h), in order of (stamp, id):
 *   edit      by the author: the last one gives the text
 *   delete    by the author, a moderator or the owner: for good
 *   react     of each author and text the last reaction or its removal stands
 * A text over the configured size is as if it had not been written; so is a reaction that is sealed
 * under a key not given. */
#ifndef WEIR_CONTRACTS_ROOM_POSTS_H
#define WEIR_CONTRACTS_ROOM_POSTS_H

#include "contracts/room_standing.h"

/* One entry, copied. */
struct room_post {
    struct room_record record;
    struct room_message message; /* what it says, if it is one that is shown */
    struct room_direct direct;
    bool in;       /* its author is */
    bool readable; /* plain or opened */
    struct slice plain;
    struct room_reaction *reactions; /* of message, with their authors behind them */
    uint8_t bytes[];
};

/* A list in order of spots, or of (target, spot). */
struct room_posts {
    bool by_target;
    struct room_post **list;
    size_t count, capacity;
};

/* A new post from a timed entry that passed check_entry; NULL without memory. */
struct room_post *room_post_new(const struct contract *contract, const struct room_keyring *keys,
                                struct slice key, struct slice value);
void room_post_free(struct room_post *post);

/* Is it shown by itself (true), or does it speak about another? */
bool room_post_is_root(const struct room_post *post);

/* The first place at or after a spot; target is NULL for lists by spot. */
size_t room_posts_from(const struct room_posts *self, const uint8_t *target, const uint8_t *spot);
struct room_post *room_posts_find(const struct room_posts *self, const uint8_t *target,
                                  const uint8_t *spot);

/* Makes place for that many in all. ERR_NO_MEMORY. */
MUST_USE int room_posts_reserve(struct room_posts *self, size_t count);

/* ERR_NO_MEMORY. */
MUST_USE int room_posts_insert(struct room_posts *self, struct room_post *post);

/* Takes it off the list, if it is there. */
void room_posts_remove(struct room_posts *self, const struct room_post *post);

/* Frees all posts of a list, which is empty then. */
void room_posts_clear(struct room_posts *self);

/* Fills post->message from the post and the actions on it. ERR_NO_MEMORY. */
MUST_USE int room_post_resolve(struct room_post *post, const struct room_posts *actions,
                               const struct room_standing *standing);

/* Is the post one to show, as far as it alone can tell? */
bool room_post_counts(const struct room_post *post, const struct room_standing *standing);

#endif
