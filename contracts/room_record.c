#include "contracts/room_record.h"

#include "contracts/kind.h"

#include <sodium/crypto_generichash.h>

static const char record_label[] = "weir room record 1";
static const uint8_t link_label[16] = "weir room link 1"; /* no zero byte at its end */

size_t room_head_bytes(struct slice key)
{
    return key.data[0] == ROOM_DIRECT || key.data[0] == ROOM_MESSAGE ? 1 : key.size;
}

void room_record_id(const struct contract *contract, const uint8_t author[WRITER_KEY_BYTES],
                    struct slice head, uint64_t stamp, struct slice rest, uint8_t id[ROOM_ID_BYTES])
{
    uint8_t head_bytes = (uint8_t)head.size, stamp_bytes[8];
    crypto_generichash_state hash;
    put_u64(stamp_bytes, stamp);
    crypto_generichash_init(&hash, NULL, 0, ROOM_ID_BYTES);
    crypto_generichash_update(&hash, (const uint8_t *)record_label, sizeof record_label - 1);
    crypto_generichash_update(&hash, contract->key.bytes, sizeof contract->key.bytes);
    crypto_generichash_update(&hash, author, WRITER_KEY_BYTES);
    crypto_generichash_update(&hash, &head_bytes, 1);
    crypto_generichash_update(&hash, head.data, head.size);
    crypto_generichash_update(&hash, stamp_bytes, sizeof stamp_bytes);
    crypto_generichash_update(&hash, rest.data, rest.size);
    crypto_generichash_final(&hash, id, ROOM_ID_BYTES);
}

void room_link_signed(const struct contract *contract, const uint8_t inviter[WRITER_KEY_BYTES],
                      const uint8_t invited[WRITER_KEY_BYTES], uint64_t stamp,
                      uint8_t out[ROOM_LINK_SIGNED_BYTES])
{
    memcpy(out, link_label, sizeof link_label);
    memcpy(out + 16, contract->key.bytes, 32);
    memcpy(out + 48, inviter, 32);
    memcpy(out + 80, invited, 32);
    put_u64(out + 112, stamp);
}

static bool is_owner(const struct contract *contract, const uint8_t *key)
{
    return memcmp(contract->owner, key, WRITER_KEY_BYTES) == 0;
}

/* A chain leads from the owner to the author and names nobody twice. */
static int check_chain(const struct contract *contract, const struct room_record *record,
                       struct reason *why)
{
    size_t count = room_links(record->chain);
    if ((count == 0) != is_owner(contract, record->author))
        return fail(why, ERR_BAD_STATE,
                    count ? "the owner needs no invitation, it brings %zu"
                          : "its author is a stranger: it brings %zu invitations",
                    count);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *link = room_link(record->chain, i);
        int rc = stamp_check(get_u64(link + WRITER_KEY_BYTES), why);
        if (rc)
            return rc;
        bool again = is_owner(contract, link);
        for (size_t j = 0; j < i; j++)
            again |= memcmp(room_link(record->chain, j), link, WRITER_KEY_BYTES) == 0;
        if (again)
            return fail(why, ERR_BAD_STATE, "invitation %zu is to someone above it", i + 1);
    }
    if (count && memcmp(room_link(record->chain, count - 1), record->author, WRITER_KEY_BYTES) != 0)
        return fail(why, ERR_BAD_STATE, "its last invitation is not its author's");
    return 0;
}

static const struct section {
    size_t key_bytes;
    size_t author_at; /* where the key names the author, 0: nowhere */
    enum room_section section;
    bool timed;  /* stamp and id are in the key */
    bool owners; /* the owner's alone */
} sections[] = {
    {1 + 2 * WRITER_KEY_BYTES, 1 + WRITER_KEY_BYTES, ROOM_BAN, false, false},
    {1, 0, ROOM_CONFIG, false, true},
    {1 + ROOM_SPOT_BYTES, 0, ROOM_DIRECT, true, false},
    {1 + WRITER_KEY_BYTES, 1, ROOM_INFO, false, false},
    {1 + 8 + WRITER_KEY_BYTES, 1 + 8, ROOM_KEYS, false, false},
    {1 + WRITER_KEY_BYTES, 1, ROOM_MEMBER, false, false},
    {1 + ROOM_SPOT_BYTES, 0, ROOM_MESSAGE, true, false},
    {1, 0, ROOM_UPGRADE, false, true},
};

