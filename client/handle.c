#include "client/handle.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    TIMEOUT_MS = 10000,
    WINDOW = 256,
    WINDOW_MAX = 65536,
    WINDOW_BYTES = 64 << 20,
    MESSAGES_A_STEP = 1024 /* then the caller has its turn */
};

int handle_fail(weir_t *w, int code, const char *why)
{
    return fail(&w->reason, code, "%s", why && *why ? why : error_text(code));
}

const char *weir_error(const weir_t *w)
{
    return w->reason.text;
}

static const char *endpoint_of(const struct weir_options *options)
{
    const char *env = getenv("WEIR_NODE");
    return options->endpoint ? options->endpoint : env && *env ? env : WEIR_DEFAULT_ENDPOINT;
}

static int options_take(weir_t *w, const struct weir_options *o)
{
    const char *endpoint = endpoint_of(o);
    w->options.timeout_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_MS;
    w->options.window = o->window ? o->window : WINDOW;
    w->options.window_bytes = o->window_bytes ? o->window_bytes : WINDOW_BYTES;
    w->options.dont_wait = o->dont_wait;
    w->options.signer = o->signer;
    if (w->options.window > WINDOW_MAX)
        return fail(&w->reason, ERR_BAD_REQUEST, "a window of %u: at most %d", w->options.window,
                    WINDOW_MAX);
    if (strlen(endpoint) >= sizeof w->options.endpoint)
        return fail(&w->reason, ERR_BAD_REQUEST, "the endpoint is too long");
    snprintf(w->options.endpoint, sizeof w->options.endpoint, "%s", endpoint);
    return 0;
}

weir_t *weir_new(const struct weir_options *options)
{
    static const struct weir_options defaults;
    const struct weir_options *o = options ? options : &defaults;
    weir_t *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->link.epoll_fd = -1;
    w->rest_until_ms = UINT64_MAX;
    requests_init(&w->requests);
    TAILQ_INIT(&w->edits);
    w->incoming = box_new();
    w->kept = box_new();
    if (!w->incoming || !w->kept || sodium_init() < 0) {
        weir_destroy(&w);
        return NULL;
    }
    randombytes_buf(w->replica, sizeof w->replica);
    w->broken = options_take(w, o);
    if (!w->broken) {
        struct link_options link = {w->options.endpoint, o->server_key, o->client_key};
        w->broken = link_open(&w->link, &link, &w->reason);
    }
    return w;
}

void weir_destroy(weir_t **self)
{
    weir_t *w = *self;
    if (!w)
        return;
    w->broken = ERR_LOST; /* callbacks that open more are refused */
    requests_fail_all(w, ERR_LOST, "the handle is gone");
    edits_free(w);
    subscriptions_free(w);
    known_free(w);
    requests_free(&w->requests);
    link_close(&w->link);
    box_free(&w->incoming);
    box_free(&w->kept);
    free(w);
    *self = NULL;
}

void call_done(weir_t *w, weir_done_fn *done, void *arg, const struct weir_reply *reply)
{
    w->calls++;
    w->depth++;
    done(w, reply, arg);
    w->depth--;
}

/* --- steps ----------------------------------------------------------------------------------- */

static void refuse(weir_t *w, int code, const char *format)
{
    struct reason why;
    fail(&why, code, "%s %s", format, w->options.endpoint);
    requests_fail_all(w, code, why.text);
}

static void on_link(weir_t *w)
{
    switch (w->link.state) {
    case LINK_UP:
        subscriptions_on_up(w);
        break;
    case LINK_REFUSED:
        refuse(w, ERR_NO_NODE, "no node answers at");
        break;
    case LINK_DENIED:
        refuse(w, ERR_DENIED, "the node does not know our key at");
        break;
    case LINK_DOWN:
        requests_on_down(w);
        break;
    case LINK_CONNECTING:
        break;
    }
}

void look_at_link(weir_t *w)
{
    bool more = true;
    while (more)
        if (link_event(&w->link, &more)) {
            w->link_changes++;
            on_link(w);
        }
}

