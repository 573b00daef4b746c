#include "contracts/room_seal.h"

#include "contracts/rows.h"

#include <sodium/crypto_aead_xchacha20poly1305.h>
#include <sodium/crypto_box.h>
#include <sodium/crypto_generichash.h>
#include <sodium/crypto_sign.h>
#include <sodium/utils.h>

static const char key_label[] = "weir room key 1";

void room_key_id(const struct contract *contract, const uint8_t key[ROOM_KEY_BYTES],
                 uint8_t id[ROOM_KEY_ID_BYTES])
{
    crypto_generichash_state hash;
    crypto_generichash_init(&hash, NULL, 0, ROOM_KEY_ID_BYTES);
    crypto_generichash_update(&hash, (const uint8_t *)key_label, sizeof key_label - 1);
    crypto_generichash_update(&hash, contract->key.bytes, sizeof contract->key.bytes);
    crypto_generichash_update(&hash, key, ROOM_KEY_BYTES);
    crypto_generichash_final(&hash, id, ROOM_KEY_ID_BYTES);
}

enum { BOUND_BYTES = CONTRACT_KEY_BYTES + WRITER_KEY_BYTES };

/* What is sealed cannot be shown in another room, nor under another author's name. */
static void bind(const struct contract *contract, const uint8_t *author, uint8_t out[BOUND_BYTES])
{
    memcpy(out, contract->key.bytes, CONTRACT_KEY_BYTES);
    memcpy(out + CONTRACT_KEY_BYTES, author, WRITER_KEY_BYTES);
}

void room_text_seal(const struct contract *contract, const uint8_t key[ROOM_KEY_BYTES],
                    const uint8_t nonce[ROOM_NONCE_BYTES], const uint8_t author[WRITER_KEY_BYTES],
                    struct slice plain, struct buffer *out)
{
    uint8_t bound[BOUND_BYTES], id[ROOM_KEY_ID_BYTES];
    bind(contract, author, bound);
    room_key_id(contract, key, id);
    buffer_append_u8(out, 1);
    buffer_append(out, id, sizeof id);
    buffer_append(out, nonce, ROOM_NONCE_BYTES);
    uint8_t *at = buffer_grow(out, plain.size + ROOM_TAG_BYTES);
    if (at)
        (void)crypto_aead_xchacha20poly1305_ietf_encrypt(at, NULL, plain.data, plain.size, bound,
                                                         sizeof bound, NULL, nonce, key);
}

int room_text_open(const struct contract *contract, const uint8_t key[ROOM_KEY_BYTES],
                   const uint8_t author[WRITER_KEY_BYTES], const struct room_text *text,
                   uint8_t *out)
{
    uint8_t bound[BOUND_BYTES];
    bind(contract, author, bound);
    int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(
        out, NULL, NULL, text->bytes.data, text->bytes.size, bound, sizeof bound, text->nonce, key);
    return rc ? ERR_DENIED : 0;
}

/* --- copies of a key ------------------------------------------------------------------------- */

/* crypto_box_seal's nonce: both ends can make it. */
static void copy_nonce(const uint8_t ephemeral[32], const uint8_t to[32],
                       uint8_t nonce[crypto_box_NONCEBYTES])
{
    crypto_generichash_state hash;
    crypto_generichash_init(&hash, NULL, 0, crypto_box_NONCEBYTES);
    crypto_generichash_update(&hash, ephemeral, 32);
    crypto_generichash_update(&hash, to, 32);
    crypto_generichash_final(&hash, nonce, crypto_box_NONCEBYTES);
}

int room_copy_seal(const uint8_t key[ROOM_KEY_BYTES], const uint8_t member[WRITER_KEY_BYTES],
                   const uint8_t seed[32], struct buffer *out)
{
    uint8_t to[32], ephemeral[32], secret[32], nonce[crypto_box_NONCEBYTES];
    uint8_t sealed[ROOM_TAG_BYTES + ROOM_KEY_BYTES];
    (void)crypto_box_seed_keypair(ephemeral, secret, seed);
    int rc = crypto_sign_ed25519_pk_to_curve25519(to, member);
    if (!rc) {
        copy_nonce(ephemeral, to, nonce);
        rc = crypto_box_easy(sealed, key, ROOM_KEY_BYTES, nonce, to, secret);
    }
    sodium_memzero(secret, sizeof secret);
    if (rc)
        return ERR_BAD_REQUEST;
    buffer_append(out, member, WRITER_KEY_BYTES);
    buffer_append(out, ephemeral, sizeof ephemeral);
    buffer_append(out, sealed, sizeof sealed);
    return 0;
}

