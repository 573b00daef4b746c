/* messages: the whole traffic between the actors of a node, on one page.
 *
 * A message is one struct that begins with struct message. Sending gives it away; who holds it
 * frees it (message_free). A client's operation is one struct request on its whole way, so that a
 * GET allocates once: client_api makes it, the operation's actor and storage fill it in, client_api
 * answers and frees.
 *
 * How they travel: actors/runner.h. */
#ifndef WEIR_ACTORS_MESSAGES_H
#define WEIR_ACTORS_MESSAGES_H

#include "actors/client_wire.h"
#include "proto/client_protocol.h"
#include "store/store.h"

/* A (actor) */
#define ACTORS(A)                                                                                  \
    A(client_api) A(put) A(get) A(update) A(subscribe) A(storage) A(journal) A(checkpoint) A(keeper)

enum actor_id {
#define A(actor) ACTOR_##actor,
    ACTORS(A)
#undef A
        ACTOR_COUNT
};

#define FROM(actor) (1u << ACTOR_##actor)
#define OPERATIONS  (FROM(put) | FROM(get) | FROM(update) | FROM(subscribe))

/* M (message, struct it is, who may send it, who may get it, what it says) */
#define MESSAGES(M)                                                                                \
    M(PUT, request, FROM(client_api), FROM(put), "a client's PUT")                                 \
    M(GET, request, FROM(client_api), FROM(get), "a client's GET")                                 \
    M(UPDATE, request, FROM(client_api), FROM(update), "a client's UPDATE or EDIT")                \
    M(SUBSCRIBE, request, FROM(client_api), FROM(subscribe), "SUBSCRIBE or UNSUBSCRIBE")           \
    M(ASK, request, FROM(client_api), FROM(storage), "STATUS or CONTRACTS: wants storage's part")  \
    M(WORK, request, FROM(client_api) | FROM(storage), FROM(storage) | FROM(keeper),               \
      "BACKUP or CHECK; storage keeps the map still meanwhile")                                    \
    M(WORKED, request, FROM(keeper), FROM(storage), "its result, on the way to REPLY")             \
    M(REPLY, request, OPERATIONS | FROM(storage), FROM(client_api), "the one answer")              \
    M(MERGE, request, FROM(put) | FROM(update), FROM(storage), "merge or edit, make durable")      \
    M(MERGED, request, FROM(storage), FROM(put) | FROM(update), "durable, or refused")             \
    M(READ, request, FROM(get) | FROM(subscribe), FROM(storage), "read a state or a range")        \
    M(READ_DONE, request, FROM(storage), FROM(get) | FROM(subscribe), "what was read")             \
    M(WATCH, watch, FROM(subscribe), FROM(storage), "tell changes of this contract, or no more")   \
    M(CHANGED, changed, FROM(storage), FROM(subscribe), "a watched contract changed, durably")     \
    M(NOTIFY, notify, FROM(subscribe), FROM(client_api), "a notification for one client")          \
    M(NOTIFY_BACK, notify, FROM(client_api), FROM(subscribe), "it does not read: keep and merge")  \
    M(CLIENT_READY, client, FROM(client_api), FROM(subscribe), "it reads again")                   \
    M(CLIENT_GONE, client, FROM(client_api), FROM(subscribe), "forget its subscriptions")          \
    M(APPEND, append, FROM(storage), FROM(journal), "records for the log")                         \
    M(FLUSHED, flushed, FROM(journal), FROM(storage), "synced up to a seq, or failed")             \
    M(RECYCLE, flushed, FROM(storage), FROM(journal), "all up to seq is in LMDB")                  \
    M(FOLD, folding, FROM(storage), FROM(checkpoint), "a frozen overlay, lent, to write to LMDB")  \
    M(FOLDED, folding, FROM(checkpoint), FROM(storage), "written, or why not")                     \
    M(DISPOSE, folding, FROM(storage), FROM(checkpoint), "free what was folded")                   \
    M(DISPOSED, folding, FROM(checkpoint), FROM(storage), "done: the map may be moved again")

