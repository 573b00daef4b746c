#include "actors/strangers.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* Kept while some are there, and until its allowance is whole again. */
struct prefix {
    uint8_t bytes[PREFIX_BYTES];
    size_t at_once;
    uint64_t spent_ms; /* of its allowance, as of seen_ms; one handshake is COST_MS */
    uint64_t seen_ms;
    UT_hash_handle hh;
};

enum {
    COST_MS = 1000 / PREFIX_HANDSHAKES_S,
    ALLOWANCE_MS = COST_MS * PREFIX_HANDSHAKES_MAX,
    SWEEP_EVERY_MS = 1000
};

static bool is_this_machine(const uint8_t prefix[PREFIX_BYTES])
{
    static const uint8_t v6[PREFIX_BYTES]; /* of ::1 */
    static const uint8_t v4[13] = {[10] = 0xff, [11] = 0xff, [12] = 127};
    return memcmp(prefix, v6, sizeof v6) == 0 || memcmp(prefix, v4, sizeof v4) == 0;
}

static void recover(struct prefix *prefix, uint64_t now_ms)
{
    uint64_t passed = now_ms - prefix->seen_ms;
    prefix->spent_ms -= passed < prefix->spent_ms ? passed : prefix->spent_ms;
    prefix->seen_ms = now_ms;
}

static void forget(struct strangers *self, struct prefix *prefix)
{
    HASH_DEL(self->prefixes, prefix);
    free(prefix);
}

/* Forgets those that nothing is held against. */
static void sweep(struct strangers *self, uint64_t now_ms)
{
    struct prefix *prefix, *next;
    if (now_ms < self->swept_ms + SWEEP_EVERY_MS)
        return;
    self->swept_ms = now_ms;
    HASH_ITER (hh, self->prefixes, prefix, next) {
        recover(prefix, now_ms);
        if (!prefix->at_once && !prefix->spent_ms)
            forget(self, prefix);
    }
}

static struct prefix *prefix_of(struct strangers *self, const uint8_t bytes[PREFIX_BYTES],
                                uint64_t now_ms)
{
    struct prefix *prefix;
    HASH_FIND(hh, self->prefixes, bytes, PREFIX_BYTES, prefix);
    if (prefix)
        return prefix;
    if (HASH_COUNT(self->prefixes) >= PREFIXES_MAX)
        sweep(self, now_ms);
    if (HASH_COUNT(self->prefixes) >= PREFIXES_MAX)
        return NULL;
    prefix = (struct prefix *)calloc(1, sizeof *prefix);
    if (!prefix)
        return NULL;
    memcpy(prefix->bytes, bytes, PREFIX_BYTES);
    prefix->seen_ms = now_ms;
    HASH_ADD(hh, self->prefixes, bytes, PREFIX_BYTES, prefix);
    if (HASH_TOOK(hh, prefix))
        return prefix;
    free(prefix);
    return NULL;
}

bool strangers_admit(struct strangers *self, const uint8_t bytes[PREFIX_BYTES], uint64_t now_ms)
{
    if (!is_this_machine(bytes)) {
        struct prefix *prefix = prefix_of(self, bytes, now_ms);
        if (!prefix)
            return false;
        recover(prefix, now_ms);
        if (prefix->at_once >= HANDSHAKES_A_PREFIX || prefix->spent_ms + COST_MS > ALLOWANCE_MS)
            return false;
        prefix->spent_ms += COST_MS;
        prefix->at_once++;
    }
    self->at_once++;
    return true;
}

void strangers_left(struct strangers *self, const uint8_t bytes[PREFIX_BYTES])
{
    struct prefix *prefix;
    self->at_once--;
    HASH_FIND(hh, self->prefixes, bytes, PREFIX_BYTES, prefix);
    if (prefix)
        prefix->at_once--;
}

void strangers_free(struct strangers *self)
{
    struct prefix *prefix, *next;
    HASH_ITER (hh, self->prefixes, prefix, next) {
        forget(self, prefix);
    }
}
