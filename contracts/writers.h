/* writers: entries of contracts with listed writers carry who wrote them and a signature.
 *
 *   value := inner · writer (32) · signature (64)
 *   signed bytes := "weir entry 1" · contract key (32) · u8 key size · key · u32 inner size · inner
 *
 * Nobody on the way needs to be trusted: an entry that does not verify is refused wherever it comes
 * from, and one cannot be moved to another contract or another key. */
#ifndef WEIR_CONTRACTS_WRITERS_H
#define WEIR_CONTRACTS_WRITERS_H

#include "contracts/contract.h"
#include "contracts/entries.h"

enum { SIGNATURE_BYTES = 64, WRITER_TRAILER_BYTES = WRITER_KEY_BYTES + SIGNATURE_BYTES };

/* The inner value; the whole value where the contract has no listed writers or it is too short. */
struct slice writers_inner(const struct contract *contract, struct slice value);

/* The trailer's writer key, or NULL where there is none. Borrows from value. */
const uint8_t *writers_who(const struct contract *contract, struct slice value);

/* ERR_BAD_STATE when the writer is not listed or the signature does not verify. About 50 µs. */
MUST_USE int writers_verify(const struct contract *contract, struct slice key, struct slice value,
                            struct reason *why);

/* Appends to out the entries of delta, each signed. secret is an Ed25519 secret key of libsodium's
 * form (64 bytes). ERR_DENIED when its public key is not among the contract's writers,
 * ERR_BAD_STATE for a delta that is not canonical, ERR_NO_MEMORY. */
MUST_USE int writers_sign(const struct contract *contract, const uint8_t secret[64],
                          struct slice delta, struct buffer *out, struct reason *why);

#endif
