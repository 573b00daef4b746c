#include "proto/noise.h"

#include <sodium.h>

enum { HMAC_BLOCK_BYTES = 128 };

static const char protocol_name[] = "Noise_IK_25519_ChaChaPoly_BLAKE2b";

/* --- BLAKE2b, HMAC (RFC 2104) and HKDF over it (Noise §4.3) ---------------------------------- */

static void hash_of(struct slice a, struct slice b, uint8_t out[NOISE_HASH_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, NOISE_HASH_BYTES);
    crypto_generichash_update(&state, a.data, a.size);
    crypto_generichash_update(&state, b.data, b.size);
    crypto_generichash_final(&state, out, NOISE_HASH_BYTES);
    sodium_memzero(&state, sizeof state);
}

/* Keys here are hashes: shorter than a block, so never hashed first. */
static void hmac(const uint8_t key[NOISE_HASH_BYTES], struct slice text,
                 uint8_t out[NOISE_HASH_BYTES])
{
    uint8_t inner[HMAC_BLOCK_BYTES], outer[HMAC_BLOCK_BYTES], digest[NOISE_HASH_BYTES];
    for (size_t i = 0; i < HMAC_BLOCK_BYTES; i++) {
        uint8_t byte = i < NOISE_HASH_BYTES ? key[i] : 0;
        inner[i] = byte ^ 0x36;
        outer[i] = byte ^ 0x5c;
    }
    hash_of(slice_of(inner, sizeof inner), text, digest);
    hash_of(slice_of(outer, sizeof outer), slice_of(digest, sizeof digest), out);
    sodium_memzero(inner, sizeof inner);
    sodium_memzero(outer, sizeof outer);
    sodium_memzero(digest, sizeof digest);
}

/* Two outputs. first may be where chaining_key is. */
static void hkdf(const uint8_t chaining_key[NOISE_HASH_BYTES], struct slice input,
                 uint8_t first[NOISE_HASH_BYTES], uint8_t second[NOISE_HASH_BYTES])
{
    uint8_t extracted[NOISE_HASH_BYTES], text[NOISE_HASH_BYTES + 1] = {1};
    hmac(chaining_key, input, extracted);
    hmac(extracted, slice_of(text, 1), first);
    memcpy(text, first, NOISE_HASH_BYTES);
    text[NOISE_HASH_BYTES] = 2;
    hmac(extracted, slice_of(text, sizeof text), second);
    sodium_memzero(extracted, sizeof extracted);
    sodium_memzero(text, sizeof text);
}

/* --- CipherState (Noise §5.1) ---------------------------------------------------------------- */

/* 32 zero bits, then the counter with its least significant byte first (Noise §12.3). */
static void nonce_of(const struct noise_cipher *self, uint8_t nonce[12])
{
    memset(nonce, 0, 4);
    for (size_t i = 0; i < 8; i++)
        nonce[4 + i] = (uint8_t)(self->nonce >> (8 * i));
}

void noise_cipher_seal(struct noise_cipher *self, struct slice associated, struct slice plain,
                       uint8_t *sealed)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
    nonce_of(self, nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt(sealed, NULL, plain.data, plain.size, associated.data,
                                              associated.size, NULL, nonce, self->key);
    self->nonce++;
}

bool noise_cipher_open(struct noise_cipher *self, struct slice associated, struct slice sealed,
                       uint8_t *plain)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
    nonce_of(self, nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed.data, sealed.size,
                                                  associated.data, associated.size, nonce,
                                                  self->key))
        return false;
    self->nonce++;
    return true;
}

/* --- SymmetricState (Noise §5.2) ------------------------------------------------------------- */

static void mix_hash(struct noise *self, struct slice data)
{
    hash_of(slice_of(self->hash, sizeof self->hash), data, self->hash);
}

static void mix_key(struct noise *self, struct slice input)
{
    uint8_t key[NOISE_HASH_BYTES];
    hkdf(self->chaining_key, input, self->chaining_key, key);
    memcpy(self->cipher.key, key, NOISE_KEY_BYTES);
    self->cipher.nonce = 0;
    sodium_memzero(key, sizeof key);
}

static void encrypt_and_hash(struct noise *self, struct slice plain, uint8_t *to)
{
    noise_cipher_seal(&self->cipher, slice_of(self->hash, sizeof self->hash), plain, to);
    mix_hash(self, slice_of(to, plain.size + NOISE_TAG_BYTES));
    self->seals++;
}

static bool decrypt_and_hash(struct noise *self, struct slice sealed, uint8_t *to)
{
    if (!noise_cipher_open(&self->cipher, slice_of(self->hash, sizeof self->hash), sealed, to))
        return false;
    mix_hash(self, sealed);
    return true;
}

/* --- tokens (Noise §5.3) --------------------------------------------------------------------- */

static void write_e(struct noise *self, uint8_t to[NOISE_KEY_BYTES])
{
    crypto_scalarmult_base(to, self->ephemeral_secret);
    mix_hash(self, slice_of(to, NOISE_KEY_BYTES));
}

static void read_e(struct noise *self, const uint8_t from[NOISE_KEY_BYTES])
{
    memcpy(self->remote_ephemeral, from, NOISE_KEY_BYTES);
    mix_hash(self, slice_of(from, NOISE_KEY_BYTES));
}

/* es, ss, ee, se. False for a point of small order: its product is known to everybody. */
static bool mix_product(struct noise *self, const uint8_t *secret, const uint8_t *point)
{
    uint8_t shared[crypto_scalarmult_BYTES];
    bool usable = crypto_scalarmult(shared, secret, point) == 0;
    if (usable)
        mix_key(self, slice_of(shared, sizeof shared));
    sodium_memzero(shared, sizeof shared);
    return usable;
}