static void do_what_waits(weir_t *w)
{
    int taken = 0;
    look_at_link(w);
    subscriptions_tick(w);
    edits_go_on(w);
    requests_flush(w);
    while (taken < MESSAGES_A_STEP && replies_take(w))
        taken++;
    if (taken < MESSAGES_A_STEP) /* else an answer that came in time may still wait here */
        requests_expire(w);
}

/* How long nothing is to be done by time alone; -1 without end. */
static long quiet_ms(const weir_t *w)
{
    uint64_t now = monotonic_ms(), at = w->requests.next_deadline_ms;
    uint64_t other = subscriptions_next_ms(w);
    if (other < at)
        at = other;
    if (edits_wait(w))
        return 0;
    if (at == UINT64_MAX)
        return -1;
    uint64_t ms = at > now ? at - now : 0;
    return ms > INT32_MAX ? INT32_MAX : (long)ms;
}

int weir_wait_ms(weir_t *w)
{
    if (w->broken || link_ready(&w->link))
        return 0;
    return (int)quiet_ms(w);
}

int weir_fd(const weir_t *w)
{
    return w->link.epoll_fd;
}

static void wait_once(weir_t *w, long wait_ms)
{
    bool out = w->link.state == LINK_UP && !TAILQ_EMPTY(&w->requests.waiting);
    long quiet = quiet_ms(w);
    if (wait_ms < 0 || (quiet >= 0 && quiet < wait_ms))
        wait_ms = quiet;
    link_wait(&w->link, out, wait_ms);
}

int weir_step(weir_t *w, int wait_ms)
{
    if (w->broken)
        return w->broken;
    if (w->depth)
        return fail(&w->reason, ERR_AGAIN, "called from inside a callback");
    uint64_t before = w->calls, changes = w->link_changes;
    do_what_waits(w);
    /* Whoever waits for the connection must not wait on when it has just come. */
    if (w->calls == before && w->link_changes == changes && wait_ms != 0) {
        wait_once(w, wait_ms);
        do_what_waits(w);
    }
    uint64_t called = w->calls - before;
    return called > INT32_MAX ? INT32_MAX : (int)called;
}

int weir_connect(weir_t *w)
{
    uint64_t deadline = monotonic_ms() + w->options.timeout_ms;
    if (w->link.state == LINK_REFUSED)
        w->link.state = LINK_CONNECTING; /* asked again: the next attempt tells */
    for (;;) {
        int rc = weir_step(w, 0);
        uint64_t now = monotonic_ms();
        if (rc < 0)
            return rc;
        if (w->link.state == LINK_UP)
            return 0;
        if (w->link.state == LINK_DENIED)
            return fail(&w->reason, ERR_DENIED, "the node at %s does not know our key",
                        w->options.endpoint);
        if (w->link.state == LINK_REFUSED || now >= deadline)
            return fail(&w->reason, ERR_NO_NODE, "no node answers at %s", w->options.endpoint);
        rc = weir_step(w, (int)(deadline - now));
        if (rc < 0)
            return rc;
    }
}

int weir_connected(const weir_t *w)
{
    return !w->broken && w->link.state == LINK_UP;
}

/* --- the window ------------------------------------------------------------------------------ */

size_t weir_open(const weir_t *w)
{
    return w->open;
}

static bool window_has_room(const weir_t *w, size_t bytes)
{
    if (w->open == 0)
        return true;
    return w->open < w->options.window && w->open_bytes < w->options.window_bytes &&
           bytes <= w->options.window_bytes - w->open_bytes;
}

int window_enter(weir_t *w, size_t bytes, bool wait)
{
    if (w->broken)
        return w->broken;
    while (!window_has_room(w, bytes)) {
        if (w->depth || (w->options.dont_wait && !wait))
            return fail(&w->reason, ERR_AGAIN, "%zu requests are open: the window is full",
                        w->open);
        int rc = weir_step(w, -1);
        if (rc < 0)
            return rc;
    }
    w->open++;
    w->open_bytes += bytes;
    return 0;
}

void window_leave(weir_t *w, size_t bytes)
{
    w->open--;
    w->open_bytes -= bytes;
}

int weir_drain(weir_t *w)
{
    while (w->open) {
        int rc = weir_step(w, -1);
        if (rc < 0)
            return rc;
    }
    return 0;
}
