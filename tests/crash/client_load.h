/* client_load: a client that asks a node for changes of the contracts of the claims, and writes
 * down what it asked for and what it was told. Functions return libweir's codes: the node may be
 * gone. */
#ifndef CLIENT_LOAD_H
#define CLIENT_LOAD_H

#include "client/weir.h"
#include "tests/crash/claims.h"

struct client_load {
    struct trace *trace;
    size_t fields, value_max; /* fields of a map that are set; bytes of a value */
    weir_t *w;
    uint8_t keys[CLAIMS_CONTRACTS][WEIR_KEY_BYTES];
};

/* Opens a handle, with so many requests open at once, and puts all contracts. */
int client_load_open(struct client_load *self, const char *endpoint, unsigned window);
void client_load_close(struct client_load *self);

/* Asks for one change, mostly a field of a map; waits while the window is full. *bytes: of the
 * value. */
int client_load_ask(struct client_load *self, size_t *bytes);

#endif
