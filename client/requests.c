/* requests: the table of open requests. Each is in one of two lists, waiting or sent, and is
 * finished once. */
#include "client/handle.h"

#include <stdio.h>
#include <stdlib.h>

/* Verbs that may be sent again when nobody knows whether the first sending arrived: merging twice
 * is merging once (lesson M1), reading changes nothing. A check is a reading, but one without a
 * deadline: who waits for it wants to hear that the node went. */
static bool repeatable(enum verb verb)
{
    return verb != VERB_EDIT && verb != VERB_BACKUP && verb != VERB_CHECK;
}

void requests_init(struct requests *self)
{
    TAILQ_INIT(&self->waiting);
    TAILQ_INIT(&self->sent);
    self->next_deadline_ms = UINT64_MAX;
}

void requests_free(struct requests *self)
{
    for (size_t i = 0; i < self->slot_count; i++)
        free(self->slots[i]);
    free(self->slots);
    free(self->free_slots);
}

/* Makes room for twice as many slots. */
static int grow(struct requests *self)
{
    size_t capacity = self->slot_capacity ? self->slot_capacity * 2 : 64;
    struct request **slots = realloc(self->slots, capacity * sizeof(struct request *));
    if (slots)
        self->slots = slots;
    uint32_t *free_slots = realloc(self->free_slots, capacity * sizeof *free_slots);
    if (free_slots)
        self->free_slots = free_slots;
    if (!slots || !free_slots)
        return ERR_NO_MEMORY;
    self->slot_capacity = capacity;
    return 0;
}

static struct request *take_slot(struct requests *self)
{
    if (self->free_count)
        return self->slots[self->free_slots[--self->free_count]];
    if (self->slot_count == self->slot_capacity && grow(self))
        return NULL;
    struct request *request = calloc(1, sizeof *request);
    if (request) {
        request->slot = (uint32_t)self->slot_count;
        self->slots[self->slot_count++] = request;
    }
    return request;
}

static void release(weir_t *w, struct request *self)
{
    struct requests *all = &w->requests;
    TAILQ_REMOVE(self->sent ? &all->sent : &all->waiting, self, order);
    for (size_t i = 0; i < self->arg_count; i++)
        zmq_msg_close(&self->args[i]);
    if (self->args != self->few)
        free(self->args);
    self->open = false;
    self->generation++;
    all->free_slots[all->free_count++] = self->slot;
    if (self->counted)
        window_leave(w, self->bytes);
    if (TAILQ_EMPTY(&all->sent) && TAILQ_EMPTY(&all->waiting))
        all->next_deadline_ms = UINT64_MAX;
}

static int copy_args(struct request *self, const struct slice *args, size_t count)
{
    self->args = count > REQUEST_ARGS_INLINE ? malloc(count * sizeof *self->args) : self->few;
    self->arg_count = 0;
    self->bytes = 0;
    if (!self->args)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (zmq_msg_init_size(&self->args[i], args[i].size))
            return ERR_NO_MEMORY;
        if (args[i].size)
            memcpy(zmq_msg_data(&self->args[i]), args[i].data, args[i].size);
        self->arg_count++;
        self->bytes += args[i].size;
    }
    return 0;
}

/* 0, or why nothing can be asked now: refused before and not reached since, or our key denied. */
static int refused(weir_t *w)
{
    if (w->broken)
        return w->broken;
    if (w->link.state == LINK_REFUSED && w->depth == 0)
        look_at_link(w);
    if (w->link.state == LINK_REFUSED)
        return fail(&w->reason, ERR_NO_NODE, "no node answers at %s", w->options.endpoint);
    if (w->link.state == LINK_DENIED)
        return fail(&w->reason, ERR_DENIED, "the node at %s does not know our key",
                    w->options.endpoint);
    return 0;
}

int request_open(weir_t *w, enum verb verb, const struct slice *args, size_t count,
                 const struct request_options *options, weir_done_fn *done, void *arg)
{
    int rc = refused(w);
    struct request *self = rc ? NULL : take_slot(&w->requests);
    if (!self)
        return rc ? rc : handle_fail(w, ERR_NO_MEMORY, NULL);
    self->open = true;
    self->sent = self->counted = false;
    self->verb = verb;
    self->done = done;
    self->arg = arg;
    self->deadline_ms = options->timeout_ms ? monotonic_ms() + options->timeout_ms : UINT64_MAX;
    TAILQ_INSERT_TAIL(&w->requests.waiting, self, order);
    put_u32(self->id, self->slot);
    put_u32(self->id + 4, self->generation);
    if (options->id)
        memcpy(self->id, options->id, sizeof self->id);
    if (copy_args(self, args, count)) {
        release(w, self);
        return handle_fail(w, ERR_NO_MEMORY, NULL);
    }
    self->counted = options->counted;
    if (self->deadline_ms < w->requests.next_deadline_ms)
        w->requests.next_deadline_ms = self->deadline_ms;
    requests_flush(w);
    return 0;
}

