/* weir.h: libweir, what an app links to use contract state on a weir node.
 *
 *   weir_t *w = weir_new (NULL);                        the node at $WEIR_NODE or port 7510
 *   const struct weir_reply *reply;
 *   if (weir_get (w, key, &reply))
 *       puts (weir_error (w));
 *   weir_destroy (&w);
 *
 * A handle belongs to one thread at a time. Calls without _async wait for the reply; calls with it
 * return at once and hand the reply to a function, which runs inside weir_step or inside any call
 * that waits. Such a function may make _async calls; a waiting call inside it is WEIR_AGAIN.
 *
 * Every function that can fail returns 0 or a negative enum weir_error, and leaves its outputs as
 * they were. Bytes passed in are borrowed for the call and copied when they are needed longer.
 *
 * States and deltas are sorted maps of entries in one canonical encoding, and merging is the only
 * operation on them: in any order, any grouping, and any number of times the result is the same
 * (docs/protocol.md). Sizes are bytes, times milliseconds. */
#ifndef WEIR_H
#define WEIR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_VERSION "0.1.0"
#define WEIR_API     __attribute__((visibility("default")))

/* --- errors ---------------------------------------------------------------------------------- */

/* From WEIR_BAD_REQUEST to WEIR_INTERNAL: the node's answers. The rest is met on this side. */
enum weir_error {
    WEIR_OK = 0,
    WEIR_BAD_REQUEST = -1,  /* not well formed */
    WEIR_BAD_KIND = -2,     /* no such contract kind, or it cannot do this */
    WEIR_BAD_PARAMS = -3,   /* parameters do not fit the kind */
    WEIR_BAD_STATE = -4,    /* state or delta not valid for this contract */
    WEIR_NOT_FOUND = -5,    /* nothing is known under this key */
    WEIR_NO_LIVE_PEER = -6, /* the node has no live peer to ask */
    WEIR_TIMEOUT = -7,      /* no answer in time */
    WEIR_TOO_LARGE = -8,    /* a size is over its limit */
    WEIR_BUSY = -9,         /* too much work is open; try again */
    WEIR_STORE_FULL = -10,  /* the node's disk or limit is full */
    WEIR_DENIED = -11,      /* not allowed */
    WEIR_INTERNAL = -12,    /* the node met a fault of its own */
    WEIR_NO_NODE = -13,     /* no node answers at that endpoint */
    WEIR_LOST = -14,        /* the connection went away with the outcome unknown */
    WEIR_NO_MEMORY = -15,   /* out of memory */
    WEIR_IO = -16,          /* a file could not be read or written */
    WEIR_AGAIN = -20        /* not now: the window is full, or called from inside a callback */
};

/* The name of a code as on the wire ("OK" for 0), and what it means. Static; never NULL. */
WEIR_API const char *weir_error_name(int code);
WEIR_API const char *weir_error_text(int code);

/* A sentence for people, where there is no handle to ask. May be passed as NULL. */
struct weir_reason {
    char text[256];
};

/* The library's version, such as "0.1.0". Static. */
WEIR_API const char *weir_version(void);

/* --- bytes, keys ----------------------------------------------------------------------------- */

#define WEIR_KEY_BYTES         32u /* contract keys, writers' public keys, fingerprints */
#define WEIR_KEY_TEXT_MAX      90u /* room for base58 text and its end */
#define WEIR_ENTRY_VALUE_MAX   (1u << 20)
#define WEIR_DEFAULT_ENDPOINT  "tcp://127.0.0.1:7510"
#define WEIR_EDIT_OPERANDS_MAX 4000u      /* operands of one edit … */
#define WEIR_EDIT_BYTES_MAX    (1u << 20) /* … and their bytes: larger ones go in batches */

struct weir_bytes {
    const void *data;
    size_t size;
};

/* The bytes of a terminated text, without its end. Borrows. */
WEIR_API struct weir_bytes weir_text(const char *text);

/* 32 bytes to base58 text and back. WEIR_BAD_REQUEST when text is not that of 32 bytes. */
WEIR_API void weir_key_print(const uint8_t key[WEIR_KEY_BYTES], char text[WEIR_KEY_TEXT_MAX]);
WEIR_API int weir_key_parse(const char *text, uint8_t key[WEIR_KEY_BYTES]);

