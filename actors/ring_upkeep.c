/* Whom this node wants to be connected to, and when it dials them (docs/decisions/0015-ring.md). */
#include "actors/connections_state.h"

#include <stdlib.h>

enum { GATEWAY_NEEDED_BELOW = 2 * NEAR_A_SIDE };

bool upkeep_is_small(const connections_t *self)
{
    return self->peers.count < 2 * PEERS_WANTED;
}

/* --- whom to want ------------------------------------------------------------------------- */

/* A peer that may be wanted, and how far it is clockwise. */
struct candidate {
    uint64_t clockwise;
    struct peer *peer;
    bool full; /* it had no room not long ago: wanted only as a neighbour, who is made room for */
};

static int by_clockwise(const void *a, const void *b)
{
    const struct candidate *x = (const struct candidate *)a, *y = (const struct candidate *)b;
    if (x->clockwise != y->clockwise)
        return (x->clockwise > y->clockwise) - (x->clockwise < y->clockwise);
    return memcmp(x->peer->id.bytes, y->peer->id.bytes, sizeof x->peer->id.bytes);
}

static bool had_no_room(const struct peer *peer, uint64_t now_ms)
{
    return !peer->links && peer->full && now_ms < peer->away_until_ms;
}

static bool may_be_wanted(const connections_t *self, const struct peer *peer, uint64_t now_ms)
{
    if (peer->links)
        return true;
    bool away = now_ms < peer->away_until_ms && !had_no_room(peer, now_ms);
    if (!peer->address[0] || away || now_ms < peer->shunned_until_ms)
        return false;
    if (!peer_is_lost(peer) || (self->view.count == 0 && (peer->was_live || peer->vouched)))
        return true;
    return peer->was_live && now_ms < peer->heard_ms + LOST_MS;
}

static bool is_worth_keeping(const struct peer *peer)
{
    return is_reserved(peer) || peer->was_live || peer->vouched || peer->asked || peer->links ||
           peer->shunned_until_ms;
}

/* Others than gateways and pinned peers are given up after DIAL_TRIES, and who was never live is
 * forgotten when nobody tells of it any more. With nobody live, who once was stays worth trying. */
static void give_up(connections_t *self, struct peer *peer, uint64_t now_ms)
{
    bool goes = peer_is_lost(peer) && peer->want == WANT_none && !is_reserved(peer);
    if (!goes || now_ms < peer->away_until_ms)
        return;
    if (!is_worth_keeping(peer) && peer->away_until_ms && now_ms >= peer->heard_ms + GIVEN_UP_MS) {
        peers_forget(&self->peers, peer);
        return;
    }
    bool again = peer->away_until_ms != 0; /* told of meanwhile, or live once: another round */
    peer->tries = again ? 0 : peer->tries;
    peer->away_until_ms = again ? 0 : now_ms + GIVEN_UP_MS;
}

static void want(struct peer *peer, enum peer_want want)
{
    if (want > peer->want)
        peer->want = want;
}

/* The NEAR_A_SIDE next ones on a side. Lost ones on the way are wanted too (lesson L4), but do not
 * count. */
static void want_near(const struct candidate *candidates, size_t count, bool clockwise)
{
    size_t found = 0;
    for (size_t i = 0; i < count && found < NEAR_A_SIDE; i++) {
        struct peer *peer = candidates[clockwise ? i : count - 1 - i].peer;
        want(peer, WANT_near);
        found += !peer_is_lost(peer);
    }
}

/* While this node has few peers it wants all it hears of, the near ones first: a small network is
 * a full mesh. */
static void want_some(const connections_t *self, const struct candidate *candidates, size_t count)
{
    size_t most = self->peers_max < PEERS_WANTED ? self->peers_max : PEERS_WANTED, wanted = 0;
    for (size_t i = 0; i < count; i++)
        wanted += candidates[i].peer->links || candidates[i].peer->want != WANT_none;
    for (size_t i = 0; i < count && wanted < most; i++) {
        const struct candidate *next = &candidates[i % 2 ? count - 1 - i / 2 : i / 2];
        struct peer *peer = next->peer;
        if (peer->want != WANT_none || peer->links || peer_is_lost(peer) || next->full)
            continue;
        want(peer, WANT_small);
        wanted++;
    }
}

static void want_for_itself(const connections_t *self, struct peer *peer, uint64_t now_ms)
{
    bool needed = !peer->shed || self->view.count < GATEWAY_NEEDED_BELOW;
    if (peer->pinned || peer->asked)
        want(peer, WANT_pinned);
    else if (peer->gateway && needed)
        want(peer, WANT_gateway);
    else if (now_ms < peer->invited_until_ms && now_ms >= peer->away_until_ms)
        want(peer, peer->far ? WANT_far : WANT_invited);
}

