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
#include "contracts/sync.h"
#include "proto/client_protocol.h"
#include "proto/peer_protocol.h"
#include "proto/ring.h"
#include "store/store.h"

/* A (actor) */
#define ACTORS(A)                                                                                  \
    A(client_api)                                                                                  \
    A(put)                                                                                         \
    A(get)                                                                                         \
    A(update)                                                                                      \
    A(subscribe)                                                                                   \
    A(hosting)                                                                                     \
    A(sync)                                                                                        \
    A(storage)                                                                                     \
    A(journal)                                                                                     \
    A(checkpoint)                                                                                  \
    A(keeper)                                                                                      \
    A(connections)                                                                                 \
    A(transport)

enum actor_id {
#define A(actor) ACTOR_##actor,
    ACTORS(A)
#undef A
        ACTOR_COUNT
};

#define FROM(actor) (1u << ACTOR_##actor)
#define OPERATIONS  (FROM(put) | FROM(get) | FROM(update) | FROM(subscribe))
/* Who follows which peers are live, and who has something to say to them. */
#define TOLD_OF_PEERS (OPERATIONS | FROM(hosting) | FROM(sync))
#define PEER_SPEAKERS (FROM(get) | FROM(update) | FROM(hosting) | FROM(sync))
#define MERGERS       (FROM(put) | FROM(get) | FROM(update) | FROM(hosting) | FROM(sync))

/* M (message, struct it is, who may send it, who may get it, what it says) */
#define MESSAGES(M)                                                                                \
    M(PUT, request, FROM(client_api), FROM(put), "a client's PUT")                                 \
    M(GET, request, FROM(client_api), FROM(get), "a client's GET")                                 \
    M(UPDATE, request, FROM(client_api), FROM(update), "a client's UPDATE or EDIT")                \
    M(SUBSCRIBE, request, FROM(client_api), FROM(subscribe), "SUBSCRIBE or UNSUBSCRIBE")           \
    M(ASK, request, FROM(client_api) | FROM(connections) | FROM(transport) | FROM(hosting),        \
      FROM(storage) | FROM(connections) | FROM(transport) | FROM(hosting),                         \
      "CONTRACTS of storage; PEERS and the like of connections; STATUS of all four")               \
    M(WORK, request, FROM(client_api) | FROM(storage), FROM(storage) | FROM(keeper),               \
      "BACKUP or CHECK; storage keeps the map still meanwhile")                                    \
    M(WORKED, request, FROM(keeper), FROM(storage), "its result, on the way to REPLY")             \
    M(REPLY, request, OPERATIONS | FROM(storage) | FROM(connections), FROM(client_api),            \
      "the one answer")                                                                            \
    M(MERGE, request, MERGERS, FROM(storage), "merge or edit, make durable")                       \
    M(MERGED, request, FROM(storage), MERGERS, "durable, or refused")                              \
    M(READ, request, FROM(get) | FROM(subscribe), FROM(storage), "read a state or a range")        \
    M(READ_DONE, request, FROM(storage), FROM(get) | FROM(subscribe), "what was read")             \
    M(WATCH, watch, FROM(subscribe), FROM(storage), "tell changes of this contract, or no more")   \
    M(NEEDED, watch, FROM(subscribe), FROM(hosting), "clients follow this contract, or no more")   \
    M(CHANGED, changed, FROM(storage), FROM(subscribe), "a watched contract changed, durably")     \
    M(NOTIFY, notify, FROM(subscribe), FROM(client_api) | FROM(transport),                         \
      "a notification for one client; a delta for one peer")                                       \
    M(NOTIFY_BACK, notify, FROM(client_api) | FROM(transport), FROM(subscribe),                    \
      "it does not read: keep and merge")                                                          \
    M(CLIENT_READY, client, FROM(client_api) | FROM(transport), FROM(subscribe), "it reads again") \
    M(CLIENT_GONE, client, FROM(client_api), FROM(subscribe), "forget its subscriptions")          \
    M(APPEND, append, FROM(storage), FROM(journal), "records for the log")                         \
    M(FLUSHED, flushed, FROM(journal), FROM(storage), "synced up to a seq, or failed")             \
    M(RECYCLE, flushed, FROM(storage), FROM(journal), "all up to seq is in LMDB")                  \
    M(FOLD, folding, FROM(storage), FROM(checkpoint), "a frozen overlay, lent, to write to LMDB")  \
    M(FOLDED, folding, FROM(checkpoint), FROM(storage), "written, or why not")                     \
    M(DISPOSE, folding, FROM(storage), FROM(checkpoint), "free what was folded")                   \
    M(DISPOSED, folding, FROM(checkpoint), FROM(storage), "done: the map may be moved again")      \
    PEER_LINK_MESSAGES(M)                                                                          \
    HOSTING_MESSAGES(M)

