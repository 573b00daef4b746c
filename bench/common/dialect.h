/* dialect: what a server speaks. Two: weir's client protocol over ZMTP 3.1 (as libzmq's DEALER
 * speaks it), and Redis's RESP2. Written out byte by byte for both, so that the generator is no
 * faster or slower for one of them. */
#ifndef WEIR_BENCH_DIALECT_H
#define WEIR_BENCH_DIALECT_H

#include "bench/common/connection.h"
#include "bench/common/world.h"

/*  op               weir                                     Redis */
enum op {
    OP_CREATE,       /* PUT contract N with its one field      SET key:N */
    OP_CREATE_MAP,   /* PUT the map, empty                     PING */
    OP_SET_CONTRACT, /* UPDATE contract N                      SET key:N */
    OP_SET_FIELD,    /* UPDATE field N of the map              SET key:N */
    OP_FILL,         /* UPDATE fields N*batch … of the map     MSET of as many */
    OP_GET,          /* GET contract N                         GET key:N */
    OP_GET_MAP,      /* GET the map                            none */
    OP_PUBLISH,      /* as OP_SET_FIELD                        MULTI, SET, PUBLISH, EXEC */
    OP_SUBSCRIBE,    /* SUBSCRIBE to the map                   SUBSCRIBE channel */
    OP_WORK_LEFT,    /* STATUS                                 INFO persistence */
    OP_COUNT
};

enum reply_type {
    REPLY_OK,
    REPLY_ERROR,  /* value: the error's name; sentence */
    REPLY_NOTIFY, /* value: what was published */
};

struct reply {
    enum reply_type type;
    uint32_t slot;      /* the request's, where the protocol tells; else see in_order */
    struct slice value; /* GET: the state or value; PUT: the key; else the first field or empty */
    struct slice sentence; /* of an error, where the protocol has one apart */
};

struct dialect {
    const char *name;
    bool in_order; /* replies come in the order of requests and name no slot */
    /* Exchanges greetings, where there are any. Blocks. */
    void (*greet)(struct connection *connection);
    /* Appends a request. */
    void (*request)(struct world *world, enum op op, uint32_t number, uint32_t slot,
                    struct buffer *out);
    /* How many replies a request of the kind gets; the last one counts. */
    unsigned (*replies)(enum op op);
    /* Takes one reply from what came; false when it is not all there. Slices live until the next
     * read of the connection. Ends the program on bytes that are not the protocol's. */
    bool (*parse)(struct connection *connection, struct reply *reply);
    /* Size that the value of an op's reply must have; SIZE_MAX: any. */
    size_t (*value_bytes)(const struct world *world, enum op op);
    /* From the reply to OP_WORK_LEFT: what the server still does in the background, 0 for none. */
    uint64_t (*work_left)(struct slice value);
};

extern const struct dialect dialect_weir, dialect_echo, dialect_redis;

/* "weir", "echo" (bench/echo.c) or "redis"; ends the program for another name. */
const struct dialect *dialect_find(const char *name);

/* Ends the program when the reply is an error or has another size than the op's must have. */
void dialect_verify(const struct dialect *self, const struct world *world, enum op op,
                    const struct reply *reply);

/* Sends one request and waits for its reply (verified). For setting up, not for measuring. */
void dialect_call(const struct dialect *self, struct connection *connection, struct world *world,
                  enum op op, uint32_t number, struct reply *reply);

#endif
