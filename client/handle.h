/* handle: what a weir_t is inside, shared by the files of libweir and seen by nobody else.
 *
 *   verbs, edits, pieces, subscriptions     what an app asks for
 *          │ request_open        ▲ done (reply)
 *   requests   the open requests, waiting to be sent or for their reply
 *          │ link_send           ▲ link_receive
 *   link       one DEALER socket and its monitor
 */
#ifndef WEIR_CLIENT_HANDLE_H
#define WEIR_CLIENT_HANDLE_H

#include "base/buffer.h"
#include "client/clock.h"
#include "client/link.h"
#include "client/weir.h"
#include "contracts/kind.h"
#include "proto/client_protocol.h"

#include <sys/queue.h>

#define SUBSCRIPTION_ID 0x80000000u /* in the first word of an id: a subscription's */

enum { MESSAGE_FRAMES_MAX = 8, REQUEST_ARGS_INLINE = 4, WIRE_ID_BYTES = 8, FINGERPRINT_SIZE = 32 };

/* A message as it came, and the reply read from it, which borrows from its frames. */
struct box {
    zmq_msg_t frames[MESSAGE_FRAMES_MAX];
    size_t count;
    struct weir_reply reply;
    char kind[KIND_NAME_BYTES_MAX + 1];
    char sentence[512];
    uint8_t key[CONTRACT_KEY_BYTES], fingerprint[FINGERPRINT_SIZE];
};

struct request {
    uint32_t slot, generation;
    bool open, counted; /* counted: it takes room in the window */
    bool sent;
    enum verb verb;
    uint8_t id[WIRE_ID_BYTES];
    zmq_msg_t few[REQUEST_ARGS_INLINE], *args;
    size_t arg_count, bytes;
    uint64_t deadline_ms; /* UINT64_MAX: none */
    weir_done_fn *done;
    void *arg;
    TAILQ_ENTRY(request) order;
};
TAILQ_HEAD(request_list, request);

struct requests {
    struct request **slots;
    size_t slot_count, slot_capacity;
    uint32_t *free_slots;
    size_t free_count;
    struct request_list waiting, sent; /* in the order they were opened */
    uint64_t next_deadline_ms;         /* no open request's is before it */
};

struct subscription;
struct edit;
TAILQ_HEAD(edit_list, edit);

/* Kind and parameters of a key never change, so they are asked for once. */
enum { KNOWN_MAX = 64 };

struct weir {
    struct link link;
    struct requests requests;
    size_t open, open_bytes; /* what the app has open, against the window */
    struct box *incoming, *kept;
    struct {
        char endpoint[512];
        unsigned timeout_ms, window;
        size_t window_bytes;
        bool dont_wait;
        const weir_signer_t *signer;
    } options;

    struct subscription **subscriptions;
    size_t subscription_count, subscription_capacity, dead_subscriptions;
    uint32_t subscriptions_made;
    uint64_t rest_until_ms; /* no subscription wants to be asked for again before it */
    struct edit_list edits;
    uint64_t edits_opened; /* ever */
    weir_contract_t *known[KNOWN_MAX];
    size_t known_count, known_next;
    uint8_t replica[REPLICA_BYTES]; /* lesson M7: fresh for every handle */

    unsigned depth; /* callbacks on the stack */
    uint64_t calls; /* callbacks called so far */
    uint64_t link_changes;
    int broken;           /* the code of options that cannot be used */
    struct reason reason; /* of the last call that failed */
};

static inline struct slice bytes_slice(struct weir_bytes b)
{
    return slice_of(b.data, b.size);
}

static inline struct weir_bytes slice_bytes(struct slice s)
{
    return (struct weir_bytes){s.data, s.size};
}

/* --- handle.c -------------------------------------------------------------------------------- */

/* Room in the window for one more of that size. Waits for it, unless the options or the place
 * forbid: ERR_AGAIN. `wait` overrules the option. */
MUST_USE int window_enter(weir_t *w, size_t bytes, bool wait);
void window_leave(weir_t *w, size_t bytes);

/* Calls done, inside which calls that wait are refused. */
void call_done(weir_t *w, weir_done_fn *done, void *arg, const struct weir_reply *reply);

/* Takes the monitor's events. Not inside a callback. */
void look_at_link(weir_t *w);

/* Sets the handle's sentence and returns code; why NULL: the code's own text. */
int handle_fail(weir_t *w, int code, const char *why);

/* --- requests.c ------------------------------------------------------------------------------ */

void requests_init(struct requests *self);
void requests_free(struct requests *self); /* none may be open */

struct request_options {
    const uint8_t *id;   /* WIRE_ID_BYTES; NULL: one of its own */
    unsigned timeout_ms; /* 0: none */
    bool counted;        /* window_enter was called for it */
};

