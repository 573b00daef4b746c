#include "bench/common/engine.h"

#include "bench/common/clock.h"
#include "bench/common/die.h"
#include "bench/common/process.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_A_TURN = 64, PATIENCE_S = 300, DRAIN_PATIENCE_S = 30 };

struct client {
    struct connection connection;
    struct group *group;
    uint64_t *started; /* by slot; 0: none open */
    uint32_t head;     /* in_order: requests answered */
    uint32_t waiting;  /* requests open */
    bool polls_out;
};

/* --- requests and replies -------------------------------------------------------------------- */

static void issue(struct load *self, struct client *client, uint32_t slot, uint64_t now)
{
    struct group *group = client->group;
    if (group->ends && group->made == group->ends)
        return;
    uint64_t number = group->work->sequential
                          ? group->made
                          : random_next(&self->world.random) % self->world.objects;
    group->made++;
    self->dialect->request(&self->world, group->work->op, (uint32_t)number, slot,
                           &client->connection.out);
    client->started[slot] = now;
    client->waiting++;
}

static void on_reply(struct load *self, struct client *client, const struct reply *reply,
                     uint64_t now)
{
    struct group *group = client->group;
    dialect_verify(self->dialect, &self->world, group->work->op, reply);
    uint32_t slot = self->dialect->in_order ? client->head++ % group->open : reply->slot;
    if (slot >= group->open || client->started[slot] == 0)
        die("a reply to a request that was not made");
    group->done++;
    client->waiting--;
    if (self->counts) {
        group->counted++;
        group->early += (double)(now - self->begin_ns) < self->first_s * 1e9;
        latencies_add(&group->latencies, now - client->started[slot]);
    }
    client->started[slot] = 0;
    if (self->issues)
        issue(self, client, slot, now);
}

/* Listens for room to send only while there is none. */
static void poll_out(struct load *self, struct client *client, bool on)
{
    struct epoll_event event = {.events = EPOLLIN | (on ? (uint32_t)EPOLLOUT : 0u),
                                .data.ptr = client};
    if (client->polls_out != on &&
        epoll_ctl(self->epoll, EPOLL_CTL_MOD, client->connection.fd, &event))
        die("epoll_ctl: %s", strerror(errno));
    client->polls_out = on;
}

static void on_event(struct load *self, struct client *client, uint32_t events)
{
    struct reply reply;
    if (events & ~(uint32_t)EPOLLOUT && connection_read(&client->connection)) {
        uint64_t now = now_ns();
        while (self->dialect->parse(&client->connection, &reply))
            on_reply(self, client, &reply, now);
    }
    poll_out(self, client, !connection_flush(&client->connection));
}

static void take_events(struct load *self)
{
    struct epoll_event events[EVENTS_A_TURN];
    int count = epoll_wait(self->epoll, events, EVENTS_A_TURN, 100);
    if (count < 0 && errno != EINTR)
        die("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++)
        on_event(self, events[i].data.ptr, events[i].events);
}

/* --- a run ----------------------------------------------------------------------------------- */

static void open_client(struct load *self, struct client *client, struct group *group)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    client->group = group;
    client->started = calloc(group->open, sizeof *client->started);
    if (!client->started)
        die("no memory for a client");
    connection_open(&client->connection, self->port);
    self->dialect->greet(&client->connection);
    if (epoll_ctl(self->epoll, EPOLL_CTL_ADD, client->connection.fd, &event))
        die("epoll_ctl: %s", strerror(errno));
}

static void open_clients(struct load *self)
{
    self->client_count = 0;
    for (size_t g = 0; g < self->group_count; g++)
        self->client_count += self->groups[g].clients;
    if (self->client_count == 0)
        die("a run without clients");
    self->clients = calloc(self->client_count, sizeof *self->clients);
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!self->clients || self->epoll < 0)
        die("no memory for %zu clients", self->client_count);
    struct client *client = self->clients;
    for (size_t g = 0; g < self->group_count; g++) {
        self->ends = self->ends || self->groups[g].ends;
        for (uint32_t c = 0; c < self->groups[g].clients; c++)
            open_client(self, client++, &self->groups[g]);
    }
}

static void first_requests(struct load *self)
{
    self->issues = true;
    for (size_t c = 0; c < self->client_count; c++) {
        struct client *client = &self->clients[c];
        for (uint32_t slot = 0; slot < client->group->open; slot++)
            issue(self, client, slot, now_ns());
        poll_out(self, client, !connection_flush(&client->connection));
    }
}

/* Have the groups that have an end come to it? */
static bool all_done(const struct load *self)
{
    for (size_t g = 0; g < self->group_count; g++)
        if (self->groups[g].done < self->groups[g].ends)
            return false;
    return true;
}

static void begin_counting(struct load *self)
{
    self->counts = true;
    self->begin_ns = now_ns();
    self->server_cpu_ns = process_cpu_ns(self->pid);
    self->own_cpu_ns = process_cpu_ns(getpid());
}

static void end_counting(struct load *self)
{
    self->counts = false;
    self->end_ns = now_ns();
    self->server_cpu_ns = process_cpu_ns(self->pid) - self->server_cpu_ns;
    self->own_cpu_ns = process_cpu_ns(getpid()) - self->own_cpu_ns;
}

static void drain(struct load *self)
{
    uint64_t until = now_ns() + DRAIN_PATIENCE_S * 1000000000ull;
    self->issues = false;
    for (size_t c = 0; c < self->client_count; c++)
        while (self->clients[c].waiting) {
            take_events(self);
            if (now_ns() > until)
                die("%" PRIu32 " requests were never answered", self->clients[c].waiting);
        }
}

void engine_run(struct load *self)
{
    open_clients(self);
    uint64_t start = now_ns();
    uint64_t begin = start + (uint64_t)(self->ends ? 0 : self->warm_s * 1e9);
    uint64_t end =
        self->ends ? start + PATIENCE_S * 1000000000ull : begin + (uint64_t)(self->run_s * 1e9);
    if (self->ends)
        begin_counting(self);
    first_requests(self);
    for (uint64_t now = start; now < end && !(self->ends && all_done(self)); now = now_ns()) {
        if (!self->counts && now >= begin)
            begin_counting(self);
        take_events(self);
    }
    end_counting(self);
    if (self->ends && !all_done(self))
        die("not done after %d s", PATIENCE_S);
    drain(self);
}

void engine_free(struct load *self)
{
    for (size_t c = 0; c < self->client_count; c++) {
        connection_close(&self->clients[c].connection);
        free(self->clients[c].started);
    }
    for (size_t g = 0; g < self->group_count; g++)
        latencies_free(&self->groups[g].latencies);
    free(self->clients);
    close(self->epoll);
}
