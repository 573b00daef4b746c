/* peer_protocol: the messages between nodes, each one list (design.md §5, docs/protocol.md).
 *
 * They travel in lanes of one connection, in order within a lane (proto/lanes.h): a message is one
 * kind byte and its fields. A lane of its own keeps a ping or a small update from waiting behind a
 * large state.
 *
 * A contract's hosts form a tree: each takes its *feed* from a live peer nearer to the key
 * (JOIN/JOINED), and what changed goes to feed and children alike but the one it came from (DELTA).
 * JOIN carries a fingerprint: where two differ, SYNC compares ranges (contracts/sync.h). */
#ifndef WEIR_PROTO_PEER_PROTOCOL_H
#define WEIR_PROTO_PEER_PROTOCOL_H

#include "base/codec.h"
#include "base/limits.h"

enum lane { LANE_control, LANE_small, LANE_bulk, LANE_COUNT };

#define PEER_PROTOCOL_MIN 1u
#define PEER_PROTOCOL_MAX 1u

/* Asks for an answer (lesson L5). */
#define PEER_PING_FIELDS(F, M) F(M, u64, sent_us, 0, "the sender's clock; comes back in PONG")
/* The answer. */
#define PEER_PONG_FIELDS(F, M) F(M, u64, sent_us, 0, "as it came")

/* One node as others can find it; a list of them is their encodings one after the other. */
#define PEER_NODE_FIELDS(F, M)                                                                     \
    F(M, fixed, id, 32, "node id: its public key")                                                 \
    F(M, u8, role, 0, "0 peer, 1 gateway")                                                         \
    F(M, bytes, address, PEER_ADDRESS_BYTES_MAX,                                                   \
      "HOST:PORT where it listens; empty: cannot be dialled")

/* Whom the sender has live connections to and the receiver may want. */
#define PEER_NEIGHBOURS_FIELDS(F, M)                                                               \
    F(M, bytes, nodes, PEER_NODES_BYTES_MAX, "nodes, one after the other")

/* Looks for the live node nearest to a place, to be connected to. */
#define PEER_CONNECT_FIELDS(F, M)                                                                  \
    F(M, u64, tx, 0, "the sender's number for it, a hop's own")                                    \
    F(M, u8, hops, 0, "left to go")                                                                \
    F(M, u64, place, 0, "on the ring")                                                             \
    F(M, bytes, joiner, PEER_NODE_BYTES_MAX, "the node that looks")
/* Who accepts it; goes back the way that CONNECT came. */
#define PEER_ACCEPT_FIELDS(F, M)                                                                   \
    F(M, u64, tx, 0, "of CONNECT")                                                                 \
    F(M, bytes, node, PEER_NODE_BYTES_MAX, "empty: nobody")

/* For an operator's matrix: who is connected to whom. */
#define PEER_MATRIX_ASK_FIELDS(F, M) F(M, u64, tx, 0, "comes back in MATRIX")
#define PEER_MATRIX_FIELDS(F, M)                                                                   \
    F(M, u64, tx, 0, "of MATRIX_ASK")                                                              \
    F(M, bytes, rows, PEER_NODES_BYTES_MAX, "33 bytes a live peer: its id, and 1 when I dialled")

/* GET: read a contract that the asking node does not host, or hosts without a live feed. */
#define PEER_GET_FIELDS(F, M)                                                                      \
    F(M, u64, tx, 0, "the sender's number for it, a hop's own")                                    \
    F(M, u8, hops, 0, "left to go")                                                                \
    F(M, u32, deadline_ms, 0, "time left")                                                         \
    F(M, fixed, key, 32, "contract key")                                                           \
    F(M, bytes, known, 32, "fingerprint of what the asker has; empty: nothing")
/* A part of the state; many may come, in any number of entries. */
#define PEER_PIECE_FIELDS(F, M)                                                                    \
    F(M, u64, tx, 0, "of GET")                                                                     \
    F(M, bytes, kind, KIND_NAME_BYTES_MAX, "the contract's kind")                                  \
    F(M, bytes, params, PARAMS_BYTES_MAX, "its parameters")                                        \
    F(M, bytes, entries, PEER_ENTRIES_BYTES_MAX, "canonical entries; empty for an empty state")
/* The end of GET's answer. */
#define PEER_GOT_FIELDS(F, M)                                                                      \
    F(M, u64, tx, 0, "of GET")                                                                     \
    F(M, u8, code, 0, "0, or an error's number without its sign")                                  \
    F(M, bytes, why, 255, "a sentence for people")                                                 \
    F(M, fixed, fingerprint, 32, "of the state at the answering host")

