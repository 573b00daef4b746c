/* noise: the handshake Noise_IK_25519_ChaChaPoly_BLAKE2b (Noise Protocol Framework, revision 34),
 * for both ends. Bytes in, bytes out; it knows nothing of weir's payloads (proto/handshake.h does).
 *
 *   <- s                          the initiator knows the key of whom it dials
 *   …
 *   -> e, es, s, ss, payload      first message
 *   <- e, ee, se, payload         second message; both then hold the same hash and chaining key
 *
 * A call that fails leaves the struct as it was. The struct is secret: noise_wipe ends it. */
#ifndef WEIR_PROTO_NOISE_H
#define WEIR_PROTO_NOISE_H

#include "base/errors.h"
#include "base/slice.h"

#define NOISE_KEY_BYTES       32u
#define NOISE_HASH_BYTES      64u /* HASHLEN of BLAKE2b */
#define NOISE_TAG_BYTES       16u
#define NOISE_FIRST_OVERHEAD  (2u * NOISE_KEY_BYTES + 2u * NOISE_TAG_BYTES) /* e, s, two tags */
#define NOISE_SECOND_OVERHEAD (NOISE_KEY_BYTES + NOISE_TAG_BYTES)           /* e, one tag */

/* A CipherState: ChaCha20-Poly1305 under a counting nonce. */
struct noise_cipher {
    uint8_t key[NOISE_KEY_BYTES];
    uint64_t nonce;
};

struct noise {
    uint8_t hash[NOISE_HASH_BYTES];         /* h: of all that was said */
    uint8_t chaining_key[NOISE_HASH_BYTES]; /* ck: of all secrets shared */
    struct noise_cipher cipher;
    uint8_t static_secret[NOISE_KEY_BYTES], static_public[NOISE_KEY_BYTES];
    uint8_t ephemeral_secret[NOISE_KEY_BYTES];
    uint8_t remote_static[NOISE_KEY_BYTES]; /* the responder has it from the first message */
    uint8_t remote_ephemeral[NOISE_KEY_BYTES];
    uint32_t seals; /* made with this handshake's keys, for lesson K5 */
};

/* The keys of one end, X25519. ephemeral: 32 random bytes, never used twice. */
struct noise_keys {
    const uint8_t *static_secret, *static_public, *ephemeral_secret;
};

/* Starts either end. responder: the static public key of the one that answers. Copies all. */
void noise_start(struct noise *self, const struct noise_keys *keys, const uint8_t responder[32],
                 struct slice prologue);

/* Initiator: writes payload.size + NOISE_FIRST_OVERHEAD bytes. ERR_DENIED when the key that was
 * dialled is a point of small order. */
MUST_USE int noise_write_first(struct noise *self, struct slice payload, uint8_t *message);

/* Responder: writes message.size - NOISE_FIRST_OVERHEAD bytes of payload, and knows remote_static
 * then. ERR_BAD_REQUEST for a message that is too short; ERR_DENIED for one that does not open
 * (made for another key or prologue, or changed on its way) or has a point of small order. What
 * stands in payload after a failure means nothing. */
MUST_USE int noise_read_first(struct noise *self, struct slice message, uint8_t *payload,
                              struct reason *why);

/* Responder: payload.size + NOISE_SECOND_OVERHEAD bytes. Initiator: as noise_read_first. */
MUST_USE int noise_write_second(struct noise *self, struct slice payload, uint8_t *message);
MUST_USE int noise_read_second(struct noise *self, struct slice message, uint8_t *payload,
                               struct reason *why);

/* After both messages: the ciphers that Noise gives, from the initiator and to it. weir derives its
 * session keys from hash and chaining_key instead (docs/protocol.md); the published vectors of
 * transport messages hold the chaining key to what it must be. */
void noise_split(const struct noise *self, struct noise_cipher *from_initiator,
                 struct noise_cipher *to_initiator);

/* Writes plain.size + NOISE_TAG_BYTES bytes. The nonce counts on. */
void noise_cipher_seal(struct noise_cipher *self, struct slice associated, struct slice plain,
                       uint8_t *sealed);

/* Writes sealed.size - NOISE_TAG_BYTES bytes; the nonce counts on when it opens. False when it does
 * not. */
MUST_USE bool noise_cipher_open(struct noise_cipher *self, struct slice associated,
                                struct slice sealed, uint8_t *plain);

void noise_wipe(struct noise *self);

#endif
