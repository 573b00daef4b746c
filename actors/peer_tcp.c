#include "actors/peer_tcp_state.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 64, OTHER_DESCRIPTORS = 160, ROOM_MIN = 16 };

/* --- accepting --------------------------------------------------------------------------- */

static void watch_listener(peer_tcp_t *self)
{
    struct epoll_event event = {.events = self->accepting && !self->paused ? EPOLLIN : 0,
                                .data.ptr = &self->listener};
    if (self->listener.fd >= 0)
        (void)epoll_ctl(self->epoll, EPOLL_CTL_MOD, self->listener.fd, &event);
}

/* Descriptors or memory ran out: those that wait, wait; this worker does not spin. */
static void pause_accepting(peer_tcp_t *self)
{
    const struct itimerspec pause = {.it_value.tv_nsec = ACCEPT_PAUSE_MS * 1000000L};
    self->paused = true;
    watch_listener(self);
    (void)timerfd_settime(self->timer, 0, &pause, NULL);
}

static void end_pause(peer_tcp_t *self)
{
    uint64_t count;
    (void)!read(self->timer, &count, sizeof count);
    self->paused = false;
    watch_listener(self);
}

static bool accept_one(peer_tcp_t *self, struct wire_event *event)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    int fd = accept4(self->listener.fd, (struct sockaddr *)&address, &size,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_accepting(self);
        else if (errno != EAGAIN)
            tcp_queue(self, &self->listener, DUE_readable); /* that one is gone; another may wait */
        return false;
    }
    struct socket *it = tcp_new_socket(self, fd, SOCKET_open);
    tcp_queue(self, &self->listener, DUE_readable);
    if (!it || !tcp_watch(self, it)) {
        if (it)
            tcp_free_socket(self, it);
        else
            close(fd);
        return false;
    }
    event->kind = WIRE_accepted;
    event->connection = it->number;
    address_text(&address, event->remote, sizeof event->remote);
    address_prefix(&address, event->prefix);
    return true;
}

static void tcp_want_accept(void *wire, bool on)
{
    peer_tcp_t *self = (peer_tcp_t *)wire;
    self->accepting = on;
    if (!on)
        tcp_unqueue(self, &self->listener);
    watch_listener(self);
}

/* --- events ------------------------------------------------------------------------------ */

static void on_epoll(peer_tcp_t *self, const struct epoll_event *event)
{
    struct socket *it = (struct socket *)event->data.ptr;
    if (it->state == SOCKET_listening)
        tcp_queue(self, it, DUE_readable);
    else if (it->state == SOCKET_connecting)
        tcp_connecting(self, it);
    else {
        if (event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR) && it->reading)
            tcp_queue(self, it, DUE_readable); /* reading tells a close from a reset */
        else if (event->events & EPOLLERR) {
            tcp_set_why(it, "reset");
            tcp_queue(self, it, DUE_reset);
        }
        if (event->events & EPOLLOUT && it->short_write)
            tcp_queue(self, it, DUE_writable);
    }
}

/* What the system has to tell, all at once, so that nothing of a socket that is closed is left. */
static bool gather(peer_tcp_t *self)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(self->epoll, events, EVENTS_AT_ONCE, 0);
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == self->names)
            tcp_take_names(self);
        else if (events[i].data.ptr == &self->timer)
            end_pause(self);
        else
            on_epoll(self, &events[i]);
    }
    return count > 0;
}

static void tell(peer_tcp_t *self, struct socket *it, struct wire_event *event)
{
    static const enum wire_event_kind kinds[] = {WIRE_connected, WIRE_readable, WIRE_writable,
                                                 WIRE_closed, WIRE_reset};
    unsigned first = it->due & -it->due;
    it->due &= ~first;
    if (it->due)
        tcp_queue(self, it, 0);
    event->kind = kinds[__builtin_ctz(first)];
    event->connection = it->number;
    if (first == DUE_writable)
        it->short_write = false;
    if (first == DUE_connected)
        address_text((const struct sockaddr_storage *)(const void *)it->tried->ai_addr,
                     event->remote, sizeof event->remote);
    if (first == DUE_closed || first == DUE_reset) {
        (void)snprintf(event->why, sizeof event->why, "%s", it->why);
        it->due = 0;
        tcp_unqueue(self, it);
    }
}

static void tcp_next(void *wire, struct wire_event *event)
{
    peer_tcp_t *self = (peer_tcp_t *)wire;
    *event = (struct wire_event){.kind = WIRE_none};
    while (event->kind == WIRE_none) {
        struct socket *it = self->queue;
        if (!it && !gather(self))
            return;
        if (!it)
            continue;
        tcp_unqueue(self, it);
        if (it->state == SOCKET_listening)
            (void)accept_one(self, event);
        else if (it->due)
            tell(self, it, event);
    }
}

/* --- bytes ------------------------------------------------------------------------------- */

static size_t tcp_read(void *wire, int connection, uint8_t *to, size_t size)
{
    peer_tcp_t *self = (peer_tcp_t *)wire;
    struct socket *it = self->sockets[connection];
    if (it->state != SOCKET_open || !it->reading)
        return 0;
    ssize_t got = recv(it->fd, to, size, MSG_DONTWAIT);
    if (got > 0)
        return (size_t)got;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got < 0 || it->was_reset) {
        tcp_set_why(it, got < 0 ? strerror(errno) : "reset");
        tcp_queue(self, it, DUE_reset);
    } else {
        tcp_set_why(it, "closed without a goodbye");
        tcp_queue(self, it, DUE_closed);
    }
    return 0;
}

