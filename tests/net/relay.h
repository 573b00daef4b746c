/* relay: carries packets between spaces, in a thread of its own, each of its n × (n - 1) ways by
 * its line's rules. True loss and cuts: the kernel's TCP at both ends sees what it would see of a
 * bad network.
 *
 * A way is written from → to. Rules hold from the moment they are set, for what is under way a cut
 * alone. */
#ifndef NET_RELAY_H
#define NET_RELAY_H

#include "tests/net/line.h"
#include "tests/net/spaces.h"

typedef struct relay relay_t;

/* The spaces are borrowed until it is destroyed. Its lines have no delay and lose nothing. */
relay_t *relay_new(const struct spaces *spaces, uint64_t seed);
void relay_destroy(relay_t **self);

/* The rules of one way, and of all. */
void relay_rule(relay_t *self, size_t from, size_t to, const struct line_rules *rules);
void relay_rule_all(relay_t *self, const struct line_rules *rules);

/* Cuts, or heals, one way; the other rules stay. */
void relay_cut(relay_t *self, size_t from, size_t to, bool cut);
/* All ways between the spaces of a set (bit N: space N) and the others. one_way: only those out of
 * the set. */
void relay_cut_off(relay_t *self, unsigned set, bool one_way, bool cut);

/* What one way, or all together, carried and dropped. */
struct relay_counts {
    uint64_t carried, lost, cut, overflowed;
};
struct relay_counts relay_counts(relay_t *self, size_t from, size_t to);
struct relay_counts relay_counts_all(relay_t *self);

#endif
