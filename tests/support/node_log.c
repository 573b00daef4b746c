#include "tests/support/node_log.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PIPE_BYTES = 1 << 20, LEVEL_BYTES = 6 };

void node_log_open(struct node_log *self)
{
    int ends[2];
    *self = (struct node_log){.fd = -1};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    (void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES); /* else it has 64 KiB */
    fflush(stderr);
    self->fd = ends[0];
    self->own = dup(STDERR_FILENO);
    assert_true(self->own >= 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    (void)close(ends[1]);
}

void node_log_opened(struct node_log *self)
{
    if (self->own < 0)
        return;
    assert_true(dup2(self->own, STDERR_FILENO) >= 0);
    (void)close(self->own);
    self->own = -1;
}

void node_log_close(struct node_log *self)
{
    node_log_opened(self);
    if (self->fd >= 0)
        (void)close(self->fd);
    self->fd = -1;
}

/* A whole line that was read already. */
static bool take_line(struct node_log *self, char line[512])
{
    const char *from = self->bytes + self->taken;
    size_t left = self->size - self->taken;
    const char *end = (const char *)memchr(from, '\n', left);
    if (!end)
        return false;
    (void)snprintf(line, 512, "%.*s", (int)(end - from), from);
    self->taken += (size_t)(end - from) + 1;
    return true;
}

bool node_log_line(struct node_log *self, char line[512], int within_ms)
{
    while (!take_line(self, line)) {
        memmove(self->bytes, self->bytes + self->taken, self->size - self->taken);
        self->size -= self->taken;
        self->taken = 0;
        if (self->size == sizeof self->bytes)
            fail_msg("a line of a log has no end");
        struct pollfd wait = {.fd = self->fd, .events = POLLIN};
        if (poll(&wait, 1, within_ms) <= 0)
            return false;
        ssize_t got = read(self->fd, self->bytes + self->size, sizeof self->bytes - self->size);
        if (got <= 0)
            return false;
        self->size += (size_t)got;
    }
    return true;
}

int64_t node_log_time_ms(const char *line, const char **text)
{
    struct tm utc = {0};
    const char *rest = strptime(line, "%Y-%m-%dT%H:%M:%S", &utc);
    if (!rest || *rest != '.' || strlen(rest) < strlen(".000Z ") + LEVEL_BYTES)
        fail_msg("no line of a log: %s", line);
    *text = rest + strlen(".000Z ") + LEVEL_BYTES;
    return (int64_t)timegm(&utc) * 1000 + strtol(rest + 1, NULL, 10);
}

int64_t node_log_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