static size_t tcp_write(void *wire, int connection, struct slice bytes)
{
    peer_tcp_t *self = (peer_tcp_t *)wire;
    struct socket *it = self->sockets[connection];
    if (it->state != SOCKET_open)
        return 0;
    it->short_write = true; /* before, so that no edge is missed in between */
    ssize_t sent = send(it->fd, bytes.data, bytes.size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent == (ssize_t)bytes.size)
        it->short_write = false;
    if (sent >= 0)
        return (size_t)sent;
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    it->was_reset = errno == ECONNRESET; /* reading may find a goodbye before it */
    tcp_set_why(it, strerror(errno));
    tcp_queue(self, it, it->reading ? DUE_readable : DUE_reset);
    return 0;
}

static void tcp_want_read(void *wire, int connection, bool on)
{
    peer_tcp_t *self = (peer_tcp_t *)wire;
    struct socket *it = self->sockets[connection];
    it->reading = on;
    if (on && it->state == SOCKET_open)
        tcp_queue(self, it, DUE_readable);
    else
        it->due &= ~(unsigned)DUE_readable;
}

static void tcp_close(void *wire, int connection, bool abort)
{
    peer_tcp_t *self = (peer_tcp_t *)wire;
    struct socket *it = self->sockets[connection];
    const struct linger now = {.l_onoff = 1};
    if (abort && it->fd >= 0)
        (void)setsockopt(it->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    tcp_free_socket(self, it);
}

static int tcp_descriptor(void *wire)
{
    return ((peer_tcp_t *)wire)->epoll;
}

/* --- start and end ----------------------------------------------------------------------- */

static int bind_to(const struct addrinfo *address)
{
    const int on = 1, off = 0;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int start_listening(peer_tcp_t *self, const char *text, struct reason *why)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct host_port parts;
    struct addrinfo *found = NULL;
    if (!host_port_parse(text, &parts))
        return fail(why, ERR_BAD_REQUEST, "%s: ADDRESS:PORT is wanted, [ADDRESS]:PORT for IPv6",
                    text);
    int error = getaddrinfo(parts.host, parts.port, &hints, &found);
    if (error)
        return fail(why, ERR_BAD_REQUEST, "%s: %s", text, gai_strerror(error));
    self->listener.fd = bind_to(found);
    error = errno;
    freeaddrinfo(found);
    if (self->listener.fd < 0)
        return fail(why, ERR_IO, "peers cannot be served at %s: %s; choose another --listen", text,
                    strerror(error));
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(self->listener.fd, (struct sockaddr *)&address, &size) == 0)
        address_text(&address, self->bound, sizeof self->bound);
    return 0;
}

static int watch_own(peer_tcp_t *self, int fd, void *what)
{
    struct epoll_event event = {.events = what == &self->listener ? 0 : EPOLLIN, .data.ptr = what};
    return fd < 0 ? 0 : epoll_ctl(self->epoll, EPOLL_CTL_ADD, fd, &event);
}

int peer_tcp_new(const char *listen, peer_tcp_t **tcp, struct reason *why)
{
    peer_tcp_t *self = (peer_tcp_t *)calloc(1, sizeof *self);
    if (!self)
        return fail(why, ERR_NO_MEMORY, "%s", error_text(ERR_NO_MEMORY));
    self->wire =
        (struct peer_wire){self,          tcp_dial,  tcp_next,        tcp_read,      tcp_write,
                           tcp_want_read, tcp_close, tcp_want_accept, tcp_descriptor};
    self->listener = (struct socket){.fd = -1, .state = SOCKET_listening};
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    self->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    self->names = names_new();
    int rc = 0;
    if (self->epoll < 0 || self->timer < 0 || !self->names)
        rc = fail(why, ERR_IO, "sockets: %s", strerror(errno));
    if (rc == 0 && listen)
        rc = start_listening(self, listen, why);
    if (rc == 0 && (watch_own(self, self->timer, &self->timer) ||
                    watch_own(self, names_descriptor(self->names), self->names) ||
                    watch_own(self, self->listener.fd, &self->listener)))
        rc = fail(why, ERR_IO, "sockets: %s", strerror(errno));
    if (rc) {
        peer_tcp_destroy(&self);
        return rc;
    }
    *tcp = self;
    return 0;
}

void peer_tcp_destroy(peer_tcp_t **pointer)
{
    peer_tcp_t *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    for (size_t n = 0; n < self->sockets_count; n++)
        if (self->sockets[n])
            tcp_free_socket(self, self->sockets[n]);
    free((void *)self->sockets);
    names_destroy(&self->names);
    const int fds[] = {self->listener.fd, self->timer, self->epoll};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(self);
}

const struct peer_wire *peer_tcp_wire(const peer_tcp_t *self)
{
    return &self->wire;
}

const char *peer_tcp_bound(const peer_tcp_t *self)
{
    return self->bound;
}

int peer_tcp_check_limit(struct reason *why)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= OTHER_DESCRIPTORS + ROOM_MIN)
        return 0;
    return fail(why, ERR_BUSY,
                "this process may open %llu files and sockets, and needs at least %d (ulimit -n)",
                (unsigned long long)limit.rlim_cur, OTHER_DESCRIPTORS + ROOM_MIN);
}

size_t peer_tcp_room(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        limit.rlim_cur >= CONNECTIONS_MAX + OTHER_DESCRIPTORS)
        return CONNECTIONS_MAX;
    return limit.rlim_cur < OTHER_DESCRIPTORS + ROOM_MIN
               ? ROOM_MIN /* lowered since it was checked */
               : (size_t)limit.rlim_cur - OTHER_DESCRIPTORS;
}
