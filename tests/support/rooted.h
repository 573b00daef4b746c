/* rooted: contracts that a node of a network is the root of: what the others write goes by it. */
#ifndef WEIR_TESTS_SUPPORT_ROOTED_H
#define WEIR_TESTS_SUPPORT_ROOTED_H

#include "tests/support/network.h"

/* Puts a contract of this kind at the root; all others get it, which follow the root and not each
 * other. Its key. */
void rooted_put(struct network *network, size_t root, const char *kind, uint8_t key[32]);

#endif
