/* spaces: network namespaces of this process, each with one interface, `eth0`, whose cable ends
 * here. The node in space N is 10.77.0.(N + 1), and knows the others' hardware addresses: there is
 * no ARP. What comes out of a cable is whole IPv4 packets with their checksums, none above the MTU
 * (offloads are off), and stays there until somebody carries it on (relay.h).
 *
 * They have no names, and go when the process goes, however that ends. It takes no device file:
 * packets are read and written by packet sockets, which work wherever namespaces do. */
#ifndef NET_SPACES_H
#define NET_SPACES_H

#include <stddef.h>

enum { SPACES_MAX = 8, SPACE_MTU = 1500, SPACE_HEADER = 14, SPACE_ADDRESS_MAX = 32 };

struct space {
    int fd;        /* its namespace */
    int cable;     /* a packet socket: frames out of it, frames into it; does not block */
    char path[64]; /* of fd, for other processes */
};

struct spaces {
    struct space space[SPACES_MAX];
    size_t count;
};

/* First thing in main, before there are threads: from here on the process is in a namespace of its
 * own without a network, where it may do as root does. Ends the program when the system does not
 * allow it. */
void spaces_enter(void);

/* Makes so many. Fails the test when it cannot. */
void spaces_new(struct spaces *self, size_t count);
void spaces_free(struct spaces *self);

/* Calls do_it there, in a thread of its own, and waits: a socket that it opens is one of the
 * space. */
void spaces_do(const struct spaces *self, size_t number, void (*do_it)(void *), void *argument);

/* "10.77.0.1" is that of space 0. */
void space_address(size_t number, char text[SPACE_ADDRESS_MAX]);

#endif
