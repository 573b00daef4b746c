#include "client/chat_lines.h"

#include <stdio.h>
#include <time.h>

/* What is being laid out. */
struct layer {
    struct chat_block *block;
    const struct chat_message *message;
    size_t columns, head, indent; /* before the first line of a text, and before the others */
    size_t used;                  /* of the line under way */
    bool open;                    /* a line is under way */
};

/* --- lines and spans ------------------------------------------------------------------------- */

static void put(struct layer *self, unsigned style, struct slice text)
{
    if (text.size == 0)
        return;
    chat_block_put(self->block, style, text);
    self->used += chat_text_columns(text);
    self->open = true;
}

static void put_text(struct layer *self, unsigned style, const char *text)
{
    put(self, style, slice_text(text));
}

static void put_blanks(struct layer *self, size_t count)
{
    static const char blanks[] = "                                                ";
    for (size_t n; count > 0; count -= n) {
        n = count < sizeof blanks - 1 ? count : sizeof blanks - 1;
        put(self, CHAT_PLAIN, slice_of(blanks, n));
    }
}

static void put_cut_by(struct layer *self, chat_cut_fn *cut, unsigned style, struct slice raw,
                       size_t columns)
{
    struct buffer text = {0};
    chat_text_one_line(raw, cut, columns, &text);
    put(self, style, buffer_slice(&text));
    buffer_free(&text);
}

/* Cleaned, in one line, cut to what fits. */
static void put_cut(struct layer *self, unsigned style, struct slice raw, size_t columns)
{
    put_cut_by(self, chat_text_cut, style, raw, columns);
}

/* The same for what a person is called. */
static void put_person(struct layer *self, unsigned style, struct slice name, size_t columns)
{
    put_cut_by(self, chat_text_cut_name, style, name, columns);
}

static void end_line(struct layer *self)
{
    self->block->lines++;
    self->used = 0;
    self->open = false;
}

static size_t room_left(const struct layer *self)
{
    return self->columns > self->used ? self->columns - self->used : 0;
}

/* --- what stands left ------------------------------------------------------------------------ */

static struct tm local_time(uint64_t time_ms)
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm tm = {0};
    localtime_r(&seconds, &tm);
    return tm;
}

int chat_day(uint64_t time_ms)
{
    struct tm tm = local_time(time_ms);
    return (int)((time_ms / 1000 + (uint64_t)tm.tm_gmtoff) / 86400);
}

static void put_time(struct layer *self)
{
    char text[8];
    struct tm tm = local_time(self->message->time_ms);
    snprintf(text, sizeof text, "%02u:%02u ", (unsigned)tm.tm_hour % 100,
             (unsigned)tm.tm_min % 100);
    put_text(self, self->message->ahead ? CHAT_ALERT : CHAT_FAINT, text);
}

static unsigned name_style(const struct chat_message *m)
{
    return m->mentions_me ? CHAT_FRESH : CHAT_PERSON + m->colour % CHAT_PEOPLE;
}

/* Is the author to be named though what is laid goes on from a line above? */
static bool names_again(const struct layer *self)
{
    return self->message->named && self->block->lines == self->message->named_line;
}

/* The author at the right of a column of names. */
static void put_name(struct layer *self, size_t columns, bool named)
{
    const struct chat_message *m = self->message;
    bool moves = m->kind == CHAT_JOINED || m->kind == CHAT_LEFT_ROOM;
    struct buffer text = {0};
    if (moves)
        buffer_append_slice(&text, slice_text(m->kind == CHAT_JOINED ? "→" : "←"));
    else if (named)
        chat_text_one_line(m->author, chat_text_cut_name, columns, &text);
    put_blanks(self, columns - chat_text_columns(buffer_slice(&text)));
    put(self, moves ? CHAT_FAINT : name_style(m), buffer_slice(&text));
    buffer_free(&text);
}

static void put_head(struct layer *self, size_t name_columns)
{
    const struct chat_message *m = self->message;
    bool said = m->kind == CHAT_SAID || m->kind == CHAT_DIRECT;
    bool named = !m->grouped || names_again(self);
    put_time(self);
    if (name_columns) {
        put_name(self, name_columns, named);
        put_text(self, m->mentions_me ? CHAT_FRESH : CHAT_FAINT, " │ ");
    } else if (said && named) {
        put_person(self, name_style(m), m->author, self->columns / 3);
        put_text(self, CHAT_FAINT, ": ");
    } else if (!said) {
        put_text(self, CHAT_FAINT, m->kind == CHAT_JOINED ? "→ " : "← ");
    }
}

/* Before what is not the first line of a message. */
static void put_indent(struct layer *self, size_t name_columns)
{
    if (!name_columns) {
        put_blanks(self, self->indent);
        return;
    }
    if (names_again(self)) {
        put_blanks(self, self->indent - 3 - name_columns);
        put_name(self, name_columns, true);
    } else {
        put_blanks(self, self->indent - 3);
    }
    put_text(self, self->message->mentions_me ? CHAT_FRESH : CHAT_FAINT, " │ ");
}

static void begin(struct layer *self, size_t name_columns)
{
    if (self->open)
        return;
    if (self->head == 0) {
        put_head(self, name_columns);
        self->head = self->used;
    } else {
        put_indent(self, name_columns);
    }
}

/* --- what it says ---------------------------------------------------------------------------- */

