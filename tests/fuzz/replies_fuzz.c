/* What a node says to libweir, whatever it is: an app asks, follows and edits, and the link to its
 * node is this file's. The input: steps, each a byte, then what it takes:
 *
 *   0 GET   1 UPDATE   2 PUT   3 EDIT   4 SUBSCRIBE   5 UNSUBSCRIBE   6 STATUS, CHECK or BACKUP: of
 *   what (a byte)   7 the link is up   8 it is another state (a byte)   9 a message: the number of
 *   its frames, each a byte that says what (see take_frame)   10 the app's callbacks ask too
 *   11 the socket is full, or not
 *
 * Each call is answered once; what a follower is told joins up; a state that came is looked at. */
/* link: -Wl,--wrap=link_open,--wrap=link_close,--wrap=link_event,--wrap=link_send */
/* link: -Wl,--wrap=link_receive,--wrap=link_wait,--wrap=link_ready */
#include "client/handle.h"
#include "tests/fuzz/must.h"

enum { KEYS = 3, IDS = 8, FRAMES = MESSAGE_FRAMES_MAX + 2, STEPS_MAX = 200 };

/* The other end of the link. */
static struct {
    enum link_state state;
    uint8_t ids[IDS][WIRE_ID_BYTES]; /* of requests that were sent, the last IDS */
    size_t sent, count;              /* count: frames that wait to be received; 0: none */
    struct slice frames[FRAMES];
    bool full;
} node;

/* The app. */
static struct {
    weir_t *w;
    size_t asked, answered;
    bool asks_in_callbacks;
    uint8_t last[32]; /* of the last event or reply */
} app;

static struct key {
    uint8_t key[32];
    weir_contract_t *contract; /* NULL: there is none of that key */
    bool told, ended;
    uint8_t last[32];
} keys[KEYS];

static weir_signer_t *signer;

/* --- the link -------------------------------------------------------------------------------- */

int __wrap_link_open(struct link *self, const struct link_options *options, struct reason *why);
void __wrap_link_close(struct link *self);
bool __wrap_link_event(struct link *self, bool *more);
int __wrap_link_send(struct link *self, const struct slice *head, size_t head_count,
                     zmq_msg_t *rest, size_t rest_count);
int __wrap_link_receive(struct link *self, zmq_msg_t *frames, size_t max, size_t *count);
void __wrap_link_wait(struct link *self, bool out, long wait_ms);
bool __wrap_link_ready(struct link *self);

int __wrap_link_open(struct link *self, const struct link_options *options, struct reason *why)
{
    (void)options, (void)why;
    *self = (struct link){.epoll_fd = -1};
    return 0;
}

void __wrap_link_close(struct link *self)
{
    (void)self;
}

bool __wrap_link_event(struct link *self, bool *more)
{
    bool changes = self->state != node.state;
    self->state = node.state;
    *more = false;
    return changes;
}

int __wrap_link_send(struct link *self, const struct slice *head, size_t head_count,
                     zmq_msg_t *rest, size_t rest_count)
{
    (void)rest, (void)rest_count;
    MUST(self->state == LINK_UP && head_count == 3 && head[1].size == WIRE_ID_BYTES);
    if (node.full)
        return ERR_AGAIN;
    memcpy(node.ids[node.sent++ % IDS], head[1].data, WIRE_ID_BYTES);
    return 0;
}

int __wrap_link_receive(struct link *self, zmq_msg_t *frames, size_t max, size_t *count)
{
    (void)self;
    if (!node.count)
        return ERR_AGAIN;
    for (size_t i = 0; i < node.count && i < max; i++) {
        MUST(zmq_msg_init_size(&frames[i], node.frames[i].size) == 0);
        if (node.frames[i].size)
            memcpy(zmq_msg_data(&frames[i]), node.frames[i].data, node.frames[i].size);
    }
    *count = node.count <= max ? node.count : max + 1;
    node.count = 0;
    return 0;
}

void __wrap_link_wait(struct link *self, bool out, long wait_ms)
{
    (void)self, (void)out, (void)wait_ms;
    MUST(false); /* nothing here waits */
}

