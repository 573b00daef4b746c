#include "tests/integration/far_end.h"

#include "tests/support/node_log.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

const struct end_kind_row end_kinds[END_KIND_COUNT] = {
#define X(name, text, count, other) {text, {count, other}},
    END_KINDS(X)
#undef X
};

/* Another process gets the socket, as its only holder. */
static void give_away(struct far_end *self)
{
    fflush(NULL);
    self->child = fork();
    assert_true(self->child >= 0);
    if (self->child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            (void)pause();
    }
    (void)close(self->fd);
    self->fd = -1;
}

void far_end_open(struct far_end *self, struct network *network, enum end_kind kind)
{
    *self = (struct far_end){.kind = kind, .fd = -1};
    if (is_node(kind)) {
        self->node = network_add(network, (const char *const[]){"--log-level", "error", NULL});
        (void)snprintf(self->id, sizeof self->id, "%s", self->node->id);
        return;
    }
    fake_peer_init(&self->fake);
    (void)snprintf(self->id, sizeof self->id, "%s", self->fake.id);
    self->fd = fake_peer_join(&self->fake, network->nodes[0].id, network->nodes[0].address,
                              &self->session);
    if (kind == END_kill)
        give_away(self);
}

void far_end_close(struct far_end *self)
{
    self->closed_ms = node_log_now_ms();
    switch (self->kind) {
    case END_fin:
        assert_int_equal(shutdown(self->fd, SHUT_WR), 0);
        break;
    case END_rst:
        fake_peer_reset(self->fd);
        self->fd = -1;
        break;
    case END_goodbye:
        fake_peer_say_goodbye(self->fd, self->session);
        break;
    case END_kill:
        (void)kill(self->child, SIGKILL);
        (void)waitpid(self->child, NULL, 0);
        break;
    case END_node_killed:
        process_kill(&self->node->process);
        break;
    case END_node_stops:
        (void)process_stop(&self->node->process);
        break;
    case END_KIND_COUNT:
        break;
    }
    if (self->kind >= END_kill) /* its sockets are closed by the end of a process, not before */
        self->closed_ms = node_log_now_ms();
}

void far_end_forget(struct far_end *self, struct network *network)
{
    if (self->fd >= 0)
        (void)close(self->fd);
    session_destroy(&self->session);
    if (self->node)
        network_remove_last(network);
}
