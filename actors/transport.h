/* transport: the connections to other nodes: handshakes, session keys, sealed records in and out,
 * a window for each. It knows connections by number and decides nothing about who may stay: that
 * is connections' to do.
 *
 *   takes DIAL, ADMIT, HANG_UP, PEER_SEND, NOTIFY (for followers that are peers), ASK
 *   gives OPENED, CLOSED, PEER_MAIL, PEER_SENT, NOTIFY_BACK, CLIENT_READY, SPOKEN_TO, ASK
 *
 *   connections    DIAL ▸               ADMIT ▸                     HANG_UP ▸
 *   transport            handshake ▸ OPENED     PEER_MAIL ▸ …                 goodbye ▸ CLOSED
 *
 * Numbers: connections gives even ones to its dials, transport odd ones to who dialled this node;
 * none is used twice. Every number that was dialled or OPENED is CLOSED exactly once, PEER_MAIL of
 * it comes after ADMIT and before CLOSED, and a PEER_SEND with `tell` always comes back.
 *
 * Who dials this node is a stranger until its first record opened under the keys of its handshake
 * (lesson K3): so long it has no number, holds at most STRANGER_BYTES_MAX and lives HANDSHAKE_MS.
 *
 * Full is not closed (lesson C3). Out: who follows a contract and does not read gets its deltas
 * merged (NOTIFY_BACK, CLIENT_READY). In: a mail counts until it is freed; what is counted is not
 * granted to the far side's lanes again (proto/lanes.h), so it sends no more of that lane, while
 * pings and other lanes go on. The mail of all peers has one budget: past it the one with most of
 * it is not read, and who has little is read on (lesson C5). A message that is not whole yet counts
 * too; when there is too much of such, the greediest is hung up on. */
#ifndef WEIR_ACTORS_TRANSPORT_H
#define WEIR_ACTORS_TRANSPORT_H

#include "actors/actor.h"
#include "actors/peer_wire.h"
#include "proto/handshake.h"

struct transport_options {
    const struct peer_wire *wire;   /* borrowed */
    struct handshake_config config; /* copied; the texts that it borrows must outlive transport */
    size_t connections_max;         /* strangers included; 0: CONNECTIONS_MAX */
    uint64_t mail_bytes_max;        /* of all peers; 0: PEERS_MAIL_BYTES_MAX */
};

typedef struct transport transport_t;

/* NULL without memory, or for texts in config that cannot be sent. Call sodium_init before. */
transport_t *transport_new(const struct transport_options *options);

/* Says goodbye to all that are connected, waits at most GOODBYE_ALL_MS for their sockets to take
 * it, closes everything and frees. The wire is the caller's to destroy after it. */
void transport_destroy(transport_t **self);

const struct transport_counters *transport_counters(const transport_t *self);

extern const struct actor_spec transport_spec;

#endif
