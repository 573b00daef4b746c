/* checksum: XXH3-64 with a seed, the checksum of every stored record. It finds damage; it is no
 * proof against forgery, which is why the log's seed is a secret of the data (store/log.h). */
#ifndef WEIR_STORE_CHECKSUM_H
#define WEIR_STORE_CHECKSUM_H

#include "base/slice.h"

uint64_t checksum_of(struct slice bytes, uint64_t seed);

#endif
