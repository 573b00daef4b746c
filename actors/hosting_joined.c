/* What a feed answers: JOINED, the same again, and the end of the sync that makes the two equal. */
#include "actors/hosting_state.h"

static bool same(const struct fingerprint *a, const struct fingerprint *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

bool feed_sync_with(const struct holding *row, peer_t number, struct outbox *out)
{
    struct sync_order *order = (struct sync_order *)message_new(sizeof *order);
    if (!order)
        return false;
    order->number = number;
    order->key = row->key;
    send_to(out, ACTOR_sync, MESSAGE_SYNC, &order->head);
    return true;
}

/* Without memory the row stays as it is: who asks gives the feed up in time, who was live compares
 * again at the next refresh. */
static void begin_sync(struct holding *row, struct outbox *out)
{
    if (feed_sync_with(row, row->feed, out))
        row->state = FEED_syncing;
}

void feed_healed(hosting_t *self, struct holding *row, struct outbox *out)
{
    struct watch *healed = (struct watch *)message_new(sizeof *healed);
    if (!healed)
        return; /* the next sync, or the next start */
    healed->key = row->key;
    row->damaged = row->hollow = false;
    send_to(out, ACTOR_storage, MESSAGE_HEALED, &healed->head);
    hosting_ask(self, row, out); /* for children that ask */
}

static void become_live(hosting_t *self, struct holding *row, struct now now, struct outbox *out)
{
    row->state = FEED_live;
    if (row->hollow && row->children_count)
        hosting_ask(self, row, out); /* who waits for it to be filled is answered now */
    row->hollow = false;
    row->failures = 0;
    memset(row->failed, 0, sizeof row->failed);
    if (row->confirms == 0)
        holding_due(&self->table, row, now.ms);
    hosting_answer(self, row, 0, NULL, now, out);
}

void feed_on_created(hosting_t *self, struct holding *row, struct now now, struct outbox *out)
{
    row->about_again = false;
    if (row->state == FEED_asking && row->hosts) { /* made as JOINED told */
        hosting_follow(row, row->feed, true, NULL, out);
        /* A change that came before the contract was here has been sent away, and us with it:
         * joined again before the feed looks at what is to be synced, we miss nothing. */
        row->join_wanted = true;
        hosting_ask(self, row, out);
        begin_sync(row, out);
        return;
    }
    feed_choose(self, row, now, out);
    hosting_ask(self, row, out); /* for children that ask */
}

/* Joined for the first time: equal already, or to be made so. */
static void on_first(hosting_t *self, struct holding *row, struct peer_mail *mail, struct now now,
                     struct outbox *out)
{
    const struct peer_joined *joined = &mail->body.joined;
    struct message *message = &mail->head;
    if (row->presence != PRESENCE_stored) {
        if (row->creating)
            message_free(&message);
        else if (!hosting_create(row, mail, joined->kind, joined->params, out))
            feed_failed(self, row, now, out);
        return;
    }
    hosting_follow(row, row->feed, true, NULL, out);
    if (memcmp(joined->fingerprint, row->sent.bytes, sizeof row->sent.bytes) == 0)
        become_live(self, row, now, out);
    else
        begin_sync(row, out);
    message_free(&message);
}

/* --- compared again ---------------------------------------------------------------------- */

void hosting_compare_anew(struct holding *row)
{
    row->differed = 0;
    row->compare_ms = 0;
}

/* Two hosts that told the same as the last time, and not the same as each other, are not about to
 * become equal by themselves. While either changes it may only be that something is on its way:
 * they are compared again, later each time, and in the end made equal, whatever it is, once until
 * the refresh. */
static void compare(hosting_t *self, struct holding *row, const struct fingerprint *got,
                    struct now now, struct outbox *out)
{
    if (same(got, &row->sent)) {
        hosting_compare_anew(row);
        return;
    }
    if (row->compare_ms || row->differed > DIFFERS_MAX)
        return; /* too early to tell; or made equal once, and no more until the refresh */

    /* These are hashes. */
    uint64_t compared = get_u64(got->bytes) ^ get_u64(row->sent.bytes + 8);
    bool still = row->differed && compared == row->compared;
    row->compared = compared;
    if (still || row->differed == DIFFERS_MAX) {
        row->differed = DIFFERS_MAX + 1;
        begin_sync(row, out);
    } else if (row->differed < DIFFERS_MAX) {
        row->compare_ms = now.ms + ((uint64_t)DIFFER_MS << row->differed++);
        holding_due(&self->table, row, row->compare_ms);
    }
}

/* Joined again, to compare, or to hear of copies. */
static void on_again(hosting_t *self, struct holding *row, const struct peer_joined *joined,
                     struct now now, struct outbox *out)
{
    struct fingerprint got;
    memcpy(got.bytes, joined->fingerprint, sizeof got.bytes);
    if (row->state == FEED_live)
        compare(self, row, &got, now, out);
    hosting_answer(self, row, 0, NULL, now, out);
}

void feed_on_joined(hosting_t *self, struct peer_mail *mail, struct now now, struct outbox *out)
{
    const struct peer_joined *joined = &mail->body.joined;
    struct message *message = &mail->head;
    struct contract_key key;
    memcpy(key.bytes, joined->key, sizeof key.bytes);
    struct holding *row = holding_find(&self->table, &key);
    if (!row || row->feed != mail->number) { /* it was left meanwhile */
        if (row && !row->feed && !joined->code && feed_may_be_asked(row, mail->number))
            feed_choose(self, row, now, out); /* it was only slow, and there is no other */
        message_free(&message);
        return;
    }
    if (joined->code == 0) {
        row->hosts = joined->hosts ? joined->hosts : 1;
        if (row->state == FEED_asking) {
            on_first(self, row, mail, now, out);
            return;
        }
        if (row->leaving)
            evict_on_joined(self, row, joined, out);
        else
            on_again(self, row, joined, now, out);
    } else if (row->presence != PRESENCE_stored && joined->code == -ERR_NOT_FOUND) {
        feed_leave(self, row, out);
        if (row->placed == mail->number)
            row->placed = 0;  /* a copy of nothing */
        if (!row->creating) { /* else a child has it, and those who wait get it from here */
            hosting_answer(self, row, ERR_NOT_FOUND, NULL, now, out);
            children_refuse(row, ERR_NOT_FOUND, out);
        }
        holding_remove_idle(&self->table, row);
    } else {
        feed_failed(self, row, now, out);
    }
    message_free(&message);
}

void feed_on_synced(hosting_t *self, const struct sync_order *synced, struct now now,
                    struct outbox *out)
{
    struct holding *row = holding_find(&self->table, &synced->key);
    if (row && row->damaged && synced->code == 0)
        feed_healed(self, row, out);
    if (!row || row->feed != synced->number || row->state != FEED_syncing)
        return;
    if (synced->code == 0) {
        row->confirms = 0;
        become_live(self, row, now, out);
    } else {
        feed_failed(self, row, now, out);
    }
}

/* A feed tells of changes from the moment that it hears JOIN, and a child as soon as it is fed:
 * before what they have is here. JOINED, or the sync after it, brings all of that. Anybody else is
 * told that nobody listens. */
void feed_on_stray(hosting_t *self, const struct sync_order *stray, struct outbox *out)
{
    struct holding *row = holding_find(&self->table, &stray->key);
    if (row && (row->feed == stray->number || holding_child(row, stray->number)))
        return;
    peer_leave(out, stray->number, &stray->key);
}
