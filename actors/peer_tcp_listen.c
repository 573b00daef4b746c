/* The node's peer socket: listening, accepting, and pausing where descriptors ran out. */
#include "actors/peer_tcp_state.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

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

void tcp_end_pause(peer_tcp_t *self)
{
    uint64_t count;
    (void)!read(self->timer, &count, sizeof count);
    self->paused = false;
    watch_listener(self);
}

void tcp_accept(peer_tcp_t *self, struct wire_event *event)
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
        return;
    }
    struct socket *it = tcp_new_socket(self, fd, SOCKET_open);
    tcp_queue(self, &self->listener, DUE_readable);
    if (!it || !tcp_watch(self, it)) {
        if (it)
            tcp_free_socket(self, it);
        else
            close(fd);
        return;
    }
    event->kind = WIRE_accepted;
    event->connection = it->number;
    address_text(&address, event->remote, sizeof event->remote);
    address_prefix(&address, event->prefix);
}

void tcp_want_accept(void *wire, bool on)
{
    peer_tcp_t *self = (peer_tcp_t *)wire;
    self->accepting = on;
    if (!on)
        tcp_unqueue(self, &self->listener);
    watch_listener(self);
}

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

/* *found is for freeaddrinfo. */
static int resolve(const char *text, struct addrinfo **found, struct reason *why)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct host_port parts;
    if (!host_port_parse(text, &parts))
        return fail(why, ERR_BAD_REQUEST,
                    "--listen %.300s: ADDRESS:PORT is wanted, [ADDRESS]:PORT for IPv6", text);
    int error = getaddrinfo(parts.host, parts.port, &hints, found);
    return error ? fail(why, ERR_BAD_REQUEST, "--listen %.300s: %s", text, gai_strerror(error)) : 0;
}

int peer_tcp_check_listen(const char *text, struct reason *why)
{
    struct addrinfo *found = NULL;
    int rc = resolve(text, &found, why);
    if (rc == 0)
        freeaddrinfo(found);
    return rc;
}

int tcp_listen(peer_tcp_t *self, const char *text, struct reason *why)
{
    struct addrinfo *found = NULL;
    int rc = resolve(text, &found, why);
    if (rc)
        return rc;
    self->listener.fd = bind_to(found);
    int error = errno;
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