static int open_copy(const uint8_t *sealed, const uint8_t secret[64], const uint8_t *member,
                     uint8_t key[ROOM_KEY_BYTES])
{
    uint8_t own[32], own_secret[32];
    if (crypto_sign_ed25519_pk_to_curve25519(own, member) ||
        crypto_sign_ed25519_sk_to_curve25519(own_secret, secret))
        return ERR_DENIED;
    int rc = crypto_box_seal_open(key, sealed, ROOM_SEALED_KEY_BYTES, own, own_secret);
    sodium_memzero(own_secret, sizeof own_secret);
    return rc ? ERR_DENIED : 0;
}

int room_copy_find(struct slice copies, const uint8_t secret[64], uint8_t key[ROOM_KEY_BYTES])
{
    uint8_t member[WRITER_KEY_BYTES];
    crypto_sign_ed25519_sk_to_pk(member, secret);
    const uint8_t *copy = rows_find(copies, ROOM_COPY_BYTES, member);
    return copy ? open_copy(copy + WRITER_KEY_BYTES, secret, member, key) : ERR_NOT_FOUND;
}

/* --- direct messages ------------------------------------------------------------------------- */

/* What crypto_box shares between two ends. */
static int share(const uint8_t secret[64], const uint8_t other[WRITER_KEY_BYTES],
                 uint8_t shared[crypto_box_BEFORENMBYTES])
{
    uint8_t to[32], own[32];
    if (crypto_sign_ed25519_pk_to_curve25519(to, other) ||
        crypto_sign_ed25519_sk_to_curve25519(own, secret))
        return ERR_BAD_REQUEST;
    int rc = crypto_box_beforenm(shared, to, own);
    sodium_memzero(own, sizeof own);
    return rc ? ERR_BAD_REQUEST : 0;
}

int room_direct_seal(const uint8_t secret[64], const uint8_t recipient[WRITER_KEY_BYTES],
                     const uint8_t nonce[ROOM_NONCE_BYTES], struct slice plain, struct buffer *out)
{
    uint8_t shared[crypto_box_BEFORENMBYTES];
    if (plain.size > ROOM_TEXT_BYTES_MAX)
        return ERR_TOO_LARGE;
    int rc = share(secret, recipient, shared);
    if (rc)
        return rc;
    buffer_append(out, recipient, WRITER_KEY_BYTES);
    buffer_append(out, nonce, ROOM_NONCE_BYTES);
    uint8_t *at = buffer_grow(out, plain.size + ROOM_TAG_BYTES);
    if (at)
        (void)crypto_box_easy_afternm(at, plain.data, plain.size, nonce, shared);
    sodium_memzero(shared, sizeof shared);
    return 0;
}

int room_direct_open(const uint8_t secret[64], const uint8_t other[WRITER_KEY_BYTES],
                     const uint8_t nonce[ROOM_NONCE_BYTES], struct slice box, struct buffer *out)
{
    uint8_t shared[crypto_box_BEFORENMBYTES];
    if (box.size < ROOM_TAG_BYTES || share(secret, other, shared))
        return ERR_DENIED;
    size_t before = out->size;
    uint8_t *at = buffer_grow(out, box.size - ROOM_TAG_BYTES + 1); /* never nothing */
    int rc = at ? crypto_box_open_easy_afternm(at, box.data, box.size, nonce, shared) : 0;
    sodium_memzero(shared, sizeof shared);
    if (at)
        out->size = rc ? before : before + box.size - ROOM_TAG_BYTES;
    return rc ? ERR_DENIED : 0;
}
