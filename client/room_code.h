/* room_code: invitations and cards, as bytes and text.
 *
 *   invitation := "weir-room:" · base64url, without padding, of code; white space is left out
 *   card       := code
 *   code       := u8 1 · u8 flags · [me (32)] · u16 size · parameters · u8 n · n × link ·
 *                 [seed (32)] · [u8 m · m × seed (32)] · check (4)
 *   flags      := 1 the room is private · 2 there is a seed · 4 there is `me` · 8 there are more
 *                 seeds, m from 1 to 3; in a card alone
 *   check      := the first bytes of BLAKE2b-128 (label · all before it): finds typing errors
 *
 * An invitation has a seed and no `me`: its links lead to the seed's public key, and who has the
 * seed signs with it the link to its own key. A card has `me`, its links lead to it, and it keeps
 * the seed while keys of a private room may lie sealed to it, and so those of invitations by which
 * it was entered before. Both are secrets. */
#ifndef WEIR_CLIENT_ROOM_CODE_H
#define WEIR_CLIENT_ROOM_CODE_H

#include "base/buffer.h"
#include "contracts/room_record.h"

enum { ROOM_SEED_BYTES = 32 };

struct room_code {
    bool is_private;
    const uint8_t *me;   /* WRITER_KEY_BYTES, or NULL */
    struct slice params; /* at most ROOM_PARAMS_MAX bytes */
    struct slice chain;  /* at most ROOM_LINKS_MAX links */
    const uint8_t *seed; /* ROOM_SEED_BYTES, or NULL */
    struct slice more;   /* further seeds, side by side; ROOM_SEEDS_MAX with the first */
};

/* What an invitation's parameters may have: a name at its longest and the rest. */
enum { ROOM_PARAMS_MAX = 1200 };

/* Appends a card. ERR_NO_MEMORY, ERR_TOO_LARGE. */
MUST_USE int room_card_write(const struct room_code *code, struct buffer *out);
/* Borrows from the bytes. ERR_BAD_REQUEST. */
MUST_USE int room_card_read(struct slice bytes, struct room_code *code, struct reason *why);

/* *text is new, terminated. ERR_NO_MEMORY, ERR_TOO_LARGE. */
MUST_USE int room_invitation_print(const struct room_code *code, char **text);
/* Borrows from `bytes`, which the caller wipes. ERR_BAD_REQUEST. */
MUST_USE int room_invitation_read(const char *text, uint8_t bytes[ROOM_INVITATION_BYTES_MAX],
                                  struct room_code *code, struct reason *why);

#endif
