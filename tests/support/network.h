/* network: weir processes that are a network, on loopback: the first is the gateway of the others.
 * Each has a client handle of libweir. */
#ifndef WEIR_TESTS_SUPPORT_NETWORK_H
#define WEIR_TESTS_SUPPORT_NETWORK_H

#include "client/weir.h"
#include "tests/support/process.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NETWORK_NODES_MAX = 24 };

struct network_node {
    struct process process;
    char data[64], id[64], address[128]; /* address: where it listens for peers, HOST:PORT */
    char gateway[256];                   /* ID@HOST:PORT of whom it joins through; "" */
    weir_t *client;
    bool stopped; /* SIGSTOP */
    bool apart;   /* knows of nobody, and is no gateway */
};

struct network {
    struct network_node nodes[NETWORK_NODES_MAX];
    size_t count;
};

/* Starts so many at once. options: more arguments for each, NULL-terminated, or NULL. */
void network_start(struct network *self, size_t count, const char *const *options);
/* The same with nodes that do not know of each other, and none is a gateway. */
void network_start_apart(struct network *self, size_t count, const char *const *options);
/* Kills what runs and removes all data. */
void network_end(struct network *self);

/* Starts one (again), with the data it has, on the port that it had. */
void network_node_start(struct network *self, size_t node, const char *const *options);
void network_node_kill(struct network *self, size_t node);

/* PEERS of a node: an array that the caller frees with json_decref. */
json_t *network_peers(struct network *self, size_t node);
/* How many of its peers are live; is this one among them? */
size_t network_live(struct network *self, size_t node);
bool network_is_live(struct network *self, size_t node, const char *id);

/* A count of the `connections` in its STATUS; 0 for a reason (closed_…) that there was not. */
int64_t network_count(struct network *self, size_t node, const char *name);

/* Is all that it stored in its data file, committed? */
bool network_is_folded(struct network *self, size_t node);

/* The most memory that its process has had (VmHWM); 0 under a sanitizer, whose own is most of it.
 */
int64_t network_memory_peak_kib(const struct network *self, size_t node);

/* Waits until each running node has `live` live peers; false when that takes more than so long. */
bool network_settles(struct network *self, size_t live, int within_ms);

int64_t network_now_ms(void);
void network_pause_ms(int ms);

#endif
