/* What stands around the messages: title, rooms, members, status. */
#include "client/chat_picture.h"

#include <stdio.h>

/* --- pieces of text -------------------------------------------------------------------------- */

/* Text of others in one line, cut to the columns. Returns how many it took. */
static size_t put_cut_by(chat_cut_fn *cut, size_t row, size_t column, size_t columns,
                         unsigned style, struct slice raw)
{
    struct buffer text = {0};
    chat_text_one_line(raw, cut, columns, &text);
    size_t taken = chat_screen_put(row, column, columns, style, buffer_slice(&text));
    buffer_free(&text);
    return taken;
}

static size_t put_cut(size_t row, size_t column, size_t columns, unsigned style, struct slice raw)
{
    return put_cut_by(chat_text_cut, row, column, columns, style, raw);
}

static struct slice slice_from(struct weir_bytes bytes)
{
    return slice_of(bytes.data, bytes.size);
}

struct bar chat_bar(const struct picture *p, size_t row)
{
    chat_screen_fill(row, 0, p->columns, CHAT_BAR);
    return (struct bar){row, 1, p->columns - 1};
}

void chat_bar_put(struct bar *self, unsigned style, struct slice text)
{
    if (self->at < self->end)
        self->at += put_cut(self->row, self->at, self->end - self->at, style, text);
}

static void bar_text(struct bar *self, const char *text)
{
    chat_bar_put(self, CHAT_BAR, slice_text(text));
}

static void bar_right(struct bar *self, unsigned style, struct slice text)
{
    size_t columns = chat_text_columns(text);
    if (columns + 2 > self->end - self->at)
        return;
    chat_screen_put(self->row, self->end - columns, columns, style, text);
    self->end -= columns + 2;
}

/* --- the title ------------------------------------------------------------------------------- */

/* Where the column of rooms has no place: the others that have something new. */
static void put_unread_elsewhere(const struct picture *p, struct bar *bar)
{
    struct buffer text = {0};
    for (size_t i = 0; i < p->chat->room_count; i++) {
        const struct chat_room *room = p->chat->rooms[i];
        char count[32];
        if (room->shown || !room->unread)
            continue;
        snprintf(count, sizeof count, " %zu%s", room->unread, room->mentions ? "!" : "");
        buffer_append_slice(&text, slice_text(text.size ? " · " : ""));
        chat_text_clean(slice_text(room->name), CHAT_ONE_LINE, &text);
        buffer_append_slice(&text, slice_text(count));
    }
    bar_right(bar, CHAT_BAR_ALERT, buffer_slice(&text));
    buffer_free(&text);
}

void chat_draw_title(const struct picture *p)
{
    struct bar bar = chat_bar(p, 0);
    const struct chat_room *room = chat_current(p->chat);
    struct weir_room_info info = {0};
    if (!room) {
        bar_text(&bar, "weir chat");
        return;
    }
    weir_room_info(room->room, &info);
    if (!p->left)
        put_unread_elsewhere(p, &bar);
    char members[64];
    size_t count = weir_room_member_count(room->room);
    snprintf(members, sizeof members, "%s%zu member%s", info.is_private ? "private · " : "", count,
             count == 1 ? "" : "s");
    bar_right(&bar, CHAT_BAR, slice_text(members));
    chat_bar_put(&bar, CHAT_BAR, slice_text(room->name));
    if (info.description.size) {
        bar_text(&bar, " — ");
        chat_bar_put(&bar, CHAT_BAR, slice_from(info.description));
    }
}

/* --- rooms and members ----------------------------------------------------------------------- */

static void draw_border(const struct picture *p, size_t column)
{
    for (size_t i = 0; i < p->body; i++)
        chat_screen_put(p->top + i, column, 1, CHAT_FAINT, slice_text("│"));
}

static void draw_room(const struct picture *p, size_t row, const struct chat_room *room)
{
    char count[24] = "";
    size_t columns = p->left - 3; /* between blanks, before the border */
    unsigned style = room->shown ? CHAT_STRONG : room->unread ? CHAT_FRESH : CHAT_PLAIN;
    if (room->unread && !room->shown)
        snprintf(count, sizeof count, " %zu%s", room->unread, room->mentions ? "!" : "");
    size_t taken = strlen(count);
    chat_screen_put(row, 0, 2, style, slice_text(room->shown ? "▸ " : "  "));
    put_cut(row, 2, columns - 1 - taken, style, slice_text(room->name));
    chat_screen_put(row, 1 + columns - taken, taken, style, slice_text(count));
}

