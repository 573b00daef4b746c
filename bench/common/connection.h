/* connection: a non-blocking TCP socket with what is still to be sent and what came and is not yet
 * read. The same for both servers, so that the generator costs them the same. */
#ifndef WEIR_BENCH_CONNECTION_H
#define WEIR_BENCH_CONNECTION_H

#include "base/buffer.h"

struct connection {
    int fd;
    struct buffer out;
    size_t sent; /* of out */
    uint8_t *in;
    size_t in_start, in_end, in_capacity;
    size_t wanted; /* bytes of in that the reader waits for, as far as it can tell */
};

/* Connects to 127.0.0.1:port, TCP_NODELAY. Ends the program when nobody listens. */
void connection_open(struct connection *self, uint16_t port);
void connection_close(struct connection *self);

/* Sends what it can of out. True when all is sent. */
bool connection_flush(struct connection *self);

/* One read. False when there was nothing to read; ends the program when the server closed. */
bool connection_read(struct connection *self);

/* Bytes that came; valid until the next read. */
static inline struct slice connection_pending(const struct connection *self)
{
    return slice_of(self->in + self->in_start, self->in_end - self->in_start);
}

void connection_take(struct connection *self, size_t bytes);

/* Sends all of out, then waits until there is something more to read. Ends the program after
 * seconds of silence. */
void connection_wait(struct connection *self, int seconds);

#endif
