#include "tests/support/attackers.h"

#include "client/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { TURN_MS = 10, SLOW_MS = 1000, EVENTS = 512, NICE = 10, OTHER_DESCRIPTORS = 64 };

struct attacker {
    int fd; /* -1: away */
    enum attacker_temper temper;
    bool connected;
    size_t said; /* slow: bytes */
    uint64_t due_ms;
};

/* In the attackers' process. */
struct attack {
    const struct attack_plan *plan;
    struct attack_counts *counts;
    struct attacker *all;
    int epoll;
    uint64_t now_ms, random;
    size_t next, left; /* whose turn it is to connect; how many may in this turn */
};

void attack_at(struct attack_plan *plan, const char *address)
{
    if (strncmp(address, "ipc://", 6) == 0) {
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        assert_true(strlen(address + 6) < sizeof to.sun_path);
        memcpy(to.sun_path, address + 6, strlen(address + 6));
        memcpy(&plan->to, &to, sizeof to);
        plan->to_size = sizeof to;
        return;
    }
    struct sockaddr_in to = {.sin_family = AF_INET};
    char host[64] = "";
    const char *from = strncmp(address, "tcp://", 6) == 0 ? address + 6 : address;
    const char *colon = strrchr(from, ':');
    assert_true(colon && (size_t)(colon - from) < sizeof host);
    memcpy(host, from, (size_t)(colon - from));
    to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    assert_int_equal(inet_pton(AF_INET, host, &to.sin_addr), 1);
    memcpy(&plan->to, &to, sizeof to);
    plan->to_size = sizeof to;
}

