/* chat_input: the line that is written in: text, cursor, what was cut, what was sent before. Every
 * function keeps the cursor between two characters (client/chat_text.h) and the text valid UTF-8.
 */
#ifndef WEIR_CLIENT_CHAT_INPUT_H
#define WEIR_CLIENT_CHAT_INPUT_H

#include "client/chat_text.h"

/* Zero-initialised is empty. */
struct chat_input {
    struct buffer text;
    size_t cursor;              /* a byte of text, or its end */
    struct buffer cut;          /* what chat_input_kill took last */
    struct buffer *past;        /* what was sent, the oldest first */
    size_t past_count, past_at; /* past_at == past_count: the present line */
    struct buffer draft;        /* the present line, while one of the past is shown */
};

void chat_input_free(struct chat_input *self);

static inline struct slice chat_input_text(const struct chat_input *self)
{
    return buffer_slice(&self->text);
}

/* Replaces the text; the cursor is at its end. */
void chat_input_set(struct chat_input *self, struct slice text);

/* Inserts at the cursor. Line ends of any kind become \n; other control characters and what is no
 * UTF-8 are left out. False: cut at CHAT_INPUT_BYTES_MAX. */
bool chat_input_insert(struct chat_input *self, struct slice text);

/* Replaces the bytes from `start` to the cursor. False: it would be over CHAT_INPUT_BYTES_MAX, and
 * nothing is changed. */
bool chat_input_replace(struct chat_input *self, size_t start, struct slice with);

enum chat_move {
    CHAT_LEFT,
    CHAT_RIGHT,
    CHAT_WORD_LEFT,
    CHAT_WORD_RIGHT,
    CHAT_LINE_START, /* of several, the one with the cursor */
    CHAT_LINE_END,
    CHAT_LINE_UP, /* the same place in the line above, if there is one */
    CHAT_LINE_DOWN,
};

/* False: there was nowhere to go. */
bool chat_input_move(struct chat_input *self, enum chat_move move);

/* Takes away what lies between the cursor and where it would move; `keep` for chat_input_yank. */
void chat_input_kill(struct chat_input *self, enum chat_move move, bool keep);
void chat_input_yank(struct chat_input *self);

/* Remembers the text as sent, and empties it. The oldest goes past CHAT_PAST_MAX; one that is the
 * same as the last is not remembered twice. */
void chat_input_sent(struct chat_input *self);

/* Shows what was sent before (step -1) or after (1) what is shown. False: there is none. */
bool chat_input_recall(struct chat_input *self, int step);

/* --- as it is shown -------------------------------------------------------------------------- */

struct chat_input_view {
    size_t rows, cursor_row, cursor_column;
};

/* Lays the text out in rows of so many columns, broken anywhere; a row a line at least. Appends
 * what each row shows to rows, cleaned, with a \n behind each. */
struct chat_input_view chat_input_lay(const struct chat_input *self, size_t columns,
                                      struct buffer *rows);

#endif
