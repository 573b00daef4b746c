#include "contracts/sync.h"

#include "contracts/sync_tally.h"

#include <sodium/crypto_generichash.h>
#include <stdlib.h>

enum {
    PARTS_MIN = 8, /* a large range is split into 129 … 256 when it is alone, 5 … 8 when of many */
    KEY_BYTES = 32,
    TAIL_BYTES = 3 + ENTRY_KEY_BYTES_MAX + 2, /* a SKIP and the ASK for the rest, at most */
};

static const char key_label[] = "weir sync 1";

struct sync_walk {
    uint8_t key[KEY_BYTES];
    struct buffer in;
    struct sync_reader reader; /* its bound is where the open item ends */
    struct sync_item item;
    bool open, done;
    struct sync_bound at; /* the last entry looked at (past), or where to begin */
    bool past;
    struct sync_writer out;
    uint32_t met;     /* hashes of the item's list that own entries have, a bit each */
    size_t parts_max; /* of a split */
    struct sync_tally own;
};

_Static_assert(SYNC_LIST_MAX <= 32, "a bit for each hash of a list");
_Static_assert(SYNC_BODY_BYTES_MAX >
                   2 * TAIL_BYTES + SYNC_PARTS_MAX * (3 + ENTRY_KEY_BYTES_MAX + SYNC_SUM_BYTES),
               "the answer to one item fits, so that each walk gets on");

static sync_walk_t *walk_new(const uint8_t *salt, struct slice body)
{
    sync_walk_t *self = (sync_walk_t *)calloc(1, sizeof *self);
    if (!self)
        return NULL;
    buffer_append_slice(&self->in, body);
    if (buffer_failed(&self->in)) {
        sync_walk_destroy(&self);
        return NULL;
    }
    if (salt)
        crypto_generichash(self->key, KEY_BYTES, (const uint8_t *)key_label, sizeof key_label - 1,
                           salt, SYNC_SALT_BYTES);
    self->reader = sync_reader_of(buffer_slice(&self->in));
    self->parts_max = SYNC_PARTS_MAX;
    return self;
}

/* A walk over a body of one item about everything. */
static sync_walk_t *walk_over_all(const uint8_t *salt, enum sync_kind kind)
{
    struct sync_writer one = {0};
    struct sync_bound end = sync_bound_end();
    sync_writer_put(&one, kind, &end, slice_of(NULL, 0));
    sync_walk_t *self = buffer_failed(&one.bytes) ? NULL : walk_new(salt, buffer_slice(&one.bytes));
    buffer_free(&one.bytes);
    return self;
}

sync_walk_t *sync_walk_begin(const uint8_t salt[SYNC_SALT_BYTES])
{
    return walk_over_all(salt, SYNC_ASK);
}

sync_walk_t *sync_walk_all(void)
{
    return walk_over_all(NULL, SYNC_NONE);
}

/* Is it a body? *ranges: those that may have to be split. */
static int check_body(struct slice body, size_t *ranges, struct reason *why)
{
    struct sync_reader reader = sync_reader_of(body);
    struct sync_item item;
    int more;
    if (body.size > SYNC_BODY_BYTES_MAX)
        return fail(why, ERR_BAD_REQUEST, "sync: a body of %zu bytes, the most is %u", body.size,
                    SYNC_BODY_BYTES_MAX);
    while ((more = sync_reader_next(&reader, &item, why)) > 0)
        *ranges += item.kind == SYNC_SUM || item.kind == SYNC_ASK;
    return more;
}

/* Few ranges are split finely, to save round trips; many coarsely, to save bytes. */
static size_t parts_for(size_t ranges)
{
    size_t parts = SYNC_PARTS_MAX;
    for (; ranges > 2 && parts > PARTS_MIN; ranges /= 2)
        parts /= 2;
    return parts;
}

sync_walk_t *sync_walk_answer(const uint8_t salt[SYNC_SALT_BYTES], struct slice body, int *rc,
                              struct reason *why)
{
    size_t ranges = 0;
    int checked = check_body(body, &ranges, why);
    sync_walk_t *self = checked ? NULL : walk_new(salt, body);
    if (self)
        self->parts_max = parts_for(ranges);
    else
        *rc = checked ? checked : fail(why, ERR_NO_MEMORY, "no memory for a sync");
    return self;
}

