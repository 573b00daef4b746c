/* What a key does. */
#include "client/chat.h"

#include "base/limits.h"
#include "base/utf8.h"
#include "client/chat_screen.h"

#include <stdio.h>

enum { PASTE_PAUSE_MS = 1000 };

static void complete(struct chat *chat, int step)
{
    if (!chat_complete_open(&chat->complete)) {
        chat_complete_begin(&chat->complete, &chat->input);
        chat_offer_words(chat);
    }
    if (!chat_complete_step(&chat->complete, &chat->input, step))
        chat_screen_bell();
}

/* --- text ------------------------------------------------------------------------------------ */

static void type(struct chat *chat, uint32_t point)
{
    struct buffer text = {0};
    utf8_append(&text, point);
    if (!chat_input_insert(&chat->input, buffer_slice(&text)))
        chat_screen_bell();
    buffer_free(&text);
}

/* Does what is pasted go on with this key? Its end may be lost on the way: a key held with Ctrl and
 * a while without keys end it too. */
static bool goes_on(struct chat *chat, const struct chat_key *key)
{
    uint64_t now = unix_ms(), before = chat->pasted_at_ms;
    chat->pasted_at_ms = now;
    return now < before + PASTE_PAUSE_MS && key->kind != CHAT_KEY_PASTE_END &&
           (key->kind != CHAT_KEY_CONTROL || key->point == 'j');
}

/* What is pasted is text and nothing else: a line end in it does not send. */
static void paste(struct chat *chat, const struct chat_key *key)
{
    bool line = key->kind == CHAT_KEY_ENTER || key->kind == CHAT_KEY_CONTROL;
    if (key->kind == CHAT_KEY_TEXT)
        type(chat, key->point);
    else if (line || key->kind == CHAT_KEY_TAB)
        type(chat, line ? '\n' : '\t');
}

static bool is_empty(const struct chat *chat)
{
    return chat->input.text.size == 0;
}

static void move(struct chat *chat, enum chat_move where)
{
    chat_input_move(&chat->input, where);
}

/* --- messages -------------------------------------------------------------------------------- */

static void choose(struct chat *chat, int step)
{
    if (chat_current(chat))
        chat_flow_choose(chat_current(chat)->flow, step);
}

static const uint8_t *chosen(const struct chat *chat)
{
    return chat_current(chat) ? chat_flow_chosen(chat_current(chat)->flow) : NULL;
}

static void scroll(struct chat *chat, long pages)
{
    if (chat_current(chat))
        chat_flow_scroll(chat_current(chat)->flow,
                         pages * (long)(chat->rows_shown > 1 ? chat->rows_shown - 1 : 1));
}

static void on_up_or_down(struct chat *chat, const struct chat_key *key, int step)
{
    if (!key->control && (key->alt || is_empty(chat)))
        choose(chat, step);
    else if (key->control ||
             !chat_input_move(&chat->input, step < 0 ? CHAT_LINE_UP : CHAT_LINE_DOWN))
        chat_input_recall(&chat->input, step);
}

static void on_home_or_end(struct chat *chat, bool end)
{
    bool moved = chat_input_move(&chat->input, end ? CHAT_LINE_END : CHAT_LINE_START);
    if (!chat_current(chat) || moved)
        return;
    if (end)
        chat_flow_to_end(chat_current(chat)->flow);
    else if (is_empty(chat))
        chat_flow_to_start(chat_current(chat)->flow);
}

/* The name of the command, which acts on the chosen message. */
static void act(struct chat *chat, const char *name)
{
    const struct chat_command *command = chat_command_find(slice_text(name));
    if (command && chat_current(chat))
        command->run(chat, slice_of("", 0));
}

static void on_escape(struct chat *chat)
{
    if (chat->mode != CHAT_MODE_SAY)
        chat_stop_mode(chat);
    else if (chosen(chat))
        chat_flow_choose_none(chat_current(chat)->flow);
    chat_note(chat, false, "%s", "");
}

