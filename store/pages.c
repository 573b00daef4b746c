/* pages: the walk through all of the file; page.c knows what a page is. */
#include "store/page.h"

#include "store/failure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLAGS_OF_ORDER = 0x7e, FLAG_INTEGER_KEY = 8 };
enum { PAGE_BYTES_MIN = 512, PAGE_BYTES_MAX = 65536 };
#define MAGIC     0xbeefc0deu
#define HEAD_MAIN (HEAD_BYTES + 24 + TREE_BYTES)

/* --- the tables' rows -------------------------------------------------------------------- */

/* Keys ascend. A branch's key bounds what comes: it is above all before it, and not above what is
 * behind it. */
static bool key_ascends(struct page_walk *self, struct slice key, bool bound)
{
    struct slice last = buffer_slice(&self->last);
    bool first = last.size == 0, ascends = true;
    if (self->walked == WALK_free) { /* numbers */
        ascends = key.size == sizeof(uint64_t);
        if (ascends && last.size == sizeof(uint64_t)) {
            uint64_t a = page_u64(last.data), b = page_u64(key.data);
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

/* A list of free pages: their count, then they, descending. */
static void take_free(struct page_walk *self, uint64_t number, struct slice key, struct slice list)
{
    uint64_t count = list.size >= 8 ? page_u64(list.data) : 0;
    if (list.size % 8 || count + 1 != list.size / 8 || key.size != 8 ||
        page_u64(key.data) > self->txn) {
        page_fault(self, number, "it is no list of free pages");
        return;
    }
    uint64_t before = UINT64_MAX;
    for (size_t i = 1; i <= count; i++) {
        uint64_t page = page_u64(list.data + 8 * i);
        if (page < ROOTS || page >= before ||
            (page < self->pages && page_bit(self->listed, page))) {
            page_fault(self, number, "its list of free pages is not one");
            return;
        }
        before = page;
        self->listed_most = page > self->listed_most ? page : self->listed_most;
        if (page < self->pages)
            page_bit_set(self->listed, page);
    }
}

static void take_table(struct page_walk *self, uint64_t number, const struct page_node *node)
{
    bool state = slice_is(node->key, "state");
    struct page_tree *table = state ? &self->state : &self->meta;
    if (!(state || slice_is(node->key, "meta")) || node->flags != NODE_TREE ||
        node->size != TREE_BYTES)
        page_fault(self, number, "it names no table of weir");
    else
        *table = page_tree_read(node->data.data);
}

static void take_leaf_node(struct page_walk *self, uint64_t number, const struct page_node *node)
{
    struct slice value;
    self->tally.entries++;
    if (!key_ascends(self, node->key, false))
        page_fault(self, number, "its keys are not in order");
    if (self->walked == WALK_main) {
        take_table(self, number, node);
        return;
    }
    if (node->flags & ~NODE_BIG)
        page_fault(self, number, "it has a node of no kind");
    if (!page_value(self, number, node, &value))
        return;
    if (self->walked == WALK_free)
        take_free(self, number, node->key, value);
    else if (!self->rc)
        self->rc = self->row(self->row_self, self->walked == WALK_state ? TABLE_state : TABLE_meta,
                             (struct entry){node->key, value});
}

/* --- walking ----------------------------------------------------------------------------- */

/* The nodes of a sound page lie without holes from its upper bound to its end. */
static void check_filled(struct page_walk *self, uint64_t number, const uint8_t *page, bool leaf)
{
    size_t nodes = page_nodes(page), bytes = 0;
    struct page_node node;
    for (size_t i = 0; i < nodes; i++)
        bytes += page_node_at(self, page, i, leaf, &node) ? node.bytes : self->page_bytes;
    if (bytes != self->page_bytes - page_u16(page + 14))
        page_fault(self, number, "its nodes do not fill it");
    else if (nodes < (leaf || self->walked == WALK_free ? 1u : 2u))
        page_fault(self, number, "it has too few nodes");
}

static void walk_page(struct page_walk *self, uint64_t number, unsigned level, unsigned depth)
{
    bool leaf = level + 1 == depth;
    const uint8_t *page = page_load(self, number, level, leaf ? PAGE_LEAF : PAGE_BRANCH);
    if (!page)
        return;
    struct page_node node;
    check_filled(self, number, page, leaf);
    self->tally.leaves += leaf;
    self->tally.branches += !leaf;
    for (size_t i = 0; i < page_nodes(page) && !self->rc; i++) {
        if (!page_node_at(self, page, i, leaf, &node))
            continue; /* counted above */
        if (leaf) {
            take_leaf_node(self, number, &node);
            continue;
        }
        if (i > 0 && !key_ascends(self, node.key, true))
            page_fault(self, number, "its keys do not bound its pages");
        walk_page(self, node.child, level + 1, depth);
    }
}

/* None are set for a table of ours, and LMDB writes to none that has others than it is opened with.
 * With those of the free list it keeps what the file was opened with. */
static bool flags_are_ours(enum walked walked, const struct page_tree *table)
{
    return walked == WALK_free ? (table->flags & FLAGS_OF_ORDER) == FLAG_INTEGER_KEY
                               : table->flags == 0;
}

static void walk_table(struct page_walk *self, enum walked walked, const struct page_tree *table)
{
    self->walked = walked;
    self->tally = (struct page_tree){0};
    buffer_clear(&self->last);
    self->last_is_bound = false;
    if (!flags_are_ours(walked, table))
        page_fault(self, 0, "a table's flags are not ours");
    bool none = table->root == NO_PAGE;
    if (table->depth > LEVELS_MAX || none != (table->depth == 0))
        page_fault(self, 0, "a table has no root, or is too deep");
    else if (!none && !self->rc)
        walk_page(self, table->root, 0, table->depth);
    const struct page_tree *is = &self->tally;
    if (is->branches != table->branches || is->leaves != table->leaves ||
        is->overflows != table->overflows || is->entries != table->entries)
        page_fault(self, 0, "a table's record counts other pages and entries than there are");
}

/* The free list's own pages were reached before all of it was known. */
static void check_free(struct page_walk *self)
{
    for (uint64_t i = ROOTS; i < self->pages; i++)
        if (page_bit(self->seen, i) && page_bit(self->listed, i)) {
            page_fault(self, i, "it lists free pages, and is free");
            return;
        }
}

/* LMDB reads no page past the last that its root knows of, and gives the next ones away anew. */
static void check_last(struct page_walk *self, uint64_t last)
{
    uint64_t most = self->listed_most;
    for (uint64_t i = ROOTS; i < self->pages; i++)
        if (page_bit(self->seen, i) && i > most)
            most = i;
    if (last >= self->pages)
        page_fault(self, last, "it is not in the file");
    else if (most > last)
        page_fault(self, most, "the root does not know of it");
}

static void walk_strays(struct page_walk *self)
{
    uint8_t *page = page_buffer(self, 0);
    for (uint64_t i = ROOTS; i < self->pages && page && !self->rc; i++) {
        struct page_node node;
        bool is_free = page_bit(self->listed, i);
        if (page_bit(self->seen, i) ||
            !page_read_at(self, page, self->page_bytes, i * self->page_bytes) ||
            !page_bounds_fit(self, page))
            continue;
        for (size_t n = 0; n < page_nodes(page) && !self->rc; n++)
            if (page_node_at(self, page, n, true, &node) && node.flags == 0 && node.key.size &&
                (!is_free || slice_is(node.key, "meta")))
                self->rc =
                    self->row(self->row_self, TABLE_stray, (struct entry){node.key, node.data});
    }
}

/* --- the roots --------------------------------------------------------------------------- */

static struct page_root root_read(struct page_walk *self, unsigned i)
{
    uint8_t page[HEAD_MAIN + TREE_BYTES + 16] = {0};
    struct page_root root = {0};
    if (!page_read_at(self, page, sizeof page, i * self->page_bytes))
        return root;
    root.page_bytes = page_u32(page + HEAD_BYTES + 24);
    root.free = page_tree_read(page + HEAD_BYTES + 24);
    root.main = page_tree_read(page + HEAD_MAIN);
    root.last = page_u64(page + HEAD_MAIN + TREE_BYTES);
    root.txn = page_u64(page + HEAD_MAIN + TREE_BYTES + 8);
    root.sound = page_u64(page) == i && page_u16(page + 10) == PAGE_META &&
                 page_u32(page + HEAD_BYTES) == MAGIC && page_u32(page + HEAD_BYTES + 4) == 1 &&
                 root.page_bytes == self->page_bytes && (root.txn % ROOTS == i || root.txn == 0);
    return root;
}

static bool is_page_size(uint32_t bytes)
{
    return bytes >= PAGE_BYTES_MIN && bytes <= PAGE_BYTES_MAX && (bytes & (bytes - 1)) == 0;
}

/* The root that LMDB would take: the newer of two, which are one transaction apart. */
static int choose_root(struct page_walk *self, struct page_root *chosen)
{
    uint8_t bytes[4] = {0};
    (void)page_read_at(self, bytes, sizeof bytes, HEAD_BYTES + 24);
    self->page_bytes = is_page_size(page_u32(bytes)) ? page_u32(bytes) : 4096;
    struct page_root roots[ROOTS] = {root_read(self, 0), root_read(self, 1)};
    if (self->rc)
        return self->rc;
    unsigned newer = roots[1].txn > roots[0].txn;
    if (!roots[0].sound && !roots[1].sound)
        return fail(self->why, ERR_DAMAGED,
                    "%s is damaged, or no data of weir; restore it from a backup", self->path);
    if (!roots[0].sound || !roots[1].sound) {
        newer = roots[1].sound;
        page_fault(self, !newer, "it is no root");
        self->found->stale = roots[!newer].txn + 1 != roots[newer].txn;
    } else if (roots[newer].txn - roots[!newer].txn > 1) {
        page_fault(self, newer, "it is not one transaction behind the other root");
        self->found->stale = true;
    }
    *chosen = roots[newer];
    return 0;
}

static void walk_all(struct page_walk *self, const struct page_root *meta, bool strays)
{
    self->txn = meta->txn;
    uint64_t before = self->found->faults;
    walk_table(self, WALK_free, &meta->free);
    check_free(self);
    bool free_known = self->found->faults == before;
    before = self->found->faults;
    walk_table(self, WALK_main, &meta->main);
    if (self->tally.entries != 2)
        page_fault(self, 0, "it has not the tables of weir");
    walk_table(self, WALK_meta, &self->meta);
    self->found->meta_rows = self->meta.entries;
    self->found->meta_faults = self->found->faults != before;
    walk_table(self, WALK_state, &self->state);
    /* A broken page may lead to any other. Whether that is a free one, with rows of some time ago,
     * the list of free pages tells. */
    if (!free_known && self->found->faults != before)
        self->found->stale = true;
    check_last(self, meta->last);
    if (strays)
        walk_strays(self);
}

static int open_file(struct page_walk *self)
{
    struct stat facts;
    self->fd = open(self->path, O_RDONLY | O_CLOEXEC);
    if (self->fd < 0 || fstat(self->fd, &facts))
        return store_failure(self->why, errno, "open", self->path);
    self->pages = (uint64_t)facts.st_size; /* bytes, until their size is known */
    (void)posix_fadvise(self->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return 0;
}

static void close_file(struct page_walk *self)
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
    struct page_tree none = {.root = NO_PAGE};
    struct page_walk self = {.path = path,
                             .row = row,
                             .row_self = row_self,
                             .found = pages,
                             .why = why,
                             .state = none,
                             .meta = none};
    struct page_root meta;
    *pages = (struct pages){0};
    int rc = open_file(&self);
    if (rc == 0)
        rc = choose_root(&self, &meta);
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
