/* client_fake_node: the far side of the client socket, played by the test itself, frame by frame,
 * in the test's own thread: what a real node does only now and then (goes away at the wrong moment,
 * loses a notification, answers nonsense) it does when told. */
#ifndef WEIR_TESTS_UNIT_CLIENT_FAKE_NODE_H
#define WEIR_TESTS_UNIT_CLIENT_FAKE_NODE_H

#include "base/slice.h"
#include "client/weir.h"

enum { FAKE_FRAMES_MAX = 16, FAKE_WAIT_MS_MAX = 60000 }; /* only a fault takes that long */

struct fake_node {
    void *context, *router;
    char dir[64], endpoint[128];
};

/* A request as it came. */
struct fake_request {
    uint8_t peer[64], id[16];
    size_t peer_bytes, id_bytes;
    char verb[33];
    struct slice args[FAKE_FRAMES_MAX]; /* new bytes; fake_request_free */
    size_t count;
};

void fake_node_start(struct fake_node *self); /* on a fresh endpoint */
void fake_node_go(struct fake_node *self);    /* closes the socket, as a node that is killed */
void fake_node_return(struct fake_node *self);
void fake_node_end(struct fake_node *self);

/* Steps the handle until a request waits (true), or *over is not 0: then none need come. */
bool fake_node_is_asked(const struct fake_node *self, weir_t *w, const int *over);

/* Steps the handle until a request comes in; fails the test when none does. */
void fake_node_take(struct fake_node *self, weir_t *w, struct fake_request *request);
/* The same, and fails the test when it is another verb. */
void fake_node_expect(struct fake_node *self, weir_t *w, const char *verb,
                      struct fake_request *request);
void fake_request_free(struct fake_request *request);

/* Sends WEIR1, the request's id, and these frames to who asked. */
void fake_node_reply(struct fake_node *self, const struct fake_request *to,
                     const struct slice *frames, size_t count);

/* What a call was told: a weir_done_fn, and its argument. */
struct seen_reply {
    int calls, code, changed;
    char sentence[300];
};
void see_reply(weir_t *w, const struct weir_reply *reply, void *seen);

/* Steps the handle until *flag is not 0. */
void step_until(weir_t *w, const int *flag);

#define REPLY(node, to, ...)                                                                       \
    fake_node_reply(node, to, (const struct slice[]){__VA_ARGS__},                                 \
                    sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice))

#endif
