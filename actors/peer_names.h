/* peer_names: texts and socket addresses, and names looked up by a thread of its own, since the
 * system's resolver blocks (for seconds where a name server is silent). */
#ifndef WEIR_ACTORS_PEER_NAMES_H
#define WEIR_ACTORS_PEER_NAMES_H

#include "base/errors.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct addrinfo;

/* HOST:PORT into its parts; an IPv6 address in brackets, which are taken off. False: it is none. */
struct host_port {
    char host[256], port[6];
};
bool host_port_parse(const char *text, struct host_port *parts);

/* What a numeric address stands for, at once. 0 and *found (freeaddrinfo), or ERR_NOT_FOUND: it is
 * a name. */
MUST_USE int names_numeric(const struct host_port *parts, struct addrinfo **found);

/* ADDRESS:PORT, an IPv6 address in brackets, one that stands for IPv4 as that. */
void address_text(const struct sockaddr_storage *address, char *text, size_t size);

/* The address without its host's part: IPv4 /24 (as ::ffff:…), IPv6 /48. */
void address_prefix(const struct sockaddr_storage *address, uint8_t prefix[16]);

/* --- looking up -------------------------------------------------------------------------- */

typedef struct names names_t;

/* NULL with errno set. The thread starts with the first name. */
names_t *names_new(void);

/* Does not wait for a look-up that is under way: the thread ends by itself. */
void names_destroy(names_t **self);

int names_descriptor(const names_t *self); /* readable when an answer waits */

/* Asks; ERR_BUSY when RESOLVES_MAX are open, ERR_NO_MEMORY. */
MUST_USE int names_ask(names_t *self, uint64_t tag, const struct host_port *parts);

/* The next answer: *found (freeaddrinfo), or NULL and *error is getaddrinfo's. False: none waits.
 */
bool names_take(names_t *self, uint64_t *tag, struct addrinfo **found, int *error);

#endif
