/* chat_block: lines of the screen, each some spans of text in a style. It copies what it shows. */
#ifndef WEIR_CLIENT_CHAT_BLOCK_H
#define WEIR_CLIENT_CHAT_BLOCK_H

#include "client/chat_style.h"
#include "client/chat_text.h"

struct chat_span {
    unsigned style;
    struct slice text;
};

/* Zero-initialised has no lines. */
struct chat_block {
    struct buffer text;  /* of all spans */
    struct buffer spans; /* struct chat_part */
    size_t lines;        /* that ended */
};

/* Puts cleaned text at the end of the line under way. Without memory it is left out. */
void chat_block_put(struct chat_block *self, unsigned style, struct slice text);
void chat_block_clear(struct chat_block *self);
void chat_block_free(struct chat_block *self);

/* The i-th span of a line from the left; false past the last. It borrows from the block. */
bool chat_block_span(const struct chat_block *self, size_t line, size_t i, struct chat_span *span);

#endif
