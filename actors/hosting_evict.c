/* What goes when the store fills: contracts that nobody here or behind this node needs, whose feed
 * is live and has all that is here. The feed is asked (JOIN) right before, and storage drops only
 * what has the fingerprint that the feed has, so that a change which it has not got never goes; the
 * root never drops, nor who keeps one of its copies. */
#include "actors/hosting_state.h"

static bool may_go(const struct holding *row)
{
    return row->presence == PRESENCE_stored && row->state == FEED_live && !row->needed &&
           !row->placed && !row->children_count && !row->waiting.first && !row->creating;
}

void evict_begin(hosting_t *self, struct now now, struct outbox *out)
{
    size_t begun = 0;
    struct holding *row, *next;
    HASH_ITER (hh, self->table.rows, row, next) {
        if (begun == EVICTIONS_AT_ONCE)
            return;
        if (!may_go(row) || row->asked_ms + EVICT_IDLE_MS > now.ms)
            continue;
        row->leaving = row->join_wanted = true;
        hosting_ask(self, row, out);
        begun++;
    }
}

/* Drops it unless it is another state than this. */
static bool drop(struct holding *row, const struct fingerprint *state, struct outbox *out)
{
    struct request *request = request_new(ACTOR_hosting, VERB_GET, &row->key, NULL, 0);
    if (!request)
        return false;
    request->reading.fingerprint = *state;
    row->presence = PRESENCE_unknown; /* a PUT may come while it goes: DROPPED tells, then ABOUT */
    row->creating = true;
    send_to(out, ACTOR_storage, MESSAGE_DROP, &request->head);
    return true;
}

void evict_hollow(struct holding *row, struct outbox *out)
{
    static const struct summary empty;
    const struct fingerprint state = summary_fingerprint(&empty);
    row->hollow = !drop(row, &state, out);
}

void evict_on_joined(hosting_t *self, struct holding *row, const struct peer_joined *joined,
                     struct outbox *out)
{
    row->leaving = false;
    bool equal = memcmp(joined->fingerprint, row->sent.bytes, sizeof row->sent.bytes) == 0;
    if (equal && may_go(row) && drop(row, &row->sent, out)) /* what the feed has, and no more */
        feed_leave(self, row, out);
}

void evict_on_dropped(hosting_t *self, const struct request *dropped, struct now now,
                      struct outbox *out)
{
    struct holding *row = holding_find(&self->table, &dropped->key);
    if (!row)
        return;
    row->creating = false;
    bool wanted = row->waiting.first || row->children_count || row->placed || row->needed;
    if (dropped->code == 0 && !wanted && row->presence == PRESENCE_unknown) {
        row->presence = PRESENCE_absent;
        holding_remove_idle(&self->table, row);
        return;
    }
    row->presence = PRESENCE_unknown;
    hosting_ask(self, row, out);
    feed_choose(self, row, now, out);
}
