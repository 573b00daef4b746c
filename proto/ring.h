/* ring: places on a circle, and which live peer is nearer to one (design.md §5).
 *
 * A node's place is a hash of its id, a contract's a hash of its key: 64-bit numbers on a circle.
 * Greedy routing hands a request to the live peer nearest to the key, only ever to one strictly
 * nearer than the node itself, so it cannot run in a cycle. Equal distances are told apart by node
 * id, the lower one counting as nearer, so that all nodes agree.
 *
 * Pure: who is live is told by the owner of the connections; each actor that routes keeps a view.
 */
#ifndef WEIR_PROTO_RING_H
#define WEIR_PROTO_RING_H

#include "base/errors.h"

#include <stdbool.h>
#include <stdint.h>

enum { NODE_ID_BYTES = 32 };

/* A connection of this node: given once, never again while the node runs. 0 is none. */
typedef uint64_t peer_t;

typedef uint64_t place_t;

struct node_id {
    uint8_t bytes[NODE_ID_BYTES];
};

/* BLAKE2b-64 over a domain label and the id or contract key. */
place_t ring_place_of_node(const struct node_id *id);
place_t ring_place_of_contract(const uint8_t key[32]);

/* The shorter way round the circle. */
uint64_t ring_distance(place_t a, place_t b);

/* Is a (at place a) nearer to `to` than b? Equal distance: the lower id is. */
bool ring_is_nearer(place_t to, const struct node_id *a, place_t a_place, const struct node_id *b,
                    place_t b_place);

/* A *leaf* cannot be dialled (it is behind a NAT, or does not listen), so two leaves are never
 * connected: it counts as farther from every place than all who can be dialled, and is no root
 * while one of those is live. */
struct ring_peer {
    peer_t number;
    struct node_id id;
    place_t place;
    bool leaf;
    bool silent; /* live, but it says nothing: see ring_view_silence */
};

/* The live peers as one actor knows them. Zero-initialise, then set own id by ring_view_init. */
struct ring_view {
    struct node_id id;
    place_t place;
    bool leaf;               /* this node; set after ring_view_init */
    struct ring_peer *peers; /* owned; sorted by place */
    size_t count, capacity;
};

void ring_view_init(struct ring_view *self, const struct node_id *id);
void ring_view_free(struct ring_view *self);
/* ERR_NO_MEMORY. Twice is once. */
MUST_USE int ring_view_add(struct ring_view *self, peer_t number, const struct node_id *id,
                           bool leaf);
void ring_view_remove(struct ring_view *self, peer_t number);
/* It stays live, and ring_next_heard passes it over until it is not silent any more. */
void ring_view_silence(struct ring_view *self, peer_t number, bool silent);
const struct ring_peer *ring_view_find(const struct ring_view *self, peer_t number);

/* The live peer nearest to `to` that is strictly nearer than this node and not among the excluded;
 * NULL: there is none (with nothing excluded: this node is the nearest it knows). Borrowed until
 * the view changes. */
const struct ring_peer *ring_next(const struct ring_view *self, place_t to, const peer_t *excluded,
                                  size_t excluded_count);

/* The same of those that are not silent. */
const struct ring_peer *ring_next_heard(const struct ring_view *self, place_t to,
                                        const peer_t *excluded, size_t excluded_count);

/* The same without the condition on this node: the nearest live peers, at most `most`, nearest
 * first. Returns how many. */
size_t ring_nearest(const struct ring_view *self, place_t to, const struct ring_peer **peers,
                    size_t most);

/* Is this connection among those listed? */
bool ring_is_among(peer_t number, const peer_t *numbers, size_t count);

/* Is this node nearer to `to` than the peer? */
bool ring_view_is_nearer(const struct ring_view *self, place_t to, const struct ring_peer *peer);

/* A place for a far link: at a distance drawn with probability proportional to 1/distance
 * (Kleinberg 2000), on either side. `random` is uniform; `nodes` a guess of the network's size. */
place_t ring_far_place(place_t own, uint64_t random, uint64_t nodes);

/* A guess of the number of nodes from how dense the nearest `count` places lie around own. */
uint64_t ring_guess_nodes(place_t own, const place_t *nearest, size_t count);

#endif