/* --- one --------------------------------------------------------------------------------- */

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(struct attack *self)
{
    uint64_t z = self->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Away for a while. With a reset, which leaves nothing behind in the system. */
static void leave(struct attack *self, struct attacker *one)
{
    const struct linger at_once = {.l_onoff = 1};
    (void)setsockopt(one->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    (void)close(one->fd);
    self->counts->open -= one->connected;
    *one = (struct attacker){
        .fd = -1, .temper = one->temper, .due_ms = self->now_ms + self->plan->again_ms};
}

static void say(struct attack *self, struct attacker *one, struct slice words)
{
    if (words.size && send(one->fd, words.data, words.size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return; /* it was closed: reading tells */
    self->counts->spoken += one->temper >= ATTACKER_speech;
}

static void say_one_more(struct attack *self, struct attacker *one)
{
    struct slice slow = self->plan->slow;
    size_t at = one->said < slow.size ? one->said : slow.size - 1;
    (void)send(one->fd, slow.data + at, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    one->said++;
    one->due_ms = self->now_ms + SLOW_MS;
}

static void begin(struct attack *self, struct attacker *one)
{
    uint8_t random[600];
    one->connected = true;
    self->counts->made++;
    uint64_t open = ++self->counts->open;
    if (open > self->counts->most_open)
        self->counts->most_open = open;
    switch (one->temper) {
    case ATTACKER_idle:
        break;
    case ATTACKER_slow:
        say_one_more(self, one);
        break;
    case ATTACKER_rubbish:
        for (size_t i = 0; i < sizeof random; i++)
            random[i] = (uint8_t)draw(self);
        say(self, one, slice_of(random, 2 + draw(self) % (sizeof random - 2)));
        break;
    case ATTACKER_speech:
    case ATTACKER_speech_again:
        say(self, one, self->plan->speeches[draw(self) % self->plan->speeches_count]);
        break;
    case ATTACKER_TEMPER_COUNT:
        break;
    }
}

static bool bind_anywhere(struct attack *self, int fd)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(10u << 24 | (uint32_t)(draw(self) & 0x7fffff));
    return bind(fd, (const struct sockaddr *)(const void *)&from, sizeof from) == 0;
}

static void come(struct attack *self, struct attacker *one)
{
    const struct attack_plan *plan = self->plan;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = one};
    int fd = socket(plan->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    one->fd = fd;
    bool failed = fd < 0 || (plan->from_everywhere && !bind_anywhere(self, fd)) ||
                  epoll_ctl(self->epoll, EPOLL_CTL_ADD, fd, &event) != 0;
    if (!failed && connect(fd, (const struct sockaddr *)&plan->to, plan->to_size) == 0)
        begin(self, one); /* as it is within a machine, where the other side has room */
    else if (failed || errno != EINPROGRESS) {
        self->counts->failed++;
        leave(self, one);
    }
}

/* --- all --------------------------------------------------------------------------------- */

/* Closed before it could begin, or never connected. */
static void end_early(struct attack *self, struct attacker *one)
{
    int error = 0;
    socklen_t size = sizeof error;
    (void)getsockopt(one->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    bool connected = error == ECONNRESET || error == EPIPE || error == 0;
    self->counts->made += connected;
    self->counts->closed += connected;
    self->counts->failed += !connected;
    leave(self, one);
}

static void on_event(struct attack *self, struct attacker *one, uint32_t events)
{
    uint8_t byte[256];
    if (one->fd < 0)
        return;
    if (!one->connected && events & (EPOLLERR | EPOLLHUP)) {
        end_early(self, one);
        return;
    }
    if (!one->connected && events & EPOLLOUT)
        begin(self, one);
    if (!(events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)))
        return;
    ssize_t got = recv(one->fd, byte, sizeof byte, MSG_DONTWAIT);
    while (got > 0)
        got = recv(one->fd, byte, sizeof byte, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    self->counts->closed++;
    leave(self, one);
}

static void turn(struct attack *self)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(self->epoll, events, EVENTS, TURN_MS);
    uint64_t before = self->now_ms;
    self->now_ms = monotonic_ms();
    for (int i = 0; i < count; i++)
        on_event(self, (struct attacker *)events[i].data.ptr, events[i].events);
    if (self->now_ms / TURN_MS == before / TURN_MS)
        return;
    size_t passed = (size_t)(self->now_ms / TURN_MS - before / TURN_MS);
    self->left = (passed < 10 ? passed : 10) * self->plan->a_second * TURN_MS / 1000;
    for (size_t i = 0; i < self->plan->connections; i++) {
        struct attacker *one = &self->all[(self->next + i) % self->plan->connections];
        if (one->fd >= 0 && one->connected && one->temper == ATTACKER_slow &&
            self->now_ms >= one->due_ms)
            say_one_more(self, one);
        if (one->fd >= 0 || self->now_ms < one->due_ms || !self->left)
            continue;
        come(self, one);
        self->next = (size_t)(one - self->all) + 1;
        self->left--;
    }
}

static void allow_descriptors(size_t count)
{
    struct rlimit limit;
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < count + OTHER_DESCRIPTORS)
        fail_msg("%zu connections need more descriptors than this process may have: %llu", count,
                 (unsigned long long)limit.rlim_cur);
}

/* Live peers and those who measure them come before it: what is looked for is what the node makes
 * of the attack, and not the attackers' own work. */
static void attack(const struct attack_plan *plan, struct attack_counts *counts)
{
    struct attack self = {.plan = plan, .counts = counts, .now_ms = monotonic_ms()};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    self.random = self.now_ms * 0x9e3779b97f4a7c15u;
    self.epoll = epoll_create1(EPOLL_CLOEXEC);
    self.all = (struct attacker *)calloc(plan->connections, sizeof *self.all);
    if (self.epoll < 0 || !self.all)
        _exit(1);
    for (size_t i = 0; i < plan->connections; i++)
        self.all[i] = (struct attacker){
            .fd = -1, .temper = (enum attacker_temper)(i % ATTACKER_TEMPER_COUNT)};
    for (;;)
        turn(&self);
}

void attackers_start(struct attackers *self, const struct attack_plan *plan)
{
    assert_true(plan->slow.size > 0 && plan->speeches_count > 0);
    allow_descriptors(plan->connections);
    self->counts = (struct attack_counts *)mmap(NULL, sizeof *self->counts, PROT_READ | PROT_WRITE,
                                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(self->counts != MAP_FAILED);
    fflush(NULL);
    self->pid = fork();
    assert_true(self->pid >= 0);
    if (self->pid == 0)
        attack(plan, self->counts);
}

void attackers_stop(struct attackers *self)
{
    if (self->pid <= 0)
        return;
    (void)kill(self->pid, SIGKILL);
    (void)waitpid(self->pid, NULL, 0);
    self->pid = 0;
}

void attackers_free(struct attackers *self)
{
    attackers_stop(self);
    if (self->counts)
        (void)munmap(self->counts, sizeof *self->counts);
    self->counts = NULL;
}
