/* What others tell of peers: NEIGHBOURS, the nodes in CONNECT and ACCEPT, and what a former run
 * wrote down. It may be old, and it may be a lie: it makes peers known, and says where to try; what
 * a peer told of itself, or where it was reached, stands above it. */
#include "actors/connections_state.h"

#include "proto/hello.h"

#include <stdlib.h>

bool peer_is_lost(const struct peer *peer)
{
    return !peer_link_in(peer, PEER_live) && peer->tries >= DIAL_TRIES;
}

/* An address that somebody else can tell. */
static bool is_told_address(struct slice address)
{
    return hello_is_address(address) && !hello_is_any_host(address);
}

/* --- who is back -------------------------------------------------------------------------- */

/* Somebody is connected to who is not connected here: it is back. In a small network, where this
 * node wants all it hears of, who was given up gets one more try, and who was live here, or is a
 * gateway anywhere, is not kept waiting for the pause that grew meanwhile (lesson L4). Who had no
 * room for this node is: another attempt would push somebody else out; and who does not want it.
 * What was told before the last attempt, or right after it went, is old. When does it count? NEVER:
 * not at all. */
static uint64_t news_count_at(const connections_t *self, const struct peer *peer, uint64_t now_ms)
{
    bool small = upkeep_is_small(self);
    if (peer->links || peer->shed || peer->unwelcome || !peer->address[0] ||
        peer->told_ms <= peer->dialled_ms ||
        (peer->gone_ms && peer->told_ms < peer->gone_ms + STALE_NEWS_MS))
        return NEVER;
    bool given_up = small && peer_is_lost(peer);
    bool waits = now_ms < peer->dial_at_ms || (peer->left && now_ms < peer->away_until_ms);
    bool was_here = (small && peer->gone_ms) || is_reserved(peer);
    if (!given_up && !(waits && was_here))
        return NEVER;
    uint64_t at = peer->revived_ms ? peer->revived_ms + REVIVE_EVERY_MS : 0; /* lesson D2 */
    return at > peer->shunned_until_ms ? at : peer->shunned_until_ms;
}

uint64_t hearsay_heed(const connections_t *self, struct peer *peer, uint64_t now_ms)
{
    uint64_t at = news_count_at(self, peer, now_ms);
    if (at > now_ms)
        return at;
    bool given_up = upkeep_is_small(self) && peer_is_lost(peer);
    if (given_up)
        peer->tries = DIAL_TRIES - 1;
    if (given_up || peer->left)
        peer->away_until_ms = 0;
    peer->left = false;
    peer->revived_ms = peer->dial_at_ms = now_ms;
    return NEVER;
}

/* --- where it is -------------------------------------------------------------------------- */

/* Fills in where nothing is known that is better; beside what is better it is kept as a second
 * place to try. False without memory. */
static bool note_address(struct peer *peer, const struct peer_node *node)
{
    if (!peer->proven)
        peer->role = node->role;
    if (slice_is(node->address, peer->address) || !is_told_address(node->address))
        return true;
    if (peer->proven)
        return peer_set_hearsay(peer, node->address);
    return peer_set_address(peer, node->address);
}

/* Whoever closes without an answer may be another node, or the right one that was just ending: once
 * says nothing yet. What was told since then is not what failed. */
bool hearsay_failed(struct peer *peer, enum close_reason reason)
{
    bool second = peer->dials_hearsay, news = peer->told_ms > peer->dialled_ms;
    peer->dials_hearsay = false;
    if (second && !news)
        peer_drop_hearsay(peer);
    else if (!second && !news && !peer->proven && !is_reserved(peer) && reason == CLOSE_wrong_id &&
             peer->tries)
        (void)peer_set_address(peer, slice_text(""));
    return second;
}

struct peer *hearsay_note(connections_t *self, const struct peer_node *node, uint64_t now_ms)
{
    struct node_id id;
    memcpy(id.bytes, node->id, sizeof id.bytes);
    if (memcmp(&id, &self->id, sizeof id) == 0)
        return NULL; /* lesson D5 */
    struct peer *peer = peers_find(&self->peers, &id);
    if (!peer && !(peer = peers_of(&self->peers, &id)))
        return NULL;
    peer->heard_ms = now_ms;
    if (peer_link_in(peer, PEER_live))
        return peer; /* it is known better here */
    bool named = is_reserved(peer) || peer->asked;
    if (!(named && peer->address[0]) && !note_address(peer, node))
        return NULL;
    peer->told_ms = now_ms;
    connections_replan(self);
    return peer;
}
