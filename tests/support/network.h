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

/* Where a node runs, other than beside the test: in a network namespace, given as a path, where it
 * listens for peers at a host's address. The path is borrowed as long as the network is there. */
struct network_place {
    const char *space, *host;
};

struct network_node {
    struct process process;
    struct network_place place;          /* {0}: beside the test, on loopback */
    char data[64], id[64], address[128]; /* address: where it listens for peers, HOST:PORT */
    char tcp[128];                       /* where it serves clients, beside its socket file */
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
/* The same, each at a place of its own. Clients reach them by their socket files, which no network
 * is between. */
void network_start_at(struct network *self, size_t count, const struct network_place *places,
                      const char *const *options);
/* One more, whose gateway is the first. */
struct network_node *network_add(struct network *self, const char *const *options);
/* Kills it and removes its data. */
void network_remove_last(struct network *self);
/* Does that with all of them. */
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
int64_t network_count_clients(struct network *self, size_t node, const char *name); /* of those */

/* Is all that it stored in its data file, committed? */
bool network_is_folded(struct network *self, size_t node);

/* The most memory that its process has had (VmHWM); 0 under a sanitizer, whose own is most of it.
 */
int64_t network_memory_peak_kib(const struct network *self, size_t node);

/* Waits until each running node has `live` live peers; false when that takes more than so long. */
bool network_settles(struct network *self, size_t live, int within_ms);

/* Waits for something to come for any of the clients, and lets each do what it has to do. */
void network_step(struct network *self, int wait_ms);

/* What a node hosts: its contracts' fingerprints by their keys, as it tells them without asking
 * anybody. An object that the caller frees with json_decref; NULL: it did not answer. */
json_t *network_prints(struct network *self, size_t node);
/* Do all running nodes host so many contracts, the same ones with the same fingerprints? */
bool network_is_equal(struct network *self, size_t contracts);

int64_t network_now_ms(void);
void network_pause_ms(int ms);

#endif