/* UPDATE or EDIT of a contract that the asking node does not host. */
#define PEER_UPDATE_FIELDS(F, M)                                                                   \
    F(M, u64, tx, 0, "the sender's number for it, a hop's own")                                    \
    F(M, u8, hops, 0, "left to go")                                                                \
    F(M, u32, deadline_ms, 0, "time left")                                                         \
    F(M, fixed, key, 32, "contract key")                                                           \
    F(M, u8, edit, 0,                                                                              \
      "0: args is a delta; 1: EDIT's operation and operands, each u32 size, bytes")                \
    F(M, u32, again_ms, 0,                                                                         \
      "of an EDIT that was sent over an earlier connection: so long ago; else 0")                  \
    F(M, u8, since_open, 0, "of such an EDIT: 1: this connection was open when it was first sent") \
    F(M, bytes, args, PEER_ENTRIES_BYTES_MAX, "see edit")
/* Its one answer: the change is durable at a host, or refused. */
#define PEER_UPDATED_FIELDS(F, M)                                                                  \
    F(M, u64, tx, 0, "of UPDATE")                                                                  \
    F(M, u8, code, 0, "0, or an error's number without its sign")                                  \
    F(M, bytes, why, 255, "a sentence for people")                                                 \
    F(M, fixed, fingerprint, 32, "after it, at the host")                                          \
    F(M, u8, changed, 0, "0: it brought nothing new")

/* Wants to take its feed of a contract from the receiver, or says anew what it has. */
#define PEER_JOIN_FIELDS(F, M)                                                                     \
    F(M, fixed, key, 32, "contract key")                                                           \
    F(M, u8, hops, 0, "left to go, where the receiver must join itself first")                     \
    F(M, bytes, fingerprint, 32, "of what the sender has; empty: it does not have the contract")   \
    F(M, bytes, kind, KIND_NAME_BYTES_MAX, "with a fingerprint: so that the receiver can host it") \
    F(M, bytes, params, PARAMS_BYTES_MAX, "the same")
/* Its answer. The child then syncs if the fingerprints differ. */
#define PEER_JOINED_FIELDS(F, M)                                                                   \
    F(M, fixed, key, 32, "contract key")                                                           \
    F(M, u8, code, 0, "0, or an error's number without its sign: not joined")                      \
    F(M, u8, hosts, 0, "nodes known to hold all of it, the root's count")                          \
    F(M, fixed, fingerprint, 32, "of what the feed has")                                           \
    F(M, bytes, kind, KIND_NAME_BYTES_MAX, "its kind")                                             \
    F(M, bytes, params, PARAMS_BYTES_MAX, "its parameters")
/* The child goes, or the feed sends it away. */
#define PEER_LEAVE_FIELDS(F, M) F(M, fixed, key, 32, "contract key")
/* The node nearest to the key asks another to keep a copy (it then joins), or no longer. */
#define PEER_HOST_FIELDS(F, M)                                                                     \
    F(M, fixed, key, 32, "contract key")                                                           \
    F(M, u8, on, 0, "1: keep a copy; 0: need not any more")

/* What changed, or a piece of what the other lacks. */
#define PEER_DELTA_FIELDS(F, M)                                                                    \
    F(M, fixed, key, 32, "contract key")                                                           \
    F(M, bytes, entries, PEER_ENTRIES_BYTES_MAX, "canonical entries")
/* One body of a sync by ranges, either way. */
#define PEER_SYNC_FIELDS(F, M)                                                                     \
    F(M, fixed, key, 32, "contract key")                                                           \
    F(M, fixed, salt, 16, "of this sync: chosen by both, see docs/protocol.md")                    \
    F(M, u8, round, 0, "0: the opening body")                                                      \
    F(M, bytes, body, SYNC_BODY_BYTES_MAX, "contracts/sync.h; empty: the sender has nothing to ask")

/* The sender gets no word of a node that it has live. */
#define PEER_DOUBT_FIELDS(F, M) F(M, fixed, id, 32, "of the node")

#define PEER_ADDRESS_BYTES_MAX 262u /* a host name of 253, a colon, a port, brackets */
#define PEER_NODE_BYTES_MAX    (32u + 1u + 4u + PEER_ADDRESS_BYTES_MAX)
#define PEER_NODES_BYTES_MAX   (32u << 10)
/* One entry, or more of them up to this; a record of the log has room for it. */
#define PEER_ENTRIES_BYTES_MAX (ENTRY_VALUE_BYTES_MAX + ENTRY_KEY_BYTES_MAX + 5u)
#define PEER_PIECE_BYTES       (64u << 10) /* what pieces and large deltas are cut to */
#define PEER_MESSAGE_BYTES_MAX (PEER_ENTRIES_BYTES_MAX + PARAMS_BYTES_MAX + 1024u)
#define PEER_HOPS              10u

