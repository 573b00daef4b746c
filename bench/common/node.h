/* node: what the benchmarks of the network ask real nodes through libweir. Every function ends the
 * program with a sentence when a node refuses or does not come to it in NODE_PATIENCE_S. */
#ifndef WEIR_BENCH_NODE_H
#define WEIR_BENCH_NODE_H

#include "base/buffer.h"
#include "client/weir.h"

#include <stdbool.h>

enum { NODE_PATIENCE_S = 60 };

/* A handle of the node at the endpoint; weir_destroy. */
weir_t *node_open(const char *endpoint);

/* Creates the contract, or merges into it; its key, and how many nodes are known to hold it. */
uint32_t node_put(weir_t *node, const char *kind, struct slice params, struct slice state,
                  uint8_t key[32]);
void node_update(weir_t *node, const uint8_t key[32], struct slice delta);

/* The fingerprint of what it has of the contract, on disk or not yet; false: it does not have it.
 */
bool node_fingerprint(weir_t *node, const uint8_t key[32], uint8_t fingerprint[32]);

/* Waits until both have the same of the contract, and what the second has is on its disk. */
void nodes_wait_equal(weir_t *a, weir_t *b, const uint8_t key[32]);

/* Waits until it has so many live peers. */
void node_wait_live(weir_t *node, size_t live);

/* Bytes that it wrote to and read from its live peers' sockets. */
struct node_traffic {
    uint64_t in, out;
};
struct node_traffic node_traffic(weir_t *node);

/* CONNECT and DISCONNECT. */
void node_connect(weir_t *node, const char *id_at_address);
void node_disconnect(weir_t *node, const char *id_at_address);

void node_pause_ms(unsigned ms);

#endif
