#include "store/segment.h"

#include "store/checksum.h"
#include "store/failure.h"
#include "store/files.h"
#include "store/record.h"
#include "store/schema.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

CODEC_LAYOUT(segment_header, SEGMENT_HEADER_FIELDS)

enum { HEADER_BYTES = 36 };

/* A segment gets its name when it has its length: one that is shorter was cut. */
#define MAKING_FILE "making"

struct segment_name segment_name(uint64_t number)
{
    struct segment_name name;
    (void)snprintf(name.text, sizeof name.text, "%016llx.log", (unsigned long long)number);
    return name;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int segment_list(const char *dir, struct segment_list *list, struct reason *why)
{
    DIR *rows = opendir(dir);
    if (!rows)
        return store_failure(why, errno, "read directory", dir);
    list->count = 0;
    int rc = 0;
    for (struct dirent *row; rc == 0 && (row = readdir(rows));) {
        uint64_t number = strtoull(row->d_name, NULL, 16);
        if (strcmp(row->d_name, segment_name(number).text) != 0)
            continue;
        if (list->count == SEGMENT_FILES_MAX)
            rc = fail(why, ERR_IO, "there are more than %u segments in %s",
                      (unsigned)SEGMENT_FILES_MAX, dir);
        else
            list->numbers[list->count++] = number;
    }
    (void)closedir(rows);
    qsort(list->numbers, list->count, sizeof list->numbers[0], by_number);
    return rc;
}

static uint64_t length_of(const char *dir, uint64_t number)
{
    bool found;
    uint64_t size = 0;
    char *path = path_join(dir, segment_name(number).text);
    if (!path || file_size(path, &found, &size, NULL) || !found)
        size = UINT64_MAX; /* a live log dropped it, or it is told elsewhere */
    free(path);
    return size;
}

size_t segments_cut(const char *dir, const struct segment_list *list, uint64_t bytes)
{
    size_t cut = 0;
    bool given = bytes;
    for (size_t i = 0; i < list->count && !given; i++) {
        uint64_t size = length_of(dir, list->numbers[i]);
        bytes = size != UINT64_MAX && size > bytes ? size : bytes;
    }
    for (size_t i = 0; i < list->count; i++)
        cut += length_of(dir, list->numbers[i]) < bytes;
    return cut;
}

static int open_in(const char *dir, uint64_t number, int flags)
{
    char *path = path_join(dir, segment_name(number).text);
    int fd = path ? open(path, flags | O_CLOEXEC, 0600) : -1;
    int failed = path ? errno : ENOMEM;
    free(path);
    errno = failed;
    return fd;
}

int segment_open(const char *dir, uint64_t number)
{
    return open_in(dir, number, O_RDWR);
}

int segment_make(const char *dir, uint64_t number, uint64_t bytes, int *fd, struct reason *why)
{
    char *path = path_join(dir, segment_name(number).text), *making = path_join(dir, MAKING_FILE);
    int made = path && making ? open(making, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    int failed = made >= 0 ? file_reserve(made, bytes) : path && making ? errno : ENOMEM;
    if (!failed)
        failed = sync_data(made);
    if (!failed && rename(making, path))
        failed = errno;
    int rc = failed ? store_failure(why, failed, "make a log segment in", dir) : dir_sync(dir, why);
    if (rc && made >= 0) {
        (void)close(made);
        (void)unlink(failed ? making : path);
    }
    if (rc == 0)
        *fd = made;
    free(path);
    free(making);
    return rc;
}

int sync_data(int fd)
{
    while (fdatasync(fd))
        if (errno != EINTR)
            return errno;
    return 0;
}

int segment_fill(int fd, uint64_t from, uint64_t to)
{
    static uint8_t zeros[16 * LOG_ALIGN];
    struct iovec parts[SEGMENT_FILL_BYTES / sizeof zeros];
    size_t count = 0;
    for (uint64_t at = from; at < to; at += parts[count++].iov_len)
        parts[count] = (struct iovec){zeros, to - at < sizeof zeros ? to - at : sizeof zeros};
    return file_write_at(fd, parts, count, from);
}

uint64_t segment_filled(int fd, uint64_t bytes)
{
    off_t hole = lseek(fd, 0, SEEK_HOLE);
    return hole < 0 || hole >= (off_t)bytes ? bytes : (uint64_t)hole / LOG_ALIGN * LOG_ALIGN;
}

void segment_header_page(const struct segment_header *header, uint64_t salt,
                         uint8_t page[LOG_ALIGN])
{
    struct buffer out = {.data = page, .capacity = LOG_ALIGN};
    memset(page, 0, LOG_ALIGN);
    if (codec_encode(&segment_header_layout, header, &out) == 0)
        put_u64(page, checksum_of(slice_of(page + 8, HEADER_BYTES - 8), salt));
}

static void header_read(struct slice file, uint64_t salt, struct segment_header *header)
{
    *header = (struct segment_header){0};
    if (file.size < HEADER_BYTES)
        return;
    uint64_t checksum = checksum_of(slice_of(file.data + 8, HEADER_BYTES - 8), salt);
    struct segment_header read;
    if (codec_decode(&segment_header_layout, slice_of(file.data, HEADER_BYTES), &read, NULL) == 0 &&
        read.checksum == checksum && read.magic == SEGMENT_MAGIC)
        *header = read;
}

/* A private copy of the file, since a live log changes under its reader. Empty when it is gone. */
static int read_whole(const char *dir, uint64_t number, struct buffer *out, struct reason *why)
{
    int fd = open_in(dir, number, O_RDONLY);
    if (fd < 0)
        return errno == ENOENT ? 0 : store_failure(why, errno, "open a log segment in", dir);
    struct stat facts;
    int failed = fstat(fd, &facts) ? errno : 0;
    size_t most = failed ? 0 : (size_t)facts.st_size;
    most = most < LOG_SEGMENT_BYTES ? most : LOG_SEGMENT_BYTES;
    buffer_reserve(out, most);
    if (buffer_failed(out))
        failed = ENOMEM;
    if (!failed)
        failed = file_read_at(fd, out->data, most, 0, &out->size);
    (void)close(fd);
    return failed ? store_failure(why, failed, "read a log segment in", dir) : 0;
}

/* Through a segment, record by record. */
struct walk {
    struct slice file;
    uint64_t salt;
    record_visit *visit;
    record_broken *broken;
    void *self;
    size_t at;
    uint64_t next;    /* seq of this use of the segment: past all so far; 0: none is known … */
    size_t sure;      /* … and the end of the last of them */
    uint64_t follows; /* of the record that should stand at `at`; 0: nothing tells */
    size_t searched;  /* bytes whose checksum was taken to find one */
};

/* Is there one, or what damage left of it? */
static bool is_record(struct slice bytes, uint64_t salt)
{
    struct log_record record;
    struct record_outline outline;
    return record_read(bytes, salt, &record) || record_outline(bytes, &outline);
}

/* Could the record with this seq stand at that place? In one use of a segment seqs follow one
 * another, so between it and the last that was whole there must be room for those that are missing.
 * What an earlier use left, or a client put into a value, does not fit. */
static bool fits(const struct walk *self, size_t at, uint64_t seq)
{
    return self->next && seq >= self->next &&
           seq - self->next <= (at - self->sure) / RECORD_LEAST_BYTES;
}

/* The first whole record behind `at` and before `to`, whose place nothing tells; or `to`. */
static size_t find_whole(struct walk *self, size_t to)
{
    enum { FIRST_OF_MAGIC = RECORD_MAGIC >> 24 };
    struct log_record record;
    struct record_outline outline;
    for (size_t at = self->at + 1; at < to; at++) {
        const void *first = memchr(self->file.data + at, FIRST_OF_MAGIC, to - at);
        if (!first)
            return to;
        at = (size_t)((const uint8_t *)first - self->file.data);
        struct slice rest = slice_after(self->file, at);
        if (!record_outline(rest, &outline) || !fits(self, at, outline.seq))
            continue;
        self->searched += outline.size;
        if (self->searched > LOG_SEARCH_BYTES_MAX)
            return to;
        if (record_read(rest, self->salt, &record))
            return at;
    }
    return to;
}

/* Does a flush start with a whole record before the end of what looks like one? Then that one's
 * size is not its own. */
static bool flush_before(const struct walk *self, size_t end)
{
    struct log_record record;
    for (size_t at = (self->at / LOG_ALIGN + 1) * LOG_ALIGN; at < end; at += LOG_ALIGN)
        if (record_read(slice_after(self->file, at), self->salt, &record))
            return true;
    return false;
}

/* Nothing whole stands at `at`. Behind a record that is damaged stand others, where its size says
 * or, if that is what was damaged, somewhere; the next boundary may start another flush. */
static int pass_broken(struct walk *self)
{
    static const uint8_t zeros[RECORD_SEQ_AT];
    struct slice rest = slice_after(self->file, self->at);
    struct record_outline outline;
    bool looks_like = record_outline(rest, &outline);
    bool padding = rest.size < sizeof zeros || memcmp(rest.data, zeros, sizeof zeros) == 0;
    int rc = 0;
    if (looks_like || (self->follows && !padding && rest.size >= RECORD_LEAST_BYTES))
        rc = self->broken(self->self, self->follows ? self->follows : outline.seq, outline.key);
    if (looks_like && outline.size < rest.size &&
        is_record(slice_after(rest, outline.size), self->salt) &&
        !flush_before(self, self->at + outline.size)) {
        self->at += outline.size;
    } else {
        size_t boundary = (self->at / LOG_ALIGN + 1) * LOG_ALIGN;
        self->at = find_whole(self, boundary < self->file.size ? boundary : self->file.size);
    }
    self->follows = padding ? self->follows : 0;
    return rc;
}

static int visit_records(struct walk *self)
{
    int rc = 0;
    while (rc == 0 && self->at < self->file.size) {
        struct log_record record;
        struct slice rest = slice_after(self->file, self->at);
        if (!record_read(rest, self->salt, &record)) {
            rc = pass_broken(self);
            continue;
        }
        self->at += record.size;
        self->follows = record.seq + 1;
        if (record.seq >= self->next) {
            self->next = record.seq + 1;
            self->sure = self->at;
        }
        rc = self->visit(self->self, &record, slice_of(rest.data, record.size), self->at);
    }
    return rc;
}

int segment_scan(const char *dir, uint64_t number, uint64_t salt, struct segment_header *header,
                 record_visit *visit, record_broken *broken, void *self, struct reason *why)
{
    struct buffer file = {0};
    int rc = read_whole(dir, number, &file, why);
    if (rc == 0) {
        header_read(buffer_slice(&file), salt, header);
        struct walk walk = {.file = buffer_slice(&file),
                            .salt = salt,
                            .visit = visit,
                            .broken = broken,
                            .self = self,
                            .at = LOG_ALIGN,
                            .next = header->base,
                            .sure = LOG_ALIGN};
        rc = visit_records(&walk);
    }
    buffer_free(&file);
    return rc;
}