void sync_walk_destroy(sync_walk_t **self)
{
    sync_walk_t *walk = *self;
    *self = NULL;
    if (!walk)
        return;
    buffer_free(&walk->in);
    buffer_free(&walk->out.bytes);
    sync_tally_free(&walk->own);
    free(walk);
}

struct slice sync_walk_body(const sync_walk_t *self)
{
    return buffer_slice(&self->out.bytes);
}

/* --- own entries of the open item ---------------------------------------------------------- */

static void hash_entry(const sync_walk_t *self, const struct entry *entry,
                       uint8_t hash[SYNC_SUM_BYTES])
{
    uint8_t head[ENTRY_HEAD_BYTES_MAX];
    crypto_generichash_state state;
    crypto_generichash_init(&state, self->key, KEY_BYTES, SYNC_SUM_BYTES);
    crypto_generichash_update(&state, head, entry_head(head, entry->key, entry->value));
    if (entry->value.size)
        crypto_generichash_update(&state, entry->value.data, entry->value.size);
    crypto_generichash_final(&state, hash, SYNC_SUM_BYTES);
}

/* Marks the first hash of the item's list that is the entry's. */
static bool on_list(sync_walk_t *self, const uint8_t hash[SYNC_SUM_BYTES])
{
    struct slice list = self->item.payload;
    for (size_t i = 0; i < list.size / SYNC_HASH_BYTES; i++)
        if (memcmp(list.data + i * SYNC_HASH_BYTES, hash, SYNC_HASH_BYTES) == 0) {
            self->met |= (uint32_t)1 << i;
            return true;
        }
    return false;
}

/* True: the far side lacks it. */
static bool look(sync_walk_t *self, const struct entry *entry)
{
    uint8_t hash[SYNC_SUM_BYTES];
    if (self->item.kind == SYNC_NONE)
        return true;
    hash_entry(self, entry, hash);
    switch (self->item.kind) {
    case SYNC_LIST:
        return !on_list(self, hash);
    case SYNC_WANT:
        return on_list(self, hash);
    case SYNC_SUM:
    case SYNC_ASK:
        sync_tally_add(&self->own, self->parts_max, sync_bound_key(&self->at), entry->key, hash);
        return false;
    case SYNC_SKIP:
    case SYNC_NONE:
    case SYNC_KINDS:
        break;
    }
    return false;
}

/* --- the answer to the open item ----------------------------------------------------------- */

static bool sums_equal(const sync_walk_t *self)
{
    struct sync_sum own = sync_tally_sum(&self->own);
    struct sync_sum far = sync_sum_read(self->item.payload.data);
    return own.high == far.high && own.low == far.low;
}

static void write_parts(sync_walk_t *self, const struct sync_bound *end)
{
    struct sync_tally *own = &self->own;
    own->parts[own->part_count - 1].bound = *end;
    for (size_t i = 0; i < own->part_count; i++) {
        uint8_t sum[SYNC_SUM_BYTES];
        put_u64(sum, own->parts[i].sum.high);
        put_u64(sum + 8, own->parts[i].sum.low);
        sync_writer_put(&self->out, SYNC_SUM, &own->parts[i].bound, slice_of(sum, sizeof sum));
    }
}

static void write_own(sync_walk_t *self, const struct sync_bound *end)
{
    const struct sync_tally *own = &self->own;
    if (own->count == 0)
        sync_writer_put(&self->out, SYNC_NONE, end, slice_of(NULL, 0));
    else if (own->count <= SYNC_LIST_MAX)
        sync_writer_put(&self->out, SYNC_LIST, end,
                        slice_of(own->hashes, own->count * SYNC_HASH_BYTES));
    else
        write_parts(self, end);
}

