#include "actors/runner.h"

#include "base/handover.h"

#include <assert.h>
#include <czmq.h>
#include <poll.h>

const enum worker_id placement[ACTOR_COUNT] = {
    [ACTOR_client_api] = WORKER_front, [ACTOR_put] = WORKER_front,
    [ACTOR_get] = WORKER_front,        [ACTOR_update] = WORKER_front,
    [ACTOR_subscribe] = WORKER_front,  [ACTOR_hosting] = WORKER_front,
    [ACTOR_sync] = WORKER_front,       [ACTOR_storage] = WORKER_front,
    [ACTOR_connections] = WORKER_net,  [ACTOR_transport] = WORKER_net,
    [ACTOR_journal] = WORKER_journal,  [ACTOR_checkpoint] = WORKER_checkpoint,
    [ACTOR_keeper] = WORKER_keeper,
};

static const char *const worker_names[WORKER_COUNT] = {
#define W(worker) #worker,
    WORKERS(W)
#undef W
};

struct worker {
    enum worker_id id;
    zactor_t *thread;
    zsock_t *inbox;                /* PULL */
    zsock_t *others[WORKER_COUNT]; /* PUSH to each other worker's inbox */
    struct mail chains[WORKER_COUNT];
    struct mail queue;
    struct outbox outbox;
    struct hosted actors[ACTOR_COUNT]; /* those placed here; spec NULL elsewhere */
    struct hosted edge;                /* the one actor with a descriptor of its own, if any */
    int pipe_fd, inbox_fd, edge_fd;    /* poll beside each other; edge_fd -1: none */
    bool terminated;
};

struct runner {
    struct worker workers[WORKER_COUNT];
};