/* Gives back bytes that a function below returned as new. NULL is fine. */
WEIR_API void weir_free(void *bytes);

/* --- writers' keys --------------------------------------------------------------------------- */

/* An Ed25519 key pair that signs entries (RFC 8032); its secret lies in guarded memory. */
typedef struct weir_signer weir_signer_t;

/* A new pair from the system's random source. NULL without memory. */
WEIR_API weir_signer_t *weir_signer_new(void);
WEIR_API void weir_signer_destroy(weir_signer_t **signer);

/* Writes the pair to a new text file, mode 0600. WEIR_IO, also when the file exists: a key is
 * never overwritten. */
WEIR_API int weir_signer_save(const weir_signer_t *signer, const char *path,
                              struct weir_reason *why);
/* Reads such a file. WEIR_IO; WEIR_DENIED when others may read it; WEIR_BAD_REQUEST when it is no
 * key file. *signer is new. */
WEIR_API int weir_signer_load(const char *path, weir_signer_t **signer, struct weir_reason *why);

/* The public key, 32 bytes that live as long as the signer. */
WEIR_API const uint8_t *weir_signer_public(const weir_signer_t *signer);

/* A new CURVE key pair for nodes on other machines, in files as czmq's zcert makes them: path, the
 * public certificate, to be put in the node's --client-keys folder, and path_secret, mode 0600. The
 * public key is also given in Z85. WEIR_IO; nothing is overwritten. */
WEIR_API int weir_curve_new(const char *path, char public_key[41], struct weir_reason *why);

/* --- contracts ------------------------------------------------------------------------------- */

/* Kind and parameters: they make the contract's key, the same anywhere. */
typedef struct weir_contract weir_contract_t;

/* The i-th contract kind this library knows, and one line about it; NULL past the last. */
WEIR_API const char *weir_kind_name(size_t i);
WEIR_API const char *weir_kind_doc(size_t i);

/* A builder of parameters. */
typedef struct weir_params weir_params_t;
WEIR_API weir_params_t *weir_params_new(void); /* empty; NULL without memory */
WEIR_API void weir_params_destroy(weir_params_t **params);

/* Sets a parameter from text: `name` as it stands, `writers` as public keys in base58 with commas
 * between (any order), `newest` as a decimal number, `owner` as a public key in base58, `salt` in
 * hexadecimal digits. A second `writers` adds to the first; others
 * are replaced. WEIR_BAD_PARAMS for other names or texts, WEIR_TOO_LARGE. */
WEIR_API int weir_params_set(weir_params_t *params, const char *name, const char *text,
                             struct weir_reason *why);
/* Adds a listed writer. WEIR_TOO_LARGE past 256. */
WEIR_API int weir_params_add_writer(weir_params_t *params, const uint8_t writer[WEIR_KEY_BYTES]);
/* The canonical bytes; they live until the builder changes. */
WEIR_API struct weir_bytes weir_params_bytes(weir_params_t *params);

/* A contract from its kind and its canonical parameters (copied). WEIR_BAD_KIND, WEIR_BAD_PARAMS,
 * WEIR_NO_MEMORY. *contract is new. */
WEIR_API int weir_contract_new(const char *kind, struct weir_bytes params,
                               weir_contract_t **contract, struct weir_reason *why);
WEIR_API void weir_contract_destroy(weir_contract_t **contract);

/* Borrowed from the contract. The key is computed here, without a node: BLAKE2b-256. */
WEIR_API const uint8_t *weir_contract_key(const weir_contract_t *contract);
WEIR_API const char *weir_contract_kind(const weir_contract_t *contract);
WEIR_API struct weir_bytes weir_contract_params(const weir_contract_t *contract);
WEIR_API int weir_contract_signed(const weir_contract_t *contract); /* 1: has listed writers */

/* --- what states mean ------------------------------------------------------------------------ */

struct weir_item {
    struct weir_bytes name;  /* map: the field; room: the author's nickname; else empty */
    struct weir_bytes value; /* register, multi-register, set (the element), map, log, room */
    uint64_t time_ms;        /* register, map, log, room: Unix time of writing; else 0 */
    const uint8_t *writer;   /* contracts with listed writers, room: who, 32 bytes; else NULL */
    int64_t number;          /* counter: its value */
    int removed;             /* set, map: this element or field is taken away */
};