/* --- messages -------------------------------------------------------------------------------- */

void noise_start(struct noise *self, const struct noise_keys *keys, const uint8_t responder[32],
                 struct slice prologue)
{
    *self = (struct noise){0};
    memcpy(self->hash, protocol_name, sizeof protocol_name - 1); /* at most HASHLEN: not hashed */
    memcpy(self->chaining_key, self->hash, sizeof self->hash);
    memcpy(self->static_secret, keys->static_secret, NOISE_KEY_BYTES);
    memcpy(self->static_public, keys->static_public, NOISE_KEY_BYTES);
    memcpy(self->ephemeral_secret, keys->ephemeral_secret, NOISE_KEY_BYTES);
    memcpy(self->remote_static, responder, NOISE_KEY_BYTES);
    mix_hash(self, prologue);
    mix_hash(self, slice_of(responder, NOISE_KEY_BYTES)); /* <- s */
}

int noise_write_first(struct noise *self, struct slice payload, uint8_t *message)
{
    struct noise next = *self;
    int rc = ERR_DENIED;
    struct slice s = slice_of(next.static_public, NOISE_KEY_BYTES);
    uint8_t *sealed_s = message + NOISE_KEY_BYTES;
    uint8_t *sealed_payload = sealed_s + NOISE_KEY_BYTES + NOISE_TAG_BYTES;

    write_e(&next, message);                                            /* e */
    if (!mix_product(&next, next.ephemeral_secret, next.remote_static)) /* es */
        goto out;
    encrypt_and_hash(&next, s, sealed_s);                            /* s */
    if (!mix_product(&next, next.static_secret, next.remote_static)) /* ss */
        goto out;
    encrypt_and_hash(&next, payload, sealed_payload); /* payload */
    *self = next;
    rc = 0;
out:
    sodium_memzero(&next, sizeof next);
    return rc;
}

int noise_read_first(struct noise *self, struct slice message, uint8_t *payload, struct reason *why)
{
    if (message.size < NOISE_FIRST_OVERHEAD)
        return fail(why, ERR_BAD_REQUEST, "a first message of %zu bytes is too short",
                    message.size);
    struct noise next = *self;
    int rc = 0;
    struct slice s = slice_of(message.data + NOISE_KEY_BYTES, NOISE_KEY_BYTES + NOISE_TAG_BYTES);
    struct slice rest = slice_after(message, NOISE_KEY_BYTES + s.size);

    read_e(&next, message.data);                                          /* e */
    if (!mix_product(&next, next.static_secret, next.remote_ephemeral)) { /* es */
        rc = fail(why, ERR_DENIED, "its ephemeral key is a point of small order");
        goto out;
    }
    if (!decrypt_and_hash(&next, s, next.remote_static)) { /* s */
        rc = fail(why, ERR_DENIED,
                  "the first message does not open: made for another key, or changed on its way");
        goto out;
    }
    if (!mix_product(&next, next.static_secret, next.remote_static)) { /* ss */
        rc = fail(why, ERR_DENIED, "its static key is a point of small order");
        goto out;
    }
    if (!decrypt_and_hash(&next, rest, payload)) { /* payload */
        rc = fail(why, ERR_DENIED,
                  "the first message's payload does not open: not from its key, or changed");
        goto out;
    }
    *self = next;
out:
    sodium_memzero(&next, sizeof next);
    return rc;
}

int noise_write_second(struct noise *self, struct slice payload, uint8_t *message)
{
    struct noise next = *self;
    int rc = ERR_DENIED;

    write_e(&next, message);                                               /* e */
    if (!mix_product(&next, next.ephemeral_secret, next.remote_ephemeral)) /* ee */
        goto out;
    if (!mix_product(&next, next.ephemeral_secret, next.remote_static)) /* se */
        goto out;
    encrypt_and_hash(&next, payload, message + NOISE_KEY_BYTES); /* payload */
    *self = next;
    rc = 0;
out:
    sodium_memzero(&next, sizeof next);
    return rc;
}

int noise_read_second(struct noise *self, struct slice message, uint8_t *payload,
                      struct reason *why)
{
    if (message.size < NOISE_SECOND_OVERHEAD)
        return fail(why, ERR_BAD_REQUEST, "a second message of %zu bytes is too short",
                    message.size);
    struct noise next = *self;
    int rc = 0;

    read_e(&next, message.data);                                             /* e */
    if (!mix_product(&next, next.ephemeral_secret, next.remote_ephemeral) || /* ee */
        !mix_product(&next, next.static_secret, next.remote_ephemeral)) {    /* se */
        rc = fail(why, ERR_DENIED, "its ephemeral key is a point of small order");
        goto out;
    }
    if (!decrypt_and_hash(&next, slice_after(message, NOISE_KEY_BYTES), payload)) { /* payload */
        rc = fail(why, ERR_DENIED,
                  "the second message does not open: not from the key dialled, or changed");
        goto out;
    }
    *self = next;
out:
    sodium_memzero(&next, sizeof next);
    return rc;
}

void noise_split(const struct noise *self, struct noise_cipher *from_initiator,
                 struct noise_cipher *to_initiator)
{
    uint8_t first[NOISE_HASH_BYTES], second[NOISE_HASH_BYTES];
    hkdf(self->chaining_key, slice_of(NULL, 0), first, second);
    *from_initiator = *to_initiator = (struct noise_cipher){.nonce = 0};
    memcpy(from_initiator->key, first, NOISE_KEY_BYTES);
    memcpy(to_initiator->key, second, NOISE_KEY_BYTES);
    sodium_memzero(first, sizeof first);
    sodium_memzero(second, sizeof second);
}

void noise_wipe(struct noise *self)
{
    sodium_memzero(self, sizeof *self);
}