struct now runner_now(void)
{
    struct timespec mono, wall;
    (void)clock_gettime(CLOCK_MONOTONIC, &mono);
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    return (struct now){
        .ms = (uint64_t)mono.tv_sec * 1000 + (uint64_t)mono.tv_nsec / 1000000,
        .wall_ms = (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000,
        .us = (uint64_t)mono.tv_sec * 1000000 + (uint64_t)mono.tv_nsec / 1000,
    };
}

/* --- a turn ------------------------------------------------------------------------------ */

/* What an actor put in its outbox goes to the queue here or to a chain for another worker. */
static void sort_outbox(struct worker *self)
{
    for (struct message *m = mail_pop(&self->outbox.mail); m; m = mail_pop(&self->outbox.mail)) {
        enum worker_id to = placement[m->to];
        mail_push(to == self->id ? &self->queue : &self->chains[to], m);
    }
}

static void handle_queue(struct worker *self, struct now now)
{
    for (struct message *m = mail_pop(&self->queue); m; m = mail_pop(&self->queue)) {
        const struct hosted *actor = &self->actors[m->to];
        self->outbox.from = actor->spec->id;
        actor->spec->receive(actor->self, m, now, &self->outbox);
        sort_outbox(self);
    }
}

static void send_chains(struct worker *self)
{
    for (int w = 0; w < WORKER_COUNT; w++) {
        struct message *first = self->chains[w].first;
        if (!first)
            continue;
        self->chains[w] = (struct mail){0};
        HANDED_OVER(first);
        /* a full queue cannot be (no mark); anything else is our own mistake */
        int rc = zmq_send(zsock_resolve(self->others[w]), &first, sizeof first, ZMQ_DONTWAIT);
        assert(rc == (int)sizeof first);
        (void)rc;
    }
}

/* Takes one chain out of the inbox. */
static bool take_mail(struct worker *self)
{
    struct message *first;
    int rc = zmq_recv(zsock_resolve(self->inbox), &first, sizeof first, ZMQ_DONTWAIT);
    if (rc != (int)sizeof first)
        return false;
    TAKEN_OVER(first);
    for (struct message *m = first, *next; m; m = next) {
        next = m->next;
        mail_push(&self->queue, m);
    }
    return true;
}

static bool pump_edge(struct worker *self, struct now now)
{
    const struct actor_spec *spec = self->edge.spec;
    if (!spec || !spec->wants_input(self->edge.self))
        return false;
    self->outbox.from = spec->id;
    bool took = spec->pump(self->edge.self, now, &self->outbox);
    sort_outbox(self);
    return took;
}

static uint64_t next_deadline(const struct worker *self)
{
    uint64_t next = NEVER;
    for (int a = 0; a < ACTOR_COUNT; a++) {
        const struct hosted *actor = &self->actors[a];
        if (!actor->spec || !actor->spec->deadline_ms)
            continue;
        uint64_t deadline = actor->spec->deadline_ms(actor->self);
        next = deadline < next ? deadline : next;
    }
    return next;
}

static bool tick_due(struct worker *self, struct now now)
{
    bool ticked = false;
    for (int a = 0; a < ACTOR_COUNT; a++) {
        const struct hosted *actor = &self->actors[a];
        if (!actor->spec || !actor->spec->tick || actor->spec->deadline_ms(actor->self) > now.ms)
            continue;
        self->outbox.from = actor->spec->id;
        actor->spec->tick(actor->self, now, &self->outbox);
        sort_outbox(self);
        ticked = true;
    }
    return ticked;
}

static void end_turn(struct worker *self, struct now now)
{
    for (int a = 0; a < ACTOR_COUNT; a++) {
        const struct hosted *actor = &self->actors[a];
        if (!actor->spec || !actor->spec->turn_end)
            continue;
        self->outbox.from = actor->spec->id;
        actor->spec->turn_end(actor->self, now, &self->outbox);
        sort_outbox(self);
    }
    handle_queue(self, now);
    send_chains(self);
}

/* Returns false when there was nothing to do. */
static bool turn(struct worker *self)
{
    struct now now = runner_now();
    bool busy = false;
    while (take_mail(self))
        busy = true;
    handle_queue(self, now);
    busy |= pump_edge(self, now);
    handle_queue(self, now);
    busy |= tick_due(self, now);
    handle_queue(self, now);
    if (busy)
        end_turn(self, now);
    return busy;
}

/* --- waiting ----------------------------------------------------------------------------- */

static int descriptor_of(void *socket)
{
    int fd = -1;
    size_t size = sizeof fd;
    int rc = zmq_getsockopt(socket, ZMQ_FD, &fd, &size);
    assert(rc == 0);
    (void)rc;
    return fd;
}

static void hear_the_end(struct worker *self, zsock_t *pipe)
{
    if (!(zsock_events(pipe) & ZMQ_POLLIN))
        return;
    char *command = zstr_recv(pipe);
    self->terminated = !command || streq(command, "$TERM");
    zstr_free(&command);
}

/* Blocks for mail, the edge's descriptor, a deadline, or the end. To be called after a turn that
 * found nothing: a ZeroMQ descriptor tells of what comes after its socket was last found empty.
 * (zmq_poll would ask each socket three times over; that was a tenth of an update's CPU.) */
static void wait_for_work(struct worker *self, zsock_t *pipe, int timeout_ms)
{
    struct pollfd fds[] = {
        {.fd = self->pipe_fd, .events = POLLIN},
        {.fd = self->inbox_fd, .events = POLLIN},
        {.fd = self->edge_fd, .events = POLLIN},
    };
    if (self->edge_fd >= 0 && !self->edge.spec->wants_input(self->edge.self))
        fds[2].fd = -1; /* left out by poll */
    if (poll(fds, 3, timeout_ms) > 0 && fds[0].revents)
        hear_the_end(self, pipe);
}

static int wait_ms(const struct worker *self)
{
    uint64_t deadline = next_deadline(self), now = runner_now().ms;
    if (deadline <= now)
        return 0;
    return deadline - now < 1000000 ? (int)(deadline - now) : -1;
}

static void run(zsock_t *pipe, void *args)
{
    struct worker *self = (struct worker *)args;
    uint64_t looked_ms = 0;
    TAKEN_OVER(self);
    pthread_setname_np(pthread_self(), worker_names[self->id]);
    self->pipe_fd = descriptor_of(zsock_resolve(pipe));
    self->inbox_fd = descriptor_of(zsock_resolve(self->inbox));
    self->edge_fd = self->edge.spec ? self->edge.spec->descriptor(self->edge.self) : -1;
    hear_the_end(self, pipe); /* from here on the pipe's descriptor tells of what comes */
    zsock_signal(pipe, 0);
    while (!self->terminated) {
        if (!turn(self)) {
            wait_for_work(self, pipe, wait_ms(self));
        } else if (runner_now().ms - looked_ms > 50) { /* busy: still hear the end */
            looked_ms = runner_now().ms;
            wait_for_work(self, pipe, 0);
        }
    }
    HANDED_OVER(self);
}

/* --- start and stop ---------------------------------------------------------------------- */

static void place(struct worker *self, const struct hosted hosted[ACTOR_COUNT])
{
    for (int a = 0; a < ACTOR_COUNT; a++) {
        if (placement[a] != self->id || !hosted[a].spec)
            continue;
        self->actors[a] = hosted[a];
        if (hosted[a].spec->descriptor)
            self->edge = hosted[a];
    }
}

static zsock_t *inproc_socket(int type, const char *endpoint)
{
    zsock_t *socket = zsock_new(type);
    zsock_set_unbounded(socket);
    zsock_set_linger(socket, 0);
    int rc = type == ZMQ_PULL ? zsock_bind(socket, "%s", endpoint)
                              : zsock_connect(socket, "%s", endpoint);
    assert(rc >= 0);
    (void)rc;
    return socket;
}

static void connect_all(struct runner *self)
{
    char endpoint[80];
    for (int w = 0; w < WORKER_COUNT; w++) {
        (void)snprintf(endpoint, sizeof endpoint, "inproc://weir-%p-%s", (void *)self,
                       worker_names[w]);
        self->workers[w].inbox = inproc_socket(ZMQ_PULL, endpoint);
        for (int other = 0; other < WORKER_COUNT; other++)
            if (other != w)
                self->workers[other].others[w] = inproc_socket(ZMQ_PUSH, endpoint);
    }
}

runner_t *runner_start(const struct hosted hosted[ACTOR_COUNT])
{
    runner_t *self = (runner_t *)zmalloc(sizeof *self);
    connect_all(self);
    for (int w = 0; w < WORKER_COUNT; w++) {
        self->workers[w].id = (enum worker_id)w;
        place(&self->workers[w], hosted);
    }
    for (int w = WORKER_COUNT; w-- > 0;) { /* front last: all that it talks to runs */
        HANDED_OVER(&self->workers[w]);
        self->workers[w].thread = zactor_new(run, &self->workers[w]);
        if (!self->workers[w].thread) {
            runner_stop(&self);
            return NULL;
        }
    }
    return self;
}

void runner_stop(runner_t **pointer)
{
    runner_t *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    for (int w = 0; w < WORKER_COUNT; w++) {
        zactor_destroy(&self->workers[w].thread); /* $TERM, and waits for the thread */
        TAKEN_OVER(&self->workers[w]);
    }
    for (int w = 0; w < WORKER_COUNT; w++) {
        struct worker *worker = &self->workers[w];
        while (take_mail(worker))
            ;
        mail_free(&worker->queue);
        for (int other = 0; other < WORKER_COUNT; other++) {
            mail_free(&worker->chains[other]);
            zsock_destroy(&worker->others[other]);
        }
    }
    for (int w = 0; w < WORKER_COUNT; w++)
        zsock_destroy(&self->workers[w].inbox);
    free(self);
}
