#include "store/scan.h"

#include <malloc.h>
#include <stdlib.h>

/* Of records in a segment whose page 0 is broken: it is after all seqs, so they prove nothing about
 * others. */
#define RUN_UNKNOWN UINT64_MAX

static int add(struct scan *self, struct scanned row)
{
    if (self->count == self->capacity) {
        size_t capacity = self->capacity ? 2 * self->capacity : 1024;
        struct scanned *rows =
            (struct scanned *)realloc(self->rows, capacity * sizeof self->rows[0]);
        if (!rows)
            return ERR_NO_MEMORY;
        self->rows = rows;
        self->capacity = capacity;
    }
    self->rows[self->count++] = row;
    return 0;
}

/* One segment being scanned: its rows get their run when its header is known. */
struct visitor {
    struct scan *scan;
    struct scan_found found;
};

static int visit(void *self, const struct log_record *record, struct slice bytes, uint64_t end)
{
    struct visitor *visitor = (struct visitor *)self;
    struct scan *scan = visitor->scan;
    scan->whole++;
    if (record->seq > visitor->found.last)
        visitor->found.last = record->seq;
    if (record->seq <= scan->after)
        return 0;
    visitor->found.end = end;
    struct scanned row = {.seq = record->seq, .synced = record->synced};
    if (scan->keep) {
        row.record = blob_new(bytes.size);
        if (!row.record)
            return ERR_NO_MEMORY;
        memcpy(row.record->data, bytes.data, bytes.size);
    }
    int rc = add(scan, row);
    if (rc)
        blob_release(&row.record);
    return rc;
}

static int take_broken(void *self, uint64_t seq, const uint8_t key[CONTRACT_KEY_BYTES])
{
    struct scan *scan = ((struct visitor *)self)->scan;
    if (seq <= scan->after)
        return 0;
    if (scan->broken_count == SCAN_BROKEN_MAX) {
        scan->broken_more++;
        return 0;
    }
    if (!scan->broken)
        scan->broken =
            (struct broken_record *)calloc(SCAN_BROKEN_MAX, sizeof(struct broken_record));
    if (!scan->broken)
        return ERR_NO_MEMORY;
    struct broken_record *row = &scan->broken[scan->broken_count++];
    row->seq = seq;
    memcpy(row->contract.bytes, key, CONTRACT_KEY_BYTES);
    return 0;
}

int scan_segment(struct scan *self, uint64_t number, struct scan_found *found, struct reason *why)
{
    struct visitor visitor = {.scan = self};
    struct segment_header header = {0};
    size_t first = self->count;
    int rc =
        segment_scan(self->dir, number, self->salt, &header, visit, take_broken, &visitor, why);
    if (rc == ERR_NO_MEMORY)
        return fail(why, rc, "out of memory while reading the log in %s", self->dir);
    if (rc)
        return rc;
    for (size_t i = first; i < self->count; i++)
        self->rows[i].run = header.magic ? header.run : RUN_UNKNOWN;
    if (visitor.found.last > self->last)
        self->last = visitor.found.last;
    if (found)
        *found = visitor.found;
    return 0;
}

static int by_seq(const void *a, const void *b)
{
    uint64_t x = ((const struct scanned *)a)->seq, y = ((const struct scanned *)b)->seq;
    return (x > y) - (x < y);
}

void scan_sort(struct scan *self)
{
    if (self->count)
        qsort(self->rows, self->count, sizeof self->rows[0], by_seq);
}

int scan_all(struct scan *self, struct reason *why)
{
    struct segment_list list;
    int rc = segment_list(self->dir, &list, why);
    self->cut = rc == 0 ? segments_cut(self->dir, &list, 0) : 0;
    for (size_t i = 0; rc == 0 && i < list.count; i++)
        rc = scan_segment(self, list.numbers[i], NULL, why);
    scan_sort(self);
    return rc;
}

/* Of the missing seqs from..to, right before row i: how many did a later record of their run know
 * as synced? Rows of that run follow row i without a break. */
static uint64_t lost_before(const struct scan *self, size_t i, uint64_t from, uint64_t to)
{
    uint64_t run = self->rows[i].run, synced = 0;
    for (size_t j = i; j < self->count && self->rows[j].run == run; j++)
        if (self->rows[j].synced > synced)
            synced = self->rows[j].synced;
    from = from > run ? from : run;
    to = to < synced ? to : synced;
    return from <= to ? to - from + 1 : 0;
}

/* Page 0 is synced with the first flush of a segment's use: a record that knows of another's flush
 * proves that it was whole. */
static bool header_lost(const struct scan *self, uint64_t after)
{
    uint64_t least = UINT64_MAX, synced = 0;
    for (size_t i = 0; i < self->count; i++) {
        const struct scanned *row = &self->rows[i];
        if (row->seq <= after || row->run != RUN_UNKNOWN)
            continue;
        least = row->seq < least ? row->seq : least;
        synced = row->synced > synced ? row->synced : synced;
    }
    return synced >= least;
}

uint64_t scan_lost(const struct scan *self, uint64_t after, uint64_t upto)
{
    uint64_t lost = 0, expected = after + 1;
    for (size_t i = 0; i < self->count && expected <= upto; i++) {
        uint64_t seq = self->rows[i].seq;
        if (seq > expected)
            lost += lost_before(self, i, expected, seq - 1 < upto ? seq - 1 : upto);
        if (seq >= expected)
            expected = seq + 1;
    }
    return lost + header_lost(self, after) + self->cut;
}

bool scan_is_lost(const struct scan *self, uint64_t after, uint64_t seq)
{
    size_t from = 0, to = self->count; /* the first row that is not before it */
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (self->rows[middle].seq < seq)
            from = middle + 1;
        else
            to = middle;
    }
    return seq > after && from < self->count && self->rows[from].seq != seq &&
           lost_before(self, from, seq, seq) > 0;
}

void scan_free(struct scan *self)
{
    free(self->broken);
    for (size_t i = 0; i < self->count; i++)
        blob_release(&self->rows[i].record);
    free(self->rows);
    *self = (struct scan){0};
    (void)malloc_trim(0); /* a segment was read whole: memory that a node needs only now */
}
