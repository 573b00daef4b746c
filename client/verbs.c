/* verbs: each verb twice, handing the reply to a function and waiting for it. */
#include "client/handle.h"

#include <stdio.h>

/* --- opening --------------------------------------------------------------------------------- */

static size_t size_of(const struct slice *args, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += args[i].size;
    return bytes;
}

/* How a call behaves: `wait` for room in the window even where the options say not to. */
struct call {
    weir_done_fn *done;
    void *arg;
    bool wait;
};

static int open_timed(weir_t *w, enum verb verb, const struct slice *args, size_t count,
                      unsigned timeout_ms, const struct call *call)
{
    size_t bytes = size_of(args, count);
    int rc = window_enter(w, bytes, call->wait);
    if (rc)
        return rc;
    struct request_options options = {.timeout_ms = timeout_ms, .counted = true};
    rc = request_open(w, verb, args, count, &options, call->done, call->arg);
    if (rc)
        window_leave(w, bytes);
    return rc;
}

static int open_plain(weir_t *w, enum verb verb, const struct slice *args, size_t count,
                      const struct call *call)
{
    return open_timed(w, verb, args, count, w->options.timeout_ms, call);
}

static int open_put(weir_t *w, const char *kind, struct weir_bytes params, struct weir_bytes state,
                    const struct call *call)
{
    struct slice args[] = {slice_text(kind), bytes_slice(params), bytes_slice(state)};
    if (!pieces_needed(args[2]))
        return open_plain(w, VERB_PUT, args, 3, call);
    size_t bytes = size_of(args, 3);
    int rc = window_enter(w, bytes, call->wait);
    return rc ? rc : pieces_open(w, args[0], args[1], NULL, args[2], bytes, call->done, call->arg);
}

static int open_update(weir_t *w, const uint8_t *key, struct weir_bytes delta,
                       const struct call *call)
{
    struct slice args[] = {slice_of(key, CONTRACT_KEY_BYTES), bytes_slice(delta)};
    if (!pieces_needed(args[1]))
        return open_plain(w, VERB_UPDATE, args, 2, call);
    int rc = window_enter(w, args[1].size, call->wait);
    struct slice none = {0};
    return rc ? rc : pieces_open(w, none, none, key, args[1], args[1].size, call->done, call->arg);
}

static int open_get(weir_t *w, const uint8_t *key, const struct weir_bytes *first,
                    const struct weir_bytes *last, const struct call *call)
{
    struct slice args[3] = {slice_of(key, CONTRACT_KEY_BYTES)};
    if (first) {
        args[1] = bytes_slice(*first);
        args[2] = last ? bytes_slice(*last) : key_greatest();
    }
    return open_plain(w, VERB_GET, args, first ? 3 : 1, call);
}

static int open_text(weir_t *w, enum verb verb, const char *text, const struct call *call)
{
    struct slice args[] = {slice_text(text ? text : "")};
    /* How long these two take depends on the data; STATUS tells how far they are. */
    bool endless = verb == VERB_BACKUP || verb == VERB_CHECK;
    return open_timed(w, verb, args, text ? 1 : 0, endless ? 0 : w->options.timeout_ms, call);
}

static int open_edit(weir_t *w, const uint8_t *key, const char *verb,
                     const struct weir_bytes *operands, size_t count, const struct call *call)
{
    struct slice args[2 + WEIR_EDIT_OPERANDS_MAX] = {slice_of(key, CONTRACT_KEY_BYTES),
                                                     slice_text(verb)};
    if (count > WEIR_EDIT_OPERANDS_MAX)
        return fail(&w->reason, ERR_TOO_LARGE, "%zu operands in an edit: at most %u; use batches",
                    count, WEIR_EDIT_OPERANDS_MAX);
    for (size_t i = 0; i < count; i++)
        args[2 + i] = bytes_slice(operands[i]);
    if (!w->options.signer)
        return open_plain(w, VERB_EDIT, args, 2 + count, call);
    size_t bytes = size_of(args, 2 + count);
    int rc = window_enter(w, bytes, call->wait);
    return rc ? rc : edits_open(w, key, verb, operands, count, bytes, call->done, call->arg);
}

