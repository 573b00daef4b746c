#include "contracts/sync_body.h"

enum { BOUND_END = 255 }; /* no bound shares so much: it is longer by at least one byte */

void sync_bound_set(struct sync_bound *self, struct slice key)
{
    self->end = false;
    self->size = (uint8_t)key.size;
    if (key.size)
        memcpy(self->key, key.data, key.size);
}

static bool take_u8(struct slice *rest, uint8_t *value)
{
    if (rest->size == 0)
        return false;
    *value = rest->data[0];
    *rest = slice_after(*rest, 1);
    return true;
}

static bool take(struct slice *rest, size_t size, struct slice *bytes)
{
    if (rest->size < size)
        return false;
    *bytes = slice_of(rest->data, size);
    *rest = slice_after(*rest, size);
    return true;
}

/* NULL, or what is wrong. */
static const char *take_bound(struct slice *rest, struct sync_bound *bound)
{
    uint8_t shared, size;
    struct slice tail;
    if (bound->end)
        return "an item after the end of all keys";
    if (!take_u8(rest, &shared))
        return "a bound is cut short";
    if (shared == BOUND_END) {
        *bound = sync_bound_end();
        return NULL;
    }
    if (!take_u8(rest, &size) || !take(rest, size, &tail))
        return "a bound is cut short";
    if (shared > bound->size || size > ENTRY_KEY_BYTES_MAX - shared)
        return "a bound is longer than a key or shares more than there is";
    /* ascending, and no shorter way to write it */
    if (size == 0 || (shared < bound->size && tail.data[0] <= bound->key[shared]))
        return "a bound is not past the one before it";
    memcpy(bound->key + shared, tail.data, size);
    bound->size = (uint8_t)(shared + size);
    return NULL;
}

static const char *take_payload(struct slice *rest, struct sync_item *item)
{
    uint8_t count;
    item->payload = slice_of(NULL, 0);
    switch (item->kind) {
    case SYNC_SUM:
        return take(rest, SYNC_SUM_BYTES, &item->payload) ? NULL : "a sum is cut short";
    case SYNC_LIST:
    case SYNC_WANT:
        if (!take_u8(rest, &count))
            return "a list is cut short";
        if (count == 0 || count > SYNC_LIST_MAX)
            return "a list of no hash or too many";
        return take(rest, (size_t)count * SYNC_HASH_BYTES, &item->payload) ? NULL
                                                                           : "a list is cut short";
    case SYNC_SKIP:
    case SYNC_NONE:
    case SYNC_ASK:
    case SYNC_KINDS:
        break;
    }
    return NULL;
}

static const char *take_item(struct sync_reader *self, struct sync_item *item)
{
    uint8_t kind;
    if (!take_u8(&self->rest, &kind) || kind >= SYNC_KINDS)
        return "an item of no known kind";
    item->kind = (enum sync_kind)kind;
    const char *wrong = take_bound(&self->rest, &self->bound);
    if (!wrong)
        wrong = take_payload(&self->rest, item);
    if (!wrong && kind == SYNC_SKIP && (self->skipped || self->rest.size == 0))
        wrong = "a SKIP with nothing after it to skip to";
    self->skipped = kind == SYNC_SKIP;
    return wrong;
}

int sync_reader_next(struct sync_reader *self, struct sync_item *item, struct reason *why)
{
    if (self->rest.size == 0)
        return 0;
    size_t left = self->rest.size;
    const char *wrong = take_item(self, item);
    return wrong ? fail(why, ERR_BAD_REQUEST, "sync: %s, %zu bytes before the end", wrong, left)
                 : 1;
}

static void write_bound(struct sync_writer *self, const struct sync_bound *bound)
{
    const struct sync_bound *last = &self->bound;
    size_t shared = 0;
    if (bound->end) {
        buffer_append_u8(&self->bytes, BOUND_END);
    } else {
        while (shared < last->size && last->key[shared] == bound->key[shared])
            shared++;
        buffer_append_u8(&self->bytes, (uint8_t)shared);
        buffer_append_u8(&self->bytes, (uint8_t)(bound->size - shared));
        buffer_append(&self->bytes, bound->key + shared, bound->size - shared);
    }
    self->bound = *bound;
}

void sync_writer_skip(struct sync_writer *self, const struct sync_bound *bound)
{
    self->skip_to = *bound;
    self->skips = true;
}

void sync_writer_put(struct sync_writer *self, enum sync_kind kind, const struct sync_bound *bound,
                     struct slice payload)
{
    if (self->skips) {
        buffer_append_u8(&self->bytes, SYNC_SKIP);
        write_bound(self, &self->skip_to);
        self->skips = false;
    }
    buffer_append_u8(&self->bytes, (uint8_t)kind);
    write_bound(self, bound);
    if (kind == SYNC_LIST || kind == SYNC_WANT)
        buffer_append_u8(&self->bytes, (uint8_t)(payload.size / SYNC_HASH_BYTES));
    buffer_append_slice(&self->bytes, payload);
}
