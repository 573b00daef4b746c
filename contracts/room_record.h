/* room_record: one entry of a room, read. Bytes only: who is a member now and what a message means
 * is the view's (contracts/room_view.h).
 *
 *   section             key                                 body
 *   'b' ban             'b' · target (32) · author (32)     u8 1 in force | 0 lifted
 *   'c' configuration   'c'                                 room_config, by the owner
 *   'd' direct          'd' · stamp u64 · id (20)           recipient (32) · nonce (24) · box
 *   'i' member info     'i' · author (32)                   nickname: text
 *   'k' room keys       'k' · number u64 · author (32)      key id (16) · u16 n · n × copy
 *   'm' member          'm' · author (32)                   u8 1 here | 0 left
 *   't' message         't' · stamp u64 · id (20)           u8 content · …
 *   'u' upgrade         'u'                                 key of the next room (32), by the owner
 *
 *   value    := [stamp u64 · id (20) ·] chain · body · author (32) · signature (64)
 *               'd' and 't' have stamp and id in their key instead: they are written once. The
 *               others are registers: the greater (stamp, id) stands.
 *   id       := BLAKE2b-160 ("weir room record 1" · room key (32) · author · u8 n · the n bytes of
 *               the key that stand before a stamp · stamp u64 · chain · body)
 *   chain    := u8 n · n × link          owner ▶ link 1 ▶ … ▶ link n = the author; the owner's: 0
 *   link     := invited (32) · stamp u64 · signature (64) by who stands before it, over
 *               "weir room link 1" · room key (32) · inviter (32) · invited · stamp
 *   copy     := member (32) · crypto_box_seal of the room key (80), ascending by member
 *   text, room_config: contracts/room_config.h
 *
 * Every entry brings the invitations of its author, so whether it is taken is decided by its own
 * bytes and those of the parameters: in any order, in any piece of any delta
 * (docs/decisions/0020-rooms.md). */
#ifndef WEIR_CONTRACTS_ROOM_RECORD_H
#define WEIR_CONTRACTS_ROOM_RECORD_H

#include "contracts/room_config.h"
#include "contracts/writers.h"

enum {
    ROOM_ID_BYTES = 20,
    ROOM_SPOT_BYTES = 8 + ROOM_ID_BYTES, /* stamp · id: a message's place in time, and its name */
    ROOM_LINK_BYTES = WRITER_KEY_BYTES + 8 + SIGNATURE_BYTES,
    ROOM_SEALED_KEY_BYTES = 32 + ROOM_TAG_BYTES + ROOM_KEY_BYTES,
    ROOM_COPY_BYTES = WRITER_KEY_BYTES + ROOM_SEALED_KEY_BYTES,
};

enum room_section {
    ROOM_BAN = 'b',
    ROOM_CONFIG = 'c',
    ROOM_DIRECT = 'd',
    ROOM_INFO = 'i',
    ROOM_KEYS = 'k',
    ROOM_MEMBER = 'm',
    ROOM_MESSAGE = 't',
    ROOM_UPGRADE = 'u',
};

/* What a message says. Those with a target speak about a message before them in time. */
enum room_content {
    ROOM_TEXT = 1, /* text */
    ROOM_REPLY,    /* target (28) · text */
    ROOM_EDIT,     /* target · text */
    ROOM_DELETE,   /* target */
    ROOM_REACT,    /* target · text */
    ROOM_UNREACT,  /* target · text */
    ROOM_JOIN,     /* nothing */
    ROOM_LEAVE,    /* nothing */
};

/* An entry read. All pointers go into its key and value. */
struct room_record {
    enum room_section section;
    uint64_t stamp;
    const uint8_t *id;
    const uint8_t *author;
    struct slice chain;     /* its links, without their count */
    const uint8_t *subject; /* ban: the target; direct: the recipient; member, info: the author */
    struct slice body;
    bool on;                   /* ban: in force; member: here */
    enum room_content content; /* message */
    const uint8_t *target;     /* message with a target: its spot, else NULL */
    struct room_text text;     /* message, info */
    uint64_t key_number;       /* keys */
};

/* Section, stamp, id, author, chain and body alone, of whatever room it is. ERR_BAD_STATE; record
 * may be half filled then. */
MUST_USE int room_record_frame(struct slice key, struct slice value, struct room_record *record,
                               struct reason *why);

/* Checks everything that the entry alone can tell, signatures and id aside: form, sizes, who may
 * write what. ERR_BAD_STATE with the reason; record may be half filled then. */
MUST_USE int room_record_read(const struct contract *contract, struct slice key, struct slice value,
                              struct room_record *record, struct reason *why);

/* The bytes of the key before a stamp: all of it, but of 'd' and 't' the first. */
size_t room_head_bytes(struct slice key);

/* The id of a record. `rest` is chain (with its count) and body. */
void room_record_id(const struct contract *contract, const uint8_t author[WRITER_KEY_BYTES],
                    struct slice head, uint64_t stamp, struct slice rest,
                    uint8_t id[ROOM_ID_BYTES]);

/* What an inviter signs, and the proof that it did: the hash of both. */
enum { ROOM_LINK_SIGNED_BYTES = 16 + 32 + 32 + 32 + 8 };
void room_link_signed(const struct contract *contract, const uint8_t inviter[WRITER_KEY_BYTES],
                      const uint8_t invited[WRITER_KEY_BYTES], uint64_t stamp,
                      uint8_t out[ROOM_LINK_SIGNED_BYTES]);

/* One link of a chain, from 0. */
static inline const uint8_t *room_link(struct slice chain, size_t i)
{
    return chain.data + i * ROOM_LINK_BYTES;
}

static inline size_t room_links(struct slice chain)
{
    return chain.size / ROOM_LINK_BYTES;
}

#endif
