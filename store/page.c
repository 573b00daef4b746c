#include "store/page.h"

#include "store/failure.h"
#include "store/files.h"

#include <stdlib.h>

void page_fault(struct page_walk *self, uint64_t page, const char *what)
{
    if (self->found->faults++ == 0)
        (void)fail(&self->found->first, ERR_DAMAGED, "page %llu of %s: %s",
                   (unsigned long long)page, self->path, what);
}

bool page_read_at(struct page_walk *self, uint8_t *to, size_t size, uint64_t offset)
{
    size_t got;
    if (self->rc)
        return false;
    int failed = file_read_at(self->fd, to, size, offset, &got);
    if (failed)
        self->rc = store_failure(self->why, failed, "read", self->path);
    return !failed && got == size;
}

/* Reaches so many pages, once. */
static bool page_reach(struct page_walk *self, uint64_t page, uint64_t count)
{
    if (page < ROOTS || page >= self->pages || count > self->pages - page) {
        page_fault(self, page, "it is not in the file");
        return false;
    }
    for (uint64_t i = page; i < page + count; i++) {
        if (page_bit(self->seen, i)) {
            page_fault(self, i, "it is used twice");
            return false;
        }
        if (page_bit(self->listed, i)) { /* one of the two is wrong: its rows are strays */
            page_fault(self, i, "it is used, and free");
            page_bit_clear(self->listed, i);
            return false;
        }
    }
    for (uint64_t i = page; i < page + count; i++)
        page_bit_set(self->seen, i);
    return true;
}

size_t page_nodes(const uint8_t *page)
{
    return (page_u16(page + 12) - (size_t)HEAD_BYTES) / 2;
}

bool page_bounds_fit(const struct page_walk *self, const uint8_t *page)
{
    uint16_t lower = page_u16(page + 12), upper = page_u16(page + 14);
    return lower >= HEAD_BYTES && lower % 2 == 0 && lower <= upper && upper <= self->page_bytes;
}

uint8_t *page_buffer(struct page_walk *self, unsigned level)
{
    uint8_t **page = &self->levels[level];
    if (!*page)
        *page = (uint8_t *)malloc(self->page_bytes);
    if (!*page)
        self->rc = fail(self->why, ERR_NO_MEMORY, "out of memory");
    return *page;
}

const uint8_t *page_load(struct page_walk *self, uint64_t number, unsigned level, uint16_t kind)
{
    uint8_t *page = page_buffer(self, level);
    if (!page || !page_reach(self, number, 1) ||
        !page_read_at(self, page, self->page_bytes, number * self->page_bytes))
        return NULL;
    if (page_u64(page) == number && page_u16(page + 10) == kind && page_bounds_fit(self, page))
        return page;
    page_fault(self, number, "it is not the page that it should be");
    page_bit_clear(self->seen, number); /* what it is may be told by its rows */
    return NULL;
}

bool page_node_at(const struct page_walk *self, const uint8_t *page, size_t i, bool leaf,
                  struct page_node *node)
{
    size_t at = page_u16(page + HEAD_BYTES + 2 * i);
    if (at < page_u16(page + 14) || at % 2 || self->page_bytes - NODE_BYTES < at)
        return false;
    const uint8_t *bytes = page + at;
    uint64_t low = (uint64_t)page_u16(bytes) | (uint64_t)page_u16(bytes + 2) << 16;
    size_t key_bytes = page_u16(bytes + 6), room = self->page_bytes - at - NODE_BYTES;
    node->flags = leaf ? page_u16(bytes + 4) : 0;
    node->child = low | (uint64_t)page_u16(bytes + 4) << 32;
    node->size = leaf ? low : 0;
    uint64_t inside = node->flags & NODE_BIG ? sizeof(uint64_t) : node->size;
    if (key_bytes > room || inside > room - key_bytes)
        return false;
    node->key = slice_of(bytes + NODE_BYTES, key_bytes);
    node->data = slice_of(bytes + NODE_BYTES + key_bytes, (size_t)inside);
    node->bytes = (NODE_BYTES + key_bytes + (size_t)inside + 1) / 2 * 2;
    return true;
}

bool page_value(struct page_walk *self, uint64_t number, const struct page_node *node,
                struct slice *value)
{
    uint8_t head[HEAD_BYTES];
    *value = node->data;
    if (!(node->flags & NODE_BIG))
        return true;
    uint64_t first = page_u64(node->data.data);
    uint64_t needed = (node->size + HEAD_BYTES + self->page_bytes - 1) / self->page_bytes;
    if (first >= self->pages || !page_read_at(self, head, sizeof head, first * self->page_bytes)) {
        page_fault(self, number, "a value's pages are not in the file");
        return false;
    }
    uint64_t count = page_u32(head + 12);
    if (page_u64(head) != first || page_u16(head + 10) != PAGE_OVERFLOW || count < needed) {
        page_fault(self, first, "it is not the value that it should be");
        return false;
    }
    if (!page_reach(self, first, count))
        return false;
    self->tally.overflows += count;
    buffer_clear(&self->value);
    uint8_t *to = buffer_grow(&self->value, (size_t)node->size);
    if (!to) {
        self->rc = fail(self->why, ERR_NO_MEMORY, "out of memory");
        return false;
    }
    *value = slice_of(to, (size_t)node->size);
    return page_read_at(self, to, (size_t)node->size, first * self->page_bytes + HEAD_BYTES);
}

struct page_tree page_tree_read(const uint8_t *bytes)
{
    return (struct page_tree){.flags = page_u16(bytes + 4),
                              .depth = page_u16(bytes + 6),
                              .branches = page_u64(bytes + 8),
                              .leaves = page_u64(bytes + 16),
                              .overflows = page_u64(bytes + 24),
                              .entries = page_u64(bytes + 32),
                              .root = page_u64(bytes + 40)};
}
