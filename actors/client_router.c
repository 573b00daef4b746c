/* The clients' socket at work: requests in, replies out. client_router_bind.c binds it. */
#include "actors/client_router_state.h"

#include "base/handover.h"
#include "base/limits.h"

enum { FRAMES_FIRST = 8, FRAMES_MAX = EDIT_OPERANDS_MAX + 3, FROM_MAX = 255 };

/* What came, with the libzmq messages that hold it. */
struct router_frames {
    struct frames frames;
    uint8_t from[FROM_MAX];
    zmq_msg_t *messages;
    size_t capacity;
    struct slice slices_first[FRAMES_FIRST];
    zmq_msg_t messages_first[FRAMES_FIRST];
};

/* --- in ---------------------------------------------------------------------------------- */

static void frames_release(struct frames *frames)
{
    struct router_frames *self = (struct router_frames *)frames;
    for (size_t i = 0; i < frames->count; i++)
        zmq_msg_close(&self->messages[i]);
    if (self->messages != self->messages_first) {
        free(self->messages);
        free(frames->slices);
    }
    free(self);
}

static bool frames_grow(struct router_frames *self)
{
    size_t capacity = self->capacity * 4;
    zmq_msg_t *messages = (zmq_msg_t *)malloc(capacity * sizeof *messages);
    struct slice *slices = (struct slice *)malloc(capacity * sizeof *slices);
    if (!messages || !slices) {
        free(messages);
        free(slices);
        return false;
    }
    for (size_t i = 0; i < self->frames.count; i++) {
        zmq_msg_init(&messages[i]);
        zmq_msg_move(&messages[i], &self->messages[i]);
    }
    if (self->messages != self->messages_first) {
        free(self->messages);
        free(self->frames.slices);
    }
    self->messages = messages;
    self->frames.slices = slices;
    self->capacity = capacity;
    return true;
}

/* Takes one frame's message over. False when there is no room for it: it is dropped. */
static bool frames_add(struct router_frames *self, zmq_msg_t *message)
{
    struct frames *frames = &self->frames;
    if (frames->count == FRAMES_MAX || (frames->count == self->capacity && !frames_grow(self))) {
        frames->cut = true;
        return false;
    }
    zmq_msg_t *to = &self->messages[frames->count];
    zmq_msg_init(to);
    zmq_msg_move(to, message);
    frames->count++;
    frames->bytes += zmq_msg_size(to);
    return true;
}

/* Slices are set when all frames are there, since small messages hold their bytes themselves. */
static void frames_seal(struct router_frames *self)
{
    struct frames *frames = &self->frames;
    for (size_t i = 0; i < frames->count; i++)
        frames->slices[i] =
            slice_of(zmq_msg_data(&self->messages[i]), zmq_msg_size(&self->messages[i]));
}

/* Asked of few requests: libzmq looks the address up by its name. */
static bool frames_is_local(const struct frames *frames)
{
    const struct router_frames *self = (const struct router_frames *)frames;
    const char *address = zmq_msg_gets(&self->messages[0], "Peer-Address");
    return !address || !*address || strncmp(address, "127.", 4) == 0 ||
           strcmp(address, "::1") == 0 || strncmp(address, "localhost", 9) == 0;
}

static struct router_frames *frames_new(zmq_msg_t *from)
{
    struct router_frames *self = (struct router_frames *)malloc(sizeof *self);
    if (!self)
        return NULL;
    size_t size = zmq_msg_size(from);
    memcpy(self->from, zmq_msg_data(from), size < FROM_MAX ? size : FROM_MAX);
    self->frames = (struct frames){.from = slice_of(self->from, size < FROM_MAX ? size : FROM_MAX),
                                   .slices = self->slices_first};
    self->messages = self->messages_first;
    self->capacity = FRAMES_FIRST;
    return self;
}

static struct frames *router_receive(void *wire)
{
    client_router_t *self = (client_router_t *)wire;
    struct router_frames *frames = NULL;
    zmq_msg_t message;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, self->handle, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&message);
        return NULL;
    }
    frames = frames_new(&message);
    bool more = zmq_msg_more(&message); /* asked before the message is moved away */
    while (more) {
        if (zmq_msg_recv(&message, self->handle, ZMQ_DONTWAIT) < 0)
            break; /* parts of one message come together; the socket is closing */
        more = zmq_msg_more(&message);
        if (frames)
            (void)frames_add(frames, &message);
    }
    zmq_msg_close(&message);
    if (!frames)
        return NULL;
    frames_seal(frames);
    return &frames->frames;
}

/* --- out --------------------------------------------------------------------------------- */

/* A frame lent to libzmq, until its thread has written it or given it up. */
struct lent {
    struct blob *blob;
    struct owed *owed;
    size_t size;
};

