/* client_protocol: the client socket's verbs and frames (design.md §4, docs/protocol.md).
 *
 *   request: WEIR1 · request id (1–16) · verb · arguments…
 *   reply:   WEIR1 · request id · OK or an error's name · fields…   (an error's field: a sentence)
 *   notify:  WEIR1 · subscribe request's id · NOTIFY · key · delta · fingerprint before · after
 *
 * Both sides use this: the node to check what comes in, libweir to name what it sends. No sockets
 * here. */
#ifndef WEIR_PROTO_CLIENT_PROTOCOL_H
#define WEIR_PROTO_CLIENT_PROTOCOL_H

#include "base/errors.h"
#include "base/limits.h"
#include "base/slice.h"

#define CLIENT_PROTOCOL_NAME   "WEIR1"
#define CLIENT_PROTOCOL_NOTIFY "NOTIFY"
#define CLIENT_PROTOCOL_OK     "OK"

/* V (verb, least arguments, most arguments, sizes, doc). sizes: one letter an argument, the last
 * one repeated: k contract key (32), n kind name, p params, s state or delta (--max-state), e entry
 * key, f fingerprint (0 or 32), w word (1–32), o operand (an entry's value), t text (≤ 4096). */
#define CLIENT_VERBS(V)                                                                            \
    V(PUT, 3, 3, "nps", "kind, params, state: creates or merges")                                  \
    V(GET, 1, 3, "kee", "key [, first, last entry key]: reads")                                    \
    V(UPDATE, 2, 2, "ks", "key, delta: merges")                                                    \
    V(EDIT, 2, EDIT_OPERANDS_MAX, "kwo", "key, operation, operands: the node builds the delta")    \
    V(SUBSCRIBE, 2, 2, "kf", "key, fingerprint known: reads and follows")                          \
    V(UNSUBSCRIBE, 1, 1, "k", "key: follows no more")                                              \
    V(STATUS, 0, 0, "", "the node, as JSON")                                                       \
    V(PEERS, 0, 1, "t", "its peers, as JSON; `matrix`: who is connected to whom")                  \
    V(CONTRACTS, 0, 0, "", "what it hosts, as JSON")                                               \
    V(CONNECT, 1, 1, "t", "ID@HOST:PORT: dials a peer")                                            \
    V(DISCONNECT, 1, 1, "t", "ID: removes a peer")                                                 \
    V(BACKUP, 1, 1, "t", "absolute path on the node's machine: hot copy (ipc and loopback only)")  \
    V(CHECK, 0, 0, "", "verifies every stored record")

enum verb {
#define V(name, least, most, sizes, doc) VERB_##name,
    CLIENT_VERBS(V)
#undef V
        VERB_COUNT
};

struct verb_row {
    const char *name;
    size_t args_min, args_max;
    const char *sizes;
    const char *doc;
};
extern const struct verb_row client_verbs[VERB_COUNT];

/* VERB_COUNT for a name that is not in the list. */
enum verb client_verb_find(struct slice name);

/* Checks a request's frames, as they came: protocol name, id, verb, number and sizes of arguments.
 * 0 and *verb; ERR_BAD_REQUEST or ERR_TOO_LARGE with a sentence that says what was wanted.
 * frames[1] is the id to answer under if count >= 2 and its size is legal (client_request_id
 * tells). */
MUST_USE int client_request_check(const struct slice *frames, size_t count,
                                  uint64_t state_bytes_max, enum verb *verb, struct reason *why);

/* The request id of frames that may be anything else than a request; false when there is none. */
bool client_request_id(const struct slice *frames, size_t count, struct slice *id);

#endif
