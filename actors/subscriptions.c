#include "actors/subscriptions.h"

#include <stdlib.h>

struct topic *subscriptions_topic(const struct subscriptions *self, const struct contract_key *key)
{
    struct topic *topic;
    HASH_FIND(hh, self->topics, key, sizeof *key, topic);
    return topic;
}

struct follower *subscriptions_follower(const struct subscriptions *self, client_t client)
{
    struct follower *follower;
    HASH_FIND(hh, self->followers, &client, sizeof client, follower);
    return follower;
}

struct subscription *subscriptions_find(const struct subscriptions *self, client_t client,
                                        const struct contract_key *key)
{
    struct subscription_key both;
    struct subscription *sub;
    memset(&both, 0, sizeof both); /* what is between the members is hashed too */
    both.client = client;
    both.contract = *key;
    HASH_FIND(hh, self->subscriptions, &both, sizeof both, sub);
    return sub;
}

static struct topic *find_or_make_topic(struct subscriptions *self, const struct contract_key *key)
{
    struct topic *topic = subscriptions_topic(self, key);
    if (topic || !(topic = (struct topic *)calloc(1, sizeof *topic)))
        return topic;
    topic->key = *key;
    HASH_ADD(hh, self->topics, key, sizeof topic->key, topic);
    if (HASH_TOOK(hh, topic))
        return topic;
    free(topic);
    return NULL;
}

static struct follower *find_or_make_follower(struct subscriptions *self, client_t client)
{
    struct follower *follower = subscriptions_follower(self, client);
    if (follower || !(follower = (struct follower *)calloc(1, sizeof *follower)))
        return follower;
    follower->client = client;
    HASH_ADD(hh, self->followers, client, sizeof follower->client, follower);
    if (HASH_TOOK(hh, follower))
        return follower;
    free(follower);
    return NULL;
}

/* Frees what has no subscription left. True when the topic went. */
static bool drop_empty(struct subscriptions *self, struct topic *topic, struct follower *follower)
{
    bool topic_went = topic && !topic->first;
    if (topic_went) {
        HASH_DEL(self->topics, topic);
        free(topic->params);
        free(topic);
    }
    if (follower && !follower->first) {
        HASH_DEL(self->followers, follower);
        free(follower);
    }
    return topic_went;
}

static void link_both(struct subscription *sub)
{
    sub->topic_next = sub->topic->first;
    if (sub->topic_next)
        sub->topic_next->topic_previous = sub;
    sub->topic->first = sub;
    sub->follower_next = sub->follower->first;
    if (sub->follower_next)
        sub->follower_next->follower_previous = sub;
    sub->follower->first = sub;
    sub->follower->count++;
}

static void unlink_both(struct subscription *sub)
{
    if (sub->topic_previous)
        sub->topic_previous->topic_next = sub->topic_next;
    else
        sub->topic->first = sub->topic_next;
    if (sub->topic_next)
        sub->topic_next->topic_previous = sub->topic_previous;
    if (sub->follower_previous)
        sub->follower_previous->follower_next = sub->follower_next;
    else
        sub->follower->first = sub->follower_next;
    if (sub->follower_next)
        sub->follower_next->follower_previous = sub->follower_previous;
    sub->follower->count--;
}

static struct subscription *make(struct subscriptions *self, client_t client,
                                 const struct contract_key *key)
{
    struct subscription *sub = (struct subscription *)calloc(1, sizeof *sub);
    if (!sub)
        return NULL;
    sub->key.client = client;
    sub->key.contract = *key;
    HASH_ADD(hh, self->subscriptions, key, sizeof sub->key, sub);
    if (HASH_TOOK(hh, sub))
        return sub;
    free(sub);
    return NULL;
}

