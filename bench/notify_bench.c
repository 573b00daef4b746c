/* notify_bench: how long from an update until its subscribers have it. One publisher and many
 * subscribers, each with its own connection, in one thread; the next update goes out when all have
 * the last one. Prints `name value` lines.
 *
 *   notify_bench weir|redis PORT SUBSCRIBERS SECONDS PID [PORT]
 *
 * With a second port the subscribers are there: at another node, at a replica. */
#include "bench/common/arguments.h"
#include "bench/common/clock.h"
#include "bench/common/dialect.h"
#include "bench/common/die.h"
#include "bench/common/latencies.h"
#include "bench/common/process.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { SUBSCRIBERS_MAX = 1000, VALUE_BYTES = 1024, FIELDS = 1000, PATIENCE_MS = 10000 };

struct bench {
    const struct dialect *dialect;
    struct world world;
    struct connection publisher, subscribers[SUBSCRIBERS_MAX];
    size_t count;
    int epoll;
    size_t notified;  /* subscribers that have this update */
    unsigned replies; /* that the publisher has */
    uint64_t sent_ns;
    struct latencies notice, answer; /* until a subscriber has it; until its author is told */
};

static void add(struct bench *self, struct connection *connection, uint16_t port)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    connection_open(connection, port);
    self->dialect->greet(connection);
    if (epoll_ctl(self->epoll, EPOLL_CTL_ADD, connection->fd, &event))
        die("epoll_ctl: %s", strerror(errno));
}

static size_t notice_bytes(const struct bench *self)
{
    return self->dialect->in_order ? VALUE_BYTES : world_entry_bytes(&self->world);
}

static void on_reply(struct bench *self, const struct connection *from, const struct reply *reply,
                     uint64_t now)
{
    if (reply->type == REPLY_NOTIFY) {
        if (from == &self->publisher || reply->value.size != notice_bytes(self))
            die("a notification of %zu bytes, wanted %zu", reply->value.size, notice_bytes(self));
        self->notified++;
        latencies_add(&self->notice, now - self->sent_ns);
        return;
    }
    if (from != &self->publisher)
        die("a reply to a subscriber that asked nothing");
    if (++self->replies == self->dialect->replies(OP_PUBLISH)) {
        dialect_verify(self->dialect, &self->world, OP_PUBLISH, reply);
        latencies_add(&self->answer, now - self->sent_ns);
    } else if (reply->type == REPLY_ERROR) {
        dialect_verify(self->dialect, &self->world, OP_PUBLISH, reply);
    }
}

static void take_events(struct bench *self)
{
    struct epoll_event events[64];
    struct reply reply;
    int count = epoll_wait(self->epoll, events, 64, PATIENCE_MS);
    if (count <= 0)
        die("%zu of %zu subscribers were told in %d ms", self->notified, self->count, PATIENCE_MS);
    for (int i = 0; i < count; i++) {
        struct connection *from = events[i].data.ptr;
        if (!connection_read(from))
            continue;
        uint64_t now = now_ns();
        while (self->dialect->parse(from, &reply))
            on_reply(self, from, &reply, now);
        connection_flush(from);
    }
}

static void publish(struct bench *self)
{
    uint32_t field = (uint32_t)(random_next(&self->world.random) % FIELDS);
    self->dialect->request(&self->world, OP_PUBLISH, field, 0, &self->publisher.out);
    self->notified = 0;
    self->replies = 0;
    self->sent_ns = now_ns();
    if (!connection_flush(&self->publisher))
        die("the server does not read an update of %d bytes", VALUE_BYTES);
    while (self->notified < self->count || self->replies < self->dialect->replies(OP_PUBLISH))
        take_events(self);
}

static void set_up(struct bench *self, uint16_t port, uint16_t subscribers_port)
{
    struct reply reply;
    world_init(&self->world, FIELDS, VALUE_BYTES, 1, "bench-notify");
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (self->epoll < 0)
        die("epoll: %s", strerror(errno));
    add(self, &self->publisher, port);
    dialect_call(self->dialect, &self->publisher, &self->world, OP_CREATE_MAP, 0, &reply);
    for (size_t i = 0; i < self->count; i++) {
        add(self, &self->subscribers[i], subscribers_port);
        dialect_call(self->dialect, &self->subscribers[i], &self->world, OP_SUBSCRIBE, 0, &reply);
    }
}

static void run(struct bench *self, double seconds, pid_t pid)
{
    enum { WARM_UPDATES = 200 };
    for (int i = 0; i < WARM_UPDATES; i++)
        publish(self);
    self->notice.count = self->answer.count = 0;
    uint64_t cpu = process_cpu_ns(pid), end = now_ns() + (uint64_t)(seconds * 1e9);
    while (now_ns() < end)
        publish(self);
    cpu = process_cpu_ns(pid) - cpu;
    printf("p50_us %.1f\n", latencies_us(&self->notice, 0.5));
    printf("p99_us %.1f\n", latencies_us(&self->notice, 0.99));
    printf("answer_p50_us %.1f\n", latencies_us(&self->answer, 0.5));
    printf("updates %zu\n", self->answer.count);
    printf("cpu_us_per_op %.3f\n", (double)cpu / 1e3 / (double)self->answer.count);
}

static void tear_down(struct bench *self)
{
    connection_close(&self->publisher);
    for (size_t i = 0; i < self->count; i++)
        connection_close(&self->subscribers[i]);
    latencies_free(&self->notice);
    latencies_free(&self->answer);
    world_free(&self->world);
    close(self->epoll);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    if (argc != 6 && argc != 7)
        die("usage: notify_bench weir|redis PORT SUBSCRIBERS SECONDS PID [PORT]");
    bench.dialect = dialect_find(argv[1]);
    bench.count = argument_number(argv[3], SUBSCRIBERS_MAX);
    if (bench.count == 0)
        die("1 to %d subscribers", SUBSCRIBERS_MAX);
    set_up(&bench, (uint16_t)argument_number(argv[2], UINT16_MAX),
           (uint16_t)argument_number(argv[argc == 7 ? 6 : 2], UINT16_MAX));
    run(&bench, argument_seconds(argv[4]), (pid_t)argument_number(argv[5], INT32_MAX));
    tear_down(&bench);
    return 0;
}
