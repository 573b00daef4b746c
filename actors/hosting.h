/* hosting: which contracts this node hosts, from whom it takes each one's feed, and to whom it
 * gives it on (design.md §5).
 *
 * The hosts of a contract form a tree by nearness to its key: each takes its feed from the nearest
 * live peer that is nearer than itself, so there is no cycle; who has none is the root, and asks
 * its two nearest peers to keep copies. What changes goes along the edges of the tree, both ways
 * (subscribe.h). An edge begins with JOIN and JOINED, which compare fingerprints, and a sync where
 * they differ (sync.h); so a node that comes between a host and the old root gets the contract
 * handed over by the same step that makes it the feed.
 *
 *             ABOUT → JOIN          JOINED            SYNCED
 *   (no feed) ————————————→ asking ——————————→ syncing ——————————→ live
 *       ↑                      │ refused, silent  │ failed           │ gone, silent,
 *       │                      │                  │                  │ a nearer one came
 *       └——————————————————————┴——————————————————┴——————————————————┘ (the next best is asked)
 *
 *   takes HOST (put, get, subscribe), KEPT (get), NEEDED (subscribe), CROWDED, ABOUT_DONE, HELD,
 *   MERGED, DROPPED (storage), SYNCED, FILLED, STRAY (sync), PEER_LIVE, PEER_SILENT,
 *   PEER_GONE (connections), ASK, PEER_MAIL of JOIN, JOINED, LEAVE, HOST (transport)
 *   gives HOSTED (put, get, subscribe), ABOUT, HOLDINGS, MERGE, DROP, HEALED, ASK (storage),
 *   FOLLOW (subscribe), SYNC (sync), PEER_SEND (transport), BLAME (connections) */
#ifndef WEIR_ACTORS_HOSTING_H
#define WEIR_ACTORS_HOSTING_H

#include "actors/actor.h"

struct hosting_options {
    struct node_id id;
    bool networked; /* this node knows of others */
    bool leaf;      /* it cannot be dialled */
};

typedef struct hosting hosting_t;
hosting_t *hosting_new(const struct hosting_options *options);
void hosting_destroy(hosting_t **self);
extern const struct actor_spec hosting_spec;

#endif
