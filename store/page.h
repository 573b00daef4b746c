/* page: a page of LMDB's file, its nodes and their values, as bytes that nobody trusts. What all
 * pages together must be is in pages.c, which this header is for. */
#ifndef WEIR_STORE_PAGE_H
#define WEIR_STORE_PAGE_H

#include "base/buffer.h"
#include "store/pages.h"

#include <string.h>

enum { HEAD_BYTES = 16, NODE_BYTES = 8, TREE_BYTES = 48, ROOTS = 2, LEVELS_MAX = 32 };
enum { PAGE_BRANCH = 1, PAGE_LEAF = 2, PAGE_OVERFLOW = 4, PAGE_META = 8 };
enum { NODE_BIG = 1, NODE_TREE = 2 };
#define NO_PAGE UINT64_MAX

/* A table's record: MDB_db. */
struct page_tree {
    uint16_t flags, depth;
    uint64_t branches, leaves, overflows, entries, root;
};

/* One of the two first pages: MDB_meta. */
struct page_root {
    bool sound;
    uint32_t page_bytes;
    uint64_t last, txn;
    struct page_tree free, main;
};

struct page_node {
    uint16_t flags;
    struct slice key, data; /* data: what lies in the page */
    uint64_t size;          /* of the whole value */
    uint64_t child;
    size_t bytes; /* in the page */
};

enum walked { WALK_free, WALK_main, WALK_state, WALK_meta };

struct page_walk {
    int fd;
    const char *path;
    size_t page_bytes;
    uint64_t pages; /* whole ones, in the file */
    uint64_t txn;
    uint64_t listed_most;   /* the highest free page, inside the file or not */
    uint8_t *seen, *listed; /* a bit a page: reached; free */
    uint8_t *levels[LEVELS_MAX];
    struct buffer value; /* of the last big node */

    enum walked walked;
    struct page_tree tally; /* of the table that is walked */
    struct buffer last;     /* its last key … */
    bool last_is_bound;     /* … which the next may equal */
    struct page_tree state, meta;

    page_row_fn *row;
    void *row_self;
    int rc; /* of row, or of reading */
    struct pages *found;
    struct reason *why;
};

/* --- bytes, in the machine's order ------------------------------------------------------- */

static inline uint16_t page_u16(const uint8_t *from)
{
    uint16_t n;
    memcpy(&n, from, sizeof n);
    return n;
}

static inline uint32_t page_u32(const uint8_t *from)
{
    uint32_t n;
    memcpy(&n, from, sizeof n);
    return n;
}

static inline uint64_t page_u64(const uint8_t *from)
{
    uint64_t n;
    memcpy(&n, from, sizeof n);
    return n;
}

static inline bool page_bit(const uint8_t *bits, uint64_t n)
{
    return bits[n / 8] >> (n % 8) & 1;
}

static inline void page_bit_set(uint8_t *bits, uint64_t n)
{
    bits[n / 8] = (uint8_t)(bits[n / 8] | 1u << (n % 8));
}

static inline void page_bit_clear(uint8_t *bits, uint64_t n)
{
    bits[n / 8] = (uint8_t)(bits[n / 8] & ~(1u << (n % 8)));
}

/* --- a page ------------------------------------------------------------------------------ */

/* Counts a fault; the first is told. */
void page_fault(struct page_walk *self, uint64_t page, const char *what);

/* True when all was read; what is past the end of the file is not. */
bool page_read_at(struct page_walk *self, uint8_t *to, size_t size, uint64_t offset);

/* The buffer of a level. NULL without memory. */
uint8_t *page_buffer(struct page_walk *self, unsigned level);

/* Reaches a page of a table, once, and reads it into the level's buffer. NULL: it is not there, or
 * is none. */
const uint8_t *page_load(struct page_walk *self, uint64_t number, unsigned level, uint16_t kind);

/* Do the bounds of its nodes lie in the page? Without that nothing in it is looked at. */
bool page_bounds_fit(const struct page_walk *self, const uint8_t *page);
size_t page_nodes(const uint8_t *page);

/* The page's i-th node. False when it does not lie inside the page. */
bool page_node_at(const struct page_walk *self, const uint8_t *page, size_t i, bool leaf,
                  struct page_node *node);

/* The value of a node; of a big one, from its pages. Lives until the next one. */
bool page_value(struct page_walk *self, uint64_t number, const struct page_node *node,
                struct slice *value);

struct page_tree page_tree_read(const uint8_t *bytes);

#endif
