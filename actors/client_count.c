#include "actors/client_count.h"

#include "base/handover.h"
#include "base/trace.h"

#include <czmq.h>
#include <fcntl.h>
#include <stdatomic.h>

struct client_count {
    void *socket; /* of the clients */
    size_t most;
    zsock_t *events;
    zactor_t *thread;
    int nothing, spare; /* descriptors: of /dev/null; for a copy of one that is turned away */
    atomic_size_t now;
    _Atomic uint64_t turned_away;
    bool told; /* the operator, of the crowd that is there now */
};

/* Is this still a connection of a client? No other socket of the node is a local one, or has the
 * endpoint's port at this end. */
static bool is_client(int fd, const char *endpoint)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        struct sockaddr_storage room;
    } own = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t size = sizeof own;
    const char *port = strrchr(endpoint, ':');
    if (getsockname(fd, &own.any, &size) != 0)
        return false;
    if (own.any.sa_family == AF_UNIX)
        return true;
    in_port_t bound = own.any.sa_family == AF_INET6 ? own.six.sin6_port : own.four.sin_port;
    return port && ntohs(bound) == strtoul(port + 1, NULL, 10);
}

/* Ends the connection behind a descriptor of libzmq's, which then closes it. libzmq may have done
 * so already, and the number be another file's: so what is looked at and ended is a copy, which
 * stays the same file. It takes the place of another descriptor, since there may be none left. */
static void turn_away(client_count_t *self, int fd, const char *endpoint)
{
    if (dup3(fd, self->spare, O_CLOEXEC) < 0)
        return;
    if (is_client(self->spare, endpoint) && shutdown(self->spare, SHUT_RDWR) == 0)
        atomic_fetch_add(&self->turned_away, 1);
    (void)dup3(self->nothing, self->spare, O_CLOEXEC);
    if (!self->told)
        trace(TRACE_warn, "clients have %zu connections: more are turned away", self->most);
    self->told = true;
}

static void on_accepted(client_count_t *self, int fd, const char *endpoint)
{
    if (atomic_fetch_add(&self->now, 1) >= self->most)
        turn_away(self, fd, endpoint);
}

static void on_disconnected(client_count_t *self)
{
    if (atomic_fetch_sub(&self->now, 1) <= self->most / 2)
        self->told = false;
}

/* Takes one event: a frame with what happened (u16) and the descriptor (i32), and one with the
 * endpoint. */
static void take_event(client_count_t *self)
{
    uint8_t event[6] = {0};
    uint16_t kind;
    int32_t fd;
    char endpoint[256] = "";
    zmq_msg_t frame;
    bool more = true;
    for (int i = 0; more; i++) {
        zmq_msg_init(&frame);
        int size = zmq_msg_recv(&frame, zsock_resolve(self->events), 0);
        if (i == 0 && size >= (int)sizeof event)
            memcpy(event, zmq_msg_data(&frame), sizeof event);
        else if (i == 1 && size > 0)
            (void)snprintf(endpoint, sizeof endpoint, "%.*s", size,
                           (const char *)zmq_msg_data(&frame));
        more = zmq_msg_more(&frame);
        zmq_msg_close(&frame);
    }
    memcpy(&kind, event, sizeof kind);
    memcpy(&fd, event + sizeof kind, sizeof fd);
    if (kind == ZMQ_EVENT_ACCEPTED)
        on_accepted(self, fd, endpoint);
    else if (kind == ZMQ_EVENT_DISCONNECTED)
        on_disconnected(self);
}

static void run(zsock_t *pipe, void *args)
{
    client_count_t *self = (client_count_t *)args;
    TAKEN_OVER(self);
    pthread_setname_np(pthread_self(), "client_count");
    zpoller_t *poller = zpoller_new(pipe, self->events, NULL);
    zpoller_set_nonstop(poller, true); /* signals are main's */
    zsock_signal(pipe, 0);
    while (zpoller_wait(poller, -1) == self->events)
        take_event(self);
    zpoller_destroy(&poller);
    HANDED_OVER(self);
}

int client_count_new(void *socket, size_t most, client_count_t **count, struct reason *why)
{
    char endpoint[80];
    client_count_t *self = (client_count_t *)zmalloc(sizeof *self);
    self->most = most;
    self->nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    self->spare = fcntl(self->nothing, F_DUPFD_CLOEXEC, 0);
    (void)snprintf(endpoint, sizeof endpoint, "inproc://weir-clients-%p", (void *)self);
    self->socket = socket;
    self->events = zsock_new(ZMQ_PAIR);
    zsock_set_unbounded(self->events); /* libzmq's thread never waits */
    zsock_set_linger(self->events, 0);
    bool whole =
        self->spare >= 0 &&
        zmq_socket_monitor(socket, endpoint, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED) == 0 &&
        zsock_connect(self->events, "%s", endpoint) == 0;
    HANDED_OVER(self);
    if (whole)
        self->thread = zactor_new(run, self);
    if (!self->thread) {
        client_count_destroy(&self);
        return fail(why, ERR_IO, "clients cannot be counted: %s", zmq_strerror(errno));
    }
    *count = self;
    return 0;
}

void client_count_destroy(client_count_t **pointer)
{
    client_count_t *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    (void)zmq_socket_monitor(self->socket, NULL, 0); /* first: nothing is told any more */
    zactor_destroy(&self->thread);
    TAKEN_OVER(self);
    zsock_destroy(&self->events);
    (void)close(self->spare);
    (void)close(self->nothing);
    free(self);
}

size_t client_count_now(const client_count_t *self)
{
    return atomic_load(&self->now);
}

uint64_t client_count_turned_away(const client_count_t *self)
{
    return atomic_load(&self->turned_away);
}
