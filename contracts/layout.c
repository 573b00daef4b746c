#include "contracts/layout.h"

int stamped_check(struct slice bytes, const char *what, struct reason *why)
{
    if (bytes.size < STAMPED_BYTES)
        return fail(why, ERR_BAD_STATE, "%s of %zu bytes, wanted at least %d", what, bytes.size,
                    STAMPED_BYTES);
    return stamp_check(get_u64(bytes.data), why);
}

int tagged_check(struct slice value, const char *what, struct reason *why)
{
    if (value.size < TAGGED_BYTES)
        return fail(why, ERR_BAD_STATE, "value of %zu bytes, a %s's has at least %d", value.size,
                    what, TAGGED_BYTES);
    uint8_t tag = value.data[8];
    if (tag > TAG_CLOSED)
        return fail(why, ERR_BAD_STATE, "tag %u, a %s knows 0 and 1", tag, what);
    if (tag == TAG_CLOSED && value.size > TAGGED_BYTES)
        return fail(why, ERR_BAD_STATE, "tag 1 is followed by %zu bytes, wanted none",
                    value.size - TAGGED_BYTES);
    return stamp_check(get_u64(value.data), why);
}
