/* safe_text: other people's text on a terminal. What would move the cursor, change colours, turn
 * the direction of a line or is no UTF-8 at all stands as its escape, \x1b, \u202e, \U000e0001;
 * else as it is. What takes no place on the screen is escaped too, but for joiners and the mark of
 * emoji (U+FE0F): emoji and some scripts are made with them. */
#ifndef WEIR_CLIENT_SAFE_TEXT_H
#define WEIR_CLIENT_SAFE_TEXT_H

#include "client/weir.h"

#include <stdbool.h>
#include <stdio.h>

enum { SAFE_TEXT_PIECE = 12 };

/* The character at `at` (below the size), or its escape, terminated: how many bytes of the text it
 * stands for. *as_is (may be NULL): no escape was needed. */
size_t safe_text_next(struct weir_bytes text, size_t at, char piece[SAFE_TEXT_PIECE], bool *as_is);

/* Nothing in it needs an escape. */
bool safe_text_is(struct weir_bytes text);

void safe_text_print(FILE *out, struct weir_bytes text);
/* The same, but lines and tabs are as they are. */
void safe_text_print_lines(FILE *out, struct weir_bytes text);

/* The same in one line of at most `room - 1` bytes, terminated: runs of white space are one blank,
 * none at the ends, and what is longer ends in … */
void safe_text_line(struct weir_bytes text, char *line, size_t room);

#endif