/* Returns 0 to go on; anything else ends the walk and is what weir_items returns. */
typedef int weir_item_fn(void *arg, const struct weir_item *item);

/* Lists what a state or a delta says, in byte order (log: in time order). Removals come with
 * `removed` set. A register never written has no item, a counter at most one. Items borrow from
 * state. WEIR_BAD_STATE, WEIR_NO_MEMORY. */
WEIR_API int weir_items(const weir_contract_t *contract, struct weir_bytes state,
                        weir_item_fn *item, void *arg, struct weir_reason *why);

/* A state kept in memory: what a subscriber merges its deltas into. */
typedef struct weir_state weir_state_t;
WEIR_API weir_state_t *weir_state_new(const weir_contract_t *contract); /* borrows the contract */
WEIR_API void weir_state_destroy(weir_state_t **state);
/* Merges a state or a delta. WEIR_BAD_STATE (nothing is changed then), WEIR_NO_MEMORY. */
WEIR_API int weir_state_merge(weir_state_t *state, struct weir_bytes delta,
                              struct weir_reason *why);
/* Its canonical bytes: equal states are equal bytes. They live until the next weir_state_ call. */
WEIR_API int weir_state_bytes(weir_state_t *state, struct weir_bytes *bytes);
/* Its fingerprint: what a node holding the same state tells. */
WEIR_API void weir_state_fingerprint(const weir_state_t *state, uint8_t fingerprint[32]);

/* Builds a delta without a node: what carries out `verb` on `state` (see weir_edit for verbs and
 * operands), signed by signer where the contract has listed writers. `replica` must be fresh for
 * every start of whoever edits, or else edits are lost when its memory was. *delta is
 * new, for weir_free, and NULL when there is nothing to do. WEIR_BAD_REQUEST, WEIR_BAD_KIND,
 * WEIR_BAD_STATE, WEIR_TOO_LARGE, WEIR_DENIED (no signer, or not a listed one). */
WEIR_API int weir_delta(const weir_contract_t *contract, struct weir_bytes state,
                        const uint8_t replica[8], uint64_t now_ms, const weir_signer_t *signer,
                        const char *verb, const struct weir_bytes *operands, size_t count,
                        uint8_t **delta, size_t *size, struct weir_reason *why);

/* --- a node ---------------------------------------------------------------------------------- */

typedef struct weir weir_t;

/* Zero or NULL takes the default. All are copied but signer, which must outlive the handle. */
struct weir_options {
    const char *endpoint;   /* "tcp://HOST:PORT", "ipc://PATH"; else $WEIR_NODE, else port 7510 */
    unsigned timeout_ms;    /* for each answer; 10,000 */
    unsigned window;        /* requests open at once; 256, at most 65,536 */
    size_t window_bytes;    /* their bytes; 64 MiB (a single larger one goes alone) */
    int dont_wait;          /* 1: a full window is WEIR_AGAIN; 0: _async calls wait for room */
    const char *server_key; /* the node's CURVE public key: Z85, base58, or a certificate file */
    const char *client_key; /* the own CURVE pair's path (weir_curve_new); else a fresh pair */
    const weir_signer_t *signer; /* signs edits of contracts with listed writers */
};

/* A handle that starts to connect and does not wait. Options that cannot be used are told by the
 * first call that needs the node. NULL without memory. */
WEIR_API weir_t *weir_new(const struct weir_options *options);

/* Requests without a reply are given up with WEIR_LOST. Not to be called inside a callback. */
WEIR_API void weir_destroy(weir_t **w);

/* Waits until the node is reached. Other calls need not be preceded by it. WEIR_NO_NODE at once
 * when the connection is refused; WEIR_DENIED when the node refuses our CURVE key. After a first
 * success a lost connection is made again by itself: open requests whose repetition is harmless
 * are sent again, edits fail with WEIR_LOST, subscriptions go on without a gap. */
WEIR_API int weir_connect(weir_t *w);

