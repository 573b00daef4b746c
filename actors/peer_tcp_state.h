/* peer_tcp_state: what peer_tcp.c (events, bytes), peer_tcp_listen.c (listening, accepting) and
 * peer_tcp_dial.c (the table of sockets, dialling) share. */
#ifndef WEIR_ACTORS_PEER_TCP_STATE_H
#define WEIR_ACTORS_PEER_TCP_STATE_H

#include "actors/peer_names.h"
#include "actors/peer_tcp.h"

enum socket_state { SOCKET_resolving, SOCKET_connecting, SOCKET_open, SOCKET_listening };

/* What `next` has to tell of a socket; those before others are told first. */
enum due { DUE_connected = 1, DUE_readable = 2, DUE_writable = 4, DUE_closed = 8, DUE_reset = 16 };

struct socket {
    int fd;     /* -1 while resolving */
    int number; /* the wire's */
    enum socket_state state;
    unsigned due;
    bool reading, short_write, was_reset;
    uint64_t tag;                       /* of its question to names */
    struct addrinfo *addresses, *tried; /* of a dial: all, and the one under way */
    char why[100];
    struct socket *next, *prev; /* in the queue of those with something due */
    bool queued;
};

struct peer_tcp {
    struct peer_wire wire;
    int epoll, timer; /* timer: the end of a pause in accepting */
    names_t *names;
    struct socket listener;
    bool accepting, paused;
    struct socket **sockets; /* by number */
    size_t sockets_count;
    struct socket *queue;
    uint64_t next_tag;
    char bound[80];
};

/* Something of it is due to be told; or nothing is any more. */
void tcp_queue(peer_tcp_t *self, struct socket *it, unsigned due);
void tcp_unqueue(peer_tcp_t *self, struct socket *it);

/* A socket with a number of its own; fd -1: none yet. NULL without memory. */
struct socket *tcp_new_socket(peer_tcp_t *self, int fd, enum socket_state state);
void tcp_free_socket(peer_tcp_t *self, struct socket *it);

/* Sets its options and adds it to the epoll set. */
bool tcp_watch(peer_tcp_t *self, struct socket *it);
void tcp_set_why(struct socket *it, const char *why);

/* Binds the listener, which accepts nothing yet. ERR_BAD_REQUEST, ERR_IO. */
MUST_USE int tcp_listen(peer_tcp_t *self, const char *text, struct reason *why);

/* Accepts one connection, if one waits, and says so in the event; peer_wire's want_accept; the end
 * of a pause for want of descriptors. */
void tcp_accept(peer_tcp_t *self, struct wire_event *event);
void tcp_want_accept(void *wire, bool on);
void tcp_end_pause(peer_tcp_t *self);

/* peer_wire's dial; names that were looked up; a connection that was made, or not. */
int tcp_dial(void *wire, const char *address);
void tcp_take_names(peer_tcp_t *self);
void tcp_connecting(peer_tcp_t *self, struct socket *it);

#endif
