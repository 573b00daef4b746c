/* room_write: entries of a room, built and signed. Time, keys and nonces are arguments: stamps are
 * clock_stamp (now, the greatest stamp seen), keys and nonces come from a random source.
 *
 * Each function appends one signed entry to `out`; one is a delta by itself, several make one after
 * entries_sort. What check_entry would refuse is not built: ERR_BAD_REQUEST with its sentence, out
 * is untouched. ERR_NO_MEMORY. */
#ifndef WEIR_CONTRACTS_ROOM_WRITE_H
#define WEIR_CONTRACTS_ROOM_WRITE_H

#include "contracts/room_seal.h"

/* Who writes. Borrows. */
struct room_author {
    const struct contract *contract;
    const uint8_t *secret; /* Ed25519, libsodium's 64 bytes */
    struct slice chain;    /* from room_write_link, side by side; empty: the owner */
};

/* A text, plain, or sealed when it has a key. */
struct room_words {
    struct slice plain;
    const uint8_t *key;   /* ROOM_KEY_BYTES, or NULL */
    const uint8_t *nonce; /* ROOM_NONCE_BYTES, fresh for each text */
};

/* room_config's caps and moderators; its texts as words. */
struct room_settings {
    struct room_config config; /* name and description are not looked at */
    struct room_words name, description;
};

/* Appends the chain of whom the author invites: the author's own and one link. To admit someone
 * whose key is known, or a fresh key whose secret then travels as an invitation: who has it signs
 * the link of its own key with it, as an author with that chain. */
void room_write_link(const struct room_author *author, const uint8_t invited[WRITER_KEY_BYTES],
                     uint64_t stamp, struct buffer *chain);

MUST_USE int room_write_config(const struct room_author *author, uint64_t stamp,
                               const struct room_settings *settings, struct buffer *out,
                               struct reason *why);

/* The author is a member from now on, or has left. */
MUST_USE int room_write_member(const struct room_author *author, uint64_t stamp, bool here,
                               struct buffer *out, struct reason *why);
MUST_USE int room_write_nickname(const struct room_author *author, uint64_t stamp,
                                 const struct room_words *nickname, struct buffer *out,
                                 struct reason *why);

/* Bans, or lifts the author's own ban. */
MUST_USE int room_write_ban(const struct room_author *author, uint64_t stamp,
                            const uint8_t target[WRITER_KEY_BYTES], bool in_force,
                            struct buffer *out, struct reason *why);

/* target: a spot, for contents that have one, else NULL. words: for those that have a text, else
 * NULL. spot (may be NULL) is the new message's. */
MUST_USE int room_write_message(const struct room_author *author, uint64_t stamp,
                                enum room_content content, const uint8_t *target,
                                const struct room_words *words, uint8_t spot[ROOM_SPOT_BYTES],
                                struct buffer *out, struct reason *why);

MUST_USE int room_write_direct(const struct room_author *author, uint64_t stamp,
                               const uint8_t recipient[WRITER_KEY_BYTES],
                               const uint8_t nonce[ROOM_NONCE_BYTES], struct slice plain,
                               struct buffer *out, struct reason *why);

/* A room key of that number and its copies, from room_copy_seal, ascending by member. */
MUST_USE int room_write_keys(const struct room_author *author, uint64_t stamp, uint64_t number,
                             const uint8_t key[ROOM_KEY_BYTES], struct slice copies,
                             struct buffer *out, struct reason *why);

MUST_USE int room_write_upgrade(const struct room_author *author, uint64_t stamp,
                                const uint8_t next[CONTRACT_KEY_BYTES], struct buffer *out,
                                struct reason *why);

#endif