void chat_draw_rooms(const struct picture *p)
{
    size_t count = p->chat->room_count, first = 0;
    if (p->chat->current >= p->body)
        first = p->chat->current - p->body + 1;
    for (size_t i = 0; i < p->body && first + i < count; i++)
        draw_room(p, p->top + i, p->chat->rooms[first + i]);
    draw_border(p, p->left - 1);
}

static void draw_member(const struct chat_room *room, size_t row, size_t column, size_t columns,
                        const struct weir_room_member *m)
{
    const char *mark = !m->inviter ? "★ " : m->moderator ? "◆ " : "  ";
    size_t taken = chat_screen_put(row, column, columns, CHAT_FAINT, slice_text(mark));
    put_cut_by(chat_text_cut_name, row, column + taken, columns - taken,
               CHAT_PERSON + chat_room_colour(m->key), chat_room_name(room, m->key));
}

void chat_draw_members(const struct picture *p)
{
    const struct chat_room *room = chat_current(p->chat);
    size_t count = weir_room_member_count(room->room), column = p->columns - p->right;
    char more[48];
    draw_border(p, column);
    for (size_t i = 0; i < p->body && i < count; i++) {
        struct weir_room_member m;
        weir_room_member(room->room, i, &m);
        if (i + 1 == p->body && i + 1 < count) {
            snprintf(more, sizeof more, "  and %zu more", count - i);
            chat_screen_put(p->top + i, column + 2, p->right - 2, CHAT_FAINT, slice_text(more));
        } else {
            draw_member(room, p->top + i, column + 2, p->right - 2, &m);
        }
    }
}

/* --- the status ------------------------------------------------------------------------------ */

static const char *hint(const struct chat *chat)
{
    const struct chat_room *room = chat_current(chat);
    if (chat->mode != CHAT_MODE_SAY)
        return "Enter sends · Esc lets it be";
    if (room && chat_flow_chosen(room->flow))
        return "Enter answers · Alt-E edit · Alt-D delete · Alt-A react · Esc";
    return "F1 help";
}

static void put_place(const struct chat *chat, struct bar *bar)
{
    char text[96];
    const struct chat_room *room = chat_current(chat);
    if (!room || chat_flow_at_end(room->flow)) {
        if (!*chat->note)
            bar_right(bar, CHAT_BAR, slice_text(hint(chat)));
        return;
    }
    size_t came = chat_flow_came(room->flow);
    if (came)
        snprintf(text, sizeof text, "↓ %zu new below · End", came);
    else
        snprintf(text, sizeof text, "↓ more below · End");
    bar_right(bar, came ? CHAT_BAR_ALERT : CHAT_BAR, slice_text(text));
}

static size_t count_waiting(const struct chat *chat)
{
    size_t count = 0;
    for (size_t i = 0; i < chat->room_count; i++) {
        const struct chat_room *room = chat->rooms[i];
        size_t texts = room->waiting.count;
        count += texts ? texts : chat_room_has_waiting(room);
    }
    return count;
}

/* "": nothing. */
static const char *to_tell(const struct chat *chat, const struct chat_room *room)
{
    if (chat->denied && !chat->note_bad)
        return weir_error(chat->w);
    if (*chat->note)
        return chat->note;
    if (room && *room->trouble && (chat->connected || room->refused))
        return room->trouble;
    if (room && room->state == CHAT_ROOM_FOLLOWED)
        return chat_room_why_out(room);
    return "";
}

void chat_draw_status(const struct picture *p)
{
    const struct chat *chat = p->chat;
    const struct chat_room *room = chat_current(chat);
    struct bar bar = chat_bar(p, p->top + p->body);
    char waiting[48];
    size_t count = chat->connected ? 0 : count_waiting(chat);
    put_place(chat, &bar);
    chat_bar_put(&bar, chat->connected ? CHAT_BAR : CHAT_BAR_ALERT,
                 slice_text(chat->denied                    ? "○ refused · "
                            : !chat->connected              ? "○ no node, trying again · "
                            : p->columns >= CHAT_ROOMS_FROM ? "● connected · "
                                                            : "● "));
    if (count) {
        snprintf(waiting, sizeof waiting, "%zu waiting · ", count);
        chat_bar_put(&bar, CHAT_BAR_ALERT, slice_text(waiting));
    }
    const char *told = to_tell(chat, room);
    if (*told) {
        chat_bar_put(&bar, !*chat->note || chat->note_bad ? CHAT_BAR_ALERT : CHAT_BAR,
                     slice_text(told));
        bar_text(&bar, " · ");
    }
    if (p->top == 0 && room) {
        chat_bar_put(&bar, CHAT_BAR, slice_text(room->name));
        bar_text(&bar, " · ");
    }
    bar_text(&bar, chat->node);
}
