#include "actors/client_count.h"

#include "base/handover.h"

#include <czmq.h>
#include <stdatomic.h>

struct client_count {
    void *socket; /* of the clients */
    zsock_t *events;
    zactor_t *thread;
    atomic_size_t now;
};

/* Takes one event: two frames, of which the first begins with what happened. */
static void take_event(client_count_t *self)
{
    uint16_t kind = 0;
    zmq_msg_t frame;
    bool more = true;
    for (int i = 0; more; i++) {
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, zsock_resolve(self->events), 0) >= (int)sizeof kind && i == 0)
            memcpy(&kind, zmq_msg_data(&frame), sizeof kind);
        more = zmq_msg_more(&frame);
        zmq_msg_close(&frame);
    }
    if (kind == ZMQ_EVENT_ACCEPTED)
        atomic_fetch_add(&self->now, 1);
    else if (kind == ZMQ_EVENT_DISCONNECTED)
        atomic_fetch_sub(&self->now, 1);
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

int client_count_new(void *socket, client_count_t **count, struct reason *why)
{
    char endpoint[80];
    client_count_t *self = (client_count_t *)zmalloc(sizeof *self);
    (void)snprintf(endpoint, sizeof endpoint, "inproc://weir-clients-%p", (void *)self);
    if (zmq_socket_monitor(socket, endpoint, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED) != 0) {
        free(self);
        return fail(why, ERR_IO, "clients cannot be counted: %s", zmq_strerror(errno));
    }
    self->socket = socket;
    self->events = zsock_new(ZMQ_PAIR);
    zsock_set_unbounded(self->events); /* libzmq's thread never waits */
    zsock_set_linger(self->events, 0);
    int rc = zsock_connect(self->events, "%s", endpoint);
    HANDED_OVER(self);
    if (rc == 0)
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
    free(self);
}

size_t client_count_now(const client_count_t *self)
{
    return atomic_load(&self->now);
}