enum message_kind {
#define M(name, type, from, to, says) MESSAGE_##name,
    MESSAGES(M)
#undef M
        MESSAGE_COUNT
};

struct message {
    struct message *next; /* in the one queue or chain that holds it */
    uint8_t kind, from, to;
};

struct message_row {
    const char *name;
    uint32_t from, to; /* masks of actors */
    const char *says;
};
extern const struct message_row message_rows[MESSAGE_COUNT];
extern const char *const actor_names[ACTOR_COUNT];

/* A zeroed message of size bytes (a struct that begins with struct message). NULL without memory.
 */
void *message_new(size_t size);

/* Frees a message of any kind with what it owns. *self becomes NULL. */
void message_free(struct message **self);

/* First in, first out. Zero-initialised is empty. */
struct mail {
    struct message *first, **last;
    size_t count;
};
void mail_push(struct mail *self, struct message *message);
struct message *mail_pop(struct mail *self);          /* NULL when empty */
void mail_move(struct mail *self, struct mail *from); /* all of from, behind what self has */
void mail_free(struct mail *self);

/* A client's session as others name it: stays different after the session is gone. */
typedef uint64_t client_t;

/* Storage's part of STATUS. */
struct storage_report {
    struct store_stats stats;
    uint64_t log_bytes, waiting_for_fold, waiting_for_room, jobs, watched;
    bool relaxed;
    struct reason fault; /* why nothing more is written; empty: all is well */
    const char *work;    /* "backup" or "check" under way, else NULL; static */
    uint64_t work_done, work_all;
};

struct request {
    struct message head;
    client_t client;
    uint8_t id[REQUEST_ID_BYTES_MAX];
    uint8_t id_size;
    enum verb verb;
    enum actor_id asked_by; /* of MERGE and READ: who gets the answer */
    uint64_t transaction;
    const struct slice *args; /* in frames */
    size_t args_count;
    struct frames *frames; /* owned; NULL in requests that a node makes itself */
    void (*release)(struct frames *frames);
    uint64_t deadline_ms;    /* after it the client has been told TIMEOUT; 0: none */
    uint64_t admitted_bytes; /* counted by client_api while this is open; 0: not counted */
    struct owed *owed;       /* owned holder: large replies its client has not taken yet */
    struct contract_key key;
    struct contract contract; /* PUT: checked; borrows params from args */

    /* the answer */
    int code; /* 0 or an error, then: */
    struct reason why;
    struct store_change change;   /* MERGED; owns record */
    struct reading reading;       /* READ_DONE; owns bytes */
    uint64_t read_at_seq;         /* of READ_DONE: records up to it are in the reading */
    struct blob *json;            /* ASK, WORK: text; owned holder */
    struct storage_report report; /* ASK STATUS */
};

struct watch {
    struct message head;
    struct contract_key key;
    bool on;
};

struct changed {
    struct message head;
    struct contract_key key;
    struct fingerprint before, after;
    struct blob *record; /* owned holder; delta lies in it */
    struct slice delta;
    uint64_t seq;
};

struct notify {
    struct message head;
    client_t client;
    uint8_t id[REQUEST_ID_BYTES_MAX];
    uint8_t id_size;
    struct contract_key key;
    struct fingerprint before, after;
    struct blob *bytes; /* owned holder; delta lies in it */
    struct slice delta;
    uint64_t seq; /* of the newest change in delta */
};

struct client {
    struct message head;
    client_t client;
};

struct append {
    struct message head;
    struct blob **records; /* owned array of owned holders */
    size_t count, capacity;
    uint64_t last_seq;
};

struct flushed {
    struct message head;
    uint64_t seq;
    uint64_t log_bytes;
    int code;
    struct reason why;
};

struct folding {
    struct message head;
    fold_t *fold; /* FOLD, FOLDED: lent; DISPOSE: owned */
    struct fold_result result;
    int code;
    struct reason why;
};

#endif
