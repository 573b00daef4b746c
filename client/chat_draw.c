/* The picture:
 *
 *   title: the room, what it is for
 *   rooms │ messages                │ members
 *   status: connection, node, room, what went wrong last
 *   > the line that is written in
 *
 * On narrow screens members and then rooms are left out, on low ones the title. */
#include "client/chat_picture.h"

#include <stdio.h>

enum {
    LEAST_ROWS = 8,
    LEAST_COLUMNS = 40,
    ROOMS_COLUMNS = 17,
    MEMBERS_COLUMNS = 17,
    INPUT_ROWS = 5,
    REPLY_NAME = 12, /* columns */
    ROWS_MAX = 512
};

/* --- messages -------------------------------------------------------------------------------- */

static void draw_row(size_t row, size_t column, size_t columns, const struct chat_row *from)
{
    struct chat_span span;
    unsigned chosen = from->chosen ? CHAT_CHOSEN : 0;
    size_t used = 0;
    if (chosen)
        chat_screen_fill(row, column, columns, CHAT_PLAIN | chosen);
    for (size_t i = 0; chat_block_span(from->block, from->line, i, &span); i++)
        used += chat_screen_put(row, column + used, columns - used, span.style | chosen, span.text);
}

/* Where there is no message: why. */
static const char *const *empty_lines(const struct chat *chat)
{
    static const char *const no_room[] = {
        "You are in no room yet.",          "",
        "/create NAME      makes one",      "/join INVITATION  enters one",
        "F1                tells the rest", NULL};
    static const char *const asking[] = {"Asking the node for the room …", NULL};
    static const char *const away[] = {"The room is shown when the node is reached.", NULL};
    static const char *const silent[] = {"Nothing has been said here yet.", NULL};
    if (chat->room_count == 0)
        return no_room;
    if (chat_current(chat)->state == CHAT_ROOM_FOLLOWED)
        return silent;
    return chat->connected ? asking : away;
}

static void draw_empty(const struct picture *p, size_t column, size_t columns)
{
    const char *const *lines = empty_lines(p->chat);
    size_t count = 0, widest = 0;
    for (; lines[count]; count++) {
        size_t width = chat_text_columns(slice_text(lines[count]));
        widest = width > widest ? width : widest;
    }
    size_t row = p->top + (p->body > count ? (p->body - count) / 2 : 0);
    size_t indent = columns > widest ? (columns - widest) / 2 : 0;
    for (size_t i = 0; i < count && i < p->body; i++)
        chat_screen_put(row + i, column + indent, columns - indent, CHAT_FAINT,
                        slice_text(lines[i]));
}

static void draw_messages(const struct picture *p)
{
    static struct chat_row rows[ROWS_MAX];
    size_t column = p->left ? p->left + 1 : 0;
    size_t columns = p->columns - column - (p->right ? p->right + 1 : 0), count = 0;
    struct chat_room *room = chat_current(p->chat);
    if (room) {
        chat_flow_size(room->flow, p->body, columns);
        count = chat_flow_rows(room->flow, rows);
        if (chat_flow_at_end(room->flow))
            chat_room_read(room);
    }
    if (count == 0)
        draw_empty(p, column, columns);
    for (size_t i = 0; i < count; i++) /* those that are fewer stand above the input */
        draw_row(p->top + p->body - count + i, column, columns, &rows[i]);
}

/* --- the input ------------------------------------------------------------------------------- */

/* What stands before the input; returns its columns. */
static size_t prompt(const struct chat *chat, struct buffer *out)
{
    const struct chat_room *room = chat_current(chat);
    size_t i;
    if (chat->mode == CHAT_MODE_EDIT)
        buffer_append_slice(out, slice_text("edit "));
    if (chat->mode == CHAT_MODE_REPLY && room &&
        weir_room_find_spot(room->room, chat->target, &i) == 0) {
        struct weir_room_message m;
        weir_room_message(room->room, i, &m);
        buffer_append_slice(out, slice_text("to "));
        chat_text_one_line(chat_room_name(room, m.author), chat_text_cut_name, REPLY_NAME, out);
    }
    buffer_append_slice(out, slice_text("> "));
    return chat_text_columns(buffer_slice(out));
}

