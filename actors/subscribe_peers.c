/* Followers that are peers: what changes here goes to them as a delta. They are slow and gone as
 * clients are, but one that missed too much is synced with instead of being sent the whole state.
 */
#include "actors/subscribe_state.h"

/* The first peer ever: hosting learns what clients follow already. */
void subscribe_on_live(subscribe_t *self, struct outbox *out)
{
    self->peers++;
    if (self->networked)
        return;
    self->networked = true;
    struct topic *topic, *next;
    HASH_ITER (hh, self->table.topics, topic, next) {
        if (topic->clients)
            send_watch(out, ACTOR_hosting, MESSAGE_NEEDED, &topic->key, true);
    }
}

void subscribe_on_follow(subscribe_t *self, const struct follow *follow, struct outbox *out)
{
    client_t client = FOLLOWER_PEER | follow->number;
    struct subscription *sub = subscriptions_find(&self->table, client, &follow->key);
    if (!follow->on) {
        if (sub)
            subscribe_forget(self, sub, out);
        return;
    }
    if (subscribe_follow(self, client, &follow->key, &sub, out, NULL) != 0)
        return; /* no room: hosting's next look at this contract finds the difference and syncs */
    if (follow->kind)
        subscriptions_learn(sub->topic, follow->kind, blob_slice(follow->params));
}

void subscribe_fell_behind(subscribe_t *self, struct subscription *sub, struct outbox *out)
{
    struct follow *behind = (struct follow *)message_new(sizeof *behind);
    if (!behind)
        return; /* stays waiting: the next change tries again */
    behind->number = sub->key.client & ~FOLLOWER_PEER;
    behind->key = sub->topic->key;
    subscriptions_waiting_clear(&self->table, sub);
    send_to(out, ACTOR_sync, MESSAGE_FELL_BEHIND, &behind->head);
}
