/* The log's segments, read at a start. The input: what stands in two of them, one after the other,
 * in steps of a byte that says what:
 *
 *   0 so many (u8) bytes of the input   1 zeros up to the next boundary   2 a page 0 of a run (u8)
 *   3 a record: seq (u8), the highest one known as synced (u8), the bytes of its delta (u8)
 *   4 the same, and one byte of it (u8) is another   5 one that drops the contract: seq, synced
 *   6 one with kind and parameters   7 the other segment begins
 *
 * Every record that is handed out verifies; those of steps 3, 5 and 6 that stand where a flush may
 * begin, or behind one of them, are found, and no others. */
#include "store/record.h"
#include "store/scan.h"
#include "tests/fuzz/file.h"
#include "tests/fuzz/must.h"

#include <sys/stat.h>
#include <unistd.h>

enum { SEGMENTS = 2, SALT = 77, AFTER = 3 };

static struct contract contract;

struct made {
    struct buffer bytes[SEGMENTS];
    size_t at;        /* the segment that is written */
    size_t next;      /* where the last sound record ends; 0: nowhere */
    size_t sound;     /* records that must be found */
    bool may_be_more; /* bytes of the input may be records too */
};

static uint8_t take_u8(struct slice *rest)
{
    uint8_t byte = rest->size ? rest->data[0] : 0;
    *rest = slice_after(*rest, rest->size ? 1 : 0);
    return byte;
}

static void pad(struct made *self)
{
    struct buffer *out = &self->bytes[self->at];
    MUST(buffer_grow(out, LOG_ALIGN - out->size % LOG_ALIGN));
    self->next = 0;
}

static void add_header(struct made *self, uint64_t run)
{
    struct segment_header header = {.magic = SEGMENT_MAGIC, .run = run};
    uint8_t page[LOG_ALIGN];
    segment_header_page(&header, SALT, page);
    buffer_append(&self->bytes[self->at], page, sizeof page);
    self->next = 0;
}

static void add_record(struct made *self, uint8_t what, struct slice *rest)
{
    struct buffer *out = &self->bytes[self->at];
    uint8_t seq = take_u8(rest), synced = take_u8(rest);
    static const uint8_t zeros[UINT8_MAX];
    struct slice delta = slice_of(zeros, what == 5 ? 0 : take_u8(rest)), inside;
    struct blob *record = NULL;
    int rc = what == 5
                 ? record_new_drop(&contract.key, seq, synced, SALT, &record)
                 : record_new(&contract, what == 6, seq, synced, SALT, delta, &record, &inside);
    MUST(rc == 0);
    size_t at = out->size;
    buffer_append(out, record->data, record->size);
    bool found = at >= LOG_ALIGN && (at % LOG_ALIGN == 0 || at == self->next);
    self->next = 0;
    if (what == 4)
        out->data[at + take_u8(rest) % record->size] ^= 0x40;
    else if (found) {
        self->sound++;
        self->next = out->size;
    } else {
        self->may_be_more = true; /* behind one that looks like a record */
    }
    blob_release(&record);
}

static void make(struct made *self, struct slice rest)
{
    while (rest.size && self->bytes[self->at].size < 1 << 18) {
        uint8_t what = take_u8(&rest) % 8;
        if (what == 0) {
            size_t count = take_u8(&rest);
            count = count < rest.size ? count : rest.size;
            buffer_append(&self->bytes[self->at], rest.data, count);
            rest = slice_after(rest, count);
            self->next = 0;
            self->may_be_more = true;
        } else if (what == 1) {
            pad(self);
        } else if (what == 2) {
            add_header(self, take_u8(&rest));
        } else if (what == 7) {
            self->at = SEGMENTS - 1;
            self->next = 0;
        } else {
            add_record(self, what, &rest);
        }
    }
}

static void check(const struct scan *scan, const struct made *made)
{
    uint64_t last = 0;
    MUST(scan->whole >= made->sound && (made->may_be_more || scan->whole == made->sound));
    MUST(scan->count <= scan->whole && scan->broken_count <= SCAN_BROKEN_MAX);
    for (size_t i = 0; i < scan->count; i++) {
        const struct scanned *row = &scan->rows[i];
        struct log_record record;
        MUST(row->seq >= last && row->seq > AFTER && row->record);
        MUST(record_read(blob_slice(row->record), SALT, &record));
        MUST(record.seq == row->seq && record.synced == row->synced);
        last = row->seq;
    }
    uint64_t lost = scan_lost(scan, AFTER, 20);
    MUST(lost <= 20 + 1 + scan->cut);
    for (uint64_t seq = AFTER + 1; seq < 20; seq++)
        (void)scan_is_lost(scan, AFTER, seq);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct made made = {.next = 0};
    struct reason why = {""};
    MUST(contract_init(&contract, slice_text("map"), slice_of(NULL, 0), NULL) == 0);
    make(&made, slice_of(data, size));
    for (size_t i = 0; i < SEGMENTS; i++)
        file_put(segment_name(i + 1).text, buffer_slice(&made.bytes[i]));
    struct scan scan = {.dir = file_folder(), .salt = SALT, .after = AFTER, .keep = true};
    MUST(scan_all(&scan, &why) == 0);
    check(&scan, &made);
    scan_free(&scan);
    for (size_t i = 0; i < SEGMENTS; i++)
        buffer_free(&made.bytes[i]);
    return 0;
}
