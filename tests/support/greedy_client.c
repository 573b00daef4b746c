#include "tests/support/greedy_client.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

enum { NICE = 10 };

static void pause_a_little(void)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    (void)nanosleep(&pause, NULL);
}

/* With libzmq's own queue for what comes as short as it can be: past it nothing is read. */
static void ask_for_ever(const char *endpoint, const uint8_t key[32], struct greedy_asks *asks)
{
    const int shortest = 1, few_bytes = 4096;
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_DEALER);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* as attackers */
    (void)zmq_setsockopt(socket, ZMQ_RCVHWM, &shortest, sizeof shortest);
    (void)zmq_setsockopt(socket, ZMQ_RCVBUF, &few_bytes, sizeof few_bytes);
    if (zmq_connect(socket, endpoint) != 0)
        _exit(1);
    for (;;) {
        if (zmq_send(socket, "WEIR1", 5, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0) {
            pause_a_little();
            continue;
        }
        (void)zmq_send(socket, "g", 1, ZMQ_SNDMORE);
        (void)zmq_send(socket, "GET", 3, ZMQ_SNDMORE);
        (void)zmq_send(socket, key, 32, 0);
        atomic_fetch_add(&asks->count, 1);
    }
}

void greedy_client_start(struct greedy_client *self, const char *endpoint, const uint8_t key[32])
{
    self->asks = (struct greedy_asks *)mmap(NULL, sizeof *self->asks, PROT_READ | PROT_WRITE,
                                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(self->asks != MAP_FAILED);
    fflush(NULL);
    self->pid = fork();
    assert_true(self->pid >= 0);
    if (self->pid == 0)
        ask_for_ever(endpoint, key, self->asks);
}

void greedy_client_stop(struct greedy_client *self)
{
    if (self->pid <= 0)
        return;
    (void)kill(self->pid, SIGKILL);
    (void)waitpid(self->pid, NULL, 0);
    (void)munmap(self->asks, sizeof *self->asks);
    *self = (struct greedy_client){0};
}
