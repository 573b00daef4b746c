#include "tests/net/relay.h"

#include "tests/support/now.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { TURN_FRAMES = 256, FRAME_BYTES_MAX = SPACE_HEADER + SPACE_MTU, ADDRESS_LAST = 33 };

struct frame {
    STAILQ_ENTRY(frame) next;
    uint64_t due_us;
    size_t size;
    uint8_t bytes[];
};

struct way {
    struct line line;
    STAILQ_HEAD(frames, frame) under_way; /* in the order in which they are due */
};

struct relay {
    const struct spaces *spaces;
    struct way ways[SPACES_MAX][SPACES_MAX];
    pthread_t thread;
    pthread_mutex_t lock; /* over ways, ends */
    int wake;             /* an eventfd */
    bool ends;
};

/* --- the thread ------------------------------------------------------------------------------ */

/* Where it goes, by the last number of its IPv4 address; the count of spaces when nowhere. */
static size_t where_to(const struct relay *self, const uint8_t *frame, size_t size)
{
    size_t to = size > ADDRESS_LAST ? frame[ADDRESS_LAST] - 1u : SPACES_MAX;
    return to < self->spaces->count ? to : self->spaces->count;
}

static void take(struct relay *self, size_t from, const uint8_t *bytes, size_t size)
{
    size_t to = where_to(self, bytes, size);
    uint64_t due_us;
    if (to == self->spaces->count || to == from)
        return; /* to everyone, or to outside: nobody lives there */
    struct way *way = &self->ways[from][to];
    if (!line_take(&way->line, now_us(), size, &due_us))
        return;
    struct frame *frame = (struct frame *)malloc(sizeof *frame + size);
    if (!frame)
        abort();
    frame->due_us = due_us;
    frame->size = size;
    memcpy(frame->bytes, bytes, size);
    STAILQ_INSERT_TAIL(&way->under_way, frame, next);
}

static void read_cable(struct relay *self, size_t from)
{
    uint8_t bytes[FRAME_BYTES_MAX];
    for (int i = 0; i < TURN_FRAMES; i++) {
        ssize_t size = recv(self->spaces->space[from].cable, bytes, sizeof bytes, 0);
        if (size < 0)
            return;
        take(self, from, bytes, (size_t)size);
    }
}

static void give(struct relay *self, size_t to, struct way *way)
{
    struct frame *frame = STAILQ_FIRST(&way->under_way);
    int cable = self->spaces->space[to].cable;
    STAILQ_REMOVE_HEAD(&way->under_way, next);
    if (line_gives(&way->line) && send(cable, frame->bytes, frame->size, 0) < 0)
        way->line.overflowed++;
    free(frame);
}

/* Gives what is due; returns when the next is, UINT64_MAX: nothing is under way. */
static uint64_t give_due(struct relay *self)
{
    uint64_t now = now_us(), next = UINT64_MAX;
    for (size_t from = 0; from < self->spaces->count; from++)
        for (size_t to = 0; to < self->spaces->count; to++) {
            struct way *way = &self->ways[from][to];
            const struct frame *first;
            while ((first = STAILQ_FIRST(&way->under_way)) && first->due_us <= now)
                give(self, to, way);
            if (first && first->due_us < next)
                next = first->due_us;
        }
    return next;
}

static void wait_for(const struct relay *self, struct pollfd *fds, uint64_t until_us)
{
    uint64_t now = now_us(), us = until_us > now ? until_us - now : 0;
    struct timespec wait = {.tv_sec = (time_t)(us / 1000000),
                            .tv_nsec = (long)(us % 1000000) * 1000};
    (void)ppoll(fds, self->spaces->count + 1, until_us == UINT64_MAX ? NULL : &wait, NULL);
}

