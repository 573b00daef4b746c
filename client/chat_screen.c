#define NCURSES_WIDECHAR 1
#include "client/chat_screen.h"

#include "client/chat_text.h"

#include <curses.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Keys that terminfo does not name: xterm's sequences, which terminals of today share. */
enum {
    KEY_PASTE = KEY_MAX + 1,
    KEY_PASTE_END,
    KEY_WITH, /* + 8 × modifier + cursor key */
    KEY_CURSORS = 8,
    MODIFIER_ALT = 3,
    MODIFIER_CONTROL = 5,
    ESCAPE = 27,
    ESCAPE_MS = 25
};

static struct {
    bool open, colours;
    struct termios before;
    char restore[128]; /* what a terminal needs to hear when the program breaks off */
    size_t restore_size;
} screen;

/* --- ways out -------------------------------------------------------------------------------- */

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* Calls nothing but what a signal handler may. */
static void on_fatal_signal(int number)
{
    ssize_t ignored = write(STDOUT_FILENO, screen.restore, screen.restore_size);
    (void)ignored;
    tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
    raise(number); /* the handler was good for once */
}

static void watch_fatal_signals(bool on)
{
    struct sigaction action = {.sa_handler = on ? on_fatal_signal : SIG_DFL,
                               .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
    for (size_t i = 0; i < sizeof fatal_signals / sizeof fatal_signals[0]; i++)
        sigaction(fatal_signals[i], &action, NULL);
}

static void say_to_terminal(const char *sequence)
{
    fputs(sequence, stdout);
    fflush(stdout);
}

static void remember_restore(void)
{
    const char *leave = tigetstr("rmcup"), *plain = tigetstr("sgr0"), *cursor = tigetstr("cnorm");
    const char *parts[] = {"\033[?2004l", plain, cursor, leave};
    screen.restore_size = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        bool known = parts[i] && (intptr_t)parts[i] != -1;
        size_t size = known ? strlen(parts[i]) : 0;
        if (!known || size > sizeof screen.restore - screen.restore_size)
            continue;
        memcpy(screen.restore + screen.restore_size, parts[i], size);
        screen.restore_size += size;
    }
}

void chat_screen_close(void)
{
    if (!screen.open)
        return;
    screen.open = false;
    watch_fatal_signals(false);
    say_to_terminal("\033[?2004l");
    endwin();
}

/* --- ways in --------------------------------------------------------------------------------- */

static void name_keys(void)
{
    static const char letters[] = "ABCDHF";
    static const int modifiers[] = {MODIFIER_ALT, MODIFIER_CONTROL};
    define_key("\033[200~", KEY_PASTE);
    define_key("\033[201~", KEY_PASTE_END);
    for (int i = 0; letters[i]; i++)
        for (int m = 0; m < 2; m++) {
            char sequence[16];
            snprintf(sequence, sizeof sequence, "\033[1;%d%c", modifiers[m], letters[i]);
            define_key(sequence, KEY_WITH + KEY_CURSORS * modifiers[m] + i);
        }
}

/* Away from what is hard to read on black or on white. */
static void choose_colours(void)
{
    static const short few[CHAT_PEOPLE] = {COLOR_CYAN,    COLOR_GREEN,  COLOR_MAGENTA, COLOR_YELLOW,
                                           COLOR_BLUE,    COLOR_RED,    COLOR_CYAN,    COLOR_GREEN,
                                           COLOR_MAGENTA, COLOR_YELLOW, COLOR_BLUE,    COLOR_RED};
    static const short many[CHAT_PEOPLE] = {37, 71, 133, 136, 69, 167, 31, 107, 170, 172, 99, 203};
    const char *no = getenv("NO_COLOR");
    screen.colours = !(no && *no) && has_colors() && start_color() == OK;
    if (!screen.colours)
        return;
    use_default_colors();
    for (int i = 0; i < CHAT_PEOPLE; i++)
        init_pair((short)(CHAT_PERSON + i), COLORS >= 256 ? many[i] : few[i], -1);
    init_pair(CHAT_FRESH, COLOR_YELLOW, -1);
    init_pair(CHAT_ALERT, COLOR_RED, -1);
    if (COLORS >= 256) {
        init_pair(CHAT_BAR, 252, 237);
        init_pair(CHAT_BAR_ALERT, 217, 237);
        init_pair(CHAT_FAINT, 244, -1);
    }
}