static const struct section *section_of(struct slice key)
{
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
        if (key.size == sections[i].key_bytes && key.data[0] == sections[i].section)
            return &sections[i];
    return NULL;
}

/* Takes stamp, id, chain and body apart. */
static int read_frame(const struct section *section, struct slice key, struct slice value,
                      struct room_record *record, struct reason *why)
{
    struct slice rest = slice_of(value.data, value.size - WRITER_TRAILER_BYTES);
    struct slice spot = section->timed ? slice_after(key, 1) : rest;
    if (spot.size < ROOM_SPOT_BYTES)
        return fail(why, ERR_BAD_STATE, "it is cut short");
    record->section = section->section;
    record->author = rest.data + rest.size;
    record->stamp = get_u64(spot.data);
    record->id = spot.data + 8;
    int rc = stamp_check(record->stamp, why);
    if (rc)
        return rc;
    rest = section->timed ? rest : slice_after(rest, ROOM_SPOT_BYTES);
    size_t links = rest.size ? rest.data[0] : 0, size = links * ROOM_LINK_BYTES;
    if (links > ROOM_LINKS_MAX || rest.size < 1 + size)
        return fail(why, ERR_BAD_STATE, "%zu invitations: cut short, or over %u", links,
                    ROOM_LINKS_MAX);
    record->chain = slice_of(rest.data + 1, size);
    record->body = slice_after(rest, 1 + size);
    return 0;
}

static int read_switch(struct room_record *record, struct reason *why)
{
    if (record->body.size != 1 || record->body.data[0] > 1)
        return fail(why, ERR_BAD_STATE, "its body is neither 0 nor 1");
    record->on = record->body.data[0];
    return 0;
}

static int read_keys(struct slice key, struct room_record *record, struct reason *why)
{
    struct slice body = record->body;
    size_t head = ROOM_KEY_ID_BYTES + 2;
    record->key_number = get_u64(key.data + 1);
    size_t count = body.size < head ? 0 : get_u16(body.data + ROOM_KEY_ID_BYTES);
    if (body.size != head + count * ROOM_COPY_BYTES || count > ROOM_MEMBERS_MAX)
        return fail(why, ERR_BAD_STATE, "%zu copies of a key: cut short, or over %u", count,
                    ROOM_MEMBERS_MAX);
    if (!room_keys_ascend(slice_after(body, head), ROOM_COPY_BYTES))
        return fail(why, ERR_BAD_STATE, "its copies are not in order, one a member");
    return stamp_check(record->key_number, why);
}

static int read_direct(struct room_record *record, struct reason *why)
{
    size_t head = WRITER_KEY_BYTES + ROOM_NONCE_BYTES + ROOM_TAG_BYTES;
    if (record->body.size < head || record->body.size > head + ROOM_TEXT_BYTES_MAX)
        return fail(why, ERR_BAD_STATE, "its body has %zu bytes, a direct message's %zu to %zu",
                    record->body.size, head, head + ROOM_TEXT_BYTES_MAX);
    record->subject = record->body.data;
    return 0;
}

/* What each content is made of. */
static const struct {
    bool target, text;
    size_t text_max;
} contents[] = {
    [ROOM_TEXT] = {false, true, ROOM_TEXT_BYTES_MAX},
    [ROOM_REPLY] = {true, true, ROOM_TEXT_BYTES_MAX},
    [ROOM_EDIT] = {true, true, ROOM_TEXT_BYTES_MAX},
    [ROOM_DELETE] = {true, false, 0},
    [ROOM_REACT] = {true, true, ROOM_REACTION_BYTES_MAX},
    [ROOM_UNREACT] = {true, true, ROOM_REACTION_BYTES_MAX},
    [ROOM_JOIN] = {false, false, 0},
    [ROOM_LEAVE] = {false, false, 0},
};

