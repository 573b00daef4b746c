/* edits: edits of a handle with a signer.
 *
 *   kind and parameters known? ──no──▶ GET (next to nothing)
 *          │ not signed ──▶ EDIT, as without a signer
 *          ▼ signed
 *   GET the ranges of entries that the edit looks at ▶ build the delta ▶ sign ▶ UPDATE
 *
 * One at a time: the next one must see what the one before wrote, or two additions would write the
 * same sum. When the outcome of one is not known, the handle goes on as another replica, because
 * what it reads then may lack its own last write (lesson M7). */
#include "client/handle.h"
#include "contracts/state.h"

#include <sodium.h>
#include <stdlib.h>

enum { RANGES_AT_ONCE = 64 };

struct key_range {
    uint8_t first[ENTRY_KEY_BYTES_MAX], last[ENTRY_KEY_BYTES_MAX];
    uint8_t first_bytes, last_bytes;
};

struct edit {
    uint8_t key[CONTRACT_KEY_BYTES];
    char verb[33];
    struct slice *operands; /* into bytes */
    uint8_t *bytes;
    size_t count, window_bytes;
    weir_done_fn *done;
    void *arg;

    bool started;
    uint64_t number; /* 1 for the first */
    struct editor editor;
    weir_contract_t *contract;
    state_t *state; /* the entries fetched */
    struct key_range *ranges;
    size_t range_count, range_capacity, asked, answered;
    int code; /* of the first range that could not be fetched */
    struct reason why;
    TAILQ_ENTRY(edit) order;
};

static void edit_free(struct edit *self)
{
    state_destroy(&self->state);
    weir_contract_destroy(&self->contract);
    free(self->ranges);
    free(self->operands);
    free(self->bytes);
    free(self);
}

static void pump(weir_t *w);

/* Takes the edit off the queue and answers it. */
static void finish(weir_t *w, struct edit *self, const struct weir_reply *reply)
{
    TAILQ_REMOVE(&w->edits, self, order);
    window_leave(w, self->window_bytes);
    call_done(w, self->done, self->arg, reply);
    edit_free(self);
}

static void finish_failed(weir_t *w, struct edit *self, int code, const char *sentence)
{
    struct weir_reply reply = {.code = code, .sentence = *sentence ? sentence : error_text(code)};
    finish(w, self, &reply);
}

static bool outcome_unknown(int code)
{
    return code == ERR_TIMEOUT || code == ERR_LOST || code == ERR_NO_NODE || code == ERR_INTERNAL;
}

static void on_update(weir_t *w, const struct weir_reply *reply, void *arg)
{
    if (outcome_unknown(reply->code))
        randombytes_buf(w->replica, sizeof w->replica);
    finish(w, arg, reply);
    pump(w);
}

static void on_edit(weir_t *w, const struct weir_reply *reply, void *arg)
{
    finish(w, arg, reply);
    pump(w);
}

static int ask(weir_t *w, enum verb verb, const struct slice *args, size_t count,
               weir_done_fn *done, struct edit *self)
{
    struct request_options options = {.timeout_ms = w->options.timeout_ms};
    return request_open(w, verb, args, count, &options, done, self);
}

static int send_delta(weir_t *w, struct edit *self)
{
    struct buffer delta = {0};
    struct state_reader reader = state_reader(self->state);
    int rc = kind_edit(&self->contract->contract, &reader, &self->editor, slice_text(self->verb),
                       self->operands, self->count, &delta, &w->reason);
    if (!rc)
        rc = delta_sign(self->contract, w->options.signer, &delta, &w->reason);
    if (!rc && buffer_failed(&delta))
        rc = handle_fail(w, ERR_NO_MEMORY, NULL);
    struct slice args[] = {slice_of(self->key, sizeof self->key), buffer_slice(&delta)};
    if (!rc) /* an empty delta too: the reply tells the fingerprint */
        rc = ask(w, VERB_UPDATE, args, 2, on_update, self);
    buffer_free(&delta);
    return rc;
}

static int go_on(weir_t *w, struct edit *self);

static void on_range(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct edit *self = arg;
    self->answered++;
    if (!self->code && reply->code)
        self->code = fail(&self->why, reply->code, "%s", reply->sentence);
    if (!self->code)
        self->code = state_merge(self->state, bytes_slice(reply->state), NULL, &self->why);
    int rc = go_on(w, self);
    if (rc) {
        finish_failed(w, self, rc, self->code ? self->why.text : w->reason.text);
        pump(w);
    }
}

/* Asks for the ranges not asked for, or builds when all are here. An error ends the edit, and is
 * returned only when no reply is awaited any more. */
static int go_on(weir_t *w, struct edit *self)
{
    while (!self->code && self->asked < self->range_count &&
           self->asked - self->answered < RANGES_AT_ONCE) {
        const struct key_range *r = &self->ranges[self->asked];
        struct slice args[] = {slice_of(self->key, sizeof self->key),
                               slice_of(r->first, r->first_bytes),
                               slice_of(r->last, r->last_bytes)};
        self->code = ask(w, VERB_GET, args, 3, on_range, self);
        if (self->code)
            self->why = w->reason;
        else
            self->asked++;
    }
    if (self->asked > self->answered)
        return 0;
    return self->code ? self->code : send_delta(w, self);
}