bool __wrap_link_ready(struct link *self)
{
    (void)self;
    return node.count > 0;
}

/* --- the app --------------------------------------------------------------------------------- */

static int any_item(void *arg, const struct weir_item *item)
{
    *(size_t *)arg += item->name.size + item->value.size;
    return 0;
}

static void look_at(const weir_contract_t *contract, struct weir_bytes state)
{
    size_t bytes = 0;
    struct weir_reason why = {""};
    int rc = weir_items(contract, state, any_item, &bytes, &why);
    MUST(rc <= 0 && (rc == 0 || why.text[0]));
    MUST(bytes <= 2 * state.size + 64);
}

static void ask(uint8_t what, uint8_t of, bool steps);

static void on_done(weir_t *w, const struct weir_reply *reply, void *arg)
{
    weir_contract_t *contract = NULL;
    (void)arg;
    MUST(w == app.w || !app.w);
    MUST(++app.answered <= app.asked);
    MUST(reply->code <= 0 && (reply->code == 0 || reply->sentence[0]));
    if (reply->fingerprint)
        memcpy(app.last, reply->fingerprint, sizeof app.last);
    if (reply->code == 0 && reply->kind &&
        weir_contract_new(reply->kind, reply->params, &contract, NULL) == 0) {
        look_at(contract, reply->state);
        weir_contract_destroy(&contract);
    }
    if (app.asks_in_callbacks)
        ask(app.last[0], app.last[1], false);
}

static void on_event(weir_t *w, const struct weir_event *event, void *arg)
{
    struct key *key = (struct key *)arg;
    MUST(w == app.w && !key->ended && memcmp(event->key, key->key, 32) == 0);
    if (event->kind == WEIR_EVENT_ENDED) {
        MUST(event->code < 0 && event->sentence[0]);
        key->ended = true;
        return;
    }
    MUST((event->kind == WEIR_EVENT_STATE) == !key->told && event->contract);
    MUST(!event->before == !key->told);
    MUST(!event->before || memcmp(event->before, key->last, 32) == 0);
    MUST(memcmp(weir_contract_key(event->contract), key->key, 32) == 0);
    look_at(event->contract, event->delta);
    memcpy(key->last, event->after, 32);
    memcpy(app.last, event->after, 32);
    key->told = true;
    if (app.asks_in_callbacks)
        ask(5, (uint8_t)(key - keys), false);
}

static int follow(struct key *key)
{
    int rc = weir_subscribe_async(app.w, key->key, NULL, on_event, key, on_done, NULL);
    if (rc == 0)
        key->told = key->ended = false;
    return rc;
}

/* One call of the app's. */
static void ask(uint8_t what, uint8_t of, bool steps)
{
    static const uint8_t entry[] = {1, 'k', 0, 0, 0, 1, 'v'};
    struct weir_bytes state = {entry, sizeof entry},
                      words[] = {weir_text("1"), weir_text("a"), weir_text("b")};
    struct key *key = &keys[of % KEYS];
    app.asked++; /* it may be answered before the call is over */
    int rc = -1;
    if (what == 0)
        rc = weir_get_async(app.w, key->key, on_done, NULL);
    else if (what == 1)
        rc = weir_update_async(app.w, key->key, state, on_done, NULL);
    else if (what == 2)
        rc = weir_put_async(app.w, of & 8 ? "rope" : "map", weir_text(""), state, on_done, NULL);
    else if (what == 3)
        rc = weir_edit_async(app.w, key->key, of & 8 ? "add" : "set", words, of >> 4 & 3, on_done,
                             NULL);
    else if (what == 4)
        rc = follow(key);
    else if (what == 5)
        (void)!weir_unsubscribe(app.w, key->key);
    else if (what == 6 && of % 3 == 0)
        rc = weir_status_async(app.w, on_done, NULL);
    else if (what == 6)
        rc = of % 3 == 1 ? weir_check_async(app.w, on_done, NULL)
                         : weir_backup_async(app.w, "/nowhere", on_done, NULL);
    if (rc)
        app.asked--;
    if (steps)
        (void)!weir_step(app.w, 0);
}

