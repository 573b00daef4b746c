/* pieces: a large PUT or UPDATE as several small ones. Merging is associative, so the pieces make
 * the same state as the whole (lesson M1), and no node has to hold more than a piece of a request.
 *
 *   check the whole here ▶ [PUT first piece] ▶ UPDATE pieces, a few open at once ▶ the last alone,
 *   so that its reply tells the fingerprint of all */
#include "client/handle.h"
#include "contracts/merge.h"

#include <stdlib.h>

enum { PIECE_BYTES = 1 << 20, PIECES_AT_ONCE = 8 };

struct pieces {
    uint8_t key[CONTRACT_KEY_BYTES], fingerprint[FINGERPRINT_SIZE];
    uint8_t *state;
    struct entries walk;
    struct slice next; /* the piece to send next; empty at the end */
    size_t open, window_bytes;
    bool answered; /* the first piece was, so that a PUT's contract exists */
    bool put;
    uint32_t hosts;
    int changed, code;
    struct reason why;
    weir_done_fn *done;
    void *arg;
};

bool pieces_needed(struct slice state)
{
    return state.size > PIECE_BYTES;
}

/* As many entries as fit in a piece, at least one. */
static void take_next(struct pieces *self)
{
    const uint8_t *start = self->walk.rest.data;
    struct entries before = self->walk;
    struct entry entry;
    size_t size = 0;
    while (entries_next(&self->walk, &entry, NULL) == 1) {
        if (size && self->walk.encoded.size > PIECE_BYTES - size) {
            self->walk = before;
            break;
        }
        size += self->walk.encoded.size;
        before = self->walk;
        if (size >= PIECE_BYTES)
            break;
    }
    self->next = slice_of(start, size);
}

static void pieces_free(struct pieces *self)
{
    free(self->state);
    free(self);
}

static void finish(weir_t *w, struct pieces *self)
{
    struct weir_reply reply = {.code = self->code,
                               .sentence = self->code ? self->why.text : "",
                               .changed = self->changed,
                               .hosts = self->hosts};
    if (!self->code) {
        reply.fingerprint = self->fingerprint;
        reply.key = self->put ? self->key : NULL;
    }
    window_leave(w, self->window_bytes);
    call_done(w, self->done, self->arg, &reply);
    pieces_free(self);
}

static void go_on(weir_t *w, struct pieces *self);

static void on_piece(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct pieces *self = arg;
    self->open--;
    self->answered = true;
    if (reply->code && !self->code)
        self->code = fail(&self->why, reply->code, "%s", reply->sentence);
    if (!reply->code) {
        memcpy(self->fingerprint, reply->fingerprint, sizeof self->fingerprint);
        self->changed |= reply->changed;
        self->hosts = reply->hosts ? reply->hosts : self->hosts;
    }
    go_on(w, self);
}

static void send_piece(weir_t *w, struct pieces *self)
{
    struct slice args[] = {slice_of(self->key, sizeof self->key), self->next};
    struct request_options options = {.timeout_ms = w->options.timeout_ms};
    int rc = request_open(w, VERB_UPDATE, args, 2, &options, on_piece, self);
    if (rc) {
        self->code = rc;
        self->why = w->reason;
        return;
    }
    self->open++;
    take_next(self);
}

static bool may_send(const struct pieces *self)
{
    if (self->code || self->next.size == 0)
        return false;
    bool first = !self->answered, last = self->walk.rest.size == 0;
    return self->open < (first || last ? 1 : PIECES_AT_ONCE);
}

static void go_on(weir_t *w, struct pieces *self)
{
    while (may_send(self))
        send_piece(w, self);
    if (self->open == 0)
        finish(w, self);
}

static int check_whole(weir_t *w, struct pieces *self, const weir_contract_t *contract)
{
    return contract_check(&contract->contract, NULL, self->walk.rest, NULL, &w->reason);
}

static void on_known(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct pieces *self = arg;
    const weir_contract_t *contract = reply->code ? NULL : known_add(w, self->key, reply);
    int rc = reply->code ? reply->code : ERR_INTERNAL;
    if (reply->code)
        handle_fail(w, rc, reply->sentence);
    else if (!contract)
        handle_fail(w, rc, "the node's reply does not fit the key");
    else
        rc = check_whole(w, self, contract);
    if (rc) {
        self->code = rc;
        self->why = w->reason;
    } else {
        take_next(self);
    }
    go_on(w, self);
}

/* Asks what the key is, which on_known then checks the state against. */
static int start_update(weir_t *w, struct pieces *self, const uint8_t *key)
{
    memcpy(self->key, key, sizeof self->key);
    return known_ask(w, key, on_known, self);
}

static int start_put(weir_t *w, struct pieces *self, struct slice kind, struct slice params)
{
    weir_contract_t *contract = NULL;
    struct weir_reason why;
    char name[KIND_NAME_BYTES_MAX + 1] = "";
    if (kind.size > KIND_NAME_BYTES_MAX)
        return fail(&w->reason, ERR_BAD_KIND, "a kind's name has at most %u bytes",
                    KIND_NAME_BYTES_MAX);
    memcpy(name, kind.data, kind.size);
    int rc = weir_contract_new(name, slice_bytes(params), &contract, &why);
    if (rc)
        return handle_fail(w, rc, why.text);
    memcpy(self->key, weir_contract_key(contract), sizeof self->key);
    self->put = true;
    rc = check_whole(w, self, contract);
    weir_contract_destroy(&contract);
    if (rc)
        return rc;
    take_next(self);
    struct slice args[] = {kind, params, self->next};
    struct request_options options = {.timeout_ms = w->options.timeout_ms};
    rc = request_open(w, VERB_PUT, args, 3, &options, on_piece, self);
    if (!rc) {
        self->open = 1;
        take_next(self);
    }
    return rc;
}

int pieces_open(weir_t *w, struct slice kind, struct slice params, const uint8_t *key,
                struct slice state, size_t bytes, weir_done_fn *done, void *arg)
{
    struct pieces *self = calloc(1, sizeof *self);
    uint8_t *copy = malloc(state.size);
    int rc = ERR_NO_MEMORY;
    if (self && copy) {
        memcpy(copy, state.data, state.size);
        self->state = copy;
        self->walk = entries_of(slice_of(copy, state.size));
        self->window_bytes = bytes;
        self->done = done;
        self->arg = arg;
        rc = key ? start_update(w, self, key) : start_put(w, self, kind, params);
    } else {
        handle_fail(w, rc, NULL);
    }
    if (rc) {
        window_leave(w, bytes);
        free(copy);
        free(self);
    }
    return rc;
}
