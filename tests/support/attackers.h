/* attackers: a process that keeps many connections to one address and means no good: some say
 * nothing, some a byte a second, some random bytes, some what one who would be let in begins with,
 * and no more. Whoever is closed comes again. */
#ifndef WEIR_TESTS_SUPPORT_ATTACKERS_H
#define WEIR_TESTS_SUPPORT_ATTACKERS_H

#include "base/slice.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

enum { SPEECHES_MAX = 64 };

/* T (name): its connections, one after the other */
#define ATTACKER_TEMPERS(T) T(idle) T(slow) T(rubbish) T(speech) T(speech_again)
enum attacker_temper {
#define T(name) ATTACKER_##name,
    ATTACKER_TEMPERS(T)
#undef T
        ATTACKER_TEMPER_COUNT
};

struct attack_plan {
    struct sockaddr_storage to; /* attack_at */
    socklen_t to_size;
    size_t connections;
    unsigned a_second; /* at most so many are made in a second */
    unsigned again_ms; /* who was closed stays away so long */
    struct slice slow; /* said byte by byte, its last one for ever */
    struct slice speeches[SPEECHES_MAX];
    size_t speeches_count;
    bool from_everywhere; /* from addresses all over 10.0.0.0/8, which are this machine's */
};

/* Shared with the process. */
struct attack_counts {
    _Atomic uint64_t made, failed; /* connections */
    _Atomic uint64_t spoken;       /* speeches held */
    _Atomic uint64_t closed;       /* by the other side */
    _Atomic uint64_t open, most_open;
};

struct attackers {
    pid_t pid;
    struct attack_counts *counts;
};

/* HOST:PORT with an IPv4 address, or tcp://… of that, or ipc://PATH. */
void attack_at(struct attack_plan *plan, const char *address);

/* Starts them. The test's limit of descriptors is raised as far as may be; fails the test when it
 * does not suffice. */
void attackers_start(struct attackers *self, const struct attack_plan *plan);

/* Ends them: all their connections at once. Counts stay, until attackers_free. */
void attackers_stop(struct attackers *self);
void attackers_free(struct attackers *self);

#endif
