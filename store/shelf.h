/* shelf: the log's segments that are open, in use or free. Belongs to the journal thread; other
 * threads read its atomics. */
#ifndef WEIR_STORE_SHELF_H
#define WEIR_STORE_SHELF_H

#include "store/segment.h"

#include <stdatomic.h>

/* A place on the shelf. */
struct segment {
    int fd; /* -1: the place is empty */
    uint64_t number;
    bool held;                   /* has records that are not folded, or is being written */
    uint64_t filled;             /* up to here all its blocks are written */
    bool dirty;                  /* written since its last sync */
    _Atomic uint64_t last, used; /* highest seq; bytes up to its end */
};

struct shelf {
    char *dir;
    uint64_t segment_bytes;
    struct segment places[SEGMENT_FILES_MAX];
    _Atomic size_t count;
    uint64_t next_number;
};

/* Borrows dir. */
void shelf_init(struct shelf *self, char *dir, uint64_t segment_bytes);
/* Closes the files. */
void shelf_clear(struct shelf *self);

/* Takes an open file. NULL when there is no place, which SEGMENT_FILES_MAX rules out. */
struct segment *shelf_add(struct shelf *self, int fd, uint64_t number);

/* Makes a new segment. ERR_STORE_FULL also past LOG_SEGMENTS_MAX. */
MUST_USE int shelf_make(struct shelf *self, struct reason *why);

/* Closes a segment and removes its file. */
void shelf_drop(struct shelf *self, struct segment *place);

/* A free segment, the one with most written blocks; NULL: none is free. */
struct segment *shelf_free(struct shelf *self);
size_t shelf_count_free(const struct shelf *self);

/* Bytes of those held. */
uint64_t shelf_held_bytes(const struct shelf *self);

#endif