static void write_wants(sync_walk_t *self, const struct sync_bound *end)
{
    uint8_t wants[SYNC_LIST_MAX * SYNC_HASH_BYTES];
    struct slice list = self->item.payload;
    size_t size = 0;
    for (size_t i = 0; i < list.size / SYNC_HASH_BYTES; i++)
        if (!(self->met >> i & 1)) {
            memcpy(wants + size, list.data + i * SYNC_HASH_BYTES, SYNC_HASH_BYTES);
            size += SYNC_HASH_BYTES;
        }
    if (size)
        sync_writer_put(&self->out, SYNC_WANT, end, slice_of(wants, size));
    else
        sync_writer_skip(&self->out, end);
}

/* Writes the answer to the open item; one that does not fit any more is taken back, and the rest of
 * the key space asked for anew. */
static void close_item(sync_walk_t *self)
{
    const struct sync_bound *end = &self->reader.bound;
    struct sync_writer before = self->out;
    if (self->item.kind == SYNC_ASK || (self->item.kind == SYNC_SUM && !sums_equal(self)))
        write_own(self, end);
    else if (self->item.kind == SYNC_LIST)
        write_wants(self, end);
    else
        sync_writer_skip(&self->out, end);
    if (self->out.bytes.size > SYNC_BODY_BYTES_MAX - TAIL_BYTES) {
        struct buffer bytes = self->out.bytes;
        bytes.size = before.bytes.size;
        self->out = before;
        self->out.bytes = bytes;
        struct sync_bound last = sync_bound_end();
        sync_writer_put(&self->out, SYNC_ASK, &last, slice_of(NULL, 0));
        self->done = true;
    }
    self->at = *end;
    self->past = false;
    self->open = false;
}

/* --- the walk ------------------------------------------------------------------------------ */

/* Opens the next item. False: there is none. */
static bool open_item(sync_walk_t *self)
{
    struct reason why;
    if (sync_reader_next(&self->reader, &self->item, &why) <= 0)
        return false;
    self->open = true;
    self->met = 0;
    sync_tally_clear(&self->own);
    return true;
}

static bool in_range(const sync_walk_t *self, struct slice key)
{
    const struct sync_bound *end = &self->reader.bound;
    return end->end || slice_compare(key, sync_bound_key(end)) < 0;
}

/* Looks at the next entry of the open item, or closes it. ERR_AGAIN when there is no room. */
static int walk_on(sync_walk_t *self, const struct state_reader *state, size_t entries_bytes_max,
                   struct buffer *entries)
{
    struct entry entry;
    int rc = self->item.kind == SYNC_SKIP
                 ? ERR_NOT_FOUND
                 : state->seek(state->self, sync_bound_key(&self->at), self->past, &entry);
    if (rc == ERR_NOT_FOUND || (rc == 0 && !in_range(self, entry.key))) {
        close_item(self);
        return 0;
    }
    if (rc)
        return rc;
    if (look(self, &entry)) {
        size_t size = entry_size(entry.key, entry.value);
        if (entries->size &&
            (entries->size >= entries_bytes_max || size > entries_bytes_max - entries->size))
            return ERR_AGAIN;
        entry_append(entries, entry.key, entry.value);
        if (buffer_failed(entries))
            return ERR_NO_MEMORY;
    }
    sync_bound_set(&self->at, entry.key);
    self->past = true;
    return 0;
}

int sync_walk_step(sync_walk_t *self, const struct state_reader *state, size_t budget,
                   size_t entries_bytes_max, struct buffer *entries, struct reason *why)
{
    int rc = 0;
    while (rc == 0 && !self->done) {
        if (!self->open && !open_item(self))
            self->done = true;
        else if (budget-- == 0)
            rc = ERR_AGAIN;
        else
            rc = walk_on(self, state, entries_bytes_max, entries);
    }
    if (buffer_failed(&self->out.bytes) || self->own.failed)
        rc = ERR_NO_MEMORY;
    if (rc == ERR_NO_MEMORY)
        return fail(why, rc, "no memory for a sync");
    if (rc && rc != ERR_AGAIN)
        return fail(why, rc, "sync: the state could not be read: %s", error_text(rc));
    return rc;
}
