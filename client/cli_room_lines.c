/* A room's messages as people read them:
 *
 *   -- 2026-11-21 --
 *   15:04  0f3a2b1c  ann  hello
 *   15:05  77aa01d2  bob  [ann: hello] hi there (edited)  👍 2
 */
#include "client/cli_room.h"
#include "client/safe_text.h"

#include <string.h>
#include <time.h>

enum { ANSWERED_ROOM = 40 };

#define INDENT "                 " /* as wide as the time and the name of a message */

bool room_direct_is_with(const struct weir_room_direct_message *message, const uint8_t *with)
{
    return !with || memcmp(message->author, with, WEIR_KEY_BYTES) == 0 ||
           memcmp(message->recipient, with, WEIR_KEY_BYTES) == 0;
}

int room_lines_name(struct room_lines *self)
{
    room_names_t *names = room_names_new(self->room);
    if (!names)
        return WEIR_NO_MEMORY;
    room_names_destroy(&self->names);
    self->names = names;
    return 0;
}

void room_line_time(struct room_lines *self, uint64_t time_ms)
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm tm;
    char text[32];
    if (!localtime_r(&seconds, &tm)) {
        fputs("--:--", self->out);
        return;
    }
    if (self->year != tm.tm_year || self->day != tm.tm_yday + 1) {
        strftime(text, sizeof text, "%Y-%m-%d", &tm);
        fprintf(self->out, "-- %s --\n", text);
    }
    self->year = tm.tm_year;
    self->day = tm.tm_yday + 1;
    strftime(text, sizeof text, "%H:%M", &tm);
    fputs(text, self->out);
}

/* A line end within a text goes on below it; nothing else in it moves the cursor. */
static void print_text(FILE *out, struct weir_bytes text)
{
    char piece[SAFE_TEXT_PIECE];
    const char *bytes = text.data;
    for (size_t at = 0; at < text.size;) {
        if (bytes[at] == '\n') {
            fputs("\n" INDENT, out);
            at++;
        } else if (bytes[at] == '\t') {
            fputs("    ", out);
            at++;
        } else {
            at += safe_text_next(text, at, piece, NULL);
            fputs(piece, out);
        }
    }
}

static void print_answered(const struct room_lines *self, const uint8_t *spot)
{
    size_t i;
    char text[ANSWERED_ROOM], name[WEIR_SPOT_TEXT];
    struct weir_room_message message;
    if (weir_room_find_spot(self->room, spot, &i)) {
        room_cli_short_name(self->room, spot, name);
        fprintf(self->out, "[%s, which is not here] ", name);
        return;
    }
    weir_room_message(self->room, i, &message);
    safe_text_line(message.text, text, sizeof text);
    fprintf(self->out, "[%s: %s] ", room_names_of(self->names, message.author),
            message.deleted  ? "(deleted)"
            : message.sealed ? "(sealed)"
                             : text);
}

static void print_content(const struct room_lines *self, const struct weir_room_message *message)
{
    if (message->reply_to)
        print_answered(self, message->reply_to);
    if (message->deleted)
        fputs("(deleted)", self->out);
    else if (message->content == WEIR_ROOM_JOIN)
        fputs("(came)", self->out);
    else if (message->content == WEIR_ROOM_LEAVE)
        fputs("(left)", self->out);
    else if (message->sealed)
        fputs("(sealed: its key is not here)", self->out);
    else
        print_text(self->out, message->text);
    if (message->edited && !message->deleted)
        fputs(" (edited)", self->out);
    if (message->time_ms > self->now_ms)
        fputs(" (dated ahead of now)", self->out);
}

static void print_reactions(const struct room_lines *self, size_t i, size_t count)
{
    for (size_t r = 0; r < count; r++) {
        struct weir_room_reaction reaction;
        char text[80];
        weir_room_reaction(self->room, i, r, &reaction);
        safe_text_line(reaction.text, text, sizeof text);
        fprintf(self->out, "  %s %zu", text, reaction.count);
    }
}

void room_line_message(struct room_lines *self, size_t i)
{
    struct weir_room_message message;
    char name[WEIR_SPOT_TEXT];
    weir_room_message(self->room, i, &message);
    room_cli_short_name(self->room, message.spot, name);
    room_line_time(self, message.time_ms);
    fprintf(self->out, "  %s  %s  ", name, room_names_of(self->names, message.author));
    print_content(self, &message);
    print_reactions(self, i, message.reaction_count);
    fputc('\n', self->out);
}

void room_line_direct(struct room_lines *self, const struct weir_room_direct_message *message)
{
    room_line_time(self, message->time_ms);
    fprintf(self->out, "  %s to ", room_names_of(self->names, message->author));
    fprintf(self->out, "%s  ", room_names_of(self->names, message->recipient));
    print_text(self->out, message->text);
    fputc('\n', self->out);
}
