#include "contracts/kind.h"

/* K (kind): one file <kind>.c, which defines <kind>_kind, and one row here. */
#define KINDS(K) K(counter) K(register) K(multi_register) K(set) K(map) K(log) K(room)

#define DECLARE(name) extern const struct kind name##_kind;
KINDS(DECLARE)

#define ROW(name) &name##_kind,
const struct kind *const kinds[] = {KINDS(ROW) NULL};

const struct kind *kind_find(struct slice name)
{
    for (const struct kind *const *kind = kinds; *kind; kind++)
        if (slice_is(name, (*kind)->name))
            return *kind;
    return NULL;
}

int compare_bytes(struct slice a, struct slice b)
{
    return slice_compare(a, b);
}

uint64_t clock_stamp(uint64_t now_ms, uint64_t seen)
{
    uint64_t now_max = STAMP_MAX >> 16;
    uint64_t now = (now_ms < now_max ? now_ms : now_max) << 16;
    return now > seen ? now : seen + 1;
}

int stamp_check(uint64_t stamp, struct reason *why)
{
    if (stamp < 1 || stamp > STAMP_MAX)
        return fail(why, ERR_BAD_STATE, "its stamp or sequence number %llu is not in 1 … 2^63 - 1",
                    (unsigned long long)stamp);
    return 0;
}

int stamp_next(uint64_t now_ms, uint64_t seen, uint64_t *stamp, struct reason *why)
{
    uint64_t next = clock_stamp(now_ms, seen);
    if (next > STAMP_MAX)
        return fail(why, ERR_BAD_REQUEST, "all stamps are used up: an entry has the greatest one");
    *stamp = next;
    return 0;
}
