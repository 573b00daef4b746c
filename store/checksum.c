#include "store/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t checksum_of(struct slice bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.size ? bytes.data : (const uint8_t *)"", bytes.size, seed);
}
