/* echo: the limit of the socket: a bare libzmq ROUTER that answers each request with frames of the
 * shape of weir's reply to a GET, the same bytes each time, and does nothing else. One I/O thread,
 * as the node has. The map entry in it is of the size that the generator's GET expects.
 *
 *   echo PORT STATE_BYTES        prints `ready`; runs until SIGTERM */
#include "base/limits.h"
#include "bench/common/arguments.h"
#include "bench/common/die.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { REQUEST_FRAMES_MAX = 8, FINGERPRINT_BYTES = 32, COPIED_BYTES_MAX = 64 << 10 };

struct echo {
    void *socket;
    char *state;
    size_t state_bytes;
};

static void send_copy(void *socket, const void *data, size_t size, int flags)
{
    if (zmq_send(socket, data, size, flags) < 0)
        die("send: %s", zmq_strerror(zmq_errno()));
}

static void keep(void *data, void *hint)
{
    (void)data;
    (void)hint;
}

/* A large state is lent to libzmq, as a server that knows its craft does it. */
static void send_state(struct echo *self)
{
    zmq_msg_t message;
    if (self->state_bytes <= COPIED_BYTES_MAX) {
        send_copy(self->socket, self->state, self->state_bytes, ZMQ_SNDMORE);
        return;
    }
    if (zmq_msg_init_data(&message, self->state, self->state_bytes, keep, NULL) ||
        zmq_msg_send(&message, self->socket, ZMQ_SNDMORE) < 0)
        die("send: %s", zmq_strerror(zmq_errno()));
}

/* identity · WEIR1 · id go back as they came; then OK · kind · params · state · fingerprint. */
static void answer(struct echo *self, zmq_msg_t *frames)
{
    static const char params[] = "\4name\0\0\0\12bench-1234", fingerprint[FINGERPRINT_BYTES];
    for (int i = 0; i < 3; i++)
        if (zmq_msg_send(&frames[i], self->socket, ZMQ_SNDMORE) < 0)
            die("send: %s", zmq_strerror(zmq_errno()));
    send_copy(self->socket, "OK", 2, ZMQ_SNDMORE);
    send_copy(self->socket, "map", 3, ZMQ_SNDMORE);
    send_copy(self->socket, params, sizeof params - 1, ZMQ_SNDMORE);
    send_state(self);
    send_copy(self->socket, fingerprint, sizeof fingerprint, 0);
}

static void serve(struct echo *self)
{
    zmq_msg_t frames[REQUEST_FRAMES_MAX];
    for (;;) {
        int count = 0, more = 1;
        while (more) {
            if (count == REQUEST_FRAMES_MAX)
                die("a request of more than %d frames", REQUEST_FRAMES_MAX);
            zmq_msg_init(&frames[count]);
            if (zmq_msg_recv(&frames[count], self->socket, 0) < 0)
                die("receive: %s", zmq_strerror(zmq_errno()));
            more = zmq_msg_more(&frames[count++]);
        }
        if (count < 4)
            die("a request of %d frames", count);
        answer(self, frames);
        for (int i = 0; i < count; i++)
            zmq_msg_close(&frames[i]);
    }
}

static void on_term(int signal)
{
    (void)signal;
    _Exit(0);
}

int main(int argc, char **argv)
{
    char endpoint[64];
    if (argc != 3)
        die("usage: echo PORT STATE_BYTES");
    struct echo echo = {.state_bytes = argument_number(argv[2], STATE_BYTES_CEILING)};
    signal(SIGTERM, on_term);
    void *context = zmq_ctx_new();
    echo.socket = context ? zmq_socket(context, ZMQ_ROUTER) : NULL;
    echo.state = malloc(echo.state_bytes);
    if (!echo.socket || !echo.state)
        die("no memory");
    memset(echo.state, 'e', echo.state_bytes);
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%s", argv[1]);
    if (zmq_bind(echo.socket, endpoint))
        die("bind %s: %s", endpoint, zmq_strerror(zmq_errno()));
    puts("ready");
    fflush(stdout);
    serve(&echo);
}
