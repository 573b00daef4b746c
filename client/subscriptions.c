/* subscriptions: what a handle follows.
 *
 *   asked ──OK──▶ live ──notification that does not fit──▶ asked (with the fingerprint last seen)
 *     ▲ │           └────────connection made anew─────────────▲
 *     │ └─BUSY, TIMEOUT…─▶ resting ──a second later──▶ asked
 *     └ first: any error is the subscriber's; later: NOT_FOUND, DENIED… end it
 *
 * Invariant: the app's events join up, each `before` is the last `after`. */
#include "client/handle.h"

#include <stdlib.h>

enum { REST_MS = 1000 };

enum subscription_state { SUBSCRIPTION_ASKED, SUBSCRIPTION_LIVE, SUBSCRIPTION_RESTING };

struct subscription {
    uint8_t id[WIRE_ID_BYTES];
    uint8_t key[CONTRACT_KEY_BYTES];
    uint8_t last[FINGERPRINT_SIZE]; /* what the app has */
    uint8_t missed[FINGERPRINT_SIZE];
    bool has_last, has_missed, first, dead, request_open;
    enum subscription_state state;
    uint64_t ask_at_ms;
    weir_contract_t *contract;
    weir_event_fn *event;
    void *arg;
    weir_done_fn *done; /* the first answer's */
    void *done_arg;
};

static struct subscription *find(const weir_t *w, const uint8_t *key)
{
    for (size_t i = 0; i < w->subscription_count; i++) {
        struct subscription *s = w->subscriptions[i];
        if (s && !s->dead && memcmp(s->key, key, sizeof s->key) == 0)
            return s;
    }
    return NULL;
}

static void subscription_free(struct subscription **self)
{
    weir_contract_destroy(&(*self)->contract);
    free(*self);
    *self = NULL;
}

/* No event comes after this. Its memory goes when nothing refers to it any more. */
static void kill_it(weir_t *w, struct subscription *self)
{
    self->dead = true;
    w->dead_subscriptions++;
}

static void bury(weir_t *w)
{
    for (size_t i = 0; w->dead_subscriptions && i < w->subscription_count; i++) {
        struct subscription *s = w->subscriptions[i];
        if (!s || !s->dead || s->request_open)
            continue;
        subscription_free(&w->subscriptions[i]);
        w->dead_subscriptions--;
    }
}

static void tell(weir_t *w, struct subscription *self, struct weir_event *event)
{
    event->key = self->key;
    event->contract = self->contract;
    event->sentence = event->sentence ? event->sentence : "";
    w->calls++;
    w->depth++;
    self->event(w, event, self->arg);
    w->depth--;
}

static void tell_delta(weir_t *w, struct subscription *self, enum weir_event_kind kind,
                       struct weir_bytes delta, const uint8_t *after)
{
    uint8_t before[FINGERPRINT_SIZE], now[FINGERPRINT_SIZE];
    struct weir_event event = {.kind = kind, .delta = delta, .after = now};
    memcpy(before, self->last, sizeof before);
    memcpy(now, after, sizeof now);
    event.before = self->has_last ? before : NULL;
    memcpy(self->last, now, sizeof now);
    self->has_last = true;
    tell(w, self, &event);
}

static void on_answer(weir_t *w, const struct weir_reply *reply, void *arg);

static int ask(weir_t *w, struct subscription *self)
{
    struct slice args[] = {slice_of(self->key, sizeof self->key),
                           slice_of(self->last, self->has_last ? sizeof self->last : 0)};
    struct request_options options = {.id = self->id, .timeout_ms = w->options.timeout_ms};
    self->has_missed = false;
    self->state = SUBSCRIPTION_ASKED;
    int rc = request_open(w, VERB_SUBSCRIBE, args, 2, &options, on_answer, self);
    self->request_open = rc == 0;
    return rc;
}

static void rest(weir_t *w, struct subscription *self)
{
    self->state = SUBSCRIPTION_RESTING;
    self->ask_at_ms = monotonic_ms() + REST_MS;
    if (self->ask_at_ms < w->rest_until_ms)
        w->rest_until_ms = self->ask_at_ms;
}

