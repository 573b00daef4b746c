#include "store/pages.h"

#include "base/buffer.h"
#include "store/failure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 16, NODE_BYTES = 8, TABLE_BYTES = 48, METAS = 2 };
enum { PAGE_BYTES_MIN = 512, PAGE_BYTES_MAX = 65536, LEVELS_MAX = 32 };
enum { PAGE_BRANCH = 1, PAGE_LEAF = 2, PAGE_OVERFLOW = 4, PAGE_META = 8 };
enum { NODE_BIG = 1, NODE_TABLE = 2 };
enum { FLAGS_OF_ORDER = 0x7e, FLAG_INTEGER_KEY = 8 };
#define MAGIC     0xbeefc0deu
#define NO_PAGE   UINT64_MAX
#define HEAD_MAIN (HEAD_BYTES + 24 + TABLE_BYTES)

/* A table's record: MDB_db. */
struct table {
    uint16_t flags, depth;
    uint64_t branches, leaves, overflows, entries, root;
};

struct meta {
    bool sound;
    uint32_t page_bytes;
    uint64_t last, txn;
    struct table free, main;
};

enum walked { WALK_free, WALK_main, WALK_state, WALK_meta };

struct walk {
    int fd;
    const char *path;
    size_t page_bytes;
    uint64_t pages; /* whole ones, in the file */
    uint64_t txn;
    uint8_t *seen, *listed; /* a bit a page: reached; free */
    uint8_t *levels[LEVELS_MAX];
    struct buffer value; /* of the last big node */

    enum walked walked;
    struct table tally; /* of the table that is walked */
    struct buffer last; /* its last key … */
    bool last_is_bound; /* … which the next may equal */
    struct table state, meta;

    page_row_fn *row;
    void *row_self;
    int rc; /* of row, or of reading */
    struct pages *found;
    struct reason *why;
};

/* --- bytes --------------------------------------------------------------------------------------
 */

static uint16_t host_u16(const uint8_t *from)
{
    uint16_t n;
    memcpy(&n, from, sizeof n);
    return n;
}

static uint32_t host_u32(const uint8_t *from)
{
    uint32_t n;
    memcpy(&n, from, sizeof n);
    return n;
}

static uint64_t host_u64(const uint8_t *from)
{
    uint64_t n;
    memcpy(&n, from, sizeof n);
    return n;
}

static bool bit(const uint8_t *bits, uint64_t n)
{
    return bits[n / 8] >> (n % 8) & 1;
}

static void set_bit(uint8_t *bits, uint64_t n)
{
    bits[n / 8] = (uint8_t)(bits[n / 8] | 1u << (n % 8));
}

static void clear_bit(uint8_t *bits, uint64_t n)
{
    bits[n / 8] = (uint8_t)(bits[n / 8] & ~(1u << (n % 8)));
}

static void fault(struct walk *self, uint64_t page, const char *what)
{
    if (self->found->faults++ == 0)
        (void)fail(&self->found->first, ERR_DAMAGED, "page %llu of %s: %s",
                   (unsigned long long)page, self->path, what);
}

