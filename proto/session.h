/* session: the sealed records of one connection, after its handshake. One stream of libsodium's
 * crypto_secretstream_xchacha20poly1305 a direction.
 *
 *   record on the wire:  u16 size of what follows · [header (24), before the first one] · sealed
 *   sealed:              plaintext (0 to RECORD_PLAIN_BYTES_MAX) and 17 bytes: its tag, its MAC
 *
 * The direction ('I' from the initiator, 'A' from the answerer) is associated data of every record
 * and the lowest bit of the header's first byte, so that under one key (a gateway connection) the
 * two streams never have a nonce in common and neither opens as the other (lesson K4). A record is
 * opened once, in its order, or never. The last record of a direction is authenticated as such: a
 * goodbye, whose plaintext is the caller's sentence.
 *
 * What a record says is the caller's; many small frames go into one record. */
#ifndef WEIR_PROTO_SESSION_H
#define WEIR_PROTO_SESSION_H

#include "base/buffer.h"
#include "base/errors.h"
#include "base/limits.h"

#define SESSION_KEY_BYTES     32u
#define SESSION_HEADER_BYTES  24u
#define RECORD_PREFIX_BYTES   2u /* the size of a record, before it */
#define RECORD_OVERHEAD_BYTES 17u
#define RECORD_SEALED_BYTES_MAX                                                                    \
    (SESSION_HEADER_BYTES + RECORD_PLAIN_BYTES_MAX + RECORD_OVERHEAD_BYTES)
#define RECORD_SEALED_BYTES_MIN RECORD_OVERHEAD_BYTES

typedef struct session session_t;

/* One end of a connection. Keys and header are those of its handshake's result (header: 24 random
 * bytes, used for nothing else) and are copied. NULL without memory. */
session_t *session_new(bool initiator, const uint8_t send_key[SESSION_KEY_BYTES],
                       const uint8_t receive_key[SESSION_KEY_BYTES],
                       const uint8_t header[SESSION_HEADER_BYTES]);

/* Appends one record with its prefix, ready for the wire: made once, sent as it is (lesson K5).
 * last makes it the goodbye, and nothing can be sealed after it. ERR_TOO_LARGE over
 * RECORD_PLAIN_BYTES_MAX, ERR_DENIED after the goodbye, ERR_NO_MEMORY; then nothing is appended and
 * no nonce used. */
MUST_USE int session_seal(session_t *self, struct slice plain, bool last, struct buffer *out);

/* Opens one record, without its prefix, into `into` (RECORD_PLAIN_BYTES_MAX bytes of the caller's);
 * *plain borrows from there. *last: it is the goodbye. ERR_BAD_REQUEST for a size that no record
 * has, ERR_DENIED for one that does not open: changed, reflected, repeated, out of order, cut off,
 * of another session. After an error or a goodbye nothing opens any more; sealing still works, so
 * that a reason can be told. */
MUST_USE int session_open(session_t *self, struct slice record, uint8_t *into, struct slice *plain,
                          bool *last, struct reason *why);

/* Records made and opened: each has used one nonce of its direction. */
uint64_t session_sealed(const session_t *self);
uint64_t session_opened(const session_t *self);

/* Wipes and frees. */
void session_destroy(session_t **self);

#endif
