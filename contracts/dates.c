#include "contracts/dates.h"

static int refuse(const struct entries *walk, const struct entry *entry, uint64_t stamp,
                  uint64_t now_ms, struct reason *why)
{
    uint64_t ahead_ms = clock_ms(stamp) - now_ms;
    int rc = fail(why, ERR_BAD_STATE,
                  "it is dated %llu.%03u s ahead of this node's clock, the most is %u s",
                  (unsigned long long)(ahead_ms / 1000), (unsigned)(ahead_ms % 1000),
                  STAMP_AHEAD_MS_MAX / 1000);
    return entry_blame(walk->number, entry->key, rc, why);
}

/* An entry that is none of the kind makes the delta none: the walk ends there. */
static int check_as(const struct kind *kind, const struct contract_key *contract,
                    struct slice delta, uint64_t now_ms, struct reason *why)
{
    struct entries walk = entries_of(delta);
    struct entry entry;
    uint64_t latest = clock_stamp(now_ms + STAMP_AHEAD_MS_MAX, 0) | (CLOCK_TICKS_A_MS - 1), stamp;
    while (entries_next(&walk, &entry, NULL) > 0) {
        int rc = kind->dated(contract, entry.key, entry.value, latest, &stamp);
        if (rc > 0)
            return refuse(&walk, &entry, stamp, now_ms, why);
        if (rc < 0)
            break;
    }
    return 0;
}

int dates_check(const struct contract_key *contract, const struct kind *kind, struct slice delta,
                uint64_t now_ms, struct reason *why)
{
    int rc = 0;
    for (const struct kind *const *each = kinds; !rc && *each; each++)
        if ((*each)->dated && (!kind || kind == *each))
            rc = check_as(*each, contract, delta, now_ms, why);
    return rc;
}