static int open_subscription(weir_t *w, const uint8_t *key, const uint8_t *known,
                             weir_event_fn *event, void *arg, const struct call *call)
{
    return subscriptions_open(w, key, known, event, arg, call->done, call->arg);
}

/* --- waiting --------------------------------------------------------------------------------- */

struct waiter {
    bool done;
    int code;
};

static void on_reply(weir_t *w, const struct weir_reply *reply, void *arg)
{
    struct waiter *waiter = arg;
    waiter->done = true;
    waiter->code = reply->code;
    reply_keep(w, reply);
}

static int wait_for(weir_t *w, int rc, struct waiter *waiter, const struct weir_reply **reply)
{
    while (!rc && !waiter->done) {
        int stepped = weir_step(w, -1);
        rc = stepped < 0 ? stepped : 0;
    }
    if (rc)
        return rc;
    if (waiter->code)
        handle_fail(w, waiter->code, w->kept->reply.sentence);
    if (reply)
        *reply = &w->kept->reply;
    return waiter->code;
}

/* Opens with a waiter of its own and waits: WAIT (w, reply, open_get, key, …). */
#define WAIT(w, reply, open, ...)                                                                  \
    do {                                                                                           \
        struct waiter waiter = {0};                                                                \
        const struct call call = {on_reply, &waiter, true};                                        \
        int rc = may_wait(w);                                                                      \
        return wait_for(w, rc ? rc : open(w, __VA_ARGS__, &call), &waiter, reply);                 \
    } while (0)

static int may_wait(weir_t *w)
{
    if (w->broken)
        return w->broken;
    return w->depth ? fail(&w->reason, ERR_AGAIN,
                           "a callback cannot wait; use the call that ends in _async")
                    : 0;
}

/* --- the verbs ------------------------------------------------------------------------------- */

int weir_put(weir_t *w, const char *kind, struct weir_bytes params, struct weir_bytes state,
             const struct weir_reply **reply)
{
    WAIT(w, reply, open_put, kind, params, state);
}

int weir_put_async(weir_t *w, const char *kind, struct weir_bytes params, struct weir_bytes state,
                   weir_done_fn *done, void *arg)
{
    return open_put(w, kind, params, state, &(struct call){done, arg, false});
}

int weir_get(weir_t *w, const uint8_t key[32], const struct weir_reply **reply)
{
    WAIT(w, reply, open_get, key, NULL, NULL);
}

int weir_get_async(weir_t *w, const uint8_t key[32], weir_done_fn *done, void *arg)
{
    return open_get(w, key, NULL, NULL, &(struct call){done, arg, false});
}

int weir_get_range(weir_t *w, const uint8_t key[32], struct weir_bytes first,
                   const struct weir_bytes *last, const struct weir_reply **reply)
{
    WAIT(w, reply, open_get, key, &first, last);
}

int weir_get_range_async(weir_t *w, const uint8_t key[32], struct weir_bytes first,
                         const struct weir_bytes *last, weir_done_fn *done, void *arg)
{
    return open_get(w, key, &first, last, &(struct call){done, arg, false});
}

int weir_update(weir_t *w, const uint8_t key[32], struct weir_bytes delta,
                const struct weir_reply **reply)
{
    WAIT(w, reply, open_update, key, delta);
}

int weir_update_async(weir_t *w, const uint8_t key[32], struct weir_bytes delta, weir_done_fn *done,
                      void *arg)
{
    return open_update(w, key, delta, &(struct call){done, arg, false});
}

int weir_edit(weir_t *w, const uint8_t key[32], const char *verb, const struct weir_bytes *operands,
              size_t count, const struct weir_reply **reply)
{
    WAIT(w, reply, open_edit, key, verb, operands, count);
}

int weir_edit_async(weir_t *w, const uint8_t key[32], const char *verb,
                    const struct weir_bytes *operands, size_t count, weir_done_fn *done, void *arg)
{
    return open_edit(w, key, verb, operands, count, &(struct call){done, arg, false});
}

