#include "actors/subscribe.h"

#include "actors/operation.h"
#include "actors/subscribe_state.h"

#include <stdlib.h>

subscribe_t *subscribe_new(bool networked)
{
    subscribe_t *self = (subscribe_t *)calloc(1, sizeof *self);
    if (self) {
        transactions_init(&self->transactions);
        self->networked = networked;
        self->retry_at_ms = NEVER;
    }
    return self;
}

void subscribe_forget(subscribe_t *self, struct subscription *sub, struct outbox *out)
{
    struct contract_key key = sub->topic->key;
    bool of_client = !(sub->key.client & FOLLOWER_PEER);
    bool last_client = of_client && --sub->topic->clients == 0;
    bool topic_went = subscriptions_remove(&self->table, sub);
    if (last_client && self->networked)
        send_watch(out, ACTOR_hosting, MESSAGE_NEEDED, &key, false);
    if (topic_went)
        send_watch(out, ACTOR_storage, MESSAGE_WATCH, &key, false);
}

void subscribe_destroy(subscribe_t **pointer)
{
    subscribe_t *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    while (self->table.followers)
        subscriptions_remove_all(&self->table, self->table.followers->client);
    transactions_free(&self->transactions);
    free(self);
}

/* --- giving ------------------------------------------------------------------------------ */

/* Sends one notification; the subscriber is at `after` then. bytes' holder is given away. */
static void notify(struct subscription *sub, struct fingerprint before, struct fingerprint after,
                   struct blob *bytes, struct slice delta, uint64_t seq, struct outbox *out)
{
    struct notify *notify = (struct notify *)message_new(sizeof *notify);
    if (!notify) { /* the client sees the gap and asks again */
        blob_release(&bytes);
        return;
    }
    notify->client = sub->follower->client;
    memcpy(notify->id, sub->id, sizeof notify->id);
    notify->id_size = sub->id_size;
    notify->key = sub->topic->key;
    notify->before = before;
    notify->after = after;
    notify->bytes = bytes;
    notify->delta = delta;
    notify->seq = seq;
    sub->given = after;
    bool to_peer = sub->key.client & FOLLOWER_PEER;
    send_to(out, to_peer ? ACTOR_transport : ACTOR_client_api, MESSAGE_NOTIFY, &notify->head);
}

/* Reads the whole state for a subscriber that missed too much to keep. */
static void read_whole(subscribe_t *self, struct subscription *sub, struct outbox *out)
{
    struct request *request = (struct request *)message_new(sizeof *request);
    if (!request)
        return; /* stays waiting; CLIENT_READY or the next change tries again */
    request->client = sub->follower->client;
    memcpy(request->id, sub->id, sizeof request->id);
    request->id_size = sub->id_size;
    request->verb = VERB_SUBSCRIBE;
    request->key = sub->topic->key;
    request->asked_by = ACTOR_subscribe;
    sub->reading = true;
    subscriptions_waiting_clear(&self->table, sub);
    send_to(out, ACTOR_storage, MESSAGE_READ, &request->head);
}

/* What waited is given, if the subscriber can take it. */
void subscribe_give_waiting(subscribe_t *self, struct subscription *sub, struct outbox *out)
{
    if (!sub->waits || sub->reading || sub->follower->stalled)
        return;
    struct blob *bytes = sub->whole ? NULL : subscriptions_waiting_encode(sub);
    if (!bytes) {
        if (sub->key.client & FOLLOWER_PEER)
            subscribe_fell_behind(self, sub, out);
        else
            read_whole(self, sub, out);
        return;
    }
    struct fingerprint after = sub->waiting_after;
    uint64_t seq = sub->waiting_seq;
    subscriptions_waiting_clear(&self->table, sub);
    notify(sub, sub->given, after, bytes, blob_slice(bytes), seq, out);
}

static void on_changed(subscribe_t *self, struct changed *changed, struct outbox *out)
{
    struct topic *topic = subscriptions_topic(&self->table, &changed->key);
    for (struct subscription *sub = topic ? topic->first : NULL; sub; sub = sub->topic_next) {
        if (!sub->reading && changed->seq <= sub->read_seq)
            continue;
        if (changed->origin && sub->key.client == (FOLLOWER_PEER | changed->origin))
            continue; /* it came from there */
        if (sub->reading || sub->waits || sub->follower->stalled)
            subscriptions_wait(&self->table, sub, changed->delta, changed->after, changed->seq);
        else
            notify(sub, changed->before, changed->after, blob_hold(changed->record), changed->delta,
                   changed->seq, out);
    }
}