static void *run(void *given)
{
    struct relay *self = (struct relay *)given;
    struct pollfd fds[SPACES_MAX + 1];
    size_t count = self->spaces->count;
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < count; i++)
        fds[i] = (struct pollfd){.fd = self->spaces->space[i].cable, .events = POLLIN};
    fds[count] = (struct pollfd){.fd = self->wake, .events = POLLIN};
    for (bool ends = false; !ends;) {
        wait_for(self, fds, next);
        pthread_mutex_lock(&self->lock);
        for (size_t i = 0; i < count; i++)
            read_cable(self, i);
        next = give_due(self);
        ends = self->ends;
        pthread_mutex_unlock(&self->lock);
    }
    return NULL;
}

/* --- its owner ------------------------------------------------------------------------------- */

relay_t *relay_new(const struct spaces *spaces, uint64_t seed)
{
    struct relay *self = (struct relay *)calloc(1, sizeof *self);
    assert_non_null(self);
    self->spaces = spaces;
    for (size_t from = 0; from < spaces->count; from++)
        for (size_t to = 0; to < spaces->count; to++) {
            line_init(&self->ways[from][to].line, seed, from * SPACES_MAX + to);
            STAILQ_INIT(&self->ways[from][to].under_way);
        }
    self->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(self->wake >= 0);
    assert_int_equal(pthread_mutex_init(&self->lock, NULL), 0);
    assert_int_equal(pthread_create(&self->thread, NULL, run, self), 0);
    return self;
}

void relay_destroy(relay_t **given)
{
    struct relay *self = *given;
    uint64_t one = 1;
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    self->ends = true;
    pthread_mutex_unlock(&self->lock);
    assert_int_equal(write(self->wake, &one, sizeof one), sizeof one);
    assert_int_equal(pthread_join(self->thread, NULL), 0);
    for (size_t from = 0; from < self->spaces->count; from++)
        for (size_t to = 0; to < self->spaces->count; to++)
            for (struct frame *f; (f = STAILQ_FIRST(&self->ways[from][to].under_way));) {
                STAILQ_REMOVE_HEAD(&self->ways[from][to].under_way, next);
                free(f);
            }
    (void)close(self->wake);
    (void)pthread_mutex_destroy(&self->lock);
    free(self);
    *given = NULL;
}

void relay_rule(relay_t *self, size_t from, size_t to, const struct line_rules *rules)
{
    pthread_mutex_lock(&self->lock);
    self->ways[from][to].line.rules = *rules;
    pthread_mutex_unlock(&self->lock);
}

void relay_rule_all(relay_t *self, const struct line_rules *rules)
{
    for (size_t from = 0; from < self->spaces->count; from++)
        for (size_t to = 0; to < self->spaces->count; to++)
            relay_rule(self, from, to, rules);
}

void relay_cut(relay_t *self, size_t from, size_t to, bool cut)
{
    pthread_mutex_lock(&self->lock);
    self->ways[from][to].line.rules.cut = cut;
    pthread_mutex_unlock(&self->lock);
}

void relay_cut_off(relay_t *self, unsigned set, bool one_way, bool cut)
{
    pthread_mutex_lock(&self->lock);
    for (size_t from = 0; from < self->spaces->count; from++)
        for (size_t to = 0; to < self->spaces->count; to++) {
            bool out = (set >> from & 1) && !(set >> to & 1);
            bool in = !(set >> from & 1) && (set >> to & 1);
            if (out || (in && !one_way))
                self->ways[from][to].line.rules.cut = cut;
        }
    pthread_mutex_unlock(&self->lock);
}

struct relay_counts relay_counts(relay_t *self, size_t from, size_t to)
{
    pthread_mutex_lock(&self->lock);
    const struct line *line = &self->ways[from][to].line;
    struct relay_counts counts = {line->taken, line->lost, line->cut, line->overflowed};
    pthread_mutex_unlock(&self->lock);
    return counts;
}

struct relay_counts relay_counts_all(relay_t *self)
{
    struct relay_counts all = {0};
    for (size_t from = 0; from < self->spaces->count; from++)
        for (size_t to = 0; to < self->spaces->count; to++) {
            struct relay_counts one = relay_counts(self, from, to);
            all.carried += one.carried;
            all.lost += one.lost;
            all.cut += one.cut;
            all.overflowed += one.overflowed;
        }
    return all;
}
