/* room_view: what a room's state means: who is a member now, which messages count, edits and
 * deletions applied, reactions counted. A pure function of the state (and of the room keys that the
 * reader holds): the same on every node. It reads no clock.
 *
 * Kept up delta by delta; a view that took a state in any number of deltas is the one that took it
 * whole (property-tested). The rules: who is out (contracts/room_bans.h), who is a member
 * (contracts/room_standing.h), what a message says (contracts/room_posts.h). */
#ifndef WEIR_CONTRACTS_ROOM_VIEW_H
#define WEIR_CONTRACTS_ROOM_VIEW_H

#include "contracts/kind.h"
#include "contracts/room_record.h"
#include "contracts/room_seal.h"

typedef struct room_view room_view_t;

/* WHOLE: a room's state. PART: a delta or a range, whose authors' member entries may be missing:
 * each author's chain is then taken from what it wrote. */
enum room_view_of { ROOM_VIEW_WHOLE, ROOM_VIEW_PART };

struct room_reaction {
    struct slice text;             /* mostly one emoji */
    const uint8_t *const *authors; /* ascending by key */
    size_t count;
};

struct room_message {
    const uint8_t *spot; /* stamp u64 · id (20): when, and its name */
    const uint8_t *author;
    enum room_content content; /* ROOM_TEXT, ROOM_REPLY, ROOM_JOIN or ROOM_LEAVE */
    const uint8_t *reply_to;   /* a spot, which may be of no message that is here; else NULL */
    struct slice text;         /* what it says after edits; empty when deleted or sealed */
    bool sealed;               /* under a key that the view was not given */
    bool edited, deleted;
    const struct room_reaction *reactions; /* in byte order of their texts */
    size_t reaction_count;
};

struct room_member {
    const uint8_t *key;
    const uint8_t *inviter; /* who stands above it in its chain; NULL: the owner itself */
    uint64_t invited;       /* stamp of the invitation; the owner's 0 */
    struct slice nickname;  /* empty: none, or sealed */
    bool moderator;
};

/* Where someone stands. */
enum room_place {
    ROOM_IN,       /* the owner, or a member now */
    ROOM_STRANGER, /* has no member entry */
    ROOM_LEFT_IT,
    ROOM_BANNED,
    ROOM_CUT_OFF, /* someone above it in its chain is banned */
    ROOM_CROWDED  /* others come before it, as many as the configuration allows */
};

/* A ban in force. */
struct room_ban {
    const uint8_t *target, *author;
    uint64_t stamp;
};

struct room_direct {
    const uint8_t *spot, *author, *recipient, *nonce;
    struct slice box; /* room_direct_open */
};

/* Copies of a room key that a member wrote. */
struct room_grant {
    uint64_t number; /* counted up; of trusted ones the greatest (number, key id) is used */
    const uint8_t *key_id, *author;
    bool trusted;        /* by the owner or a moderator: to seal under; others are to read with */
    struct slice copies; /* room_copy_find */
};

/* A new view of the empty state. The contract must outlive it. NULL without memory. */
room_view_t *room_view_new(const struct contract *contract, enum room_view_of of);
void room_view_destroy(room_view_t **self);

/* Gives it a key to read sealed contents with. ERR_NO_MEMORY: the view must not be used further. */
MUST_USE int room_view_add_key(room_view_t *self, const uint8_t key[ROOM_KEY_BYTES]);

/* The same for several, side by side, reading all that is sealed once. */
MUST_USE int room_view_add_keys(room_view_t *self, const uint8_t *keys, size_t count);

/* Takes a delta (a state is one). Its form is checked; its signatures are not, that is for whoever
 * took it into the state. ERR_BAD_STATE with the entry, and nothing is changed; ERR_NO_MEMORY, and
 * the view must not be used further. */
MUST_USE int room_view_apply(room_view_t *self, struct slice delta, struct reason *why);

/* All below borrows from the view, until the next apply or add_key. */

/* Name and description are empty while sealed under a key that was not given. */
const struct room_config *room_view_config(const room_view_t *self);
struct slice room_view_name(const room_view_t *self);
struct slice room_view_description(const room_view_t *self);

/* Members now: the owner, then by (length of chain, stamp of invitation, key). */
size_t room_view_member_count(const room_view_t *self);
const struct room_member *room_view_member(const room_view_t *self, size_t i);

/* Is this key a member now? NULL when not. And the name it gave itself, empty when it has none. */
const struct room_member *room_view_find_member(const room_view_t *self, const uint8_t *key);
struct slice room_view_nickname(const room_view_t *self, const uint8_t *key);

enum room_place room_view_place(const room_view_t *self, const uint8_t *key);

/* Bans in force, in order of (target, author). */
size_t room_view_ban_count(const room_view_t *self);
const struct room_ban *room_view_ban(const room_view_t *self, size_t i);

/* The newest messages, as many as the configuration allows, the oldest of them first. */
size_t room_view_message_count(const room_view_t *self);
const struct room_message *room_view_message(const room_view_t *self, size_t i);

/* Direct messages between members, the oldest first. */
size_t room_view_direct_count(const room_view_t *self);
const struct room_direct *room_view_direct(const room_view_t *self, size_t i);

/* Room keys by (number, key id, author); `room_view_key_in_use` is the one to seal under, NULL when
 * there is none. */
size_t room_view_grant_count(const room_view_t *self);
const struct room_grant *room_view_grant(const room_view_t *self, size_t i);
const struct room_grant *room_view_key_in_use(const room_view_t *self);

/* The key of the room that takes this one's place, 32 bytes, or NULL. */
const uint8_t *room_view_upgrade(const room_view_t *self);

/* The state: its entries one by one, and all of it but the timed ones ('d', 't') in canonical
 * order, for who writes the next entry of a register. */
struct state_reader room_view_reader(const room_view_t *self);
struct slice room_view_registers(const room_view_t *self);

/* Appends all of the above as text, a line a thing: equal views are equal bytes. Bytes that
 * are no printable ASCII stand as \xNN. ERR_NO_MEMORY. */
MUST_USE int room_view_print(const room_view_t *self, struct buffer *out);

#endif
