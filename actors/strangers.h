/* strangers: how many connections of unknown nodes are let in, by where they come from: in all, at
 * once from one prefix (IPv4 /24, IPv6 /48), and how fast from one prefix. This machine's own
 * addresses have the limit in all only: who runs programs here has other means.
 *
 * A handshake costs this node some hundred microseconds of curves; so it is their number that is
 * bounded, before anything of them is read. */
#ifndef WEIR_ACTORS_STRANGERS_H
#define WEIR_ACTORS_STRANGERS_H

#include "base/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PREFIX_BYTES = 16 };

struct prefix;

/* Zero-initialise. */
struct strangers {
    struct prefix *prefixes; /* owned */
    size_t at_once;          /* admitted, not left */
    uint64_t swept_ms;
};

/* May one more come from there? Counts it if so; strangers_left follows once. (Whether there are
 * too many in all is the caller's to see: it makes the oldest go.) */
bool strangers_admit(struct strangers *self, const uint8_t prefix[PREFIX_BYTES], uint64_t now_ms);

/* One of them has become a peer, or is gone. */
void strangers_left(struct strangers *self, const uint8_t prefix[PREFIX_BYTES]);

void strangers_free(struct strangers *self);

#endif
