/* room_config: the texts of a room's entries, and the configuration that its owner writes. Bytes
 * only, as in contracts/room_record.h.
 *
 *   text   := u8 0 · bytes | u8 1 · key id (16) · nonce (24) · XChaCha20-Poly1305 of the bytes
 *   config := u8 private · u32 messages · u32 members · u32 message bytes · u32 nickname bytes ·
 *             u32 bans · u8 n · n × moderator (32), ascending · u16 size · name: text ·
 *             u16 size · description: text */
#ifndef WEIR_CONTRACTS_ROOM_CONFIG_H
#define WEIR_CONTRACTS_ROOM_CONFIG_H

#include "contracts/contract.h"

enum {
    ROOM_KEY_BYTES = 32,    /* of what seals a private room's contents */
    ROOM_KEY_ID_BYTES = 16, /* names one of them */
    ROOM_NONCE_BYTES = 24,
    ROOM_TAG_BYTES = 16,                                             /* that sealing adds */
    ROOM_TEXT_HEAD_BYTES = 1 + ROOM_KEY_ID_BYTES + ROOM_NONCE_BYTES, /* of a sealed text */
};

/* A text as it stands in an entry: `bytes` plain, or the sealed ones with nonce and key id. */
struct room_text {
    bool sealed;
    const uint8_t *key_id, *nonce; /* when sealed */
    struct slice bytes;
};

/* The bytes that people read, without the tag of a sealed one. */
static inline size_t room_text_size(const struct room_text *text)
{
    return text->bytes.size - (text->sealed ? ROOM_TAG_BYTES : 0);
}

/* A text of at most `max` plain bytes. ERR_BAD_STATE; `what` names it. */
MUST_USE int room_text_read(struct slice bytes, size_t max, const char *what,
                            struct room_text *text, struct reason *why);

struct room_config {
    bool is_private;
    uint32_t messages, members, message_bytes, nickname_bytes, bans; /* caps of the view */
    struct slice moderators;                                         /* keys side by side */
    struct room_text name, description;
};

/* What holds while the owner has written none. */
struct room_config room_config_default(void);

/* The body of a configuration. ERR_BAD_STATE. */
MUST_USE int room_config_read(struct slice body, struct room_config *config, struct reason *why);

/* Are keys of 32 bytes at the head of items of `step` bytes in ascending order, each once? */
bool room_keys_ascend(struct slice list, size_t step);

#endif
