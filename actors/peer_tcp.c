/* The node's wire at work: what epoll tells, bytes in and out. peer_tcp_listen.c accepts,
 * peer_tcp_dial.c dials. */
#include "actors/peer_tcp_state.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 64 };

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
            tcp_end_pause(self);
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
            tcp_accept(self, event);
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
        rc = tcp_listen(self, listen, why);
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