int weir_subscribe(weir_t *w, const uint8_t key[32], const uint8_t *known, weir_event_fn *event,
                   void *arg)
{
    WAIT(w, NULL, open_subscription, key, known, event, arg);
}

int weir_subscribe_async(weir_t *w, const uint8_t key[32], const uint8_t *known,
                         weir_event_fn *event, void *arg, weir_done_fn *done, void *done_arg)
{
    return subscriptions_open(w, key, known, event, arg, done, done_arg);
}

int weir_status(weir_t *w, const struct weir_reply **reply)
{
    WAIT(w, reply, open_text, VERB_STATUS, NULL);
}

int weir_peers(weir_t *w, const struct weir_reply **reply)
{
    WAIT(w, reply, open_text, VERB_PEERS, NULL);
}

int weir_peers_matrix(weir_t *w, const struct weir_reply **reply)
{
    WAIT(w, reply, open_text, VERB_PEERS, "matrix");
}

int weir_contracts(weir_t *w, const struct weir_reply **reply)
{
    WAIT(w, reply, open_text, VERB_CONTRACTS, NULL);
}

int weir_peer_connect(weir_t *w, const char *id_at_address, const struct weir_reply **reply)
{
    WAIT(w, reply, open_text, VERB_CONNECT, id_at_address);
}

int weir_peer_disconnect(weir_t *w, const char *id, const struct weir_reply **reply)
{
    WAIT(w, reply, open_text, VERB_DISCONNECT, id);
}

int weir_backup(weir_t *w, const char *path, const struct weir_reply **reply)
{
    WAIT(w, reply, open_text, VERB_BACKUP, path);
}

int weir_check(weir_t *w, const struct weir_reply **reply)
{
    WAIT(w, reply, open_text, VERB_CHECK, NULL);
}

int weir_status_async(weir_t *w, weir_done_fn *done, void *arg)
{
    return open_text(w, VERB_STATUS, NULL, &(struct call){done, arg, false});
}

int weir_backup_async(weir_t *w, const char *path, weir_done_fn *done, void *arg)
{
    return open_text(w, VERB_BACKUP, path, &(struct call){done, arg, false});
}

int weir_check_async(weir_t *w, weir_done_fn *done, void *arg)
{
    return open_text(w, VERB_CHECK, NULL, &(struct call){done, arg, false});
}

/* --- edits, spelled for each kind ------------------------------------------------------------ */

static int edit_once(weir_t *w, const uint8_t *key, const char *verb, struct weir_bytes a,
                     const struct weir_bytes *b)
{
    struct weir_bytes operands[2] = {a};
    const struct weir_reply *reply;
    if (b)
        operands[1] = *b;
    int rc = weir_edit(w, key, verb, operands, b ? 2 : 1, &reply);
    return rc ? rc : reply->changed;
}

int weir_counter_add(weir_t *w, const uint8_t key[32], int64_t n)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)n);
    return edit_once(w, key, "add", weir_text(text), NULL);
}

int weir_register_set(weir_t *w, const uint8_t key[32], struct weir_bytes value)
{
    return edit_once(w, key, "set", value, NULL);
}

int weir_set_add(weir_t *w, const uint8_t key[32], struct weir_bytes element)
{
    return edit_once(w, key, "add", element, NULL);
}

int weir_set_remove(weir_t *w, const uint8_t key[32], struct weir_bytes element)
{
    return edit_once(w, key, "remove", element, NULL);
}

int weir_map_set(weir_t *w, const uint8_t key[32], struct weir_bytes field, struct weir_bytes value)
{
    return edit_once(w, key, "set", field, &value);
}

int weir_map_remove(weir_t *w, const uint8_t key[32], struct weir_bytes field)
{
    return edit_once(w, key, "remove", field, NULL);
}

int weir_log_append(weir_t *w, const uint8_t key[32], struct weir_bytes data)
{
    return edit_once(w, key, "append", data, NULL);
}