static void draw_input(const struct picture *p, struct slice before, size_t indent)
{
    size_t row = p->top + p->body + 1, first = 0, line = 0;
    struct slice rest = buffer_slice(&p->shown);
    if (p->input.cursor_row >= p->input_rows)
        first = p->input.cursor_row - p->input_rows + 1;
    chat_screen_put(row, 0, indent, CHAT_STRONG, before);
    for (; rest.size > 0; line++) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        size_t size = end ? (size_t)(end - rest.data) : rest.size;
        if (line >= first && line < first + p->input_rows)
            chat_screen_put(row + line - first, indent, p->columns - indent, CHAT_PLAIN,
                            slice_of(rest.data, size));
        rest = slice_after(rest, end ? size + 1 : size);
    }
    chat_screen_end(row + p->input.cursor_row - first, indent + p->input.cursor_column);
}

/* --- a page ---------------------------------------------------------------------------------- */

static size_t draw_page_text(const struct picture *p, size_t top)
{
    struct slice rest = buffer_slice(&p->chat->page.text);
    size_t line = 0;
    for (; rest.size > 0; line++) {
        size_t next, size = chat_text_wrap(rest, p->columns, &next);
        if (line >= top && line < top + p->rows - 2)
            chat_screen_put(1 + line - top, 0, p->columns, CHAT_PLAIN, slice_of(rest.data, size));
        rest = slice_after(rest, next);
    }
    return line;
}

static void draw_page(struct picture *p)
{
    struct chat_page *page = &p->chat->page;
    size_t room = p->rows - 2, lines = draw_page_text(p, SIZE_MAX - p->rows);
    p->chat->rows_shown = room;
    if (page->top + room > lines)
        page->top = lines > room ? lines - room : 0;
    draw_page_text(p, page->top);
    struct bar bar = chat_bar(p, 0);
    chat_bar_put(&bar, CHAT_BAR, slice_text(page->title));
    bar = chat_bar(p, p->rows - 1);
    chat_bar_put(
        &bar, CHAT_BAR,
        slice_text(lines > room ? "Up, Down, Page Up, Page Down · Esc closes" : "Esc closes"));
    chat_screen_end(p->rows, 0);
}

/* --- all of it ------------------------------------------------------------------------------- */

static void draw_too_small(const struct picture *p)
{
    char text[64];
    snprintf(text, sizeof text, "too small: %zux%zu, wants %dx%d", p->columns, p->rows,
             LEAST_COLUMNS, LEAST_ROWS);
    chat_screen_put(0, 0, p->columns, CHAT_PLAIN, slice_text(text));
    chat_screen_end(p->rows, 0);
}

static void draw_chat(struct picture *p)
{
    struct buffer before = {0};
    size_t indent = prompt(p->chat, &before);
    p->input = chat_input_lay(&p->chat->input, p->columns - indent, &p->shown);
    p->input_rows = p->input.rows < INPUT_ROWS ? p->input.rows : INPUT_ROWS;
    p->input_rows = p->input_rows < p->rows / 3 ? p->input_rows : p->rows / 3;
    p->top = p->rows >= CHAT_TITLE_FROM;
    p->body = p->rows - p->top - 1 - p->input_rows;
    p->body = p->body < ROWS_MAX ? p->body : ROWS_MAX;
    p->left = p->columns >= CHAT_ROOMS_FROM ? ROOMS_COLUMNS : 0;
    p->right = p->columns >= CHAT_MEMBERS_FROM && chat_current(p->chat) ? MEMBERS_COLUMNS : 0;
    p->chat->rows_shown = p->body;
    draw_messages(p);
    if (p->top)
        chat_draw_title(p);
    if (p->left)
        chat_draw_rooms(p);
    if (p->right)
        chat_draw_members(p);
    chat_draw_status(p);
    draw_input(p, buffer_slice(&before), indent);
    buffer_free(&before);
    buffer_free(&p->shown);
}

void chat_draw(struct chat *chat)
{
    struct picture p = {.chat = chat};
    chat_screen_size(&p.rows, &p.columns);
    chat_screen_begin();
    if (p.rows < LEAST_ROWS || p.columns < LEAST_COLUMNS)
        draw_too_small(&p);
    else if (chat->page.open)
        draw_page(&p);
    else
        draw_chat(&p);
    chat->dirty = false;
}