/* Connections, and what goes over them. */
#define PEER_LINK_MESSAGES(M)                                                                      \
    M(DIAL, dial, FROM(connections), FROM(transport), "connect to this node")                      \
    M(OPENED, opened, FROM(transport), FROM(connections), "handshake done: who it is")             \
    M(ADMIT, peer_order, FROM(connections), FROM(transport), "it is live: hand its mail on")       \
    M(HANG_UP, peer_order, FROM(connections), FROM(transport), "say goodbye, then close it")       \
    M(CLOSED, closed, FROM(transport), FROM(connections), "it is gone, and why")                   \
    M(PEER_LIVE, peer_live, FROM(connections), TOLD_OF_PEERS, "a peer to use")                     \
    M(PEER_GONE, peer_order, FROM(connections), TOLD_OF_PEERS, "no more")                          \
    M(PEER_SILENT, peer_silent, FROM(connections), FROM(get) | FROM(update) | FROM(hosting),       \
      "live, and says nothing: prefer others; or it does again")                                   \
    M(SPOKEN_TO, peer_order, FROM(transport), FROM(connections), "see whether it answers")         \
    M(PEER_SEND, peer_send, PEER_SPEAKERS | FROM(connections), FROM(transport), "for one peer")    \
    M(PEER_SENT, peer_send, FROM(transport), PEER_SPEAKERS, "the socket has taken it (tell)")      \
    M(PEER_MAIL, peer_mail, FROM(transport), PEER_SPEAKERS | FROM(connections), "from one peer")   \
    M(BLAME, peer_order, PEER_SPEAKERS | FROM(transport), FROM(connections), "it broke a rule")

/* Which contracts this node hosts, whom it takes them from, whom it gives them to. */
#define HOSTING_MESSAGES(M)                                                                        \
    M(HOST, request, OPERATIONS, FROM(hosting), "see that this contract is here and fed")          \
    M(HOSTED, request, FROM(hosting), OPERATIONS, "it is, or why not; in how many places")         \
    M(ABOUT, request, FROM(hosting), FROM(storage), "kind, params, fingerprint; no entries")       \
    M(ABOUT_DONE, request, FROM(storage), FROM(hosting), "in reading")                             \
    M(HOLDINGS, holdings, FROM(hosting), FROM(storage), "which contracts are stored")              \
    M(HELD, holdings, FROM(storage), FROM(hosting), "the next of them")                            \
    M(DROP, request, FROM(hosting), FROM(storage), "remove a contract from the store")             \
    M(DROPPED, request, FROM(storage), FROM(hosting), "done, or why not")                          \
    M(KEPT, watch, FROM(get) | FROM(put), FROM(hosting), "this contract came here: keep it fed")   \
    M(CROWDED, crowded, FROM(storage), FROM(hosting), "the store fills: drop what nobody needs")   \
    M(FOLLOW, follow, FROM(hosting), FROM(subscribe), "give this peer what changes, or no more")   \
    M(FELL_BEHIND, follow, FROM(subscribe), FROM(sync), "it missed too much: sync with it")        \
    M(HEALED, watch, FROM(hosting), FROM(storage), "a damaged contract has all of a peer's")       \
    M(SYNC, sync_order, FROM(hosting), FROM(sync), "make this peer and this node equal")           \
    M(SYNCED, sync_order, FROM(sync), FROM(hosting), "done, or why not")                           \
    M(FILLED, sync_order, FROM(sync), FROM(hosting), "all that this peer had is here")             \
    M(STRAY, sync_order, FROM(sync), FROM(hosting), "it told a change of what is not here")        \
    M(WALK, walk, FROM(get) | FROM(sync), FROM(storage), "go on reading for a sync or a GET")      \
    M(WALKED, walk, FROM(storage), FROM(get) | FROM(sync), "a part, or the end of it")

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

