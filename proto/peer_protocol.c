#include "proto/peer_protocol.h"

CODEC_LAYOUT(peer_ping, PEER_PING_FIELDS)
CODEC_LAYOUT(peer_pong, PEER_PONG_FIELDS)
CODEC_LAYOUT(peer_node, PEER_NODE_FIELDS)
CODEC_LAYOUT(peer_neighbours, PEER_NEIGHBOURS_FIELDS)
CODEC_LAYOUT(peer_connect, PEER_CONNECT_FIELDS)
CODEC_LAYOUT(peer_accept, PEER_ACCEPT_FIELDS)
CODEC_LAYOUT(peer_matrix_ask, PEER_MATRIX_ASK_FIELDS)
CODEC_LAYOUT(peer_matrix, PEER_MATRIX_FIELDS)
CODEC_LAYOUT(peer_get, PEER_GET_FIELDS)
CODEC_LAYOUT(peer_piece, PEER_PIECE_FIELDS)
CODEC_LAYOUT(peer_got, PEER_GOT_FIELDS)
CODEC_LAYOUT(peer_update, PEER_UPDATE_FIELDS)
CODEC_LAYOUT(peer_updated, PEER_UPDATED_FIELDS)
CODEC_LAYOUT(peer_join, PEER_JOIN_FIELDS)
CODEC_LAYOUT(peer_joined, PEER_JOINED_FIELDS)
CODEC_LAYOUT(peer_leave, PEER_LEAVE_FIELDS)
CODEC_LAYOUT(peer_host, PEER_HOST_FIELDS)
CODEC_LAYOUT(peer_delta, PEER_DELTA_FIELDS)
CODEC_LAYOUT(peer_sync, PEER_SYNC_FIELDS)
CODEC_LAYOUT(peer_doubt, PEER_DOUBT_FIELDS)

/* In the order of PEER_MESSAGES. */
const struct peer_kind_row peer_kinds[PEER_KIND_COUNT] = {
    [PEER_PING] = {"PING", &peer_ping_layout},
    [PEER_PONG] = {"PONG", &peer_pong_layout},
    [PEER_NEIGHBOURS] = {"NEIGHBOURS", &peer_neighbours_layout},
    [PEER_CONNECT] = {"CONNECT", &peer_connect_layout},
    [PEER_ACCEPT] = {"ACCEPT", &peer_accept_layout},
    [PEER_MATRIX_ASK] = {"MATRIX_ASK", &peer_matrix_ask_layout},
    [PEER_MATRIX] = {"MATRIX", &peer_matrix_layout},
    [PEER_GET] = {"GET", &peer_get_layout},
    [PEER_PIECE] = {"PIECE", &peer_piece_layout},
    [PEER_GOT] = {"GOT", &peer_got_layout},
    [PEER_UPDATE] = {"UPDATE", &peer_update_layout},
    [PEER_UPDATED] = {"UPDATED", &peer_updated_layout},
    [PEER_JOIN] = {"JOIN", &peer_join_layout},
    [PEER_JOINED] = {"JOINED", &peer_joined_layout},
    [PEER_LEAVE] = {"LEAVE", &peer_leave_layout},
    [PEER_HOST] = {"HOST", &peer_host_layout},
    [PEER_DELTA] = {"DELTA", &peer_delta_layout},
    [PEER_SYNC] = {"SYNC", &peer_sync_layout},
    [PEER_DOUBT] = {"DOUBT", &peer_doubt_layout},
};

int peer_encode(enum peer_kind kind, const void *message, struct buffer *out)
{
    buffer_append_u8(out, (uint8_t)kind);
    return codec_encode(peer_kinds[kind].layout, message, out);
}

int peer_decode(struct slice bytes, enum peer_kind *kind, union peer_any *message,
                struct reason *why)
{
    if (bytes.size == 0)
        return fail(why, ERR_BAD_REQUEST, "a message without a kind");
    if (bytes.data[0] >= PEER_KIND_COUNT)
        return fail(why, ERR_BAD_REQUEST, "there is no message of kind %u", bytes.data[0]);
    enum peer_kind found = (enum peer_kind)bytes.data[0];
    int rc = codec_decode(peer_kinds[found].layout, slice_after(bytes, 1), message, why);
    if (rc == 0)
        *kind = found;
    return rc;
}
