/* Whom a contract takes its feed from: the nearest live peer that is nearer to its key than this
 * node. JOIN tells it what is here, JOINED what is there, and a sync makes the two equal. */
#include "actors/hosting_state.h"

void feed_leave(hosting_t *self, struct holding *row, struct outbox *out)
{
    peer_t feed = row->feed;
    row->feed = 0;
    row->state = FEED_none;
    row->join_wanted = false;
    row->hosts = 0;
    if (!feed || !ring_view_find(&self->view, feed))
        return;
    hosting_follow(row, feed, false, NULL, out);
    peer_leave(out, feed, &row->key);
}

static void send_join(struct holding *row, const struct reading *reading, uint8_t hops,
                      struct outbox *out)
{
    struct peer_join body = {.hops = hops};
    memcpy(body.key, row->key.bytes, sizeof body.key);
    if (row->damaged) /* as one that has nothing: who feeds it must have a whole copy */
        row->sent = (struct fingerprint){{0}};
    else if (reading) {
        row->sent = reading->fingerprint;
        body.fingerprint = slice_of(row->sent.bytes, sizeof row->sent.bytes);
        body.kind = slice_text(reading->kind->name);
        body.params = slice_of(reading->bytes->data, reading->params_bytes);
    }
    row->join_wanted = false;
    (void)peer_tell(out, row->feed, LANE_small, PEER_JOIN, &body);
}

/* How far a JOIN may go on from here: anew when this node wants it, else as far as that of the
 * child that may go farthest. */
static uint8_t hops_left(const struct holding *row)
{
    uint8_t hops = hosting_wants_itself(row) ? PEER_HOPS : 0;
    for (size_t i = 0; i < row->children_count; i++)
        if (row->children[i].asks && row->children[i].hops > hops)
            hops = row->children[i].hops;
    return hops ? (uint8_t)(hops - 1) : 0;
}

/* Nobody nearer is live: what is here is all there is. */
static void be_root(hosting_t *self, struct holding *row, struct now now, struct outbox *out)
{
    if (row->presence == PRESENCE_unknown) {
        hosting_ask(self, row, out);
        return;
    }
    if (row->presence == PRESENCE_absent && !row->creating) {
        bool alone = self->networked && self->view.count == 0;
        hosting_answer(self, row, alone ? ERR_NO_LIVE_PEER : ERR_NOT_FOUND,
                       alone ? "the contract is not here, and no live peer to ask" : NULL, now,
                       out);
        children_refuse(row, ERR_NOT_FOUND, out);
        return;
    }
    if (row->hollow && !row->children_count && !row->needed)
        evict_hollow(row, out);
    else
        hosting_answer(self, row, 0, NULL, now, out);
}

/* How long JOINED is waited for. A peer that says nothing may have stopped: who has a client
 * waiting moves on as a GET does, and who is asked for another one a little before that one does
 * (lesson L3). Where nobody waits it may take longer each time, or one that is slow never feeds. */
static uint64_t patience_ms(const struct holding *row)
{
    unsigned doublings = row->failures < JOIN_DOUBLINGS ? row->failures : JOIN_DOUBLINGS;
    if (row->presence == PRESENCE_stored)
        return (uint64_t)JOIN_TIMEOUT_MS << (row->damaged ? 0 : doublings);
    for (size_t i = 0; i < row->children_count; i++)
        if (row->children[i].asks && !row->children[i].has)
            return RELAY_PATIENCE_MS / 2;
    return row->waiting.first ? RELAY_PATIENCE_MS : JOIN_TIMEOUT_MS;
}

/* --- feeds that do not work -------------------------------------------------------------- */

/* Another that did not work. When so many are remembered already, the one that was to be asked
 * again first is forgotten. */
static void remember_failed(struct holding *row, peer_t number, uint64_t until_ms)
{
    struct failed_feed *to = &row->failed[0];
    for (size_t i = 0; i < FEEDS_FAILED_MAX && to->number != number; i++)
        if (row->failed[i].number == number || row->failed[i].until_ms < to->until_ms)
            to = &row->failed[i];
    *to = (struct failed_feed){number, until_ms};
}

/* The row is due when the first of them may be asked again. */
static void failed_due(hosting_t *self, struct holding *row)
{
    for (size_t i = 0; i < FEEDS_FAILED_MAX; i++)
        if (row->failed[i].number)
            holding_due(&self->table, row, row->failed[i].until_ms);
}

/* Forgets those whose time is up: they may be asked again (true). While another is being asked they
 * wait for its answer, or two that say nothing would be asked in turn for ever. */
static bool forget_failed(struct holding *row, uint64_t now_ms)
{
    bool any = false;
    for (size_t i = 0; i < FEEDS_FAILED_MAX; i++) {
        struct failed_feed *failed = &row->failed[i];
        if (!failed->number || now_ms < failed->until_ms)
            continue;
        if (row->state == FEED_asking) {
            failed->until_ms = now_ms + FEED_RETRY_MS;
            continue;
        }
        *failed = (struct failed_feed){0};
        any = true;
    }
    return any;
}

