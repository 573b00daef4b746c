/* room_seal: what a private room and direct messages hide. Keys and nonces are arguments: the
 * caller has them from a random source.
 *
 *   key id  := BLAKE2b-128 ("weir room key 1" · room key (32) of the contract · key)
 *   sealed  := XChaCha20-Poly1305-IETF, associated data: contract key (32) · author (32)
 *   copy    := crypto_box_seal to the member's X25519 key, converted from its Ed25519 key
 *   direct  := crypto_box (X25519, XSalsa20-Poly1305) between the converted keys of both */
#ifndef WEIR_CONTRACTS_ROOM_SEAL_H
#define WEIR_CONTRACTS_ROOM_SEAL_H

#include "contracts/room_record.h"

void room_key_id(const struct contract *contract, const uint8_t key[ROOM_KEY_BYTES],
                 uint8_t id[ROOM_KEY_ID_BYTES]);

/* Appends a sealed text: u8 1 · key id · nonce · ciphertext. The nonce is 24 fresh random bytes. */
void room_text_seal(const struct contract *contract, const uint8_t key[ROOM_KEY_BYTES],
                    const uint8_t nonce[ROOM_NONCE_BYTES], const uint8_t author[WRITER_KEY_BYTES],
                    struct slice plain, struct buffer *out);

/* Writes the room_text_size (text) bytes of a sealed text to out. ERR_DENIED: another key, or it
 * was changed. */
MUST_USE int room_text_open(const struct contract *contract, const uint8_t key[ROOM_KEY_BYTES],
                            const uint8_t author[WRITER_KEY_BYTES], const struct room_text *text,
                            uint8_t *out);

/* Appends a copy: member (32) · the key sealed to it. seed: 32 fresh random bytes.
 * ERR_BAD_REQUEST when the member's key is none. */
MUST_USE int room_copy_seal(const uint8_t key[ROOM_KEY_BYTES],
                            const uint8_t member[WRITER_KEY_BYTES], const uint8_t seed[32],
                            struct buffer *out);

/* Finds the copy for whom `secret` (libsodium's 64 bytes) belongs to and opens it. ERR_NOT_FOUND,
 * ERR_DENIED when it does not open. That it is the key named by the grant is the caller's to check
 * (room_key_id). */
MUST_USE int room_copy_find(struct slice copies, const uint8_t secret[64],
                            uint8_t key[ROOM_KEY_BYTES]);

/* Appends recipient (32) · nonce · box. ERR_BAD_REQUEST when the recipient's key is none,
 * ERR_TOO_LARGE. */
MUST_USE int room_direct_seal(const uint8_t secret[64], const uint8_t recipient[WRITER_KEY_BYTES],
                              const uint8_t nonce[ROOM_NONCE_BYTES], struct slice plain,
                              struct buffer *out);

/* Opens a box with one end's secret and the other end's public key; appends the text. Author and
 * recipient can both do it. ERR_DENIED. */
MUST_USE int room_direct_open(const uint8_t secret[64], const uint8_t other[WRITER_KEY_BYTES],
                              const uint8_t nonce[ROOM_NONCE_BYTES], struct slice box,
                              struct buffer *out);

#endif