/* 1: the node is reached now, as far as the last step saw. */
WEIR_API int weir_connected(const weir_t *w);

/* The sentence of the last call that failed on this handle; "" before the first. */
WEIR_API const char *weir_error(const weir_t *w);

/* For an event loop: poll fd for reading, for at most weir_wait_ms (0: something waits already,
 * -1: no limit), then call weir_step (w, 0). */
WEIR_API int weir_fd(const weir_t *w);
WEIR_API int weir_wait_ms(weir_t *w);

/* Does what there is to do: sends, takes replies and notifications, calls callbacks. Waits up to
 * wait_ms (-1: no limit) for something to happen first. The number of callbacks called, or an
 * error when the handle cannot work. */
WEIR_API int weir_step(weir_t *w, int wait_ms);

/* Waits until no request is open. */
WEIR_API int weir_drain(weir_t *w);
WEIR_API size_t weir_open(const weir_t *w); /* requests open now */

/* A reply. Which fields are set depends on the verb; the others are NULL or 0. Lives until the
 * next call on the handle, or, given to a function, until that returns. */
struct weir_reply {
    int code;                   /* 0 or an enum weir_error */
    const char *sentence;       /* why, for people; "" on success */
    const uint8_t *key;         /* put: 32 bytes */
    const char *kind;           /* get, subscribe */
    struct weir_bytes params;   /* get, subscribe */
    struct weir_bytes state;    /* get, subscribe */
    const uint8_t *fingerprint; /* put, get, update, edit, subscribe: 32 bytes */
    uint32_t hosts;             /* put: nodes known to hold it */
    int changed;                /* update, edit: 1 when it brought something new */
    struct weir_bytes json;     /* status, peers, contracts, peer_*, backup, check */
};

typedef void weir_done_fn(weir_t *w, const struct weir_reply *reply, void *arg);

/* Creates a contract, or merges into it. States over 1 MiB are checked here and go in pieces, of
 * which the first may be merged when a later one fails. *reply (may be NULL) has key, fingerprint,
 * hosts. */
WEIR_API int weir_put(weir_t *w, const char *kind, struct weir_bytes params,
                      struct weir_bytes state, const struct weir_reply **reply);
WEIR_API int weir_put_async(weir_t *w, const char *kind, struct weir_bytes params,
                            struct weir_bytes state, weir_done_fn *done, void *arg);

/* Reads a state. */
WEIR_API int weir_get(weir_t *w, const uint8_t key[32], const struct weir_reply **reply);
WEIR_API int weir_get_async(weir_t *w, const uint8_t key[32], weir_done_fn *done, void *arg);

/* Reads its entries from first to last entry key, both included; last NULL: no end. */
WEIR_API int weir_get_range(weir_t *w, const uint8_t key[32], struct weir_bytes first,
                            const struct weir_bytes *last, const struct weir_reply **reply);
WEIR_API int weir_get_range_async(weir_t *w, const uint8_t key[32], struct weir_bytes first,
                                  const struct weir_bytes *last, weir_done_fn *done, void *arg);

/* Merges a delta. Over 1 MiB as weir_put. *reply has fingerprint, changed. */
WEIR_API int weir_update(weir_t *w, const uint8_t key[32], struct weir_bytes delta,
                         const struct weir_reply **reply);
WEIR_API int weir_update_async(weir_t *w, const uint8_t key[32], struct weir_bytes delta,
                               weir_done_fn *done, void *arg);

/* A wish in the kind's own words; the node builds the delta where it merges, so that two clients
 * that add 1 at the same time make 2.
 *   counter add N · register, multi-register set VALUE · set add|remove ELEMENT… ·
 *   map set FIELD VALUE … | remove FIELD… · log append DATA…
 * With a signer, and where the contract has listed writers, the delta is built here from the
 * entries concerned alone, signed, and sent as an UPDATE; those edits go
 * one after the other. *reply has fingerprint, changed. */
WEIR_API int weir_edit(weir_t *w, const uint8_t key[32], const char *verb,
                       const struct weir_bytes *operands, size_t count,
                       const struct weir_reply **reply);
WEIR_API int weir_edit_async(weir_t *w, const uint8_t key[32], const char *verb,
                             const struct weir_bytes *operands, size_t count, weir_done_fn *done,
                             void *arg);