/* --- keys held with another ------------------------------------------------------------------ */

struct line_key {
    uint32_t letter;
    enum chat_move move;
};

/* The letters that act on the line as in a shell. False: it is none of them. */
static bool on_line_letter(struct chat *chat, uint32_t letter)
{
    static const struct line_key moves[] = {
        {'a', CHAT_LINE_START}, {'b', CHAT_LEFT}, {'e', CHAT_LINE_END}, {'f', CHAT_RIGHT}};
    static const struct line_key kills[] = {
        {'k', CHAT_LINE_END}, {'u', CHAT_LINE_START}, {'w', CHAT_WORD_LEFT}};
    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++)
        if (moves[i].letter == letter) {
            move(chat, moves[i].move);
            return true;
        }
    for (size_t i = 0; i < sizeof kills / sizeof kills[0]; i++)
        if (kills[i].letter == letter) {
            chat_input_kill(&chat->input, kills[i].move, true);
            return true;
        }
    return false;
}

static void on_control(struct chat *chat, uint32_t letter)
{
    size_t rooms = chat->room_count ? chat->room_count : 1;
    if (on_line_letter(chat, letter))
        return;
    if (letter == 'c' || (letter == 'd' && is_empty(chat)))
        chat_do_quit(chat, slice_of(NULL, 0));
    else if (letter == 'd')
        chat_input_kill(&chat->input, CHAT_RIGHT, false);
    else if (letter == 'j')
        type(chat, '\n');
    else if (letter == 'l')
        chat_screen_redraw();
    else if (letter == 'n')
        chat_go(chat, (chat->current + 1) % rooms);
    else if (letter == 'p')
        chat_go(chat, (chat->current + rooms - 1) % rooms);
    else if (letter == 'y')
        chat_input_yank(&chat->input);
    else if (letter == 'z')
        chat_screen_suspend();
}

static void on_alt(struct chat *chat, uint32_t point)
{
    bool acts = chosen(chat) || is_empty(chat);
    if (point >= '1' && point <= '9')
        chat_go(chat, point - '1');
    else if (point == 'p' || point == 'n')
        chat_input_recall(&chat->input, point == 'p' ? -1 : 1);
    else if (point == 'b' || point == 'f')
        move(chat, point == 'b' ? CHAT_WORD_LEFT : CHAT_WORD_RIGHT);
    else if (point == 'd' && chosen(chat))
        act(chat, "delete");
    else if (point == 'd')
        chat_input_kill(&chat->input, CHAT_WORD_RIGHT, true);
    else if ((point == 'e' || point == 'a') && chosen(chat) && !is_empty(chat))
        chat_note(chat, true, "there is a text under way: send it, or take it away by Ctrl-U");
    else if (point == 'e' && acts)
        act(chat, "edit");
    else if (point == 'r' && acts)
        act(chat, "reply");
    else if (point == 'a' && acts)
        chat_input_set(&chat->input, slice_text("/react "));
}

static void on_enter(struct chat *chat, const struct chat_key *key)
{
    if (key->alt)
        type(chat, '\n');
    else if (is_empty(chat) && chosen(chat) && chat->mode == CHAT_MODE_SAY)
        act(chat, "reply");
    else
        chat_do_line(chat);
}

/* --- a page ---------------------------------------------------------------------------------- */

static void on_page_key(struct chat *chat, const struct chat_key *key)
{
    struct chat_page *page = &chat->page;
    size_t step = chat->rows_shown > 1 ? chat->rows_shown - 1 : 1;
    switch (key->kind) {
    case CHAT_KEY_UP:
        page->top -= page->top > 0;
        break;
    case CHAT_KEY_DOWN:
        page->top++; /* held back when it is drawn */
        break;
    case CHAT_KEY_PAGE_UP:
        page->top -= page->top < step ? page->top : step;
        break;
    case CHAT_KEY_PAGE_DOWN:
        page->top += step;
        break;
    case CHAT_KEY_HOME:
        page->top = 0;
        break;
    case CHAT_KEY_END:
        page->top = page->text.size;
        break;
    case CHAT_KEY_CONTROL:
        if (key->point == 'l' || key->point == 'z')
            on_control(chat, key->point);
        else
            page->open = false;
        if (key->point == 'c')
            on_control(chat, key->point);
        break;
    default:
        page->open = false;
        break;
    }
}