bool feed_may_be_asked(struct holding *row, peer_t number)
{
    for (size_t i = 0; i < FEEDS_FAILED_MAX; i++) {
        if (row->failed[i].number != number)
            continue;
        row->failed[i] = (struct failed_feed){0};
        return true;
    }
    return false;
}

/* --- choosing ---------------------------------------------------------------------------- */

void feed_choose(hosting_t *self, struct holding *row, struct now now, struct outbox *out)
{
    peer_t failed[FEEDS_FAILED_MAX]; /* 0 is nobody's number */
    if (row->presence == PRESENCE_absent && !row->creating && !row->feed)
        children_refuse_spent(row, out);
    if (!hosting_wants(row))
        return;
    for (size_t i = 0; i < FEEDS_FAILED_MAX; i++)
        failed[i] = row->failed[i].number;
    const struct ring_peer *best =
        ring_next_heard(&self->view, row->place, failed, FEEDS_FAILED_MAX);
    if (!best && !row->feed)
        best = ring_next(&self->view, row->place, failed, FEEDS_FAILED_MAX);
    else if (!best || best->number == row->feed)
        return; /* it stays with one that is silent when there is no other */
    if (row->feed)
        feed_leave(self, row, out);
    failed_due(self, row);
    if (!best && self->moves.count)
        return; /* who is about to be live under another number may be nearer */
    children_place(self, row, out);
    if (!best) {
        be_root(self, row, now, out);
        return;
    }
    row->feed = best->number;
    row->state = FEED_asking;
    row->confirms = 0;
    hosting_compare_anew(row);
    row->join_wanted = true;
    row->joined_until_ms = now.ms + patience_ms(row);
    holding_due(&self->table, row, row->joined_until_ms);
    if (row->presence == PRESENCE_absent) {
        send_join(row, NULL, hops_left(row), out);
        return;
    }
    /* Told of changes from here on, before our fingerprint is read: none falls between. */
    hosting_follow(row, row->feed, true, NULL, out);
    hosting_ask(self, row, out);
}

void feed_on_about(hosting_t *self, struct holding *row, const struct reading *reading,
                   struct now now, struct outbox *out)
{
    if (!row->feed)
        feed_choose(self, row, now, out);
    if (row->feed && reading && row->state != FEED_asking)
        hosting_follow(row, row->feed, true, reading, out); /* it may know kind and params now */
    if (row->feed && row->join_wanted)
        send_join(row, reading, hops_left(row), out);
    if (reading)
        children_answer(self, row, reading, now, out);
    hosting_answer(self, row, 0, NULL, now, out);
    holding_remove_idle(&self->table, row);
}

void feed_failed(hosting_t *self, struct holding *row, struct now now, struct outbox *out)
{
    uint64_t pause_ms = FEED_RETRY_MS_MAX;
    if (row->failures < 5)
        pause_ms = (uint64_t)FEED_RETRY_MS << row->failures++;
    remember_failed(row, row->feed, now.ms + pause_ms);
    feed_leave(self, row, out);
    feed_choose(self, row, now, out);
    failed_due(self, row);
}

void feed_gone(hosting_t *self, struct holding *row, struct now now, struct outbox *out)
{
    row->feed = 0;
    row->state = FEED_none;
    row->join_wanted = false;
    row->hosts = 0;
    feed_choose(self, row, now, out);
}

/* A feed that is new is asked again soon, until it tells of enough copies: a PUT waits for them.
 * One that told something else than what is here is asked again when it is time to. */
static void confirm(hosting_t *self, struct holding *row, struct now now, struct outbox *out)
{
    bool compares = row->compare_ms && now.ms >= row->compare_ms;
    bool confirms = row->confirms < CONFIRMS_MAX && row->hosts <= children_copies_wanted(self);
    if (compares)
        row->compare_ms = 0;
    else if (row->compare_ms)
        holding_due(&self->table, row, row->compare_ms);
    if (confirms)
        holding_due(&self->table, row, now.ms + ((uint64_t)CONFIRM_MS << 2 * row->confirms++));
    if (!confirms && !compares)
        return;
    row->join_wanted = true;
    hosting_ask(self, row, out);
}

void feed_on_due(hosting_t *self, struct holding *row, struct now now, struct outbox *out)
{
    if (row->creating && row->hosts) /* the contract is being made as JOINED told */
        row->joined_until_ms = now.ms + JOIN_TIMEOUT_MS;
    if (row->state == FEED_asking && now.ms >= row->joined_until_ms)
        feed_failed(self, row, now, out);
    else if (row->state == FEED_live)
        confirm(self, row, now, out);
    if (forget_failed(row, now.ms))
        feed_choose(self, row, now, out);
    hosting_answer(self, row, 0, NULL, now, out);
    if (row->waiting.first)
        holding_due(&self->table, row, row->waiting_until_ms);
    if (row->state == FEED_asking)
        holding_due(&self->table, row, row->joined_until_ms);
    failed_due(self, row);
    holding_remove_idle(&self->table, row);
}
