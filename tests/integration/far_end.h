/* far_end: the other end of a connection to a node, and the ways in which it ends. Some are played
 * here, some are nodes of their own. */
#ifndef WEIR_TESTS_INTEGRATION_FAR_END_H
#define WEIR_TESTS_INTEGRATION_FAR_END_H

#include "tests/support/fake_peer.h"
#include "tests/support/network.h"

/* How it ends. X (name, what is done, counts of STATUS of which one goes up) */
#define END_KINDS(X)                                                                               \
    X(fin, "FIN", "closed_closed", "")                                                             \
    X(rst, "RST", "closed_reset", "")                                                              \
    X(goodbye, "goodbye", "closed_goodbye", "")                                                    \
    X(kill, "process killed", "closed_closed", "closed_reset")                                     \
    X(node_killed, "node killed", "closed_closed", "closed_reset")                                 \
    X(node_stops, "node stops", "closed_goodbye", "")
enum end_kind {
#define X(name, text, count, other) END_##name,
    END_KINDS(X)
#undef X
        END_KIND_COUNT
};
static inline bool is_node(enum end_kind kind)
{
    return kind >= END_node_killed;
}

struct end_kind_row {
    const char *text, *counts[2];
};
extern const struct end_kind_row end_kinds[END_KIND_COUNT];

struct far_end {
    enum end_kind kind;
    char id[BASE58_TEXT_MAX];
    bool live, gone;   /* the caller's: as the node reports it */
    int64_t closed_ms; /* when it was ended, since 1970; 0: not yet */
    struct fake_peer fake;
    int fd; /* -1: it is another process's */
    session_t *session;
    pid_t child; /* holds the socket, to be killed */
    struct network_node *node;
};

/* Opens a connection to the first node of the network: its last node then, where it is one. */
void far_end_open(struct far_end *self, struct network *network, enum end_kind kind);
void far_end_close(struct far_end *self); /* as its kind does */

/* What is left of it, when the node has reported its end. Nodes in the order of their numbers, the
 * last one first. */
void far_end_forget(struct far_end *self, struct network *network);

#endif
