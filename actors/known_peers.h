/* known_peers: DATA/peers, the nodes to rejoin the network through when no gateway answers. Plain
 * text, a line a peer, ID@HOST:PORT; a line that is none is passed over with a warning, so that an
 * operator may edit it. Written anew as a whole and put in place by a rename. */
#ifndef WEIR_ACTORS_KNOWN_PEERS_H
#define WEIR_ACTORS_KNOWN_PEERS_H

#include "proto/peer_protocol.h"

typedef struct known_peers known_peers_t;

/* Reads the file of this data directory; there may be none. ERR_IO when it cannot be read. */
MUST_USE int known_peers_open(const char *data_dir, known_peers_t **self, struct reason *why);
void known_peers_close(known_peers_t **self);

/* What was read, at most KNOWN_PEERS_MAX. Borrowed until known_peers_close. */
const struct peer_node *known_peers_list(const known_peers_t *self, size_t *count);

/* Replaces what the file holds; those without an address are left out. ERR_IO leaves it as it was.
 */
MUST_USE int known_peers_write(known_peers_t *self, const struct peer_node *nodes, size_t count,
                               struct reason *why);

#endif