/* True when all was read; what is past the end of the file is not. */
static bool read_at(struct walk *self, uint8_t *to, size_t size, uint64_t offset)
{
    while (size && !self->rc) {
        ssize_t n = pread(self->fd, to, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            self->rc = store_failure(self->why, errno, "read", self->path);
        if (n <= 0)
            return false;
        to += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return !self->rc;
}

/* --- pages --------------------------------------------------------------------------------------
 */

/* Reaches so many pages, once. */
static bool reach(struct walk *self, uint64_t page, uint64_t count)
{
    if (page < METAS || page >= self->pages || count > self->pages - page) {
        fault(self, page, "it is not in the file");
        return false;
    }
    for (uint64_t i = page; i < page + count; i++) {
        if (bit(self->seen, i)) {
            fault(self, i, "it is used twice");
            return false;
        }
        if (bit(self->listed, i)) { /* one of the two is wrong: its rows are strays */
            fault(self, i, "it is used, and free");
            clear_bit(self->listed, i);
            return false;
        }
    }
    for (uint64_t i = page; i < page + count; i++)
        set_bit(self->seen, i);
    return true;
}

static size_t page_nodes(const uint8_t *page)
{
    return (host_u16(page + 12) - (size_t)HEAD_BYTES) / 2;
}

static bool bounds_fit(const struct walk *self, const uint8_t *page)
{
    uint16_t lower = host_u16(page + 12), upper = host_u16(page + 14);
    return lower >= HEAD_BYTES && lower % 2 == 0 && lower <= upper && upper <= self->page_bytes;
}

static uint8_t *level_page(struct walk *self, unsigned level)
{
    uint8_t **page = &self->levels[level];
    if (!*page)
        *page = (uint8_t *)malloc(self->page_bytes);
    if (!*page)
        self->rc = fail(self->why, ERR_NO_MEMORY, "out of memory");
    return *page;
}

/* A page of a table, in the level's buffer. NULL: it is not there, or is none. */
static const uint8_t *load(struct walk *self, uint64_t number, unsigned level, uint16_t kind)
{
    uint8_t *page = level_page(self, level);
    if (!page || !reach(self, number, 1) ||
        !read_at(self, page, self->page_bytes, number * self->page_bytes))
        return NULL;
    if (host_u64(page) == number && host_u16(page + 10) == kind && bounds_fit(self, page))
        return page;
    fault(self, number, "it is not the page that it should be");
    clear_bit(self->seen, number); /* what it is may be told by its rows */
    return NULL;
}

struct node {
    uint16_t flags;
    struct slice key, data; /* data: what lies in the page */
    uint64_t size;          /* of the whole value */
    uint64_t child;
    size_t bytes; /* in the page */
};

/* The page's i-th node. False when it does not lie inside the page. */
static bool node_at(const struct walk *self, const uint8_t *page, size_t i, bool leaf,
                    struct node *node)
{
    size_t at = host_u16(page + HEAD_BYTES + 2 * i);
    if (at < host_u16(page + 14) || at % 2 || self->page_bytes - NODE_BYTES < at)
        return false;
    const uint8_t *bytes = page + at;
    uint64_t low = (uint64_t)host_u16(bytes) | (uint64_t)host_u16(bytes + 2) << 16;
    size_t key_bytes = host_u16(bytes + 6), room = self->page_bytes - at - NODE_BYTES;
    node->flags = leaf ? host_u16(bytes + 4) : 0;
    node->child = low | (uint64_t)host_u16(bytes + 4) << 32;
    node->size = leaf ? low : 0;
    uint64_t inside = node->flags & NODE_BIG ? sizeof(uint64_t) : node->size;
    if (key_bytes > room || inside > room - key_bytes)
        return false;
    node->key = slice_of(bytes + NODE_BYTES, key_bytes);
    node->data = slice_of(bytes + NODE_BYTES + key_bytes, (size_t)inside);
    node->bytes = (NODE_BYTES + key_bytes + (size_t)inside + 1) / 2 * 2;
    return true;
}

/* Keys ascend. A branch's key bounds what comes: it is above all before it, and not above the rest.
 */
static bool key_ascends(struct walk *self, struct slice key, bool bound)
{
    struct slice last = buffer_slice(&self->last);
    bool first = last.size == 0, ascends = true;
    if (self->walked == WALK_free) { /* numbers */
        ascends = key.size == sizeof(uint64_t);
        if (ascends && last.size == sizeof(uint64_t)) {
            uint64_t a = host_u64(last.data), b = host_u64(key.data);
            ascends = b > a || (b == a && self->last_is_bound);
        }
    } else if (!first) {
        int order = slice_compare(key, last);
        ascends = order > 0 || (order == 0 && self->last_is_bound);
    }
    if (!ascends || key.size == 0)
        return false;
    buffer_clear(&self->last);
    buffer_append_slice(&self->last, key);
    self->last_is_bound = bound;
    if (buffer_failed(&self->last))
        self->rc = fail(self->why, ERR_NO_MEMORY, "out of memory");
    return true;
}

/* The value of a node; of a big one, from its pages. */
static bool value_of(struct walk *self, uint64_t number, const struct node *node,
                     struct slice *value)
{
    uint8_t head[HEAD_BYTES];
    *value = node->data;
    if (!(node->flags & NODE_BIG))
        return true;
    uint64_t first = host_u64(node->data.data);
    uint64_t needed = (node->size + HEAD_BYTES + self->page_bytes - 1) / self->page_bytes;
    if (first >= self->pages || !read_at(self, head, sizeof head, first * self->page_bytes)) {
        fault(self, number, "a value's pages are not in the file");
        return false;
    }
    uint64_t count = host_u32(head + 12);
    if (host_u64(head) != first || host_u16(head + 10) != PAGE_OVERFLOW || count < needed) {
        fault(self, first, "it is not the value that it should be");
        return false;
    }
    if (!reach(self, first, count))
        return false;
    self->tally.overflows += count;
    buffer_clear(&self->value);
    uint8_t *to = buffer_grow(&self->value, (size_t)node->size);
    if (!to) {
        self->rc = fail(self->why, ERR_NO_MEMORY, "out of memory");
        return false;
    }
    *value = slice_of(to, (size_t)node->size);
    return read_at(self, to, (size_t)node->size, first * self->page_bytes + HEAD_BYTES);
}

/* --- the tables' rows ---------------------------------------------------------------------------
 */

static struct table table_read(const uint8_t *bytes)
{
    return (struct table){.flags = host_u16(bytes + 4),
                          .depth = host_u16(bytes + 6),
                          .branches = host_u64(bytes + 8),
                          .leaves = host_u64(bytes + 16),
                          .overflows = host_u64(bytes + 24),
                          .entries = host_u64(bytes + 32),
                          .root = host_u64(bytes + 40)};
}

/* A list of free pages: their count, then they, descending. */
static void take_free(struct walk *self, uint64_t number, struct slice key, struct slice list)
{
    uint64_t count = list.size >= 8 ? host_u64(list.data) : UINT64_MAX;
    if (list.size % 8 || count != list.size / 8 - 1 || key.size != 8 ||
        host_u64(key.data) > self->txn) {
        fault(self, number, "it is no list of free pages");
        return;
    }
    uint64_t before = UINT64_MAX;
    for (size_t i = 1; i <= count; i++) {
        uint64_t page = host_u64(list.data + 8 * i);
        if (page < METAS || page >= before || (page < self->pages && bit(self->listed, page))) {
            fault(self, number, "its list of free pages is not one");
            return;
        }
        before = page;
        if (page < self->pages)
            set_bit(self->listed, page);
    }
}

static void take_table(struct walk *self, uint64_t number, const struct node *node)
{
    bool state = slice_is(node->key, "state");
    struct table *table = state ? &self->state : &self->meta;
    if (!(state || slice_is(node->key, "meta")) || node->flags != NODE_TABLE ||
        node->size != TABLE_BYTES)
        fault(self, number, "it names no table of weir");
    else
        *table = table_read(node->data.data);
}

static void take_leaf_node(struct walk *self, uint64_t number, const struct node *node)
{
    struct slice value;
    self->tally.entries++;
    if (!key_ascends(self, node->key, false))
        fault(self, number, "its keys are not in order");
    if (self->walked == WALK_main) {
        take_table(self, number, node);
        return;
    }
    if (node->flags & ~NODE_BIG)
        fault(self, number, "it has a node of no kind");
    if (!value_of(self, number, node, &value))
        return;
    if (self->walked == WALK_free)
        take_free(self, number, node->key, value);
    else if (!self->rc)
        self->rc = self->row(self->row_self, self->walked == WALK_state ? TABLE_state : TABLE_meta,
                             (struct entry){node->key, value});
}

/* --- walking ------------------------------------------------------------------------------------
 */

/* The nodes of a sound page lie without holes from its upper bound to its end. */
static void check_filled(struct walk *self, uint64_t number, const uint8_t *page, bool leaf)
{
    size_t nodes = page_nodes(page), bytes = 0;
    struct node node;
    for (size_t i = 0; i < nodes; i++)
        bytes += node_at(self, page, i, leaf, &node) ? node.bytes : self->page_bytes;
    if (bytes != self->page_bytes - host_u16(page + 14))
        fault(self, number, "its nodes do not fill it");
    else if (nodes < (leaf || self->walked == WALK_free ? 1u : 2u))
        fault(self, number, "it has too few nodes");
}

static void walk_page(struct walk *self, uint64_t number, unsigned level, unsigned depth)
{
    bool leaf = level + 1 == depth;
    const uint8_t *page = load(self, number, level, leaf ? PAGE_LEAF : PAGE_BRANCH);
    if (!page)
        return;
    struct node node;
    check_filled(self, number, page, leaf);
    self->tally.leaves += leaf;
    self->tally.branches += !leaf;
    for (size_t i = 0; i < page_nodes(page) && !self->rc; i++) {
        if (!node_at(self, page, i, leaf, &node))
            continue; /* counted above */
        if (leaf) {
            take_leaf_node(self, number, &node);
            continue;
        }
        if (i > 0 && !key_ascends(self, node.key, true))
            fault(self, number, "its keys do not bound its pages");
        walk_page(self, node.child, level + 1, depth);
    }
}

static void walk_table(struct walk *self, enum walked walked, const struct table *table)
{
    uint16_t flags = walked == WALK_free ? FLAG_INTEGER_KEY : 0;
    self->walked = walked;
    self->tally = (struct table){0};
    buffer_clear(&self->last);
    self->last_is_bound = false;
    if ((table->flags & FLAGS_OF_ORDER) != flags)
        fault(self, 0, "a table's order is not ours");
    bool none = table->root == NO_PAGE;
    if (table->depth > LEVELS_MAX || none != (table->depth == 0))
        fault(self, 0, "a table has no root, or is too deep");
    else if (!none && !self->rc)
        walk_page(self, table->root, 0, table->depth);
    const struct table *is = &self->tally;
    if (is->branches != table->branches || is->leaves != table->leaves ||
        is->overflows != table->overflows || is->entries != table->entries)
        fault(self, 0, "a table's record counts other pages and entries than there are");
}

/* The free list's own pages were reached before all of it was known. */
static void check_free(struct walk *self)
{
    for (uint64_t i = METAS; i < self->pages; i++)
        if (bit(self->seen, i) && bit(self->listed, i)) {
            fault(self, i, "it lists free pages, and is free");
            return;
        }
}

static void walk_strays(struct walk *self)
{
    uint8_t *page = level_page(self, 0);
    for (uint64_t i = METAS; i < self->pages && page && !self->rc; i++) {
        struct node node;
        bool is_free = bit(self->listed, i);
        if (bit(self->seen, i) || !read_at(self, page, self->page_bytes, i * self->page_bytes) ||
            !bounds_fit(self, page))
            continue;
        for (size_t n = 0; n < page_nodes(page) && !self->rc; n++)
            if (node_at(self, page, n, true, &node) && node.flags == 0 && node.key.size &&
                (!is_free || slice_is(node.key, "meta")))
                self->rc =
                    self->row(self->row_self, TABLE_stray, (struct entry){node.key, node.data});
    }
}

/* --- the roots ----------------------------------------------------------------------------------
 */

static struct meta meta_read(struct walk *self, unsigned i)
{
    uint8_t page[HEAD_MAIN + TABLE_BYTES + 16] = {0};
    struct meta meta = {0};
    if (!read_at(self, page, sizeof page, i * self->page_bytes))
        return meta;
    meta.page_bytes = host_u32(page + HEAD_BYTES + 24);
    meta.free = table_read(page + HEAD_BYTES + 24);
    meta.main = table_read(page + HEAD_MAIN);
    meta.last = host_u64(page + HEAD_MAIN + TABLE_BYTES);
    meta.txn = host_u64(page + HEAD_MAIN + TABLE_BYTES + 8);
    meta.sound = host_u64(page) == i && host_u16(page + 10) == PAGE_META &&
                 host_u32(page + HEAD_BYTES) == MAGIC && host_u32(page + HEAD_BYTES + 4) == 1 &&
                 meta.page_bytes == self->page_bytes && (meta.txn % METAS == i || meta.txn == 0);
    return meta;
}

static bool is_page_size(uint32_t bytes)
{
    return bytes >= PAGE_BYTES_MIN && bytes <= PAGE_BYTES_MAX && (bytes & (bytes - 1)) == 0;
}

/* The root that LMDB would take: the newer of two, which are one transaction apart. */
static int choose_meta(struct walk *self, struct meta *chosen)
{
    uint8_t bytes[4] = {0};
    (void)read_at(self, bytes, sizeof bytes, HEAD_BYTES + 24);
    self->page_bytes = is_page_size(host_u32(bytes)) ? host_u32(bytes) : 4096;
    struct meta metas[METAS] = {meta_read(self, 0), meta_read(self, 1)};
    if (self->rc)
        return self->rc;
    unsigned newer = metas[1].txn > metas[0].txn;
    if (!metas[0].sound && !metas[1].sound)
        return fail(self->why, ERR_DAMAGED,
                    "%s is damaged, or no data of weir; restore it from a backup", self->path);
    if (!metas[0].sound || !metas[1].sound) {
        newer = metas[1].sound;
        fault(self, !newer, "it is no root");
        self->found->stale = metas[!newer].txn + 1 != metas[newer].txn;
    } else if (metas[newer].txn - metas[!newer].txn > 1) {
        fault(self, newer, "it is not one transaction behind the other root");
        self->found->stale = true;
    }
    *chosen = metas[newer];
    return 0;
}

static void walk_all(struct walk *self, const struct meta *meta, bool strays)
{
    self->txn = meta->txn;
    if (meta->last >= self->pages)
        fault(self, meta->last, "it is not in the file");
    uint64_t before = self->found->faults;
    walk_table(self, WALK_free, &meta->free);
    check_free(self);
    bool free_known = self->found->faults == before;
    before = self->found->faults;
    walk_table(self, WALK_main, &meta->main);
    if (self->tally.entries != 2)
        fault(self, 0, "it has not the tables of weir");
    self->found->rows = self->state.entries;
    walk_table(self, WALK_meta, &self->meta);
    walk_table(self, WALK_state, &self->state);
    /* A broken page may lead to any other. Whether that is a free one, with rows of some time ago,
     * the list of free pages tells. */
    if (!free_known && self->found->faults != before)
        self->found->stale = true;
    if (strays)
        walk_strays(self);
}

static int open_file(struct walk *self)
{
    struct stat facts;
    self->fd = open(self->path, O_RDONLY | O_CLOEXEC);
    if (self->fd < 0 || fstat(self->fd, &facts))
        return store_failure(self->why, errno, "open", self->path);
    self->pages = (uint64_t)facts.st_size; /* bytes, until their size is known */
    (void)posix_fadvise(self->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return 0;
}

static void close_file(struct walk *self)
{
    if (self->fd >= 0)
        (void)close(self->fd);
    for (unsigned i = 0; i < LEVELS_MAX; i++)
        free(self->levels[i]);
    free(self->seen);
    free(self->listed);
    buffer_free(&self->value);
    buffer_free(&self->last);
}

int pages_walk(const char *path, bool strays, page_row_fn *row, void *row_self, struct pages *pages,
               struct reason *why)
{
    struct table none = {.root = NO_PAGE};
    struct walk self = {.path = path,
                        .row = row,
                        .row_self = row_self,
                        .found = pages,
                        .why = why,
                        .state = none,
                        .meta = none};
    struct meta meta;
    *pages = (struct pages){0};
    int rc = open_file(&self);
    if (rc == 0)
        rc = choose_meta(&self, &meta);
    if (rc == 0) {
        self.pages /= self.page_bytes;
        self.seen = (uint8_t *)calloc(1, self.pages / 8 + 1);
        self.listed = (uint8_t *)calloc(1, self.pages / 8 + 1);
        if (self.seen && self.listed)
            walk_all(&self, &meta, strays);
        else
            self.rc = fail(why, ERR_NO_MEMORY, "out of memory");
        rc = self.rc;
    }
    close_file(&self);
    return rc;
}
