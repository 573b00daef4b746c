#include "contracts/room_write.h"

#include "contracts/kind.h"
#include "contracts/merge.h"

#include <sodium/crypto_sign.h>

static void author_key(const struct room_author *author, uint8_t key[WRITER_KEY_BYTES])
{
    crypto_sign_ed25519_sk_to_pk(key, author->secret);
}

/* A key of a section, and perhaps up to two parts behind it. */
struct key {
    uint8_t bytes[1 + 2 * WRITER_KEY_BYTES];
    size_t size;
};

static struct key key_of(enum room_section section, const void *a, size_t a_bytes, const void *b,
                         size_t b_bytes)
{
    struct key key = {.bytes = {(uint8_t)section}, .size = 1 + a_bytes + b_bytes};
    if (a_bytes)
        memcpy(key.bytes + 1, a, a_bytes);
    if (b_bytes)
        memcpy(key.bytes + 1 + a_bytes, b, b_bytes);
    return key;
}

static int check_and_sign(const struct room_author *author, struct slice entry, struct buffer *out,
                          struct reason *why)
{
    struct buffer made = {0};
    struct entry signed_entry;
    int rc = writers_sign(author->contract, author->secret, entry, &made, why);
    if (!rc) {
        struct slice rest = buffer_slice(&made);
        (void)entry_take(&rest, &signed_entry);
        rc = contract_check_entry(author->contract, signed_entry.key, signed_entry.value, why);
        rc = rc ? ERR_BAD_REQUEST : 0;
    }
    if (!rc) {
        buffer_append_slice(out, buffer_slice(&made));
        rc = buffer_failed(out) ? ERR_NO_MEMORY : 0;
    }
    buffer_free(&made);
    return rc;
}

/* Signs and appends an entry whose id stands in its value, or in its key when that is timed: then
 * `head` is the section alone. */
static int write_entry(const struct room_author *author, const struct key *head, uint64_t stamp,
                       const struct buffer *body, uint8_t spot[ROOM_SPOT_BYTES], struct buffer *out,
                       struct reason *why)
{
    struct buffer rest = {0}, value = {0}, entry = {0};
    uint8_t own[WRITER_KEY_BYTES], place[ROOM_SPOT_BYTES];
    struct key key = *head;
    bool timed = head->bytes[0] == ROOM_MESSAGE || head->bytes[0] == ROOM_DIRECT;
    author_key(author, own);
    buffer_append_u8(&rest, (uint8_t)room_links(author->chain));
    buffer_append_slice(&rest, author->chain);
    buffer_append_slice(&rest, buffer_slice(body));
    put_u64(place, stamp);
    room_record_id(author->contract, own, slice_of(head->bytes, head->size), stamp,
                   buffer_slice(&rest), place + 8);
    if (timed)
        key = key_of((enum room_section)head->bytes[0], place, sizeof place, NULL, 0);
    else
        buffer_append(&value, place, sizeof place);
    buffer_append_slice(&value, buffer_slice(&rest));
    entry_append(&entry, slice_of(key.bytes, key.size), buffer_slice(&value));
    int rc = buffer_failed(body) || buffer_failed(&rest) || buffer_failed(&value) ||
                     buffer_failed(&entry)
                 ? fail(why, ERR_NO_MEMORY, "no memory to write it")
                 : check_and_sign(author, buffer_slice(&entry), out, why);
    if (!rc && spot)
        memcpy(spot, place, sizeof place);
    buffer_free(&rest);
    buffer_free(&value);
    buffer_free(&entry);
    return rc;
}

static void append_words(const struct room_author *author, const struct room_words *words,
                         struct buffer *out)
{
    uint8_t own[WRITER_KEY_BYTES];
    author_key(author, own);
    if (words->key) {
        room_text_seal(author->contract, words->key, words->nonce, own, words->plain, out);
        return;
    }
    buffer_append_u8(out, 0);
    buffer_append_slice(out, words->plain);
}

void room_write_link(const struct room_author *author, const uint8_t invited[WRITER_KEY_BYTES],
                     uint64_t stamp, struct buffer *chain)
{
    uint8_t message[ROOM_LINK_SIGNED_BYTES], own[WRITER_KEY_BYTES], signature[SIGNATURE_BYTES];
    author_key(author, own);
    room_link_signed(author->contract, own, invited, stamp, message);
    (void)crypto_sign_detached(signature, NULL, message, sizeof message, author->secret);
    buffer_append_slice(chain, author->chain);
    buffer_append(chain, invited, WRITER_KEY_BYTES);
    buffer_append_u64(chain, stamp);
    buffer_append(chain, signature, sizeof signature);
}

/* u16 size · text */
static void append_sized_words(const struct room_author *author, const struct room_words *words,
                               struct buffer *out)
{
    size_t head = words->key ? ROOM_TEXT_HEAD_BYTES + ROOM_TAG_BYTES : 1;
    size_t size = head + words->plain.size;
    uint8_t bytes[2];
    put_u16(bytes, (uint16_t)(size < UINT16_MAX ? size : UINT16_MAX)); /* check_entry says so */
    buffer_append(out, bytes, sizeof bytes);
    append_words(author, words, out);
}