/* A subscription's requests go under its own id. Replies come about in order, so the one searched
 * stands near the front. */
static struct request *find_subscribing(weir_t *w, struct slice id)
{
    struct request *self;
    TAILQ_FOREACH(self, &w->requests.sent, order)
    if (memcmp(self->id, id.data, sizeof self->id) == 0)
        return self;
    return NULL;
}

struct request *request_find(weir_t *w, struct slice id)
{
    if (id.size != WIRE_ID_BYTES)
        return NULL;
    uint32_t slot = get_u32(id.data);
    if (slot & SUBSCRIPTION_ID)
        return find_subscribing(w, id);
    if (slot >= w->requests.slot_count)
        return NULL;
    struct request *self = w->requests.slots[slot];
    return self->open && self->generation == get_u32(id.data + 4) ? self : NULL;
}

void request_finish(weir_t *w, struct request *self, const struct weir_reply *reply)
{
    weir_done_fn *done = self->done;
    void *arg = self->arg;
    release(w, self);
    call_done(w, done, arg, reply);
}

void request_fail(weir_t *w, struct request *self, int code, const char *sentence)
{
    struct weir_reply reply = {.code = code, .sentence = sentence};
    request_finish(w, self, &reply);
}

static int send_request(weir_t *w, struct request *self)
{
    struct slice head[] = {slice_text(CLIENT_PROTOCOL_NAME), slice_of(self->id, sizeof self->id),
                           slice_text(client_verbs[self->verb].name)};
    return link_send(&w->link, head, 3, self->args, self->arg_count);
}

void requests_flush(weir_t *w)
{
    struct requests *all = &w->requests;
    struct request *first;
    while (w->link.state == LINK_UP && (first = TAILQ_FIRST(&all->waiting))) {
        if (send_request(w, first))
            return;
        TAILQ_REMOVE(&all->waiting, first, order);
        TAILQ_INSERT_TAIL(&all->sent, first, order);
        first->sent = true;
    }
}

void requests_on_down(weir_t *w)
{
    struct request_list lost;
    struct request *self;
    TAILQ_INIT(&lost);
    TAILQ_CONCAT(&lost, &w->requests.sent, order);
    /* From the last to the first, each to the front: the old order, before what waited already. */
    while ((self = TAILQ_LAST(&lost, request_list))) {
        TAILQ_REMOVE(&lost, self, order);
        self->sent = false;
        TAILQ_INSERT_HEAD(&w->requests.waiting, self, order);
        if (!repeatable(self->verb))
            request_fail(w, self, ERR_LOST,
                         "the connection was lost; whether it was carried out is not known");
    }
}

/* Calls fail on each request that `past` picks; callbacks may change the lists, so each time the
 * search starts again where it is cheap: at what is left of the list. */
static bool fail_first(weir_t *w, struct request_list *list, uint64_t now, int code,
                       const char *sentence)
{
    struct request *self;
    TAILQ_FOREACH(self, list, order)
    {
        if (self->deadline_ms > now)
            continue;
        request_fail(w, self, code, sentence);
        return true;
    }
    return false;
}

static void fail_due(weir_t *w, uint64_t now, int code, const char *sentence)
{
    while (fail_first(w, &w->requests.sent, now, code, sentence) ||
           fail_first(w, &w->requests.waiting, now, code, sentence))
        ;
}

void requests_fail_all(weir_t *w, int code, const char *sentence)
{
    fail_due(w, UINT64_MAX, code, sentence);
}

static uint64_t earliest(const struct request_list *list, uint64_t at)
{
    struct request *self;
    TAILQ_FOREACH(self, list, order)
    if (self->deadline_ms < at)
        at = self->deadline_ms;
    return at;
}

void requests_expire(weir_t *w)
{
    uint64_t now = monotonic_ms();
    struct reason why;
    if (now < w->requests.next_deadline_ms)
        return;
    if (w->link.state == LINK_UP)
        fail(&why, ERR_TIMEOUT, "the node at %s gave no answer within %u ms", w->options.endpoint,
             w->options.timeout_ms);
    else
        fail(&why, ERR_NO_NODE, "no node answers at %s", w->options.endpoint);
    fail_due(w, now, w->link.state == LINK_UP ? ERR_TIMEOUT : ERR_NO_NODE, why.text);
    w->requests.next_deadline_ms =
        earliest(&w->requests.sent, earliest(&w->requests.waiting, UINT64_MAX));
}
