/* handshake: how two nodes become peers: who they are, what they speak, and the keys of their
 * session. Noise IK (proto/noise.h) under the prologue "WEIR peer 1"; two messages.
 *
 *   initiator                                  answerer
 *   handshake_dial ── hello ─────────────────▶ handshake_read_first      (seen, proves nothing yet)
 *   handshake_read_answer ◀── hello, verdict ─ its answer
 *   session_seal ── first record ────────────▶ session_open              (now it is a peer)
 *
 * A first message can be recorded and sent again by anybody. So the answerer changes nothing (no
 * table, no other connection) before the initiator's first record has opened under the new keys:
 * that is its acknowledgement (lesson K3).
 *
 * Session keys. A *gateway connection* (one end is a gateway, or both) has one key: that of the
 * client, the end that is no gateway, or the initiator where both are (lesson K1). On a *peer
 * connection* each direction has the key of its receiver (lesson K2). docs/protocol.md has the
 * bytes.
 *
 * A refusal that the answerer can explain travels sealed in the answer; both ends close then.
 * Messages go out with their length before them (u16) and come in without: the transport needs it
 * to find their end. Pure: random bytes come in. */
#ifndef WEIR_PROTO_HANDSHAKE_H
#define WEIR_PROTO_HANDSHAKE_H

#include "proto/hello.h"

#define HANDSHAKE_PROLOGUE     "WEIR peer 1"
#define HANDSHAKE_PREFIX_BYTES 2u  /* the length of a message, before it */
#define HANDSHAKE_RANDOM_BYTES 88u /* ephemeral key 32, inbound key 32, header of the stream 24 */

/* What this node says of itself; borrowed for the handshake's life. */
struct handshake_config {
    uint8_t secret_key[32], public_key[32]; /* static X25519; the node's id is the public key */
    struct slice network;                   /* at most NETWORK_BYTES_MAX */
    uint16_t version_min, version_max;
    enum peer_role role;
    struct slice address; /* where it listens, "HOST:PORT"; empty: cannot be reached */
};

struct handshake_result {
    uint8_t peer[32]; /* node id: static public key of the far side */
    enum peer_role role;
    uint16_t version;                  /* the greatest that both speak */
    uint8_t address[ADDRESS_TEXT_MAX]; /* where it listens, as it says; printable */
    size_t address_size;
    uint8_t observed[ADDRESS_TEXT_MAX]; /* initiator: our address as the answerer sees it */
    size_t observed_size;
    /* For session_new. */
    bool initiator;
    uint8_t send_key[32], receive_key[32];
    uint8_t stream_header[24];
};

typedef struct handshake handshake_t;

/* Starts a handshake with the node whose id is peer, and appends the first message with its length
 * to out: made once (lesson K5), the handshake cannot make it again. NULL with a reason: our own
 * key (lesson D5), a point of small order, a network, address or range in config that cannot be
 * sent, no memory. */
handshake_t *handshake_dial(const struct handshake_config *config, const uint8_t peer[32],
                            const uint8_t random[HANDSHAKE_RANDOM_BYTES], struct buffer *out,
                            struct reason *why);

/* Waits for a first message. NULL without memory. */
handshake_t *handshake_answer(const struct handshake_config *config,
                              const uint8_t random[HANDSHAKE_RANDOM_BYTES]);

/* Answerer: takes the first message (without its length). observed: the far end's address, a text.
 * 0: answer has the second message with its length, and the result is known. Else a refusal:
 * ERR_DENIED (handshake_refusal names it), ERR_BAD_REQUEST (malformed), ERR_NO_MEMORY; if answer is
 * longer then, what was appended carries the refusal: send it, then close. Nothing is appended for
 * a message that does not open. A handshake reads one message; every further one is refused. */
MUST_USE int handshake_read_first(handshake_t *self, struct slice message, struct slice observed,
                                  struct buffer *answer, struct reason *why);

/* Initiator: takes the second message (without its length). 0 and the result is known; else
 * refused, by us or by the answerer, as above. */
MUST_USE int handshake_read_answer(handshake_t *self, struct slice message, struct reason *why);

/* NULL until the message has been read and not refused. Lives as long as the handshake. */
const struct handshake_result *handshake_result(const handshake_t *self);

/* Why it was refused; REFUSAL_none while it was not. */
enum refusal handshake_refusal(const handshake_t *self);

/* Ciphertexts made so far: two in a first message, one in an answer (lesson K5). */
uint32_t handshake_seals(const handshake_t *self);

/* Wipes and frees. */
void handshake_destroy(handshake_t **self);

#endif