int chat_screen_open(struct reason *why)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return fail(why, ERR_IO, "standard input and output are not a terminal");
    if (tcgetattr(STDIN_FILENO, &screen.before))
        return fail(why, ERR_IO, "the terminal does not tell how it is set");
    set_escdelay(ESCAPE_MS);
    const char *term = getenv("TERM");
    if (!newterm(NULL, stdout, stdin))
        return fail(why, ERR_IO, "a terminal of the kind \"%s\" is not known ($TERM)",
                    term ? term : "");
    screen.open = true;
    atexit(chat_screen_close);
    remember_restore();
    watch_fatal_signals(true);
    raw();
    noecho();
    nonl(); /* Enter and Ctrl-J are two keys */
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    name_keys();
    choose_colours();
    say_to_terminal("\033[?2004h");
    return 0;
}

void chat_screen_suspend(void)
{
    watch_fatal_signals(false);
    say_to_terminal("\033[?2004l");
    endwin();
    struct sigaction before, plain = {.sa_handler = SIG_DFL};
    sigaction(SIGTSTP, &plain, &before);
    kill(0, SIGTSTP); /* with the shell that may wait for us in between */
    sigaction(SIGTSTP, &before, NULL);
    watch_fatal_signals(true);
    say_to_terminal("\033[?2004h");
    chat_screen_resize();
    chat_screen_redraw();
}

/* --- cells ----------------------------------------------------------------------------------- */

void chat_screen_size(size_t *rows, size_t *columns)
{
    *rows = (size_t)LINES;
    *columns = (size_t)COLS;
}

void chat_screen_resize(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        resizeterm(size.ws_row, size.ws_col);
}

void chat_screen_redraw(void)
{
    clearok(stdscr, TRUE);
}

static attr_t attributes(unsigned style)
{
    bool many = screen.colours && COLORS >= 256;
    attr_t chosen = style & CHAT_CHOSEN ? A_REVERSE : 0;
    switch (style & ~(unsigned)CHAT_CHOSEN) {
    case CHAT_PLAIN:
        return chosen;
    case CHAT_FAINT:
        return chosen | (many ? 0 : A_DIM);
    case CHAT_BAR:
        return many ? 0 : A_REVERSE;
    case CHAT_BAR_ALERT:
        return A_BOLD | (many ? 0 : A_REVERSE);
    default: /* what is strong, fresh or alarming, and people */
        return chosen | A_BOLD;
    }
}

static short colours(unsigned style)
{
    unsigned plain = style & ~(unsigned)CHAT_CHOSEN;
    bool few_bar = COLORS < 256 && (plain == CHAT_BAR || plain == CHAT_BAR_ALERT);
    bool none = plain == CHAT_PLAIN || plain == CHAT_STRONG || few_bar ||
                (plain == CHAT_FAINT && COLORS < 256);
    return screen.colours && !none ? (short)plain : 0;
}

static void use(unsigned style)
{
    attr_set(attributes(style), colours(style), NULL);
}

void chat_screen_begin(void)
{
    use(CHAT_PLAIN);
    erase();
}

size_t chat_screen_put(size_t row, size_t column, size_t columns, unsigned style, struct slice text)
{
    if (row >= (size_t)LINES || column >= (size_t)COLS)
        return 0;
    if (columns > (size_t)COLS - column)
        columns = (size_t)COLS - column;
    text.size = chat_text_fit(text, columns);
    use(style);
    mvaddnstr((int)row, (int)column, (const char *)text.data, (int)text.size);
    return chat_text_columns(text);
}

