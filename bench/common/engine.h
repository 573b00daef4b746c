/* engine: a run of the load generator. One thread, many connections, requests kept open on each:
 * as a reply comes, the next request goes out (redis-benchmark's own way). */
#ifndef WEIR_BENCH_ENGINE_H
#define WEIR_BENCH_ENGINE_H

#include "bench/common/dialect.h"
#include "bench/common/latencies.h"

#include <sys/types.h>

enum { GROUPS_MAX = 4, GROUP_CLIENTS_MAX = 1024, CLIENT_REQUESTS_MAX = 256 };

struct work {
    const char *name;
    enum op op;
    bool sequential; /* each object once, and then it is done; else random objects */
    bool needs_contracts, needs_map;
};

/* Clients that do the same work. */
struct group {
    const struct work *work;
    uint32_t clients, open;
    uint64_t ends; /* requests to make; 0: as many as the time gives */
    uint64_t made; /* requests */
    uint64_t done; /* replies */
    /* of the measured time: */
    uint64_t counted; /* replies */
    uint64_t early;   /* replies in its first first_s seconds */
    struct latencies latencies;
};

struct load {
    const struct dialect *dialect;
    struct world world;
    uint16_t port;
    pid_t pid; /* the server's; 0: not known */
    struct group groups[GROUPS_MAX];
    size_t group_count;
    double warm_s, run_s, first_s; /* before the measured time; the measured time; its start */
    /* the run's own: */
    struct client *clients;
    size_t client_count;
    int epoll;
    bool ends;   /* a group has an end */
    bool issues; /* replies make room for requests */
    bool counts; /* it is the measured time */
    uint64_t begin_ns, end_ns, server_cpu_ns, own_cpu_ns;
};

/* Runs all groups at the same time. A run in which a group has an end goes on until all such
 * groups have theirs, and is measured from its first request on; another one is measured for run_s
 * after warm_s. What is open at the end is answered before the connections close: the next run
 * finds a quiet server, and every reply was verified. Ends the program on any error. */
void engine_run(struct load *self);

void engine_free(struct load *self);

#endif