/* --- subscribing ------------------------------------------------------------------------- */

static void on_unsubscribe(subscribe_t *self, struct request *request, struct outbox *out)
{
    struct subscription *sub = subscriptions_find(&self->table, request->client, &request->key);
    if (sub)
        subscribe_forget(self, sub, out);
    send_to(out, ACTOR_client_api, MESSAGE_REPLY, &request->head);
}

int subscribe_follow(subscribe_t *self, client_t client, const struct contract_key *key,
                     struct subscription **sub, struct outbox *out, struct reason *why)
{
    bool is_new = subscriptions_find(&self->table, client, key) == NULL;
    int rc = subscriptions_add(&self->table, client, key, sub, why);
    if (rc || !is_new)
        return rc;
    bool of_client = !(client & FOLLOWER_PEER);
    if (of_client && (*sub)->topic->clients++ == 0 && self->networked)
        send_watch(out, ACTOR_hosting, MESSAGE_NEEDED, key, true);
    send_watch(out, ACTOR_storage, MESSAGE_WATCH, key, true);
    return 0;
}

static void on_subscribe(subscribe_t *self, struct request *request, struct now now,
                         struct outbox *out)
{
    struct subscription *sub = NULL;
    int rc = subscribe_follow(self, request->client, &request->key, &sub, out, &request->why);
    if (rc == 0 && !transactions_open(&self->transactions, request, now.ms)) {
        rc = fail(&request->why, ERR_BUSY, "%u operations are open; try again", OPEN_MAX);
        subscribe_forget(self, sub, out);
    }
    if (rc) {
        operation_refuse(request, rc, out);
        return;
    }
    memcpy(sub->id, request->id, sizeof sub->id);
    sub->id_size = request->id_size;
    sub->reading = true;
    subscriptions_waiting_clear(&self->table, sub);
    request->asked_by = ACTOR_subscribe;
    if (self->peers) /* it has to be here and fed before it can be read */
        send_to(out, ACTOR_hosting, MESSAGE_HOST, &request->head);
    else
        send_to(out, ACTOR_storage, MESSAGE_READ, &request->head);
}

/* Is this reading the one that the subscription waits for? (It may have been replaced meanwhile.)
 */
static bool is_for(const struct subscription *sub, const struct request *request)
{
    return sub && sub->reading && sub->id_size == request->id_size &&
           memcmp(sub->id, request->id, request->id_size) == 0;
}

/* The reading becomes what the subscriber has; changes that it already holds are not told again. */
static void settle_reading(subscribe_t *self, struct subscription *sub,
                           const struct request *request)
{
    sub->reading = false;
    sub->read_seq = request->read_at_seq;
    const struct reading *reading = &request->reading;
    subscriptions_learn(sub->topic, reading->kind,
                        slice_of(reading->bytes->data, reading->params_bytes));
    if (sub->waits && sub->waiting_seq <= request->read_at_seq)
        subscriptions_waiting_clear(&self->table, sub);
}

/* A whole state, read for a subscriber that fell behind. */
static void on_whole(subscribe_t *self, struct subscription *sub, struct request *request,
                     struct now now, struct outbox *out)
{
    struct message *message = &request->head;
    if (request->code == 0) {
        struct reading *reading = &request->reading;
        struct slice state = slice_after(blob_slice(reading->bytes), reading->params_bytes);
        settle_reading(self, sub, request);
        if (memcmp(&sub->given, &reading->fingerprint, sizeof sub->given) != 0)
            notify(sub, sub->given, reading->fingerprint, blob_hold(reading->bytes), state,
                   request->read_at_seq, out);
    } else {
        sub->reading = false; /* damaged, busy: tried again after a pause */
        sub->waits = sub->whole = true;
        if (self->retry_at_ms == NEVER)
            self->retry_at_ms = now.ms + WHOLE_RETRY_MS;
    }
    message_free(&message);
}