static void ask_again(weir_t *w, struct subscription *self)
{
    if (ask(w, self))
        rest(w, self);
}

/* Errors after which asking again may help. */
static bool passes(int code)
{
    return code == ERR_BUSY || code == ERR_TIMEOUT || code == ERR_NO_NODE || code == ERR_LOST ||
           code == ERR_INTERNAL || code == ERR_NO_LIVE_PEER || code == ERR_NO_MEMORY;
}

static void on_refusal(weir_t *w, struct subscription *self, const struct weir_reply *reply)
{
    if (self->first) {
        kill_it(w, self);
    } else if (passes(reply->code) && !w->broken) {
        rest(w, self);
    } else {
        kill_it(w, self);
        struct weir_event event = {
            .kind = WEIR_EVENT_ENDED, .code = reply->code, .sentence = reply->sentence};
        tell(w, self, &event);
    }
}

static int take_contract(struct subscription *self, const struct weir_reply *reply)
{
    if (self->contract)
        return 0;
    int rc = weir_contract_new(reply->kind, reply->params, &self->contract, NULL);
    if (!rc && memcmp(weir_contract_key(self->contract), self->key, sizeof self->key)) {
        weir_contract_destroy(&self->contract);
        rc = ERR_INTERNAL;
    }
    return rc;
}

static void on_accepted(weir_t *w, struct subscription *self, const struct weir_reply *reply)
{
    bool same = self->has_last && memcmp(self->last, reply->fingerprint, sizeof self->last) == 0;
    self->state = SUBSCRIPTION_LIVE;
    if (self->first || !same)
        tell_delta(w, self, self->first ? WEIR_EVENT_STATE : WEIR_EVENT_REPAIR, reply->state,
                   reply->fingerprint);
    self->first = false;
    /* What came before the answer may be newer than the answer. */
    if (!self->dead && self->has_missed && memcmp(self->missed, self->last, sizeof self->last) != 0)
        ask_again(w, self);
}

static void on_answer(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct subscription *self = arg;
    struct weir_reply odd = {.code = ERR_INTERNAL,
                             .sentence = "the node's reply does not fit the key"};
    weir_done_fn *done = self->done;
    self->done = NULL;
    self->request_open = false;
    if (!self->dead) {
        if (!reply->code && take_contract(self, reply))
            reply = &odd;
        if (reply->code)
            on_refusal(w, self, reply);
        else
            on_accepted(w, self, reply);
    }
    if (done)
        call_done(w, done, self->done_arg, reply);
}

void subscriptions_notify(weir_t *w, struct slice id, const struct slice fields[4])
{
    const struct slice key = fields[0], delta = fields[1], before = fields[2], after = fields[3];
    uint32_t index = id.size == WIRE_ID_BYTES ? get_u32(id.data) & ~SUBSCRIPTION_ID : UINT32_MAX;
    struct subscription *self = index < w->subscription_count ? w->subscriptions[index] : NULL;
    if (!self || self->dead || memcmp(self->id, id.data, sizeof self->id) ||
        !slice_equal(key, slice_of(self->key, sizeof self->key)) ||
        before.size != FINGERPRINT_SIZE || after.size != FINGERPRINT_SIZE)
        return; /* of a subscription that is gone */
    if (self->state != SUBSCRIPTION_LIVE) {
        memcpy(self->missed, after.data, sizeof self->missed);
        self->has_missed = true;
    } else if (memcmp(after.data, self->last, sizeof self->last) == 0) {
        return; /* told before */
    } else if (memcmp(before.data, self->last, sizeof self->last) != 0) {
        ask_again(w, self);
    } else {
        tell_delta(w, self, WEIR_EVENT_DELTA, slice_bytes(delta), after.data);
    }
}

void subscriptions_on_up(weir_t *w)
{
    for (size_t i = 0; i < w->subscription_count; i++) {
        struct subscription *s = w->subscriptions[i];
        if (s && !s->dead && s->state != SUBSCRIPTION_ASKED)
            ask_again(w, s);
    }
}

