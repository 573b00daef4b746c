#include "client/link.h"
#include "base/limits.h"
#include "client/handle.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    QUEUE_OUT_MAX = 1000, /* messages; what is open is bounded by the window before that */
    QUEUE_IN_MAX = 64,    /* messages not yet read here; past it TCP holds the node back */
    SOCKETS_MAX = 16000,  /* libzmq's table: three a handle */
    RECONNECT_MS = 100,
    RECONNECT_MAX_MS = 2000,
    KEEPALIVE_IDLE_S = 30
};

/* One libzmq context for all handles of the process: it owns threads, a handle does not. */
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static void *shared_context;
static unsigned shared_holders, monitors_made;

static void *context_hold(unsigned *number)
{
    pthread_mutex_lock(&shared_lock);
    if (!shared_context) {
        shared_context = zmq_ctx_new();
        if (shared_context)
            zmq_ctx_set(shared_context, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
    }
    if (shared_context) {
        shared_holders++;
        *number = monitors_made++;
    }
    void *context = shared_context;
    pthread_mutex_unlock(&shared_lock);
    return context;
}

static void context_release(void)
{
    void *last = NULL;
    pthread_mutex_lock(&shared_lock);
    if (--shared_holders == 0) {
        last = shared_context;
        shared_context = NULL;
    }
    pthread_mutex_unlock(&shared_lock);
    if (last)
        zmq_ctx_term(last);
}

static int set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value);
}

static int set_sizes(void *socket)
{
    int64_t message_max = (int64_t)STATE_BYTES_CEILING + PARAMS_BYTES_MAX;
    return set_int(socket, ZMQ_LINGER, 0) || set_int(socket, ZMQ_IMMEDIATE, 1) ||
           set_int(socket, ZMQ_SNDHWM, QUEUE_OUT_MAX) ||
           set_int(socket, ZMQ_RCVHWM, QUEUE_IN_MAX) ||
           set_int(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS) ||
           set_int(socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS) ||
           set_int(socket, ZMQ_TCP_KEEPALIVE, 1) ||
           set_int(socket, ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_IDLE_S) ||
           set_int(socket, ZMQ_IPV6, 1) ||
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &message_max, sizeof message_max);
}

static int set_curve(void *socket, const struct link_options *options, struct reason *why)
{
    uint8_t server[32];
    char public_key[41], secret_key[41];
    int rc = curve_key_parse(options->server_key, server);
    if (rc)
        return fail(
            why, rc,
            "the server key is neither a CURVE public key (Z85, base58) nor a file with one");
    if (options->client_key_file)
        rc = curve_load(options->client_key_file, public_key, secret_key, why);
    else if (zmq_curve_keypair(public_key, secret_key))
        rc = fail(why, ERR_INTERNAL, "libzmq was built without CURVE");
    if (!rc && (zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server, sizeof server) ||
                zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, public_key, sizeof public_key) ||
                zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret_key, sizeof secret_key)))
        rc = fail(why, ERR_BAD_REQUEST, "the CURVE keys cannot be used: %s", zmq_strerror(errno));
    memset(secret_key, 0, sizeof secret_key);
    __asm__ volatile("" : : "r"(secret_key) : "memory"); /* keeps the wipe */
    return rc;
}

static int open_monitor(struct link *self, void *context, unsigned number)
{
    char address[64];
    snprintf(address, sizeof address, "inproc://weir-monitor-%u", number);
    int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                 ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED;
    if (zmq_socket_monitor(self->socket, address, events))
        return ERR_IO;
    self->monitor = zmq_socket(context, ZMQ_PAIR);
    /* No high-water mark: libzmq's I/O thread would block on a monitor that nobody reads. */
    if (!self->monitor || set_int(self->monitor, ZMQ_RCVHWM, 0) ||
        set_int(self->monitor, ZMQ_LINGER, 0) || zmq_connect(self->monitor, address))
        return ERR_IO;
    return 0;
}

static int watch(struct link *self, void *socket)
{
    int fd;
    size_t size = sizeof fd;
    if (zmq_getsockopt(socket, ZMQ_FD, &fd, &size))
        return ERR_IO;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? ERR_IO : 0;
}

