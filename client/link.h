/* link: the DEALER socket to a node, and what its monitor tells of the connection.
 *
 *   connecting ──handshake──▶ up ──disconnected──▶ down ──handshake──▶ up
 *       └──refused──▶ refused ──handshake──▶ up
 *
 * libzmq connects again by itself. Messages queued for a connection that goes are dropped with it
 * (ZMQ_IMMEDIATE), so that what is sent again is sent once. */
#ifndef WEIR_CLIENT_LINK_H
#define WEIR_CLIENT_LINK_H

#include "base/errors.h"
#include "base/slice.h"

#include <zmq.h>

enum link_state {
    LINK_CONNECTING,
    LINK_UP,
    LINK_REFUSED, /* never up yet, and the last attempt failed */
    LINK_DENIED,  /* the node refused our key */
    LINK_DOWN     /* was up; libzmq tries again */
};

struct link {
    void *socket, *monitor;
    int epoll_fd;
    enum link_state state;
};

struct link_options {
    const char *endpoint;
    const char *server_key;      /* NULL: no CURVE */
    const char *client_key_file; /* NULL: a fresh pair */
};

/* Starts to connect. ERR_BAD_REQUEST for an endpoint or key that is none, ERR_IO, ERR_NO_MEMORY.
 * link_close must be called in either case. */
MUST_USE int link_open(struct link *self, const struct link_options *options, struct reason *why);
void link_close(struct link *self);

/* Takes one event of the monitor; true when the state changed (self->state tells). Call until
 * false and then *more is false. */
bool link_event(struct link *self, bool *more);

/* Sends the frames, of which messages keep their content. ERR_AGAIN when the socket is full. */
MUST_USE int link_send(struct link *self, const struct slice *head, size_t head_count,
                       zmq_msg_t *rest, size_t rest_count);

/* Takes a message: up to max frames into frames (initialised here), the rest is thrown away and
 * *count is max + 1. ERR_AGAIN when there is none. */
MUST_USE int link_receive(struct link *self, zmq_msg_t *frames, size_t max, size_t *count);

/* Waits for something to read, or with `out` for room to write. wait_ms -1: no limit. */
void link_wait(struct link *self, bool out, long wait_ms);

/* Is there something to read right now? */
bool link_ready(struct link *self);

#endif