void subscriptions_tick(weir_t *w)
{
    uint64_t next = UINT64_MAX, now;
    bury(w);
    if (w->rest_until_ms == UINT64_MAX || w->link.state != LINK_UP)
        return;
    now = monotonic_ms();
    if (now < w->rest_until_ms)
        return;
    w->rest_until_ms = UINT64_MAX;
    for (size_t i = 0; i < w->subscription_count; i++) {
        struct subscription *s = w->subscriptions[i];
        if (!s || s->dead || s->state != SUBSCRIPTION_RESTING)
            continue;
        if (s->ask_at_ms <= now)
            ask_again(w, s);
        else if (s->ask_at_ms < next)
            next = s->ask_at_ms;
    }
    if (next < w->rest_until_ms)
        w->rest_until_ms = next;
}

uint64_t subscriptions_next_ms(const weir_t *w)
{
    return w->link.state == LINK_UP ? w->rest_until_ms : UINT64_MAX;
}

void subscriptions_free(weir_t *w)
{
    for (size_t i = 0; i < w->subscription_count; i++)
        if (w->subscriptions[i])
            subscription_free(&w->subscriptions[i]);
    free(w->subscriptions);
    w->subscriptions = NULL;
    w->subscription_count = 0;
}

/* A free place in the table, or a new one. */
static int take_place(weir_t *w, size_t *place)
{
    for (size_t i = 0; i < w->subscription_count; i++)
        if (!w->subscriptions[i]) {
            *place = i;
            return 0;
        }
    if (w->subscription_count == w->subscription_capacity) {
        size_t capacity = w->subscription_capacity ? w->subscription_capacity * 2 : 16;
        struct subscription **all =
            realloc(w->subscriptions, capacity * sizeof(struct subscription *));
        if (!all)
            return ERR_NO_MEMORY;
        w->subscriptions = all;
        w->subscription_capacity = capacity;
    }
    *place = w->subscription_count++;
    w->subscriptions[*place] = NULL;
    return 0;
}

int subscriptions_open(weir_t *w, const uint8_t *key, const uint8_t *known, weir_event_fn *event,
                       void *arg, weir_done_fn *done, void *done_arg)
{
    size_t place;
    if (w->broken)
        return w->broken;
    if (find(w, key))
        return fail(&w->reason, ERR_BAD_REQUEST, "this handle follows the contract already");
    struct subscription *self = calloc(1, sizeof *self);
    if (!self || take_place(w, &place)) {
        free(self);
        return handle_fail(w, ERR_NO_MEMORY, NULL);
    }
    put_u32(self->id, SUBSCRIPTION_ID | (uint32_t)place);
    put_u32(self->id + 4, ++w->subscriptions_made); /* an heir of the place has another id */
    memcpy(self->key, key, sizeof self->key);
    if (known)
        memcpy(self->last, known, sizeof self->last);
    self->has_last = known != NULL;
    self->first = true;
    self->event = event;
    self->arg = arg;
    self->done = done;
    self->done_arg = done_arg;
    w->subscriptions[place] = self;
    int rc = ask(w, self);
    if (rc)
        subscription_free(&w->subscriptions[place]);
    return rc;
}

static void on_unsubscribed(weir_t *w, const struct weir_reply *reply, void *arg)
{
    (void)w, (void)reply, (void)arg; /* nothing depends on it: events are stopped here */
}

int weir_unsubscribe(weir_t *w, const uint8_t key[32])
{
    struct slice args[] = {slice_of(key, CONTRACT_KEY_BYTES)};
    struct request_options options = {.timeout_ms = w->options.timeout_ms};
    struct subscription *self = find(w, key);
    if (!self)
        return fail(&w->reason, ERR_NOT_FOUND, "this handle does not follow the contract");
    kill_it(w, self);
    /* Where it cannot be asked, the node has forgotten the subscription with the connection. */
    int rc = request_open(w, VERB_UNSUBSCRIBE, args, 1, &options, on_unsubscribed, NULL);
    return rc == ERR_NO_MEMORY ? rc : 0;
}