int subscriptions_add(struct subscriptions *self, client_t client, const struct contract_key *key,
                      struct subscription **out, struct reason *why)
{
    struct subscription *sub = subscriptions_find(self, client, key);
    if (sub) {
        *out = sub;
        return 0;
    }
    const struct follower *known = subscriptions_follower(self, client);
    bool is_peer = client & FOLLOWER_PEER;
    size_t *count = is_peer ? &self->peers_count : &self->clients_count;
    if (!is_peer && known && known->count >= CLIENT_SUBSCRIPTIONS_MAX)
        return fail(why, ERR_BUSY, "a client follows at most %u contracts",
                    CLIENT_SUBSCRIPTIONS_MAX);
    if (*count >= (is_peer ? PEER_SUBSCRIPTIONS_MAX : SUBSCRIPTIONS_MAX))
        return fail(why, ERR_BUSY, "the node's %zu subscriptions are taken", *count);
    struct topic *topic = find_or_make_topic(self, key);
    struct follower *follower = find_or_make_follower(self, client);
    sub = topic && follower ? make(self, client, key) : NULL;
    if (!sub) {
        (void)drop_empty(self, topic, follower);
        return fail(why, ERR_INTERNAL, "out of memory");
    }
    sub->topic = topic;
    sub->follower = follower;
    link_both(sub);
    ++*count;
    *out = sub;
    return 0;
}

bool subscriptions_remove(struct subscriptions *self, struct subscription *sub)
{
    struct topic *topic = sub->topic;
    struct follower *follower = sub->follower;
    subscriptions_waiting_clear(self, sub);
    unlink_both(sub);
    HASH_DEL(self->subscriptions, sub);
    --*(sub->key.client & FOLLOWER_PEER ? &self->peers_count : &self->clients_count);
    free(sub);
    return drop_empty(self, topic, follower);
}

void subscriptions_remove_all(struct subscriptions *self, client_t client)
{
    struct follower *follower = subscriptions_follower(self, client);
    for (size_t left = follower ? follower->count : 0; left; left--)
        (void)subscriptions_remove(self, follower->first);
}

void subscriptions_learn(struct topic *topic, const struct kind *kind, struct slice params)
{
    if (topic->contract.kind)
        return;
    topic->params = (uint8_t *)malloc(params.size + 1);
    if (!topic->params)
        return; /* changes cannot wait merged then; the whole state is read */
    if (params.size)
        memcpy(topic->params, params.data, params.size);
    if (contract_init(&topic->contract, slice_text(kind->name),
                      slice_of(topic->params, params.size), NULL) != 0) {
        free(topic->params);
        topic->params = NULL;
    }
}

/* The sum of what came is an upper bound of what is kept: the same keys may have changed often.
 * Counts again when the bound is over the limit. */
static bool is_too_much(struct subscriptions *self, struct subscription *sub)
{
    if (sub->waiting_bytes <= WAITING_DELTA_BYTES_MAX &&
        self->waiting_bytes <= WAITING_DELTAS_BYTES_MAX)
        return false;
    struct blob *kept = subscriptions_waiting_encode(sub);
    if (!kept)
        return true;
    self->waiting_bytes -= sub->waiting_bytes - kept->size;
    sub->waiting_bytes = kept->size;
    blob_release(&kept);
    return sub->waiting_bytes > WAITING_DELTA_BYTES_MAX / 2 ||
           self->waiting_bytes > WAITING_DELTAS_BYTES_MAX;
}

static void keep_no_more(struct subscriptions *self, struct subscription *sub)
{
    state_destroy(&sub->waiting);
    self->waiting_bytes -= sub->waiting_bytes;
    sub->waiting_bytes = 0;
    sub->whole = true;
}

void subscriptions_wait(struct subscriptions *self, struct subscription *sub, struct slice delta,
                        struct fingerprint after, uint64_t seq)
{
    if (seq >= sub->waiting_seq) {
        sub->waiting_after = after;
        sub->waiting_seq = seq;
    }
    sub->waits = true;
    if (sub->whole)
        return;
    if (!sub->waiting && sub->topic->contract.kind)
        sub->waiting = state_new(&sub->topic->contract);
    sub->waiting_bytes += delta.size;
    self->waiting_bytes += delta.size;
    if (!sub->waiting || state_join(sub->waiting, delta, NULL) != 0 || is_too_much(self, sub))
        keep_no_more(self, sub);
}

struct blob *subscriptions_waiting_encode(const struct subscription *sub)
{
    struct buffer out = {0};
    if (!sub->waiting || state_encode(sub->waiting, &out) != 0) {
        buffer_free(&out);
        return NULL;
    }
    size_t size = out.size;
    return blob_adopt(buffer_steal(&out), size);
}

void subscriptions_waiting_clear(struct subscriptions *self, struct subscription *sub)
{
    state_destroy(&sub->waiting);
    self->waiting_bytes -= sub->waiting_bytes;
    sub->waiting_bytes = 0;
    sub->waits = sub->whole = false;
    sub->waiting_seq = 0;
}
