#include "contracts/room_bans.h"

#include <stdlib.h>

static bool same_key(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, WRITER_KEY_BYTES) == 0;
}

static bool in_list(struct slice keys, const uint8_t *key)
{
    for (size_t at = 0; at < keys.size; at += WRITER_KEY_BYTES)
        if (same_key(keys.data + at, key))
            return true;
    return false;
}

/* --- which count ----------------------------------------------------------------------------- */

static int by_rank(const void *a, const void *b)
{
    const struct room_ban_entry *x = (const struct room_ban_entry *)a,
                                *y = (const struct room_ban_entry *)b;
    if (x->rank != y->rank)
        return x->rank - y->rank;
    if (x->ban.stamp != y->ban.stamp)
        return x->ban.stamp < y->ban.stamp ? -1 : 1;
    return memcmp(x->id, y->id, ROOM_ID_BYTES);
}

static int by_target(const void *a, const void *b)
{
    const struct room_ban *x = (const struct room_ban *)a, *y = (const struct room_ban *)b;
    int order = memcmp(x->target, y->target, WRITER_KEY_BYTES);
    return order ? order : memcmp(x->author, y->author, WRITER_KEY_BYTES);
}

/* The first ban of the list on this key, or where it would be. */
static size_t first_on(const struct room_bans *self, const uint8_t *target)
{
    size_t from = 0, to = self->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (memcmp(self->list[middle].target, target, WRITER_KEY_BYTES) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool owner_banned(const struct room_bans *self, const uint8_t *key)
{
    for (size_t i = first_on(self, key); i < self->count; i++) {
        if (!same_key(self->list[i].target, key))
            return false;
        if (same_key(self->list[i].author, self->owner))
            return true;
    }
    return false;
}

static void choose_moderators(struct room_bans *self, struct slice named)
{
    for (size_t at = 0; at < named.size; at += WRITER_KEY_BYTES)
        if (!owner_banned(self, named.data + at))
            memcpy(self->moderators + self->moderator_count++ * WRITER_KEY_BYTES, named.data + at,
                   WRITER_KEY_BYTES);
}

int room_bans_choose(struct room_bans *self, const uint8_t *owner, const struct room_config *config,
                     struct room_ban_entry *entries, size_t count)
{
    struct room_bans made = {.owner = owner};
    made.list = (struct room_ban *)calloc(count + 1, sizeof *made.list);
    if (!made.list)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *author = entries[i].ban.author;
        entries[i].rank = in_list(config->moderators, author) ? 1 : 2;
        if (same_key(author, owner))
            entries[i].rank = 0;
    }
    if (count)
        qsort(entries, count, sizeof *entries, by_rank);
    made.count = count < config->bans ? count : config->bans;
    for (size_t i = 0; i < made.count; i++)
        made.list[i] = entries[i].ban;
    if (made.count)
        qsort(made.list, made.count, sizeof *made.list, by_target);
    choose_moderators(&made, config->moderators);
    *self = made;
    return 0;
}

void room_bans_free(struct room_bans *self)
{
    free(self->list);
    *self = (struct room_bans){0};
}

/* --- whom they keep out ---------------------------------------------------------------------- */

bool room_bans_moderator(const struct room_bans *self, const uint8_t *key)
{
    return in_list(slice_of(self->moderators, self->moderator_count * WRITER_KEY_BYTES), key);
}

/* Is there a ban on this key, which is no moderator's, by the owner, a moderator, or one of those
 * `above` it in its chain? */
static bool is_banned(const struct room_bans *self, const uint8_t *key, struct slice above)
{
    for (size_t i = first_on(self, key); i < self->count; i++) {
        const struct room_ban *ban = &self->list[i];
        if (!same_key(ban->target, key))
            return false;
        if (same_key(ban->author, self->owner) || room_bans_moderator(self, ban->author))
            return true;
        for (size_t at = 0; at < above.size; at += ROOM_LINK_BYTES)
            if (same_key(above.data + at, ban->author))
                return true;
    }
    return false;
}

/* Where a chain starts to be looked at: behind its last moderator. */
static size_t chain_start(const struct room_bans *self, struct slice chain)
{
    size_t start = room_links(chain);
    while (start && !room_bans_moderator(self, room_link(chain, start - 1)))
        start--;
    return start;
}

bool room_bans_out(const struct room_bans *self, struct slice chain)
{
    if (!self->count)
        return false;
    size_t start = chain_start(self, chain), top = start ? start - 1 : 0;
    for (size_t i = start; i < room_links(chain); i++)
        if (is_banned(self, room_link(chain, i),
                      slice_of(room_link(chain, top), (i - top) * ROOM_LINK_BYTES)))
            return true;
    return false;
}

/* One by who is neither owner nor moderator does when its author is above its target in the
 * target's own chain, and in. */
bool room_bans_in_force(const struct room_bans *self, const struct room_ban *ban,
                        struct slice chain)
{
    if (same_key(self->owner, ban->author))
        return true;
    if (room_bans_moderator(self, ban->target))
        return false;
    if (room_bans_moderator(self, ban->author))
        return true;
    size_t start = chain_start(self, chain);
    for (size_t i = start ? start - 1 : 0; i + 1 < room_links(chain); i++)
        if (same_key(room_link(chain, i), ban->author))
            return !room_bans_out(self, slice_of(chain.data, (i + 1) * ROOM_LINK_BYTES));
    return false;
}
