/* chat_screen: the terminal, by ncurses, which no other file of the chat sees. One screen a
 * process.
 *
 * It takes cells and gives keys. The terminal gets back what it was on every way out: close, exit,
 * and signals that end the program. */
#ifndef WEIR_CLIENT_CHAT_SCREEN_H
#define WEIR_CLIENT_CHAT_SCREEN_H

#include "base/errors.h"
#include "base/slice.h"
#include "client/chat_style.h"

/* Takes the terminal over. WEIR_IO's text when standard input or output is none, or of a kind that
 * is not known. Colours unless $NO_COLOR is set. */
MUST_USE int chat_screen_open(struct reason *why);
void chat_screen_close(void);

/* --- cells ----------------------------------------------------------------------------------- */

void chat_screen_size(size_t *rows, size_t *columns);
/* After SIGWINCH: takes the terminal's new size. */
void chat_screen_resize(void);
/* The next end draws every cell anew. */
void chat_screen_redraw(void);

/* A picture is begun, made of texts, and ended by showing it with the cursor at a place; a row past
 * the screen's hides it. */
void chat_screen_begin(void);
/* Puts text of client/chat_text.h in at most so many columns. Returns how many it took. */
size_t chat_screen_put(size_t row, size_t column, size_t columns, unsigned style,
                       struct slice text);
/* Blanks. */
void chat_screen_fill(size_t row, size_t column, size_t columns, unsigned style);
void chat_screen_end(size_t cursor_row, size_t cursor_column);

void chat_screen_bell(void);
/* Gives the terminal back and stops the process, as Ctrl-Z does elsewhere; takes it again after. */
void chat_screen_suspend(void);

/* --- keys ------------------------------------------------------------------------------------ */

enum chat_key_kind {
    CHAT_KEY_NONE,
    CHAT_KEY_TEXT,    /* point: what was typed, or with `alt` what with Alt */
    CHAT_KEY_CONTROL, /* point: the letter, 'a' to 'z' */
    CHAT_KEY_ENTER,
    CHAT_KEY_TAB,
    CHAT_KEY_BACKTAB,
    CHAT_KEY_ESCAPE,
    CHAT_KEY_BACKSPACE,
    CHAT_KEY_DELETE,
    CHAT_KEY_UP,
    CHAT_KEY_DOWN,
    CHAT_KEY_LEFT,
    CHAT_KEY_RIGHT,
    CHAT_KEY_HOME,
    CHAT_KEY_END,
    CHAT_KEY_PAGE_UP,
    CHAT_KEY_PAGE_DOWN,
    CHAT_KEY_F1,
    CHAT_KEY_PASTE,    /* what follows is pasted … */
    CHAT_KEY_PASTE_END /* … up to here */
};

struct chat_key {
    enum chat_key_kind kind;
    bool alt, control; /* with the key held; control: of cursor keys */
    uint32_t point;
};

/* The next key that waits; false: none does. */
bool chat_screen_key(struct chat_key *key);

#endif