/* P (kind, fields, who handles it) */
#define PEER_MESSAGES(P)                                                                           \
    P(PING, PEER_PING_FIELDS, connections)                                                         \
    P(PONG, PEER_PONG_FIELDS, connections)                                                         \
    P(NEIGHBOURS, PEER_NEIGHBOURS_FIELDS, connections)                                             \
    P(CONNECT, PEER_CONNECT_FIELDS, connections)                                                   \
    P(ACCEPT, PEER_ACCEPT_FIELDS, connections)                                                     \
    P(MATRIX_ASK, PEER_MATRIX_ASK_FIELDS, connections)                                             \
    P(MATRIX, PEER_MATRIX_FIELDS, connections)                                                     \
    P(GET, PEER_GET_FIELDS, get)                                                                   \
    P(PIECE, PEER_PIECE_FIELDS, get)                                                               \
    P(GOT, PEER_GOT_FIELDS, get)                                                                   \
    P(UPDATE, PEER_UPDATE_FIELDS, update)                                                          \
    P(UPDATED, PEER_UPDATED_FIELDS, update)                                                        \
    P(JOIN, PEER_JOIN_FIELDS, hosting)                                                             \
    P(JOINED, PEER_JOINED_FIELDS, hosting)                                                         \
    P(LEAVE, PEER_LEAVE_FIELDS, hosting)                                                           \
    P(HOST, PEER_HOST_FIELDS, hosting)                                                             \
    P(DELTA, PEER_DELTA_FIELDS, sync)                                                              \
    P(SYNC, PEER_SYNC_FIELDS, sync)                                                                \
    P(DOUBT, PEER_DOUBT_FIELDS, connections)

enum peer_kind {
#define P(kind, fields, actor) PEER_##kind,
    PEER_MESSAGES(P)
#undef P
        PEER_KIND_COUNT
};

/* struct peer_ping, peer_ping_layout, … : the names in small letters. */
CODEC_STRUCT(peer_ping, PEER_PING_FIELDS)
CODEC_STRUCT(peer_pong, PEER_PONG_FIELDS)
CODEC_STRUCT(peer_node, PEER_NODE_FIELDS)
CODEC_STRUCT(peer_neighbours, PEER_NEIGHBOURS_FIELDS)
CODEC_STRUCT(peer_connect, PEER_CONNECT_FIELDS)
CODEC_STRUCT(peer_accept, PEER_ACCEPT_FIELDS)
CODEC_STRUCT(peer_matrix_ask, PEER_MATRIX_ASK_FIELDS)
CODEC_STRUCT(peer_matrix, PEER_MATRIX_FIELDS)
CODEC_STRUCT(peer_get, PEER_GET_FIELDS)
CODEC_STRUCT(peer_piece, PEER_PIECE_FIELDS)
CODEC_STRUCT(peer_got, PEER_GOT_FIELDS)
CODEC_STRUCT(peer_update, PEER_UPDATE_FIELDS)
CODEC_STRUCT(peer_updated, PEER_UPDATED_FIELDS)
CODEC_STRUCT(peer_join, PEER_JOIN_FIELDS)
CODEC_STRUCT(peer_joined, PEER_JOINED_FIELDS)
CODEC_STRUCT(peer_leave, PEER_LEAVE_FIELDS)
CODEC_STRUCT(peer_host, PEER_HOST_FIELDS)
CODEC_STRUCT(peer_delta, PEER_DELTA_FIELDS)
CODEC_STRUCT(peer_sync, PEER_SYNC_FIELDS)
CODEC_STRUCT(peer_doubt, PEER_DOUBT_FIELDS)

struct peer_kind_row {
    const char *name;
    const struct layout *layout;
};
extern const struct peer_kind_row peer_kinds[PEER_KIND_COUNT];

/* Any of the structs above. */
union peer_any {
    struct peer_ping ping;
    struct peer_pong pong;
    struct peer_neighbours neighbours;
    struct peer_connect connect;
    struct peer_accept accept;
    struct peer_matrix_ask matrix_ask;
    struct peer_matrix matrix;
    struct peer_get get;
    struct peer_piece piece;
    struct peer_got got;
    struct peer_update update;
    struct peer_updated updated;
    struct peer_join join;
    struct peer_joined joined;
    struct peer_leave leave;
    struct peer_host host;
    struct peer_delta delta;
    struct peer_sync sync;
    struct peer_doubt doubt;
};

/* Appends the kind byte and the fields of `message` (the struct of that kind). Errors as
 * codec_encode. */
MUST_USE int peer_encode(enum peer_kind kind, const void *message, struct buffer *out);

/* Reads one message; byte fields borrow from bytes. ERR_BAD_REQUEST with the field named, also for
 * a kind that is not in the list (both ends have agreed on a version that tells the list). */
MUST_USE int peer_decode(struct slice bytes, enum peer_kind *kind, union peer_any *message,
                         struct reason *why);

#endif
