/* segment: one file of the log, by default LOG_SEGMENT_BYTES long, made once and used again and
 * again.
 *
 *   page 0   segment_header                  written with the first flush of a use
 *   then     flushes, each on a LOG_ALIGN boundary: records one behind the other, zeros
 *
 * Behind the last flush stand zeros or records of a former use; those are all folded, and a reader
 * passes over what is folded. */
#ifndef WEIR_STORE_SEGMENT_H
#define WEIR_STORE_SEGMENT_H

#include "base/limits.h"
#include "store/store.h"

#define SEGMENT_MAGIC 0x776569726c6f6731u /* "weirlog1" */

#define SEGMENT_HEADER_FIELDS(F, M)                                                                \
    F(M, u64, checksum, 0, "XXH3-64 of the rest, seeded with the salt")                            \
    F(M, u64, magic, 0, "\"weirlog1\"")                                                            \
    F(M, u32, format, 0, "format version of the data")                                             \
    F(M, u64, run, 0, "first seq of the start of the node that wrote this")                        \
    F(M, u64, base, 0, "first seq in here")
CODEC_STRUCT(segment_header, SEGMENT_HEADER_FIELDS)

struct segment_name {
    char text[32];
};
struct segment_name segment_name(uint64_t number);

/* The numbers of the segments in a directory, ascending. */
enum { SEGMENT_FILES_MAX = 4 * LOG_SEGMENTS_MAX };
struct segment_list {
    uint64_t numbers[SEGMENT_FILES_MAX];
    size_t count;
};
MUST_USE int segment_list(const char *dir, struct segment_list *list, struct reason *why);

/* How many of them are shorter than so many bytes (0: than the longest of them)? Each had its
 * length when it got its name: damage cut them. */
size_t segments_cut(const char *dir, const struct segment_list *list, uint64_t bytes);

/* Opens one for writing; -1 and errno when it cannot. */
int segment_open(const char *dir, uint64_t number);

/* Makes a new one of that many bytes whose blocks are reserved but not yet written, and syncs the
 * directory. The first flushes into it are slower, see segment_fill. */
MUST_USE int segment_make(const char *dir, uint64_t number, uint64_t bytes, int *fd,
                          struct reason *why);

/* Writes zeros from `from` (on a boundary) up to `to`, at most SEGMENT_FILL_BYTES; to be synced:
 * overwriting written blocks needs no change of the file system's own records. Returns 0 or errno.
 */
enum { SEGMENT_FILL_BYTES = 1 << 20 };
int segment_fill(int fd, uint64_t from, uint64_t to);

/* Up to where, of `bytes`, are all its blocks written? (All, on a file system that cannot tell.) */
uint64_t segment_filled(int fd, uint64_t bytes);

/* The bytes of page 0. */
void segment_header_page(const struct segment_header *header, uint64_t salt,
                         uint8_t page[LOG_ALIGN]);

/* A flush of fdatasync that an interruption does not end. Returns 0 or errno. */
int sync_data(int fd);

/* Reads a segment and hands each whole record to visit, in file order, with its end in the file.
 * *header is all 0 when page 0 is not whole. A file that is gone meanwhile holds nothing. ERR_IO,
 * ERR_NO_MEMORY, or what visit returned. */
typedef int(record_visit)(void *self, const struct log_record *record, struct slice bytes,
                          uint64_t end);

/* Told of bytes that look like a record and are none, with the seq that it would have and the key
 * that it tells: a record that was torn, damaged, or of a former use. */
typedef int(record_broken)(void *self, uint64_t seq, const uint8_t key[CONTRACT_KEY_BYTES]);
MUST_USE int segment_scan(const char *dir, uint64_t number, uint64_t salt,
                          struct segment_header *header, record_visit *visit, record_broken *broken,
                          void *self, struct reason *why);

#endif
