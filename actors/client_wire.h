/* client_wire: where clients' frames come from and go to. client_api speaks through this, so that a
 * test can be the far side; the node's is the ROUTER socket of client_router.c. */
#ifndef WEIR_ACTORS_CLIENT_WIRE_H
#define WEIR_ACTORS_CLIENT_WIRE_H

#include "base/blob.h"

/* One request as it came. slices[0..count) borrow from it. */
struct frames {
    struct slice from; /* the client's routing id, ≤ 255 bytes */
    size_t count, bytes;
    bool cut; /* more frames came than any request has; they are gone */
    struct slice *slices;
};

/* A frame to send. With a blob set, data lies in it, the frame is large, and the wire takes a
 * holder of its own instead of copying. */
struct part {
    struct slice data;
    struct blob *blob;
};

/* Counts the bytes of large frames that a client has not taken yet. Written by whatever thread
 * frees the frame, so atomic; outlives session and socket by its holders. */
struct owed;
struct owed *owed_new(void);
/* The same, for what is no client's: it counts in `all` instead of in owed_bytes_of_all. */
struct owed *owed_new_within(struct owed *all);
struct owed *owed_hold(struct owed *self);
void owed_release(struct owed **self); /* NULL is let be */
uint64_t owed_bytes(const struct owed *self);
uint64_t owed_bytes_of_all(void);

/* Large reads of this client that wait for it to take the last one; kept by storage, on its thread.
 */
unsigned *owed_waiting(struct owed *self);

void owed_add(struct owed *self, uint64_t bytes);
void owed_take(struct owed *self, uint64_t bytes);

struct client_wire {
    void *self;
    /* The next request, owned by the caller until release; NULL when none waits. */
    struct frames *(*receive)(void *self);
    void (*release)(struct frames *frames);
    bool (*is_local)(const struct frames *frames); /* came by ipc or a loopback address */
    /* 0; ERR_AGAIN when the client's queue is full (nothing was sent); ERR_NOT_FOUND when it is
     * gone. */
    int (*send)(void *self, struct slice to, const struct part *parts, size_t count,
                struct owed *owed);
    /* Connections that there are now; *turned_away: those that were one too many, ever. */
    size_t (*connected)(void *self, uint64_t *turned_away);
    int (*descriptor)(void *self); /* to poll for input; -1: none */
};

#endif