/* Opens a request: copies args, sends when it can. done is called exactly once unless this fails.
 * ERR_NO_MEMORY, ERR_NO_NODE (refused before). */
MUST_USE int request_open(weir_t *w, enum verb verb, const struct slice *args, size_t count,
                          const struct request_options *options, weir_done_fn *done, void *arg);

/* The open request of a wire id, or NULL. */
struct request *request_find(weir_t *w, struct slice id);

/* Closes it and calls its done with this reply. */
void request_finish(weir_t *w, struct request *request, const struct weir_reply *reply);
void request_fail(weir_t *w, struct request *request, int code, const char *sentence);

void requests_flush(weir_t *w);   /* sends what waits */
void requests_expire(weir_t *w);  /* fails what is past its deadline */
void requests_on_down(weir_t *w); /* repeats or fails what was sent */
void requests_fail_all(weir_t *w, int code, const char *sentence);

/* --- replies.c ------------------------------------------------------------------------------- */

struct box *box_new(void);
void box_clear(struct box *self);
void box_free(struct box **self);

/* Reads the fields of an OK, or the error, into box->reply; a reply that is not well formed
 * becomes ERR_INTERNAL there. */
void box_read_reply(struct box *self, enum verb verb);

/* Takes the next message if there is one: dispatches it. False when there is none. */
bool replies_take(weir_t *w);

/* Keeps the reply that a done function was called with until the next call on the handle. */
void reply_keep(weir_t *w, const struct weir_reply *reply);

/* --- pieces.c, edits.c, known.c, subscriptions.c ---------------------------------------------- */

/* A PUT (kind not empty) or UPDATE whose state goes in pieces. Copies everything. Both this and
 * edits_open take over the room in the window, `bytes`, that was entered for them, also when they
 * fail. */
MUST_USE int pieces_open(weir_t *w, struct slice kind, struct slice params, const uint8_t *key,
                         struct slice state, size_t bytes, weir_done_fn *done, void *arg);
bool pieces_needed(struct slice state);

/* Queues an edit that this side may have to build and sign. */
MUST_USE int edits_open(weir_t *w, const uint8_t *key, const char *verb,
                        const struct weir_bytes *operands, size_t count, size_t bytes,
                        weir_done_fn *done, void *arg);
void edits_free(weir_t *w);
/* Is the first one still to be begun? And begins it, and those behind it that fail at once. */
bool edits_wait(const weir_t *w);
void edits_go_on(weir_t *w);

/* The contract of a key, as far as it is known here; NULL otherwise. */
const weir_contract_t *known_find(const weir_t *w, const uint8_t *key);
/* Notes what a GET's or SUBSCRIBE's reply tells. NULL when it does not fit the key. */
const weir_contract_t *known_add(weir_t *w, const uint8_t *key, const struct weir_reply *reply);
/* The greatest entry key there can be. Static. */
struct slice key_greatest(void);
/* A GET of next to nothing, for kind and parameters. */
MUST_USE int known_ask(weir_t *w, const uint8_t *key, weir_done_fn *done, void *arg);
void known_free(weir_t *w);

/* Follows a key; done is called with the first answer, after the first event. */
MUST_USE int subscriptions_open(weir_t *w, const uint8_t *key, const uint8_t *known,
                                weir_event_fn *event, void *arg, weir_done_fn *done,
                                void *done_arg);

/* A NOTIFY's frames after the name: id, and key, delta, before, after. */
void subscriptions_notify(weir_t *w, struct slice id, const struct slice fields[4]);
void subscriptions_on_up(weir_t *w);
void subscriptions_tick(weir_t *w);
uint64_t subscriptions_next_ms(const weir_t *w); /* UINT64_MAX: nothing to do by time */
void subscriptions_free(weir_t *w);

/* --- signer.c, contracts.c ------------------------------------------------------------------- */

struct weir_signer {
    uint8_t public_key[WRITER_KEY_BYTES];
    uint8_t *secret; /* 64 bytes, sodium_malloc */
};

struct weir_contract {
    struct contract contract; /* borrows params below */
    char kind[KIND_NAME_BYTES_MAX + 1];
    uint8_t *params;
    size_t params_bytes;
};

/* Signs a delta's entries where the contract asks for it. ERR_DENIED. */
MUST_USE int delta_sign(const weir_contract_t *contract, const weir_signer_t *signer,
                        struct buffer *delta, struct reason *why);

/* Reads a CURVE pair from a file as czmq's zcert writes them; keys are Z85. */
MUST_USE int curve_load(const char *path, char public_key[41], char secret_key[41],
                        struct reason *why);
/* 32 bytes from Z85, base58, or a certificate file. */
MUST_USE int curve_key_parse(const char *text, uint8_t key[32]);

#endif
