#include "bench/common/connection.h"

#include "bench/common/die.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN_BYTES_FIRST = 64 << 10 };

void connection_open(struct connection *self, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;
    *self = (struct connection){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (self->fd < 0 || connect(self->fd, (struct sockaddr *)&address, sizeof address))
        die("connect to 127.0.0.1:%u: %s", port, strerror(errno));
    if (setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) ||
        fcntl(self->fd, F_SETFL, O_NONBLOCK))
        die("socket options: %s", strerror(errno));
    self->in_capacity = IN_BYTES_FIRST;
    self->in = malloc(self->in_capacity);
    if (!self->in)
        die("no memory for a connection");
}

void connection_close(struct connection *self)
{
    close(self->fd);
    buffer_free(&self->out);
    free(self->in);
    self->in = NULL;
}

bool connection_flush(struct connection *self)
{
    while (self->sent < self->out.size) {
        ssize_t n =
            send(self->fd, self->out.data + self->sent, self->out.size - self->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n < 0)
            die("the server closed: %s", strerror(errno));
        self->sent += (size_t)n;
    }
    if (buffer_failed(&self->out))
        die("no memory for requests");
    buffer_clear(&self->out);
    self->sent = 0;
    return true;
}

/* Room for what is waited for, with what came at the front. */
static void make_room(struct connection *self)
{
    size_t pending = self->in_end - self->in_start;
    if (self->in_start) {
        memmove(self->in, self->in + self->in_start, pending);
        self->in_start = 0;
        self->in_end = pending;
    }
    size_t want = self->wanted > pending ? self->wanted : pending + 1;
    if (want <= self->in_capacity)
        return;
    self->in_capacity = want + IN_BYTES_FIRST;
    self->in = realloc(self->in, self->in_capacity);
    if (!self->in)
        die("no memory for a reply of %zu bytes", want);
}

bool connection_read(struct connection *self)
{
    if (self->in_start + self->wanted > self->in_capacity || self->in_end == self->in_capacity)
        make_room(self);
    ssize_t n = recv(self->fd, self->in + self->in_end, self->in_capacity - self->in_end, 0);
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n <= 0)
        die("the server closed the connection: %s", n ? strerror(errno) : "end of stream");
    self->in_end += (size_t)n;
    return true;
}

void connection_take(struct connection *self, size_t bytes)
{
    self->in_start += bytes;
    self->wanted = 0;
    if (self->in_start == self->in_end)
        self->in_start = self->in_end = 0;
}

void connection_wait(struct connection *self, int seconds)
{
    for (;;) {
        bool sent = connection_flush(self);
        struct pollfd poll_fd = {self->fd, (short)(POLLIN | (sent ? 0 : POLLOUT)), 0};
        if (poll(&poll_fd, 1, seconds * 1000) <= 0)
            die("no answer in %d s", seconds);
        if (poll_fd.revents & (POLLIN | POLLHUP | POLLERR) && connection_read(self))
            return;
    }
}
