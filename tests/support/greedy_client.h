/* greedy_client: a process that asks a node for a state, again and again, and reads no answer. */
#ifndef WEIR_TESTS_SUPPORT_GREEDY_CLIENT_H
#define WEIR_TESTS_SUPPORT_GREEDY_CLIENT_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

struct greedy_asks {
    _Atomic uint64_t count; /* GETs that its socket took */
};

struct greedy_client {
    pid_t pid;
    struct greedy_asks *asks; /* shared with the process */
};

void greedy_client_start(struct greedy_client *self, const char *endpoint, const uint8_t key[32]);
void greedy_client_stop(struct greedy_client *self); /* nothing when it does not run */

#endif