void upkeep_choose(connections_t *self, uint64_t now_ms)
{
    size_t count = 0;
    struct candidate *candidates =
        (struct candidate *)calloc(self->peers.count + 1, sizeof *candidates);
    if (!candidates)
        return; /* what was wanted stays so until the next time */
    for (struct peer *p = self->peers.by_id; p; p = (struct peer *)p->by_id.next)
        if (may_be_wanted(self, p, now_ms))
            candidates[count++] = (struct candidate){.clockwise = p->place - self->view.place,
                                                     .peer = p,
                                                     .full = had_no_room(p, now_ms)};
    qsort(candidates, count, sizeof *candidates, by_clockwise);
    for (struct peer *p = self->peers.by_id; p; p = (struct peer *)p->by_id.next) {
        bool was_wanted = p->want != WANT_none;
        p->want = WANT_none;
        want_for_itself(self, p, now_ms);
        if (!was_wanted && !p->links)
            p->wanted_ms = now_ms;
    }
    want_near(candidates, count, true);
    want_near(candidates, count, false);
    want_some(self, candidates, count);
    free(candidates);
}

/* --- dialling ----------------------------------------------------------------------------- */

/* How long the other side may take before this node dials though it is not its turn (lessons D1,
 * D4). */
static uint64_t grace_ms(const connections_t *self, const struct peer *peer)
{
    if (peer->asked || !self->can_be_dialled || is_lower(self, peer))
        return 0;
    return peer->gateway ? GATEWAY_GRACE_MS : GRACE_MS;
}

/* It introduced itself, as a joiner has to, though it is this node that dials (lesson D1): dialled
 * back once. The rule for two connections then keeps the new one; if it cannot be reached, what is
 * there stays. */
static bool is_to_be_dialled_back(const connections_t *self, const struct peer *peer)
{
    const struct link *live = peer_link_in(peer, PEER_live);
    return live && live->inbound && !live->next && peer->links == live && !peer->dialled_back &&
           is_lower(self, peer) && peer->address[0] && upkeep_is_small(self);
}

/* Dials whom it is time to. Returns when it is time for the next. */
static uint64_t dial_wanted(connections_t *self, struct now now, struct outbox *out)
{
    uint64_t next = NEVER;
    size_t dialling = 0;
    for (struct peer *p = self->peers.by_id; p; p = (struct peer *)p->by_id.next)
        dialling += peer_link_in(p, PEER_dialling) != NULL;
    for (struct peer *p = self->peers.by_id; p; p = (struct peer *)p->by_id.next) {
        if (is_to_be_dialled_back(self, p) && dialling < DIALS_MAX) {
            dialling++;
            p->dialled_back = true;
            connections_dial(self, p, now, out);
        }
        if (p->want == WANT_none || p->links || !p->address[0] || now.ms < p->shunned_until_ms)
            continue;
        uint64_t at = p->wanted_ms + grace_ms(self, p);
        at = p->dial_at_ms > at && !p->asked ? p->dial_at_ms : at;
        if (at > now.ms) {
            next = at < next ? at : next;
        } else if (dialling < DIALS_MAX && (connections_room(self, p) || p->want == WANT_near)) {
            dialling++;
            connections_dial(self, p, now, out);
        } /* else: when one of them ends */
    }
    return next;
}

static uint64_t next_return(const connections_t *self, uint64_t now_ms)
{
    uint64_t next = NEVER;
    for (const struct peer *p = self->peers.by_id; p; p = (const struct peer *)p->by_id.next)
        if (!p->links && p->away_until_ms > now_ms && p->away_until_ms < next)
            next = p->away_until_ms;
    return next;
}

/* Returns when there is more to heed. */
static uint64_t heed_news(const connections_t *self, uint64_t now_ms)
{
    uint64_t next = NEVER;
    for (struct peer *p = self->peers.by_id; p; p = (struct peer *)p->by_id.next) {
        uint64_t at = hearsay_heed(self, p, now_ms);
        next = at < next ? at : next;
    }
    return next;
}

static void plan(connections_t *self, struct now now, struct outbox *out)
{
    uint64_t news = heed_news(self, now.ms);
    self->plan_ms = NEVER;
    upkeep_choose(self, now.ms);
    for (struct peer *p = self->peers.by_id, *after; p; p = after) {
        after = (struct peer *)p->by_id.next;
        give_up(self, p, now.ms);
    }
    uint64_t next = dial_wanted(self, now, out);
    uint64_t back = next_return(self, now.ms);
    next = back < next ? back : next;
    next = news < next ? news : next;
    self->plan_ms = next < self->plan_ms ? next : self->plan_ms;
}

void upkeep_tick(connections_t *self, struct now now, struct outbox *out)
{
    if (now.ms >= self->plan_ms && !self->alone)
        plan(self, now, out);
    if (!self->alone)
        connections_wake(self, self->plan_ms);
    memory_tick(self, now.ms);
}
