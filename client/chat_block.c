#include "client/chat_block.h"

/* A span as it is kept: its text is behind that of the one before. */
struct chat_part {
    size_t line, at, size;
    unsigned style;
};

void chat_block_put(struct chat_block *self, unsigned style, struct slice text)
{
    struct chat_part part = {
        .line = self->lines, .at = self->text.size, .size = text.size, .style = style};
    buffer_append_slice(&self->text, text);
    if (!buffer_failed(&self->text))
        buffer_append(&self->spans, &part, sizeof part);
}

void chat_block_clear(struct chat_block *self)
{
    buffer_clear(&self->text);
    buffer_clear(&self->spans);
    self->lines = 0;
}

void chat_block_free(struct chat_block *self)
{
    buffer_free(&self->text);
    buffer_free(&self->spans);
    self->lines = 0;
}

bool chat_block_span(const struct chat_block *self, size_t line, size_t i, struct chat_span *span)
{
    const struct chat_part *parts = (const struct chat_part *)(const void *)self->spans.data;
    size_t count = self->spans.size / sizeof *parts, low = 0, high = count;
    while (low < high) { /* the first of the line */
        size_t middle = low + (high - low) / 2;
        if (parts[middle].line < line)
            low = middle + 1;
        else
            high = middle;
    }
    if (low + i >= count || parts[low + i].line != line)
        return false;
    const struct chat_part *part = &parts[low + i];
    *span = (struct chat_span){part->style, slice_of(self->text.data + part->at, part->size)};
    return true;
}
