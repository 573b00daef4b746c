/* sync: makes the copies of a contract at this node and at a peer equal, and merges what peers
 * send.
 *
 * Two hosts of a contract compare it by ranges (contracts/sync.h): bodies go to and fro in SYNC,
 * each answered by a walk through the own state, and what a walk finds that the other side lacks
 * goes there as DELTA. Changes of others come as DELTA too, told by the peer's subscribe.
 *
 *   takes SYNC (hosting), FELL_BEHIND (subscribe), WALKED, MERGED (storage), PEER_SENT, PEER_MAIL
 * of DELTA and SYNC (transport), PEER_GONE (connections); gives WALK, MERGE (storage), SYNCED,
 *   FILLED, STRAY (hosting), PEER_SEND (transport), BLAME (connections)
 *
 *          SYNC, FELL_BEHIND            WALKED: the body goes out
 *   (none) ——————————————————→ walking ————————————————————————→ waiting for the answer
 *      │ PEER_MAIL SYNC           ↑  parts of the walk go out as     │ PEER_MAIL SYNC, once what
 * came └——————————————————————————┤  DELTA, few at a time            │ before it is merged
 *                                 └——————————————————————————————————┘
 *   both sides' last bodies were empty → SYNCED to who began, FILLED to who answered
 *
 * A DELTA's mail is kept until it is merged, durably: so the peer's window is the bound of what
 * waits here (lesson C3). */
#ifndef WEIR_ACTORS_SYNC_H
#define WEIR_ACTORS_SYNC_H

#include "actors/actor.h"

typedef struct sync sync_t;
sync_t *sync_new(void);
void sync_destroy(sync_t **self);
extern const struct actor_spec sync_spec;

#endif
