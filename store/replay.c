/* replay: the log's records done again, at a start and in a backup. Changes are joins: to do one
 * that is in LMDB already does no harm. A drop is no join. What it dropped may be half gone from
 * LMDB when a fold was cut short; so records of a contract before its last drop are passed over,
 * the drop hides what is left, and what came behind it is merged anew. */
#include "store/store_state.h"

#include "store/record.h"

#include <stdlib.h>

enum { DROP_BYTES_MAX = 256 }; /* larger records need not be looked at */

struct last_drop {
    struct contract_key key;
    uint64_t seq;
};

struct last_drops {
    struct last_drop *rows; /* by key */
    size_t count;
};

static int by_key(const void *a, const void *b)
{
    const struct last_drop *x = (const struct last_drop *)a, *y = (const struct last_drop *)b;
    int order = memcmp(x->key.bytes, y->key.bytes, CONTRACT_KEY_BYTES);
    return order ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

static bool read_drop(const store_t *self, const struct blob *blob, struct log_record *record)
{
    return blob->size <= DROP_BYTES_MAX && record_read(blob_slice(blob), self->db->salt, record) &&
           record_is_drop(record);
}

static int collect_drops(const store_t *self, const struct scan *scan, struct last_drops *drops,
                         struct reason *why)
{
    struct log_record record;
    size_t count = 0;
    *drops = (struct last_drops){0};
    for (size_t i = 0; i < scan->count; i++)
        count += read_drop(self, scan->rows[i].record, &record);
    if (count == 0)
        return 0;
    drops->rows = (struct last_drop *)calloc(count, sizeof drops->rows[0]);
    if (!drops->rows)
        return fail(why, ERR_NO_MEMORY, "out of memory while reading the log in %s", scan->dir);
    for (size_t i = 0; i < scan->count; i++) {
        if (!read_drop(self, scan->rows[i].record, &record))
            continue;
        struct last_drop *row = &drops->rows[drops->count++];
        memcpy(row->key.bytes, record.contract, CONTRACT_KEY_BYTES);
        row->seq = record.seq;
    }
    qsort(drops->rows, drops->count, sizeof drops->rows[0], by_key);
    return 0;
}

/* The seq of the contract's last drop; 0: it was not dropped. */
static uint64_t last_drop(const struct last_drops *drops, const uint8_t key[CONTRACT_KEY_BYTES])
{
    size_t from = 0, to = drops->count; /* the last row that is not behind (key, any seq) */
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (memcmp(drops->rows[middle].key.bytes, key, CONTRACT_KEY_BYTES) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    bool found = from > 0 && memcmp(drops->rows[from - 1].key.bytes, key, CONTRACT_KEY_BYTES) == 0;
    return found ? drops->rows[from - 1].seq : 0;
}

static int replay_one(store_t *self, const struct blob *blob, const struct last_drops *drops,
                      struct reason *why)
{
    struct log_record record;
    int rc = 0;
    if (!record_read(blob_slice(blob), self->db->salt, &record))
        return ERR_DAMAGED;
    if (record.seq >= last_drop(drops, record.contract))
        rc = record_is_drop(&record) ? store_replay_drop(self, &record, why)
                                     : store_replay_merge(self, &record, why);
    if (rc == 0 && record.seq > self->last_seq)
        self->last_seq = record.seq;
    return rc;
}

int store_replay(store_t *self, const struct scan *scan, struct reason *why)
{
    struct last_drops drops;
    int rc = collect_drops(self, scan, &drops, why);
    for (size_t i = 0; rc == 0 && i < scan->count; i++) {
        if (scan->rows[i].seq <= self->folded_seq)
            continue;
        rc = replay_one(self, scan->rows[i].record, &drops, why);
        self->replayed += rc == 0;
        self->damaged += rc == ERR_DAMAGED;
        rc = rc == ERR_DAMAGED ? 0 : rc;
    }
    free(drops.rows);
    return rc;
}
