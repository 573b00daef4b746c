/* The table of sockets, and dialling: addresses of a name are tried one after the other. */
#include "actors/peer_tcp_state.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utlist.h>

/* --- sockets ----------------------------------------------------------------------------- */

void tcp_queue(peer_tcp_t *self, struct socket *it, unsigned due)
{
    it->due |= due;
    if (it->queued)
        return;
    it->queued = true;
    DL_APPEND(self->queue, it);
}

void tcp_unqueue(peer_tcp_t *self, struct socket *it)
{
    if (it->queued)
        DL_DELETE(self->queue, it);
    it->queued = false;
}

struct socket *tcp_new_socket(peer_tcp_t *self, int fd, enum socket_state state)
{
    size_t n = 0;
    while (n < self->sockets_count && self->sockets[n])
        n++;
    if (n == self->sockets_count) {
        size_t wanted = n ? 2 * n : 64;
        struct socket **grown =
            (struct socket **)realloc((void *)self->sockets, wanted * sizeof *grown);
        if (!grown)
            return NULL;
        for (size_t i = n; i < wanted; i++)
            grown[i] = NULL;
        self->sockets = grown;
        self->sockets_count = wanted;
    }
    struct socket *it = (struct socket *)calloc(1, sizeof *it);
    if (!it)
        return NULL;
    it->fd = fd;
    it->number = (int)n;
    it->state = state;
    it->reading = true;
    return self->sockets[n] = it;
}

void tcp_free_socket(peer_tcp_t *self, struct socket *it)
{
    tcp_unqueue(self, it);
    if (it->fd >= 0)
        close(it->fd);
    if (it->addresses)
        freeaddrinfo(it->addresses);
    self->sockets[it->number] = NULL;
    free(it);
}

bool tcp_watch(peer_tcp_t *self, struct socket *it)
{
    const int on = 1, unsent = PEER_UNSENT_BYTES;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = it};
    (void)setsockopt(it->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(it->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    return epoll_ctl(self->epoll, EPOLL_CTL_ADD, it->fd, &event) == 0;
}

void tcp_set_why(struct socket *it, const char *why)
{
    (void)snprintf(it->why, sizeof it->why, "%s", why);
}

/* --- dialling ---------------------------------------------------------------------------- */

/* The next of its addresses that a connection can be begun to; without one it is closed. */
static void try_next(peer_tcp_t *self, struct socket *it)
{
    if (it->fd >= 0)
        close(it->fd);
    it->fd = -1;
    it->state = SOCKET_connecting;
    while (it->fd < 0) {
        it->tried = it->tried ? it->tried->ai_next : it->addresses;
        if (!it->tried) {
            tcp_queue(self, it, DUE_closed);
            return;
        }
        it->fd = socket(it->tried->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (it->fd >= 0 && tcp_watch(self, it) &&
            (connect(it->fd, it->tried->ai_addr, it->tried->ai_addrlen) == 0 ||
             errno == EINPROGRESS))
            return;
        tcp_set_why(it, strerror(errno));
        if (it->fd >= 0)
            close(it->fd);
        it->fd = -1;
    }
}

int tcp_dial(void *wire, const char *address)
{
    peer_tcp_t *self = (peer_tcp_t *)wire;
    struct host_port parts;
    if (!host_port_parse(address, &parts) || strcmp(parts.port, "0") == 0)
        return ERR_BAD_REQUEST;
    struct socket *it = tcp_new_socket(self, -1, SOCKET_resolving);
    if (!it)
        return ERR_NO_MEMORY;
    if (names_numeric(&parts, &it->addresses) == 0) {
        try_next(self, it);
        return it->number;
    }
    it->tag = ++self->next_tag;
    int rc = names_ask(self->names, it->tag, &parts);
    if (rc) {
        tcp_free_socket(self, it);
        return rc;
    }
    return it->number;
}

void tcp_take_names(peer_tcp_t *self)
{
    struct addrinfo *found;
    uint64_t tag;
    int error;
    while (names_take(self->names, &tag, &found, &error)) {
        struct socket *it = NULL;
        for (size_t n = 0; n < self->sockets_count && !it; n++)
            if (self->sockets[n] && self->sockets[n]->tag == tag)
                it = self->sockets[n];
        if (!it) { /* closed meanwhile */
            if (found)
                freeaddrinfo(found);
            continue;
        }
        it->tag = 0;
        it->addresses = found;
        if (!found)
            tcp_set_why(it, gai_strerror(error));
        try_next(self, it);
    }
}

void tcp_connecting(peer_tcp_t *self, struct socket *it)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(it->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error) {
        tcp_set_why(it, strerror(error));
        try_next(self, it);
        return;
    }
    it->state = SOCKET_open;
    tcp_queue(self, it, DUE_connected | DUE_readable);
}