/* A client's session as others name it: stays different after the session is gone. A peer that
 * follows a contract is told as a client is: its number with FOLLOWER_PEER set. */
typedef uint64_t client_t;
#define FOLLOWER_PEER ((client_t)1 << 63)

/* Storage's part of STATUS. */
struct storage_report {
    struct store_stats stats;
    uint64_t log_bytes, waiting_for_fold, waiting_for_room, jobs, watched;
    bool relaxed;
    struct reason fault; /* why nothing more is written; empty: all is well */
    const char *work;    /* "backup" or "check" under way, else NULL; static */
    uint64_t work_done, work_all;
};

/* Why a connection ended, or was never one. */
#define CLOSE_REASONS(R)                                                                           \
    R(goodbye, "the peer said goodbye")                                                            \
    R(closed, "closed without a goodbye")                                                          \
    R(reset, "reset")                                                                              \
    R(unreachable, "no connection could be made")                                                  \
    R(silent, "no answer to pings")                                                                \
    R(slow_handshake, "the handshake took too long")                                               \
    R(bad_handshake, "the handshake was not one of ours, or failed")                               \
    R(wrong_id, "another node than the one dialled")                                               \
    R(refused, "refused by name: other network, version, …")                                       \
    R(duplicate, "another connection to the same peer is kept")                                    \
    R(bad_record, "a record did not open, or held no frames")                                      \
    R(misbehaved, "too many broken rules")                                                         \
    R(full, "no room for more peers")                                                              \
    R(removed, "an operator removed it")                                                           \
    R(stopping, "this node stops")                                                                 \
    R(local_fault, "this node met a fault of its own")
enum close_reason {
#define R(name, text) CLOSE_##name,
    CLOSE_REASONS(R)
#undef R
        CLOSE_REASON_COUNT
};

struct close_reason_row {
    const char *name, *text;
};
extern const struct close_reason_row close_reasons[CLOSE_REASON_COUNT];

/* That of connections; how many of each since the start. */
struct peers_report {
    uint64_t live, known, dials, opened;
    uint64_t failed;           /* dials that were never open */
    uint64_t silences;         /* live peers that said nothing for a while */
    uint64_t connects_refused; /* of peers: too many of one, or of all, on their way */
    uint64_t closed[CLOSE_REASON_COUNT];
};

/* What happened to strangers. Those that became peers are CLOSED's to tell. */
struct transport_counters {
    uint64_t accepted, answered, opened;
    uint64_t turned_away; /* closed unheard: too many, or too fast, from where they are or in all */
    uint64_t slow, broken; /* did not finish in time; sent what is no handshake, or went away */
    uint64_t refused;      /* by name: other network, version, … */
    uint64_t heavy;        /* peers that were not read, since the mail of all was too much */
    uint64_t unfinished;   /* peers hung up on, since they held too much that was not whole */
};

/* That of hosting. */
struct hosting_report {
    uint64_t contracts; /* that are looked after, here or wanted here */
    uint64_t of_peers;  /* of them, for what peers say alone */
    uint64_t refused;   /* that peers wanted, past their share */
};