static int add_range(void *arg, struct slice first, struct slice last)
{
    struct edit *self = arg;
    if (first.size > ENTRY_KEY_BYTES_MAX || last.size > ENTRY_KEY_BYTES_MAX)
        return ERR_TOO_LARGE;
    if (self->range_count == self->range_capacity) {
        size_t capacity = self->range_capacity ? self->range_capacity * 2 : 4;
        struct key_range *ranges = realloc(self->ranges, capacity * sizeof *ranges);
        if (!ranges)
            return ERR_NO_MEMORY;
        self->ranges = ranges;
        self->range_capacity = capacity;
    }
    struct key_range *r = &self->ranges[self->range_count++];
    r->first_bytes = (uint8_t)first.size;
    r->last_bytes = (uint8_t)last.size;
    if (first.size)
        memcpy(r->first, first.data, first.size);
    if (last.size)
        memcpy(r->last, last.data, last.size);
    return 0;
}

static int send_edit(weir_t *w, struct edit *self)
{
    struct slice *args = malloc((2 + self->count) * sizeof *args);
    if (!args)
        return handle_fail(w, ERR_NO_MEMORY, NULL);
    args[0] = slice_of(self->key, sizeof self->key);
    args[1] = slice_text(self->verb);
    memcpy(args + 2, self->operands, self->count * sizeof *args);
    int rc = ask(w, VERB_EDIT, args, 2 + self->count, on_edit, self);
    free(args);
    return rc;
}

static int with_contract(weir_t *w, struct edit *self, const weir_contract_t *contract)
{
    if (!weir_contract_signed(contract))
        return send_edit(w, self);
    int rc = weir_contract_new(weir_contract_kind(contract), weir_contract_params(contract),
                               &self->contract, NULL);
    if (rc)
        return handle_fail(w, rc, NULL);
    self->state = state_new(&self->contract->contract);
    if (!self->state)
        return handle_fail(w, ERR_NO_MEMORY, NULL);
    memcpy(self->editor.replica, w->replica, sizeof w->replica);
    self->editor.now_ms = unix_ms();
    rc = kind_edit_ranges(&self->contract->contract, &self->editor, slice_text(self->verb),
                          self->operands, self->count, add_range, self, &w->reason);
    return rc ? rc : go_on(w, self);
}

static void on_known(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct edit *self = arg;
    if (reply->code) {
        finish(w, self, reply);
        pump(w);
        return;
    }
    const weir_contract_t *contract = known_add(w, self->key, reply);
    int rc = contract ? with_contract(w, self, contract)
                      : handle_fail(w, ERR_INTERNAL, "the node's reply does not fit the key");
    if (rc) {
        finish_failed(w, self, rc, w->reason.text);
        pump(w);
    }
}

static int start(weir_t *w, struct edit *self)
{
    const weir_contract_t *contract = known_find(w, self->key);
    self->started = true;
    return contract ? with_contract(w, self, contract) : known_ask(w, self->key, on_known, self);
}

/* Those that wait now. An app may ask again each time that one fails: the next step goes on. */
static void pump(weir_t *w)
{
    struct edit *first;
    uint64_t last = w->edits_opened;
    while ((first = TAILQ_FIRST(&w->edits)) && !first->started && first->number <= last) {
        int rc = start(w, first);
        if (rc)
            finish_failed(w, first, rc, w->reason.text);
    }
}

static struct edit *edit_new(const uint8_t *key, const char *verb,
                             const struct weir_bytes *operands, size_t count)
{
    struct edit *self = calloc(1, sizeof *self);
    size_t size = 1, at = 0;
    for (size_t i = 0; i < count; i++)
        size += operands[i].size;
    if (!self)
        return NULL;
    self->operands = calloc(count + 1, sizeof *self->operands);
    self->bytes = malloc(size);
    self->count = count;
    if (!self->operands || !self->bytes) {
        edit_free(self);
        return NULL;
    }
    memcpy(self->key, key, sizeof self->key);
    memcpy(self->verb, verb, strlen(verb) + 1);
    for (size_t i = 0; i < count; i++) {
        if (operands[i].size)
            memcpy(self->bytes + at, operands[i].data, operands[i].size);
        self->operands[i] = slice_of(self->bytes + at, operands[i].size);
        at += operands[i].size;
    }
    return self;
}

int edits_open(weir_t *w, const uint8_t *key, const char *verb, const struct weir_bytes *operands,
               size_t count, size_t bytes, weir_done_fn *done, void *arg)
{
    int rc = strlen(verb) < sizeof((struct edit *)0)->verb ? 0 : ERR_BAD_REQUEST;
    struct edit *self = rc ? NULL : edit_new(key, verb, operands, count);
    if (!self) {
        window_leave(w, bytes);
        return handle_fail(w, rc ? rc : ERR_NO_MEMORY, NULL);
    }
    self->number = ++w->edits_opened;
    self->window_bytes = bytes;
    self->done = done;
    self->arg = arg;
    TAILQ_INSERT_TAIL(&w->edits, self, order);
    if (TAILQ_FIRST(&w->edits) != self)
        return 0;
    rc = start(w, self);
    if (rc) { /* the caller is told by the code alone */
        TAILQ_REMOVE(&w->edits, self, order);
        window_leave(w, bytes);
        edit_free(self);
    }
    return rc;
}

bool edits_wait(const weir_t *w)
{
    const struct edit *first = TAILQ_FIRST(&w->edits);
    return first && !first->started;
}

void edits_go_on(weir_t *w)
{
    pump(w);
}

/* Their requests have failed before; what is left was queued behind them. */
void edits_free(weir_t *w)
{
    struct edit *first;
    while ((first = TAILQ_FIRST(&w->edits)))
        finish_failed(w, first, ERR_LOST, "the handle is gone");
}