int link_open(struct link *self, const struct link_options *options, struct reason *why)
{
    unsigned number = 0;
    *self = (struct link){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    void *context = context_hold(&number);
    if (!context)
        return fail(why, ERR_NO_MEMORY, "libzmq gives no context: %s", zmq_strerror(errno));
    self->socket = zmq_socket(context, ZMQ_DEALER);
    if (!self->socket)
        context_release();
    if (!self->socket || self->epoll_fd < 0)
        return fail(why, ERR_IO, "no socket: %s", zmq_strerror(errno));
    int rc = options->server_key ? set_curve(self->socket, options, why) : 0;
    if (rc)
        return rc;
    if (set_sizes(self->socket) || open_monitor(self, context, number) ||
        watch(self, self->socket) || watch(self, self->monitor))
        return fail(why, ERR_IO, "the socket cannot be set up: %s", zmq_strerror(errno));
    if (zmq_connect(self->socket, options->endpoint))
        return fail(why, ERR_BAD_REQUEST,
                    "%s is no endpoint (%s); it looks like tcp://HOST:PORT or ipc://PATH",
                    options->endpoint, zmq_strerror(errno));
    return 0;
}

void link_close(struct link *self)
{
    /* First of all: libzmq's I/O thread, which all handles share, would wait for ever with an event
     * for a monitor that is closed. */
    if (self->socket)
        zmq_socket_monitor(self->socket, NULL, 0);
    if (self->monitor)
        zmq_close(self->monitor);
    if (self->socket) {
        zmq_close(self->socket);
        context_release();
    }
    if (self->epoll_fd >= 0)
        close(self->epoll_fd);
    *self = (struct link){.epoll_fd = -1};
}

/* The number of an event; 0 when there is none. Its second frame, the address, is thrown away. */
static unsigned take_event(void *monitor)
{
    uint8_t bytes[6] = {0}; /* u16 event, u32 value, in the machine's own order */
    char address[512];
    uint16_t event = 0;
    if (zmq_recv(monitor, bytes, sizeof bytes, ZMQ_DONTWAIT) < 0)
        return 0;
    zmq_recv(monitor, address, sizeof address, ZMQ_DONTWAIT);
    memcpy(&event, bytes, sizeof event);
    return event;
}

static enum link_state state_after(enum link_state state, unsigned event)
{
    switch (event) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        return LINK_UP;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        return LINK_DENIED;
    case ZMQ_EVENT_DISCONNECTED:
        return state == LINK_UP ? LINK_DOWN : state;
    default: /* an attempt failed and another will follow */
        return state == LINK_CONNECTING ? LINK_REFUSED : state;
    }
}

bool link_event(struct link *self, bool *more)
{
    unsigned event = take_event(self->monitor);
    enum link_state before = self->state;
    *more = event != 0;
    if (event)
        self->state = state_after(before, event);
    return self->state != before;
}

static int send_head(struct link *self, const struct slice *head, size_t count, bool more)
{
    for (size_t i = 0; i < count; i++) {
        int flags = ZMQ_DONTWAIT | (more || i + 1 < count ? ZMQ_SNDMORE : 0);
        if (zmq_send(self->socket, head[i].data, head[i].size, flags) < 0)
            return ERR_AGAIN;
    }
    return 0;
}

int link_send(struct link *self, const struct slice *head, size_t head_count, zmq_msg_t *rest,
              size_t rest_count)
{
    /* Only a message's first frame can find the socket full. */
    if (send_head(self, head, head_count, rest_count > 0))
        return ERR_AGAIN;
    for (size_t i = 0; i < rest_count; i++) {
        zmq_msg_t copy; /* shares the bytes */
        zmq_msg_init(&copy);
        zmq_msg_copy(&copy, &rest[i]);
        int flags = ZMQ_DONTWAIT | (i + 1 < rest_count ? ZMQ_SNDMORE : 0);
        if (zmq_msg_send(&copy, self->socket, flags) < 0) {
            zmq_msg_close(&copy);
            return ERR_AGAIN;
        }
    }
    return 0;
}

int link_receive(struct link *self, zmq_msg_t *frames, size_t max, size_t *count)
{
    size_t n = 0;
    bool more = true;
    while (more) {
        zmq_msg_t extra, *frame = n < max ? &frames[n] : &extra;
        zmq_msg_init(frame);
        if (zmq_msg_recv(frame, self->socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(frame);
            break;
        }
        more = zmq_msg_more(frame);
        if (frame == &extra)
            zmq_msg_close(frame);
        n += n <= max;
    }
    if (n == 0)
        return ERR_AGAIN;
    *count = n;
    return 0;
}

void link_wait(struct link *self, bool out, long wait_ms)
{
    zmq_pollitem_t items[] = {{self->socket, 0, (short)(ZMQ_POLLIN | (out ? ZMQ_POLLOUT : 0)), 0},
                              {self->monitor, 0, ZMQ_POLLIN, 0}};
    zmq_poll(items, 2, wait_ms);
}

bool link_ready(struct link *self)
{
    zmq_pollitem_t items[] = {{self->socket, 0, ZMQ_POLLIN, 0}, {self->monitor, 0, ZMQ_POLLIN, 0}};
    return zmq_poll(items, 2, 0) > 0;
}