struct request {
    struct message head;
    client_t client;
    uint8_t id[REQUEST_ID_BYTES_MAX];
    uint8_t id_size;
    enum verb verb;
    enum actor_id asked_by; /* of MERGE and READ: who gets the answer */
    uint64_t transaction;
    uint64_t relay;           /* its row among what was asked of peers (actors/relays.h); 0: none */
    const struct slice *args; /* in frames */
    size_t args_count;
    struct frames *frames; /* owned; NULL in requests that a node makes itself */
    void (*release)(struct frames *frames);
    uint64_t deadline_ms;    /* after it the client has been told TIMEOUT; 0: none */
    uint64_t host_until_ms;  /* of HOST: then hosting answers, whatever is so */
    uint64_t admitted_bytes; /* counted by client_api while this is open; 0: not counted */
    struct owed *owed;       /* owned holder: large replies its client has not taken yet */
    struct peer_mail *mail;  /* owned: what it came with from a peer; NULL: a client's */
    peer_t origin;           /* of MERGE: the peer that the delta came from; 0: none */
    /* What a GET brought is on the disk of the host that it came from: its MERGE is answered before
     * the flush here, and so is the READ of a state with exactly that host's fingerprint. */
    bool durable_there;
    struct fingerprint there; /* of READ */
    struct contract_key key;
    struct contract contract; /* PUT: checked; borrows params from args */

    /* the answer */
    int code; /* 0 or an error, then: */
    struct reason why;
    struct store_change change; /* MERGED; owns record */
    struct reading reading;     /* READ_DONE; owns bytes. DROP: only what has its fingerprint */
    bool damaged;               /* ABOUT_DONE: damage took a part of it */
    uint64_t read_at_seq;       /* of READ_DONE: records up to it are in the reading */
    struct blob *json;          /* ASK, WORK: text; owned holder */
    uint32_t hosts;             /* HOSTED: nodes known to hold it, this one included */