static void take_back(void *data, void *hint)
{
    struct lent *lent = (struct lent *)hint;
    (void)data;
    TAKEN_OVER(lent);
    owed_take(lent->owed, lent->size);
    owed_release(&lent->owed);
    blob_release(&lent->blob);
    free(lent);
}

static bool lend(zmq_msg_t *message, const struct part *part, struct owed *owed)
{
    struct lent *lent = (struct lent *)malloc(sizeof *lent);
    if (!lent)
        return false;
    *lent = (struct lent){blob_hold(part->blob), owed_hold(owed), part->data.size};
    owed_add(owed, part->data.size);
    HANDED_OVER(lent);
    if (zmq_msg_init_data(message, (void *)(uintptr_t)part->data.data, part->data.size, take_back,
                          lent) == 0)
        return true;
    take_back(NULL, lent);
    return false;
}

static bool fill(zmq_msg_t *message, const struct part *part, struct owed *owed)
{
    if (part->blob && lend(message, part, owed))
        return true;
    if (zmq_msg_init_size(message, part->data.size) != 0)
        return false;
    if (part->data.size)
        memcpy(zmq_msg_data(message), part->data.data, part->data.size);
    return true;
}

/* The first frame, the routing id, decides for the whole message: it is refused when the client's
 * queue is full or the client is gone (ZMQ_ROUTER_MANDATORY), and then nothing was sent. */
static int router_send(void *wire, struct slice to, const struct part *parts, size_t count,
                       struct owed *owed)
{
    client_router_t *self = (client_router_t *)wire;
    if (zmq_send(self->handle, to.data, to.size, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0)
        return errno == EAGAIN ? ERR_AGAIN : ERR_NOT_FOUND;
    for (size_t i = 0; i < count; i++) {
        zmq_msg_t message;
        int flags = ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0);
        if (!fill(&message, &parts[i], owed))
            zmq_msg_init(&message); /* no memory: an empty frame, which the client refuses */
        if (zmq_msg_send(&message, self->handle, flags) < 0) {
            zmq_msg_close(&message);
            return ERR_NOT_FOUND;
        }
    }
    return 0;
}

static size_t router_connected(void *wire, uint64_t *turned_away)
{
    const client_count_t *count = ((client_router_t *)wire)->count;
    *turned_away = client_count_turned_away(count);
    return client_count_now(count);
}

static int router_descriptor(void *wire)
{
    int fd = -1;
    size_t size = sizeof fd;
    (void)zmq_getsockopt(((client_router_t *)wire)->handle, ZMQ_FD, &fd, &size);
    return fd;
}

/* --- start and end ----------------------------------------------------------------------- */

int client_router_new(const struct client_router_options *options, client_router_t **router,
                      struct reason *why)
{
    client_router_t *self = (client_router_t *)zmalloc(sizeof *self);
    self->socket = zsock_new(ZMQ_ROUTER);
    self->handle = zsock_resolve(self->socket);
    self->wire =
        (struct client_wire){self,        router_receive,   frames_release,   frames_is_local,
                             router_send, router_connected, router_descriptor};
    zsock_set_linger(self->socket, 0);
    zsock_set_rcvhwm(self->socket, CLIENT_PIPE_REQUESTS);
    zsock_set_sndhwm(self->socket, CLIENT_PIPE_REPLIES);
    zsock_set_router_mandatory(self->socket, 1);
    const int patience = CLIENT_HANDSHAKE_MS;
    (void)zmq_setsockopt(self->handle, ZMQ_HANDSHAKE_IVL, &patience, sizeof patience);
    /* What is somewhat over a small --max-state is to be refused by name, not by hanging up. */
    uint64_t most = options->state_bytes_max > ENTRY_VALUE_BYTES_MAX ? options->state_bytes_max
                                                                     : ENTRY_VALUE_BYTES_MAX;
    int64_t frame_max = (int64_t)most + 4096;
    (void)zmq_setsockopt(self->handle, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max);
    int rc = client_count_new(self->handle, options->connections_max, &self->count, why);
    if (rc == 0)
        rc = client_router_bind(self, options, why);
    if (rc) {
        client_router_destroy(&self);
        return rc;
    }
    *router = self;
    return 0;
}

void client_router_destroy(client_router_t **pointer)
{
    client_router_t *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    client_count_destroy(&self->count);
    zsock_destroy(&self->socket);
    zactor_destroy(&self->auth);
    free(self->public_key);
    free(self);
}

const char *client_router_bound(const client_router_t *self)
{
    return self->bound;
}

const char *client_router_public_key(const client_router_t *self)
{
    return self->public_key;
}

const struct client_wire *client_router_wire(const client_router_t *self)
{
    return &self->wire;
}