void chat_screen_fill(size_t row, size_t column, size_t columns, unsigned style)
{
    if (row >= (size_t)LINES || column >= (size_t)COLS)
        return;
    if (columns > (size_t)COLS - column)
        columns = (size_t)COLS - column;
    use(style);
    mvhline((int)row, (int)column, ' ' | COLOR_PAIR(colours(style)) | attributes(style),
            (int)columns);
}

void chat_screen_end(size_t cursor_row, size_t cursor_column)
{
    bool shown = cursor_row < (size_t)LINES && cursor_column < (size_t)COLS;
    curs_set(shown);
    if (shown)
        move((int)cursor_row, (int)cursor_column);
    refresh();
}

void chat_screen_bell(void)
{
    beep();
}

/* --- keys ------------------------------------------------------------------------------------ */

static const struct {
    int code;
    enum chat_key_kind kind;
} named[] = {
    {KEY_UP, CHAT_KEY_UP},
    {KEY_DOWN, CHAT_KEY_DOWN},
    {KEY_LEFT, CHAT_KEY_LEFT},
    {KEY_RIGHT, CHAT_KEY_RIGHT},
    {KEY_HOME, CHAT_KEY_HOME},
    {KEY_END, CHAT_KEY_END},
    {KEY_PPAGE, CHAT_KEY_PAGE_UP},
    {KEY_NPAGE, CHAT_KEY_PAGE_DOWN},
    {KEY_DC, CHAT_KEY_DELETE},
    {KEY_BACKSPACE, CHAT_KEY_BACKSPACE},
    {KEY_BTAB, CHAT_KEY_BACKTAB},
    {KEY_ENTER, CHAT_KEY_ENTER},
    {KEY_F(1), CHAT_KEY_F1},
    {KEY_PASTE, CHAT_KEY_PASTE},
    {KEY_PASTE_END, CHAT_KEY_PASTE_END},
};

static void named_key(int code, struct chat_key *key)
{
    static const enum chat_key_kind cursors[] = {CHAT_KEY_UP,   CHAT_KEY_DOWN, CHAT_KEY_RIGHT,
                                                 CHAT_KEY_LEFT, CHAT_KEY_HOME, CHAT_KEY_END};
    int with = code - KEY_WITH;
    if (with >= 0 && with < KEY_CURSORS * KEY_CURSORS && with % KEY_CURSORS < 6) {
        key->kind = cursors[with % KEY_CURSORS];
        key->alt = with / KEY_CURSORS == MODIFIER_ALT;
        key->control = with / KEY_CURSORS == MODIFIER_CONTROL;
        return;
    }
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        if (named[i].code == code)
            key->kind = named[i].kind;
}

static void typed_key(wint_t point, struct chat_key *key)
{
    if (point == '\r')
        key->kind = CHAT_KEY_ENTER;
    else if (point == '\t')
        key->kind = CHAT_KEY_TAB;
    else if (point == 0x7f || point == '\b')
        key->kind = CHAT_KEY_BACKSPACE;
    else if (point > 0 && point < ESCAPE) {
        key->kind = CHAT_KEY_CONTROL;
        key->point = (uint32_t)(point - 1 + 'a');
    } else if (point >= ' ') {
        key->kind = CHAT_KEY_TEXT;
        key->point = (uint32_t)point;
    }
}

bool chat_screen_key(struct chat_key *key)
{
    wint_t point = 0;
    *key = (struct chat_key){0};
    errno = 0;
    int got = get_wch(&point);
    if (got == OK && point == ESCAPE) {
        /* What comes at once with it was typed with Alt. */
        got = get_wch(&point);
        if (got == ERR || (got == OK && point == ESCAPE)) {
            key->kind = CHAT_KEY_ESCAPE;
            return true;
        }
        key->alt = true;
    }
    if (got == ERR)
        return false;
    if (got == KEY_CODE_YES)
        named_key((int)point, key);
    else
        typed_key(point, key);
    return true;
}
