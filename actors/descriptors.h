/* descriptors: the files and sockets that this process may open, and how many of them are for
 * connections: of peers, and of clients. Neither can take what the other has, nor what the store
 * needs. libzmq's thread turns without rest when it cannot accept for want of them, and a node that
 * cannot open its log can do nothing: so this is decided at the start. */
#ifndef WEIR_ACTORS_DESCRIPTORS_H
#define WEIR_ACTORS_DESCRIPTORS_H

#include "base/errors.h"

#include <stddef.h>

struct descriptor_shares {
    size_t peers;   /* at most CONNECTIONS_MAX */
    size_t clients; /* at most CLIENT_CONNECTIONS_MAX */
};

/* Raises this process's limit to what a node can use, where it may (the hard limit), and shares
 * what there is. ERR_BUSY when that is too little for any node. */
MUST_USE int descriptors_share(struct descriptor_shares *shares, struct reason *why);

#endif
