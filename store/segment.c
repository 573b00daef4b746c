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

/* Is there one, or what damage left of it? */
static bool is_record(struct slice bytes, uint64_t salt)
{
    struct log_record record;
    struct record_outline outline;
    return record_read(bytes, salt, &record) || record_outline(bytes, &outline);
}

/* Records of a flush stand one behind the other; where none does, the next boundary may start
 * another flush. */
static int visit_records(struct slice file, uint64_t salt, record_visit *visit,
                         record_broken *broken, void *self)
{
    size_t at = LOG_ALIGN;
    uint64_t next_seq = 0; /* of the record that would follow the last; 0: none did */
    while (at < file.size) {
        struct log_record record;
        struct slice rest = slice_after(file, at);
        if (!record_read(rest, salt, &record)) {
            struct record_outline outline;
            int rc = 0;
            bool looks_like = record_outline(rest, &outline);
            if (looks_like)
                rc = broken(self, next_seq ? next_seq : outline.seq, outline.key);
            if (rc)
                return rc;
            /* Behind one that is damaged stand others; behind one that was torn, nothing. */
            bool goes_on = looks_like && outline.size < rest.size &&
                           is_record(slice_after(rest, outline.size), salt);
            at = goes_on ? at + outline.size : (at / LOG_ALIGN + 1) * LOG_ALIGN;
            next_seq = 0;
            continue;
        }
        next_seq = record.seq + 1;
        int rc = visit(self, &record, slice_of(rest.data, record.size), at + record.size);
        if (rc)
            return rc;
        at += record.size;
    }
    return 0;
}

int segment_scan(const char *dir, uint64_t number, uint64_t salt, struct segment_header *header,
                 record_visit *visit, record_broken *broken, void *self, struct reason *why)
{
    struct buffer file = {0};
    int rc = read_whole(dir, number, &file, why);
    if (rc == 0) {
        header_read(buffer_slice(&file), salt, header);
        rc = visit_records(buffer_slice(&file), salt, visit, broken, self);
    }
    buffer_free(&file);
    return rc;
}