/* A message speaks of older ones only, so that a cap drops it no earlier than what it speaks of. */
static int read_message(struct slice key, struct room_record *record, struct reason *why)
{
    struct slice rest = record->body;
    unsigned content = rest.size ? rest.data[0] : 0;
    if (content < ROOM_TEXT || content > ROOM_LEAVE)
        return fail(why, ERR_BAD_STATE, "content %u, there are %d to %d", content, ROOM_TEXT,
                    ROOM_LEAVE);
    record->content = (enum room_content)content;
    rest = slice_after(rest, 1);
    if (contents[content].target) {
        if (rest.size < ROOM_SPOT_BYTES || memcmp(rest.data, key.data + 1, ROOM_SPOT_BYTES) >= 0)
            return fail(why, ERR_BAD_STATE, "it speaks of a message that is not before it in time");
        record->target = rest.data;
        rest = slice_after(rest, ROOM_SPOT_BYTES);
    }
    if (contents[content].text)
        return room_text_read(rest, contents[content].text_max, "text", &record->text, why);
    if (rest.size)
        return fail(why, ERR_BAD_STATE, "%zu bytes follow its content", rest.size);
    return 0;
}

static int read_body(const struct contract *contract, struct slice key, struct room_record *record,
                     struct reason *why)
{
    struct room_config config;
    switch (record->section) {
    case ROOM_BAN:
        record->subject = key.data + 1;
        if (is_owner(contract, record->subject))
            return fail(why, ERR_BAD_STATE, "nobody can ban the owner");
        return read_switch(record, why);
    case ROOM_CONFIG:
        return room_config_read(record->body, &config, why);
    case ROOM_DIRECT:
        return read_direct(record, why);
    case ROOM_INFO:
        record->subject = record->author;
        return room_text_read(record->body, ROOM_NICKNAME_BYTES_MAX, "nickname", &record->text,
                              why);
    case ROOM_KEYS:
        return read_keys(key, record, why);
    case ROOM_MEMBER:
        record->subject = record->author;
        return read_switch(record, why);
    case ROOM_MESSAGE:
        return read_message(key, record, why);
    case ROOM_UPGRADE:
        if (record->body.size != CONTRACT_KEY_BYTES)
            return fail(why, ERR_BAD_STATE, "its body is no contract key");
        return 0;
    }
    return fail(why, ERR_BAD_STATE, "it is in no section of a room");
}

int room_record_frame(struct slice key, struct slice value, struct room_record *record,
                      struct reason *why)
{
    const struct section *section = section_of(key);
    *record = (struct room_record){0};
    if (!section)
        return fail(why, ERR_BAD_STATE,
                    "it is in no section of a room, or its key has a wrong size");
    if (value.size < WRITER_TRAILER_BYTES)
        return fail(why, ERR_BAD_STATE, "it carries no writer and signature");
    return read_frame(section, key, value, record, why);
}

int room_record_read(const struct contract *contract, struct slice key, struct slice value,
                     struct room_record *record, struct reason *why)
{
    int rc = room_record_frame(key, value, record, why);
    if (rc)
        return rc;
    const struct section *section = section_of(key);
    if (section->author_at &&
        memcmp(key.data + section->author_at, record->author, WRITER_KEY_BYTES) != 0)
        return fail(why, ERR_BAD_STATE, "its key names someone else as its author");
    if (section->owners && !is_owner(contract, record->author))
        return fail(why, ERR_BAD_STATE, "the owner alone may write it");
    rc = check_chain(contract, record, why);
    return rc ? rc : read_body(contract, key, record, why);
}