/* --- the node -------------------------------------------------------------------------------- */

static struct slice take(struct slice *rest, size_t size)
{
    struct slice taken = slice_of(rest->data, size < rest->size ? size : rest->size);
    *rest = slice_after(*rest, taken.size);
    return taken;
}

static uint8_t take_u8(struct slice *rest)
{
    struct slice byte = take(rest, 1);
    return byte.size ? byte.data[0] : 0;
}

/* By its low four bits; the high ones say which of several. */
static struct slice take_frame(struct slice *rest)
{
    static const char *const names[] = {"map", "counter", "room", ""};
    uint8_t byte = take_u8(rest), which = byte >> 4;
    const struct key *key = &keys[which % KEYS];
    struct weir_bytes params = {NULL, 0};
    switch (byte & 15) {
    case 0:
        return slice_text(CLIENT_PROTOCOL_NAME);
    case 1:
        return slice_of(node.ids[(node.sent - 1 - which) % IDS], WIRE_ID_BYTES);
    case 2:
        return slice_text(CLIENT_PROTOCOL_OK);
    case 3:
        return slice_text(CLIENT_PROTOCOL_NOTIFY);
    case 4:
        return slice_text(weir_error_name(-1 - which));
    case 5:
        return slice_of(which & 1 ? app.last : key->last, 32);
    case 6:
        return slice_of(key->key, 32);
    case 7:
        return slice_text(names[which & 3]);
    case 8:
        if (key->contract)
            params = weir_contract_params(key->contract);
        return slice_of(params.data, params.size);
    case 9:
        return take(rest, 32);
    case 10:
        return take(rest, 4);
    default:
        return take(rest, take_u8(rest));
    }
}

static void say(struct slice *rest)
{
    size_t count = take_u8(rest) % (FRAMES + 1);
    for (size_t i = 0; i < count; i++)
        node.frames[i] = take_frame(rest);
    node.count = count;
    (void)!weir_step(app.w, 0);
}

/* --- an input -------------------------------------------------------------------------------- */

static void make_keys(void)
{
    weir_params_t *params = weir_params_new();
    signer = weir_signer_new();
    MUST(signer && params);
    MUST(weir_params_add_writer(params, weir_signer_public(signer)) == 0);
    MUST(weir_contract_new("map", weir_text(""), &keys[0].contract, NULL) == 0);
    MUST(weir_contract_new("counter", weir_params_bytes(params), &keys[1].contract, NULL) == 0);
    for (size_t i = 0; keys[i].contract; i++)
        memcpy(keys[i].key, weir_contract_key(keys[i].contract), 32);
    weir_params_destroy(&params);
}

static void play(struct slice rest)
{
    for (int i = 0; rest.size && i < STEPS_MAX; i++) {
        uint8_t what = take_u8(&rest) % 12;
        if (what < 7)
            ask(what, take_u8(&rest), true);
        else if (what == 7)
            node.state = LINK_UP;
        else if (what == 8)
            node.state = (enum link_state)(take_u8(&rest) % (LINK_DOWN + 1));
        else if (what == 9)
            say(&rest);
        else if (what == 10)
            app.asks_in_callbacks = !app.asks_in_callbacks;
        else
            node.full = !node.full;
        (void)!weir_step(app.w, 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_options options = {.endpoint = "ipc:///nowhere", .dont_wait = 1, .window = 16};
    if (!signer)
        make_keys();
    memset(&node, 0, sizeof node);
    memset(&app, 0, sizeof app);
    for (size_t i = 0; i < KEYS; i++)
        keys[i].told = keys[i].ended = false;
    options.signer = size && data[0] & 0x80 ? signer : NULL;
    app.w = weir_new(&options);
    MUST(app.w);
    play(slice_of(data, size));
    app.asks_in_callbacks = false;
    weir_destroy(&app.w);
    MUST(app.answered == app.asked);
    return 0;
}