/* The same, spelled for each kind. 1: changed, 0: nothing new, or an error. */
WEIR_API int weir_counter_add(weir_t *w, const uint8_t key[32], int64_t n);
WEIR_API int weir_register_set(weir_t *w, const uint8_t key[32], struct weir_bytes value);
WEIR_API int weir_set_add(weir_t *w, const uint8_t key[32], struct weir_bytes element);
WEIR_API int weir_set_remove(weir_t *w, const uint8_t key[32], struct weir_bytes element);
WEIR_API int weir_map_set(weir_t *w, const uint8_t key[32], struct weir_bytes field,
                          struct weir_bytes value);
WEIR_API int weir_map_remove(weir_t *w, const uint8_t key[32], struct weir_bytes field);
WEIR_API int weir_log_append(weir_t *w, const uint8_t key[32], struct weir_bytes data);

/* --- subscriptions --------------------------------------------------------------------------- */

enum weir_event_kind {
    WEIR_EVENT_STATE,  /* first: the whole state (empty when `known` was up to date) */
    WEIR_EVENT_DELTA,  /* what changed since the last event */
    WEIR_EVENT_REPAIR, /* something was missed: the whole state, to be merged like a delta */
    WEIR_EVENT_ENDED   /* the node will not go on: see code; the subscription is gone */
};

struct weir_event {
    enum weir_event_kind kind;
    int code;                        /* ENDED: why */
    const char *sentence;            /* ENDED: the same for people; else "" */
    const uint8_t *key;              /* 32 bytes */
    const weir_contract_t *contract; /* lives as long as the subscription; NULL when never known */
    struct weir_bytes delta;
    const uint8_t *before, *after; /* fingerprints, 32 bytes; before NULL: nothing was known */
};

typedef void weir_event_fn(weir_t *w, const struct weir_event *event, void *arg);

/* Follows a contract until weir_unsubscribe. Events come inside weir_step and calls that wait, in
 * order, and have no gap: each `before` is the last `after`. known: the fingerprint of what the app
 * has already, or NULL. One subscription a key and handle (WEIR_BAD_REQUEST). */
WEIR_API int weir_subscribe(weir_t *w, const uint8_t key[32], const uint8_t *known,
                            weir_event_fn *event, void *arg);
/* done (with its own argument) gets the first answer, after the first event. */
WEIR_API int weir_subscribe_async(weir_t *w, const uint8_t key[32], const uint8_t *known,
                                  weir_event_fn *event, void *arg, weir_done_fn *done,
                                  void *done_arg);
/* No event comes after it. Does not wait, so that an event's function may call it.
 * WEIR_NOT_FOUND when there was no such subscription. */
WEIR_API int weir_unsubscribe(weir_t *w, const uint8_t key[32]);

/* --- the node itself ------------------------------------------------------------------------- */

/* *reply has json. weir_check and weir_backup (to an absolute path on the node's machine, absent or
 * empty) take as long as they need; weir_status tells meanwhile how far they are. */
WEIR_API int weir_status(weir_t *w, const struct weir_reply **reply);
WEIR_API int weir_peers(weir_t *w, const struct weir_reply **reply);
WEIR_API int weir_peers_matrix(weir_t *w, const struct weir_reply **reply); /* as its peers tell */
WEIR_API int weir_contracts(weir_t *w, const struct weir_reply **reply);
WEIR_API int weir_peer_connect(weir_t *w, const char *id_at_address,
                               const struct weir_reply **reply);
WEIR_API int weir_peer_disconnect(weir_t *w, const char *id, const struct weir_reply **reply);
WEIR_API int weir_backup(weir_t *w, const char *path, const struct weir_reply **reply);
WEIR_API int weir_check(weir_t *w, const struct weir_reply **reply);
WEIR_API int weir_status_async(weir_t *w, weir_done_fn *done, void *arg);
WEIR_API int weir_backup_async(weir_t *w, const char *path, weir_done_fn *done, void *arg);
WEIR_API int weir_check_async(weir_t *w, weir_done_fn *done, void *arg);

#ifdef __cplusplus
}
#endif
#endif