int room_write_config(const struct room_author *author, uint64_t stamp,
                      const struct room_settings *settings, struct buffer *out, struct reason *why)
{
    const struct room_config *config = &settings->config;
    const uint32_t caps[] = {config->messages, config->members, config->message_bytes,
                             config->nickname_bytes, config->bans};
    struct key key = key_of(ROOM_CONFIG, NULL, 0, NULL, 0);
    struct buffer body = {0};
    size_t moderators = config->moderators.size / WRITER_KEY_BYTES;
    if (moderators > ROOM_MODERATORS_MAX)
        return fail(why, ERR_BAD_REQUEST, "%zu moderators, the most is %u", moderators,
                    ROOM_MODERATORS_MAX);
    buffer_append_u8(&body, config->is_private);
    for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++)
        buffer_append_u32(&body, caps[i]);
    buffer_append_u8(&body, (uint8_t)moderators);
    buffer_append_slice(&body, config->moderators);
    append_sized_words(author, &settings->name, &body);
    append_sized_words(author, &settings->description, &body);
    int rc = write_entry(author, &key, stamp, &body, NULL, out, why);
    buffer_free(&body);
    return rc;
}

/* A register whose body is one byte. */
static int write_switch(const struct room_author *author, const struct key *key, uint64_t stamp,
                        bool on, struct buffer *out, struct reason *why)
{
    struct buffer body = {0};
    buffer_append_u8(&body, on);
    int rc = write_entry(author, key, stamp, &body, NULL, out, why);
    buffer_free(&body);
    return rc;
}

int room_write_member(const struct room_author *author, uint64_t stamp, bool here,
                      struct buffer *out, struct reason *why)
{
    uint8_t own[WRITER_KEY_BYTES];
    author_key(author, own);
    struct key key = key_of(ROOM_MEMBER, own, sizeof own, NULL, 0);
    return write_switch(author, &key, stamp, here, out, why);
}

int room_write_nickname(const struct room_author *author, uint64_t stamp,
                        const struct room_words *nickname, struct buffer *out, struct reason *why)
{
    uint8_t own[WRITER_KEY_BYTES];
    struct buffer body = {0};
    author_key(author, own);
    struct key key = key_of(ROOM_INFO, own, sizeof own, NULL, 0);
    append_words(author, nickname, &body);
    int rc = write_entry(author, &key, stamp, &body, NULL, out, why);
    buffer_free(&body);
    return rc;
}

int room_write_ban(const struct room_author *author, uint64_t stamp,
                   const uint8_t target[WRITER_KEY_BYTES], bool in_force, struct buffer *out,
                   struct reason *why)
{
    uint8_t own[WRITER_KEY_BYTES];
    author_key(author, own);
    struct key key = key_of(ROOM_BAN, target, WRITER_KEY_BYTES, own, sizeof own);
    return write_switch(author, &key, stamp, in_force, out, why);
}

int room_write_message(const struct room_author *author, uint64_t stamp, enum room_content content,
                       const uint8_t *target, const struct room_words *words,
                       uint8_t spot[ROOM_SPOT_BYTES], struct buffer *out, struct reason *why)
{
    struct key head = key_of(ROOM_MESSAGE, NULL, 0, NULL, 0);
    struct buffer body = {0};
    buffer_append_u8(&body, (uint8_t)content);
    if (target)
        buffer_append(&body, target, ROOM_SPOT_BYTES);
    if (words)
        append_words(author, words, &body);
    int rc = write_entry(author, &head, stamp, &body, spot, out, why);
    buffer_free(&body);
    return rc;
}

int room_write_direct(const struct room_author *author, uint64_t stamp,
                      const uint8_t recipient[WRITER_KEY_BYTES],
                      const uint8_t nonce[ROOM_NONCE_BYTES], struct slice plain, struct buffer *out,
                      struct reason *why)
{
    struct key head = key_of(ROOM_DIRECT, NULL, 0, NULL, 0);
    struct buffer body = {0};
    int rc = room_direct_seal(author->secret, recipient, nonce, plain, &body);
    if (rc == ERR_TOO_LARGE)
        rc = fail(why, ERR_BAD_REQUEST, "a direct message of %zu bytes, the most is %u", plain.size,
                  ROOM_TEXT_BYTES_MAX);
    else if (rc)
        rc = fail(why, ERR_BAD_REQUEST, "the recipient's key is none");
    else
        rc = write_entry(author, &head, stamp, &body, NULL, out, why);
    buffer_free(&body);
    return rc;
}

int room_write_keys(const struct room_author *author, uint64_t stamp, uint64_t number,
                    const uint8_t key[ROOM_KEY_BYTES], struct slice copies, struct buffer *out,
                    struct reason *why)
{
    uint8_t own[WRITER_KEY_BYTES], number_bytes[8], id[ROOM_KEY_ID_BYTES], count[2];
    struct buffer body = {0};
    size_t many = copies.size / ROOM_COPY_BYTES;
    author_key(author, own);
    put_u64(number_bytes, number);
    put_u16(count, (uint16_t)(many < UINT16_MAX ? many : UINT16_MAX));
    room_key_id(author->contract, key, id);
    struct key head = key_of(ROOM_KEYS, number_bytes, sizeof number_bytes, own, sizeof own);
    buffer_append(&body, id, sizeof id);
    buffer_append(&body, count, sizeof count);
    buffer_append_slice(&body, copies);
    int rc = write_entry(author, &head, stamp, &body, NULL, out, why);
    buffer_free(&body);
    return rc;
}

int room_write_upgrade(const struct room_author *author, uint64_t stamp,
                       const uint8_t next[CONTRACT_KEY_BYTES], struct buffer *out,
                       struct reason *why)
{
    struct key key = key_of(ROOM_UPGRADE, NULL, 0, NULL, 0);
    struct buffer body = {0};
    buffer_append(&body, next, CONTRACT_KEY_BYTES);
    int rc = write_entry(author, &key, stamp, &body, NULL, out, why);
    buffer_free(&body);
    return rc;
}
