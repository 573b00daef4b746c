#include "tests/support/decoy.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void serve(int listener)
{
    const struct linger at_once = {.l_onoff = 1};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        (void)close(fd);
    }
}

void decoy_start(struct decoy *self)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
    } own = {.four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof own;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, &own.any, size), 0);
    assert_int_equal(listen(listener, SOMAXCONN), 0);
    assert_int_equal(getsockname(listener, &own.any, &size), 0);
    (void)snprintf(self->address, sizeof self->address, "127.0.0.1:%u", ntohs(own.four.sin_port));
    fflush(NULL);
    self->pid = fork();
    assert_true(self->pid >= 0);
    if (self->pid == 0)
        serve(listener);
    (void)close(listener);
}

void decoy_stop(struct decoy *self)
{
    if (self->pid <= 0)
        return;
    (void)kill(self->pid, SIGKILL);
    (void)waitpid(self->pid, NULL, 0);
    self->pid = 0;
}
