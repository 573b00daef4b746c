/* chat_text: what people wrote, made fit for a terminal and measured in its columns. Text is UTF-8.
 *
 * Three units: bytes; characters, which are what people see as one (a letter with its accents, an
 * emoji of several parts, a flag) and what the cursor steps over; columns of the terminal. How wide
 * a character is says the locale's wcwidth, as ncurses asks it, so both agree.
 *
 * Only text that went through chat_text_clean is shown: it has no control character and nothing of
 * which terminals disagree how wide it is. */
#ifndef WEIR_CLIENT_CHAT_TEXT_H
#define WEIR_CLIENT_CHAT_TEXT_H

#include "base/buffer.h"

enum chat_lines_kept { CHAT_LINES_KEPT, CHAT_ONE_LINE };

/* Appends the text as it may be shown. Control characters, bytes that are no UTF-8 and code points
 * that the terminal does not know stand as U+FFFD each; a tab is four blanks; what turns the
 * direction of writing, and marks without width that only differ between terminals (joiners of
 * emoji, variation selectors, colours of skin) are left out; of marks on one character those past
 * CHAT_MARKS_MAX. Line ends stay, or are a blank each. Cleaning twice is cleaning once. */
void chat_text_clean(struct slice raw, enum chat_lines_kept lines, struct buffer *out);

/* Where the character that starts at `at` ends (at < size), and where the one before `at` starts
 * (at > 0). For any text, cleaned or not. */
size_t chat_text_next(struct slice text, size_t at);
size_t chat_text_before(struct slice text, size_t at);

/* The first code point and its bytes; U+FFFD and 1 for what is no UTF-8. text is not empty. */
uint32_t chat_text_point(struct slice text, size_t *bytes);

/* --- of cleaned text ------------------------------------------------------------------------- */

size_t chat_text_columns(struct slice text);

/* The bytes of the longest beginning that takes at most so many columns. */
size_t chat_text_fit(struct slice text, size_t columns);

/* Appends the text, or as much of it as fits before an ellipsis. Returns its columns. */
size_t chat_text_cut(struct slice text, size_t columns, struct buffer *out);

/* The same for what a person is called (client/room_names.h): the letters of the key behind its
 * last ~, which tell it from another, stay; the nickname is cut. */
size_t chat_text_cut_name(struct slice name, size_t columns, struct buffer *out);

/* Appends what someone wrote, cleaned, in one line, cut by one of these two. Returns its columns.
 */
typedef size_t chat_cut_fn(struct slice text, size_t columns, struct buffer *out);
size_t chat_text_one_line(struct slice raw, chat_cut_fn *cut, size_t columns, struct buffer *out);

/* The first screen line of text: its bytes; *next is where the second starts, the size when there
 * is none. Broken at line ends, else after a blank or beside a wide character, else anywhere; at
 * least one character is on it. */
size_t chat_text_wrap(struct slice text, size_t columns, size_t *next);

#endif
