/* hello: what the two messages of a handshake say (proto/handshake.h): who a node is, what it
 * speaks, and why one refuses another. docs/protocol.md has the bytes. */
#ifndef WEIR_PROTO_HELLO_H
#define WEIR_PROTO_HELLO_H

#include "base/codec.h"
#include "base/limits.h"

enum peer_role { ROLE_peer, ROLE_gateway };

/* X (name, code in a verdict, text: "refused: …", "the peer refuses: …"). The first five travel in
 * a verdict; the others are what one end finds alone. */
#define REFUSALS(X)                                                                                \
    X(none, 0, "nothing")                                                                          \
    X(malformed, 1, "a hello that is not well formed")                                             \
    X(network, 2, "another network")                                                               \
    X(version, 3, "no version that both speak")                                                    \
    X(yourself, 4, "a node does not connect to itself")                                            \
    X(unsealed, 5, "bytes that do not open with the keys of this handshake")                       \
    X(unknown, 6, "a reason that this version does not know")
#define REFUSAL_LAST_ON_WIRE REFUSAL_yourself

enum refusal {
#define X(name, code, text) REFUSAL_##name = code,
    REFUSALS(X)
#undef X
        REFUSAL_COUNT
};

/* What the first payload says, and the first part of the second. */
#define HELLO_FIELDS(F, M)                                                                         \
    F(M, bytes, network, NETWORK_BYTES_MAX, "id of the network")                                   \
    F(M, u16, version_min, 0, "least version spoken")                                              \
    F(M, u16, version_max, 0, "greatest version spoken")                                           \
    F(M, u8, role, 0, "0 peer, 1 gateway")                                                         \
    F(M, fixed, inbound_key, 32, "the sender's inbound key: 32 random bytes")                      \
    F(M, bytes, address, ADDRESS_TEXT_MAX, "where the sender listens, HOST:PORT; empty: nowhere")
CODEC_STRUCT(hello, HELLO_FIELDS)

/* What the second payload says after its hello. */
#define VERDICT_FIELDS(F, M)                                                                       \
    F(M, u8, refusal, 0, "0: accepted; else why not")                                              \
    F(M, bytes, observed, ADDRESS_TEXT_MAX, "the initiator's address as the answerer sees it")
CODEC_STRUCT(verdict, VERDICT_FIELDS)

/* HOST:PORT in printable ASCII without blanks, the port 1 to 65535: it can stand in a log line.
 * Whether the host is one is for the resolver to say. */
bool hello_is_address(struct slice text);

/* Is its host "every address of this machine", 0.0.0.0 or [::]? Others cannot dial that; they put
 * the host that they see in its place. */
bool hello_is_any_host(struct slice address);

/* Whether a decoded hello means something: a range of versions, a role, an address or none. */
bool hello_is_well_formed(const struct hello *hello);

/* The name of a refusal, for counters, and its text. */
const char *refusal_name(enum refusal refusal);
const char *refusal_text(enum refusal refusal);

#endif