    struct storage_report report;        /* ASK STATUS: storage's part … */
    struct peers_report peers;           /* … that of connections … */
    struct transport_counters strangers; /* … that of transport … */
    struct hosting_report hosting;       /* … and that of hosting */
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
    peer_t origin; /* who sent it here and needs no telling; 0: a client */
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

/* --- peers ------------------------------------------------------------------------------- */

/* Connections knows a peer by its id; the others know a live connection by its number. */
struct dial {
    struct message head;
    peer_t number; /* the new connection's, chosen by connections */
    struct node_id id;
    char address[PEER_ADDRESS_BYTES_MAX + 1]; /* HOST:PORT */
    struct closed *closed; /* owned, to tell its end with: that needs no memory. NULL: made then */
};

struct opened {
    struct message head;
    peer_t number; /* of a dial; inbound: chosen by transport, see peer_number_inbound */
    struct node_id id;
    bool inbound;
    uint8_t role;                              /* enum peer_role */
    char address[PEER_ADDRESS_BYTES_MAX + 1];  /* where it listens; "": it cannot be dialled */
    char remote[PEER_ADDRESS_BYTES_MAX + 1];   /* the far end of this very connection */
    char observed[PEER_ADDRESS_BYTES_MAX + 1]; /* as the far end sees us; "": not told */
    struct peer_traffic *traffic;              /* owned holder: counters that transport keeps up */
};

struct closed {
    struct message head;
    peer_t number;
    enum close_reason reason;
    struct reason why;
};

/* ADMIT, HANG_UP (with why), PEER_GONE, SPOKEN_TO, BLAME (with why). */
struct peer_order {
    struct message head;
    peer_t number;
    enum close_reason reason;
    struct reason why;
    bool replaced; /* PEER_GONE: another connection to the same peer is about to be live */
};

struct peer_live {
    struct message head;
    peer_t number;
    struct node_id id;
    uint8_t role;
    bool leaf;          /* it cannot be dialled (proto/ring.h) */
    uint64_t opened_ms; /* when it had proved who it is: it ran then */
};

struct peer_silent {
    struct message head;
    peer_t number;
    bool silent;
};

/* One encoded message (peer_encode) for a live peer. A peer that is gone gets nothing, silently:
 * PEER_GONE is on its way to whoever cares. */
struct peer_send {
    struct message head;
    peer_t number;
    enum lane lane;
    struct blob *bytes; /* owned holder */
    bool tell;          /* come back as PEER_SENT when the socket took the last of it, or the peer
                           is gone */
    uint64_t token[2];  /* the sender's own, for PEER_SENT */
};

/* One message of a live peer, decoded. Counts against the connection's window until it is freed:
 * who works on it keeps it (in request.mail) until the work is done. */
struct peer_mail {
    struct message head;
    peer_t number;
    enum peer_kind kind;
    union peer_any body; /* borrows from bytes */
    struct blob *bytes;  /* owned holder */
    struct owed *window; /* owned holder */
    uint64_t counted;    /* bytes to give back to the window */
};

/* A PEER_SEND of this message, or NULL without memory. Sets everything but head, tell, token. */
struct peer_send *peer_send_new(peer_t number, enum lane lane, enum peer_kind kind,
                                const void *body);

/* Encodes and sends in one; without memory nothing is sent (false). */
struct outbox;
bool peer_tell(struct outbox *out, peer_t number, enum lane lane, enum peer_kind kind,
               const void *body);

/* LEAVE: nobody here listens to what this peer tells of the contract. */
void peer_leave(struct outbox *out, peer_t number, const struct contract_key *key);

/* BLAME: this peer broke a rule. */
void peer_blame(struct outbox *out, peer_t number, const char *why);

/* A request that this node makes for itself: asked_by gets the answer. args are copied to behind
 * it, what they point at must outlive it (set mail for that). NULL without memory. */
struct request *request_new(enum actor_id asked_by, enum verb verb, const struct contract_key *key,
                            const struct slice *args, size_t count);

/* Counters of one connection: written by transport, read by connections on the same worker. */
struct peer_traffic {
    uint64_t holders;
    uint64_t bytes_in, bytes_out, queue; /* queue: bytes waiting to be sent */
    uint64_t heard_ms;  /* when the last record came; stands still while we do not read */
    uint64_t awaits_ms; /* when it was first told something after that; 0: it was not */
    bool watched;       /* connections knows that, and looks whether a word comes */
    bool paused;        /* its window is full: it is not read, and its silence says nothing */
};
struct peer_traffic *peer_traffic_new(void);
void peer_traffic_release(struct peer_traffic **self);

/* --- hosting ----------------------------------------------------------------------------- */

struct follow {
    struct message head;
    peer_t number;
    struct contract_key key;
    bool on;
    const struct kind *kind; /* where they are known: what waits for it can be merged then */
    struct blob *params;     /* owned holder; NULL with kind NULL */
};

/* Told after each fold while it is so. */
struct crowded {
    struct message head;
};

struct sync_order {
    struct message head;
    peer_t number;
    struct contract_key key;
    int code;
    struct reason why;
};

/* Keys of stored contracts, in key order, some at a time. */
struct holdings {
    struct message head;
    struct contract_key after; /* asked for: those after it; first time: started is false */
    bool started, end;         /* end: there are no more after these */
    size_t count;
    struct contract_key keys[HOLDINGS_A_SLICE];
    /* The last so many of them are all that damage left of a contract: nothing is stored. Told when
     * all else is (stored_end), from the lost_next-th damaged one on. */
    size_t lost, lost_next;
    bool stored_end;
};

/* Reading for others. The struct goes to storage and back for each part. */
struct walk {
    struct message head;
    enum actor_id asked_by;
    struct contract_key key;
    sync_walk_t *walk; /* owned */
    uint64_t tokens[2];
    /* filled in by storage */
    struct buffer entries; /* owned: entries the far side lacks, PEER_PIECE_BYTES or one entry */
    bool end;              /* nothing comes after these; the walk's body is complete */
    const struct kind *kind;
    struct blob *params; /* owned holder */
    struct fingerprint fingerprint;
    uint64_t seq; /* newest record that may be in entries: storage returns it flushed */
    int code;
    struct reason why;
};

#endif