static void lay_text(struct layer *self, unsigned style, struct slice raw, size_t name_columns)
{
    struct buffer clean = {0};
    chat_text_clean(raw, CHAT_LINES_KEPT, &clean);
    struct slice text = buffer_slice(&clean);
    while (text.size) {
        size_t next;
        begin(self, name_columns);
        size_t size = chat_text_wrap(text, room_left(self), &next);
        put(self, style, slice_of(text.data, size));
        text = slice_after(text, next);
        if (text.size)
            end_line(self);
    }
    buffer_free(&clean);
}

/* A remark behind the text, on the same line if it fits. */
static void lay_remark(struct layer *self, unsigned style, const char *text, size_t name_columns)
{
    if (self->open && room_left(self) < chat_text_columns(slice_text(text)) + 1)
        end_line(self);
    if (self->open)
        put_text(self, CHAT_PLAIN, " ");
    begin(self, name_columns);
    put_cut(self, style, slice_text(text), room_left(self));
}

static void lay_reply(struct layer *self, size_t name_columns)
{
    const struct chat_message *m = self->message;
    begin(self, name_columns);
    put_text(self, CHAT_FAINT, "↳ ");
    if (m->reply_author.size == 0) {
        put_cut(self, CHAT_FAINT, slice_text("a message that is not here any more"),
                room_left(self));
    } else {
        put_person(self, CHAT_FAINT, m->reply_author, room_left(self) / 3);
        put_text(self, CHAT_FAINT, ": ");
        put_cut(self, CHAT_FAINT, m->reply_text, room_left(self));
    }
    end_line(self);
}

static void lay_reactions(struct layer *self, size_t name_columns)
{
    const struct chat_message *m = self->message;
    if (m->reaction_count && self->open)
        end_line(self);
    for (size_t i = 0; i < m->reaction_count; i++) {
        const struct chat_reaction *r = &m->reactions[i];
        char count[24];
        struct buffer clean = {0};
        chat_text_clean(r->text, CHAT_ONE_LINE, &clean);
        snprintf(count, sizeof count, " %zu", r->count);
        size_t width = chat_text_columns(buffer_slice(&clean)) + strlen(count) + 2;
        if (self->open && i > 0 && width > room_left(self))
            end_line(self);
        if (self->open)
            put_text(self, CHAT_PLAIN, "  ");
        begin(self, name_columns);
        put_cut(self, CHAT_PLAIN, buffer_slice(&clean), room_left(self));
        put_text(self, r->mine ? CHAT_STRONG : CHAT_FAINT, count);
        buffer_free(&clean);
    }
}

/* ──── text ──────────── over the whole width. */
static void lay_rule(struct layer *self, unsigned style, const char *text)
{
    enum { BEFORE = 4 };
    for (int i = 0; i < BEFORE; i++)
        put_text(self, style, "─");
    put_text(self, CHAT_PLAIN, " ");
    put_cut(self, style, slice_text(text), room_left(self));
    if (room_left(self))
        put_text(self, CHAT_PLAIN, " ");
    while (room_left(self))
        put_text(self, style, "─");
    end_line(self);
}

static void lay_day(struct layer *self)
{
    char text[64];
    struct tm tm = local_time(self->message->time_ms);
    if (strftime(text, sizeof text, "%A, %e %B %Y", &tm) > 0)
        lay_rule(self, CHAT_FAINT, text);
}

static void lay_said(struct layer *self, size_t name_columns)
{
    const struct chat_message *m = self->message;
    unsigned style = m->waiting ? CHAT_FAINT : CHAT_PLAIN;
    if (m->is_reply && !m->deleted)
        lay_reply(self, name_columns);
    if (m->kind == CHAT_DIRECT) {
        begin(self, name_columns);
        put_text(self, CHAT_FRESH, "✉ to ");
        if (m->direct_to.size)
            put_person(self, CHAT_FRESH, m->direct_to, room_left(self) / 3);
        else
            put_text(self, CHAT_FRESH, "you");
        put_text(self, CHAT_FRESH, " alone: ");
    }
    if (m->deleted)
        lay_remark(self, CHAT_FAINT, "(deleted)", name_columns);
    else if (m->sealed)
        lay_remark(self, CHAT_FAINT, "(sealed; a member who has the key will pass it on)",
                   name_columns);
    else
        lay_text(self, style, m->text, name_columns);
    if (m->edited && !m->deleted)
        lay_remark(self, CHAT_FAINT, "(edited)", name_columns);
}

static void lay_passing(struct layer *self, size_t name_columns)
{
    const struct chat_message *m = self->message;
    begin(self, name_columns);
    put_person(self, CHAT_PERSON + m->colour % CHAT_PEOPLE, m->author, room_left(self) / 2);
    put_text(self, CHAT_FAINT, m->kind == CHAT_JOINED ? " came" : " left");
}

void chat_block_lay(struct chat_block *self, const struct chat_message *message, size_t columns,
                    size_t name_columns)
{
    enum { TIME = 6, BAR = 3, INDENT = 2 };
    struct layer layer = {.block = self, .message = message, .columns = columns};
    layer.indent = name_columns ? TIME + name_columns + BAR : INDENT;
    chat_block_clear(self);
    if (message->first_of_day)
        lay_day(&layer);
    if (message->first_unread)
        lay_rule(&layer, CHAT_FRESH, "new since you last looked");
    if (message->kind == CHAT_JOINED || message->kind == CHAT_LEFT_ROOM)
        lay_passing(&layer, name_columns);
    else
        lay_said(&layer, name_columns);
    if (message->ahead)
        lay_remark(&layer, CHAT_ALERT, "(dated ahead of now)", name_columns);
    if (message->waiting)
        lay_remark(&layer, CHAT_ALERT, "(waiting for the node)", name_columns);
    lay_reactions(&layer, name_columns);
    begin(&layer, name_columns);
    end_line(&layer);
}
