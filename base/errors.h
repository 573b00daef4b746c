/* errors: what can go wrong, one list. Codes are negative; 0 is success.
 *
 * The first group is the client protocol's (docs/protocol.md): a code's name is what a reply
 * carries. The second group never leaves the process that met it. Foreign codes (errno, MDB_*) are
 * translated into these in one function a room. */
#ifndef WEIR_BASE_ERRORS_H
#define WEIR_BASE_ERRORS_H

#include <stddef.h>

/* X (code, value, name on the wire, what it means) */
#define ERRORS(X)                                                                                  \
    X(ERR_BAD_REQUEST, -1, "BAD_REQUEST", "the request is not well formed")                        \
    X(ERR_BAD_KIND, -2, "BAD_KIND", "there is no such contract kind, or it cannot do this")        \
    X(ERR_BAD_PARAMS, -3, "BAD_PARAMS", "the parameters do not fit the kind")                      \
    X(ERR_BAD_STATE, -4, "BAD_STATE", "the state or delta is not valid for this contract")         \
    X(ERR_NOT_FOUND, -5, "NOT_FOUND", "nothing is known under this key")                           \
    X(ERR_NO_LIVE_PEER, -6, "NO_LIVE_PEER", "no live peer to ask")                                 \
    X(ERR_TIMEOUT, -7, "TIMEOUT", "no answer in time")                                             \
    X(ERR_TOO_LARGE, -8, "TOO_LARGE", "a size is over its limit")                                  \
    X(ERR_BUSY, -9, "BUSY", "too much work is open; try again")                                    \
    X(ERR_STORE_FULL, -10, "STORE_FULL", "the disk or the store's limit is full")                  \
    X(ERR_DENIED, -11, "DENIED", "not allowed")                                                    \
    X(ERR_INTERNAL, -12, "INTERNAL", "the node met a fault of its own")                            \
    X(ERR_NO_NODE, -13, "NO_NODE", "no node answers at that endpoint")                             \
    X(ERR_LOST, -14, "LOST", "the connection was lost with the outcome unknown")                   \
    X(ERR_NO_MEMORY, -15, "NO_MEMORY", "out of memory")                                            \
    X(ERR_IO, -16, "IO", "a file could not be read or written")                                    \
    X(ERR_DAMAGED, -17, "DAMAGED", "stored bytes do not match their checksum")                     \
    X(ERR_LOCKED, -18, "LOCKED", "another process uses this data")                                 \
    X(ERR_NEWER_FORMAT, -19, "NEWER_FORMAT", "the data was written by a newer weir")               \
    X(ERR_AGAIN, -20, "AGAIN", "not now; the caller waits and repeats")

enum error {
    ERR_NONE = 0,
#define X(code, value, name, text) code = value,
    ERRORS(X)
#undef X
};

#define ERR_LAST_ON_WIRE ERR_INTERNAL /* codes below it are never sent to a client */

#define MUST_USE __attribute__((warn_unused_result))

/* A sentence for people that goes with an error. Always terminated; cut when too long. */
struct reason {
    char text[256];
};

/* The name of a code ("OK" for 0), and what it means. Static text; never NULL. */
const char *error_name(int code);
const char *error_text(int code);

/* The code of a name as it stands on the wire (size bytes, not terminated): 0 for "OK",
 * ERR_BAD_REQUEST for a name that is not in the list. */
int error_from_name(const void *name, size_t size);

/* Writes the sentence into why (may be NULL) and returns code: `return fail (why, ERR_X, "…", …)`.
 */
int fail(struct reason *why, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