/* --- all of them ----------------------------------------------------------------------------- */

static void on_cursor_key(struct chat *chat, const struct chat_key *key)
{
    switch (key->kind) {
    case CHAT_KEY_UP:
    case CHAT_KEY_DOWN:
        on_up_or_down(chat, key, key->kind == CHAT_KEY_UP ? -1 : 1);
        break;
    case CHAT_KEY_LEFT:
        move(chat, key->control || key->alt ? CHAT_WORD_LEFT : CHAT_LEFT);
        break;
    case CHAT_KEY_RIGHT:
        move(chat, key->control || key->alt ? CHAT_WORD_RIGHT : CHAT_RIGHT);
        break;
    case CHAT_KEY_HOME:
    case CHAT_KEY_END:
        on_home_or_end(chat, key->kind == CHAT_KEY_END);
        break;
    case CHAT_KEY_PAGE_UP:
    case CHAT_KEY_PAGE_DOWN:
        scroll(chat, key->kind == CHAT_KEY_PAGE_UP ? -1 : 1);
        break;
    default:
        break;
    }
}

static void on_plain_key(struct chat *chat, const struct chat_key *key)
{
    switch (key->kind) {
    case CHAT_KEY_TEXT:
        if (key->alt)
            on_alt(chat, key->point);
        else
            type(chat, key->point);
        break;
    case CHAT_KEY_CONTROL:
        on_control(chat, key->point);
        break;
    case CHAT_KEY_ENTER:
        on_enter(chat, key);
        break;
    case CHAT_KEY_TAB:
    case CHAT_KEY_BACKTAB:
        complete(chat, key->kind == CHAT_KEY_TAB ? 1 : -1);
        break;
    case CHAT_KEY_ESCAPE:
        on_escape(chat);
        break;
    case CHAT_KEY_BACKSPACE:
        chat_input_kill(&chat->input, key->alt ? CHAT_WORD_LEFT : CHAT_LEFT, key->alt);
        break;
    case CHAT_KEY_DELETE:
        chat_input_kill(&chat->input, CHAT_RIGHT, false);
        break;
    case CHAT_KEY_UP:
    case CHAT_KEY_DOWN:
    case CHAT_KEY_LEFT:
    case CHAT_KEY_RIGHT:
    case CHAT_KEY_HOME:
    case CHAT_KEY_END:
    case CHAT_KEY_PAGE_UP:
    case CHAT_KEY_PAGE_DOWN:
        on_cursor_key(chat, key);
        break;
    case CHAT_KEY_F1:
        chat_do_help(chat, slice_of(NULL, 0));
        break;
    case CHAT_KEY_PASTE:
        chat->pasting = true;
        chat->pasted_at_ms = unix_ms();
        break;
    case CHAT_KEY_NONE:
    case CHAT_KEY_PASTE_END:
        break;
    }
}

void chat_on_key(struct chat *chat, const struct chat_key *key)
{
    chat->dirty = true;
    chat_drop_note(chat, CHAT_NOTE_MS);
    if (key->kind != CHAT_KEY_TAB && key->kind != CHAT_KEY_BACKTAB)
        chat_complete_end(&chat->complete);
    chat->pasting = chat->pasting && goes_on(chat, key);
    if (chat->page.open && key->kind == CHAT_KEY_TEXT)
        chat->page.open = false; /* who types means the line: all of it, a command's slash too */
    if (chat->pasting)
        paste(chat, key);
    else if (chat->page.open)
        on_page_key(chat, key);
    else
        on_plain_key(chat, key);
}