static void on_read_done(subscribe_t *self, struct request *request, struct now now,
                         struct outbox *out)
{
    struct message *message = &request->head;
    struct subscription *sub = subscriptions_find(&self->table, request->client, &request->key);
    bool own = request->transaction == 0;
    if (!is_for(sub, request)) {
        sub = NULL;
    } else if (own) {
        bool failed = request->code != 0;
        on_whole(self, sub, request, now, out);
        if (!failed)
            subscribe_give_waiting(self, sub, out);
        return;
    }
    if (own || !transactions_close(&self->transactions, request)) {
        if (sub) /* the client was told TIMEOUT */
            subscribe_forget(self, sub, out);
        message_free(&message);
        return;
    }
    if (request->code == ERR_NOT_FOUND && self->networked && !self->peers)
        request->code = fail(&request->why, ERR_NO_LIVE_PEER,
                             "the contract is not here, and no live peer to ask");
    if (sub && request->code)
        subscribe_forget(self, sub, out);
    else if (sub) {
        settle_reading(self, sub, request);
        sub->given = request->reading.fingerprint;
    }
    send_to(out, ACTOR_client_api, MESSAGE_REPLY, message);
    if (sub && request->code == 0)
        subscribe_give_waiting(self, sub, out);
}

/* --- slow and gone followers --------------------------------------------------------------- */

/* The first notification that comes back marks the client as slow. What it was not given waits,
 * from the fingerprint that it does have. */
static void on_back(subscribe_t *self, const struct notify *back)
{
    struct subscription *sub = subscriptions_find(&self->table, back->client, &back->key);
    if (!sub || sub->id_size != back->id_size || memcmp(sub->id, back->id, back->id_size) != 0)
        return;
    sub->follower->stalled = true;
    if (!sub->waits)
        sub->given = back->before;
    subscriptions_wait(&self->table, sub, back->delta, back->after, back->seq);
}

static void on_follower(subscribe_t *self, client_t client, bool gone, struct outbox *out)
{
    struct follower *follower = subscriptions_follower(&self->table, client);
    if (!follower)
        return;
    follower->stalled = false;
    for (struct subscription *sub = follower->first, *next; sub; sub = next) {
        next = sub->follower_next; /* sub is freed, and with the last one the follower */
        if (gone)
            subscribe_forget(self, sub, out);
        else
            subscribe_give_waiting(self, sub, out);
    }
}

/* --- as an actor ------------------------------------------------------------------------- */

static void receive(void *actor, struct message *message, struct now now, struct outbox *out)
{
    subscribe_t *self = (subscribe_t *)actor;
    struct request *request = (struct request *)message;
    switch ((enum message_kind)message->kind) {
    case MESSAGE_SUBSCRIBE:
        if (request->verb == VERB_SUBSCRIBE)
            on_subscribe(self, request, now, out);
        else
            on_unsubscribe(self, request, out);
        return;
    case MESSAGE_READ_DONE:
        on_read_done(self, request, now, out);
        return;
    case MESSAGE_HOSTED:
        if (request->code)
            on_read_done(self, request, now, out);
        else
            send_to(out, ACTOR_storage, MESSAGE_READ, &request->head);
        return;
    case MESSAGE_FOLLOW:
        subscribe_on_follow(self, (struct follow *)message, out);
        break;
    case MESSAGE_PEER_LIVE:
        subscribe_on_live(self, out);
        break;
    case MESSAGE_PEER_GONE:
        self->peers--;
        on_follower(self, FOLLOWER_PEER | ((const struct peer_order *)message)->number, true, out);
        break;
    case MESSAGE_CHANGED:
        on_changed(self, (struct changed *)message, out);
        break;
    case MESSAGE_NOTIFY_BACK:
        on_back(self, (const struct notify *)message);
        break;
    case MESSAGE_CLIENT_READY:
    case MESSAGE_CLIENT_GONE:
        on_follower(self, ((const struct client *)message)->client,
                    message->kind == MESSAGE_CLIENT_GONE, out);
        break;
    default:
        break; /* send_to asserts that nothing else comes */
    }
    message_free(&message);
}

static uint64_t deadline_ms(const void *self)
{
    const subscribe_t *subscribe = (const subscribe_t *)self;
    uint64_t deadline = transactions_deadline_ms(&subscribe->transactions);
    return deadline < subscribe->retry_at_ms ? deadline : subscribe->retry_at_ms;
}

static void tick(void *self, struct now now, struct outbox *out)
{
    subscribe_t *subscribe = (subscribe_t *)self;
    transactions_expire(&subscribe->transactions, now.ms, out);
    if (now.ms < subscribe->retry_at_ms)
        return;
    struct subscription *sub, *next;
    subscribe->retry_at_ms = NEVER;
    HASH_ITER (hh, subscribe->table.subscriptions, sub, next) {
        subscribe_give_waiting(subscribe, sub, out);
    }
}

const struct actor_spec subscribe_spec = {
    .id = ACTOR_subscribe,
    .receive = receive,
    .deadline_ms = deadline_ms,
    .tick = tick,
};
